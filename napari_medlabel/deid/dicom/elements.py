"""Walk the bytes of a little-endian data set (PS3.5 section 7), without decoding a value."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from napari_medlabel.deid.pixels.described import PIXEL_TAGS

UNDEFINED = 0xFFFFFFFF
MAX_DEPTH = 64
LONG_VRS = frozenset(
    {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"}
)
SHORT_VRS = frozenset(
    {b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"LT", b"PN",
     b"SH", b"SL", b"SS", b"ST", b"TM", b"UI", b"UL", b"US"}
)  # fmt: skip
SEQUENCE, UNKNOWN = b"SQ", b"UN"
_FIRST_ITEM_TAG = 0xFFFE0000
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_LAST_PIXEL_TAG = PIXEL_TAGS[-1]
_IMPLICIT = struct.Struct("<HHL")
_EXPLICIT = struct.Struct("<HH2sH")
_LENGTH = struct.Struct("<L")

Element = tuple[int, bytes, bytes, int]
"""Tag, VR as in the file (empty where it is implicit), all bytes, where the value starts."""


class OddError(Exception):
    """The bytes are not plain enough for this walk; the other reader must judge the file."""


class ShortError(Exception):
    """The bytes end before the element does.

    Parameters
    ----------
    needed : int
        How many bytes there should be, at least.
    """

    def __init__(self, needed: int) -> None:
        super().__init__("more of the file is needed")
        self.needed = needed


@dataclass(frozen=True)
class Header:
    """The elements of a data set before its pixel data.

    Parameters
    ----------
    elements : list of Element
        In order of their tags.
    pixels : Element or None
        Pixel data: tag, VR, its first bytes only, and where its value starts in the file.
    pixels_length : int
        Length of its value as the file says, `UNDEFINED` included.
    """

    elements: list[Element]
    pixels: Element | None = None
    pixels_length: int = 0


def walk_header(
    content: bytes,
    position: int,
    *,
    explicit: bool,
    whole: bool,
    before: Sequence[Element] = (),
) -> Header:
    """Return the elements from a position on, up to pixel data or the end.

    Parameters
    ----------
    content : bytes
        The first bytes of a file.
    position : int
        Where the data set starts.
    explicit : bool
        Whether VRs are written (PS3.5 7.1.2).
    whole : bool
        Whether `content` is the whole file.
    before : sequence of Element
        Those of another file with the same encoding: where the very same bytes stand at a
        position, the element is the same and need not be taken apart again.

    Returns
    -------
    Header
        What follows pixel data is never looked at.

    Raises
    ------
    ShortError
        When more of the file is needed.
    OddError
        For tags out of order, unknown VRs, lengths that lead beyond the end, or items that
        do not add up.
    """
    elements: list[Element] = []
    last, end = -1, len(content)
    place = 0
    while True:
        position, place = _as_before(content, position, before, place, elements)
        if position >= end:
            break
        last = elements[-1][0] if elements else -1
        try:
            tag, vr, length, start, stop = _next(content, position, explicit=explicit)
        except (struct.error, ShortError) as err:
            raise _beyond(end + 1, whole=whole) from err
        if not last < tag < _FIRST_ITEM_TAG:  # after items outside of a sequence may be pixels
            raise OddError
        if tag in PIXEL_TAGS:
            return Header(elements, (tag, vr, content[position:start], start), length)
        if tag > _LAST_PIXEL_TAG:
            return Header(elements)
        if stop > end:
            raise _beyond(stop, whole=whole)
        elements.append((tag, vr, content[position:stop], start - position))
        position = stop
        while place < len(before) and before[place][0] <= tag:
            place += 1
    if not whole:
        raise ShortError(end + 1)
    return Header(elements)


def _as_before(
    content: bytes,
    position: int,
    before: Sequence[Element],
    place: int,
    elements: list[Element],
) -> tuple[int, int]:
    """Add the elements that stand here byte for byte as in another file.

    Returns
    -------
    tuple of int
        Where they end in the content, and in `before`.
    """
    last = elements[-1][0] if elements else -1
    starts_with = content.startswith
    while place < len(before):
        known = before[place]
        if not starts_with(known[2], position) or known[0] <= last:
            break
        elements.append(known)
        position += len(known[2])
        last = known[0]
        place += 1
    return position, place


def items_of(element: Element, *, explicit: bool) -> list[list[Element]]:
    """Return the elements of each item of a sequence.

    Parameters
    ----------
    element : Element
        From `walk_header` or this function; a sequence, or of VR UN and undefined length.
    explicit : bool
        Whether VRs are written in it.

    Raises
    ------
    OddError
        When items or elements do not add up.
    """
    content, position = element[2], element[3]
    undefined = content[position - 4 : position] == b"\xff\xff\xff\xff"
    end = len(content) - (8 if undefined else 0)
    items = []
    try:
        while position < end:
            group, number, length = _IMPLICIT.unpack_from(content, position)
            if group << 16 | number != _ITEM:
                raise OddError
            position += 8
            stop = end if length == UNDEFINED else position + length
            elements, position = _item(content, position, stop, explicit=explicit)
            if length == UNDEFINED:
                position = _closed(content, position, end)
            elif position != stop or stop > end:
                raise OddError
            items.append(elements)
    except (struct.error, ShortError) as err:
        raise OddError from err
    return items


def walk_level(content: bytes, *, explicit: bool) -> list[Element]:
    """Return the elements that fill some bytes exactly, such as an item that was written.

    Raises
    ------
    OddError
        When they do not.
    """
    try:
        elements, position = _item(content, 0, len(content), explicit=explicit)
    except (struct.error, ShortError) as err:
        raise OddError from err
    if position != len(content):
        raise OddError
    return elements


def _next(content: bytes, position: int, *, explicit: bool) -> tuple[int, bytes, int, int, int]:
    """Tag, VR, length, start of the value, and where it ends; that of pixels is not sought."""
    head_at = _explicit_head if explicit else _implicit_head
    tag, vr, length, start = head_at(content, position)
    if length != UNDEFINED:
        return tag, vr, length, start, start + length
    if tag in PIXEL_TAGS or tag > _LAST_PIXEL_TAG:
        return tag, vr, length, start, start
    stop = _after_items(content, start, len(content), explicit and vr != UNKNOWN, 1)
    return tag, vr, length, start, stop


def _implicit_head(content: bytes, position: int) -> tuple[int, bytes, int, int]:
    """Tag, no VR, length and start of the value."""
    group, number, length = _IMPLICIT.unpack_from(content, position)
    return group << 16 | number, b"", length, position + 8


def _explicit_head(content: bytes, position: int) -> tuple[int, bytes, int, int]:
    """Tag, VR, length and start of the value."""
    group, number, vr, length = _EXPLICIT.unpack_from(content, position)
    tag = group << 16 | number
    if vr in SHORT_VRS:
        return tag, vr, length, position + 8
    if vr in LONG_VRS:
        return tag, vr, _LENGTH.unpack_from(content, position + 8)[0], position + 12
    if tag >= _FIRST_ITEM_TAG:
        return tag, vr, 0, position + 8
    raise OddError


def _beyond(needed: int, *, whole: bool) -> Exception:
    return OddError() if whole else ShortError(needed)


def _item(
    content: bytes, position: int, end: int, *, explicit: bool
) -> tuple[list[Element], int]:
    """Elements up to the end or to a delimiter, and where that is."""
    elements: list[Element] = []
    last = -1
    head_at = _explicit_head if explicit else _implicit_head
    while position < end:
        tag, vr, length, start = head_at(content, position)
        if tag >= _FIRST_ITEM_TAG:
            break
        if tag <= last:
            raise OddError
        if length == UNDEFINED:
            stop = _after_items(content, start, end, explicit and vr != UNKNOWN, 1)
        else:
            stop = start + length
        if stop > end:
            raise OddError
        elements.append((tag, vr, content[position:stop], start - position))
        position, last = stop, tag
    return elements, position


def _closed(content: bytes, position: int, end: int) -> int:
    """Return where an item of undefined length ends, whose delimiter must be here."""
    group, number, length = _IMPLICIT.unpack_from(content, position)
    if group << 16 | number != _ITEM_END or length or position + 8 > end:
        raise OddError
    return position + 8


def _after_items(content: bytes, position: int, end: int, explicit: bool, depth: int) -> int:
    """Return where a sequence of undefined length ends."""
    if depth > MAX_DEPTH:
        raise OddError
    while position < end:
        group, number, length = _IMPLICIT.unpack_from(content, position)
        tag = group << 16 | number
        position += 8
        if tag == _SEQUENCE_END:
            if length:
                raise OddError
            return position
        if tag != _ITEM:
            raise OddError
        if length != UNDEFINED:
            position += length
            continue
        position = _after_item(content, position, end, explicit, depth)
    raise ShortError(position)


def _after_item(content: bytes, position: int, end: int, explicit: bool, depth: int) -> int:
    """Return where an item of undefined length ends."""
    head_at = _explicit_head if explicit else _implicit_head
    while position < end:
        tag, vr, length, start = head_at(content, position)
        if tag >= _FIRST_ITEM_TAG:
            return _closed(content, position, end)
        if length == UNDEFINED:
            inner = explicit and vr != UNKNOWN
            position = _after_items(content, start, end, inner, depth + 1)
        else:
            position = start + length
    raise ShortError(position)
