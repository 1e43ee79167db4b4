"""Search a whole DICOM file: header, meta, pixels and what comes after them."""

from __future__ import annotations

import re
import struct
import threading
from collections.abc import Generator, Iterable, Iterator
from io import BytesIO
from typing import BinaryIO, cast

from napari_medlabel.deid.dicom.elements import UNDEFINED, Element
from napari_medlabel.deid.scan.dicom import (
    charsets_of,
    element_faults,
    is_plain,
    meta_faults,
)
from napari_medlabel.deid.scan.finding import DATE_OPTIONS, Allowance, Finding, Sign, path_text
from napari_medlabel.deid.scan.read import FileParts, described_bytes
from napari_medlabel.deid.scan.search import Searcher
from napari_medlabel.deid.scan.stays import is_kept, is_retained
from napari_medlabel.deid.scan.tables import (
    entry,
    is_meaning,
    is_standard_uid,
    row_for,
)
from napari_medlabel.deid.scan.walk import BrokenError, Leaf, pieces_of, walk
from napari_medlabel.deid.scan.words import SHORT_BYTES, Needle, decoded, is_dummy

_CHUNK = 1 << 20
_OVERLAP = 256
_ITEM, _END = 0xFFFEE000, 0xFFFEE0DD
_MEANING, _METHOD = 0x00080104, 0x00120063
_OUR_METHOD = re.compile(
    r"napari-medlabel [0-9a-z.+]+, PS3\.15 [0-9]{4}[a-z] [a-z]+"
    r"|site rules, profile sha256 [0-9a-f]{16}"
)
_TEXTUAL = frozenset({"OB", "UN", ""})
_MOST_PADDING = 2
_JPEG, _HARMLESS = b"\xff\xd8", frozenset({0xE8, 0xEE})  # SPIFF, Adobe: numbers only
_SCANS = (b"\xff\xda", b"\xff\x93")  # where JPEG and JPEG 2000 stop being readable


def file_faults(
    stream: BinaryIO,
    parts: FileParts,
    allowance: Allowance,
    searcher: Searcher,
    extra: tuple[Needle, ...] = (),
) -> Iterator[Finding]:
    """Yield all that a DICOM file holds and should not.

    Parameters
    ----------
    stream : BinaryIO
        The file.
    parts : FileParts
        Its parts.
    allowance : Allowance
        What may stay.
    searcher, extra
        What tells whose it was: all that files of a series share, and a few patterns more.
    """
    yield from meta_faults(parts)
    yield from element_faults(parts, allowance)
    for position, needle in searcher.in_text(parts.head, extra):
        where = _proof(parts, position, needle, allowance)
        if where:
            yield Finding(needle.sign, where)
    if parts.broken:
        yield Finding(Sign.TRAILING, "after the last element")
    if parts.pixels is not None:
        source = stream if parts.content is None else BytesIO(parts.content)
        yield from _beyond_header(source, parts, allowance, searcher, extra)


def _proof(parts: FileParts, position: int, needle: Needle, allowance: Allowance) -> str:
    """Return where a hit is; empty when it proves nothing there."""
    if position < parts.start:
        return "preamble and file meta information"
    begin = parts.start
    for element in parts.elements:
        end = begin + len(element[2])
        if position < end:
            return _proof_in(element, position - begin, parts, needle, allowance)
        begin = end
    return "after the last element"


def _proof_in(
    element: Element, position: int, parts: FileParts, needle: Needle, allowance: Allowance
) -> str:
    """Return the path of the element that a hit is in; empty when it proves nothing there."""
    for piece in pieces_of(element, parts.form, charsets_of(parts)):
        begin = position - piece.offset
        if not -len(needle.pattern) < begin < len(piece.element[2]):
            continue
        for leaf in piece.leaves():
            if leaf.start <= begin < leaf.stop or 0 < leaf.start - begin < len(needle.pattern):
                return path_text(leaf.path) if _counts(leaf, needle, allowance) else ""
    return path_text((element[0],))


def _counts(leaf: Leaf, needle: Needle, allowance: Allowance) -> bool:
    """Whether finding a pattern in an attribute proves something."""
    known, keyword = entry(leaf.tag)
    vr = known or leaf.vr
    if any(is_kept(tag, allowance) for tag in leaf.path):
        return False
    if (
        needle.sign is Sign.DATE
        and vr in {"DA", "DT", "TM"}
        and DATE_OPTIONS & allowance.options
    ):
        return False
    if len(needle.pattern) < SHORT_BYTES and (vr in _NUMERIC or vr.startswith("O")):
        return leaf.vr in _TEXTUAL and not known
    if vr in _NUMERIC or (vr in _BULK and not needle.plain):
        return False
    texts = [part.strip(" \0") for part in decoded(leaf.value, leaf.charsets).split("\\")]
    low = needle.pattern
    told = [t for t in texts if low in t.encode("utf-8", "replace").lower()]
    return not told or not all(
        _says_nothing(leaf.tag, (keyword, vr), text, allowance) for text in told
    )


_NUMERIC = frozenset({"AT", "FD", "FL", "SL", "SS", "SV", "UL", "US", "UV"})
_BULK = frozenset({"OB", "OD", "OF", "OL", "OV", "OW"})


def _says_nothing(tag: int, known: tuple[str, str], text: str, allowance: Allowance) -> bool:
    """Whether a component of a value would be the same in anybody's file."""
    keyword, vr = known
    if tag == _METHOD:
        return _OUR_METHOD.fullmatch(text) is not None
    if vr == "UI":
        return is_standard_uid(text) or is_dummy(text)
    if vr in {"PN", "DA", "DT"} or (row_for(tag) and not is_retained(tag, allowance)):
        return is_dummy(text)
    if tag == _MEANING and is_meaning(text):
        return True
    return is_plain(keyword, vr, text, allowance)


def _beyond_header(
    stream: BinaryIO,
    parts: FileParts,
    allowance: Allowance,
    searcher: Searcher,
    extra: tuple[Needle, ...],
) -> Iterator[Finding]:
    """Yield what is found in the pixels and after them."""
    _, start, length = parts.pixels or (0, 0, 0)
    if length == UNDEFINED:
        end = yield from _in_fragments(stream, start, parts, searcher, extra)
    else:
        end = start + length
        described = described_bytes(parts)
        if described is not None and not parts.encapsulated and length > described + 1:
            yield Finding(Sign.OVERHANG, "pixel data")
        found: set[Needle] = set()
        for chunk in _chunks(stream, start, min(length, parts.size - start)):
            found |= searcher.in_pixels(chunk, extra)
        yield from (Finding(needle.sign, "pixel data") for needle in found)
    if end < parts.size:
        stream.seek(end)
        yield from _after(stream.read(), parts, allowance, searcher, extra)


class _Buffer(threading.local):
    """Bytes to read into: to get new ones for each image takes longer than to fill them."""

    def __init__(self) -> None:
        self.view = memoryview(bytearray(_CHUNK + _OVERLAP))


_BUFFER = _Buffer()


def _chunks(stream: BinaryIO, start: int, length: int) -> Iterator[memoryview]:
    """Parts of a file that overlap by more than a pattern is long; each until the next."""
    stream.seek(start)
    view, kept = _BUFFER.view, 0
    while length > 0:
        part = view[kept : kept + min(_CHUNK, length)]
        count = cast("BytesIO", stream).readinto(part)
        if not count:
            return
        length -= count
        stop = kept + count
        yield view[:stop]
        kept = min(stop, _OVERLAP)
        view[:kept] = bytes(view[stop - kept : stop])


def _in_fragments(
    stream: BinaryIO,
    position: int,
    parts: FileParts,
    searcher: Searcher,
    extra: tuple[Needle, ...],
) -> Generator[Finding, None, int]:
    """Yield what is found in the items of compressed pixels; return where they end."""
    order = parts.form.order
    found: set[Needle] = set()
    while True:
        stream.seek(position)
        head = stream.read(8)
        if len(head) < 8:
            yield Finding(Sign.UNREADABLE, "pixel data")
            break
        group, number, length = struct.unpack(order + "HHL", head)
        position += 8
        if (group << 16 | number) == _END:
            break
        if (group << 16 | number) != _ITEM or position + length > parts.size:
            yield Finding(Sign.UNREADABLE, "pixel data")
            break
        for chunk in _chunks(stream, position, length):
            frame = bytes(chunk)
            yield from _around_samples(frame)
            found |= searcher.in_pixels(frame, extra, shortest=SHORT_BYTES)
            found |= {needle for _, needle in searcher.in_text(_readable(frame), extra)}
        position += length
    yield from (Finding(needle.sign, "pixel data") for needle in found)
    return position


def _around_samples(frame: bytes) -> Iterator[Finding]:
    """Yield what a JPEG frame holds besides its samples: comments, and bytes after its end."""
    if frame[:2] != _JPEG:
        return
    position = 2
    while frame[position : position + 1] == b"\xff" and position + 4 <= len(frame):
        marker = frame[position + 1]
        if marker == 0xDA:
            break
        if marker == 0xFE or (0xE1 <= marker <= 0xEF and marker not in _HARMLESS):
            yield Finding(Sign.FIELD, "comment in a compressed frame")
        position += 2 + int.from_bytes(frame[position + 2 : position + 4], "big")
    end = frame.rfind(b"\xff\xd9")
    if end >= 0 and frame[end + 2 :].strip(b"\0\xff"):
        yield Finding(Sign.TRAILING, "after a compressed frame")


def _readable(fragment: bytes) -> bytes:
    """Return the part of a compressed frame that comes before the coded samples."""
    if fragment[:2] not in {b"\xff\xd8", b"\xff\x4f"} and fragment[4:8] != b"jP  ":
        return b""
    stops = [place for mark in _SCANS if (place := fragment.find(mark)) >= 0]
    return fragment[: min(stops, default=0)]


def _after(
    tail: bytes,
    parts: FileParts,
    allowance: Allowance,
    searcher: Searcher,
    extra: tuple[Needle, ...],
) -> Iterator[Finding]:
    """Yield what is found after the pixels: elements that should not be, or no elements."""
    if len(tail) <= _MOST_PADDING and not tail.strip(b"\0"):
        return
    elements: list[Element] = []
    position = 0
    try:
        for tag, vr, start, stop, _ in walk(tail, 0, len(tail), parts.form):
            elements.append((tag, vr, tail[position:stop], start - position))
            position = stop
    except BrokenError:
        pass
    if position < len(tail):
        yield Finding(Sign.TRAILING, "after the last element")
    rest = FileParts(b"", {}, tail, 0, elements, parts.form, None, False, len(tail))
    yield from element_faults(rest, allowance)
    for _, needle in searcher.in_text(tail, extra):
        yield Finding(needle.sign, "after pixel data")


def distinct(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings without repetition, in order."""
    return tuple(sorted(set(findings)))
