"""The outbox: what the log must be told, on the disk before the work is, gone once logged.

A save writes its events here, then lets the files take their names, then tells the log. So
neither a crash in between nor a log that fails makes work that nobody will ever hear of: at the
next opening of the case, what lies here is told to the log or, where the files never took
their names, given up. Nothing identifying is in it: tokens, digests and numbers.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from napari_medlabel.audit.disk import is_locked, take_lock
from napari_medlabel.audit.format.event import Event, ObjectRef, Reason
from napari_medlabel.errors import LogError, SaveError
from napari_medlabel.io.files import make_folder, write_bytes_aside

_VERSION: Final = 1
_DAMAGED: Final = ".damaged"


class Teller(Protocol):
    """Takes events; returns only when they are on the disk."""

    def append(
        self,
        event: str,
        *,
        subject: Sequence[str],
        detail: Any,
        outcome: int | None,
        objects: Sequence[ObjectRef],
        reason: Reason | str | None,
    ) -> object:
        """Write one event or raise LogError."""


def tell(log: Teller, event: Event) -> None:
    """Write an event that was built before.

    Raises
    ------
    LogError
        When it cannot be written.
    """
    log.append(
        event.event,
        subject=event.subject,
        detail=event.detail,
        outcome=event.outcome,
        objects=event.objects,
        reason=event.reason,
    )


@dataclass(frozen=True)
class Work:
    """Some work and the events that tell of it.

    Parameters
    ----------
    events : tuple of Event
        In order.
    old, new : str or None
        Content ids of the mask before and after; both None for work that has no file, which
        has happened when it was put here.
    """

    events: tuple[Event, ...]
    old: str | None = None
    new: str | None = None

    def has_happened(self, present: str | None, is_kept: Callable[[str], bool]) -> bool:
        """Tell from the mask that is there now, and from the versions that are kept."""
        if self.new is None or self.new == present:
            return True
        # What was replaced since is kept, and it was there before it was replaced.
        return present != self.old and is_kept(self.new)


@dataclass(frozen=True)
class Settled:
    """What became of work that an earlier run left here.

    Parameters
    ----------
    logged, given_up : int
        How many pieces of work the log was told of, and how many never happened.
    damaged : int
        How many files could not be read; they are set aside.
    """

    logged: int = 0
    given_up: int = 0
    damaged: int = 0

    def words(self) -> str:
        """Say it in sentences; empty where there was nothing."""
        said = []
        if self.logged:
            said.append(f"{self.logged} saved changes were not in the log; they are now.")
        if self.given_up:
            said.append(f"{self.given_up} saves were broken off before they changed anything.")
        if self.damaged:
            said.append(f"{self.damaged} notes about unlogged work cannot be read; set aside.")
        return " ".join(said)


class Parcel:
    """One piece of work in the outbox, held by this run.

    Parameters
    ----------
    work : Work
        What is in it.
    path : Path or None
        Its file; None where none could be written.
    """

    def __init__(self, work: Work, path: Path | None) -> None:
        self.work = work
        self.told = 0
        self._path = path
        self._fd: int | None = None
        if path is not None:
            self._fd = os.open(path, os.O_RDWR)
            take_lock(self._fd)

    def remove(self) -> None:
        """Take it out: the log has it."""
        self.release()
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def release(self) -> None:
        """Let another run have it."""
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)


class Outbox:
    """The outbox of one open case.

    Parameters
    ----------
    folder : Path
        Where parcels lie; made when the first is written.
    case : str
        Content id of the scan.
    log : Teller
        The audit log.
    """

    def __init__(self, folder: Path, case: str, log: Teller) -> None:
        self._folder = folder
        self._prefix = case.removeprefix("sha256:")[:24]
        self._log = log
        self._left: list[Parcel] = []
        self.problem: LogError | None = None

    @property
    def unlogged(self) -> int:
        """How many pieces of this run's work the log does not know of."""
        return len(self._left)

    def announce(
        self, events: Sequence[Event], *, old: str | None = None, new: str | None = None
    ) -> Parcel:
        """Put work here before it is done; see `Work`.

        Where this folder cannot be written to, the work goes on without: what a person made
        is never given up for a note about it.
        """
        work = Work(tuple(events), old, new)
        path = self._folder / f"{self._prefix}-{secrets.token_hex(6)}.json"
        try:
            make_folder(self._folder)
            write_bytes_aside(path, _encode(work), mode=0o600)
            return Parcel(work, path)
        except (SaveError, OSError):
            return Parcel(work, None)

    def deliver(self, parcel: Parcel) -> LogError | None:
        """Tell the log of what is left from before and of this; return why it could not be."""
        self._left.append(parcel)
        try:
            while self._left:
                first = self._left[0]
                for event in first.work.events[first.told :]:
                    tell(self._log, event)
                    first.told += 1
                self._left.pop(0).remove()
        except LogError as err:
            self.problem = err
            return err
        self.problem = None
        return None

    def tell(self, event: Event) -> LogError | None:
        """Log work that is done and cannot be refused; keep it here where the log fails."""
        if not self._left:
            try:
                tell(self._log, event)
            except LogError:
                pass  # kept below, and tried once more
            else:
                return None
        return self.deliver(self.announce([event]))

    def settle(self, present: str | None, is_kept: Callable[[str], bool]) -> Settled:
        """Deal with what earlier runs left: tell the log, or give it up.

        Parameters
        ----------
        present : str or None
            Content id of the mask on the disk.
        is_kept : callable
            Tells whether a version is kept.

        Raises
        ------
        LogError
            When the log cannot be told; the rest stays.
        """
        logged = given_up = damaged = 0
        for path in sorted(self._folder.glob(f"{self._prefix}-*.json")):
            if is_locked(path):
                continue
            try:
                work = _decode(path.read_bytes())
            except (ValueError, LogError):
                path.replace(path.with_suffix(_DAMAGED))
                damaged += 1
                continue
            if work.has_happened(present, is_kept):
                for event in work.events:
                    tell(self._log, event)
                logged += 1
            else:
                given_up += 1
            path.unlink()
        return Settled(logged, given_up, damaged)

    def close(self) -> None:
        """Leave what is here to the next run."""
        for parcel in self._left:
            parcel.release()
        self._left.clear()


def _encode(work: Work) -> bytes:
    document = {
        "v": _VERSION,
        "old": work.old,
        "new": work.new,
        "events": [
            {
                "event": event.event,
                "subject": list(event.subject),
                "objects": [ref.record() for ref in event.objects],
                "detail": dict(event.detail),
                "reason": None if event.reason is None else event.reason.record(),
                "outcome": event.outcome,
            }
            for event in work.events
        ],
    }
    return json.dumps(document, indent=1).encode() + b"\n"


def _decode(data: bytes) -> Work:
    """Return what a parcel holds.

    Raises
    ------
    ValueError, LogError
        When it is not a parcel of ours.
    """
    document = json.loads(data)
    with suppress(KeyError, TypeError, AttributeError):
        if document["v"] == _VERSION:
            events = tuple(_event(one) for one in document["events"])
            return Work(events, document["old"], document["new"])
    raise ValueError("not a parcel")


def _event(plain: dict[str, Any]) -> Event:
    return Event(
        plain["event"],
        tuple(plain["subject"]),
        tuple(ObjectRef(**ref) for ref in plain["objects"]),
        plain["detail"],
        _reason(plain["reason"]),
        plain["outcome"],
    )


def _reason(plain: Any) -> Reason | None:
    """Return a reason; notes of earlier versions hold its code alone."""
    if plain is None:
        return None
    return Reason(plain) if isinstance(plain, str) else Reason(**plain)
