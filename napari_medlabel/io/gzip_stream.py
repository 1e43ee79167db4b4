"""Gzip both ways: read what a header promises, write equal bytes for equal voxels."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import IO, Any, Final

import numpy as np

from napari_medlabel.errors import InputError

MAGIC: Final = b"\x1f\x8b"
LARGEST_RATIO: Final = 1032
"""Bytes that one byte of a deflate stream can at most stand for (RFC 1951)."""

_CHUNK: Final = 1 << 20
_LARGEST_REST: Final = 64 << 20
_LEVEL: Final = 1
_BLOCK: Final = 1 << 18
# Deflate, no flags, no time, no name, unknown system: nothing that changes from run to run.
_HEADER: Final = MAGIC + b"\x08\0\0\0\0\0\0\xff"


class GzipReader:
    """Reads a gzip file (or a plain one) front to back into buffers of the caller's.

    Parameters
    ----------
    stream : binary file
        Open for reading.
    compressed : bool
        Whether it is gzip, by its first bytes.
    see : callable
        Is given every block of the file's own bytes, for a hash or for progress.
    wbits : int
        As in `zlib.decompressobj`: 31 for gzip, 15 for zlib.
    """

    def __init__(
        self,
        stream: IO[bytes],
        *,
        compressed: bool,
        see: Callable[[bytes | memoryview], object],
        wbits: int = 31,
    ) -> None:
        self._stream = stream
        self._see = see
        self._wbits = wbits
        self.compressed = compressed
        self._inflate: Any = zlib.decompressobj(wbits) if compressed else None
        self._pending = b""

    def read_into(self, target: memoryview) -> int:
        """Fill ``target`` (bytes); return how many there were.

        Raises
        ------
        InputError
            When the gzip stream is damaged or cut off.
        """
        done = 0
        while not self.compressed and done < len(target):
            got = self._stream.readinto(target[done : done + _CHUNK])  # type: ignore[attr-defined]
            if not got:
                return done
            self._see(target[done : done + got])
            done += got
        while done < len(target):
            block = self._next(len(target) - done)
            if not block:
                break
            target[done : done + len(block)] = block
            done += len(block)
        return done

    def finish(self) -> None:
        """Read to the end, so that the check sum is compared and every byte was seen.

        Raises
        ------
        InputError
            When the stream is damaged, cut off, or far longer than it should be.
        """
        rest = 0
        while block := self._next(_CHUNK):
            rest += len(block)
            if self._inflate is not None and rest > _LARGEST_REST:
                raise InputError(
                    "The compressed file holds far more data than its header says.",
                    hint="It is damaged or not what it says it is; export it again.",
                )

    def _next(self, most: int) -> bytes:
        if self._inflate is None:
            block = self._stream.read(min(most, _CHUNK))
            self._see(block)
            return block
        try:
            return self._next_inflated(min(most, 4 * _CHUNK))
        except zlib.error as err:
            raise InputError(
                "The compressed file is damaged: its check sum or its codes are wrong.",
                hint="Copy or export the file again.",
            ) from err

    def _next_inflated(self, most: int) -> bytes:
        while True:
            if self._inflate.eof and not self._next_member():
                return b""
            if not self._pending:
                self._pending = self._stream.read(_CHUNK)
                self._see(self._pending)
            ended = not self._pending
            block: bytes = self._inflate.decompress(self._pending, most)
            self._pending = self._inflate.unconsumed_tail
            if block:
                return block
            if ended and not self._inflate.eof:
                raise InputError(
                    "The compressed file is cut off.",
                    hint="The copy was interrupted; copy or export the file again.",
                )

    def _next_member(self) -> bool:
        """Begin the next gzip member, as pigz and bgzip write several; False at the end."""
        rest = self._inflate.unused_data
        if len(rest) < 2:
            more = self._stream.read(_CHUNK)
            self._see(more)
            rest += more
        if self._wbits != 31 or rest[:2] != MAGIC:
            while more := self._stream.read(_CHUNK):
                self._see(more)
            self._pending = b""
            return False
        self._inflate = zlib.decompressobj(self._wbits)
        self._pending = rest
        return True


def write_gzip(path: Path, head: bytes, body: memoryview) -> None:
    """Write a gzip file of ``head`` and ``body`` (bytes): deterministic, and on all cores.

    The body is deflated in blocks of fixed size that end on a byte (Z_SYNC_FLUSH), so the
    result does not depend on the number of threads. Masks are mostly background: blocks of
    zeros are deflated once.

    Raises
    ------
    FileExistsError, OSError
        When it cannot be written.
    """
    check = zlib.crc32(head)
    size = (len(head) + len(body)) & 0xFFFFFFFF
    with path.open("xb") as stream:
        stream.write(_HEADER + _deflate(head))
        for block, part, length in _deflated(body):
            stream.write(block)
            check = _shift(check, length) ^ part
        stream.write(b"\x03\x00" + struct.pack("<II", check, size))


def _deflated(body: memoryview) -> Iterator[tuple[bytes, int, int]]:
    """Yield each block deflated, its CRC-32 and its length."""
    zeros = bytes(_BLOCK)
    empty = _deflate(zeros), zlib.crc32(zeros), _BLOCK

    def one(start: int) -> tuple[bytes, int, int]:
        block = body[start : start + _BLOCK]
        if len(block) == _BLOCK and not np.frombuffer(block, np.uint64).any():
            return empty
        return _deflate(block), zlib.crc32(block), len(block)

    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        yield from pool.map(one, range(0, len(body), _BLOCK))


def _deflate(block: bytes | memoryview) -> bytes:
    deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, -15)
    return deflate.compress(block) + deflate.flush(zlib.Z_SYNC_FLUSH)


def _shift(check: int, length: int) -> int:
    """Return the part of a CRC-32 that is left after ``length`` more bytes were fed.

    With it the sums of blocks add up to that of the whole, as in zlib's crc32_combine: feeding
    is linear over the bits of the sum, so it is a table of what becomes of each bit.
    """
    return _through(_table(length), check)


@cache
def _table(length: int) -> tuple[int, ...]:
    if length == 0:
        return tuple(1 << bit for bit in range(32))
    if length % 2:
        feed = tuple(zlib.crc32(b"\0", 1 << bit) ^ zlib.crc32(b"\0", 0) for bit in range(32))
        return tuple(_through(feed, value) for value in _table(length - 1))
    half = _table(length // 2)
    return tuple(_through(half, value) for value in half)


def _through(table: tuple[int, ...], value: int) -> int:
    out = 0
    for bit in range(32):
        if value >> bit & 1:
            out ^= table[bit]
    return out
