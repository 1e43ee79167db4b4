"""Voxels out of a file as they lie there, in blocks: no byte more or less than described."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Final

from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.deid.report.counts import Reason
from napari_medlabel.errors import InputError
from napari_medlabel.io.gzip_stream import LARGEST_RATIO, MAGIC, GzipReader, Packing

_BLOCK: Final = 8 << 20
_LARGEST_BOMB: Final = {"raw": 1 << 62, "gzip": 4 << 30, "zlib": 4 << 30, "bzip2": 1 << 30}
_LARGEST_SHRINKING: Final = 200
_DICM: Final = slice(128, 132)

Source = Path | bytes


@dataclass(frozen=True)
class Extent:
    """Where voxels lie.

    Parameters
    ----------
    source : Path or bytes
        The file, or its content.
    packing : str
        As in `GzipReader`.
    start : int
        Bytes of the file in front of what is packed.
    skip : int
        Unpacked bytes in front of the voxels.
    size : int
        Bytes of the voxels.
    """

    source: Source
    packing: Packing
    start: int
    skip: int
    size: int


def packing_of(source: Source) -> Packing:
    """Return ``"gzip"`` for a file that begins like one, otherwise ``"raw"``."""
    return "gzip" if first_bytes(source, len(MAGIC), "raw") == MAGIC else "raw"


def length_of(source: Source) -> int:
    """Return how many bytes a file has.

    Raises
    ------
    QuarantineError
        When it cannot be looked up.
    """
    with _opened(source) as stream:
        return stream.seek(0, os.SEEK_END)


def first_bytes(source: Source, count: int, packing: Packing, start: int = 0) -> bytes:
    """Return the first bytes of a file, unpacked; fewer where it has fewer.

    Raises
    ------
    QuarantineError
        When it cannot be read or unpacked.
    """
    target = bytearray(count)
    with _opened(source) as stream:
        stream.seek(start)
        done = _reader(stream, packing).read_into(memoryview(target))
    return bytes(target[:done])


def require_promise(extents: Iterable[Extent]) -> None:
    """Refuse files that cannot hold what is described, before anything is read.

    Raises
    ------
    QuarantineError
        When one is too short, unpacks to gigabytes and hundreds of times its size, or is a
        DICOM file, whose header would pass as voxels.
    """
    for extent in extents:
        if first_bytes(extent.source, _DICM.stop, "raw")[_DICM] == b"DICM":
            raise QuarantineError(Reason.HEADER_BROKEN)
        there = max(0, length_of(extent.source) - extent.start)
        needed = extent.skip + extent.size
        if needed > there * LARGEST_RATIO[extent.packing]:
            raise QuarantineError(Reason.NIFTI_INCOMPLETE)
        if needed > max(_LARGEST_BOMB[extent.packing], _LARGEST_SHRINKING * there):
            raise QuarantineError(Reason.UNREADABLE)


def copied(extents: Iterable[Extent]) -> Iterator[memoryview]:
    """Yield the voxels of one file after the other, in blocks of 8 MiB.

    The same memory is used for each block.

    Raises
    ------
    QuarantineError
        When a file ends too early, cannot be read, or its check sum is wrong.
    """
    buffer = memoryview(bytearray(_BLOCK))
    for extent in extents:
        with _opened(extent.source) as stream:
            yield from _copied(extent, stream, buffer)


def _copied(extent: Extent, stream: IO[bytes], buffer: memoryview) -> Iterator[memoryview]:
    reader = _reader(stream, extent.packing)
    if extent.packing == "raw":
        stream.seek(extent.start + extent.skip)
    else:
        stream.seek(extent.start)
        if reader.skip(extent.skip) < extent.skip:
            raise QuarantineError(Reason.NIFTI_INCOMPLETE)
    left = extent.size
    while left:
        block = buffer[: min(left, _BLOCK)]
        if reader.read_into(block) < len(block):
            raise QuarantineError(Reason.NIFTI_INCOMPLETE)
        yield block
        left -= len(block)
    if extent.packing != "raw":
        reader.finish()


def _reader(stream: IO[bytes], packing: Packing) -> GzipReader:
    return GzipReader(stream, packing=packing, see=lambda _: None)


@contextmanager
def _opened(source: Source) -> Iterator[IO[bytes]]:
    """Open a file; what fails while it is read means that it is not passed on."""
    try:
        if isinstance(source, bytes):
            yield BytesIO(source)
        else:
            with source.open("rb", buffering=0) as stream:
                yield stream
    except (OSError, InputError) as err:
        raise QuarantineError(Reason.UNREADABLE) from err
