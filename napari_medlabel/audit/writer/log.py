"""The log that a program writes: opened, appended to, closed; every return means on disk."""

from __future__ import annotations

import os
import platform
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import napari_medlabel
from napari_medlabel.audit.anchors.memory import HeadMemory, forget, recall
from napari_medlabel.audit.disk import (
    Clock,
    Io,
    SystemClock,
    SystemIo,
    make_folders,
    one_at_a_time,
    place_key,
    take_lock,
)
from napari_medlabel.audit.faults import error_name, log_error
from napari_medlabel.audit.format.event import NOTHING, Actor, Event, ObjectRef, Reason
from napari_medlabel.audit.format.layout import session_file
from napari_medlabel.audit.format.schema import ORIGIN, VERSION
from napari_medlabel.audit.format.seal import Head, SessionKey, to_base64
from napari_medlabel.audit.format.ulid import ulid
from napari_medlabel.audit.writer.chain import SessionFile
from napari_medlabel.audit.writer.succession import Succession, succeed
from napari_medlabel.errors import LogError

_PLATFORMS: Final = {"linux", "darwin", "win32"}


def _software(clock: Clock) -> dict[str, object]:
    """Return what runs here, as far as the schema takes it."""
    versions = {"tool": napari_medlabel.__version__, "python": platform.python_version()}
    facts: dict[str, object] = {
        key: text for key, text in versions.items() if VERSION.accepts(text)
    }
    facts["platform"] = sys.platform if sys.platform in _PLATFORMS else "other"
    facts["clock"] = SystemClock.name if isinstance(clock, SystemClock) else "other"
    facts["validation"] = "unvalidated"
    return facts


def _opening(origin: str, key: SessionKey, past: Succession, clock: Clock) -> Event:
    detail: dict[str, object] = {
        **_software(clock),
        "origin": origin,
        "pub": to_base64(key.public),
    }
    if past.heads:
        detail["prev_session"] = past.heads[-1].record()
    if past.heads[:-1]:
        detail["peers"] = [head.record() for head in past.heads[:-1]]
    return Event("session.open", detail=detail)


class AuditLog:
    """One session's log.

    Every method that writes returns when the event is on the disk and signed, or raises
    `LogError`; then the action that asked for it must not happen. After an error nothing
    more can be written; a new session must be opened. Use as a context manager: the
    session is closed at the end, also after an exception.

    Threads may share a log. A forked child may not: it must open its own.

    Build with `AuditLog.open`, or with `open_log` of `napari_medlabel.audit.writer.place`,
    which finds folders and keys by itself.
    """

    def __init__(self, file: SessionFile, memory: HeadMemory, path: Path) -> None:
        self._file = file
        self._memory = memory
        self._lock = threading.RLock()
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
        io = io or SystemIo()
        try:
            make_folders(io, state)
            with one_at_a_time(state / "heads.lock"):
                past = succeed(recall(state), root, writer)
                log = cls._begin(root, (site, writer), actor, state, clock, io, past)
                for entry in past.done:
                    forget(entry)
        except OSError as err:
            raise log_error("The audit log could not be opened", error_name(err)) from err
        return log

    @classmethod
    def _begin(
        cls,
        root: Path,
        names: tuple[str, str],
        actor: Actor,
        state: Path,
        clock: Clock,
        io: Io,
        past: Succession,
    ) -> Self:
        utc_ms = clock.utc_ms()
        stamp = datetime.fromtimestamp(utc_ms // 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
        session = f"{stamp}-{ulid(utc_ms, io.random(10))}"
        origin = f"medlabel.local/{names[0]}/{names[1]}/{session}"
        if not ORIGIN.accepts(origin):
            raise LogError(
                "The names of site and writer must be lower-case letters and digits, and "
                "other names came.",
                hint="A site is like 'ward-3'; a writer is 'w' and 16 hex digits.",
            )
        key = SessionKey(origin, io.random(32))
        memory = HeadMemory(
            state / "heads" / place_key(root) / f"{session}.jsonl", origin, clock, io
        )
        try:
            take_lock(memory.fd)
            path = root / session_file(origin)
            file = SessionFile(path, key, origin, actor, clock, io)
        except OSError:
            memory.release()
            raise
        log = cls(file, memory, path)
        try:
            log.append_many([_opening(origin, key, past, clock), *past.events])
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
    def healthy(self) -> bool:
        """Whether events can still be written."""
        return self._open and not self._file.dead

    def append(
        self,
        event: str,
        *,
        subject: Sequence[str] = (),
        detail: Mapping[str, object] = NOTHING,
        outcome: int | None = None,
        objects: Sequence[ObjectRef] = (),
        reason: Reason | str | None = None,
    ) -> None:
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

        Raises
        ------
        LogError
            When the event is not allowed (nothing is written then, and the log goes on),
            or when it cannot be written (the log is dead then).
        """
        why = Reason(reason) if isinstance(reason, str) else reason
        self.append_many([Event(event, tuple(subject), tuple(objects), detail, why, outcome)])

    def append_many(self, events: Sequence[Event]) -> None:
        """Write several events with one seal and one sync; all of them count or none.

        Parameters
        ----------
        events : sequence of Event
            In order; nothing happens for none.

        Raises
        ------
        LogError
            When they cannot be written, or the session is over.
        """
        if not events:
            return
        with self._lock:
            if os.getpid() != self._pid:
                raise LogError(
                    "The audit log belongs to the process that opened it, and a child came.",
                    hint="Open a log of its own in each process.",
                )
            if not self._open:
                raise LogError(
                    "The session of the audit log is over, and an event came.",
                    hint="Open a new session.",
                )
            self._write(events)

    def _write(self, events: Sequence[Event], *, closed: bool = False) -> None:
        try:
            self._file.append(events)
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

    def _remember_failure(self) -> None:
        # Best effort: the next session writes audit.fail when this works, and finds the
        # file unclosed when it does not.
        with suppress(OSError):
            self._memory.keep(self._file.head, self._file.length, failed=self._file.dead)

    def close(self, *, end: str = "normal") -> None:
        """Write session.close, forget the key, let go of the files. Again: does nothing.

        Parameters
        ----------
        end : str
            normal, error or rotate.

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
                    self._write([Event("session.close", detail={"end": end})], closed=True)
            finally:
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
