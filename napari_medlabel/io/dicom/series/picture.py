"""Images without a position in the patient -> pictures: k counts them, and means no length."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

import numpy as np

from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.dicom.frames.plane import Plane
from napari_medlabel.io.dicom.header import odd as dicom_odd
from napari_medlabel.io.dicom.header.elements import LITTLE_EXPLICIT, LITTLE_IMPLICIT
from napari_medlabel.io.dicom.header.instance import (
    ASPECT,
    IMAGER_SPACING,
    INSTANCE_NUMBER,
    Instance,
    exactly,
)

_STORAGE: Final = "1.2.840.10008.5.1.4.1.1."
_NEEDS_A_PLACE: Final = frozenset(
    f"{_STORAGE}{n}"
    for n in ("2", "2.1", "2.2", "4", "4.1", "4.3", "4.4", "128", "128.1", "130")
)
"""CT, MR and PET: their position is mandatory (PS3.3 C.7.6.2), so none is damage."""
_REGIONS: Final = 0x00186011
_UNIT_X, _UNIT_Y, _DELTA_X, _DELTA_Y = 0x00186024, 0x00186026, 0x0018602C, 0x0018602E
_IN_REGION: Final = {_UNIT_X: b"US", _UNIT_Y: b"US", _DELTA_X: b"FD", _DELTA_Y: b"FD"}
_CENTIMETRES: Final = 3
_ON_DETECTOR: Final = (
    "Millimetres are those on the detector (Imager Pixel Spacing): the patient is smaller."
)
_SLIDES: Final = f"{_STORAGE}77.1.6"
_TILES: Final = "Tiles of a whole-slide image, one picture each."
_NO_PLACE: Final = (
    "Pictures without a place in the patient: their number counts them, it is no distance, and "
    "no side is known."
)


def is_picture(plane: Plane) -> bool:
    """Tell whether it has no position and needs none, by its class or as a frame of a clip."""
    return plane.position_lps is None and (
        plane.instance.frames > 1 or plane.instance.sop_class not in _NEEDS_A_PLACE
    )


def in_order(planes: Sequence[Plane]) -> list[Plane]:
    """Sort pictures by Instance Number, then frame."""
    return sorted(
        planes,
        key=lambda one: (
            one.instance.number(INSTANCE_NUMBER) or 0.0,
            one.instance.path,
            one.frame,
        ),
    )


def grid_of(planes: Sequence[Plane]) -> tuple[Grid, tuple[str, ...]]:
    """Return the grid of pictures of one size, and what is in doubt, in words.

    Rows grow towards the viewer's right and columns downwards; one step along k is 1.
    """
    first = planes[0]
    (down, right), doubts = _spacing(first)
    matrix_lps = np.diag([right, down, 1.0, 1.0])
    grid = Grid((first.columns, first.rows, len(planes)), Affine.from_lps(matrix_lps))
    tiles = (_TILES,) if first.instance.sop_class == _SLIDES else ()
    return grid, (_NO_PLACE, *tiles, *doubts)


def spacing_key(plane: Plane) -> tuple[float, ...] | None:
    """Return what the header says of a picture's pixel size without opening the file again."""
    imager = exactly(plane.instance.fields.get(IMAGER_SPACING, b""), 2)
    return plane.spacing_mm or imager


def _spacing(first: Plane) -> tuple[tuple[float, float], tuple[str, ...]]:
    """Return mm between rows and between columns, and what is in doubt about them."""
    if first.spacing_mm is not None and min(first.spacing_mm) > 0:
        return (first.spacing_mm[0], first.spacing_mm[1]), ()
    imager = exactly(first.instance.fields.get(IMAGER_SPACING, b""), 2)
    if imager is not None and min(imager) > 0:
        return (imager[0], imager[1]), (_ON_DETECTOR,)
    region = _region_mm(first.instance)
    if region is not None:
        return region, (
            "Millimetres are those of the first ultrasound region, and hold in it alone.",
        )
    aspect = exactly(first.instance.fields.get(ASPECT, b""), 2)
    ratio = aspect[0] / aspect[1] if aspect is not None and min(aspect) > 0 else 1.0
    return (ratio, 1.0), ("The size of a pixel is unknown: 1 mm is assumed.",)


def _region_mm(one: Instance) -> tuple[float, float] | None:
    """Return mm between rows and columns of the first calibrated region, PS3.3 C.8.5.5."""
    raw = dicom_odd.read_more(one.path, {_REGIONS: b"SQ"}).get(_REGIONS, b"")
    for encoding in (LITTLE_EXPLICIT, LITTLE_IMPLICIT):
        for fields in dicom_odd.items_of(raw, _IN_REGION, encoding):
            units = [fields.get(tag, b"")[:2] for tag in (_UNIT_X, _UNIT_Y)]
            deltas = [fields.get(tag, b"") for tag in (_DELTA_X, _DELTA_Y)]
            if units == [struct.pack("<H", _CENTIMETRES)] * 2 and all(
                len(value) == 8 for value in deltas
            ):
                across, down = (abs(struct.unpack("<d", value)[0]) * 10.0 for value in deltas)
                if 0 < across < np.inf and 0 < down < np.inf:
                    return down, across
    return None
