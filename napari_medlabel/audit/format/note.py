"""Signed notes of C2SP: a text, and one line for each signature under it.

A session's published head is such a note; a witness adds a line of its own to it.
https://c2sp.org/signed-note, https://c2sp.org/tlog-checkpoint
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final

from napari_medlabel.audit.format.canonical import MAX_INT
from napari_medlabel.audit.format.schema import ORIGIN
from napari_medlabel.audit.format.seal import Head, from_base64, to_base64

MAX_BYTES: Final = 1 << 16
"""Longest note that is read."""

MAX_SIGNATURES: Final = 64
"""Most signature lines that are read; the specification asks for at least 16."""

_LINE: Final = re.compile(r"— (\S+) ([0-9A-Za-z+/=]+)")
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f]")
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)


def is_key_name(name: str) -> bool:
    """Return whether a name may stand before a signature: no spaces, no plus sign."""
    return bool(name) and "+" not in name and not any(c.isspace() or c < " " for c in name)


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line.

    Parameters
    ----------
    name : str
        Name of the key.
    raw : bytes
        Key id (4 bytes) and signature.

    Raises
    ------
    ValueError
        When the name may not stand there, or nothing follows the key id.
    """

    name: str
    raw: bytes

    def __post_init__(self) -> None:
        if not is_key_name(self.name):
            raise ValueError("a key's name must hold neither spaces nor a plus sign")
        if len(self.raw) < 5:
            raise ValueError("a signature must be longer than its key id")

    def line(self) -> str:
        """Return the line as it stands in the note, with its line feed."""
        return f"— {self.name} {to_base64(self.raw)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text and who signed it; whether the signatures hold is for others to check.

    Parameters
    ----------
    text : bytes
        UTF-8 without control characters other than line feeds, and ends with one.
    signatures : tuple of NoteSignature
        At least one.

    Raises
    ------
    ValueError
        When they do not make a note.
    """

    text: bytes
    signatures: tuple[NoteSignature, ...]

    def __post_init__(self) -> None:
        try:
            text = self.text.decode("utf-8")
        except UnicodeDecodeError as err:
            raise ValueError("a note must be UTF-8") from err
        if not text.endswith("\n") or _CONTROL.search(text):
            raise ValueError("a note's text must be lines without control characters")
        if not 1 <= len(self.signatures) <= MAX_SIGNATURES:
            raise ValueError(f"a note must have 1 to {MAX_SIGNATURES} signatures")

    def signed_by(self, name: str, key_id: bytes) -> tuple[bytes, ...]:
        """Return what stands under a key's name and id, each without the id."""
        return tuple(
            signature.raw[4:]
            for signature in self.signatures
            if signature.name == name and signature.raw[:4] == key_id
        )


def note_bytes(note: Note) -> bytes:
    """Return a note as it lies in a file: the text, an empty line, the signatures."""
    lines = "".join(signature.line() for signature in note.signatures)
    return note.text + b"\n" + lines.encode("utf-8")


def parse_note(data: bytes) -> Note:
    """Return the note in a file's bytes, and refuse every other spelling of it.

    Parameters
    ----------
    data : bytes
        What `note_bytes` returned.

    Returns
    -------
    Note
        Such that ``note_bytes(note) == data``.

    Raises
    ------
    ValueError
        When the bytes are not a note, in words that quote none of them.
    """
    if len(data) > MAX_BYTES:
        raise ValueError(f"a note must have at most {MAX_BYTES} bytes")
    text, gap, rest = data.rpartition(b"\n\n")
    if not gap or not rest.endswith(b"\n"):
        raise ValueError("a note must have a text, an empty line and signatures")
    try:
        lines = rest.decode("utf-8").split("\n")[:-1]
    except UnicodeDecodeError as err:
        raise ValueError("a note must be UTF-8") from err
    return Note(text + b"\n", tuple(_signature(line) for line in lines))


def _signature(line: str) -> NoteSignature:
    found = _LINE.fullmatch(line)
    if found is None:
        raise ValueError("a signature line must be a dash, a name and base64")
    try:
        raw = base64.b64decode(found[2], validate=True)
    except binascii.Error as err:
        raise ValueError("a signature must be base64") from err
    if to_base64(raw) != found[2]:
        raise ValueError("a signature must be base64 in its one spelling")
    return NoteSignature(found[1], raw)


def head_of_text(text: bytes) -> Head:
    """Return the head of a checkpoint's three lines.

    Parameters
    ----------
    text : bytes
        Origin, size and root of a session of ours, each on a line.

    Returns
    -------
    Head
        Such that ``head.text() == text``.

    Raises
    ------
    ValueError
        When the lines are not a checkpoint of ours.
    """
    lines = text.split(b"\n")
    if len(lines) != 4 or lines[3] or not text.isascii():
        raise ValueError("a checkpoint must be three lines: origin, size and root")
    origin, size, root = (line.decode("ascii") for line in lines[:3])
    if not ORIGIN.accepts(origin):
        raise ValueError("the first line of a checkpoint must be the origin of a session")
    if _SIZE.fullmatch(size) is None or int(size) > MAX_INT:
        raise ValueError("the second line of a checkpoint must be a number of events")
    return Head(origin, int(size), from_base64(root, 32))


def checkpoint_of(note: Note) -> Head:
    """Return the head that a note is about.

    Raises
    ------
    ValueError
        As `head_of_text`.
    """
    return head_of_text(note.text)


def head_note_bytes(head: Head, signature: bytes) -> bytes:
    """Return a session's published head.

    Parameters
    ----------
    head : Head
        What is published.
    signature : bytes
        As it stands in the log's seal of that head: key id and signature, 68 bytes.
    """
    return note_bytes(Note(head.text(), (NoteSignature(head.origin, signature),)))
