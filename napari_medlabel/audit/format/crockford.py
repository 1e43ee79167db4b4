"""Crockford's base32: codes that people read aloud, write on paper and type in again.

Neither I, L, O nor U is a letter of it; whoever reads an O means zero. The check letter is a
sum over GF(32) with a weight for each place: every single wrong letter, and every two
neighbours that changed places, make it another one.
"""

from __future__ import annotations

import unicodedata
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""The letters, by value."""

_VALUE: Final = {letter: value for value, letter in enumerate(ALPHABET)}
_MEANT: Final = {"O": "0", "I": "1", "L": "1"}
_REDUCED: Final = 0b100101  # x^5 + x^2 + 1, of which x is a primitive root
_MINUS: Final = "\u2212"


def encode(data: bytes) -> str:
    """Return bytes as letters, five bits each; the last letter is filled up with zeros."""
    count = -(-8 * len(data) // 5)
    number = int.from_bytes(data, "big") << (5 * count - 8 * len(data))
    return "".join(ALPHABET[number >> 5 * place & 31] for place in reversed(range(count)))


def _times_x(value: int) -> int:
    value <<= 1
    return value ^ _REDUCED if value & 32 else value


def check_letter(text: str) -> str:
    """Return the letter that goes behind a text of letters, to find a slip of the pen.

    Parameters
    ----------
    text : str
        Letters of the alphabet only, as `normal` gives them; at most 31 are fully covered.

    Returns
    -------
    str
        One letter.

    Raises
    ------
    ValueError
        For a letter that is not of the alphabet.
    """
    if not is_code(text):
        raise ValueError("a code has only digits and letters other than I, L, O and U")
    total = 0
    for letter in text:  # Horner's rule, so the first letter has the highest weight
        total = _times_x(total ^ _VALUE[letter])
    return ALPHABET[total]


def is_code(text: str) -> bool:
    """Return whether a text consists of letters of the alphabet alone."""
    return all(letter in _VALUE for letter in text)


def normal(text: str) -> str:
    """Return what somebody typed in one spelling.

    Upper case, O read as 0, I and L as 1; blanks, and dashes of every length, are gone.
    """
    kept = (
        letter
        for letter in text.upper()
        if not letter.isspace()
        and letter != _MINUS
        and unicodedata.category(letter) not in {"Pd", "Cf"}
    )
    return "".join(_MEANT.get(letter, letter) for letter in kept)


def grouped(text: str, size: int = 4) -> str:
    """Return a text in groups with dashes between them, for reading."""
    return "-".join(text[start : start + size] for start in range(0, len(text), size))
