"""RLE frames (PS3.5 Annex G): the segments that are described, packet by packet, no surplus."""

from __future__ import annotations

import struct

from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.deid.report.counts import Reason

_HEADER = struct.Struct("<16L")
_MOST = 15
_NOTHING = 128


def clean_rle(frame: bytes, segments: int, plane_size: int) -> bytes:
    """Return a frame of exactly the described segments, each of exactly its samples.

    Parameters
    ----------
    frame : bytes
        One frame as found.
    segments : int
        Samples per pixel times bytes per sample.
    plane_size : int
        Bytes that each segment decodes to: rows times columns.

    Returns
    -------
    bytes
        Header and segments, each padded with zeros to even length. The packets are bit for
        bit as found.

    Raises
    ------
    QuarantineError
        When the header is not that of so many segments, or a segment ends early or within
        a packet.
    """
    if len(frame) < _HEADER.size:
        raise QuarantineError(Reason.PIXELS_UNCHECKED)
    count, *offsets = _HEADER.unpack_from(frame)
    used = offsets[:count]
    right = 1 <= count == segments <= _MOST and used[0] == _HEADER.size
    if not right or any(offsets[count:]) or used != sorted(used):
        raise QuarantineError(Reason.PIXELS_UNCHECKED)
    planes = [
        _packets(frame, start, end, plane_size)
        for start, end in zip(used, [*used[1:], len(frame)], strict=True)
    ]
    starts, position = [], _HEADER.size
    for plane in planes:
        starts.append(position)
        position += len(plane)
    header = _HEADER.pack(count, *starts, *[0] * (_MOST - count))
    return header + b"".join(planes)


def _packets(frame: bytes, position: int, limit: int, size: int) -> bytes:
    """Return the packets that decode to one plane."""
    start, limit = position, min(limit, len(frame))
    while size > 0 and position < limit:
        first = frame[position]
        if first < _NOTHING:
            size -= first + 1
            position += first + 2
        elif first > _NOTHING:
            size -= 257 - first
            position += 2
        else:
            position += 1
    if size != 0 or position > limit:
        raise QuarantineError(Reason.PIXELS_UNCHECKED)
    return frame[start:position] + bytes((position - start) & 1)
