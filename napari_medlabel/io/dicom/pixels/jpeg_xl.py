"""Size of a JPEG XL image from its first bits, before anything is allocated for it."""

from __future__ import annotations

import struct
from typing import Final

CODE_STREAM: Final = b"\xff\x0a"
CONTAINER: Final = b"\0\0\0\x0cJXL "
_RATIOS: Final = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_WIDTHS: Final = (9, 13, 18, 30)
_FIRST: Final = 24  # bytes, more than a size header takes


def size_of(code: bytes) -> tuple[int, int] | None:
    """Return rows and columns by the size header, ISO/IEC 18181-1 annex D.2.

    Parameters
    ----------
    code : bytes
        A code stream, bare or in a container of boxes.

    Returns
    -------
    tuple of int or None
        None where there is no code stream.
    """
    at = 0 if code.startswith(CODE_STREAM) else _in_boxes(code)
    if at is None or code[at : at + 2] != CODE_STREAM:
        return None
    bits = _Bits(code[at + 2 : at + 2 + _FIRST])
    if bits.take(1):
        rows = 8 * (bits.take(5) + 1)
        ratio = bits.take(3)
        columns = 8 * (bits.take(5) + 1) if ratio == 0 else 0
    else:
        rows = bits.take(_WIDTHS[bits.take(2)]) + 1
        ratio = bits.take(3)
        columns = bits.take(_WIDTHS[bits.take(2)]) + 1 if ratio == 0 else 0
    if ratio:
        over, under = _RATIOS[ratio - 1]
        columns = rows * over // under
    return rows, columns


class _Bits:
    """Bits of little-endian bytes, the lowest first; zeros behind the end."""

    def __init__(self, data: bytes) -> None:
        self._left = int.from_bytes(data, "little")

    def take(self, count: int) -> int:
        value = self._left & ((1 << count) - 1)
        self._left >>= count
        return value


def _in_boxes(code: bytes) -> int | None:
    """Return where the code stream, or its first part, begins in a container."""
    at = 0
    while at + 8 <= len(code):
        length, kind = struct.unpack_from(">I4s", code, at)
        if kind in (b"jxlc", b"jxlp"):
            return at + (8 if kind == b"jxlc" else 12)
        if length < 8:
            return None
        at += int(length)
    return None
