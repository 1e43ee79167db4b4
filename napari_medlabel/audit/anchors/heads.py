"""Heads that sessions publish beside the log, and what one session sees of the others'.

Each session shows its latest head, signed by its seal, in a note of its own. Sessions on
other computers write into their signed lines what they saw there. Whoever then cuts the end
off a log would have to forge the others' closed sessions as well.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from napari_medlabel.audit.disk import SHARED, Io, write_over
from napari_medlabel.audit.format import canonical
from napari_medlabel.audit.format.layout import (
    HEADS,
    head_note,
    session_file,
    session_of,
    writer_of,
)
from napari_medlabel.audit.format.note import (
    MAX_BYTES,
    Note,
    checkpoint_of,
    head_note_bytes,
    parse_note,
)
from napari_medlabel.audit.format.schema import MAX_LIST, PUBLIC_KEY
from napari_medlabel.audit.format.seal import Head, SealKey, from_base64

RECENT: Final = 2
"""How many sessions of another writer are looked at: its newest ones."""

_LONGEST: Final = 1 << 20


def publish(io: Io, root: Path, head: Head, signature: bytes) -> None:
    """Show a session's latest head to everybody who reads the log's folder.

    Parameters
    ----------
    io : Io
        The machine.
    root : Path
        Folder of the log.
    head : Head
        After the last acknowledged event.
    signature : bytes
        Of the seal of that head, 68 bytes.

    Raises
    ------
    OSError
        Of the system.
    """
    write_over(io, root / head_note(head.origin), head_note_bytes(head, signature), SHARED)


def session_key(root: Path, origin: str) -> SealKey | None:
    """Return the key that a session's first line names, or None where there is none.

    Raises
    ------
    OSError
        Of the system, other than that the file is not there or not for us to read.
    """
    try:
        with (root / session_file(origin)).open("rb") as stream:
            line = stream.readline(_LONGEST).removesuffix(b"\n")
    except (FileNotFoundError, PermissionError):
        return None
    try:
        detail = canonical.decode(line)["detail"]  # type: ignore[index]
        named, public = detail["origin"], detail["pub"]
    except (canonical.CanonicalError, KeyError, TypeError):
        return None
    if named != origin or not PUBLIC_KEY.accepts(public):
        return None
    return SealKey.from_bytes(origin, from_base64(public, 32))


class Peers:
    """The heads of other writers' sessions, as far as one session has seen them.

    Parameters
    ----------
    root : Path
        Folder of the log.
    writer : str
        Whose own sessions are left out.
    """

    def __init__(self, root: Path, writer: str) -> None:
        self._root = root
        self._writer = writer
        self._seen: dict[str, Head] = {}
        self._keys: dict[str, SealKey] = {}

    def _notes(self) -> Iterator[Path]:
        folder = self._root / HEADS
        if not folder.is_dir():
            return
        for writer in sorted(folder.iterdir()):
            if writer.name != self._writer and os.access(writer, os.R_OK | os.X_OK):
                yield from sorted(writer.glob("*.note"))[-RECENT:]

    def _read(self, path: Path) -> tuple[Head, Note] | None:
        try:
            with path.open("rb") as stream:
                note = parse_note(stream.read(MAX_BYTES + 1))
            head = checkpoint_of(note)
        except (FileNotFoundError, PermissionError, ValueError):
            return None
        is_there = (path.parent.name, path.stem) == (
            writer_of(head.origin),
            session_of(head.origin),
        )
        return (head, note) if is_there and head.size else None

    def _is_signed(self, head: Head, note: Note) -> bool:
        key = self._keys.get(head.origin) or session_key(self._root, head.origin)
        if key is None:
            return False
        self._keys[head.origin] = key
        signed = note.signed_by(head.origin, key.id)
        return any(key.signed(head, key.id + signature) for signature in signed)

    def news(self) -> list[Head]:
        """Return the heads that this session has not seen yet.

        A note that is not signed by the session that it names is passed over: it is nobody's
        head, and naming it could make an honest log look cut. So is one that this account may
        not read.

        Returns
        -------
        list of Head
            At most 256.

        Raises
        ------
        OSError
            Of the system.
        """
        found: list[Head] = []
        for path in self._notes():
            read = self._read(path)
            if read is None or self._seen.get(read[0].origin) == read[0]:
                continue
            if self._is_signed(*read):
                found.append(read[0])
        for head in found[:MAX_LIST]:
            self._seen[head.origin] = head
        return found[:MAX_LIST]

    def news_if_any(self) -> list[Head]:
        """Return `news`, or none when the folder cannot be read.

        Nothing depends on it: whether the folder is gone, the log's next write tells.
        """
        try:
            return self.news()
        except OSError:
            return []
