"""Read the elements of any DICOM file, also of odd ones, as bytes with their places."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from pydicom._uid_dict import UID_dictionary

from napari_medlabel.deid.scan_tables import entry
from napari_medlabel.deid.splice_bytes import (
    LONG_VRS,
    SHORT_VRS,
    UNDEFINED,
    Element,
    Header,
    OddError,
    ShortError,
    walk_header,
)

PIXEL_TAGS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
DEFLATED = "1.2.840.10008.1.2.1.99"
_IMPLICIT, _BIG = "1.2.840.10008.1.2", "1.2.840.10008.1.2.2"
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_META_START = 132
_FIRST_READ = 1 << 16
_DEEPEST = 64
_VRS = LONG_VRS | SHORT_VRS
_NATIVE = frozenset({_IMPLICIT, _BIG, DEFLATED, "1.2.840.10008.1.2.1"})


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


@dataclass(frozen=True)
class FileParts:
    """A DICOM file in its parts.

    Parameters
    ----------
    preamble : bytes
        What stands before ``DICM``.
    meta : mapping of int to bytes
        Values of group 0002 by element number.
    head : bytes
        All up to the value of the pixel data, or the whole; inflated where it was deflated.
    start : int
        Where the data set begins in `head`.
    elements : list of Element
        Tag, VR, bytes, start of the value; one after the other from `start`.
    form : Form
        The data set's.
    pixels : tuple of int, optional
        Tag, start of the value in the file (in `head` where that holds it), its length as
        said.
    encapsulated : bool
        Whether the transfer syntax is one of compressed pixels.
    size : int
        Bytes in all, of the file or of what was inflated.
    broken : bool
        Whether elements end before the bytes do.
    content : bytes, optional
        The whole, where it was read or inflated at once.
    """

    preamble: bytes
    meta: dict[int, bytes]
    head: bytes
    start: int
    elements: list[Element]
    form: Form
    pixels: tuple[int, int, int] | None
    encapsulated: bool
    size: int
    broken: bool = False
    content: bytes | None = None


def looks_like_dicom(head: bytes) -> bool:
    """Whether a file's first bytes are those of DICOM, with or without a preamble."""
    if head[128:_META_START] == b"DICM":
        return True
    if len(head) < 8 or head[:2] not in {b"\2\0", b"\x08\0", b"\0\x08"}:
        return False
    if head[4:6] in _VRS:
        return True
    group, _, length = struct.unpack_from("<HHL", head)
    return group in {2, 8} and length < 1 << 16


class Recall:
    """The elements of the file read before: those of a series repeat most bytes."""

    def __init__(self) -> None:
        self.elements: list[Element] = []

    def walk(self, content: bytes, position: int, form: Form, *, whole: bool) -> Header:
        """Return what `walk_header` returns, faster where the bytes are those of before."""
        elements = []
        try:
            for element in self.elements:
                same = content.startswith(element[2], position)
                now = element if same else _same_tag(element, content, position, form)
                elements.append(now)
                position += len(now[2])
            tag, vr, length, start = head_at(content, position, form)
            if elements and tag in PIXEL_TAGS:
                self.elements = elements
                return Header(elements, (tag, vr, content[position:start], start), length)
        except BrokenError:
            pass
        position -= sum(len(element[2]) for element in elements)
        header = walk_header(content, position, explicit=form.explicit, whole=whole)
        self.elements = header.elements
        return header


def _same_tag(element: Element, content: bytes, position: int, form: Form) -> Element:
    """Return the element at a place, which must have the tag of another one."""
    tag, vr, length, start = head_at(content, position, form)
    if tag != element[0] or length == UNDEFINED or start + length > len(content):
        raise BrokenError
    return tag, vr, content[position : start + length], start - position


def read_parts(stream: BinaryIO, recall: Recall | None = None) -> FileParts:
    """Return the parts of a file; where it is plain, only its header is read.

    Parameters
    ----------
    stream : BinaryIO
        The file.
    recall : Recall, optional
        Of the files read before.

    Raises
    ------
    BrokenError
        When no data set can be found in it.
    OSError
        When it cannot be read.
    """
    size = stream.seek(0, 2)
    stream.seek(0)
    wanted = min(size, _FIRST_READ)
    while True:
        stream.seek(0)
        head = stream.read(wanted)
        try:
            return _plain(head, size, recall or Recall())
        except ShortError as short:
            if short.needed > size or wanted >= size:
                break
            wanted = min(size, max(4 * wanted, short.needed + _FIRST_READ))
        except (OddError, struct.error, IndexError):
            break
    stream.seek(0)
    return _any(stream.read())


def _plain(head: bytes, size: int, recall: Recall) -> FileParts:
    """Return the parts of a little-endian file, read with the walk of the engine."""
    if head[128:_META_START] != b"DICM":
        raise OddError
    meta, start = _meta(head, _META_START)
    syntax = _text(meta.get(0x10, b""))
    if syntax in {"", _BIG, DEFLATED} or syntax not in UID_dictionary or start > len(head):
        raise OddError
    form = Form(syntax != _IMPLICIT)
    header = recall.walk(head, start, form, whole=len(head) == size)
    end = start + sum(len(element[2]) for element in header.elements)
    pixels = None
    if header.pixels is not None:
        tag, _, raw, at = header.pixels
        pixels, end = (tag, at, header.pixels_length), end + len(raw)
    elif end < size:
        raise OddError
    return FileParts(
        head[:128],
        meta,
        head[:end],
        start,
        header.elements,
        form,
        pixels,
        syntax not in _NATIVE,
        size,
    )


def _any(content: bytes) -> FileParts:
    """Return the parts of a file of any kind, as far as they can be made out."""
    preamble, at = b"", 0
    if content[128:_META_START] == b"DICM":
        preamble, at = content[:128], _META_START
    meta, start = _meta(content, at)
    syntax = _text(meta.get(0x10, b""))
    if syntax == DEFLATED:
        try:
            inflated = zlib.decompressobj(-zlib.MAX_WBITS).decompress(content[start:])
        except zlib.error as err:
            raise BrokenError from err
        content = content[:start] + inflated
    form = _form(content, start, syntax)
    elements, end, pixels, broken = _top(content, start, form)
    if not elements and pixels is None:
        raise BrokenError
    encapsulated = pixels is not None and pixels[2] == UNDEFINED
    return FileParts(
        preamble,
        meta,
        content[:end],
        start,
        elements,
        form,
        pixels,
        encapsulated,
        len(content),
        broken,
        content,
    )


def _top(
    content: bytes, start: int, form: Form
) -> tuple[list[Element], int, tuple[int, int, int] | None, bool]:
    """Elements up to pixel data, where they end, pixel data, and whether the rest is none."""
    elements: list[Element] = []
    position = start
    try:
        for tag, vr, begin, stop, length in walk(content, start, len(content), form):
            if tag in PIXEL_TAGS:
                return elements, begin, (tag, begin, length), False
            elements.append((tag, vr, content[position:stop], begin - position))
            position = stop
    except BrokenError:
        return elements, position, None, True
    return elements, position, None, position < len(content)


def _meta(content: bytes, position: int) -> tuple[dict[int, bytes], int]:
    """Values of group 0002, and where the data set begins."""
    found = {}
    while content[position : position + 2] == b"\2\0" and position + 8 <= len(content):
        (number,) = struct.unpack_from("<H", content, position + 2)
        vr = content[position + 4 : position + 6]
        if vr in LONG_VRS and position + 12 <= len(content):
            (length,) = struct.unpack_from("<L", content, position + 8)
            start = position + 12
        elif vr in SHORT_VRS:
            (length,) = struct.unpack_from("<H", content, position + 6)
            start = position + 8
        else:
            (length,) = struct.unpack_from("<L", content, position + 4)
            start = position + 8
        found[number] = content[start : start + length]
        position = start + length
    return found, position


def _form(content: bytes, start: int, syntax: str) -> Form:
    """Return the encoding: what the bytes look like comes before what is said."""
    explicit = content[start + 4 : start + 6] in _VRS
    group = content[start : start + 2]
    big = syntax == _BIG if syntax else group[:1] == b"\0" and group[1:] != b"\0"
    return Form(explicit, ">" if big else "<")


def _text(value: bytes) -> str:
    return value.strip(b"\0 ").decode("latin-1")


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


def leaves_of(
    element: Element, form: Form, charsets: tuple[str, ...], creator: str
) -> list[Leaf]:
    """Return all elements in a top-level one that are no sequences, at every depth.

    Parameters
    ----------
    element : Element
        Of `FileParts.elements`.
    form : Form
        The data set's.
    charsets : tuple of str
        Defined terms of Specific Character Set.
    creator : str
        Of its private block.
    """
    tag, vr, raw, start = element
    stop = len(raw)
    return list(_leaves(raw, (tag,), vr, (start, stop), form, (charsets, creator, {})))


Around = tuple[tuple[str, ...], str, dict[int, bytes]]


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
            return Form(raw[at : at + 2] in _VRS, order)
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
    return _text(siblings.get(tag & 0xFFFF0000 | (tag >> 8 & 0xFF), b""))
