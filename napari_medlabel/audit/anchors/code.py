"""The code on paper: 32 letters that stand for the heads of all sessions at one moment.

Whoever files the code needs nothing else to show, years later, that the log of that day is
still in the log of today: the list of heads is kept beside the log under the code's name, and
the code is its digest.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final, Protocol

from napari_medlabel.audit.anchors.pruned import is_pruned
from napari_medlabel.audit.format.crockford import (
    check_letter,
    encode,
    grouped,
    is_code,
    normal,
)
from napari_medlabel.audit.format.finding import Finding
from napari_medlabel.audit.format.layout import CODES, session_file
from napari_medlabel.audit.format.note import head_of_text
from napari_medlabel.audit.format.seal import Head, to_base64
from napari_medlabel.errors import InputError
from napari_medlabel.io.files import make_folder, write_bytes_aside

LETTERS: Final = 32
"""Letters of a code, without its check letter: 160 bits."""

_BYTES: Final = 20
_FIRST: Final = "medlabel-heads/v1"
_LINE: Final = re.compile(r"(\S+) (0|[1-9][0-9]{0,15}) (\S+)")


class Seals(Protocol):
    """Every sealed size of a session and its root."""

    def root(self, size: int) -> bytes | None:
        """Return the root sealed at a size, or None."""
        ...


class Session(Protocol):
    """What is known of one session after its file was checked."""

    @property
    def file(self) -> str:
        """Relative to the log's folder."""
        ...

    @property
    def sealed(self) -> Head | None:
        """Head of the last good seal."""
        ...

    @property
    def seals(self) -> Seals:
        """Every seal."""
        ...


@dataclass(frozen=True, slots=True)
class PaperCode:
    """A code and what it stands for.

    Parameters
    ----------
    letters : str
        32 letters, without dashes and check letter.
    listing : bytes
        Site, time and heads.
    """

    letters: str
    listing: bytes

    @property
    def text(self) -> str:
        """The code for people: groups of four, and the check letter."""
        return f"{grouped(self.letters)}-{check_letter(self.letters)}"

    @property
    def digest(self) -> str:
        """The listing's whole digest, as an event names it."""
        return f"sha256:{sha256(self.listing).hexdigest()}"

    def svg(self) -> str:
        """Return the code as a QR code: an SVG image to be put into a page."""
        import segno

        symbol = segno.make_qr(self.text, error="m")
        return str(symbol.svg_inline(scale=4, border=4, dark="#000", light="#fff"))


def _letters_of(listing: bytes) -> str:
    return encode(sha256(listing).digest()[:_BYTES])


def make_code(sessions: Iterable[Session], site: str, time: str) -> PaperCode:
    """Return the code of a log as it is now.

    Parameters
    ----------
    sessions : iterable of Session
        Every session, checked.
    site : str
        Name of the site.
    time : str
        Now, in UTC, as `time_text` writes it.
    """
    heads = sorted(
        (session.sealed for session in sessions if session.sealed is not None),
        key=lambda head: head.origin,
    )
    lines = [_FIRST, site, time]
    lines += [f"{head.origin} {head.size} {to_base64(head.root)}" for head in heads]
    listing = "".join(f"{line}\n" for line in lines).encode("ascii")
    return PaperCode(_letters_of(listing), listing)


def code_file(letters: str) -> str:
    """Return where the list behind a code lies, relative to the log's folder."""
    return f"{CODES}/{letters}.txt"


def keep_code(root: Path, code: PaperCode) -> None:
    """Keep what a code stands for beside the log.

    Raises
    ------
    SaveError
        When it cannot be written.
    """
    path = root / code_file(code.letters)
    make_folder(path.parent)
    write_bytes_aside(path, code.listing)


def read_code(text: str) -> str:
    """Return the letters of a code that somebody typed.

    Parameters
    ----------
    text : str
        In any case, with dashes and blanks or without; O may stand for 0, I and L for 1.

    Returns
    -------
    str
        32 letters.

    Raises
    ------
    InputError
        When the code was mistyped, as its length or its check letter shows.
    """
    typed = normal(text)
    letters, check = typed[:LETTERS], typed[LETTERS:]
    if len(typed) != LETTERS + 1 or not is_code(typed) or check_letter(letters) != check:
        raise InputError(
            f"A code of {LETTERS} letters and digits and a check letter was expected; this one "
            "was mistyped.",
            hint="Compare it with the paper, group by group; there is no I, L, O or U in it.",
        )
    return letters


def kept_listing(root: Path, letters: str) -> bytes | None:
    """Return the list that is kept under a code; None where there is none.

    Raises
    ------
    InputError
        When it cannot be read.
    """
    try:
        return (root / code_file(letters)).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as err:
        raise InputError(
            f"The list behind the code cannot be read ({type(err).__name__}).",
            hint="Run it as the user who may read the log.",
        ) from err


def heads_of(listing: bytes) -> list[Head]:
    """Return the heads in a list whose digest is its code.

    Raises
    ------
    ValueError
        When it is not of the form that `make_code` writes.
    """
    lines = listing.decode("ascii").split("\n")
    if lines[0] != _FIRST or len(lines) < 4 or lines.pop():
        raise ValueError("a list of heads must begin with its version and end with a line")
    heads = []
    for line in lines[3:]:
        found = _LINE.fullmatch(line)
        if found is None:
            raise ValueError("a line of the list must be origin, size and root")
        heads.append(head_of_text("".join(f"{part}\n" for part in found.groups()).encode()))
    return heads


def check_code(
    text: str, root: Path, sessions: Iterable[Session], *, pruned: Collection[Head] = ()
) -> Finding | None:
    """Return what does not fit between a code on paper and the log as it is now.

    Parameters
    ----------
    text : str
        The code as somebody typed it.
    root : Path
        Folder of the log.
    sessions : iterable of Session
        Every session of it, checked.
    pruned : collection of Head
        Ends of sessions that an officer had deleted because their time was over.

    Returns
    -------
    Finding or None
        None when every session was, at the code's moment, what it is now up to there.

    Raises
    ------
    InputError
        When the code was mistyped, or the list behind it cannot be read.
    """
    letters = read_code(text)
    listing = kept_listing(root, letters)
    file = code_file(letters)
    if listing is None:
        return _red(
            "Nothing is known here of the code on paper: it belongs to another log, or what "
            "it stands for was removed."
        )
    if _letters_of(listing) != letters:
        return _red("What the code on paper stands for was changed.", file)
    try:
        heads = heads_of(listing)
    except ValueError:
        return _red("The code on paper stands for something that is no list of heads.", file)
    known = {session.file: session for session in sessions}
    faults = (_misfit(head, known.get(session_file(head.origin)), pruned) for head in heads)
    return next((fault for fault in faults if fault is not None), None)


def _misfit(head: Head, session: Session | None, pruned: Collection[Head]) -> Finding | None:
    file = session_file(head.origin)
    if session is None and is_pruned(head, pruned):
        return None
    if session is None:
        return _red(
            f"A whole session is missing: the code on paper covers {head.size} events of it.",
            file,
        )
    if session.sealed is None or session.sealed.size < head.size:
        return _red(f"The end is missing: the code on paper covers {head.size} events.", file)
    if session.seals.root(head.size) != head.root:
        return _red(
            f"This is not the log of the code on paper: its first {head.size} events were "
            "others.",
            file,
        )
    return None


def _red(text: str, file: str = "") -> Finding:
    return Finding("red", "CODE", text, file)
