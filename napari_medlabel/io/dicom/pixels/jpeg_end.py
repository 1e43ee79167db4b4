"""Whether the coded data of a JPEG reach its last pixel: decoders fill what is missing.

Lossless (ISO/IEC 10918-1 annex H): the last pixels, coded again, are the last bits of a whole
stream. Where they are not, the bits that all pixels take are counted. Sequential DCT (annex F):
what is missing becomes middle grey; where the last block is, the frame is decoded once more
with something behind the data, which changes nothing behind whole data. Progressive streams
are not judged.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
_LOSSLESS: Final = 0xC3
_SEQUENTIAL: Final = frozenset({0xC0, 0xC1})
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_END: Final = b"\xff\xd9"
_ENOUGH: Final = 24
"""Differences at the end that are none of those that decoders fill: they prove the rest."""
_PADDING: Final = 7
_FILLER: Final = bytes(n * 151 % 255 for n in range(1, 256))  # no FF: no marker
_word = struct.Struct(">H").unpack_from


@dataclass(frozen=True)
class _Scan:
    """What the markers up to the first coded data say."""

    marker: int
    precision: int
    sampling: tuple[tuple[int, int], ...]
    restart: int
    tables: tuple[bytes, ...]  # of each component of the scan, for DC or for differences
    predictor: int
    shift: int
    begin: int


@dataclass(frozen=True)
class _Table:
    """Of each category (0 to 16): code, bits with what follows, and whether it has a code."""

    codes: Array
    widths: Array
    known: Array
    filled: int  # the difference that zeros mean


def is_cut(code: bytes, frame: Array, decode: Callable[[bytes], Array | None]) -> bool:
    """Tell whether coded data end before the last pixel.

    Parameters
    ----------
    code : bytes
        The code stream, with an end of image.
    frame : ndarray, shape (rows, columns) or (rows, columns, samples)
        What ``decode`` made of it: samples as they are coded.
    decode : callable
        The decoder; None where it cannot.

    Returns
    -------
    bool
        False also where it cannot be told: progressive or arithmetic coding, several scans of
        a lossless stream, subsampled lossless colours.
    """
    scan = _scan(code)
    if scan is None:
        return False
    if scan.marker == _LOSSLESS:
        return _is_lossless_cut(code, scan, frame)
    if scan.marker in _SEQUENTIAL and _is_grey_at_the_end(scan, frame):
        at = code.find(_END, scan.begin)
        again = decode(code[:at] + _FILLER + code[at:])
        return again is None or not np.array_equal(again, frame)
    return False


def _scan(code: bytes) -> _Scan | None:
    """Walk the markers up to the first coded data; None where they are damaged."""
    at, restart, tables = 2, 0, dict[int, bytes]()
    frame = (0, b"")
    try:
        while code[at] == 0xFF:
            marker = code[at + 1]
            if marker == 0xFF or marker in range(0xD0, 0xD8):
                at += 1 if marker == 0xFF else 2
                continue
            end = at + 2 + _word(code, at + 2)[0]
            body = code[at + 4 : end]
            if marker in _FRAMES:
                frame = (marker, body)
            elif marker == 0xC4:
                tables |= _tables(body)
            elif marker == 0xDD:
                restart = _word(body)[0]
            elif marker == 0xDA:
                return _first(*frame, body, tables, restart, end)
            at = end
    except (struct.error, IndexError, KeyError):
        return None
    return None


def _tables(body: bytes) -> dict[int, bytes]:
    """Return Huffman tables, each as its 16 counts and its values, by class and number."""
    found, at = {}, 0
    while at < len(body):
        end = at + 17 + sum(body[at + 1 : at + 17])
        found[body[at]] = body[at + 1 : end]
        at = end
    return found


def _first(
    marker: int, frame: bytes, head: bytes, tables: dict[int, bytes], restart: int, begin: int
) -> _Scan:
    samples = frame[5]
    many = head[0]
    chosen = tuple(tables[head[2 + 2 * n] >> 4] for n in range(many))
    sampling = tuple((frame[7 + 3 * n] >> 4, frame[7 + 3 * n] & 15) for n in range(samples))
    return _Scan(
        marker,
        frame[0],
        sampling,
        restart,
        chosen,
        head[1 + 2 * many],
        head[3 + 2 * many] & 15,
        begin,
    )


def _is_grey_at_the_end(scan: _Scan, frame: Array) -> bool:
    """Tell whether the last block is what decoders make of no data."""
    wide = 8 * max(h for h, _ in scan.sampling)
    high = 8 * max(v for _, v in scan.sampling)
    if len(scan.sampling) == 1:
        wide = high = 8
    rows, columns = frame.shape[:2]
    last = frame[(rows - 1) // high * high :, (columns - 1) // wide * wide :]
    is_grey = (last == 1 << scan.precision - 1).all(axis=(0, 1))
    # Samples in scans of their own can each lack their end.
    return bool(is_grey.all() if len(scan.tables) == len(scan.sampling) else is_grey.any())


def _is_lossless_cut(code: bytes, scan: _Scan, frame: Array) -> bool:
    planes = frame.reshape(*frame.shape[:2], -1)
    rows, columns, samples = planes.shape
    is_plain = scan.shift < scan.precision and 1 <= scan.predictor <= 7
    if len(scan.tables) != samples or not is_plain or scan.restart % columns:
        return False
    if any(one != (1, 1) for one in scan.sampling) and samples > 1:
        return False
    tables = [_table(raw) for raw in scan.tables]
    if len(set(scan.tables)) == 1 and _ends_as_coded(code, scan, planes, tables[0]):
        return False
    end = code.find(_END, scan.begin)
    data = code[scan.begin : end].rstrip(b"\xff")
    first = 0
    if scan.restart:
        height = scan.restart // columns
        parts = _intervals(data)
        if len(parts) < -(-rows // height):
            return True
        data, first = parts[-1].rstrip(b"\xff"), (rows - 1) // height * height
    needed = sum(
        _bits(_differences(planes[first:, :, n], 0, scan), table)
        for n, table in enumerate(tables)
    )
    return needed > 8 * (len(data) - data.count(b"\xff\0"))


def _intervals(data: bytes) -> list[bytes]:
    """Split coded data at its restart markers."""
    found, begin, at = [], 0, data.find(b"\xff")
    while 0 <= at < len(data) - 1:
        if 0xD0 <= data[at + 1] <= 0xD7:
            found.append(data[begin:at])
            begin = at + 2
        at = data.find(b"\xff", at + 1)
    return [*found, data[begin:]]


def _ends_as_coded(code: bytes, scan: _Scan, planes: Array, table: _Table) -> bool:
    """Tell whether the bits of the last pixels, coded again, end the stream."""
    rows, many = len(planes), 1
    while True:
        many = min(many, rows)
        found = _differences(planes, rows - many, scan).ravel()
        telling = np.flatnonzero((found != table.filled) & (found != 0))
        if len(telling) >= _ENOUGH:
            break
        if many == rows:
            return False
        many *= 4
    begin, behind = telling[-_ENOUGH], telling[-1] + 1
    if not table.known[_categories(found[begin:behind])].all():
        return False
    bits = np.concatenate(
        [_coded(found[begin:behind], table), _coded_run(found[behind:], table)]
    )
    end = code.rfind(_END, scan.begin)
    size = (len(bits) + _PADDING) // 8 + 1
    data = code[max(scan.begin, end - 2 * size - 1) : end].rstrip(b"\xff")
    actual = np.unpackbits(np.frombuffer(data.replace(b"\xff\0", b"\xff")[-size:], np.uint8))
    for padding in range(min(_PADDING, len(actual) - len(bits)) + 1):
        last = len(actual) - padding
        if padding > 1 and np.ptp(actual[last:]):
            return False  # padding is all ones, of some encoders all zeros
        if np.array_equal(actual[last - len(bits) : last], bits):
            return True
    return False


def _coded_run(differences: Array, table: _Table) -> Array:
    """Return the bits of what mostly is one value, as of air."""
    if len(differences) < 2 or (differences != differences[0]).any():
        return _coded(differences, table)
    return np.tile(_coded(differences[:1], table), len(differences))


def _differences(planes: Array, first: int, scan: _Scan) -> Array:
    """Return what was coded for rows from ``first`` on: int32 in -32767 to 32768."""
    above = max(0, first - 1)
    values = planes[above:].astype(np.int32) >> scan.shift
    own = values[first - above :]
    out = np.empty_like(own)
    out[:, 1:] = own[:, 1:] - own[:, :-1]
    if first == 0:
        out[0, 0] = own[0, 0] - (1 << scan.precision - scan.shift - 1)
    rest = out if first else out[1:]
    upper = values[:-1]
    rest[:, 0] = (own if first else own[1:])[:, 0] - upper[:, 0]
    if scan.predictor > 1:
        here = own if first else own[1:]
        rest[:, 1:] = here[:, 1:] - _predicted(here[:, :-1], upper, scan.predictor)
    return ((out + 32767) & 0xFFFF) - 32767


def _predicted(left: Array, upper: Array, predictor: int) -> Array:
    """Return the prediction from neighbours a (left), b (above) and c, table H.1."""
    a, b, c = left, upper[:, 1:], upper[:, :-1]
    formula: dict[int, Callable[[], Array]] = {
        2: lambda: b,
        3: lambda: c,
        4: lambda: a + b - c,
        5: lambda: a + ((b - c) >> 1),
        6: lambda: b + ((a - c) >> 1),
        7: lambda: (a + b) >> 1,
    }
    predicted: Array = formula[predictor]()
    return predicted


def _categories(differences: Array) -> Array:
    """Return how many bits each difference takes beside its code: SSSS of table H.2."""
    kinds: Array = np.frexp(np.abs(differences).astype(np.float32))[1]
    return kinds


def _bits(differences: Array, table: _Table) -> int:
    counts = np.bincount(_categories(differences).ravel(), minlength=17)
    return int(counts @ table.widths)


def _coded(differences: Array, table: _Table) -> Array:
    """Return the bits that code differences."""
    kinds = _categories(differences)
    widths = table.widths[kinds]
    below = np.where(differences < 0, differences - 1, differences)
    extra = np.where(kinds == 16, 0, kinds)
    values = table.codes[kinds] << extra | (below & ((1 << extra) - 1))
    ends = np.cumsum(widths)
    places = np.repeat(ends, widths) - 1 - np.arange(widths.sum())
    bits: Array = (np.repeat(values, widths) >> places & 1).astype(np.uint8)
    return bits


@lru_cache(maxsize=64)
def _table(raw: bytes) -> _Table:
    """Build the codes of annex C; a category without one costs as much as the shortest."""
    counts, kinds = raw[:16], raw[16:]
    widths = np.full(17, next((n for n, many in enumerate(counts, 1) if many), 1))
    codes, known = np.zeros(17, np.int64), np.zeros(17, np.bool_)
    code = at = 0
    for width, many in enumerate(counts, 1):
        for kind in kinds[at : at + many]:
            if kind <= 16:
                codes[kind], known[kind] = code, True
                widths[kind] = width + (kind if kind < 16 else 0)
            code += 1
        code <<= 1
        at += many
    first = kinds[0] if kinds else 0
    filled = 32768 if first == 16 else (1 - (1 << first) if first else 0)
    return _Table(codes, widths, known, filled)
