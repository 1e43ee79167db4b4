"""Cleaned elements as the bytes of a little-endian data set (PS3.5 section 7.1)."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from napari_medlabel.deid.dicom.elements import LONG_VRS, SHORT_VRS, OddError
from napari_medlabel.deid.rules.actions import TEXT_VRS, components_of
from napari_medlabel.deid.rules.made import Item, Made, made

_LONGEST_SHORT = 0xFFFE
_ITEM_TAG = 0xFFFEE000
_NUMBERS: Mapping[str, str] = MappingProxyType(
    {"FD": "<d", "FL": "<f", "SL": "<l", "SS": "<h", "SV": "<q", "UL": "<L", "US": "<H",
     "UV": "<Q"}
)  # fmt: skip
_BYTES = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})


def packed(tag: int, vr: bytes, value: bytes) -> bytes:
    """Return an element: tag, VR (empty where it is implicit), length and value, made even.

    Raises
    ------
    OddError
        For a value too long for its VR, or a VR that cannot be written.
    """
    if len(value) & 1:
        value += b" " if vr not in {b"UI", b"OB", b"UN"} else b"\0"
    group, number = tag >> 16, tag & 0xFFFF
    if not vr:
        return struct.pack("<HHL", group, number, len(value)) + value
    if vr in LONG_VRS:
        return struct.pack("<HH2sHL", group, number, vr, 0, len(value)) + value
    if vr not in SHORT_VRS or len(value) > _LONGEST_SHORT:
        raise OddError
    return struct.pack("<HH2sH", group, number, vr, len(value)) + value


def packed_text(tag: int, vr: str, components: tuple[str, ...], *, explicit: bool) -> bytes:
    """Return an element of text components that stand for bytes as Latin-1.

    Raises
    ------
    OddError
        For characters beyond Latin-1.
    """
    try:
        value = "\\".join(components).encode("latin-1")
    except UnicodeEncodeError as err:
        raise OddError from err
    if len(value) & 1:
        value += b"\0" if vr == "UI" else b" "
    return packed(tag, vr.encode("ascii") if explicit else b"", value)


def encoded(element: Made, *, explicit: bool) -> bytes:
    """Return an attribute as bytes.

    Raises
    ------
    OddError
        For a value or a VR that cannot be written so.
    """
    tag, vr, value = element.tag, element.vr, element.value
    if vr in TEXT_VRS:
        return packed_text(tag, vr, components_of(value), explicit=explicit)
    written = vr.encode("ascii") if explicit else b""
    if vr == "SQ":
        items = (encoded_item(item, explicit=explicit) for item in value or ())
        return packed(tag, written, b"".join(items))
    if vr in _BYTES or element.as_found:
        return packed(tag, written, bytes(value or b""))
    return packed(tag, written, b"".join(_number(vr, each) for each in _each(value)))


def encoded_item(item: Item, *, explicit: bool) -> bytes:
    """Return an item of a sequence as bytes, of defined length."""
    elements = encoded_elements(item, explicit=explicit)
    return packed(_ITEM_TAG, b"", b"".join(elements[tag] for tag in sorted(elements)))


def encoded_elements(item: Item, *, explicit: bool) -> dict[int, bytes]:
    """Return each attribute of an item as bytes, by tag."""
    each = [made(keyword, value) for keyword, value in item.items()]
    return {element.tag: encoded(element, explicit=explicit) for element in each}


def _each(value: Any) -> Iterable[Any]:
    """Numbers one by one; none where there is no value."""
    if value is None:
        return ()
    return value if isinstance(value, list | tuple) else (value,)


def _number(vr: str, value: Any) -> bytes:
    try:
        if vr == "AT":
            return struct.pack("<HH", value >> 16, value & 0xFFFF)
        return struct.pack(_NUMBERS[vr], value)
    except (KeyError, TypeError, struct.error) as err:
        raise OddError from err


def file_head(
    sop_class: str, instance: str, syntax: str, implementation: tuple[str, str]
) -> bytes:
    """Return preamble and file meta information made from nothing (PS3.10 7.1).

    Parameters
    ----------
    sop_class, instance, syntax : str
        What the group says of the data set.
    implementation : tuple of str
        Implementation class UID and version name.
    """
    body = packed(0x00020001, b"OB", b"\0\1") + b"".join(
        packed_text(tag, vr, (value,), explicit=True)
        for tag, vr, value in (
            (0x00020002, "UI", sop_class),
            (0x00020003, "UI", instance),
            (0x00020010, "UI", syntax),
            (0x00020012, "UI", implementation[0]),
            (0x00020013, "SH", implementation[1]),
        )
    )
    length = packed(0x00020000, b"UL", struct.pack("<L", len(body)))
    return bytes(128) + b"DICM" + length + body
