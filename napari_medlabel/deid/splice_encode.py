"""Cleaned elements as the bytes of a little-endian data set (PS3.5 section 7.1)."""

from __future__ import annotations

import struct

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element

from napari_medlabel.deid.actions import TEXT_VRS
from napari_medlabel.deid.judge import components_of
from napari_medlabel.deid.refusal import PARSE_ERRORS
from napari_medlabel.deid.splice_bytes import LONG_VRS, SHORT_VRS, OddError

_LONGEST_SHORT = 0xFFFE


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


def encoded(element: DataElement, *, explicit: bool) -> bytes:
    """Return a data element as bytes.

    Raises
    ------
    OddError
        For a value or a VR that cannot be written so.
    """
    if element.VR in TEXT_VRS:
        components = components_of(element.value)
        return packed_text(element.tag, element.VR, components, explicit=explicit)
    stream = DicomBytesIO()
    stream.is_little_endian, stream.is_implicit_VR = True, not explicit
    try:
        write_data_element(stream, element)
    except PARSE_ERRORS as err:
        raise OddError from err
    return stream.getvalue()


def encoded_elements(dataset: Dataset, *, explicit: bool) -> dict[int, bytes]:
    """Return each element of a data set as bytes, by tag."""
    return {int(element.tag): encoded(element, explicit=explicit) for element in dataset}


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
