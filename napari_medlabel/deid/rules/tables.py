"""Text among binary numbers: numbers of a table rise and fall slowly, letters do not."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterable, Iterator, Mapping, MutableSequence
from itertools import pairwise
from types import MappingProxyType
from typing import Any

from napari_medlabel.deid.rules.multiplicity import most_numbers

_PRINTABLE = re.compile(rb"[\x20-\x7e]{8,}")
RUN = re.compile(rb"[0-9A-Za-z .^_-]{6,}")
"""What could be a name or a number of somebody."""

_LETTER = re.compile(rb"[A-Za-z]")
_LETTERS, _SHORTEST = 8, 6
_WORD = re.compile(rb"[A-Za-z^ .-]{6,}")
_CODE = re.compile(rb"[0-9A-Za-z ^+.:/_-]{8,}")
_DIGITS = re.compile(rb"[0-9 +./-]+")
_NARROW = re.compile(rb"[A-Z][a-z]{7,}|[a-z]{8,}|[A-Z]{8,}|[0-9]{8,}")
_WIDE = tuple(
    (len(zero) + 1, re.compile(form.replace(b"0", zero)))
    for form in (rb"[A-Z]0(?:[a-z]0){5,}|(?:[a-z]0){6,}|(?:[A-Z]0){6,}",)
    for zero in (b"\0", b"\0\0\0")
)
"""Words of six letters in UTF-16 and UTF-32: bytes of a letter, and the form."""

_VOWEL = re.compile(rb"[AEIOUYaeiouy]")
_FEWEST_KINDS, _SMALLEST_STEP, _STEP_OF_DIGITS = 4, 3, 2
_BY_CHANCE = 3000
"""One word by chance in so many times the data is what a word's least length allows."""

_USUAL: Mapping[str, tuple[int, range]] = MappingProxyType(
    {
        "FL": (4, range(0x3B, 0x4C)),  # 0.002 to 33 million
        "OF": (4, range(0x3B, 0x4C)),
        "FD": (8, range(0x3F, 0x43)),  # 0.00002 to 2 to the power of 48
        "OD": (8, range(0x3F, 0x43)),
    }
)
"""Bytes of a number, and its highest ones where the number is of a usual size."""

_FORMS: Mapping[str, str] = MappingProxyType(
    {"FD": "d", "FL": "f", "SL": "l", "SS": "h", "SV": "q", "UL": "L", "US": "H", "UV": "Q"}
)
_SIZES = {"AT": 4, **{vr: struct.calcsize("<" + form) for vr, form in _FORMS.items()}}


def is_table(keyword: str) -> bool:
    """Whether an attribute is a look-up table, such as LUT Data or a palette."""
    return keyword == "LUTData" or keyword.endswith("LookupTableData")


def reads_as_text(value: object) -> bool:
    """Whether a table's bytes hold a run of readable text.

    Parameters
    ----------
    value : object
        Bytes, or 16-bit numbers.

    Returns
    -------
    bool
        True where eight or more letters stand in a run of printable ASCII (zero bytes do
        not count) that no ramp would make: ramps of 8 bits, and the high and the low bytes
        of ramps of 16 bits, go one way within such a run.
    """
    data = _halved(_as_bytes(value)).replace(b"\0", b"")
    return any(
        len(_LETTER.findall(run)) >= _LETTERS
        and _turns(run[0::2])
        and _turns(run[1::2])
        and _is_lively(run)
        for run in _PRINTABLE.findall(data)
    )


def may_hold_words(value: object) -> bool:
    """Whether bytes of unknown form could hold a name or a number of somebody.

    Parameters
    ----------
    value : object
        Bytes, or 16-bit numbers.

    Returns
    -------
    bool
        True where six or more letters, digits, blanks, dots, hyphens or carets follow each
        other; zero bytes do not count, so that wider characters are seen too. Much binary
        data has such a run by chance: that is the price.
    """
    data = _as_bytes(value)
    return RUN.search(data) is not None or RUN.search(data.replace(b"\0", b"")) is not None


def are_numbers(tag: int, vr: str, value: object) -> bool:
    """Whether a value is no more numbers than its attribute has, and no text.

    Parameters
    ----------
    tag : int
        0xGGGGEEEE of the attribute.
    vr : str
        VR of the numbers.
    value : object
        Their bytes in little endian, or the numbers.
    """
    most = most_numbers(tag)
    if most is not None and len(number_bytes(vr, value)) > most * _SIZES.get(vr, 2):
        return False
    return not hides_text(vr, value)


def hides_text(vr: str, value: object) -> bool:
    """Whether binary numbers are a text in the clothes of numbers.

    Parameters
    ----------
    vr : str
        VR of the numbers.
    value : object
        Their bytes in little endian, or the numbers.

    Returns
    -------
    bool
        True where the bytes have a run that `reads_as_text` or `holds_word` finds, or are
        nothing but six or more letters, or eight or more letters and digits.
    """
    data = number_bytes(vr, value)
    if len(data) < _SHORTEST:
        return False
    if vr not in _USUAL and reads_as_text(data):
        return True
    return _is_all_text(vr, data) or holds_word(vr, data)


def holds_word(vr: str, value: object) -> bool:
    """Whether a word stands among the bytes of many numbers, such as an index list.

    Parameters
    ----------
    vr : str
        VR of the numbers.
    value : object
        Their bytes in little endian, or the numbers.

    Returns
    -------
    bool
        True for eight or more digits in a row, or letters that are written like a word: all
        small, all capital, or with a capital first. The more data there is the longer a
        word must be (ten letters in a megabyte), since chance makes words too. In wide
        characters six letters are enough, with a vowel, where what stands before and behind
        is no letter. Ramps are no words, and floating-point numbers of a usual size are
        none.
    """
    data = _halved(number_bytes(vr, value))
    least = max(_LETTERS, math.ceil(math.log10(_BY_CHANCE * len(data) + 1)))
    for match in _NARROW.finditer(data):
        word = match[0].lower()
        if len(word) >= least and _is_uneven(word) and not _is_usual(vr, data, match.span()):
            return True
    return any(_turns(word) and _VOWEL.search(word) is not None for word in _wide_words(data))


def _wide_words(data: bytes) -> Iterator[bytes]:
    """Return words in wide characters, in small letters, that end where letters end."""
    padded = data + bytes(3)
    for size, form in _WIDE:
        for match in form.finditer(padded):
            before = padded[max(match.start() - size, 0) : match.start()]
            after = padded[match.end() : match.end() + size]
            if not (_is_wide_letter(before) or _is_wide_letter(after)):
                yield match[0].replace(b"\0", b"").lower()


def _is_wide_letter(unit: bytes) -> bool:
    """Whether bytes are one printable character of ASCII and zeros."""
    return len(unit) > 1 and not any(unit[1:]) and 0x20 <= unit[0] < 0x7F


def _is_uneven(word: bytes) -> bool:
    """Whether letters are no ramp: some go up, some go down, and they are of four kinds."""
    turning = _turns(word[0::2]) or _turns(word[1::2])
    return turning and len(set(word)) >= _FEWEST_KINDS and _is_lively(word)


def _is_lively(part: bytes) -> bool:
    """Whether bytes lie as far apart as letters of a word do, not as steps of a palette."""
    steps = [abs(after - before) for before, after in pairwise(part)]
    least = _STEP_OF_DIGITS if part.isdigit() else _SMALLEST_STEP
    return sum(steps) >= least * len(steps) and 2 * steps.count(0) < len(steps)


def _is_all_text(vr: str, data: bytes) -> bool:
    """Whether bytes are nothing but letters and digits, and no numbers by chance."""
    plain = data.replace(b"\0", b"")
    usual = _is_usual(vr, data, (0, len(data)))
    if _WORD.fullmatch(plain) is not None and _turns(plain):
        return not usual or plain.isupper()
    if _CODE.fullmatch(plain) is None or (usual and _DIGITS.fullmatch(plain) is None):
        return False
    return len(plain) == len(data) or _turns(plain)


def _is_usual(vr: str, data: bytes, span: tuple[int, int]) -> bool:
    """Whether the floating-point numbers that end within a span are of a usual size."""
    if vr not in _USUAL:
        return False
    size, usual = _USUAL[vr]
    first = span[0] + (size - 1 - span[0]) % size
    return all(byte in usual for byte in data[first : span[1] : size])


def _halved(data: bytes) -> bytes:
    """Return every other byte, where each stands twice as in palettes of 16 bits."""
    low = data[0::2]
    return low if low == data[1::2] else data


def number_bytes(vr: str, value: object) -> bytes:
    """Return numbers as their bytes in little endian; none where they do not fit the VR."""
    if isinstance(value, bytes | bytearray):
        return bytes(value)
    several = isinstance(value, MutableSequence | tuple)
    numbers: list[Any] = list(value) if several else [value]  # type: ignore[call-overload]
    try:
        if vr == "AT":
            pairs = [half for n in numbers for half in (int(n) >> 16, int(n) & 0xFFFF)]
            return struct.pack(f"<{len(pairs)}H", *pairs)
        return struct.pack(f"<{len(numbers)}{_FORMS[vr]}", *numbers)
    except (KeyError, TypeError, ValueError, struct.error):
        return b""


def _as_bytes(value: object) -> bytes:
    if isinstance(value, bytes | bytearray):
        return bytes(value)
    if isinstance(value, Iterable):
        return b"".join((int(number) & 0xFFFF).to_bytes(2, "little") for number in value)
    return b""


def _turns(part: bytes) -> bool:
    """Whether bytes neither only rise nor only fall."""
    steps = [after - before for before, after in pairwise(part)]
    return min(steps) < 0 < max(steps)
