"""Encapsulated pixel data (PS3.5 A.4): one clean fragment for each described frame."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from napari_medlabel.deid import jpeg, jpeg2000
from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.deid.report import Reason
from napari_medlabel.deid.rle import clean_rle

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
    _table, *fragments = list(_items(value)) or [b""]
    frames = _frames(fragments, shape.frames)
    if len(frames) < shape.frames or not frames:
        raise QuarantineError(Reason.PIXELS_BROKEN)
    cleaned = [_cleaned(frame, shape)[0] for frame in frames]
    return b"".join(_item(part) for part in (b"", *cleaned))


def plain_parts(value: bytes) -> bytes:
    """Return what of cleaned pixel data is not entropy coded, where text could be read."""
    return b"".join(
        _coded(fragment)[1] for fragment in _items(value) if fragment.startswith(_SIGNATURES)
    )


def _frames(fragments: list[bytes], count: int) -> list[bytes]:
    """Return as many frames as described, from one or more fragments each."""
    if count == 1:
        return [b"".join(fragments)]
    if not fragments or not fragments[0].startswith(_SIGNATURES):
        return fragments[:count]
    groups: list[list[bytes]] = []
    for fragment in fragments:
        if fragment.startswith(_SIGNATURES):
            groups.append([])
        groups[-1].append(fragment)
    return [b"".join(group) for group in groups[:count]]


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


def _item(content: bytes) -> bytes:
    content += bytes(len(content) & 1)
    return _HEAD.pack(_ITEM >> 16, _ITEM & 0xFFFF, len(content)) + content
