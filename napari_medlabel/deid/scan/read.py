"""Read the elements of any DICOM file, also of odd ones, as bytes with their places."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import BinaryIO, Literal

from napari_medlabel.deid.dicom.elements import (
    LONG_VRS,
    SHORT_VRS,
    UNDEFINED,
    Element,
    Header,
    OddError,
    ShortError,
    walk_header,
)
from napari_medlabel.deid.scan.tables import is_listed_uid
from napari_medlabel.deid.scan.walk import PIXEL_TAGS, VRS, BrokenError, Form, head_at, walk

DEFLATED = "1.2.840.10008.1.2.1.99"
_IMPLICIT, _BIG = "1.2.840.10008.1.2", "1.2.840.10008.1.2.2"
_META_START = 132
_FIRST_READ = 1 << 16
_NATIVE = frozenset({_IMPLICIT, _BIG, DEFLATED, "1.2.840.10008.1.2.1"})


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
    if head[4:6] in VRS:
        return True
    group, _, length = struct.unpack_from("<HHL", head)
    return group in {2, 8} and length < 1 << 16


class Recall:
    """The elements of the file read before: those of a series repeat most bytes."""

    def __init__(self) -> None:
        self._runs: list[tuple[bytes, list[Element]]] = []

    def walk(
        self, content: bytes, start: int, form: Form, *, whole: bool
    ) -> tuple[Header, int]:
        """Return what `walk_header` does, faster where the bytes are those of before.

        Parameters
        ----------
        content : bytes
            The first bytes of a file.
        start : int
            Where its data set begins.
        form : Form
            How it is encoded.
        whole : bool
            Whether `content` is the whole file.

        Returns
        -------
        Header
            The elements up to pixel data or the end.
        int
            Where they end.
        """
        try:
            found = self._as_before(content, start, form)
        except BrokenError:
            found = None
        if found is None:
            header = walk_header(content, start, explicit=form.explicit, whole=whole)
            raw = b"".join(element[2] for element in header.elements)
            self._runs = [(raw, header.elements)]
            found = header, start + len(raw)
        return found

    def _as_before(
        self, content: bytes, position: int, form: Form
    ) -> tuple[Header, int] | None:
        """Return the header where it has the tags of the one before; None where it has not."""
        elements: list[Element] = []
        runs: list[tuple[bytes, list[Element]]] = []
        for raw, known in self._runs:
            if content.startswith(raw, position):
                runs.append((raw, known))
                elements += known
                position += len(raw)
                continue
            now = []
            for element in known:
                same = content.startswith(element[2], position)
                now.append(element if same else _same_tag(element, content, position, form))
                position += len(now[-1][2])
            elements += now
            runs += [(now[0][2], now)] if len(now) == 1 else _parted(known, now)
        tag, vr, length, start = head_at(content, position, form)
        if not elements or tag not in PIXEL_TAGS:
            return None
        self._runs = runs
        return Header(elements, (tag, vr, content[position:start], start), length), position


def _parted(before: list[Element], now: list[Element]) -> list[tuple[bytes, list[Element]]]:
    """Part elements into each that changed from one file to the next, and all between."""
    parts: list[list[Element]] = [[]]
    for old, new in zip(before, now, strict=True):
        if old is new:
            parts[-1].append(new)
        else:
            parts += [[new], []]
    return [(b"".join(element[2] for element in part), part) for part in parts if part]


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
    if syntax in {"", _BIG, DEFLATED} or not is_listed_uid(syntax) or start > len(head):
        raise OddError
    form = Form(syntax != _IMPLICIT)
    header, end = recall.walk(head, start, form, whole=len(head) == size)
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
    preamble, at, surplus = b"", 0, b""
    if content[128:_META_START] == b"DICM":
        preamble, at = content[:128], _META_START
    meta, start = _meta(content, at)
    syntax = _text(meta.get(0x10, b""))
    if syntax == DEFLATED:
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            inflated = inflater.decompress(content[start:])
        except zlib.error as err:
            raise BrokenError from err
        content, surplus = content[:start] + inflated, inflater.unused_data
    form = _form(content, start, syntax)
    elements, end, pixels, broken = _top(content, start, form)
    if not elements and pixels is None:
        raise BrokenError
    encapsulated = pixels is not None and pixels[2] == UNDEFINED
    return FileParts(
        preamble,
        meta,
        content[:end] if pixels else content,
        start,
        elements,
        form,
        pixels,
        encapsulated,
        len(content),
        broken or bool(surplus.strip(b"\0")),
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
    explicit = content[start + 4 : start + 6] in VRS
    group = content[start : start + 2]
    big = syntax == _BIG if syntax else group[:1] == b"\0" and group[1:] != b"\0"
    return Form(explicit, ">" if big else "<")


def _text(value: bytes) -> str:
    return value.strip(b"\0 ").decode("latin-1")


def described_bytes(parts: FileParts) -> int | None:
    """Return how many bytes native pixels have by their description; None without one."""
    numbers = {0x00280002: 1, 0x00280010: 0, 0x00280011: 0, 0x00280100: 0, 0x00280008: 1}
    photometric = ""
    for tag, _, raw, start in parts.elements:
        if tag >> 16 != 0x0028:
            continue
        value = raw[start:]
        if tag == 0x00280004:
            photometric = _text(value)
        elif tag == 0x00280008:
            text = _text(value)
            numbers[tag] = int(text) if text.isascii() and text.isdigit() else 1
        elif tag in numbers and len(value) == 2:
            order: Literal["little", "big"] = "little" if parts.form.order == "<" else "big"
            numbers[tag] = int.from_bytes(value, order)
    samples, rows, columns, bits, frames = (numbers[t] for t in (
        0x00280002, 0x00280010, 0x00280011, 0x00280100, 0x00280008))  # fmt: skip
    if photometric in {"YBR_FULL_422", "YBR_PARTIAL_422"}:
        samples = 2
    total = samples * rows * columns * bits * frames
    return (total + 7) // 8 if total else None
