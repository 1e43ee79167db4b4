"""Multi-frame DICOM files whose frames each have a place: functional groups, NM, RT dose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from napari_medlabel.errors import InputError
from napari_medlabel.io.dicom.frames.groups import (
    FRAMES_WANTED,
    PER_FRAME,
    SIEMENS_WANTED,
    Frame,
    dimension_pointers,
    frames_of,
    moment_of,
    says_mosaic,
)
from napari_medlabel.io.dicom.frames.nested import Item, Wanted, read_items
from napari_medlabel.io.dicom.frames.order import UNITS, orders
from napari_medlabel.io.dicom.frames.plane import Plane, plane_of
from napari_medlabel.io.dicom.frames.vectors import (
    VECTOR_SEQUENCES,
    VECTOR_VALUES,
    cine_planes,
    dose_planes,
    nuclear_planes,
)
from napari_medlabel.io.dicom.header.instance import Instance

__all__ = ["RELATIVE_TO_PROBE", "UNITS", "planes_of", "wants_enhanced"]

RELATIVE_TO_PROBE: Final = "placed relative to the probe"
"""In `Plane.kind` of ultrasound volumes whose positions do not refer to the patient."""

_STORAGE: Final = "1.2.840.10008.5.1.4.1.1."
_PATIENT: Final = frozenset(
    {"2.1", "2.2"}  # Enhanced CT and Legacy Converted Enhanced CT
    | {"4.1", "4.3", "4.4"}  # Enhanced MR, MR Color, Legacy Converted Enhanced MR
    | {"130", "128.1"}  # Enhanced PET, Legacy Converted Enhanced PET
    | {"30"}  # Parametric Map
)
"""Storage classes whose frames lie in the patient or are of no use as a volume, PS3.4 B.5."""
_PICTURES: Final = frozenset(
    {"6.2"}  # Enhanced US Volume
    | {"13.1.1", "13.1.2", "13.1.3"}  # X-Ray 3D: angiography, craniofacial, tomosynthesis
    | {"77.1.5.4", "77.1.5.8"}  # Ophthalmic Tomography, B-scan volume analysis
)
"""Storage classes whose frames are pictures where they have no place."""
_NUCLEAR: Final = f"{_STORAGE}20"
_DOSE: Final = f"{_STORAGE}481.2"
_PLAIN: Final = frozenset({"2", "4", "128"})
"""Single-frame CT, MR and PET, which some programs write with several frames."""
_WANTED: Final = Wanted(
    values=FRAMES_WANTED.values | VECTOR_VALUES,
    sequences=FRAMES_WANTED.sequences | VECTOR_SEQUENCES,
    private=FRAMES_WANTED.private,
)
_WANTED_OF_ONE: Final = Wanted(
    _WANTED.values, _WANTED.sequences, {**_WANTED.private, **SIEMENS_WANTED}
)
_MOST_FRAMES: Final = 200_000
_AGAIN = "Export the file again from its source."
_CONVERT = "Export the series again with its geometry, or as single-frame images."


def wants_enhanced(instance: Instance) -> bool:
    """Tell whether `planes_of` must say where the pixels of this file lie.

    Looks at the storage class, the frames and the position alone, so it costs nothing.
    """
    if not instance.sop_class.startswith(_STORAGE):
        return False
    short = instance.sop_class.removeprefix(_STORAGE)
    if short in _PATIENT or short in _PICTURES or instance.sop_class == _DOSE:
        return True
    if instance.sop_class == _NUCLEAR:
        return instance.frames > 1 or instance.position_lps is None
    return short in _PLAIN and instance.frames > 1


def planes_of(instance: Instance) -> tuple[Plane, ...]:
    """Return one plane for each frame, in the order of the file.

    Positions come from the functional groups of PS3.3 C.7.6.16, from the vectors of nuclear
    medicine (C.8.4.8) or from the offsets of a dose grid (C.8.8.3.2). Files of classes that
    may be pictures (ultrasound, X-ray, eyes, cine) give planes without a position when no
    frame has one.

    Raises
    ------
    InputError
        When the header does not say where the frames lie, contradicts itself or is damaged.
    """
    if not 1 <= instance.frames <= _MOST_FRAMES:
        raise InputError(
            f"Number of Frames is expected between 1 and {_MOST_FRAMES}; it is not.",
            hint=_AGAIN,
        )
    whole = read_items(instance, _WANTED_OF_ONE if instance.frames == 1 else _WANTED)
    if instance.sop_class == _DOSE:
        return dose_planes(instance, whole)
    if whole.sequences.get(PER_FRAME):
        return _grouped(instance, whole)
    if instance.sop_class == _NUCLEAR:
        return nuclear_planes(instance, whole)
    if instance.frames == 1 and instance.position_lps is not None:
        # Written like a single-frame file.
        moment = moment_of(whole)
        order = () if moment is None else (("time", moment),)
        return (replace(plane_of(instance), order=order),)
    return cine_planes(instance, whole, may_be_pictures=_may_be_pictures(instance))


def _may_be_pictures(instance: Instance) -> bool:
    return instance.sop_class.removeprefix(_STORAGE) in _PICTURES


def _grouped(instance: Instance, whole: Item) -> tuple[Plane, ...]:
    frames = frames_of(whole)
    if len(frames) != instance.frames:
        raise InputError(
            f"The Per-Frame Functional Groups Sequence is expected to have {instance.frames} "
            f"items, one for each frame; it has {len(frames)}.",
            hint=_AGAIN,
        )
    if instance.frames == 1 and (
        says_mosaic(whole) or "MOSAIC" in instance.image_type.upper().split("\\")
    ):
        raise InputError(
            "The file's only frame is a mosaic of slices, and an enhanced file does not say "
            "how it is laid out.",
            hint="Export the series again with one frame, or one file, for each slice.",
        )
    moment = moment_of(whole)
    frames = [
        one if one.moment_s is not None else replace(one, moment_s=moment) for one in frames
    ]
    placed = [bool(one.position) for one in frames]
    if not any(placed) and _may_be_pictures(instance):
        frames = [replace(one, position=(), orientation=()) for one in frames]
    elif len(frames) == 1 and not any(placed) and instance.position_lps:
        frames = [replace(frames[0], position=instance.position_lps)]
    else:
        frames = [_checked(one, number, instance) for number, one in enumerate(frames, 1)]
    kinds = _kinds(frames)
    told_apart = orders(frames, kinds, dimension_pointers(whole))
    base = plane_of(instance)
    return tuple(
        _plane(base, number, one, kind, order)
        for number, (one, kind, order) in enumerate(zip(frames, kinds, told_apart, strict=True))
    )


def _checked(one: Frame, number: int, instance: Instance) -> Frame:
    """Fill in what stands outside the groups, refuse what is missing or no numbers."""
    orientation = one.orientation or instance.orientation_lps or ()
    for values, count, name in (
        (one.position, 3, "Image Position (Patient)"),
        (orientation, 6, "Image Orientation (Patient)"),
    ):
        if len(values) != count:
            what = "missing" if not values else "not as many numbers as it needs"
            raise InputError(
                f"Where the images lie is unknown: {name} is {what} for frame {number} of "
                f"{instance.frames}.",
                hint=_CONVERT,
            )
    return replace(one, orientation=orientation)


def _kinds(frames: Sequence[Frame]) -> list[tuple[str, ...]]:
    """Return each frame's kind: its image, its stack where there are several, its details."""
    stacks = {name: n for n, name in enumerate(dict.fromkeys(f.stack for f in frames), 1)}
    variants: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    for one in frames:
        variants.setdefault(one.kind, set()).add(one.details)
    return [
        (
            *one.kind,
            *(one.details if len(variants[one.kind]) > 1 else ()),
            *((f"stack {stacks[one.stack]}",) if len(stacks) > 1 else ()),
            *(() if one.is_patient else (RELATIVE_TO_PROBE,)),
        )
        for one in frames
    ]


def _plane(
    base: Plane,
    number: int,
    one: Frame,
    kind: tuple[str, ...],
    order: tuple[tuple[str, float], ...],
) -> Plane:
    """Return a frame's plane; `base` has what stands outside the groups."""
    return Plane(
        instance=base.instance,
        frame=number,
        tile=None,
        rows=base.rows,
        columns=base.columns,
        position_lps=one.position or None,
        orientation_lps=one.orientation or None,
        spacing_mm=one.spacing if len(one.spacing) == 2 else base.spacing_mm,
        thickness_mm=base.thickness_mm if one.thickness is None else one.thickness,
        between_mm=base.between_mm if one.between is None else one.between,
        slope=base.slope if one.slope is None else one.slope,
        intercept=base.intercept if one.intercept is None else one.intercept,
        window=one.window or base.window,
        kind=kind,
        order=order,
    )
