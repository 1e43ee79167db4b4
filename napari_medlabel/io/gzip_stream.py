"""Gzip both ways: read what a header promises, write equal bytes for equal voxels.

ISA-L (the package isal) does the work: it inflates more than twice as fast as zlib, deflates
five to ten times as fast, and packs masks tighter than zlib's level 1.
"""

from __future__ import annotations

import bz2
import os
import struct
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any, Final, Literal, cast

import numpy as np
from isal import igzip_lib, isal_zlib

from napari_medlabel.errors import InputError

Packing = Literal["raw", "gzip", "zlib", "bzip2"]
MAGIC: Final = b"\x1f\x8b"
LARGEST_RATIO: Final[dict[str, int]] = {"raw": 1, "gzip": 1032, "zlib": 1032, "bzip2": 50_000}
"""Bytes that one byte of a file can at most stand for (RFC 1951 for gzip and zlib)."""

_READ: Final = 1 << 18
_INFLATED: Final = 1 << 20
_LARGEST_REST: Final = 64 << 20
_LEVEL: Final = 2
_BLOCK: Final = 1 << 20
# Deflate, no flags, no time, no name, unknown system: nothing that changes from run to run.
_HEADER: Final = MAGIC + b"\x08\0\0\0\0\0\0\xff"
_ISAL_ERROR: Final = cast("type[Exception]", igzip_lib.IsalError)  # its stubs name an instance
_NEXT_MEMBER: Final = {"gzip": MAGIC, "bzip2": b"BZh"}


class GzipReader:
    """Reads a packed file (or a plain one) front to back into buffers of the caller's.

    Parameters
    ----------
    stream : binary file
        Open for reading, unbuffered.
    packing : str
        ``"gzip"``, ``"zlib"``, ``"bzip2"``, or ``"raw"`` for a file that is not packed.
    see : callable
        Is given every block of the file's own bytes, for a hash or for progress. The blocks
        are not changed until the reader's owner changes what was read.
    """

    def __init__(
        self,
        stream: IO[bytes],
        *,
        packing: Packing,
        see: Callable[[bytes | memoryview], object],
    ) -> None:
        self._stream = stream
        self._see = see
        self.packing = packing
        self._inflate: Any = None if packing == "raw" else _inflater(packing)
        self._pending = b""

    def read_into(self, target: memoryview) -> int:
        """Fill ``target`` (bytes); return how many there were.

        Raises
        ------
        InputError
            When the packed stream is damaged or cut off.
        """
        done = 0
        while self._inflate is None and done < len(target):
            got = self._stream.readinto(target[done : done + 4 * _INFLATED])  # type: ignore[attr-defined]
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

    def skip(self, count: int) -> int:
        """Pass over ``count`` bytes; return how many there were."""
        done = 0
        while done < count and (block := self._next(count - done)):
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
        while block := self._next(_INFLATED):
            rest += len(block)
            if self._inflate is not None and rest > _LARGEST_REST:
                raise InputError(
                    "The compressed file holds far more data than its header says.",
                    hint="It is damaged or not what it says it is; export it again.",
                )

    def _next(self, most: int) -> bytes:
        if self._inflate is None:
            return self._read(min(most, _INFLATED))
        try:
            return self._next_inflated(min(most, _INFLATED))
        except (_ISAL_ERROR, OSError, EOFError) as err:
            if isinstance(err, OSError) and err.errno is not None:
                raise  # the disk, not the codes: bz2 raises OSError without a number
            raise InputError(
                "The compressed file is damaged: its check sum or its codes are wrong.",
                hint="Copy or export the file again.",
            ) from err

    def _read(self, most: int = _READ) -> bytes:
        block = self._stream.read(most)
        self._see(block)
        return block

    def _next_inflated(self, most: int) -> bytes:
        while True:
            if self._inflate.eof and not self._next_member():
                return b""
            ended = False
            given = b""
            if self._inflate.needs_input:
                given = self._pending or self._read()
                self._pending = b""
                ended = not given
            block: bytes = self._inflate.decompress(given, most)
            if block:
                return block
            if ended and not self._inflate.eof:
                raise InputError(
                    "The compressed file is cut off.",
                    hint="The copy was interrupted; copy or export the file again.",
                )

    def _next_member(self) -> bool:
        """Begin the next member, as pigz and bgzip write several; False at the end."""
        rest: bytes = self._pending or self._inflate.unused_data
        self._pending = b""
        start = _NEXT_MEMBER.get(self.packing)
        if len(rest) < 4:
            rest += self._read()
        if start is None or not rest.startswith(start):
            while self._read():  # whatever lies behind: every byte is seen
                pass
            return False
        self._inflate = _inflater(self.packing)
        self._pending = rest
        return True


def _inflater(packing: str) -> Any:
    if packing == "bzip2":
        return bz2.BZ2Decompressor()
    flag = igzip_lib.DECOMP_ZLIB if packing == "zlib" else igzip_lib.DECOMP_GZIP
    return igzip_lib.IgzipDecompressor(flag)


def may_be_short(stream: IO[bytes], length: int) -> bool:
    """Tell whether the last four bytes leave it open that ``length`` bytes were packed.

    They are the length of the last member modulo 2**32 (RFC 1952, ISIZE): a stream of a single
    member, with nothing behind, that says enough there is long enough, or it is damaged. The
    stream is left at its beginning.
    """
    stream.seek(-min(4, stream.seek(0, os.SEEK_END)), os.SEEK_CUR)
    said = int.from_bytes(stream.read(4), "little")
    stream.seek(0)
    return said != length & 0xFFFFFFFF and not length <= said


def write_gzip(path: Path, head: bytes, bodies: Iterable[memoryview]) -> None:
    """Write a gzip file of ``head`` and ``bodies`` (bytes): deterministic, and on all cores.

    The bodies are deflated in blocks of fixed size that end on a byte (Z_SYNC_FLUSH), so the
    result does not depend on the number of threads. Masks are mostly background: blocks of
    zeros are deflated once.

    Parameters
    ----------
    path : Path
        A file that does not exist yet.
    head : bytes
        What comes first.
    bodies : iterable of memoryview
        What follows, one after the other; only one at a time is asked for.

    Raises
    ------
    FileExistsError, OSError
        When it cannot be written.
    """
    with path.open("xb") as stream:
        stream.writelines(gzipped(head, bodies))


def gzipped(head: bytes, bodies: Iterable[memoryview]) -> Iterator[bytes]:
    """Yield the parts of what `write_gzip` writes; each body is done with before the next."""
    check, size = isal_zlib.crc32(head), len(head)
    yield _HEADER + _deflate(head)
    for body in bodies:
        for block, part, length in _deflated(body):
            yield block
            check = isal_zlib.crc32_combine(check, part, length)
            size += length
    yield b"\x03\x00" + struct.pack("<II", check, size & 0xFFFFFFFF)


def zlibbed(bodies: Iterable[memoryview]) -> Iterator[bytes]:
    """Yield the parts of a zlib stream (RFC 1950), deflated as `write_gzip` does."""
    check = 1
    yield b"\x78\x01"
    for body in bodies:
        check = isal_zlib.adler32(body, check)
        for block, _part, _length in _deflated(body):
            yield block
    yield b"\x03\x00" + struct.pack(">I", check)


def _deflated(body: memoryview) -> Iterator[tuple[bytes, int, int]]:
    """Yield each block deflated, its CRC-32 and its length."""
    zeros = bytes(_BLOCK)
    empty = _deflate(zeros), isal_zlib.crc32(zeros), _BLOCK

    def one(start: int) -> tuple[bytes, int, int]:
        block = body[start : start + _BLOCK]
        if len(block) == _BLOCK and not np.frombuffer(block, np.uint64).any():
            return empty
        return _deflate(block), isal_zlib.crc32(block), len(block)

    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        yield from pool.map(one, range(0, len(body), _BLOCK))


def _deflate(block: bytes | memoryview) -> bytes:
    deflate = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, -15)
    return bytes(deflate.compress(block) + deflate.flush(isal_zlib.Z_SYNC_FLUSH))
