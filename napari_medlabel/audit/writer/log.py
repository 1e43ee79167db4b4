"""The log that a program writes: opened, appended to, closed; every return means on disk."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from napari_medlabel.audit.anchors.memory import HeadMemory, forget, recall
from napari_medlabel.audit.disk import (
    Clock,
    Io,
    SystemIo,
    make_folders,
    one_at_a_time,
    place_key,
    take_lock,
)
from napari_medlabel.audit.faults import SessionOverError, error_name, log_error
from napari_medlabel.audit.format.event import NOTHING, Actor, Event, ObjectRef, Reason
from napari_medlabel.audit.format.layout import session_file
from napari_medlabel.audit.format.merkle import inclusion_proof
from napari_medlabel.audit.format.schema import ORIGIN
from napari_medlabel.audit.format.seal import Head, SessionKey
from napari_medlabel.audit.format.ulid import ulid
from napari_medlabel.audit.writer.chain import SessionFile
from napari_medlabel.audit.writer.group_commit import GroupCommit
from napari_medlabel.audit.writer.opening import first_events
from napari_medlabel.audit.writer.refuge import Refuge
from napari_medlabel.audit.writer.seat import FIRST, Occasion, Seat
from napari_medlabel.audit.writer.succession import Succession, succeed
from napari_medlabel.errors import LogError

HEADS_LOCK: Final = "heads.lock"
"""File in the state folder that whoever opens a session or moves one holds."""


class AuditLog:
    """One session's log.

    Every method that writes returns when the event is on the disk and signed, or raises
    `LogError`; then the action that asked for it must not happen. After an error nothing
    more can be written; a new session must be opened. Use as a context manager: the
    session is closed at the end, also after an exception.

    Threads may share a log; what they append at the same moment shares one write, one
    seal and one sync. A forked child may not: it must open its own.

    Build with `AuditLog.open`, or with `open_log` of `napari_medlabel.audit.writer.place`,
    which finds folders and keys by itself.
    """

    def __init__(
        self, file: SessionFile, memory: HeadMemory, path: Path, refuge: Refuge
    ) -> None:
        self._file = file
        self._memory = memory
        self._refuge = refuge
        self._group = GroupCommit(self._write_if_open)
        self._lock = self._group.lock
        self._open = True
        self._pid = os.getpid()
        self.path = path

    @classmethod
    def open(
        cls,
        root: Path,
        *,
        site: str,
        writer: str,
        actor: Actor,
        state: Path,
        clock: Clock,
        io: Io | None = None,
    ) -> Self:
        """Begin a session: a file of its own, its first event on the disk.

        Parameters
        ----------
        root : Path
            Folder of the log; made when missing.
        site : str
            Name of the site: lower-case letters, digits and hyphens, at most 32.
        writer : str
            Who writes here: ``w`` and 16 hex digits, the same at each start.
        actor : Actor
            Who acts.
        state : Path
            Folder of this computer's own memory, not beside the log.
        clock : Clock
            Tells the time.
        io : Io, optional
            The disk; the system's by default.

        Returns
        -------
        AuditLog
            Open. Earlier sessions that ended badly, or that are not as this computer
            remembers them, are already noted in it.

        Raises
        ------
        LogError
            When a file cannot be written or read, or a name is not allowed.
        """
        return cls.begin(Seat(root, state, site, writer, actor, clock, io or SystemIo()))

    @classmethod
    def begin(cls, seat: Seat, occasion: Occasion = FIRST) -> Self:
        """Begin a session at a seat.

        Parameters
        ----------
        seat : Seat
            Where it is written, and by whom.
        occasion : Occasion
            What it has to say first.

        Raises
        ------
        LogError
            As `open`.
        """
        try:
            make_folders(seat.io, seat.state)
            with one_at_a_time(seat.state / HEADS_LOCK):
                past = succeed(recall(seat.state), seat)
                log = cls._begin(seat, past, occasion)
                for entry in past.done:
                    forget(entry)
        except OSError as err:
            raise log_error("The audit log could not be opened", error_name(err)) from err
        return log

    @classmethod
    def _begin(cls, seat: Seat, past: Succession, occasion: Occasion) -> Self:
        clock, io = seat.clock, seat.io
        utc_ms = clock.utc_ms()
        stamp = datetime.fromtimestamp(utc_ms // 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
        session = f"{stamp}-{ulid(utc_ms, io.random(10))}"
        origin = f"medlabel.local/{seat.site}/{seat.writer}/{session}"
        if not ORIGIN.accepts(origin):
            raise LogError(
                "The names of site and writer must be lower-case letters and digits, and "
                "other names came.",
                hint="A site is like 'ward-3'; a writer is 'w' and 16 hex digits.",
            )
        key = SessionKey(origin, io.random(32))
        place = place_key(seat.folder)
        memory = HeadMemory(
            seat.state / "heads" / place / f"{session}.jsonl", origin, clock, io
        )
        try:
            take_lock(memory.fd)
            path = seat.folder / session_file(origin)
            file = SessionFile(path, key, origin, seat.actor, clock, io)
        except OSError:
            memory.release()
            raise
        log = cls(file, memory, path, Refuge(seat))
        try:
            log.append_many(first_events(seat, origin, key, past, occasion))
        except LogError:
            log.close()
            raise
        return log

    @property
    def head(self) -> Head:
        """What the log is after the last acknowledged event."""
        return self._file.head

    @property
    def origin(self) -> str:
        """Name of this session in the log."""
        return self._file.head.origin

    @property
    def age_ns(self) -> int:
        """How long ago the session began."""
        return self._file.age_ns

    def signed_head(self) -> tuple[Head, bytes]:
        """Return the head after the last acknowledged event, and the signature of its seal."""
        with self._lock:
            return self._file.head, self._file.signature

    def leaf_proof(self, index: int) -> tuple[bytes, list[bytes], Head, bytes]:
        """Return what shows to anybody that an event is in this session.

        Parameters
        ----------
        index : int
            Number of the event in this session, as `append` returned it.

        Returns
        -------
        leaf : bytes
            Leaf hash of the event.
        proof : list of bytes
            Hashes from the leaf to the root (RFC 9162 section 2.1.3.1).
        head : Head
            After the last acknowledged event.
        signature : bytes
            Of the seal of that head, 68 bytes.

        Raises
        ------
        ValueError
            When there is no such event.
        """
        with self._lock:
            leaves, (head, signature) = self._file.leaves(), self.signed_head()
        proof = inclusion_proof(leaves, index)
        return leaves[index], proof, head, signature

    @property
    def healthy(self) -> bool:
        """Whether events can still be written."""
        return self._open and not self._file.dead

    @property
    def is_in_place(self) -> bool:
        """Whether the session's file is where others look for it."""
        return self._file.is_in_place

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
        """Write one event and return when it is on the disk, signed.

        Parameters
        ----------
        event : str
            Name from the closed list.
        subject : sequence of str
            Tokens of the patients concerned.
        detail : mapping
            Only what the event's schema names.
        outcome : int, optional
            0, 4, 8 or 12; the event's usual one by default.
        objects : sequence of ObjectRef
            Contents concerned.
        reason : Reason or str, optional
            Why, as a code.

        Returns
        -------
        int
            Number of the event in this session, from 0.

        Raises
        ------
        LogError
            When the event is not allowed (nothing is written then, and the log goes on),
            or when it cannot be written (the log is dead then).
        """
        why = Reason(reason) if isinstance(reason, str) else reason
        return self.append_many(
            [Event(event, tuple(subject), tuple(objects), detail, why, outcome)]
        )

    def append_many(self, events: Sequence[Event]) -> int:
        """Write several events with one seal and one sync; all of them count or none.

        Parameters
        ----------
        events : sequence of Event
            In order; nothing happens for none.

        Returns
        -------
        int
            Number of the last of them in this session, from 0.

        Raises
        ------
        LogError
            When they cannot be written, or the session is over.
        """
        if not events:
            return self.head.size - 1
        return self._group.append(events)

    def _write_if_open(self, events: Sequence[Event]) -> int:
        if os.getpid() != self._pid:
            raise LogError(
                "The audit log belongs to the process that opened it, and a child came.",
                hint="Open a log of its own in each process.",
            )
        if not self._open:
            raise SessionOverError(
                "The session of the audit log is over, and an event came.",
                hint="Open a new session.",
            )
        return self._write(events)

    def _write(self, events: Sequence[Event], *, closed: bool = False) -> int:
        try:
            first = self._file.append(events)
        except LogError:
            self._remember_failure()
            raise
        try:
            self._memory.keep(self._file.head, self._file.length, closed=closed)
        except OSError as err:
            self._file.dead = error_name(err)
            raise log_error(
                "The memory of the audit log could not be written", self._file.dead
            ) from err
        return first

    def _remember_failure(self) -> None:
        # Best effort: the next session writes audit.fail when this works, and finds the
        # file unclosed when it does not.
        with suppress(OSError):
            self._memory.keep(self._file.head, self._file.length, failed=self._file.dead)

    def abandon(self) -> None:
        """Let go of a session that cannot be written on, after another one has said so.

        Raises
        ------
        OSError
            When the memory cannot be told; then a later session says it once more.
        """
        with self._lock:
            if self._open:
                self._open = False
                try:
                    self._memory.keep(self._file.head, self._file.length)
                finally:
                    self._let_go()

    def close(self, *, end: str = "normal", last: Sequence[Event] = ()) -> None:
        """Write session.close, forget the key, let go of the files. Again: does nothing.

        Parameters
        ----------
        end : str
            normal, error or rotate.
        last : sequence of Event
            To be written before it, in the same batch.

        Raises
        ------
        LogError
            When session.close cannot be written; everything is let go all the same.
        """
        with self._lock:
            if not self._open:
                return
            self._open = False
            try:
                if not self._file.dead and os.getpid() == self._pid:
                    closing = Event("session.close", detail={"end": end})
                    self._write([*last, closing], closed=True)
            finally:
                self._let_go()

    def _let_go(self) -> None:
        if self._file.dead and not self._file.is_in_place:
            self._refuge.take_in(self._file, self._memory)
        self._file.release()
        self._memory.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        err: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close(end="error" if kind else "normal")
