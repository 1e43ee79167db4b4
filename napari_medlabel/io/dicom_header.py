"""One DICOM file -> one Instance: the few attributes that place its pixels, read fast.

The walk follows PS3.5 7.1 for explicit and implicit little endian and stops before the pixels.
Whatever it does not expect raises `OddFileError`, and pydicom reads that file instead.
"""

from __future__ import annotations

import math
import mmap
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

IMPLICIT: Final = "1.2.840.10008.1.2"
EXPLICIT: Final = "1.2.840.10008.1.2.1"
NATIVE_LITTLE: Final = frozenset({IMPLICIT, EXPLICIT})
_NOT_WALKED: Final = frozenset({"", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"})
_UNDEFINED: Final = 0xFFFFFFFF
_FIRST_BLOCK: Final = 8192
_DEEPEST: Final = 32

_LONG_VR: Final = frozenset(
    {b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"SQ", b"UT", b"UN", b"UC", b"UR", b"SV", b"UV"}
)
_SHORT_VR: Final = frozenset(
    {b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FL", b"FD", b"IS", b"LO", b"LT", b"PN"}
    | {b"SH", b"SL", b"SS", b"ST", b"TM", b"UI", b"UL", b"US"}
)

CHARSET: Final = 0x00080005
IMAGE_TYPE: Final = 0x00080008
SOP_CLASS: Final = 0x00080016
SOP_INSTANCE: Final = 0x00080018
MODALITY: Final = 0x00080060
PATIENT_ID: Final = 0x00100020
ISSUER: Final = 0x00100021
THICKNESS: Final = 0x00180050
BETWEEN: Final = 0x00180088
SERIES: Final = 0x0020000E
SERIES_NUMBER: Final = 0x00200011
POSITION: Final = 0x00200032
ORIENTATION: Final = 0x00200037
FRAME_OF_REFERENCE: Final = 0x00200052
SAMPLES: Final = 0x00280002
PHOTOMETRIC: Final = 0x00280004
FRAMES: Final = 0x00280008
ROWS: Final = 0x00280010
COLUMNS: Final = 0x00280011
SPACING: Final = 0x00280030
ALLOCATED: Final = 0x00280100
STORED: Final = 0x00280101
HIGH_BIT: Final = 0x00280102
SIGNED: Final = 0x00280103
CENTRE: Final = 0x00281050
WIDTH: Final = 0x00281051
INTERCEPT: Final = 0x00281052
SLOPE: Final = 0x00281053
MODALITY_LUT: Final = 0x00283000
PIXELS: Final = 0x7FE00010
FLOAT_PIXELS: Final = 0x7FE00008
DOUBLE_PIXELS: Final = 0x7FE00009

WANTED: Final[Mapping[int, bytes]] = {
    CHARSET: b"CS",
    IMAGE_TYPE: b"CS",
    SOP_CLASS: b"UI",
    SOP_INSTANCE: b"UI",
    MODALITY: b"CS",
    PATIENT_ID: b"LO",
    ISSUER: b"LO",
    THICKNESS: b"DS",
    BETWEEN: b"DS",
    SERIES: b"UI",
    SERIES_NUMBER: b"IS",
    POSITION: b"DS",
    ORIENTATION: b"DS",
    FRAME_OF_REFERENCE: b"UI",
    SAMPLES: b"US",
    PHOTOMETRIC: b"CS",
    FRAMES: b"IS",
    ROWS: b"US",
    COLUMNS: b"US",
    SPACING: b"DS",
    ALLOCATED: b"US",
    STORED: b"US",
    HIGH_BIT: b"US",
    SIGNED: b"US",
    CENTRE: b"DS",
    WIDTH: b"DS",
    INTERCEPT: b"DS",
    SLOPE: b"DS",
    MODALITY_LUT: b"SQ",
}
"""Attributes that are read, with the VR that an explicit file must give them."""

_MODALITIES: Final = frozenset(
    {"AR", "BI", "BMD", "CR", "CT", "CTPROTOCOL", "DG", "DX", "ECG", "EPS", "ES", "FID"}
    | {"GM", "HC", "HD", "IO", "IVOCT", "IVUS", "KER", "LEN", "LS", "MG", "MR", "NM"}
    | {"OAM", "OCT", "OP", "OPM", "OPT", "OPTBSV", "OPTENF", "OPV", "OSS", "OT", "PT", "PX"}
    | {"RF", "RG", "RTIMAGE", "SM", "SMR", "SRF", "TG", "US", "VA", "XA", "XC"}
)
"""Defined terms of PS3.3 C.7.3.1.1.1; anything else might be a text that names somebody."""

_two_shorts = struct.Struct("<HH").unpack_from
_short = struct.Struct("<H").unpack_from
_long = struct.Struct("<I").unpack_from
_Buffer = bytes | mmap.mmap


class OddFileError(Exception):
    """The walk met something it does not expect; pydicom is asked instead."""


class _NeedMoreError(Exception):
    """The first block ends inside the header."""


@dataclass(frozen=True, slots=True)
class Instance:
    """What one file says about where its pixels lie and how they are stored.

    Attributes are named after those of PS3.3 C.7.6; lengths are in mm, positions in LPS mm.
    ``faults`` says in words which geometric attributes cannot be understood.
    ``pixel_offset`` is None where only pydicom can find the pixels.
    """

    path: Path
    size: int
    transfer_syntax: str
    pixel_offset: int | None
    pixel_length: int
    has_pixels: bool
    has_float_pixels: bool
    has_modality_lut: bool
    sop_class: str
    sop_uid: str
    modality: str
    image_type: str
    charset: bytes
    patient_id: bytes
    issuer: bytes
    series_uid: str
    series_number: float
    frame_of_reference: str
    position_lps: tuple[float, ...] | None
    orientation_lps: tuple[float, ...] | None
    spacing_mm: tuple[float, ...] | None
    thickness_mm: float | None
    between_mm: float | None
    rows: int
    columns: int
    samples: int
    frames: int
    photometric: str
    allocated: int
    stored: int
    high_bit: int
    signed: bool
    slope: float
    intercept: float
    window: tuple[float, float] | None
    faults: tuple[str, ...]

    @property
    def is_native(self) -> bool:
        """Whether the pixels lie uncompressed, little endian, at a known offset."""
        return self.transfer_syntax in NATIVE_LITTLE and self.pixel_offset is not None

    @property
    def pixel_bytes(self) -> int:
        """Bytes that the uncompressed pixels of one frame take."""
        return self.rows * self.columns * self.samples * self.allocated // 8


def looks_like_dicom(head: bytes) -> bool:
    """Tell from a file's first bytes (at least 132 where it is longer) whether it is DICOM.

    Files without preamble are known by a first element of group 2 or 8 (PS3.10 7.1 asks for
    the preamble; old archives omit it).
    """
    if head[128:132] == b"DICM":
        return True
    if len(head) < 12:
        return False
    if head[:2] in (b"\x02\x00", b"\x08\x00") and head[3] == 0:
        return head[4:6] in _SHORT_VR | _LONG_VR or 0 < _long(head, 4)[0] <= 256
    return head[0] == 0 and head[1] in (2, 8) and head[2] == 0 and head[4:6] in _SHORT_VR


def walk(path: Path) -> Instance:
    """Read the header of a little-endian file with preamble.

    Raises
    ------
    OddFileError
        When pydicom should read it.
    OSError
        When it cannot be opened.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        size = os.fstat(descriptor).st_size
        head = os.read(descriptor, _FIRST_BLOCK)
        try:
            return _walk_bytes(path, descriptor, head, size)
        except _NeedMoreError:
            pass
        try:
            with mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ) as whole:
                return _walk_bytes(path, descriptor, whole, size)
        except _NeedMoreError as err:
            raise OddFileError("The file ends inside its header.") from err
    except (struct.error, IndexError) as err:
        raise OddFileError("The header cannot be followed.") from err
    finally:
        os.close(descriptor)


def _walk_bytes(path: Path, descriptor: int, data: _Buffer, size: int) -> Instance:
    syntax, at = _read_meta(data)
    explicit = syntax != IMPLICIT
    if explicit != (bytes(data[at + 4 : at + 6]) in _SHORT_VR | _LONG_VR):
        raise OddFileError("The data set is not encoded as its meta group says.")
    fields: dict[int, bytes] = {}
    at = _walk_until(data, at, 0x00290000, fields, explicit=explicit, size=size)
    offset, length = _find_at_tail(descriptor, fields, syntax, size)
    floats = False
    if offset < 0:
        at = _walk_until(data, at, FLOAT_PIXELS, fields, explicit=explicit, size=size)
        if at < size:
            tag, _, header, length = _element(data, at, explicit=explicit)
            floats = tag in (FLOAT_PIXELS, DOUBLE_PIXELS)
            offset = at + header if tag in (PIXELS, FLOAT_PIXELS, DOUBLE_PIXELS) else -1
    return build(path, size, syntax, fields, pixels=(offset, length), has_float_pixels=floats)


def _read_meta(data: _Buffer) -> tuple[str, int]:
    """Return the transfer syntax and where the data set begins."""
    if bytes(data[128:132]) != b"DICM":
        raise OddFileError("No preamble.")
    at, syntax, start = 132, "", 132
    while at + 8 <= len(data) and _short(data, at)[0] == 2:
        tag, _, header, length = _element(data, at, explicit=True)
        if length == _UNDEFINED:
            raise OddFileError("A meta element without a length.")
        if tag == 0x00020010:
            syntax = text(bytes(data[at + header : at + header + length]))
        at += header + length
    if syntax in _NOT_WALKED or at == start:
        raise OddFileError("A transfer syntax for pydicom.")
    return syntax, at


def _element(data: _Buffer, at: int, *, explicit: bool) -> tuple[int, bytes, int, int]:
    """Return tag, VR, length of the element's header and of its value."""
    if at + 12 > len(data):
        raise _NeedMoreError
    group, element = _two_shorts(data, at)
    if not explicit:
        return group << 16 | element, b"", 8, _long(data, at + 4)[0]
    vr = bytes(data[at + 4 : at + 6])
    if vr in _SHORT_VR:
        return group << 16 | element, vr, 8, _short(data, at + 6)[0]
    if vr not in _LONG_VR:
        raise OddFileError("An unknown value representation.")
    return group << 16 | element, vr, 12, _long(data, at + 8)[0]


def _walk_until(
    data: _Buffer,
    at: int,
    stop: int,
    fields: dict[int, bytes],
    *,
    explicit: bool,
    size: int,
) -> int:
    """Collect wanted elements from ``at`` up to the first tag that is not below ``stop``."""
    last = -1
    while at < size:
        tag, vr, header, length = _element(data, at, explicit=explicit)
        if tag >= stop:
            return at
        if tag <= last:
            raise OddFileError("Elements are not in ascending order.")
        last = tag
        start, end = at + header, at + header + length
        if length == _UNDEFINED:
            if vr not in (b"SQ", b""):
                raise OddFileError("An undefined length outside of a sequence.")
            end = _skip_items(data, start, explicit=explicit, depth=0)
        at = end
        if tag in WANTED:
            if explicit and vr != WANTED[tag]:
                raise OddFileError("An attribute with another value representation.")
            if end > len(data):
                raise _NeedMoreError
            fields[tag] = bytes(data[start:end])
    if at > size:
        raise OddFileError("The file ends inside an element.")
    return at


def _skip_items(data: _Buffer, at: int, *, explicit: bool, depth: int) -> int:
    """Skip the items of a sequence of undefined length, its delimiter included."""
    if depth > _DEEPEST:
        raise OddFileError("Sequences are nested too deeply.")
    while True:
        if at + 8 > len(data):
            raise _NeedMoreError
        group, element = _two_shorts(data, at)
        length = _long(data, at + 4)[0]
        at += 8
        if group != 0xFFFE:
            raise OddFileError("An item is expected in a sequence.")
        if element == 0xE0DD:
            return at
        if element != 0xE000:
            raise OddFileError("An item is expected in a sequence.")
        at = (
            _skip_item(data, at, explicit=explicit, depth=depth)
            if length == _UNDEFINED
            else at + length
        )


def _skip_item(data: _Buffer, at: int, *, explicit: bool, depth: int) -> int:
    while True:
        if at + 8 > len(data):
            raise _NeedMoreError
        if _two_shorts(data, at) == (0xFFFE, 0xE00D):
            return at + 8
        _, vr, header, length = _element(data, at, explicit=explicit)
        at += header
        if length != _UNDEFINED:
            at += length
        elif vr in (b"SQ", b""):
            at = _skip_items(data, at, explicit=explicit, depth=depth + 1)
        else:
            raise OddFileError("An undefined length outside of a sequence.")


def _find_at_tail(
    descriptor: int, fields: Mapping[int, bytes], syntax: str, size: int
) -> tuple[int, int]:
    """Find native pixels from the file's end, so that private groups need not be walked."""
    if syntax not in NATIVE_LITTLE or FRAMES in fields:
        return -1, 0
    counts = [_whole(fields, tag, 0) for tag in (ROWS, COLUMNS, ALLOCATED)]
    length = counts[0] * counts[1] * counts[2] // 8 * _whole(fields, SAMPLES, 1)
    header = 12 if syntax == EXPLICIT else 8
    if length <= 0 or size - length - header <= 132:
        return -1, 0
    os.lseek(descriptor, size - length - header, os.SEEK_SET)
    tail = os.read(descriptor, header)
    if tail[:4] != b"\xe0\x7f\x10\x00" or _long(tail, header - 4)[0] != length:
        return -1, 0
    if syntax == EXPLICIT and tail[4:6] not in (b"OW", b"OB"):
        return -1, 0
    return size - length, length


def build(
    path: Path,
    size: int,
    transfer_syntax: str,
    fields: Mapping[int, bytes],
    *,
    pixels: tuple[int, int],
    has_float_pixels: bool = False,
    only_pydicom: bool = False,
) -> Instance:
    """Make an Instance of raw little-endian values.

    Parameters
    ----------
    path : Path
        The file.
    size : int
        Its length in bytes.
    transfer_syntax : str
        As its meta group gives it, or as it was guessed.
    fields : mapping of int to bytes
        Raw values by tag.
    pixels : tuple of int
        Offset (negative: there are none) and length of the pixel data's value.
    has_float_pixels : bool
        Whether these are Float or Double Float Pixel Data.
    only_pydicom : bool
        Whether the offset is meaningless, since only pydicom can follow the file.
    """
    faults: list[str] = []
    modality = text(fields.get(MODALITY, b""))
    stored_bits = _whole(fields, STORED, _whole(fields, ALLOCATED, 16))
    return Instance(
        path=path,
        size=size,
        transfer_syntax=transfer_syntax,
        pixel_offset=None if only_pydicom or pixels[0] < 0 else pixels[0],
        pixel_length=pixels[1],
        has_pixels=pixels[0] >= 0,
        has_float_pixels=has_float_pixels,
        has_modality_lut=MODALITY_LUT in fields,
        sop_class=text(fields.get(SOP_CLASS, b"")),
        sop_uid=text(fields.get(SOP_INSTANCE, b"")),
        modality=modality if modality in _MODALITIES else "",
        image_type=text(fields.get(IMAGE_TYPE, b"")),
        charset=fields.get(CHARSET, b""),
        patient_id=fields.get(PATIENT_ID, b"").strip(b" \0"),
        issuer=fields.get(ISSUER, b"").strip(b" \0"),
        series_uid=text(fields.get(SERIES, b"")),
        series_number=_one(fields, SERIES_NUMBER) or 0.0,
        frame_of_reference=text(fields.get(FRAME_OF_REFERENCE, b"")),
        position_lps=_geometry(fields, POSITION, 3, "Image Position (Patient)", faults),
        orientation_lps=_geometry(
            fields, ORIENTATION, 6, "Image Orientation (Patient)", faults
        ),
        spacing_mm=_geometry(fields, SPACING, 2, "Pixel Spacing", faults),
        thickness_mm=_one(fields, THICKNESS),
        between_mm=_one(fields, BETWEEN),
        rows=_whole(fields, ROWS, 0),
        columns=_whole(fields, COLUMNS, 0),
        samples=_whole(fields, SAMPLES, 1),
        frames=int(_one(fields, FRAMES) or 1),
        photometric=text(fields.get(PHOTOMETRIC, b"")),
        allocated=_whole(fields, ALLOCATED, 16),
        stored=stored_bits,
        high_bit=_whole(fields, HIGH_BIT, stored_bits - 1),
        signed=_whole(fields, SIGNED, 0) == 1,
        slope=_rescale(fields, SLOPE, 1.0, "Rescale Slope", faults),
        intercept=_rescale(fields, INTERCEPT, 0.0, "Rescale Intercept", faults),
        window=_window(fields),
        faults=tuple(faults),
    )


def text(raw: bytes) -> str:
    """Return a value of the default repertoire without its padding."""
    return raw.decode("latin-1").strip("\0 ")


def _numbers(raw: bytes) -> tuple[float, ...]:
    """Return the finite numbers of a DS or IS value; raise ValueError for anything else."""
    values = tuple(float(part) for part in raw.decode("ascii").strip("\0 ").split("\\"))
    if not all(math.isfinite(value) for value in values):
        raise ValueError
    return values


def _one(fields: Mapping[int, bytes], tag: int) -> float | None:
    """Return the first number of a value that matters little, or None."""
    try:
        return _numbers(fields[tag])[0]
    except (KeyError, ValueError):
        return None


def _geometry(
    fields: Mapping[int, bytes], tag: int, count: int, name: str, faults: list[str]
) -> tuple[float, ...] | None:
    raw = fields.get(tag, b"").strip(b"\0 ")
    if not raw:
        return None
    try:
        values = _numbers(raw)
    except ValueError:
        values = ()
    if len(values) != count:
        faults.append(f"{name} is not {count} numbers")
        return None
    return values


def _rescale(
    fields: Mapping[int, bytes], tag: int, default: float, name: str, faults: list[str]
) -> float:
    raw = fields.get(tag, b"").strip(b"\0 ")
    if not raw:
        return default
    try:
        return _numbers(raw)[0]
    except ValueError:
        faults.append(f"{name} is not a number")
        return default


def _window(fields: Mapping[int, bytes]) -> tuple[float, float] | None:
    centre, width = _one(fields, CENTRE), _one(fields, WIDTH)
    return (centre, width) if centre is not None and width is not None and width > 0 else None


def _whole(fields: Mapping[int, bytes], tag: int, default: int) -> int:
    raw = fields.get(tag, b"")
    return int(_short(raw)[0]) if len(raw) >= 2 else default
