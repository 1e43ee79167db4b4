"""What a new session does about the ones before it: name their ends, notice what is wrong."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from napari_medlabel.audit.anchors.memory import Remembered
from napari_medlabel.audit.check.session_check import check_session
from napari_medlabel.audit.disk import place_key
from napari_medlabel.audit.format.event import Event
from napari_medlabel.audit.format.layout import session_file
from napari_medlabel.audit.format.merkle import EMPTY_ROOT
from napari_medlabel.audit.format.schema import MAX_LIST
from napari_medlabel.audit.format.seal import Head, to_base64
from napari_medlabel.audit.writer.seat import Seat

_TAIL_BYTES: Final = 512


@dataclass(slots=True)
class Succession:
    """What a new session says about earlier ones.

    Attributes
    ----------
    heads : list of Head
        To be named in ``session.open``, oldest first.
    events : list of Event
        To follow it.
    done : list of Remembered
        Memories that can be dropped once all this is on the disk.
    """

    heads: list[Head] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    done: list[Remembered] = field(default_factory=list)


def _ends_as_remembered(path: Path, entry: Remembered) -> bool:
    """Return whether a closed file has its length and its last seal, without reading it all."""
    try:
        with path.open("rb") as stream:
            length = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, length - _TAIL_BYTES))
            tail = stream.read()
    except FileNotFoundError:
        return False
    root = f'"root":"{to_base64(entry.head.root)}"'.encode("ascii")
    return length == entry.length and root in tail.split(b"\n")[-2]


def _tampered(what: str, entry: Remembered, found: int) -> Event:
    detail = {"what": what, "head": entry.head.record(), "found": found}
    return Event("tamper.found", detail=detail)


def _look(path: Path, entry: Remembered) -> tuple[Head, list[Event]]:
    """Read an earlier session and return the head to name and the events to write."""
    head = entry.head
    if not path.exists():
        return head, [_tampered("missing", entry, 0)]
    report = check_session(path, path.name)
    if report.events < head.size:
        return head, [_tampered("truncated", entry, report.events)]
    if report.has("BROKEN") or (head.size and report.seals.root(head.size) != head.root):
        return head, [_tampered("changed", entry, report.events)]
    found = report.sealed or Head(head.origin, 0, EMPTY_ROOT)
    if report.closed:
        return found, []
    detail = {"found": found.record(), "remembered": head.size}
    return found, [Event("session.recover", detail=detail)]


def _failure(entry: Remembered) -> list[Event]:
    if not entry.failed:
        return []
    return [
        Event("audit.fail", detail={"error": entry.failed, "head": entry.head.record()}),
        Event("audit.resume"),
    ]


def _exists(folder: Path, entry: Remembered) -> bool:
    return (folder / session_file(entry.head.origin)).exists()


def _is_to_be_read(entry: Remembered, seat: Seat, places: tuple[str, str]) -> bool:
    """Return whether a new session looks at an earlier one's file; else it only names it.

    While the log's folder is out of reach only the spool can be read; a file that is in
    neither was taken home by somebody who did not live to say so, or is missing: the next
    session in the log's own folder tells.
    """
    if seat.is_local:
        return entry.place == places[1] and _exists(seat.spool, entry)
    return True


def _concerns(entry: Remembered, seat: Seat, places: tuple[str, str]) -> bool:
    """Return whether an earlier session is of this writer and of this log."""
    if entry.head.origin.split("/")[2] != seat.writer:
        return False
    home, spool = places
    if seat.is_local:
        return entry.place in places
    if entry.place == spool and not entry.live and not _exists(seat.home, entry):
        return not _exists(seat.spool, entry)  # still waiting there: named when it is home
    return entry.place == home or _exists(seat.home, entry)


def succeed(memories: Sequence[Remembered], seat: Seat) -> Succession:
    """Look at every session of this writer that no later session has taken over.

    Parameters
    ----------
    memories : sequence of Remembered
        As `recall` gives them.
    seat : Seat
        Where the new session will be written, and by whom.

    Returns
    -------
    Succession
        What to say about them.

    Raises
    ------
    OSError
        When an earlier file is there and cannot be read.
    """
    places = (place_key(seat.home), place_key(seat.spool))
    result = Succession()
    ours = [entry for entry in memories if _concerns(entry, seat, places)]
    for entry in ours[-MAX_LIST:]:
        path = seat.folder / session_file(entry.head.origin)
        head, events = entry.head, list[Event]()
        if entry.live or not _is_to_be_read(entry, seat, places):
            if head.size:
                result.heads.append(head)
            continue
        if not head.size and not path.exists():
            result.done.append(entry)  # died before its file was made
            continue
        if not (entry.closed and _ends_as_remembered(path, entry)):
            head, events = _look(path, entry)
        result.heads.append(head)
        result.events += [*events, *_failure(entry)]
        if entry.place in places:
            result.done.append(entry)
    return result
