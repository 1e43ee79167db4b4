"""JPEG 2000 and HTJ2K (ISO 15444-1, -15): the codestream without comments, boxes, surplus."""

from __future__ import annotations

import struct

from napari_medlabel.deid.pixels.jpeg import ends_in_text
from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.deid.report.counts import Reason

SIGNATURE = b"\xff\x4f\xff\x51"
BOXES = b"\0\0\0\x0cjP  \r\n\x87\n"
_SOC, _EOC = b"\xff\x4f", b"\xff\xd9"
_SIZ, _COD, _COM, _SOT, _SOD = 0xFF51, 0xFF52, 0xFF64, 0xFF90, 0xFF93
_CAP, _HIGH_THROUGHPUT = 0xFF50, b"\xff\x50\0\x08\0\2\0\0"
_CODING = frozenset({0xFF52, 0xFF53, 0xFF5C, 0xFF5D, 0xFF5E, 0xFF5F})  # COD COC QCD QCC RGN POC
_DROPPED = frozenset({0xFF55, 0xFF57, 0xFF58, 0xFF59, 0xFF63, _COM})  # TLM PLM PLT CPF CRG
_MAIN = _CODING | {_CAP, _SIZ} | _DROPPED - {0xFF58}
_TILE = _CODING | {0xFF58, _COM}
_SOT_SIZE, _COD_SIZE = 12, 14
_TILE_START = b"\xff\x90"
_PALETTES = (b"pclr", b"cmap", b"cdef")
_LONG_BOX = 16


def clean_jpeg2000(frame: bytes) -> tuple[bytes, bytes]:
    """Return the codestream of a frame without comments and bytes after its end.

    Parameters
    ----------
    frame : bytes
        One frame: a codestream, or a JP2 file whose boxes are left out.

    Returns
    -------
    content : bytes
        SOC to EOC. Comments are gone, and so are lists of lengths, of profiles and where
        components lie (TLM PLM PLT CPF CRG), which no decoder needs. All else is bit for
        bit as found, but the length of a tile-part that lost some of its header.
    plain : bytes
        The main header and the headers of tile-parts, for a search.

    Raises
    ------
    QuarantineError
        For a marker that is not known there, lengths that do not fit, a tile-part that ends
        in what can be read, or a missing end.
    """
    if frame.startswith(BOXES):
        frame = _codestream(frame)
    if not frame.startswith(SIGNATURE):
        raise QuarantineError(Reason.PIXELS_UNCHECKED)
    position, segments = _segments(frame, len(_SOC), _MAIN, _SOT)
    header = [body for marker, body in segments if marker not in _DROPPED]
    if len(header[0]) != 40 + 3 * int.from_bytes(header[0][38:40], "big"):
        raise QuarantineError(Reason.PIXELS_UNCHECKED)
    content, plain = [_SOC, *header], list(header)
    while frame[position : position + 2] == _TILE_START:
        tile_header, data, position = _tile_part(frame, position)
        content += [tile_header, data]
        plain.append(tile_header)
    if frame[position : position + 2] != _EOC and frame[position:].strip(b"\0"):
        raise QuarantineError(Reason.PIXELS_UNCHECKED)  # no end marker at all is common
    content.append(_EOC)
    return b"".join(content), b"".join(plain)


def _segments(
    frame: bytes, position: int, known: frozenset[int], last: int
) -> tuple[int, list[tuple[int, bytes]]]:
    """Return where the marker after a header is, and the header's segments."""
    result: list[tuple[int, bytes]] = []
    while True:
        if position + 4 > len(frame):
            raise QuarantineError(Reason.PIXELS_UNCHECKED)
        marker, length = struct.unpack_from(">2H", frame, position)
        if marker == last:
            return position, result
        end = position + 2 + length
        body = frame[position:end]
        if marker not in known or length < 2 or end > len(frame) or not _exact(marker, body):
            raise QuarantineError(Reason.PIXELS_UNCHECKED)
        result.append((marker, body))
        position = end


def _exact(marker: int, segment: bytes) -> bool:
    """Whether a segment whose length follows from what is in it is no longer than that."""
    if marker == _CAP:  # of Part 15 alone
        return (
            segment.startswith(_HIGH_THROUGHPUT) and len(segment) == len(_HIGH_THROUGHPUT) + 2
        )
    if marker != _COD:
        return True
    if len(segment) < _COD_SIZE:
        return False
    precincts = segment[9] + 1 if segment[4] & 1 else 0
    return len(segment) == _COD_SIZE + precincts


def _tile_part(frame: bytes, position: int) -> tuple[bytes, bytes, int]:
    """Return what is kept of a tile-part's header, its data, and where it ends."""
    start = frame[position : position + _SOT_SIZE]
    if len(start) < _SOT_SIZE or start[:4] != b"\xff\x90\0\x0a":
        raise QuarantineError(Reason.PIXELS_UNCHECKED)
    size = int.from_bytes(start[6:10], "big")
    data_at, segments = _segments(frame, position + _SOT_SIZE, _TILE, _SOD)
    end = position + size if size else frame.find(_EOC, data_at)
    if not data_at + 2 <= end <= len(frame):
        raise QuarantineError(Reason.PIXELS_UNCHECKED)
    if ends_in_text(frame[data_at:end]):
        raise QuarantineError(Reason.PIXELS_UNCHECKED)
    gone = sum(len(body) for marker, body in segments if marker in _DROPPED)
    if gone and size:
        start = start[:6] + (size - gone).to_bytes(4, "big") + start[10:]
    kept = (body for marker, body in segments if marker not in _DROPPED)
    return b"".join((start, *kept)), frame[data_at:end], end


def _codestream(frame: bytes) -> bytes:
    """Return the contiguous codestream of a JP2 file whose colours need no palette."""
    position = 0
    while position + 8 <= len(frame):
        length, kind = struct.unpack_from(">L4s", frame, position)
        head = 8
        if length == 1 and position + _LONG_BOX <= len(frame):
            head, length = _LONG_BOX, int.from_bytes(frame[position + 8 : position + 16], "big")
        end = position + length if length else len(frame)
        if (length and length < head) or end > len(frame):
            break
        body = frame[position + head : end]
        if kind == b"jp2h" and any(box in body for box in _PALETTES):
            break
        if kind == b"jp2c":
            return body
        position = end
    raise QuarantineError(Reason.PIXELS_UNCHECKED)
