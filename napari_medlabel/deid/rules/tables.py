"""Look-up tables that hold text: numbers of a table rise and fall slowly, letters do not."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Mapping, MutableSequence
from itertools import pairwise
from types import MappingProxyType
from typing import Any

_PRINTABLE = re.compile(rb"[\x20-\x7e]{8,}")
RUN = re.compile(rb"[0-9A-Za-z .^_-]{6,}")
"""What could be a name or a number of somebody."""

_LETTER = re.compile(rb"[A-Za-z]")
_LETTERS, _SHORTEST = 8, 6
_WORD = re.compile(rb"[A-Za-z^ .-]{6,}")
_FORMS: Mapping[str, str] = MappingProxyType(
    {"FD": "d", "FL": "f", "SL": "l", "SS": "h", "SV": "q", "UL": "L", "US": "H", "UV": "Q"}
)


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
    data = _as_bytes(value).replace(b"\0", b"")
    return any(
        len(_LETTER.findall(run)) >= _LETTERS and _turns(run[0::2]) and _turns(run[1::2])
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
        True where the bytes have a run that `reads_as_text` finds, or are nothing but six
        or more letters.
    """
    data = number_bytes(vr, value)
    if len(data) < _SHORTEST:
        return False
    plain = data.replace(b"\0", b"")
    return reads_as_text(data) or (_WORD.fullmatch(plain) is not None and _turns(plain))


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
