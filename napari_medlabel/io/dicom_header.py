"""One DICOM file -> one Instance: the few attributes that place its pixels.

`io.dicom_walk` collects their raw values fast, `io.dicom_odd` from files that need pydicom.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

IMPLICIT: Final = "1.2.840.10008.1.2"
EXPLICIT: Final = "1.2.840.10008.1.2.1"
NATIVE_LITTLE: Final = frozenset({IMPLICIT, EXPLICIT})

LONG_VR: Final = frozenset(
    {b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"SQ", b"UT", b"UN", b"UC", b"UR", b"SV", b"UV"}
)
SHORT_VR: Final = frozenset(
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

_short = struct.Struct("<H").unpack_from
_long = struct.Struct("<I").unpack_from


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
        return head[4:6] in SHORT_VR | LONG_VR or 0 < _long(head, 4)[0] <= 256
    return head[0] == 0 and head[1] in (2, 8) and head[2] == 0 and head[4:6] in SHORT_VR


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
    stored_bits = whole(fields, STORED, whole(fields, ALLOCATED, 16))
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
        rows=whole(fields, ROWS, 0),
        columns=whole(fields, COLUMNS, 0),
        samples=whole(fields, SAMPLES, 1),
        frames=int(_one(fields, FRAMES) or 1),
        photometric=text(fields.get(PHOTOMETRIC, b"")),
        allocated=whole(fields, ALLOCATED, 16),
        stored=stored_bits,
        high_bit=whole(fields, HIGH_BIT, stored_bits - 1),
        signed=whole(fields, SIGNED, 0) == 1,
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


def whole(fields: Mapping[int, bytes], tag: int, default: int) -> int:
    """Return the number of a US value, or the default where there is none."""
    raw = fields.get(tag, b"")
    return int(_short(raw)[0]) if len(raw) >= 2 else default
