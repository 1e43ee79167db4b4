"""Multi-frame files without functional groups: vectors of nuclear medicine, dose, cine.

Older classes say with one vector for each changing quantity what frame shows what.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from napari_medlabel.errors import InputError
from napari_medlabel.io.dicom.frames.nested import Item
from napari_medlabel.io.dicom.frames.plane import Plane, plane_of
from napari_medlabel.io.dicom.header.instance import Instance

_POINTER = 0x00280009
_FRAME_TIME = 0x00181063
_FRAME_TIMES = 0x00181065
_OFFSETS = 0x3004000C
_SCALING = 0x3004000E
_DETECTORS = 0x00540022
_SLICE = 0x00540080
_COUNTED: Final = {
    0x00540010: "energy window",
    0x00540020: "detector",
    0x00540050: "rotation",
    0x00540060: "heart beat",
    0x00540070: "time slot",
    0x00540100: "volume",  # Time Slice Vector
}
"""What a vector of nuclear medicine counts, PS3.3 C.8.4.8, besides slices."""
_SEPARATE: Final = frozenset({"energy window", "detector"})
VECTOR_VALUES: Final = {
    **dict.fromkeys((_SLICE, *_COUNTED), b"US"),
    _POINTER: b"AT",
    _FRAME_TIME: b"DS",
    _FRAME_TIMES: b"DS",
    _OFFSETS: b"DS",
    _SCALING: b"DS",
}
VECTOR_SEQUENCES: Final = frozenset({_DETECTORS})
_ORTHOGONAL: Final = 1e-3
_SAME_MM: Final = 0.01
_AGAIN = "Export the file again from its source."
_Vector = tuple[float, ...]


def dose_planes(instance: Instance, whole: Item) -> tuple[Plane, ...]:
    """Return the planes of a dose grid, PS3.3 C.8.8.3.2.

    Grid Frame Offset Vector holds distances from the first plane along the normal when it
    begins with zero, and patient z coordinates when it begins with that of Image Position.
    """
    scaling = whole.number(_SCALING)
    if scaling is None or scaling <= 0:
        raise InputError(
            "Dose Grid Scaling is missing or not greater than zero: the values are no doses.",
            hint=_AGAIN,
        )
    position, normal = _first_place(instance.position_lps, instance.orientation_lps)
    offsets = np.array(whole.numbers(_OFFSETS))
    if instance.frames == 1:
        offsets = np.zeros(1)
    elif len(offsets) != instance.frames:
        raise InputError(
            f"Grid Frame Offset Vector is expected to have {instance.frames} numbers, one for "
            f"each frame; it has {len(offsets)}.",
            hint=_AGAIN,
        )
    if abs(offsets[0]) > _SAME_MM:
        offsets = _from_coordinates(offsets, position, normal)
    base = plane_of(instance)
    return tuple(
        _plane(base, n, position + offset * normal, slope=scaling)
        for n, offset in enumerate(offsets)
    )


def _from_coordinates(
    offsets: np.ndarray, position: np.ndarray, normal: np.ndarray
) -> np.ndarray:
    is_axial = abs(abs(normal[2]) - 1.0) < _ORTHOGONAL
    if not is_axial or abs(offsets[0] - position[2]) > _SAME_MM:
        raise InputError(
            "Grid Frame Offset Vector is expected to begin with zero, or in an axial grid with "
            "the z coordinate of Image Position (Patient); it does neither.",
            hint=_AGAIN,
        )
    moved: np.ndarray = (offsets - offsets[0]) * np.sign(normal[2])
    return moved


def nuclear_planes(instance: Instance, whole: Item) -> tuple[Plane, ...]:
    """Return the planes of a nuclear medicine file, PS3.3 C.8.4.8 and C.8.4.15.

    Reconstructed tomograms have places: slice 1 lies where the first detector says, the next
    ones a Spacing Between Slices along the normal, against it where that is negative.
    Projections, whole bodies and dynamics are pictures.
    """
    vectors = _vectors(instance, whole)
    kinds = instance.image_type.upper().split("\\")
    if "RECON TOMO" not in kinds and "RECON GATED TOMO" not in kinds:
        base = plane_of(instance)
        return tuple(_plane(base, n, None) for n in range(instance.frames))
    first = whole.first(_DETECTORS)
    orientation = first.numbers(0x00200037) or instance.orientation_lps
    position, normal = _first_place(
        first.numbers(0x00200032) or instance.position_lps, orientation
    )
    slices = vectors.pop(_SLICE, None)
    if slices is None and vectors:
        raise InputError(
            "Slice Vector is missing, so where the frames lie is unknown.", hint=_AGAIN
        )
    numbers = np.arange(1, instance.frames + 1) if slices is None else np.array(slices)
    if numbers[0] != 1:
        raise InputError(
            "Slice Vector is expected to begin with 1, for the slice whose position is known; "
            "it does not.",
            hint=_AGAIN,
        )
    between = instance.between_mm
    if between is None or between == 0:
        if numbers.max() > numbers.min():
            raise InputError(
                "Spacing Between Slices is missing or zero, so where the frames lie is "
                "unknown.",
                hint=_AGAIN,
            )
        between = 0.0
    base = plane_of(instance)
    return tuple(
        _plane(
            base,
            n,
            position + (numbers[n] - 1) * between * normal,
            orientation=orientation,
            kind=tuple(
                f"{_COUNTED[tag]} {values[n]:g}"
                for tag, values in vectors.items()
                if _COUNTED[tag] in _SEPARATE and len(set(values)) > 1
            ),
            order=tuple(
                (_COUNTED[tag], values[n])
                for tag, values in vectors.items()
                if _COUNTED[tag] not in _SEPARATE
            ),
        )
        for n in range(instance.frames)
    )


def _vectors(instance: Instance, whole: Item) -> dict[int, _Vector]:
    """Return the vectors that Frame Increment Pointer names, one number for each frame."""
    named = whole.tags(_POINTER)
    vectors = {}
    for tag in (*_COUNTED, _SLICE):
        if named and tag not in named:
            continue
        values = whole.numbers(tag)
        if not values and not named:
            continue
        if len(values) != instance.frames:
            raise InputError(
                "The vectors of a nuclear medicine file are expected to have "
                f"{instance.frames} numbers, one for each frame; one has {len(values)}.",
                hint=_AGAIN,
            )
        vectors[tag] = values
    return vectors


def cine_planes(instance: Instance, whole: Item, *, may_be_pictures: bool) -> tuple[Plane, ...]:
    """Return the planes of a film: frames that differ in time alone.

    Raises
    ------
    InputError
        When the file does not say that its frames are one place at several times.
    """
    named = whole.tags(_POINTER)
    times: _Vector | None = None
    step, steps = whole.number(_FRAME_TIME), whole.numbers(_FRAME_TIMES)
    if _FRAME_TIME in named and step is not None:
        times = tuple(n * step / 1000.0 for n in range(instance.frames))
    elif _FRAME_TIMES in named and len(steps) == instance.frames:
        times = tuple(float(moment) for moment in np.cumsum(steps) / 1000.0)
    if times is None and not may_be_pictures:
        raise InputError(
            f"The file has {instance.frames} {'frame' if instance.frames == 1 else 'frames'} "
            "and does not say where they lie: it has no functional groups.",
            hint="Export the series again with its geometry, or as single-frame images.",
        )
    base = plane_of(instance)
    place = np.array(base.position_lps) if base.position_lps and times else None
    return tuple(
        _plane(
            base,
            n,
            place,
            order=() if times is None else (("time", times[n]),),
        )
        for n in range(instance.frames)
    )


def _first_place(
    position: _Vector | None, orientation: _Vector | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the first plane's position and normal, or refuse."""
    for values, count, name in (
        (position, 3, "Image Position (Patient)"),
        (orientation, 6, "Image Orientation (Patient)"),
    ):
        if values is None or len(values) != count:
            raise InputError(
                f"Where the frames lie is unknown: {name} is missing.",
                hint="Export the file again with its geometry.",
            )
    turned = np.array(orientation, dtype=float)
    row, column = turned[:3], turned[3:]
    if max(abs(row @ row - 1), abs(column @ column - 1), abs(row @ column)) > 2 * _ORTHOGONAL:
        raise InputError(
            "Rows and columns are expected at right angles and of length one; Image "
            "Orientation (Patient) is not.",
            hint=_AGAIN,
        )
    return np.array(position, dtype=float), np.cross(row, column)


def _plane(
    base: Plane,
    frame: int,
    position: np.ndarray | None,
    *,
    orientation: _Vector | None = None,
    slope: float | None = None,
    kind: tuple[str, ...] = (),
    order: tuple[tuple[str, float], ...] = (),
) -> Plane:
    """Return a frame's plane; `base` has what is true of the whole file."""
    turned = orientation or base.orientation_lps
    return Plane(
        instance=base.instance,
        frame=frame,
        tile=None,
        rows=base.rows,
        columns=base.columns,
        position_lps=None if position is None else tuple(position.tolist()),
        orientation_lps=None if position is None else turned,
        spacing_mm=base.spacing_mm,
        thickness_mm=base.thickness_mm,
        between_mm=base.between_mm,
        slope=base.slope if slope is None else slope,
        intercept=base.intercept if slope is None else 0.0,
        window=base.window,
        kind=kind,
        order=order,
    )
