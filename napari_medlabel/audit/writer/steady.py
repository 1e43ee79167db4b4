"""The log that goes on: in the log's folder or, while that cannot be written, on this computer.

A session ends for good with the first error of its disk. This log then begins another one in
the spool, on this computer, says so in its first events, and goes home when `beat` finds the
folder back. What lets data leave is refused meanwhile. Nothing is acknowledged that is not on
some disk, signed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from napari_medlabel.audit.faults import SessionOverError, UnwritableError, log_error
from napari_medlabel.audit.format.event import NOTHING, Event, ObjectRef, Reason
from napari_medlabel.audit.format.seal import Head
from napari_medlabel.audit.writer.course import Course
from napari_medlabel.audit.writer.gates import is_gated, is_shown_at_once, refusal
from napari_medlabel.audit.writer.heart import TICK_S, Heart
from napari_medlabel.audit.writer.lamp import Lamp
from napari_medlabel.audit.writer.log import AuditLog
from napari_medlabel.audit.writer.seat import Seat
from napari_medlabel.audit.writer.spool import Upload, require_own, take_home


class SteadyLog:
    """A log that outlives its sessions.

    Has what `AuditLog` has. Threads may share it; a forked child must open its own.

    Parameters
    ----------
    seat : Seat
        Where it is written, and by whom.
    heartbeat : bool
        Whether a thread beats by itself. Without one, `beat` is for the caller, and what is
        due is done after an event.

    Attributes
    ----------
    changed : list of callable
        Called with the new `Lamp` when it changes, in the thread that found out.

    Raises
    ------
    LogError
        When neither the log's folder nor the spool can be written.
    """

    def __init__(self, seat: Seat, *, heartbeat: bool = False) -> None:
        self._seat = seat
        self._course = Course(seat)
        self._heart = Heart(self._course.tick, TICK_S) if heartbeat else None

    @property
    def changed(self) -> list[Callable[[Lamp], object]]:
        """Who wants to know when the lamp changes."""
        return self._course.changed

    @property
    def lamp(self) -> Lamp:
        """How the log is, in one colour and one sentence."""
        return self._course.lamp

    @property
    def is_local(self) -> bool:
        """Whether events go into the spool, since the log's folder cannot be written."""
        return self._course.condition.is_local

    @property
    def head(self) -> Head:
        """What the session is after the last acknowledged event."""
        return self._course.log.head

    @property
    def origin(self) -> str:
        """Name of the session in the log."""
        return self._course.log.origin

    @property
    def path(self) -> Path:
        """File of the session."""
        return self._course.log.path

    @property
    def folders(self) -> tuple[Path, Path]:
        """Where sessions of this log lie: in its own folder, or in the spool."""
        return self._seat.home, self._seat.spool

    @property
    def healthy(self) -> bool:
        """Whether events can be written, here or there."""
        return not self._course.is_closed and not self._course.condition.is_lost

    def leaf_proof(self, index: int) -> tuple[bytes, list[bytes], Head, bytes]:
        """Return what shows that an event is in this session: as `AuditLog.leaf_proof`."""
        return self._course.log.leaf_proof(index)

    def append(
        self,
        event: str,
        *,
        subject: Sequence[str] = (),
        detail: Mapping[str, object] = NOTHING,
        outcome: int | None = None,
        objects: Sequence[ObjectRef] = (),
        reason: Reason | str | None = None,
    ) -> int:
        """Write one event and return when it is on the disk, signed: as `AuditLog.append`.

        Raises
        ------
        LogError
            When the event is not allowed; when it lets data leave and the log is local; or
            when it can be written nowhere.
        """

        def write(log: AuditLog) -> int:
            return log.append(
                event,
                subject=subject,
                detail=detail,
                outcome=outcome,
                objects=objects,
                reason=reason,
            )

        return self._say((event,), write)

    def append_many(self, events: Sequence[Event]) -> int:
        """Write several events with one seal and one sync: as `AuditLog.append_many`.

        Raises
        ------
        LogError
            As `append`.
        """
        return self._say([event.event for event in events], lambda log: log.append_many(events))

    def _say(self, names: Sequence[str], write: Callable[[AuditLog], int]) -> int:
        last = self._written(names, write)
        if is_shown_at_once(names):
            self._course.publish()
        elif self._heart is None and self._course.is_due:
            self._course.beat()
        return last

    def _written(self, names: Sequence[str], write: Callable[[AuditLog], int]) -> int:
        """Write events into the session of the moment, or into the one after it."""
        while True:
            log = self._ready(names)
            try:
                return write(log)
            except SessionOverError:
                with self._course.lock:  # another thread is between two sessions
                    if log is self._course.log:
                        raise  # no: the log is closed
            except UnwritableError as err:
                self._course.leave(log, err)

    def _ready(self, names: Sequence[str]) -> AuditLog:
        """Return the log that takes these events now."""
        course = self._course
        if course.is_old and not course.condition.is_lost:
            course.rotate()  # before the gate: the next session may be in the spool
        condition = course.condition
        if condition.is_lost:
            raise log_error(
                "The audit log cannot be written since an earlier error", condition.error
            )
        if condition.error and not condition.suffices and is_gated(names):
            raise refusal(condition.error, course.lamp.since_ms)
        return course.log

    def beat(self) -> None:
        """Go home if that can be done; say what is seen of other computers; show our head.

        To be called every ten minutes or so, also when nothing happens: then silence can be
        told from absence. Never raises for a disk: the lamp says it.
        """
        self._course.beat()

    def upload_spool(self) -> Upload:
        """Take home what other runs of the program left in the spool.

        Returns
        -------
        Upload
            What was moved; a later session names it.

        Raises
        ------
        UnwritableError
            When the log's folder does not take it.
        """
        if self._course.has_been_home:
            require_own(self._seat)
        return take_home(self._seat)

    def close(self, *, end: str = "normal") -> None:
        """Write session.close and let go of everything. Again: does nothing.

        Parameters
        ----------
        end : str
            normal or error.

        Raises
        ------
        LogError
            When session.close cannot be written; everything is let go all the same.
        """
        if self._heart is not None:
            self._heart.stop()
        self._course.close(end)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        err: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close(end="error" if kind else "normal")
