"""Encapsulated pixel data (PS3.5 A.4): one clean fragment for each described frame."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, BinaryIO

from napari_medlabel.deid.pixels import jpeg, jpeg2000
from napari_medlabel.deid.pixels.rle import clean_rle
from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.deid.report.counts import Reason

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_ITEM, _DELIMITER = 0xFFFEE000, 0xFFFEE0DD
_HEAD = struct.Struct("<HHL")
_SIGNATURES = (jpeg.SIGNATURE, jpeg2000.SIGNATURE, jpeg2000.BOXES)


@dataclass(frozen=True)
class Shape:
    """What the header says of the frames.

    Parameters
    ----------
    frames : int
        Number of Frames.
    planes : int
        Samples per pixel times bytes per sample: the segments of an RLE frame.
    plane_size : int
        Rows times columns.
    """

    frames: int
    planes: int
    plane_size: int


def clean_fragments(value: bytes, shape: Shape) -> bytes:
    """Return encapsulated pixel data that holds nothing but the described frames.

    Parameters
    ----------
    value : bytes
        The element's value as found: offset table, fragments, and maybe a delimiter.
    shape : Shape
        What the header describes.

    Returns
    -------
    bytes
        An empty offset table and one fragment for each frame, without comments and
        surplus. Frames decode to the same pixels.

    Raises
    ------
    QuarantineError
        For items that do not add up, fewer frames than described, or a coding that this
        program cannot check (it knows JPEG, JPEG-LS, JPEG 2000, HTJ2K and RLE).
    """
    frames = clean_frames(_items(value), shape)
    return b"".join(item_of(part) for part in (b"", *(content for content, _ in frames)))


def clean_frames(items: Iterator[bytes], shape: Shape) -> Iterator[tuple[bytes, bytes]]:
    """Clean frames one after the other, so that only one has to be in memory.

    Parameters
    ----------
    items : iterator of bytes
        The offset table, which is left out, and the fragments as found.
    shape : Shape
        What the header describes.

    Yields
    ------
    content : bytes
        A frame as it is written.
    plain : bytes
        What of it is not entropy coded, where text could be read.

    Raises
    ------
    QuarantineError
        As `clean_fragments`.
    """
    next(items, b"")
    count = 0
    for frame in _frames(items, shape.frames):
        count += 1
        yield _cleaned(frame, shape)
    if count < max(shape.frames, 1):
        raise QuarantineError(Reason.PIXELS_BROKEN)


def fragments_in(source: BinaryIO, position: int) -> Iterator[bytes]:
    """Read the items of encapsulated pixel data one by one, up to their delimiter.

    Parameters
    ----------
    source : BinaryIO
        The file.
    position : int
        Where the first item is.

    Raises
    ------
    QuarantineError
        For items that do not add up, and where the delimiter is missing.
    """
    size = source.seek(0, 2)
    while True:
        source.seek(position)
        head = source.read(_HEAD.size)
        if len(head) < _HEAD.size:
            raise QuarantineError(Reason.PIXELS_BROKEN)
        group, element, length = _HEAD.unpack(head)
        tag = (group << 16) | element
        if tag == _DELIMITER:
            return
        position += _HEAD.size + length
        if tag != _ITEM or position > size:
            raise QuarantineError(Reason.PIXELS_BROKEN)
        yield source.read(length)


def shape_of(dataset: Dataset) -> Shape:
    """Return what a header says of the frames; what is missing is 0, frames and samples 1."""
    rows, columns, samples, bits, frames = (
        default if dataset.get(keyword) in (None, "") else int(dataset[keyword].value)
        for keyword, default in (
            ("Rows", 0),
            ("Columns", 0),
            ("SamplesPerPixel", 1),
            ("BitsAllocated", 0),
            ("NumberOfFrames", 1),
        )
    )
    return Shape(frames, samples * (bits // 8), rows * columns)


def plain_parts(value: bytes) -> bytes:
    """Return what of cleaned pixel data is not entropy coded, where text could be read."""
    return b"".join(
        _coded(fragment)[1] for fragment in _items(value) if fragment.startswith(_SIGNATURES)
    )


def frames_in(value: bytes) -> Iterator[bytes]:
    """Return the frames of cleaned pixel data: each is one fragment.

    Parameters
    ----------
    value : bytes
        From `clean_fragments`.
    """
    return islice(_items(value), 1, None)


def _frames(fragments: Iterator[bytes], count: int) -> Iterator[bytes]:
    """Return as many frames as described, from one or more fragments each."""
    if count == 1:
        yield b"".join(fragments)
        return
    first = next(fragments, b"")
    if not first.startswith(_SIGNATURES):
        yield from islice(chain((first,) if first else (), fragments), max(count, 0))
        return
    parts = [first]
    for fragment in fragments:
        if fragment.startswith(_SIGNATURES):
            yield b"".join(parts)
            parts = []
            count -= 1
            if count < 1:
                return
        parts.append(fragment)
    yield b"".join(parts)


def _cleaned(frame: bytes, shape: Shape) -> tuple[bytes, bytes]:
    if frame.startswith(_SIGNATURES):
        return _coded(frame)
    return clean_rle(frame, shape.planes, shape.plane_size), b""


def _coded(frame: bytes) -> tuple[bytes, bytes]:
    """Return a JPEG or JPEG 2000 frame cleaned, and its plain parts."""
    if frame.startswith(jpeg.SIGNATURE):
        return jpeg.clean_jpeg(frame)
    return jpeg2000.clean_jpeg2000(frame)


def _items(value: bytes) -> Iterator[bytes]:
    """Each item's bytes; a delimiter or the end of the bytes closes the list."""
    position = 0
    while position + _HEAD.size <= len(value):
        group, element, length = _HEAD.unpack_from(value, position)
        tag = (group << 16) | element
        if tag == _DELIMITER:
            return
        start = position + _HEAD.size
        position = start + length
        if tag != _ITEM or position > len(value):
            raise QuarantineError(Reason.PIXELS_BROKEN)
        yield value[start:position]
    if position != len(value):
        raise QuarantineError(Reason.PIXELS_BROKEN)


def item_of(content: bytes) -> bytes:
    """Return an item of encapsulated pixel data, of even length."""
    content += bytes(len(content) & 1)
    return _HEAD.pack(_ITEM >> 16, _ITEM & 0xFFFF, len(content)) + content
