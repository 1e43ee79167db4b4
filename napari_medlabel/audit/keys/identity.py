"""Whether a text that somebody typed says who the patient is: checked against the header."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from napari_medlabel.errors import RefusedError

_FEWEST_LETTERS: Final = 3
_FEWEST_DIGITS: Final = 4
_DATE_DIGITS: Final = 8
_WORD: Final = re.compile(r"[^\W\d_]+")
_JOINED: Final = re.compile(r"(?<=\d)[\s./:_-]+(?=\d)")


def _plain(text: str) -> str:
    """Return a text without case, accents and forms of letters."""
    split = unicodedata.normalize("NFKD", text).casefold()
    return "".join(letter for letter in split if not unicodedata.combining(letter))


def _digits(text: str) -> list[str]:
    """Return the numbers of a text; dots, dashes and blanks between digits do not count."""
    return re.findall(r"\d+", _JOINED.sub("", text))


def _spellings(number: str) -> set[str]:
    """Return a number, and for what may be a date the other orders of its parts."""
    if len(number) != _DATE_DIGITS:
        return {number}
    year, month, day = number[:4], number[4:6], number[6:8]
    return {number, day + month + year, month + day + year}


def found_values(text: str, values: Iterable[str]) -> int:
    """Count the header's values that a text holds, in whatever spelling.

    Parameters
    ----------
    text : str
        What somebody typed.
    values : iterable of str
        Values of the open scan that identify: names, numbers, dates.

    Returns
    -------
    int
        How many of them. Names count by each part of at least three letters, numbers from
        four digits on, dates in any order of day, month and year.
    """
    plain = _plain(text)
    words, numbers = set(_WORD.findall(plain)), _digits(plain)
    count = 0
    for value in values:
        wanted = _plain(value)
        parts = {part for part in _WORD.findall(wanted) if len(part) >= _FEWEST_LETTERS}
        digits = [one for one in _digits(wanted) if len(one) >= _FEWEST_DIGITS]
        by_number = any(
            spelling in number
            for one in digits
            for spelling in _spellings(one)
            for number in numbers
        )
        count += bool(parts & words) or by_number
    return count


def check_text(text: str, values: Iterable[str]) -> None:
    """Refuse a text that says who the patient is.

    Parameters
    ----------
    text : str
        What somebody typed.
    values : iterable of str
        Values of the open scan that identify.

    Raises
    ------
    RefusedError
        With how many values were found, never which.
    """
    count = found_values(text, values)
    if count:
        raise RefusedError(
            f"The text holds {count} value(s) of the open scan's header: a name, a number or "
            "a date.",
            hint="Say why without naming the patient.",
        )
