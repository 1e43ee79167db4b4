"""The header of one DICOM file as nested items that hold only the attributes asked for.

Functional groups repeat a hundred attributes for each of thousands of frames; walking over
what is not wanted, without making objects of it, is what keeps their reading short.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field
from typing import Any, Final

from napari_medlabel.errors import InputError
from napari_medlabel.io.dicom.header.instance import (
    DEFLATED,
    EXPLICIT_BIG,
    IMPLICIT,
    LONG_VR,
    SHORT_VR,
    Instance,
    text,
)
from napari_medlabel.io.dicom.header.odd import inflated
from napari_medlabel.io.dicom.quiet import failures, quietly

_DEEPEST: Final = 32
_MOST_ITEMS: Final = 1_500_000
_MOST_NUMBERS: Final = 1 << 17
_UNDEFINED: Final = 0xFFFFFFFF
_ITEM: Final = 0xFFFEE000
_ITEM_ENDS: Final = 0xFFFEE00D
_SEQUENCE_ENDS: Final = 0xFFFEE0DD
_PIXEL_GROUP: Final = 0x7FE0
_explicit_head = struct.Struct("<HH2sH").unpack_from
_implicit_head = struct.Struct("<HHI").unpack_from
_long = struct.Struct("<I").unpack_from
_BINARY: Final = {
    b"FD": ("d", 8),
    b"FL": ("f", 4),
    b"OD": ("d", 8),
    b"OF": ("f", 4),
    b"SL": ("i", 4),
    b"SS": ("h", 2),
    b"UL": ("I", 4),
    b"US": ("H", 2),
}
_DAMAGED = "The header is damaged: its nested items cannot be followed."
_AGAIN = "Export the file again from its source."


class _LostError(Exception):
    """The bytes are not what the walk expects there."""


@dataclass(slots=True)
class Item:
    """One data set: values by tag (representation and little-endian bytes), and sequences."""

    values: dict[int, tuple[bytes, bytes]] = field(default_factory=dict)
    sequences: dict[int, list[Item]] = field(default_factory=dict)

    def first(self, tag: int) -> Item:
        """Return the first item of a sequence, an empty one where there is none."""
        items = self.sequences.get(tag)
        return items[0] if items else _EMPTY

    def raw(self, tag: int) -> bytes:
        """Return a value's bytes, none where it is missing."""
        return self.values.get(tag, (b"", b""))[1]

    def word(self, tag: int) -> str:
        """Return a text without its padding, empty where it is missing."""
        return text(self.raw(tag))

    def words(self, tag: int) -> tuple[str, ...]:
        """Return the parts of a text."""
        whole = self.word(tag)
        return tuple(part.strip() for part in whole.split("\\")) if whole else ()

    def numbers(self, tag: int) -> tuple[float, ...]:
        """Return the finite numbers of a value; none where it is missing or no numbers."""
        vr, raw = self.values.get(tag, (b"", b""))
        if not raw:
            return ()
        try:
            if vr in _BINARY:
                code, size = _BINARY[vr]
                count = min(len(raw) // size, _MOST_NUMBERS)
                found = tuple(map(float, struct.unpack_from(f"<{count}{code}", raw)))
            else:
                parts = raw.decode("ascii").strip("\0 ").split("\\", _MOST_NUMBERS)
                found = tuple(map(float, parts))
        except (ValueError, struct.error):
            return ()
        return found if all(map(math.isfinite, found)) else ()

    def number(self, tag: int) -> float | None:
        """Return the first number of a value, or None."""
        found = self.numbers(tag)
        return found[0] if found else None

    def tags(self, tag: int) -> tuple[int, ...]:
        """Return the tags that a value of representation AT names."""
        raw = self.raw(tag)
        shorts = struct.unpack_from(f"<{len(raw) // 4 * 2}H", raw)
        return tuple(a << 16 | b for a, b in zip(shorts[::2], shorts[1::2], strict=True))

    def private(self, group: int, creator: str, element: int) -> int:
        """Return the tag that a private creator's element has in this data set, else 0."""
        for tag, (_, raw) in self.values.items():
            if tag >> 16 == group and tag & 0xFF00 == 0 and text(raw).upper() == creator:
                return group << 16 | (tag & 0xFF) << 8 | element
        return 0


_EMPTY: Final = Item()


@dataclass(frozen=True)
class Wanted:
    """What to keep of a header.

    Parameters
    ----------
    values : mapping of int to bytes
        Tags and the value representation they have in the standard.
    sequences : frozenset of int
        Sequences to go into.
    private : mapping of int to bytes
        Private elements as ``ggggxxee`` with ``xx`` zero, and their representation (``SQ`` for
        a sequence); wherever their creator put them.
    """

    values: dict[int, bytes]
    sequences: frozenset[int]
    private: dict[int, bytes] = field(default_factory=dict)

    def representation(self, tag: int) -> bytes:
        """Return the representation of a wanted tag, ``LO`` for a creator, else nothing."""
        if tag >> 16 & 1:
            return (
                b"LO"
                if 0x10 <= tag & 0xFFFF <= 0xFF
                else self.private.get(tag & 0xFFFF00FF, b"")
            )
        return b"SQ" if tag in self.sequences else self.values.get(tag, b"")


def read_items(instance: Instance, wanted: Wanted) -> Item:
    """Read the wanted attributes of one file, up to its pixels.

    Raises
    ------
    InputError
        When the header cannot be followed, not even by pydicom, or the file not be read.
    """
    try:
        head = _head_of(instance)
        if head:
            try:
                return _Walk(head, wanted).data_set(instance.transfer_syntax)
            except (_LostError, struct.error, IndexError):
                pass
        return _through_pydicom(instance, wanted)
    except OSError as err:
        raise InputError("The file cannot be read.", hint="Check its permissions.") from err


def _head_of(instance: Instance) -> bytes:
    """Return the bytes in front of the pixels, none where only pydicom can follow them."""
    if instance.transfer_syntax == DEFLATED:
        return inflated(instance.path.read_bytes())
    if instance.pixel_offset is None or instance.transfer_syntax == EXPLICIT_BIG:
        return b""
    with instance.path.open("rb") as stream:
        return stream.read(instance.pixel_offset)


class _Walk:
    """The bytes of a header and what is wanted of them."""

    def __init__(self, data: bytes, wanted: Wanted) -> None:
        self.data = data
        self.wanted = wanted
        self.items = 0

    def data_set(self, syntax: str) -> Item:
        at = 132
        if self.data[128:132] != b"DICM":
            raise _LostError
        while at + 8 <= len(self.data) and self.data[at : at + 2] == b"\x02\x00":
            _, _, header, length = self._head(at, explicit=True)
            at += header + length
        item = Item()
        # The pixel element's own header lies before its value: `end` stops in front of it.
        self._elements(at, len(self.data) - 8, item, explicit=syntax != IMPLICIT, depth=0)
        return item

    def _head(self, at: int, *, explicit: bool) -> tuple[int, bytes, int, int]:
        """Return tag, representation, length of the element's head and of its value."""
        if not explicit:
            group, element, length = _implicit_head(self.data, at)
            return group << 16 | element, b"", 8, length
        group, element, vr, length = _explicit_head(self.data, at)
        if vr in SHORT_VR:
            return group << 16 | element, vr, 8, length
        if group == 0xFFFE:
            return group << 16 | element, b"", 8, _long(self.data, at + 4)[0]
        if vr not in LONG_VR:
            raise _LostError
        return group << 16 | element, vr, 12, _long(self.data, at + 8)[0]

    def _elements(
        self, at: int, end: int, into: Item | None, *, explicit: bool, depth: int
    ) -> int:
        """Walk over elements up to `end` or the item's delimiter; return where they stop."""
        if depth > _DEEPEST:
            raise InputError(
                f"Sequences are nested more than {_DEEPEST} deep; no scan needs that.",
                hint="The file is damaged or was made to do harm; export it again.",
            )
        representation = self.wanted.representation
        while at < end:
            tag, vr, header, length = self._head(at, explicit=explicit)
            at += header
            if tag == _ITEM_ENDS or tag >> 16 == _PIXEL_GROUP:
                return at
            meant = representation(tag) if into is not None else b""
            if length == _UNDEFINED or (meant == b"SQ" and vr in {b"", b"SQ", b"UN"}):
                within = explicit and vr != b"UN"
                items: list[Item] | None = [] if meant == b"SQ" else None
                at = self._items(at, length, items, explicit=within, depth=depth + 1)
                if into is not None and items is not None:
                    into.sequences[tag] = items
                continue
            if at + length > len(self.data):
                raise _LostError
            if meant and into is not None:
                into.values[tag] = (
                    meant if vr in {b"", b"UN"} else vr,
                    self.data[at : at + length],
                )
            at += length
        return at

    def _items(
        self, at: int, length: int, into: list[Item] | None, *, explicit: bool, depth: int
    ) -> int:
        """Walk over the items of one sequence; return where it ends."""
        end = len(self.data) if length == _UNDEFINED else at + length
        if end > len(self.data):
            raise _LostError
        while at < end:
            group, element, size = _implicit_head(self.data, at)
            tag = group << 16 | element
            at += 8
            if tag == _SEQUENCE_ENDS:
                return at
            if tag != _ITEM:
                raise _LostError
            if into is None and size != _UNDEFINED:
                at += size
                continue
            item = None
            if into is not None:
                into.append(item := self._another())
            stop = end if size == _UNDEFINED else at + size
            at = self._elements(at, stop, item, explicit=explicit, depth=depth)
            if size != _UNDEFINED and at != stop:
                raise _LostError
        if length == _UNDEFINED or at != end:
            raise _LostError
        return at

    def _another(self) -> Item:
        """Return an empty item, or refuse when there are more than any scan has."""
        self.items += 1
        if self.items > _MOST_ITEMS:
            raise InputError(
                f"The header has more than {_MOST_ITEMS} nested items; no scan needs that.",
                hint="The file is damaged or was made to do harm; export it again.",
            )
        return Item()


def _through_pydicom(instance: Instance, wanted: Wanted) -> Item:
    import pydicom

    with quietly():
        try:
            dataset = pydicom.dcmread(instance.path, force=True, stop_before_pixels=True)
            return _converted(dataset, wanted, 0)
        except failures() as err:
            raise InputError(_DAMAGED, hint=_AGAIN) from err


def _converted(dataset: Any, wanted: Wanted, depth: int) -> Item:
    if depth > _DEEPEST:
        raise InputError(_DAMAGED, hint=_AGAIN)
    item = Item()
    for tag in dataset.keys():  # noqa: SIM118 - a Dataset iterates over elements
        meant = wanted.representation(int(tag))
        if not meant:
            continue
        element = dataset[tag]
        if element.VR == "SQ":
            item.sequences[int(tag)] = [
                _converted(part, wanted, depth + 1) for part in element.value
            ]
        elif element.value is not None:
            item.values[int(tag)] = _as_bytes(element.value, meant)
    return item


def _as_bytes(value: Any, meant: bytes) -> tuple[bytes, bytes]:
    if isinstance(value, bytes):
        return meant, value
    many = value if hasattr(value, "append") else [value]
    if meant == b"AT":
        return meant, b"".join(
            struct.pack("<HH", int(one) >> 16, int(one) & 0xFFFF) for one in many
        )
    if all(isinstance(part, int | float) for part in many):
        return b"FD", struct.pack(f"<{len(many)}d", *many)
    return b"LO", "\\".join(str(part) for part in many).encode("latin-1", "replace")
