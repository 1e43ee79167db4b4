"""Walk the elements of a data set of any encoding, as bytes with their places."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from napari_medlabel.deid.dicom.elements import LONG_VRS, SHORT_VRS, UNDEFINED, Element
from napari_medlabel.deid.scan.tables import entry

PIXEL_TAGS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
VRS = LONG_VRS | SHORT_VRS
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_DEEPEST = 64
LONGEST_WHOLE = 4096
"""Longer sequences are judged piece by piece."""

_LONGEST_SIBLING = 256


class BrokenError(Exception):
    """The bytes are no elements from some place on."""


@dataclass(frozen=True)
class Form:
    """How a data set is encoded: whether VRs are written, and ``"<"`` or ``">"``."""

    explicit: bool = True
    order: str = "<"


@dataclass(frozen=True)
class Leaf:
    """An element that is no sequence.

    Parameters
    ----------
    path : tuple of int
        Tags of the sequences that it lies in, outermost first, then its own.
    vr : str
        As in the file; empty where it is implicit.
    start, stop : int
        Where its value is in the bytes of the outermost element.
    value : bytes
        The value.
    form : Form
        How it is encoded.
    charsets : tuple of str
        Defined terms of the character sets in force.
    creator : str
        Private creator of its block; empty for others and where there is none.
    siblings : mapping of int to bytes
        Values of the short elements beside it.
    """

    path: tuple[int, ...]
    vr: str
    start: int
    stop: int
    value: bytes
    form: Form
    charsets: tuple[str, ...] = ()
    creator: str = ""
    siblings: dict[int, bytes] = field(default_factory=dict)

    @property
    def tag(self) -> int:
        """Its own tag."""
        return self.path[-1]


def head_at(content: bytes, position: int, form: Form) -> tuple[int, bytes, int, int]:
    """Tag, VR, length and start of the value of the element at a place.

    Raises
    ------
    BrokenError
        When there is none.
    """
    try:
        group, number = struct.unpack_from(form.order + "HH", content, position)
        tag = group << 16 | number
        vr = content[position + 4 : position + 6]
        if not form.explicit or tag >> 16 == 0xFFFE:
            (length,) = struct.unpack_from(form.order + "L", content, position + 4)
            return tag, b"", length, position + 8
        if vr in LONG_VRS:
            (length,) = struct.unpack_from(form.order + "L", content, position + 8)
            return tag, vr, length, position + 12
        if vr in SHORT_VRS:
            (length,) = struct.unpack_from(form.order + "H", content, position + 6)
            return tag, vr, length, position + 8
    except struct.error as err:
        raise BrokenError from err
    raise BrokenError


def walk(
    content: bytes, position: int, end: int, form: Form
) -> Iterator[tuple[int, bytes, int, int, int]]:
    """Yield tag, VR, start and stop of the value, and the length as said, of each element.

    Raises
    ------
    BrokenError
        Where the bytes are no elements any more.
    """
    while position < end:
        tag, vr, length, start = head_at(content, position, form)
        if tag in {_ITEM_END, _SEQUENCE_END}:
            return
        if length == UNDEFINED and tag in PIXEL_TAGS:
            stop = start
        elif length == UNDEFINED:
            stop = _after_items(content, start, end, _inner(form, vr))
        else:
            stop = start + length
        if stop > end:
            raise BrokenError
        yield tag, vr, start, stop, length
        if tag in PIXEL_TAGS and length == UNDEFINED:
            return
        position = stop


def _inner(form: Form, vr: bytes) -> Form:
    """Return how items are encoded: those of unknown VR are implicit little endian."""
    return Form(explicit=False) if vr == b"UN" else form


def _after_items(content: bytes, position: int, end: int, form: Form, depth: int = 0) -> int:
    """Return where a sequence of undefined length ends."""
    if depth > _DEEPEST:
        raise BrokenError
    while position < end:
        tag, _, length, position = head_at(content, position, form)
        if tag == _SEQUENCE_END:
            return position
        if tag != _ITEM:
            raise BrokenError
        if length != UNDEFINED:
            position += length
            continue
        while True:
            tag, vr, length, position = head_at(content, position, form)
            if tag == _ITEM_END:
                break
            if length == UNDEFINED:
                position = _after_items(content, position, end, _inner(form, vr), depth + 1)
            else:
                position += length
    raise BrokenError


def items(content: bytes, start: int, stop: int, form: Form) -> Iterator[tuple[int, int]]:
    """Yield where each item of a sequence's value begins and ends.

    Raises
    ------
    BrokenError
        When the bytes are no items.
    """
    position = start
    while position < stop:
        tag, _, length, begin = head_at(content, position, form)
        if tag == _SEQUENCE_END:
            return
        if tag != _ITEM:
            raise BrokenError
        if length != UNDEFINED:
            yield begin, begin + length
            position = begin + length
        else:
            ends = [found[3] for found in walk(content, begin, stop, form)]
            yield begin, (ends or [begin])[-1]
            position = (ends or [begin])[-1] + 8
    if position > stop:
        raise BrokenError


Around = tuple[tuple[str, ...], str, dict[int, bytes]]
"""Character sets, private creator and short siblings of an element."""


@dataclass(frozen=True)
class Piece:
    """A part of an element that is judged at once.

    Parameters
    ----------
    path : tuple of int
        Tags of the sequences that it lies in, outermost first; without its own.
    element : Element
        Tag, VR, bytes, start of the value.
    offset : int
        Where it begins in the bytes of the outermost element.
    form : Form
        How it is encoded.
    around : tuple
        Character sets, private creator, and the short elements beside it.
    """

    path: tuple[int, ...]
    element: Element
    offset: int
    form: Form
    around: Around

    @property
    def key(self) -> tuple[object, ...] | None:
        """All that a sequence depends on; None for what depends on the elements beside it."""
        tag, vr, raw, start = self.element
        if _sequence_form(raw, tag, vr, (start, len(raw)), self.form) is None:
            return None
        return (self.path, self.element, self.form, self.around[0])

    def leaves(self) -> list[Leaf]:
        """Return all elements in it that are no sequences, at every depth."""
        tag, vr, raw, start = self.element
        place = (start, len(raw))
        return list(_leaves(raw, (*self.path, tag), vr, place, self.form, self.around))


def pieces_of(
    element: Element, form: Form, charsets: tuple[str, ...], creator: str = ""
) -> list[Piece]:
    """Return an element whole, or in pieces where it is a long sequence.

    Parameters
    ----------
    element : Element
        Tag, VR, bytes, start of the value.
    form : Form
        The data set's.
    charsets : tuple of str
        Defined terms of Specific Character Set.
    creator : str
        Of its private block.
    """
    return list(_pieces(Piece((), element, 0, form, (charsets, creator, {}))))


def _pieces(piece: Piece) -> Iterator[Piece]:
    """Pieces of a piece."""
    tag, vr, raw, start = piece.element
    inner = _sequence_form(raw, tag, vr, (start, len(raw)), piece.form)
    if inner is None or len(raw) <= LONGEST_WHOLE or len(piece.path) >= _DEEPEST:
        yield piece
        return
    path, found = (*piece.path, tag), []
    try:
        for begin, end in items(raw, start, len(raw), inner):
            position, elements = begin, []
            for inner_tag, inner_vr, at, stop, _ in walk(raw, begin, end, inner):
                parsed = (inner_tag, inner_vr, raw[position:stop], at - position)
                elements.append((position, parsed))
                position = stop
            charsets, siblings = _beside([e for _, e in elements], piece.around[0])
            for position, parsed in elements:
                around = (charsets, creator_of(parsed[0], siblings), siblings)
                found.append(Piece(path, parsed, piece.offset + position, inner, around))
    except BrokenError:
        yield piece
        return
    for each in found:
        yield from _pieces(each)


def _beside(
    elements: list[Element], charsets: tuple[str, ...]
) -> tuple[tuple[str, ...], dict[int, bytes]]:
    """Character sets of an item, and the values of its short elements."""
    siblings = {
        tag: raw[start:]
        for tag, _, raw, start in elements
        if len(raw) - start <= _LONGEST_SIBLING
    }
    if 0x00080005 in siblings:
        charsets = charset_terms(siblings[0x00080005])
    return charsets, siblings


def _leaves(
    raw: bytes,
    path: tuple[int, ...],
    vr: bytes,
    place: tuple[int, int],
    form: Form,
    around: Around,
) -> Iterator[Leaf]:
    """Leaves of one element."""
    start, stop = place
    inner = _sequence_form(raw, path[-1], vr, place, form)
    if inner is not None and len(path) < _DEEPEST:
        try:
            found = [
                leaf
                for item in items(raw, start, stop, inner)
                for leaf in _item_leaves(raw, path, item, inner, around[0])
            ]
        except BrokenError:
            pass
        else:
            yield from found
            return
    name, (charsets, creator, siblings) = vr.decode("ascii"), around
    yield Leaf(path, name, start, stop, raw[start:stop], form, charsets, creator, siblings)


def _sequence_form(
    raw: bytes, tag: int, vr: bytes, place: tuple[int, int], form: Form
) -> Form | None:
    """Return how the items of an element are encoded; None where it is no sequence."""
    start, stop = place
    if vr == b"SQ":
        return form
    if vr not in {b"", b"UN", b"OB", b"OW"} or stop - start < 8 or tag in PIXEL_TAGS:
        return None
    for order in dict.fromkeys((form.order, "<")):
        if struct.unpack_from(order + "HH", raw, start) == (0xFFFE, 0xE000):
            if not vr:
                return form
            at = start + 8 + 4
            return Form(raw[at : at + 2] in VRS, order)
    return form if entry(tag)[0] == "SQ" and not vr else None


def _item_leaves(
    raw: bytes,
    path: tuple[int, ...],
    item: tuple[int, int],
    form: Form,
    charsets: tuple[str, ...],
) -> Iterator[Leaf]:
    """Leaves of one item of a sequence."""
    found = list(walk(raw, *item, form))
    siblings = {t: raw[a:b] for t, _, a, b, _ in found if b - a <= 256}
    if 0x00080005 in siblings:
        charsets = charset_terms(siblings[0x00080005])
    for tag, vr, start, stop, _ in found:
        around = (charsets, creator_of(tag, siblings), siblings)
        yield from _leaves(raw, (*path, tag), vr, (start, stop), form, around)


def charset_terms(value: bytes) -> tuple[str, ...]:
    """Return the defined terms in the value of Specific Character Set."""
    return tuple(part.strip(" \0") for part in value.decode("latin-1").split("\\"))


def creator_of(tag: int, siblings: dict[int, bytes]) -> str:
    """Return the private creator of a private element's block; empty where there is none."""
    if not tag >> 16 & 1 or tag & 0xFFFF < 0x1000:
        return ""
    creator = siblings.get(tag & 0xFFFF0000 | (tag >> 8 & 0xFF), b"")
    return creator.strip(b"\0 ").decode("latin-1")
