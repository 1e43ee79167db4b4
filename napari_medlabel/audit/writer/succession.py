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


def _is_ours(entry: Remembered, root: Path, place: str, writer: str) -> bool:
    if entry.head.origin.split("/")[2] != writer:
        return False
    return entry.place == place or (root / session_file(entry.head.origin)).exists()


def succeed(memories: Sequence[Remembered], root: Path, writer: str) -> Succession:
    """Look at every session of this writer that no later session has taken over.

    Parameters
    ----------
    memories : sequence of Remembered
        As `recall` gives them.
    root : Path
        Folder of the log.
    writer : str
        Whose sessions.

    Returns
    -------
    Succession
        What to say about them.

    Raises
    ------
    OSError
        When an earlier file is there and cannot be read.
    """
    place = place_key(root)
    result = Succession()
    ours = [entry for entry in memories if _is_ours(entry, root, place, writer)]
    for entry in ours[-MAX_LIST:]:
        path = root / session_file(entry.head.origin)
        head, events = entry.head, list[Event]()
        if entry.live:
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
        if entry.place == place:
            result.done.append(entry)
    return result
