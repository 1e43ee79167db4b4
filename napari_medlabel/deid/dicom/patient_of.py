"""Whose file it is, from the first bytes of its header: cheap enough for every file."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO, Final

from napari_medlabel.deid.dicom.elements import LONG_VRS, SHORT_VRS, UNDEFINED, UNKNOWN
from napari_medlabel.deid.dicom.file import looks_like_dicom
from napari_medlabel.deid.pixels.described import PIXEL_TAGS
from napari_medlabel.deid.rules.actions import components_of

_FIRST_READ, _SECOND_READ = 1 << 13, 1 << 17
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_META_START: Final = 132
_INSTANCE, _PATIENT_ID, _ISSUER, _STUDY = 0x00080018, 0x00100020, 0x00100021, 0x0020000D
_WANTED: Final = frozenset({_INSTANCE, _PATIENT_ID, _ISSUER, _STUDY})
_HEAD: Final = struct.Struct("<HHL")
_PLAIN: Final = {b"1.2.840.10008.1.2": False, b"1.2.840.10008.1.2.1": True}
_ENCAPSULATED: Final = b"1.2.840.10008.1.2.4."
_RLE: Final = b"1.2.840.10008.1.2.5"


def patient_in(path: Path) -> tuple[str, str] | None:
    """Return issuer and Patient ID of a DICOM file, as `dicom.patient_of` does.

    Parameters
    ----------
    path : Path
        A file.

    Returns
    -------
    tuple of str or None
        Issuer and ID, or ``"study"`` and a UID where no ID is named; None where the file
        is not DICOM, cannot be read or names nobody.
    """
    try:
        with path.open("rb", buffering=0) as stream:
            head = stream.read(_FIRST_READ)
            if not looks_like_dicom(head):
                return None
            return _plain(head) or _plain(head + stream.read(_SECOND_READ)) or _parsed(stream)
    except OSError:
        return None


def _plain(head: bytes) -> tuple[str, str] | None:
    """Return who a plain little-endian header names; None where it is not plain enough."""
    try:
        return _walked(head)
    except (ValueError, struct.error, RecursionError):
        return None


def _walked(head: bytes) -> tuple[str, str] | None:
    explicit, position = _start(head)
    if explicit is None:
        return None
    values: dict[int, str] = {}
    last = -1
    while True:
        tag, length, start = _element(head, position, explicit=explicit)
        if tag <= last:
            return None
        if tag > _STUDY:
            break
        last = tag
        if length == UNDEFINED:
            written = explicit and head[position + 4 : position + 6] != UNKNOWN
            position = _after_items(head, start, explicit=written)
        else:
            position = start + length
        if tag in _WANTED:
            values[tag] = "\\".join(components_of(head[start:position]))
    if values.get(_PATIENT_ID):
        return values.get(_ISSUER, ""), values[_PATIENT_ID]
    study = values.get(_STUDY) or values.get(_INSTANCE)
    return ("study", study) if study else None


def _start(head: bytes) -> tuple[bool | None, int]:
    """Return whether VRs are written, None where that is not plain, and where data starts."""
    position, found = _META_START, b""
    while head[position : position + 2] == b"\2\0":
        tag, length, start = _element(head, position, explicit=True)
        position = start + length
        if tag == 0x00020010:
            found = head[start:position].strip(b"\0 ")
    plain = _PLAIN.get(found)
    if plain is None and (found.startswith(_ENCAPSULATED) or found == _RLE):
        plain = True
    return plain, position


def _element(head: bytes, position: int, *, explicit: bool) -> tuple[int, int, int]:
    """Return tag, length and start of the value.

    Raises
    ------
    ValueError
        For a VR that there is not.
    """
    group, number, length = _HEAD.unpack_from(head, position)
    tag = group << 16 | number
    if not explicit:
        return tag, length, position + 8
    vr = head[position + 4 : position + 6]
    if vr in SHORT_VRS:
        return tag, length >> 16, position + 8
    if vr not in LONG_VRS:
        raise ValueError
    (length,) = struct.unpack_from("<L", head, position + 8)
    return tag, length, position + 12


def _after_items(head: bytes, position: int, *, explicit: bool) -> int:
    """Return where a sequence of undefined length ends."""
    while True:
        tag, length, position = _element(head, position, explicit=False)
        if tag == _SEQUENCE_END:
            return position
        if tag != _ITEM:
            raise ValueError
        if length == UNDEFINED:
            position = _after_item(head, position, explicit=explicit)
        else:
            position += length


def _after_item(head: bytes, position: int, *, explicit: bool) -> int:
    """Return where an item of undefined length ends."""
    while True:
        tag, length, start = _element(head, position, explicit=False)
        if tag == _ITEM_END:
            return start
        tag, length, start = _element(head, position, explicit=explicit)
        if length == UNDEFINED:
            written = explicit and head[position + 4 : position + 6] != UNKNOWN
            position = _after_items(head, start, explicit=written)
        else:
            position = start + length


def _parsed(stream: BinaryIO) -> tuple[str, str] | None:
    """Return who a header of any encoding names."""
    from pydicom.filereader import read_partial

    from napari_medlabel.deid.dicom.dataset import patient_of
    from napari_medlabel.deid.dicom.silence import quiet
    from napari_medlabel.deid.refusal import PARSE_ERRORS

    stream.seek(0)
    try:
        with quiet():
            found = patient_of(read_partial(stream, stop_when=_at_pixels, force=True))
    except PARSE_ERRORS:
        return None
    return found if found[1] else None


def _at_pixels(tag: int, _vr: str | None, _length: int) -> bool:
    return tag in PIXEL_TAGS or tag > PIXEL_TAGS[-1]
