"""The course of a log: which session it is in, how that is, and the moves to the next one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Final

from napari_medlabel.audit.anchors.heads import Peers, publish
from napari_medlabel.audit.faults import UnwritableError, error_name
from napari_medlabel.audit.format.seal import Head
from napari_medlabel.audit.writer.lamp import Condition, Lamp, lamp_of
from napari_medlabel.audit.writer.log import AuditLog
from napari_medlabel.audit.writer.opening import observation
from napari_medlabel.audit.writer.seat import FIRST, Occasion, Seat
from napari_medlabel.audit.writer.spool import probe, require_own
from napari_medlabel.audit.writer.whereabouts import (
    Begun,
    begin_anywhere,
    begin_at_home,
    begin_elsewhere,
    begin_in_spool,
    room_is_low,
)
from napari_medlabel.errors import LogError

LONGEST_NS: Final = 24 * 3600 * 1_000_000_000
"""How long one session lasts at most, and with it the key that seals it."""

BEAT_NS: Final = 600 * 1_000_000_000
"""How often a session says what it sees of others, and shows them its own head."""


class Course:
    """One session after the other.

    Parameters
    ----------
    seat : Seat
        Where they are written, and by whom.

    Attributes
    ----------
    log : AuditLog
        The session that is written now.
    condition : Condition
        How it is.
    lamp : Lamp
        The same for people.
    changed : list of callable
        Called with the lamp when it changes.
    lock : threading.RLock
        Held by whoever moves from one session to the next.
    is_closed : bool
        Whether nothing more is to be written.
    has_been_home : bool
        Whether a session of this run was written in the log's folder.

    Raises
    ------
    LogError
        When neither the log's folder nor the spool can be written.
    """

    def __init__(self, seat: Seat) -> None:
        self.changed: list[Callable[[Lamp], object]] = []
        self.lock = threading.RLock()
        self.is_closed = False
        identity = seat.identity
        self.condition = Condition(suffices=identity.spool_suffices, worry=identity.worry)
        self.lamp = lamp_of(self.condition, seat.clock.utc_ms())
        self._seat = seat
        self._publishing = threading.Lock()
        self._peers = Peers(seat.home, seat.writer)
        self.has_been_home = False
        self.enter(begin_anywhere(seat, self._peers))

    @property
    def is_due(self) -> bool:
        """Whether it is time to beat."""
        return self._seat.clock.mono_ns() - self._beaten_ns > BEAT_NS

    @property
    def is_old(self) -> bool:
        """Whether the session has lasted as long as one may."""
        return self.log.age_ns > LONGEST_NS

    def enter(self, begun: Begun) -> None:
        """Go on in a session that was just begun."""
        self.log = begun.log
        self.has_been_home |= not begun.is_local
        self._beaten_ns = self._seat.clock.mono_ns()
        self._become(
            replace(
                self.condition,
                is_local=begun.is_local,
                error=begun.error,
                is_lost=False,
                is_low=begun.is_low,
                differing=len(begun.upload.differing),
                share=begun.share,
            )
        )
        self.publish()

    def _become(self, condition: Condition) -> None:
        """Take note of how the log is now, and tell whoever wants to know."""
        before, self.condition = self.condition, condition
        now_ms = self._seat.clock.utc_ms()
        same = (before.is_local, before.is_lost) == (condition.is_local, condition.is_lost)
        lamp = lamp_of(condition, self.lamp.since_ms if same else now_ms)
        if lamp.level != self.lamp.level:
            lamp = lamp_of(condition, now_ms)
        if (lamp.level, lamp.sentence) != (self.lamp.level, self.lamp.sentence):
            self.lamp = lamp
            for tell in tuple(self.changed):
                tell(lamp)

    def leave(self, log: AuditLog, err: UnwritableError) -> None:
        """Go on elsewhere after a session died, or know that there is nowhere.

        Raises
        ------
        LogError
            When there is nowhere.
        """
        with self.lock:
            if log is not self.log:
                return  # another thread was quicker
            if self.condition.error:
                self._lose(err)
                raise err
            try:
                if err.error == "INTERRUPTED":  # nothing is wrong with the disk
                    log.close()
                    begun = begin_anywhere(self._seat, self._peers)
                else:
                    begun = begin_elsewhere(self._seat, Occasion(err.error, log.head))
                    self._abandon(log)
            except LogError:
                self._lose(err)
                raise err from None
            self.enter(begun)

    def _lose(self, err: UnwritableError) -> None:
        self._become(replace(self.condition, is_lost=True, error=err.error))

    def _abandon(self, log: AuditLog) -> None:
        try:
            log.abandon()
        except OSError:
            return  # a later session says once more that this one failed

    def rotate(self) -> None:
        """End a session that is old enough, and begin the next in the same place."""
        with self.lock:
            if not self.is_old:
                return
            old, error = self.log, self.condition.error
            try:
                self._end(old, "rotate")
                if self.condition.is_local:
                    self.enter(begin_in_spool(self._seat, FIRST, error))
                else:
                    self.enter(begin_at_home(self._seat, self._peers, FIRST))
            except UnwritableError as err:
                self.leave(old, err)

    def _end(self, log: AuditLog, end: str) -> None:
        """Close a session, and show its last head."""
        news = [] if self.condition.error else self._peers.news_if_any()
        log.close(end=end, last=[observation(news)] if news else [])
        self.publish()

    def publish(self) -> None:
        """Show the latest head to the other computers; that this fails stops nothing."""
        if self.condition.error:
            return
        with self._publishing:  # an older head must not come after a newer one
            head, signature = self.log.signed_head()
            try:
                publish(self._seat.io, self._seat.home, head, signature)
            except OSError:
                is_hidden = True
            else:
                is_hidden = False
        if is_hidden != self.condition.is_hidden:
            with self.lock:
                self._become(replace(self.condition, is_hidden=is_hidden))

    def tick(self) -> None:
        """Beat if it is time to, or if the log is not where it belongs."""
        if self.is_due or self.condition.error or not self.log.is_in_place:
            self.beat()

    def beat(self) -> None:
        """Go home if that can be done; say what is seen of other computers; show our head.

        To be called every ten minutes or so, also when nothing happens: then silence can be
        told from absence. Never raises for a disk: the lamp says it.
        """
        with self.lock:
            if self.is_closed:
                return
            try:
                if self.condition.error:
                    self._go_home()
                self._observe()
            except LogError:
                return  # the lamp says so

    def _observe(self) -> None:
        self._beaten_ns = self._seat.clock.mono_ns()
        if self.condition.is_lost:
            return
        news: list[Head] = []
        if not self.condition.error and self.log.is_in_place:
            news = self._peers.news_if_any()
            self._become(replace(self.condition, is_low=room_is_low(self._seat)))
        try:
            self.log.append_many([observation(news)])
        except UnwritableError as err:
            self.leave(self.log, err)
        self.publish()

    def _away(self) -> str:
        """Return why the log's folder cannot be gone back to, or empty text."""
        try:
            if self.has_been_home:
                require_own(self._seat)
            probe(self._seat)
        except OSError as err:
            return error_name(err)
        except UnwritableError as err:
            return err.error
        return ""

    def _go_home(self) -> None:
        """Leave the spool when the log's folder takes files again; begin in it after all."""
        away = self._away()
        if away and not self.condition.is_lost:
            return
        with suppress(UnwritableError):  # then the next session says that this one failed
            self.log.close(end="rotate")
        try:
            if away:
                self.enter(begin_elsewhere(self._seat, Occasion(away)))
            else:
                self.enter(begin_anywhere(self._seat, self._peers))
        except UnwritableError as err:
            self._lose(err)

    def close(self, end: str) -> None:
        """Write session.close and show the last head. Again: does nothing.

        Parameters
        ----------
        end : str
            normal or error.

        Raises
        ------
        LogError
            When session.close cannot be written; everything is let go all the same.
        """
        with self.lock:
            if not self.is_closed:
                self.is_closed = True
                self._end(self.log, end)
