"""Blocks of a sequential JPEG made black without decoding the picture (ISO/IEC 10918-1).

A lossy picture that is decoded and coded again loses once more, everywhere. Here only the
Huffman codes of the blanked blocks are replaced, and the one difference after them: all other
coefficients stay as they are, bit for bit. Blanked are whole MCUs, of 8 to 32 pixels.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Bits = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
_SEQUENTIAL = frozenset({0xC0, 0xC1})
_OTHER_FRAMES = frozenset(range(0xC2, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})
_RESTARTS = re.compile(rb"\xff[\xd0-\xd7]")
_END = b"\xff\xd9"
_LAST = 63


class BlocksError(ValueError):
    """A JPEG whose blocks cannot be replaced: not sequential, or without a code for black."""


@dataclass(frozen=True)
class _Component:
    """A component of the frame, with the number of its blocks in one MCU."""

    blocks: int
    step: int
    dc: _Huffman
    ac: _Huffman


@dataclass(frozen=True)
class _Huffman:
    """A Huffman table, for looking up the next 16 bits and for writing."""

    symbols: list[int]
    lengths: list[int]
    codes: dict[int, tuple[int, int]]


@dataclass
class _Header:
    """What stands before the entropy-coded data."""

    scan: int = 0  # where the entropy-coded data begin
    restart: int = 0
    precision: int = 8
    size: tuple[int, int] = (0, 0)
    factors: list[tuple[int, int]] = field(default_factory=list)
    components: list[_Component] = field(default_factory=list)

    def mcu(self) -> tuple[int, int]:
        """Rows and columns of pixels in one MCU."""
        if len(self.factors) == 1:
            return 8, 8
        return 8 * max(v for _, v in self.factors), 8 * max(h for h, _ in self.factors)


def is_sequential(code: bytes) -> bool:
    """Whether a JPEG is baseline or extended sequential, Huffman coded."""
    return any(marker in _SEQUENTIAL for marker in _markers(code))


def is_lossless(code: bytes) -> bool:
    """Whether a JPEG is of process 14, which predicts instead of transforming blocks."""
    return 0xC3 in _markers(code)


def _markers(code: bytes) -> set[int]:
    """Markers before the entropy-coded data; none of what is no JPEG."""
    try:
        return {marker for marker, _, _ in _segments(code)}
    except (IndexError, struct.error):
        return set()


def blanked_pixels(code: bytes, mask: Mask) -> Mask:
    """Return which pixels `blank_blocks` makes black: all of each MCU that is touched.

    Parameters
    ----------
    code : bytes
        The JPEG.
    mask : ndarray of bool, shape (rows, columns)
        What must be black.

    Raises
    ------
    BlocksError
        When it is of another kind or damaged.
    """
    try:
        high, wide = _header(code).mcu()
    except (IndexError, KeyError, struct.error, ValueError) as err:
        raise BlocksError from err
    touched = _touched(mask, high, wide)
    rows, columns = mask.shape
    return np.repeat(np.repeat(touched, high, 0), wide, 1)[:rows, :columns]


def blank_blocks(code: bytes, mask: Mask, black: Sequence[float]) -> bytes:
    """Return a JPEG whose masked pixels are black, and whose other blocks are as they were.

    Parameters
    ----------
    code : bytes
        A sequential JPEG of one scan.
    mask : ndarray of bool, shape (rows, columns)
        What must be black; MCUs that hold any of it become black as a whole.
    black : sequence of float
        Value of each component.

    Raises
    ------
    BlocksError
        When it is of another kind, damaged, or its tables have no code for black.
    """
    try:
        header = _header(code)
        if header.size != mask.shape:
            raise BlocksError
        high, wide = header.mcu()
        touched = _touched(mask, high, wide).ravel().tolist()
        body, rest = _body(code, header.scan)
        shift = 1 << header.precision - 1
        targets = [
            _dc_for(value, component.step, shift)
            for value, component in zip(black, header.components, strict=True)
        ]
        parts = _RESTARTS.split(body)
        every = header.restart or len(touched)
        if len(parts) != -(-len(touched) // every):
            raise BlocksError
        done = [
            _rewritten(part, touched[n * every : (n + 1) * every], header.components, targets)
            for n, part in enumerate(parts)
        ]
    except (IndexError, KeyError, struct.error, ValueError) as err:
        raise BlocksError from err
    joined = bytearray(done[0])
    for n, part in enumerate(done[1:]):
        joined += bytes((0xFF, 0xD0 + n % 8)) + part
    return code[: header.scan] + bytes(joined) + rest


def _touched(mask: Mask, high: int, wide: int) -> Mask:
    """Which MCUs hold any of a mask."""
    rows, columns = mask.shape
    padded = np.pad(mask, ((0, -rows % high), (0, -columns % wide)))
    blocks = padded.reshape(padded.shape[0] // high, high, padded.shape[1] // wide, wide)
    return np.asarray(blocks.any(axis=(1, 3)))


def _dc_for(value: float, step: int, shift: int) -> int:
    """Return the quantized DC coefficient of an even block; black and white may go beyond."""
    wanted = (value - shift) * 8
    if value in {0, 2 * shift - 1}:
        return int(-(-abs(wanted) // step)) * (1 if wanted > 0 else -1)
    return round(wanted / step)


def _segments(code: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of the content of each segment up to the scan's header."""
    at = 2
    while True:
        if code[at] != 0xFF:
            raise IndexError
        marker = code[at + 1]
        if marker == 0xFF or marker in _ALONE:
            at += 1 if marker == 0xFF else 2
            continue
        (length,) = struct.unpack_from(">H", code, at + 2)
        yield marker, at + 4, at + 2 + length
        at += 2 + length
        if marker == 0xDA:
            return


def _header(code: bytes) -> _Header:
    """Read tables, frame and scan."""
    header = _Header()
    steps: dict[int, int] = {}
    huffman: dict[int, _Huffman] = {}
    frame: dict[int, tuple[int, int, int]] = {}
    for marker, start, end in _segments(code):
        content = code[start:end]
        if marker in _OTHER_FRAMES:
            raise BlocksError
        if marker == 0xDB:
            steps |= _steps(content)
        elif marker == 0xC4:
            huffman |= _tables(content)
        elif marker == 0xDD:
            (header.restart,) = struct.unpack_from(">H", content)
        elif marker in _SEQUENTIAL:
            header.precision, rows, columns, count = struct.unpack_from(">BHHB", content)
            header.size = rows, columns
            triples = (content[6 + 3 * n : 9 + 3 * n] for n in range(count))
            frame = {name: (both >> 4, both & 15, table) for name, both, table in triples}
        elif marker == 0xDA:
            header.scan = end
            _add_components(header, content, frame, steps, huffman)
    return header


def _add_components(
    header: _Header,
    scan: bytes,
    frame: dict[int, tuple[int, int, int]],
    steps: dict[int, int],
    huffman: dict[int, _Huffman],
) -> None:
    """Say which tables each component of the frame has in the one scan."""
    names, tables = scan[1 : 1 + 2 * scan[0] : 2], scan[2 : 2 + 2 * scan[0] : 2]
    if list(names) != list(frame):
        raise BlocksError
    for name, both in zip(names, tables, strict=True):
        across, down, table = frame[name]
        header.factors.append((across, down))
        blocks = across * down if len(frame) > 1 else 1
        dc, ac = huffman[both >> 4], huffman[0x10 | both & 15]
        header.components.append(_Component(blocks, steps[table], dc, ac))


def _steps(content: bytes) -> dict[int, int]:
    """Quantization step of the DC coefficient by table."""
    found, at = {}, 0
    while at < len(content):
        wide, name = content[at] >> 4, content[at] & 15
        found[name] = int.from_bytes(content[at + 1 : at + 2 + wide], "big")
        at += 1 + 64 * (1 + wide)
    return found


def _tables(content: bytes) -> dict[int, _Huffman]:
    """Huffman tables by class and name (annex C)."""
    found, at = {}, 0
    while at < len(content):
        name, counts = content[at], content[at + 1 : at + 17]
        values = content[at + 17 : at + 17 + sum(counts)]
        found[name] = _huffman(counts, values)
        at += 17 + sum(counts)
    return found


def _huffman(counts: bytes, values: bytes) -> _Huffman:
    symbols, lengths = [0] * 65536, [0] * 65536
    codes: dict[int, tuple[int, int]] = {}
    code, at = 0, 0
    for length, count in enumerate(counts, start=1):
        for value in values[at : at + count]:
            codes[value] = code, length
            first, width = code << 16 - length, 1 << 16 - length
            symbols[first : first + width] = [value] * width
            lengths[first : first + width] = [length] * width
            code += 1
        at += count
        code <<= 1
    return _Huffman(symbols, lengths, codes)


def _body(code: bytes, start: int) -> tuple[bytes, bytes]:
    """Return the entropy-coded data, and what follows: the end and nothing else."""
    end = code.rfind(_END)
    if end < start:
        raise BlocksError
    return code[start:end], code[end:]


def _rewritten(
    part: bytes, touched: list[bool], components: list[_Component], targets: list[int]
) -> bytes:
    """Return one restart interval with the touched MCUs black."""
    if not any(touched):
        return part
    plain = part.replace(b"\xff\x00", b"\xff")
    if re.search(rb"\xff[\x01-\xfe]", part):
        raise BlocksError
    writer = _Writer(plain, components, targets)
    for blank in touched:
        writer.mcu(blank=blank)
    return writer.content().replace(b"\xff", b"\xff\x00")


class _Writer:
    """One restart interval, read MCU by MCU and written again."""

    def __init__(self, plain: bytes, components: list[_Component], targets: list[int]) -> None:
        self._bits = np.unpackbits(np.frombuffer(plain, np.uint8))
        padded = np.frombuffer(plain + bytes(8), np.uint8).astype(np.int64)
        windows = padded[:-4] << 32
        for n in range(1, 5):
            windows |= padded[n : len(padded) - 4 + n] << 8 * (4 - n)
        self._windows: list[int] = windows.tolist()
        self._components = components
        self._targets = targets
        self._at = 0
        self._from = 0  # first bit that is not copied yet
        self._read = [0] * len(components)
        self._written = [0] * len(components)
        self._parts: list[Bits] = []

    def mcu(self, *, blank: bool) -> None:
        """Pass one MCU on, or a black one in its place."""
        moved = self._read != self._written
        if blank or moved:
            self._copy_to(self._at)
        for n, component in enumerate(self._components):
            for block in range(component.blocks):
                self._block(n, component, blank=blank, first=block == 0 and moved)
        if blank:
            self._from = self._at
            for n, component in enumerate(self._components):
                for block in range(component.blocks):
                    self._difference(n, component, self._targets[n] if block == 0 else None)
                    self._put(*component.ac.codes[0])

    def _block(self, n: int, component: _Component, *, blank: bool, first: bool) -> None:
        """Read a block; where the one before it changed, write its difference anew."""
        windows, at = self._windows, self._at
        next16 = windows[at >> 3] >> 24 - (at & 7) & 0xFFFF
        size, length = component.dc.symbols[next16], component.dc.lengths[next16]
        if length == 0 or size > 16:
            raise BlocksError
        at += length
        raw = windows[at >> 3] >> 40 - (at & 7) - size & (1 << size) - 1
        at += size
        if size and raw < 1 << size - 1:
            raw -= (1 << size) - 1
        self._read[n] += raw
        if first and not blank:
            self._copy_to(self._at)
            self._difference(n, component, self._read[n])
            self._from = at
        elif not blank:
            self._written[n] = self._read[n]
        self._at = self._past_ac(at, component.ac)

    def _past_ac(self, at: int, table: _Huffman) -> int:
        """Return where the block ends whose AC codes begin at a bit."""
        windows, symbols, lengths = self._windows, table.symbols, table.lengths
        k = 1
        while k <= _LAST:
            next16 = windows[at >> 3] >> 24 - (at & 7) & 0xFFFF
            symbol, length = symbols[next16], lengths[next16]
            if length == 0:
                raise BlocksError
            at += length + (symbol & 15)
            if symbol == 0:
                break
            k += (symbol >> 4) + 1
        return at

    def _difference(self, n: int, component: _Component, target: int | None) -> None:
        """Write a DC difference: to a value, or none."""
        value = 0 if target is None else target - self._written[n]
        if target is not None:
            self._written[n] = target
        size = abs(value).bit_length()
        self._put(*component.dc.codes[size])
        if size:
            self._put(value if value > 0 else value + (1 << size) - 1, size)

    def _put(self, value: int, size: int) -> None:
        bits = np.array([value >> size - 1 - n & 1 for n in range(size)], np.uint8)
        self._parts.append(bits)

    def _copy_to(self, end: int) -> None:
        """Copy the bits that were read since the last ones written."""
        if end > self._from:
            self._parts.append(self._bits[self._from : end])
        self._from = end

    def content(self) -> bytes:
        """Return what was written, filled up with ones as annex F.1.2.3 says."""
        if self._at > len(self._bits):
            raise BlocksError
        self._copy_to(self._at)
        bits: npt.NDArray[Any] = np.concatenate(self._parts)
        filler = np.ones(-len(bits) % 8, np.uint8)
        return np.packbits(np.concatenate((bits, filler))).tobytes()
