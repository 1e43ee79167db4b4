"""Statistics of every label of a mask: size, place, diameters, surface and intensities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import GeometryError
from napari_medlabel.measure.boxes import Box, boxes_of
from napari_medlabel.measure.diameters import Bidirectional, Line, bidirectional, longest_line
from napari_medlabel.measure.intensity import Intensity, intensities
from napari_medlabel.measure.surface import surface_of
from napari_medlabel.model.labelmap import Label, LabelMap

Tick = Callable[[int, int], object]
Point = tuple[float, float, float]


@dataclass(frozen=True)
class Shape:
    """Size and place of a region that has a place in the patient.

    Parameters
    ----------
    volume_ml : float
        Its volume.
    surface_mm2 : float
        Area of its surface, by the surfel convention of `napari_medlabel.measure.surface`.
    extent_mm : tuple of float
        Voxels times spacing along the voxel axes i, j and k.
    centroid_ras : tuple of float
        The mean of its voxels' centres, RAS mm.
    longest : Line
        The largest diameter in 3D.
    axes : Bidirectional
        Long and short axis in the slice where it is longest.
    """

    volume_ml: float
    surface_mm2: float
    extent_mm: Point
    centroid_ras: Point
    longest: Line
    axes: Bidirectional


@dataclass(frozen=True)
class LabelStatistics:
    """One label, measured.

    Parameters
    ----------
    label : Label
        Which.
    voxels : int
        How many it has.
    slices : int
        On how many slices (along k) it has some.
    shape : Shape or None
        None where it has no voxel, or where slices are pictures without a place.
    intensity : Intensity or None
        None where it has no voxel that an image shows, or no image was given.
    left_out : int
        On how many of its slices there is no image: their voxels have a volume, no intensity.
    """

    label: Label
    voxels: int
    slices: int
    shape: Shape | None
    intensity: Intensity | None
    left_out: int = 0


def measure_labels(
    labels: LabelMap,
    image: npt.NDArray[Any] | None = None,
    *,
    has_place: bool = True,
    missing: Sequence[int] = (),
    tick: Tick = lambda _done, _total: None,
) -> tuple[LabelStatistics, ...]:
    """Measure every label of a mask.

    Parameters
    ----------
    labels : LabelMap
        The mask; it may be painted meanwhile, then a label is measured as it is found.
    image : ndarray, shape (i, j, k), optional
        Intensities.
    has_place : bool
        False for pictures without a place in the patient: they have no volume and no length.
    missing : sequence of int
        Slices k that no file holds: what stands there in the image is no intensity.
    tick : callable
        Told how many labels are done and how many there are; it raises to end the work.

    Returns
    -------
    tuple of LabelStatistics
        One for each label of the scheme, and for each value without a name, in that order.

    Raises
    ------
    GeometryError
        When the image has another shape.
    """
    if image is not None and image.shape != labels.array.shape:
        raise GeometryError(
            f"Mask and scan have one shape; got {labels.array.shape} and {image.shape}.",
            hint="Measure a mask on the scan that it was made on.",
        )
    boxes = boxes_of(labels.array)
    scheme = labels.scheme.with_unnamed(boxes)
    total = len(scheme.labels) + 1
    tick(0, total)
    values = {} if image is None else _intensities(labels.array, image, missing)
    rows = []
    for done, label in enumerate(scheme.labels, start=1):
        tick(done, total)
        box = boxes.get(label.value)
        region = None if box is None else labels.array[box] == label.value
        if box is None or region is None or not region.any():
            rows.append(LabelStatistics(label, 0, 0, None, None))
            continue
        rows.append(
            LabelStatistics(
                label,
                int(np.count_nonzero(region.T)),
                int(np.count_nonzero(region.any(axis=(0, 1)))),
                measure_shape(region, labels, box) if has_place else None,
                values.get(label.value),
                0 if image is None else _slices_of(region, box, missing),
            )
        )
    tick(total, total)
    return tuple(rows)


def _intensities(
    labels: npt.NDArray[Any], image: npt.NDArray[Any], missing: Sequence[int]
) -> dict[int, Intensity]:
    """Return the intensities of each label on the slices that there are."""
    if not missing:
        return intensities(labels, image)
    there = np.ones(image.shape[2], dtype=bool)
    there[list(missing)] = False
    return intensities(labels.T[there].T, image.T[there].T)


def _slices_of(region: npt.NDArray[np.bool_], box: Box, missing: Sequence[int]) -> int:
    """Return on how many of some slices k a region in a box has a voxel."""
    inside = [k - box[2].start for k in missing if box[2].start <= k < box[2].stop]
    return int(np.count_nonzero(region[..., inside].any(axis=(0, 1))))


def measure_shape(region: npt.NDArray[np.bool_], labels: LabelMap, box: Box) -> Shape:
    """Measure size and place of a region.

    Parameters
    ----------
    region : ndarray of bool, shape of the box
        At least one voxel.
    labels : LabelMap
        On whose grid it lies.
    box : tuple of slice
        Where, in (i, j, k).

    Raises
    ------
    GeometryError
        When it has no voxel.
    """
    affine = labels.grid.affine
    start = tuple(part.start for part in box)
    skew = affine.skew_mm
    longest = longest_line(region, affine.spacing_mm, start, skew_mm=skew)
    axes = bidirectional(region, affine.spacing_mm, start, skew_mm=skew)
    if longest is None or axes is None:
        raise GeometryError(
            "A region without a voxel has no shape.",
            hint="This is a fault in the program; please report it.",
        )
    profiles = [
        region.sum(axis=tuple(a for a in range(3) if a != axis), dtype=np.int64)
        for axis in range(3)
    ]
    number = int(profiles[0].sum())
    middle = [
        float(profile @ np.arange(profile.size)) / number + first
        for profile, first in zip(profiles, start, strict=True)
    ]
    filled = [np.flatnonzero(profile) for profile in profiles]
    i, j, k = (
        float((at[-1] - at[0] + 1) * mm)
        for at, mm in zip(filled, affine.spacing_mm, strict=True)
    )
    x, y, z = (float(v) for v in affine.apply(np.array(middle)))
    surface = surface_of(region, affine.spacing_mm, skew_mm=skew)
    return Shape(
        number * affine.voxel_ml, surface.area_mm2, (i, j, k), (x, y, z), longest, axes
    )
