"""One DICOM file -> one Instance: the few attributes that place its pixels.

`io.dicom_walk` and `io.dicom_odd` collect raw values; they are parsed when asked for.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final

from napari_medlabel.io.dicom.header.modalities import MODALITIES

IMPLICIT: Final = "1.2.840.10008.1.2"
EXPLICIT: Final = "1.2.840.10008.1.2.1"
EXPLICIT_BIG: Final = "1.2.840.10008.1.2.2"
DEFLATED: Final = "1.2.840.10008.1.2.1.99"
NATIVE_LITTLE: Final = frozenset({IMPLICIT, EXPLICIT})

LONG_VR: Final = frozenset(
    {b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"SQ", b"UT", b"UN", b"UC", b"UR", b"SV", b"UV"}
)
SHORT_VR: Final = frozenset(
    {b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FL", b"FD", b"IS", b"LO", b"LT", b"PN"}
    | {b"SH", b"SL", b"SS", b"ST", b"TM", b"UI", b"UL", b"US"}
)

TRANSFER_SYNTAX: Final = 0x00020010
CHARSET: Final = 0x00080005
IMAGE_TYPE: Final = 0x00080008
SOP_CLASS: Final = 0x00080016
SOP_INSTANCE: Final = 0x00080018
CONTENT_DATE: Final = 0x00080023
ACQUISITION_MOMENT: Final = 0x0008002A
ACQUISITION_DATE: Final = 0x00080022
ACQUISITION_TIME: Final = 0x00080032
CONTENT_TIME: Final = 0x00080033
MODALITY: Final = 0x00080060
COMPONENT: Final = 0x00089208
PATIENT_ID: Final = 0x00100020
ISSUER: Final = 0x00100021
THICKNESS: Final = 0x00180050
ECHO_TIME: Final = 0x00180081
INVERSION_TIME: Final = 0x00180082
ECHO_NUMBER: Final = 0x00180086
BETWEEN: Final = 0x00180088
TRIGGER_TIME: Final = 0x00181060
IMAGER_SPACING: Final = 0x00181164
FLIP_ANGLE: Final = 0x00181314
B_VALUE: Final = 0x00189087
GRADIENT: Final = 0x00189089
CREATOR_19: Final = 0x00190010
SIEMENS_B_VALUE: Final = 0x0019100C
SERIES: Final = 0x0020000E
SERIES_NUMBER: Final = 0x00200011
ACQUISITION_NUMBER: Final = 0x00200012
INSTANCE_NUMBER: Final = 0x00200013
POSITION: Final = 0x00200032
ORIENTATION: Final = 0x00200037
FRAME_OF_REFERENCE: Final = 0x00200052
TEMPORAL_POSITION: Final = 0x00200100
SAMPLES: Final = 0x00280002
PHOTOMETRIC: Final = 0x00280004
PLANAR: Final = 0x00280006
FRAMES: Final = 0x00280008
ROWS: Final = 0x00280010
COLUMNS: Final = 0x00280011
SPACING: Final = 0x00280030
ASPECT: Final = 0x00280034
ALLOCATED: Final = 0x00280100
STORED: Final = 0x00280101
HIGH_BIT: Final = 0x00280102
SIGNED: Final = 0x00280103
CENTRE: Final = 0x00281050
WIDTH: Final = 0x00281051
INTERCEPT: Final = 0x00281052
SLOPE: Final = 0x00281053
RESCALE_TYPE: Final = 0x00281054
MODALITY_LUT: Final = 0x00283000
PIXELS: Final = 0x7FE00010
FLOAT_PIXELS: Final = 0x7FE00008
DOUBLE_PIXELS: Final = 0x7FE00009

WANTED: Final[Mapping[int, bytes]] = {
    CHARSET: b"CS",
    IMAGE_TYPE: b"CS",
    SOP_CLASS: b"UI",
    SOP_INSTANCE: b"UI",
    ACQUISITION_DATE: b"DA",
    CONTENT_DATE: b"DA",
    ACQUISITION_MOMENT: b"DT",
    ACQUISITION_TIME: b"TM",
    CONTENT_TIME: b"TM",
    MODALITY: b"CS",
    COMPONENT: b"CS",
    PATIENT_ID: b"LO",
    ISSUER: b"LO",
    THICKNESS: b"DS",
    ECHO_TIME: b"DS",
    INVERSION_TIME: b"DS",
    ECHO_NUMBER: b"IS",
    BETWEEN: b"DS",
    TRIGGER_TIME: b"DS",
    IMAGER_SPACING: b"DS",
    FLIP_ANGLE: b"DS",
    B_VALUE: b"FD",
    GRADIENT: b"FD",
    CREATOR_19: b"LO",
    SIEMENS_B_VALUE: b"IS",
    SERIES: b"UI",
    SERIES_NUMBER: b"IS",
    ACQUISITION_NUMBER: b"IS",
    INSTANCE_NUMBER: b"IS",
    POSITION: b"DS",
    ORIENTATION: b"DS",
    FRAME_OF_REFERENCE: b"UI",
    TEMPORAL_POSITION: b"IS",
    SAMPLES: b"US",
    PHOTOMETRIC: b"CS",
    PLANAR: b"US",
    FRAMES: b"IS",
    ROWS: b"US",
    COLUMNS: b"US",
    SPACING: b"DS",
    ASPECT: b"IS",
    ALLOCATED: b"US",
    STORED: b"US",
    HIGH_BIT: b"US",
    SIGNED: b"US",
    CENTRE: b"DS",
    WIDTH: b"DS",
    INTERCEPT: b"DS",
    SLOPE: b"DS",
    RESCALE_TYPE: b"LO",
    MODALITY_LUT: b"SQ",
}
"""Attributes that are read, with the VR that an explicit file must give them."""

_short = struct.Struct("<H").unpack_from
_long = struct.Struct("<I").unpack_from


@dataclass(frozen=True, slots=True, repr=False)
class Instance:
    """What one file says about where its pixels lie and how they are stored.

    Attributes are named after those of PS3.3 C.7.6; lengths are in mm, positions in LPS mm.

    Parameters
    ----------
    file : str
        The file; text, because thousands of paths take longer than their headers.
    size : int
        Its length in bytes.
    transfer_syntax : str
        As its meta group gives it, or as it was guessed.
    pixel_offset : int or None
        Where the pixel data's value begins; None where the file's bytes must be unpacked first.
    pixel_length : int
        Its length; 0xFFFFFFFF for encapsulated pixels.
    has_pixels, has_float_pixels : bool
        Whether there are pixels, and whether they are Float or Double Float Pixel Data.
    fields : mapping of int to bytes
        Raw little-endian values by tag: those of `WANTED` that the file has.
    """

    file: str
    size: int
    transfer_syntax: str
    pixel_offset: int | None
    pixel_length: int
    has_pixels: bool
    has_float_pixels: bool
    fields: Mapping[int, bytes] = field(hash=False)

    def __repr__(self) -> str:
        return f"Instance({self.rows}x{self.columns})"

    @property
    def path(self) -> Path:
        """The file."""
        return Path(self.file)

    @property
    def is_native(self) -> bool:
        """Whether the pixels lie uncompressed, little endian, at a known offset."""
        return self.transfer_syntax in NATIVE_LITTLE and self.pixel_offset is not None

    @property
    def pixel_bytes(self) -> int:
        """Bytes that the uncompressed pixels of one frame take."""
        return self.rows * self.columns * self.samples * self.allocated // 8

    @property
    def has_modality_lut(self) -> bool:
        """Whether a modality look-up table gives the values."""
        return MODALITY_LUT in self.fields

    @property
    def sop_class(self) -> str:
        """SOP Class UID."""
        return text(self.fields.get(SOP_CLASS, b""))

    @property
    def sop_uid(self) -> str:
        """SOP Instance UID."""
        return text(self.fields.get(SOP_INSTANCE, b""))

    @property
    def modality(self) -> str:
        """Modality, where it is a defined term."""
        modality = text(self.fields.get(MODALITY, b""))
        return modality if modality in MODALITIES else ""

    @property
    def image_type(self) -> str:
        """Image Type, its values joined by backslashes."""
        return text(self.fields.get(IMAGE_TYPE, b""))

    @property
    def charset(self) -> bytes:
        """Specific Character Set."""
        return self.fields.get(CHARSET, b"")

    @property
    def patient_id(self) -> bytes:
        """Patient ID in the file's character set."""
        return self.fields.get(PATIENT_ID, b"").strip(b" \0")

    @property
    def issuer(self) -> bytes:
        """Issuer of Patient ID in the file's character set."""
        return self.fields.get(ISSUER, b"").strip(b" \0")

    @property
    def series_uid(self) -> str:
        """Series Instance UID."""
        return text(self.fields.get(SERIES, b""))

    @property
    def series_number(self) -> float:
        """Series Number; 0 where there is none."""
        return self.number(SERIES_NUMBER) or 0.0

    @property
    def frame_of_reference(self) -> str:
        """Frame of Reference UID."""
        return text(self.fields.get(FRAME_OF_REFERENCE, b""))

    @property
    def position_lps(self) -> tuple[float, ...] | None:
        """Image Position (Patient), where it is three numbers."""
        return exactly(self.fields.get(POSITION, b""), 3)

    @property
    def orientation_lps(self) -> tuple[float, ...] | None:
        """Image Orientation (Patient), where it is six numbers."""
        return exactly(self.fields.get(ORIENTATION, b""), 6)

    @property
    def spacing_mm(self) -> tuple[float, ...] | None:
        """Pixel Spacing, where it is two numbers: between rows, between columns."""
        return exactly(self.fields.get(SPACING, b""), 2)

    @property
    def thickness_mm(self) -> float | None:
        """Slice Thickness."""
        return self.number(THICKNESS)

    @property
    def between_mm(self) -> float | None:
        """Spacing Between Slices."""
        return self.number(BETWEEN)

    @property
    def rows(self) -> int:
        """Rows; 0 where there are none."""
        return whole(self.fields, ROWS, 0)

    @property
    def columns(self) -> int:
        """Columns; 0 where there are none."""
        return whole(self.fields, COLUMNS, 0)

    @property
    def samples(self) -> int:
        """Samples per Pixel."""
        return whole(self.fields, SAMPLES, 1)

    @property
    def planar(self) -> int:
        """Planar Configuration."""
        return whole(self.fields, PLANAR, 0)

    @property
    def frames(self) -> int:
        """Number of Frames; 1 where it is not said."""
        return int(self.number(FRAMES) or 1)

    @property
    def photometric(self) -> str:
        """Photometric Interpretation."""
        return text(self.fields.get(PHOTOMETRIC, b""))

    @property
    def allocated(self) -> int:
        """Bits Allocated."""
        return whole(self.fields, ALLOCATED, 16)

    @property
    def stored(self) -> int:
        """Bits Stored."""
        return whole(self.fields, STORED, self.allocated)

    @property
    def high_bit(self) -> int:
        """High Bit."""
        return whole(self.fields, HIGH_BIT, self.stored - 1)

    @property
    def signed(self) -> bool:
        """Whether Pixel Representation says two's complement."""
        return whole(self.fields, SIGNED, 0) == 1

    @property
    def slope(self) -> float:
        """Rescale Slope; 1 where there is none."""
        slope = self.number(SLOPE)
        return 1.0 if slope is None else slope

    @property
    def intercept(self) -> float:
        """Rescale Intercept; 0 where there is none."""
        return self.number(INTERCEPT) or 0.0

    @property
    def window(self) -> tuple[float, float] | None:
        """Window Center and Window Width, the first where there are several."""
        centre, width = self.number(CENTRE), self.number(WIDTH)
        return (centre, width) if centre is not None and width and width > 0 else None

    def number(self, tag: int) -> float | None:
        """Return the first number of a DS or IS value, or None."""
        values = numbers(self.fields.get(tag, b""))
        return values[0] if values else None


def looks_like_dicom(head: bytes) -> bool:
    """Tell from a file's first bytes (at least 132 where it is longer) whether it is DICOM.

    Files without preamble begin with the prefix, or are known by a first element of group 2
    or 8 (PS3.10 7.1 asks for the preamble; old archives omit it).
    """
    if b"DICM" in (head[128:132], head[:4]):
        return True
    if len(head) < 12:
        return False
    if head[:2] in (b"\x02\x00", b"\x08\x00") and head[3] == 0:
        return head[4:6] in SHORT_VR | LONG_VR or 0 < _long(head, 4)[0] <= 256
    return head[0] == 0 and head[1] in (2, 8) and head[2] == 0 and head[4:6] in SHORT_VR


def text(raw: bytes) -> str:
    """Return a value of the default repertoire without its padding."""
    return raw.decode("latin-1").strip("\0 ")


@lru_cache(maxsize=4096)
def numbers(raw: bytes) -> tuple[float, ...]:
    """Return the numbers of a DS or IS value; () where one of them is none or not finite."""
    try:
        values = tuple(map(float, raw.strip(b"\0 ").split(b"\\")))
    except ValueError:
        return ()
    if not math.isfinite(sum(values)) or b"_" in raw:
        return ()
    return values


def parsed(raw: bytes, count: int) -> tuple[float, ...] | None:
    """Return so many numbers of a DS value, or None; for values that seldom repeat."""
    values: tuple[float, ...] = numbers.__wrapped__(raw)
    return values if len(values) == count else None


def exactly(raw: bytes, count: int) -> tuple[float, ...] | None:
    """Return so many numbers of a DS value, or None."""
    values = numbers(raw)
    return values if len(values) == count else None


def whole(fields: Mapping[int, bytes], tag: int, default: int) -> int:
    """Return the number of a US value, or the default where there is none."""
    raw = fields.get(tag, b"")
    return int(_short(raw)[0]) if len(raw) >= 2 else default
