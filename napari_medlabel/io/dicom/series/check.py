"""What the headers of a group must say before it can be placed and read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

import numpy as np

from napari_medlabel.errors import InputError
from napari_medlabel.io.dicom.frames.plane import Plane, table
from napari_medlabel.io.dicom.header.instance import (
    ALLOCATED,
    HIGH_BIT,
    INTERCEPT,
    ORIENTATION,
    PHOTOMETRIC,
    POSITION,
    SAMPLES,
    SIGNED,
    SLOPE,
    SPACING,
    STORED,
    Instance,
    numbers,
)
from napari_medlabel.io.dicom.pixels.coding import coding_of, is_native
from napari_medlabel.io.dicom.series.group import unique

_ORTHONORMAL: Final = 1e-3
_AGAIN: Final = "Export the series again from its source."
_SYNTAXES: Final = "1.2.840.10008.1.2"
_CUT: Final = "The file was cut off; copy or export the series again."
_ASSUMED: Final[Mapping[int, str]] = {
    SAMPLES: "Samples per Pixel is missing: one is assumed.",
    PHOTOMETRIC: "Photometric Interpretation is missing: high values are taken for bright.",
    ALLOCATED: "Bits Allocated is missing: 16 are assumed, as the length of the pixels says.",
    STORED: "Bits Stored is missing: all allocated bits are taken for the value.",
    HIGH_BIT: "High Bit is missing: the lowest bits are taken for the value.",
    SIGNED: "Pixel Representation is missing: values are taken for unsigned, and the series "
    "is read only if none of them could be negative.",
}
"""What is taken where an attribute of the pixels is missing that PS3.3 C.7.6.3 demands."""
_OF_FLOATS: Final = (SAMPLES, PHOTOMETRIC, ALLOCATED)


def require_geometry(planes: Sequence[Plane]) -> None:
    """Refuse images that do not say where they lie.

    Raises
    ------
    InputError
        With the attribute and the file's number.
    """
    for number, one in enumerate(planes, start=1):
        if one.position_lps is None or one.orientation_lps is None or one.spacing_mm is None:
            _refuse_missing(one, _where(planes, number))
    orientation = table([one.orientation_lps for one in planes], 6)
    spacing = table([one.spacing_mm for one in planes], 2)
    row, column = orientation[:, :3], orientation[:, 3:]
    lengths = np.abs(np.stack([(row * row).sum(1), (column * column).sum(1)]) - 1.0)
    bent = lengths.max(axis=0) > 2 * _ORTHONORMAL
    bent |= np.abs((row * column).sum(1)) > _ORTHONORMAL
    if bent.any():
        raise InputError(
            "Rows and columns are expected at right angles and of length one; Image "
            f"Orientation (Patient) is not, in {_where(planes, int(np.argmax(bent)) + 1)}.",
            hint=_AGAIN,
        )
    flat = spacing.min(axis=1) <= 0
    if flat.any():
        raise InputError(
            "Pixel Spacing must be greater than zero; it is not, in "
            f"{_where(planes, int(np.argmax(flat)) + 1)}.",
            hint=_AGAIN,
        )


def _where(planes: Sequence[Plane], number: int) -> str:
    one = planes[number - 1]
    own = unique(planes)
    file = next(n for n, held in enumerate(own, start=1) if held is one.instance)
    where = f"file {file} of {len(own)}"
    return where if one.instance.frames <= 1 else f"frame {one.frame + 1} of {where}"


def _refuse_missing(one: Plane, where: str) -> None:
    missing = []
    for name, value, tag, count in (
        ("Image Position (Patient)", one.position_lps, POSITION, 3),
        ("Image Orientation (Patient)", one.orientation_lps, ORIENTATION, 6),
        ("Pixel Spacing", one.spacing_mm, SPACING, 2),
    ):
        if value is None and one.instance.fields.get(tag, b"").strip(b"\0 "):
            raise InputError(f"In {where} {name} is not {count} numbers.", hint=_AGAIN)
        if value is None:
            missing.append(name)
    raise InputError(
        f"Where the image lies is unknown: {' and '.join(missing)} missing in {where}.",
        hint="Only images with a position in the patient can be opened as a volume; "
        "export the series again, with its geometry.",
    )


def require_pixels(planes: Sequence[Plane]) -> tuple[str, ...]:
    """Refuse files without pixels, with too few of them, or of a kind that cannot be read.

    Returns
    -------
    tuple of str
        What is taken for attributes of the pixels that are missing, in words.

    Raises
    ------
    InputError
        With the reason and the file's number.
    """
    own = unique(planes)
    assumed: dict[str, None] = {}
    for number, plane in enumerate(planes, start=1):
        if plane.rows < 1 or plane.columns < 1:
            where = _where(planes, number)
            raise InputError(f"Rows or Columns missing or zero in {where}.", hint=_AGAIN)
    for number, one in enumerate(own, start=1):
        where = f"file {number} of {len(own)}"
        if not one.has_pixels:
            raise InputError(
                f"The series is damaged: {where} has no pixel data.",
                hint="The file was cut off or stripped; copy or export the series again.",
            )
        fault = _rescale_fault(one.fields.get(SLOPE, b""), one.fields.get(INTERCEPT, b""))
        if fault:
            raise InputError(f"In {where} {fault}.", hint=_AGAIN)
        if not one.transfer_syntax.startswith(_SYNTAXES):
            raise InputError(
                f"The Transfer Syntax of {where} is private or unknown: how its pixels are "
                "written cannot be known.",
                hint="Export the series again in a syntax of the standard.",
            )
        _require_length(one, where)
        missing = missing_of(one)
        if missing:
            _require_one_reading(one, missing, where)
            assumed.update(dict.fromkeys(_ASSUMED[tag] for tag in missing))
    return tuple(assumed)


def missing_of(one: Instance) -> tuple[int, ...]:
    """List attributes that say how pixels are stored, are mandatory, and are missing."""
    get = one.fields.get
    wanted = _OF_FLOATS if one.has_float_pixels else tuple(_ASSUMED)
    return tuple(tag for tag in wanted if not get(tag))


def _require_one_reading(one: Instance, missing: tuple[int, ...], where: str) -> None:
    """Refuse where what is missing could be several things, by all that the header says."""
    coding = coding_of(one)
    needed = (coding.frame_bits * coding.frames + 7) // 8
    is_exact = is_native(coding) and needed <= one.pixel_length <= needed + 1
    name = ""
    if ALLOCATED in missing and not is_exact:
        name = "Bits Allocated"
    elif SAMPLES in missing and is_native(coding) and not is_exact:
        name = "Samples per Pixel"
    elif PHOTOMETRIC in missing and coding.samples > 1:
        name = "Photometric Interpretation"
    elif STORED in missing and HIGH_BIT in missing and coding.signed:
        name = "Bits Stored"
    if name:
        raise InputError(
            f"{name} is missing in {where}: how its pixels are stored cannot be known.",
            hint=_AGAIN,
        )


def _require_length(one: Instance, where: str) -> None:
    coding = coding_of(one)
    needed = (coding.frame_bits * coding.frames + 7) // 8
    offset = one.pixel_offset
    if is_native(coding) and (
        one.pixel_length < needed or (offset is not None and offset + needed > one.size)
    ):
        raise InputError(
            f"The series is damaged: the pixel data in {where} is shorter than its rows and "
            "columns need.",
            hint=_CUT,
        )


@lru_cache(maxsize=1024)
def _rescale_fault(slope: bytes, intercept: bytes) -> str:
    for raw, name in ((slope, "Rescale Slope"), (intercept, "Rescale Intercept")):
        if raw.strip(b"\0 ") and not numbers(raw):
            return f"{name} is not a number"
    if slope.strip(b"\0 ") and numbers(slope)[0] == 0:
        return "Rescale Slope is zero, which makes all values one"
    return ""
