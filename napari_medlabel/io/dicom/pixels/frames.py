"""Where the frames of a DICOM file lie, and their bytes: native, or fragments that are one.

Compressed frames are found by their fragments and by how their code streams begin; the basic
offset table is asked only where that leaves a choice, since it is often wrong. The extended
one is never needed: it asks for one fragment a frame.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import InputError

Fetch = Callable[[int, int], memoryview]
"""Offset and length to exactly these bytes; raises InputError where a file ends before."""
Span = tuple[int, int]
"""Offset and length of one fragment."""

UNDEFINED: Final = 0xFFFFFFFF
_BINARY: Final = os.O_RDONLY | getattr(os, "O_BINARY", 0)
_MOST_AT_ONCE: Final = 1 << 30
_HAS_PREADV: Final = hasattr(os, "preadv")  # Windows has none
_ITEM: Final = (0xFFFE, 0xE000)
_END: Final = (0xFFFE, 0xE0DD)
_STARTS: Final = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  ")
_item = struct.Struct("<HHI").unpack_from


def read_into(path: Path | str, offset: int, target: npt.NDArray[Any], where: str) -> None:
    """Fill a C-contiguous array with a file's bytes.

    Parameters
    ----------
    path : Path or str
        The file.
    offset : int
        Its first byte that is wanted.
    target : ndarray
        What to fill, whole.
    where : str
        Names the image in messages.

    Raises
    ------
    InputError
        When the file cannot be opened, or ends before the array is full.
    """
    try:
        descriptor = os.open(path, _BINARY)
        try:
            done = _read_once(descriptor, offset, target)
            if done != target.nbytes:
                done = _read_rest(descriptor, offset, target, done)
        finally:
            os.close(descriptor)
    except OSError as err:
        raise InputError(
            f"The file of {where} cannot be read.",
            hint="Check that it still exists and that you may read it.",
        ) from err
    if done != target.nbytes:
        raise cut_off(where)


def cut_off(where: str) -> InputError:
    """Return the error for a file that ends too early."""
    return InputError(
        f"The series is damaged: {where} ends inside its pixel data.",
        hint="The file was cut off; copy or export the series again.",
    )


def from_file(path: Path | str, where: str) -> Fetch:
    """Return what reads parts of a file on demand."""

    def fetch(offset: int, length: int) -> memoryview:
        buffer = np.empty(length, np.uint8)
        if length:
            read_into(path, offset, buffer, where)
        return buffer.data

    return fetch


def from_bytes(data: bytes | bytearray | memoryview, where: str) -> Fetch:
    """Return what hands out parts of bytes in memory."""
    view = memoryview(data)

    def fetch(offset: int, length: int) -> memoryview:
        part = view[offset : offset + length]
        if len(part) != length:
            raise cut_off(where)
        return part

    return fetch


def fragments(fetch: Fetch, at: int, size: int, where: str) -> tuple[Span, ...]:
    """List the items of encapsulated pixel data, PS3.5 A.4: the offset table is the first.

    Parameters
    ----------
    fetch : callable
        Reads the file.
    at : int
        Where the value of the pixel data begins.
    size : int
        Length of the file.
    where : str
        Names the image in messages.

    Returns
    -------
    tuple of pair of int
        Offset and length of each item's value.

    Raises
    ------
    InputError
        When something else than items follows, or an item is longer than the file.
    """
    spans: list[Span] = []
    # A file that ends right behind a whole fragment lacks nothing but the delimiter.
    while at + 8 <= size:
        group, element, length = _item(fetch(at, 8))
        at += 8
        if (group, element) == _END:
            break
        if (group, element) != _ITEM or at + length > size:
            raise _compressed_cut_off(where)
        spans.append((at, length))
        at += length
    if len(spans) < 2:
        raise _compressed_cut_off(where)
    return tuple(spans)


def frames_of(
    fetch: Fetch, items: Sequence[Span], frames: int, where: str
) -> tuple[tuple[Span, ...], ...]:
    """Say which fragments make up each frame.

    Parameters
    ----------
    fetch : callable
        Reads the file.
    items : sequence of pair of int
        As `fragments` returned them.
    frames : int
        Number of Frames.
    where : str
        Names the image in messages.

    Raises
    ------
    InputError
        When there are fewer fragments than frames, or nothing says where frames begin.
    """
    table, parts = items[0], tuple(items[1:])
    if frames == 1:
        return (parts,)
    if len(parts) == frames:
        return tuple((part,) for part in parts)
    if len(parts) < frames:
        raise InputError(
            f"The series is damaged: {where} should hold {frames} frames and holds "
            f"{len(parts)} compressed parts.",
            hint="Copy or export the series again.",
        )
    heads = [bytes(fetch(at, min(8, length))) for at, length in parts]
    starts = [n for n, head in enumerate(heads) if head.startswith(_STARTS)]
    if len(starts) != frames:
        starts = _by_table(fetch, table, parts)
    if len(starts) != frames or starts[0] != 0:
        raise InputError(
            f"The offset table of {where} does not say where its {frames} frames begin.",
            hint="Export the series again, uncompressed if the archive allows it.",
        )
    ends = [*starts[1:], len(parts)]
    return tuple(parts[first:last] for first, last in zip(starts, ends, strict=True))


def join(fetch: Fetch, parts: Sequence[Span]) -> bytes:
    """Return the code stream of one frame."""
    return b"".join(fetch(at, length) for at, length in parts)


def _by_table(fetch: Fetch, table: Span, parts: Sequence[Span]) -> list[int]:
    """Return the fragments at which frames begin, by the basic offset table."""
    offsets = np.frombuffer(fetch(table[0], table[1] // 4 * 4), "<u4")
    # Offsets count from the first byte of the first fragment's item tag.
    first = parts[0][0]
    known = {at - first: number for number, (at, _) in enumerate(parts)}
    starts = [known.get(int(offset), -1) for offset in offsets]
    return starts if starts == sorted(set(starts)) and -1 not in starts else []


def _read_once(descriptor: int, offset: int, target: npt.NDArray[Any]) -> int:
    return os.preadv(descriptor, [target.data], offset) if _HAS_PREADV else 0


def _read_rest(descriptor: int, offset: int, target: npt.NDArray[Any], done: int) -> int:
    """Go on where one call did not give all: systems give at most 2 GB at once."""
    view = target.reshape(-1).view(np.uint8)
    os.lseek(descriptor, offset + done, os.SEEK_SET)
    while done < len(view):
        got = os.read(descriptor, min(len(view) - done, _MOST_AT_ONCE))
        if not got:
            break
        view[done : done + len(got)] = np.frombuffer(got, np.uint8)
        done += len(got)
    return done


def _compressed_cut_off(where: str) -> InputError:
    return InputError(
        f"The series is damaged: the compressed pixels of {where} are cut off.",
        hint="Copy or export the series again.",
    )
