"""What the scan finds and what it is told to let stand: kinds and places, never a value."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from napari_medlabel.deid.rules.options import Option

DATE_OPTIONS = frozenset({Option.RETAIN_DATES, Option.SHIFT_DATES})


class Sign(StrEnum):
    """What tells whose a file is, or could."""

    NAME = "name of a person"
    IDENTIFIER = "identifier"
    DATE = "date or time"
    UID = "UID"
    TEXT = "text that describes or names"
    LISTED = "attribute of Table E.1-1 with a value"
    PRIVATE = "private attribute"
    UNKNOWN = "attribute that no dictionary knows"
    DIRECTORY = "attribute of a directory"
    PREAMBLE = "preamble"
    META = "file meta information"
    TRAILING = "bytes after the data set"
    OVERHANG = "bytes beyond the last pixel"
    FILE_NAME = "file or folder name"
    FIELD = "text field of an image header"
    EXTENSION = "header extension"
    WRAPPER = "name or time in a compressed file"
    UNREADABLE = "cannot be read"


@dataclass(frozen=True, order=True)
class Finding:
    """One thing found.

    Parameters
    ----------
    sign : Sign
        What it is.
    where : str
        Attribute path such as ``"(0040,0275)/(0010,0010)"``, or the part of the file. Never
        a value.
    """

    sign: Sign
    where: str


@dataclass(frozen=True)
class Allowance:
    """What may stay because somebody chose so.

    Parameters
    ----------
    options : frozenset of Option
        The options of the profile that are in force.
    tags : frozenset of int
        Attributes that rules of the site keep, whole or cleaned, private ones included.
    words : frozenset of str
        Words, in lower case, that rules of the site let stand.
    private : frozenset of (int, str, int)
        Group, creator and last two digits of the element of private attributes that rules
        of the site keep.
    """

    options: frozenset[Option] = frozenset()
    tags: frozenset[int] = field(default=frozenset())
    words: frozenset[str] = field(default=frozenset())
    private: frozenset[tuple[int, str, int]] = field(default=frozenset())


def path_text(path: tuple[int, ...]) -> str:
    """Return tags as a path, outermost first."""
    return "/".join(f"({tag >> 16:04X},{tag & 0xFFFF:04X})" for tag in path)
