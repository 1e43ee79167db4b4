"""Instances -> series on a grid: grouped, sorted by position, and checked slice by slice.

Only Image Position and Image Orientation (Patient) and Pixel Spacing say where a slice lies
(PS3.3 C.7.6.2); Slice Thickness, Slice Location and instance numbers never do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from napari_medlabel.errors import InputError
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.axes import FloatArray
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.dicom_header import Instance
from napari_medlabel.io.voxels import turned

_SAME_ORIENTATION: Final = 1e-3
_ORTHONORMAL: Final = 1e-3
_SAME_POSITION_MM: Final = 1e-3
_AGAIN: Final = "Export the series again from its source."

_OBJECTS: Final = (
    "1.2.840.10008.5.1.4.1.1.66.",  # segmentations, registrations, fiducials, surfaces
    "1.2.840.10008.5.1.4.1.1.481.2",  # RT dose
    "1.2.840.10008.5.1.4.1.1.30",  # parametric maps
    "1.2.840.10008.1.3.10",  # DICOMDIR
)


@dataclass(frozen=True)
class DicomSeries:
    """One series, or the part of one that shares orientation and matrix.

    Parameters
    ----------
    instances : tuple of Instance
        In slice order where it can be read; without duplicates.
    duplicates : tuple of pair of Instance
        Each dropped instance with the one it repeats, to be compared when pixels are read.
    grid : Grid or None
        None when it cannot be read.
    warnings : tuple of str
        Doubts in words.
    refusal : InputError or None
        Why it cannot be read.
    """

    instances: tuple[Instance, ...]
    duplicates: tuple[tuple[Instance, Instance], ...]
    grid: Grid | None
    warnings: tuple[str, ...]
    refusal: InputError | None


def is_image(instance: Instance) -> bool:
    """Tell whether it is an image rather than a report, plan, segmentation or index."""
    if instance.sop_class.startswith(_OBJECTS):
        return False
    return instance.has_pixels or instance.rows > 0 or instance.position_lps is not None


def group(instances: Iterable[Instance]) -> list[list[Instance]]:
    """Split images by series, patient, frame of reference, matrix, samples and orientation."""
    groups: dict[tuple[object, ...], list[list[Instance]]] = {}
    for one in instances:
        key = (
            one.series_number,
            one.series_uid,
            one.patient_id,
            one.frame_of_reference,
            one.rows,
            one.columns,
            one.samples,
            one.frames if one.frames > 1 else 1,
        )
        turned = groups.setdefault(key, [])
        for alike in turned:
            if _same_orientation(alike[0].orientation_lps, one.orientation_lps):
                alike.append(one)
                break
        else:
            turned.append([one])
    ordered = sorted(groups.items(), key=lambda item: item[0])
    return [alike for _, turned in ordered for alike in turned]


def _same_orientation(one: Sequence[float] | None, other: Sequence[float] | None) -> bool:
    if one is None or other is None:
        return one is other
    return all(abs(a - b) <= _SAME_ORIENTATION for a, b in zip(one, other, strict=True))


def arrange(instances: Sequence[Instance]) -> DicomSeries:
    """Sort one group by position, check that it is one volume, and build its grid."""
    by_name = tuple(sorted(instances, key=lambda one: one.path))
    warnings: list[str] = []
    try:
        _refuse_what_comes_later(by_name)
        kept, duplicates = _without_duplicates(by_name, warnings)
        _require_geometry(kept)
        ordered, grid = _place(kept, warnings)
    except InputError as err:
        return DicomSeries(by_name, (), None, tuple(warnings), err)
    return DicomSeries(ordered, duplicates, grid, tuple(warnings), None)


def _refuse_what_comes_later(instances: Sequence[Instance]) -> None:
    first = instances[0]
    reasons = (
        (first.samples != 1 or first.photometric == "PALETTE COLOR", "colour images"),
        (first.frames > 1, "multi-frame images"),
        (_is_enhanced(first), "enhanced multi-frame images"),
        ("MOSAIC" in first.image_type.split("\\"), "mosaic images"),
        (first.has_float_pixels, "floating-point pixels"),
        (first.has_modality_lut, "a modality look-up table"),
        (first.has_pixels and first.allocated not in (8, 16, 32), "packed pixels"),
    )
    for met, what in reasons:
        if met:
            raise InputError(
                f"Single-frame grey images are expected; this series has {what}, which come "
                "with a later version.",
                hint="Split or convert the series into single-frame grey images.",
            )


def _is_enhanced(instance: Instance) -> bool:
    # Enhanced MR, CT, PET and their legacy converted kin keep positions in functional groups.
    ends = (".1.4.1", ".1.4.3", ".1.4.4", ".1.2.1", ".1.2.2", ".1.130", ".1.128.1")
    return instance.sop_class.startswith("1.2.840.10008.5.1.4.1.1.") and (
        instance.sop_class.removeprefix("1.2.840.10008.5.1.4.1") in ends
    )


def _without_duplicates(
    instances: Sequence[Instance], warnings: list[str]
) -> tuple[list[Instance], tuple[tuple[Instance, Instance], ...]]:
    """Drop copies: the same SOPInstanceUID at the same position."""
    kept: dict[tuple[object, ...], Instance] = {}
    copies: list[tuple[Instance, Instance]] = []
    for number, one in enumerate(instances):
        key = (one.sop_uid or number, one.position_lps)
        if key in kept:
            copies.append((one, kept[key]))
        else:
            kept[key] = one
    if copies:
        warnings.append(f"{_count(len(copies), 'file')} repeated another one and was left out.")
    if len({one.sop_uid for one in kept.values()}) < len(kept):
        warnings.append("Several images share one SOP Instance UID, or have none.")
    return list(kept.values()), tuple(copies)


def _require_geometry(instances: Sequence[Instance]) -> None:
    for number, one in enumerate(instances, start=1):
        where = f"file {number} of {len(instances)}"
        if one.faults:
            raise InputError(f"In {where} {one.faults[0]}.", hint=_AGAIN)
        missing = [
            name
            for name, value in (
                ("Image Position (Patient)", one.position_lps),
                ("Image Orientation (Patient)", one.orientation_lps),
                ("Pixel Spacing", one.spacing_mm),
            )
            if value is None
        ]
        if missing:
            raise InputError(
                f"Where the image lies is unknown: {' and '.join(missing)} missing in {where}.",
                hint="Only images with a position in the patient can be opened as a volume; "
                "export the series again, with its geometry.",
            )
        _require_sound(one, where)


def _require_sound(one: Instance, where: str) -> None:
    orientation = np.array(one.orientation_lps)
    row, column = orientation[:3], orientation[3:]
    lengths = abs(np.array([row @ row, column @ column]) - 1.0)
    if lengths.max() > 2 * _ORTHONORMAL or abs(row @ column) > _ORTHONORMAL:
        raise InputError(
            "Rows and columns are expected at right angles and of length one; Image "
            f"Orientation (Patient) is not, in {where}.",
            hint=_AGAIN,
        )
    if not one.spacing_mm or min(one.spacing_mm) <= 0:
        raise InputError(
            f"Pixel Spacing must be greater than zero; it is not, in {where}.", hint=_AGAIN
        )
    if one.rows < 1 or one.columns < 1:
        raise InputError(f"Rows or Columns missing or zero in {where}.", hint=_AGAIN)
    _require_pixels(one, where)


def _require_pixels(one: Instance, where: str) -> None:
    if not one.has_pixels:
        raise InputError(
            f"The series is damaged: {where} has no pixel data.",
            hint="The file was cut off or stripped; copy or export the series again.",
        )
    if one.is_native and (
        one.pixel_length < one.pixel_bytes
        or (one.pixel_offset or 0) + one.pixel_bytes > one.size
    ):
        raise InputError(
            f"The series is damaged: the pixel data in {where} is shorter than its rows and "
            "columns need.",
            hint="The file was cut off; copy or export the series again.",
        )
    if not (0 < one.stored <= one.allocated and one.stored - 1 <= one.high_bit < one.allocated):
        raise InputError(
            f"Bits Allocated, Bits Stored and High Bit contradict each other in {where}.",
            hint=_AGAIN,
        )


def _place(
    instances: Sequence[Instance], warnings: list[str]
) -> tuple[tuple[Instance, ...], Grid]:
    first = instances[0]
    orientation = np.array(first.orientation_lps)
    normal = np.cross(orientation[:3], orientation[3:])
    positions = np.array([one.position_lps for one in instances])
    along = positions @ normal
    order = np.argsort(along, kind="stable")
    ordered = tuple(instances[n] for n in order)
    positions, along = positions[order], along[order]
    if len(ordered) == 1:
        step = normal * _lone_step(first, warnings)
    else:
        _refuse_repeated_positions(along)
        step = (positions[-1] - positions[0]) / (len(ordered) - 1)
        _require_regular(ordered, along, step)
        _doubt_spacing(ordered, float(np.linalg.norm(step)), warnings)
    affine = _affine(ordered[0], step)
    frame = first.frame_of_reference or None
    _describe(affine, frame, warnings)
    shape = (first.columns, first.rows, len(ordered))
    return ordered, Grid(shape, affine, frame)


def _affine(first: Instance, step: FloatArray) -> Affine:
    """Build the voxel-to-world map of PS3.3 C.7.6.2.1.1 with i = column, j = row, k = slice."""
    orientation, spacing = np.array(first.orientation_lps), np.array(first.spacing_mm)
    matrix_lps = np.eye(4)
    matrix_lps[:3, 0] = orientation[:3] * spacing[1]
    matrix_lps[:3, 1] = orientation[3:] * spacing[0]
    matrix_lps[:3, 2] = step
    matrix_lps[:3, 3] = first.position_lps
    return Affine.from_lps(matrix_lps)


def _lone_step(one: Instance, warnings: list[str]) -> float:
    for value, name in (
        (one.between_mm, "Spacing Between Slices"),
        (one.thickness_mm, "Slice Thickness"),
    ):
        if value is not None and value > 0:
            warnings.append(f"A single slice: its thickness is taken from {name}.")
            return value
    warnings.append("A single slice of unknown thickness: 1 mm is assumed.")
    return 1.0


def _refuse_repeated_positions(along: FloatArray) -> None:
    starts = np.flatnonzero(np.diff(along, prepend=-np.inf) > _SAME_POSITION_MM)
    counts = np.diff(starts, append=len(along))
    if counts.max() == 1:
        return
    if counts.min() == counts.max():
        raise InputError(
            f"One image at each position is expected; there are {counts[0]} at each of "
            f"{len(counts)}: several times, echoes or phases, which come with a later version.",
            hint="Split the series so that each folder holds one volume.",
        )
    raise InputError(
        f"One image at each position is expected; {int((counts > 1).sum())} of {len(counts)} "
        "positions hold several, the others one: they do not form one volume.",
        hint="Move the surplus images to another folder.",
    )


def _require_regular(ordered: Sequence[Instance], along: FloatArray, step: FloatArray) -> None:
    """Refuse when any corner of any slice lies off the regular grid."""
    position = np.array([one.position_lps for one in ordered])
    orientation = np.array([one.orientation_lps for one in ordered])
    spacing = np.array([one.spacing_mm for one in ordered])
    row = orientation[:, :3] * (spacing[:, 1:] * (ordered[0].columns - 1))
    column = orientation[:, 3:] * (spacing[:, :1] * (ordered[0].rows - 1))
    corners = np.stack(
        [position, position + row, position + column, position + row + column], 1
    )
    meant = corners[0] + np.arange(len(ordered))[:, None, None] * step
    off = np.linalg.norm(corners - meant, axis=2).max(axis=1)
    tolerance = max(0.01 * float(np.linalg.norm(step)), 0.05)
    if off.max() <= tolerance:
        return
    gaps = np.diff(along)
    typical = float(np.median(gaps))
    wide = gaps > 1.5 * typical
    steady = np.abs(gaps[~wide] - typical) <= 0.1 * typical
    if wide.any() and steady.all() and wide.sum() <= max(1, 0.2 * len(gaps)):
        after = int(np.argmax(wide))
        raise InputError(
            f"Slices are missing: after slice {after + 1} of {len(ordered)} the next one lies "
            f"{gaps[after]:.4g} mm further, where {typical:.4g} mm are expected"
            + (f" (and {int(wide.sum()) - 1} more gaps)." if wide.sum() > 1 else "."),
            hint="Copy or export the whole series again. Gaps are never closed up.",
        )
    if gaps.max() - gaps.min() > tolerance:
        raise InputError(
            f"Slices at equal distances are expected; they lie {gaps.min():.4g} to "
            f"{gaps.max():.4g} mm apart.",
            hint="Split the series where the distance changes; it is never resampled silently.",
        )
    worst = int(np.argmax(off))
    raise InputError(
        f"Slices are expected in line; slice {worst + 1} of {len(ordered)} lies "
        f"{off[worst]:.3g} mm off the grid of the others.",
        hint="Split the series into parts whose slices lie in line.",
    )


def _doubt_spacing(ordered: Sequence[Instance], step_mm: float, warnings: list[str]) -> None:
    between = ordered[0].between_mm
    if between is not None and between > 0 and step_mm > 1.5 * between:
        warnings.append(
            f"The slices lie {step_mm:.4g} mm apart, but Spacing Between Slices says "
            f"{between:.4g} mm: slices in between may be missing."
        )


def _describe(affine: Affine, frame: str | None, warnings: list[str]) -> None:
    warnings.extend(turned(affine))
    if frame is None:
        warnings.append("No frame of reference: it cannot be aligned with other series.")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
