"""JPEG and JPEG-LS (ISO 10918-1, 14495-1): the segments that decoding needs, nothing else."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from itertools import chain

from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.deid.report.counts import Reason

SIGNATURE = b"\xff\xd8\xff"
_SOI, _EOI = b"\xff\xd8", b"\xff\xd9"
_DHT, _DAC, _SOS, _DQT, _DNL, _DRI, _COM = 0xC4, 0xCC, 0xDA, 0xDB, 0xDC, 0xDD, 0xFE
_SOF_LS, _LSE = 0xF7, 0xF8
_APP0, _APP8, _APP14, _APP15 = 0xE0, 0xE8, 0xEE, 0xEF
_FRAMES = frozenset({*range(0xC0, 0xD0), _SOF_LS}) - {_DHT, 0xC8, _DAC}
_PRESET = 11  # parameters of an LSE segment that sets thresholds, its only kind kept
_JFIF = b"JFIF\0\1\2\0\0\1\0\1\0\0"
_ADOBE = b"Adobe\0\x64\0\0\0\0"
_HP = b"mrfx"
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_TEXT_AT_END = re.compile(
    rb"(?:[A-Z]?[a-z]{7,}|[A-Z]{8,}|[0-9]{8,}|[0-9A-Za-z ^,._-]{14,})\0?\Z"
)
_TAIL, _FEWEST_KINDS = 256, 5
_MARKER_LS = re.compile(rb"\xff[\x80-\xcf\xd8-\xfe]")


def clean_jpeg(frame: bytes) -> tuple[bytes, bytes]:
    """Return a frame without comments, application data and bytes after its end.

    Parameters
    ----------
    frame : bytes
        One frame; what follows its EOI marker is cut.

    Returns
    -------
    content : bytes
        SOI to EOI. Frame and scan headers, the tables that they name and the coded scans
        are bit for bit as found. A JFIF, an Adobe and a JPEG-LS colour transform segment,
        which tell a decoder the colours, are written anew from constants and the
        transform's number.
    plain : bytes
        What of it is not entropy coded, for a search.

    Raises
    ------
    QuarantineError
        When a segment is not of a known kind and exact length, a scan ends in what can be
        read, or the end is missing.
    """
    if not frame.startswith(_SOI):
        raise QuarantineError(Reason.PIXELS_UNCHECKED)
    parts = list(_parts(frame))
    used = {name for marker, body, _ in parts for name in _named(marker, body)}
    plain = [_kept(marker, body, used) for marker, body, _ in parts]
    coded = [scan for _, _, scan in parts]
    content = b"".join(chain.from_iterable(zip(plain, coded, strict=True)))
    return _SOI + content + _EOI, b"".join(plain)


def ends_in_text(coded: bytes) -> bool:
    """Whether the last bytes of coded data, which nothing decodes, are a word or a number.

    One of about ten million codings ends so by chance. What repeats, as an even background
    does, is no text.
    """
    found = _TEXT_AT_END.search(coded, max(0, len(coded) - _TAIL))
    return found is not None and len(set(found[0])) >= _FEWEST_KINDS


def _parts(frame: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Marker, parameters, and what is coded behind, of each segment up to the end."""
    position, lossless_ls = len(_SOI), False
    while True:
        marker, position = _marker(frame, position)
        if marker == _EOI[1]:
            return
        body, position = _body(frame, position)
        start = position
        lossless_ls = lossless_ls or marker == _SOF_LS
        if marker == _SOS:
            found = (_MARKER_LS if lossless_ls else _MARKER).search(frame, position)
            if found is None or ends_in_text(frame[position : found.start()]):
                raise QuarantineError(Reason.PIXELS_UNCHECKED)
            position = found.start()
        yield marker, body, frame[start:position]


def _named(marker: int, body: bytes) -> Iterator[tuple[int, int]]:
    """Return marker and first byte of the tables that a frame or scan uses."""
    if marker in _FRAMES and _exact(marker, body):
        yield from ((_DQT, number) for number in body[8::3])
    elif marker == _SOS and _exact(marker, body):
        for pair in body[2 : 2 * body[0] + 1 : 2]:
            yield _DHT, pair >> 4
            yield _DHT, 0x10 | pair & 0x0F


def _marker(frame: bytes, position: int) -> tuple[int, int]:
    """Return the marker at a position, and where its segment's length is."""
    start = position
    while frame[position : position + 1] == b"\xff":
        position += 1
    if position == start or position >= len(frame):
        raise QuarantineError(Reason.PIXELS_UNCHECKED)
    return frame[position], position + 1


def _body(frame: bytes, position: int) -> tuple[bytes, int]:
    """Return a segment's parameters, and where the segment ends."""
    length = int.from_bytes(frame[position : position + 2], "big")
    end = position + length
    if length < 2 or end > len(frame):
        raise QuarantineError(Reason.PIXELS_UNCHECKED)
    return frame[position + 2 : end], end


def _kept(marker: int, body: bytes, used: set[tuple[int, int]]) -> bytes:
    """Return a segment as it is written: whole, in part, made anew, or nothing."""
    if marker == _COM:
        return b""
    if _APP0 <= marker <= _APP15:
        body = _application(marker, body)
        if not body:
            return b""
    elif not _exact(marker, body):
        raise QuarantineError(Reason.PIXELS_UNCHECKED)
    elif marker in {_DQT, _DHT}:
        # the number of a quantization table is below its precision, a code's above is its class
        mask = 0x0F if marker == _DQT else 0xFF
        tables = _tables(marker, body)
        body = b"".join(table for table in tables if (marker, table[0] & mask) in used)
        if not body:
            return b""
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def _application(marker: int, body: bytes) -> bytes:
    """Return the parameters of a segment that tells colours; empty for all others."""
    if marker == _APP0 and body.startswith(_JFIF[:5]):
        return _JFIF
    if marker == _APP14 and body.startswith(_ADOBE[:5]) and len(body) == len(_ADOBE) + 1:
        return _ADOBE + body[-1:]
    if marker == _APP8 and body.startswith(_HP) and len(body) == len(_HP) + 1:
        return body
    return b""


def _exact(marker: int, body: bytes) -> bool:
    """Whether a segment is of a known kind and no longer than its own counts say."""
    length = len(body)
    if marker in _FRAMES:
        return length > 5 and length == 6 + 3 * body[5]
    if marker == _SOS:
        return length > 0 and length == 4 + 2 * body[0]
    if marker in {_DQT, _DHT}:
        return len(b"".join(_tables(marker, body))) == length > 0
    return {
        _DRI: length in {2, 3, 4},
        _DNL: length == 2,
        _DAC: length > 0 and length % 2 == 0,
        _LSE: length == _PRESET and body[:1] == b"\1",
    }.get(marker, False)


def _tables(marker: int, body: bytes) -> Iterator[bytes]:
    """Quantization or Huffman tables of a segment; too few bytes where one is cut short."""
    position = 0
    while position < len(body):
        start = position
        if marker == _DQT:
            position += 129 if body[position] >> 4 else 65
        else:
            position += 17 + sum(body[position + 1 : position + 17])
        if position <= len(body):
            yield body[start:position]
