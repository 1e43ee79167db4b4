"""Values written in another value representation than the standard's, PS3.5 6.2."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Final

from napari_medlabel.io.dicom.header.instance import numbers

_BINARY: Final[Mapping[bytes, str]] = {
    b"US": "H",
    b"SS": "h",
    b"UL": "I",
    b"SL": "i",
    b"FL": "f",
    b"FD": "d",
    b"UV": "Q",
    b"SV": "q",
}
_RAW: Final = frozenset({b"UN", b"OB", b"OW"})
_DECIMAL: Final = frozenset({b"DS", b"IS"})
_LARGEST_SHORT: Final = 0xFFFF


def as_wanted(value: bytes, vr: bytes, wanted: bytes, *, big: bool) -> bytes:
    """Return a value in the representation wanted, little endian.

    Parameters
    ----------
    value : bytes
        As the file has it.
    vr : bytes
        The VR that the file gives it.
    wanted : bytes
        The VR of the data dictionary.
    big : bool
        Whether the file's numbers are big endian.

    Returns
    -------
    bytes
        Empty where the value cannot be a number and should be one.
    """
    if vr in _BINARY:
        values = _unpacked(value, _BINARY[vr], big=big)
    elif wanted in _BINARY and vr not in _RAW:
        values = numbers(value)
    else:
        return value
    if wanted in _DECIMAL:
        return "\\".join(repr(one) for one in values).encode()
    if wanted not in _BINARY:
        return value
    return _packed(values, wanted)


def _unpacked(value: bytes, code: str, *, big: bool) -> tuple[float, ...]:
    size = struct.calcsize(code)
    count = len(value) // size
    return struct.unpack(f"{'>' if big else '<'}{count}{code}", value[: count * size])


def _packed(values: tuple[float, ...], wanted: bytes) -> bytes:
    if wanted == b"FD":
        return struct.pack(f"<{len(values)}d", *values)
    if all(0 <= one <= _LARGEST_SHORT and one == int(one) for one in values):
        return struct.pack(f"<{len(values)}H", *(int(one) for one in values))
    return b""
