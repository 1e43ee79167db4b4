"""Brush marks in millimetres: discs, balls, and what they sweep between two mouse positions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_medlabel.edit.masking import BoolArray
from napari_medlabel.edit.patch import Box
from napari_medlabel.errors import InputError

Mark = tuple[Box, BoolArray]
"""A box (i, j, k) inside the volume, and which of its voxels a brush touches."""

_SLACK_MM2 = 1e-9  # a voxel centre on the rim counts, whatever rounding says


def disc(
    shape: Sequence[int],
    centre_ijk: npt.ArrayLike,
    axis: int,
    radius_mm: float,
    spacing_mm: Sequence[float],
) -> Mark | None:
    """Return a disc in one slice: all voxel centres within a radius in mm.

    Parameters
    ----------
    shape : sequence of int
        Of the volume, (i, j, k).
    centre_ijk : array_like, shape (3,)
        Where the mouse is, in fractional voxels; the slice is the nearest one.
    axis : int
        Voxel axis across the slice: 0 for i, 1 for j, 2 for k.
    radius_mm : float
        Of the disc. The voxel under the centre is always part of it.
    spacing_mm : sequence of float
        Distance of neighbouring voxels along i, j and k.

    Returns
    -------
    (box, region) or None
        ``region`` is a bool array of the box's shape, the box is clipped to the volume; None
        when no voxel of the volume is touched.

    Raises
    ------
    InputError
        When the radius is not above 0.
    """
    return swept(shape, centre_ijk, centre_ijk, axis, radius_mm, spacing_mm)


def ball(
    shape: Sequence[int],
    centre_ijk: npt.ArrayLike,
    radius_mm: float,
    spacing_mm: Sequence[float],
) -> Mark | None:
    """Return a ball, round in mm whatever the spacing; parameters as in `disc`."""
    return swept(shape, centre_ijk, centre_ijk, None, radius_mm, spacing_mm)


def cylinder(
    shape: Sequence[int],
    centre_ijk: npt.ArrayLike,
    axis: int,
    radius_mm: float,
    spacing_mm: Sequence[float],
    *,
    slices: int,
) -> Mark | None:
    """Return a disc through several slices, as many on both sides as `scene.slab` takes.

    Parameters
    ----------
    shape, centre_ijk, axis, radius_mm, spacing_mm
        As in `disc`.
    slices : int
        How many; the middle one is nearest to the centre. Clipped at the ends.
    """
    return swept(shape, centre_ijk, centre_ijk, axis, radius_mm, spacing_mm, slices=slices)


def swept(
    shape: Sequence[int],
    start_ijk: npt.ArrayLike,
    end_ijk: npt.ArrayLike,
    axis: int | None,
    radius_mm: float,
    spacing_mm: Sequence[float],
    *,
    slices: int = 1,
) -> Mark | None:
    """Return what a brush touches on its way between two mouse positions, without a gap.

    It is the exact union of all discs (or balls) along the straight line, together with the
    voxels that the line itself runs through: a brush thinner than a voxel leaves no gap either.

    Parameters
    ----------
    shape : sequence of int
        Of the volume, (i, j, k).
    start_ijk, end_ijk : array_like, shape (3,)
        Positions in fractional voxels; they may lie outside the volume. One that is no number
        touches nothing.
    axis : int or None
        Voxel axis across the slice of a disc, which is the one nearest to the end; None for a
        ball.
    radius_mm : float
        Of the brush.
    spacing_mm : sequence of float
        Along i, j and k.
    slices : int
        For a disc, how many slices it goes through.

    Returns
    -------
    (box, region) or None
        As in `disc`.

    Raises
    ------
    InputError
        When the radius is not above 0 or has no end, or there is no slice.
    """
    if not 0 < radius_mm < np.inf or slices < 1:
        raise InputError(
            f"A brush has a radius above 0 mm and at least one slice; got {radius_mm:g} mm and "
            f"{slices}.",
            hint="Make the brush larger.",
        )
    start = np.asarray(start_ijk, dtype=np.float64)
    end = np.asarray(end_ijk, dtype=np.float64)
    if not (np.isfinite(start).all() and np.isfinite(end).all()):
        return None
    spans = []
    for n, a, b, mm in zip(shape, start.tolist(), end.tolist(), spacing_mm, strict=True):
        # Half a voxel more than the radius: the voxel under the centre is inside.
        reach = max(radius_mm / mm, 0.5)
        first = max(int(np.ceil(min(a, b) - reach)), 0)
        spans.append(slice(first, min(int(np.floor(max(a, b) + reach)) + 1, n)))
    if axis is not None:
        middle = int(np.floor(end[axis] + 0.5))
        first = middle - (slices - 1) // 2
        spans[axis] = slice(max(first, 0), min(first + slices, shape[axis]))
        if not 0 <= middle < shape[axis]:
            return None
    if any(span.start >= span.stop for span in spans):
        return None
    box = spans[0], spans[1], spans[2]
    across = [a for a in (2, 1, 0) if a != axis]  # memory order: the slowest first
    region = _near_line(box, start, end, across, radius_mm, spacing_mm)
    _add_line(region, box, start, end, across)
    if not region.any():
        return None
    if axis is not None:
        wide = np.expand_dims(region, 2 - axis)
        region = np.repeat(wide, box[axis].stop - box[axis].start, axis=2 - axis)
    return box, region.T


def _near_line(
    box: Box,
    start: npt.NDArray[Any],
    end: npt.NDArray[Any],
    axes: Sequence[int],
    radius_mm: float,
    spacing_mm: Sequence[float],
) -> BoolArray:
    """Return which voxel centres lie within a radius of a line; axes as in ``axes``."""
    steps = []  # from the start to each voxel, in mm, along each axis
    way = []  # from the start to the end, in mm
    for place, a in enumerate(axes):
        line = (np.arange(box[a].start, box[a].stop) - start[a]) * spacing_mm[a]
        steps.append(line.reshape([-1 if place == p else 1 for p in range(len(axes))]))
        way.append(float((end[a] - start[a]) * spacing_mm[a]))
    length2 = sum(w * w for w in way)
    if length2 > 0:
        along = sum(s * (w / length2) for s, w in zip(steps, way, strict=True))
        part = np.clip(along, 0.0, 1.0)
        steps = [s - part * w for s, w in zip(steps, way, strict=True)]
    near: BoolArray = sum(s * s for s in steps) <= radius_mm * radius_mm + _SLACK_MM2
    return near


def _add_line(
    region: BoolArray,
    box: Box,
    start: npt.NDArray[Any],
    end: npt.NDArray[Any],
    axes: Sequence[int],
) -> None:
    """Add the voxels that the line itself runs through, each a neighbour of the one before."""
    a, b = start[list(axes)], end[list(axes)]
    n = int(np.ceil(np.abs(b - a).max(initial=0.0))) + 1
    points = np.floor(np.linspace(a, b, n) + 0.5).astype(np.intp)
    points -= [box[axis].start for axis in axes]
    inside = np.all((points >= 0) & (points < region.shape), axis=1)
    region[tuple(points[inside].T)] = True
