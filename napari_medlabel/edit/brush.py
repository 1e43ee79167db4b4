"""Brush marks in millimetres: discs, balls, and what they sweep between two mouse positions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_medlabel.edit.masking import BoolArray
from napari_medlabel.edit.patch import Box
from napari_medlabel.errors import InputError
from napari_medlabel.geometry.axes import FloatArray

Mark = tuple[Box, BoolArray]
"""A box (i, j, k) inside the volume, and which of its voxels a brush touches."""

_SLACK_MM2 = 1e-9  # a voxel centre on the rim counts, whatever rounding says


def disc(
    shape: Sequence[int],
    centre_ijk: npt.ArrayLike,
    axis: int,
    radius_mm: float,
    spacing_mm: Sequence[float],
    *,
    skew_mm: FloatArray | None = None,
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
    skew_mm : ndarray, shape (3, 3), optional
        The voxel steps, columns in mm, where they are not at right angles: the disc is round
        in the patient, not in the grid.

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
    return swept(shape, centre_ijk, centre_ijk, axis, radius_mm, spacing_mm, skew_mm=skew_mm)


def ball(
    shape: Sequence[int],
    centre_ijk: npt.ArrayLike,
    radius_mm: float,
    spacing_mm: Sequence[float],
    *,
    skew_mm: FloatArray | None = None,
) -> Mark | None:
    """Return a ball, round in mm whatever the spacing; parameters as in `disc`."""
    return swept(shape, centre_ijk, centre_ijk, None, radius_mm, spacing_mm, skew_mm=skew_mm)


def cylinder(
    shape: Sequence[int],
    centre_ijk: npt.ArrayLike,
    axis: int,
    radius_mm: float,
    spacing_mm: Sequence[float],
    *,
    slices: int,
    skew_mm: FloatArray | None = None,
) -> Mark | None:
    """Return a disc through several slices, as many on both sides as `scene.slab` takes.

    Parameters
    ----------
    shape, centre_ijk, axis, radius_mm, spacing_mm, skew_mm
        As in `disc`.
    slices : int
        How many; the middle one is nearest to the centre. Clipped at the ends.
    """
    return swept(
        shape, centre_ijk, centre_ijk, axis, radius_mm, spacing_mm, slices=slices,
        skew_mm=skew_mm,
    )  # fmt: skip


def swept(  # noqa: PLR0913 - two places, a size and the grid
    shape: Sequence[int],
    start_ijk: npt.ArrayLike,
    end_ijk: npt.ArrayLike,
    axis: int | None,
    radius_mm: float,
    spacing_mm: Sequence[float],
    *,
    slices: int = 1,
    skew_mm: FloatArray | None = None,
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
    skew_mm : ndarray, shape (3, 3), optional
        As in `disc`.

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
    across = [a for a in (2, 1, 0) if a != axis]  # memory order: the slowest first
    spans = []
    heights = _heights_mm(across, spacing_mm, skew_mm)
    for n, a, b, mm in zip(shape, start.tolist(), end.tolist(), heights, strict=True):
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
    region = _near_line(box, start, end, across, radius_mm, _rows(across, spacing_mm, skew_mm))
    _add_line(region, box, start, end, across)
    if not region.any():
        return None
    if axis is not None:
        wide = np.expand_dims(region, 2 - axis)
        region = np.repeat(wide, box[axis].stop - box[axis].start, axis=2 - axis)
    return box, region.T


def _heights_mm(
    axes: Sequence[int], spacing_mm: Sequence[float], skew_mm: FloatArray | None
) -> Sequence[float]:
    """Return for each axis by how much a step along it leads away from the other ones."""
    if skew_mm is None:
        return spacing_mm
    heights = list(spacing_mm)
    # Of the axes in the slice alone: a disc has no other ones.
    for axis, row in zip(axes, np.linalg.pinv(skew_mm[:, axes]), strict=True):
        heights[axis] = 1.0 / float(np.linalg.norm(row))
    return heights


def _rows(
    axes: Sequence[int], spacing_mm: Sequence[float], skew_mm: FloatArray | None
) -> list[list[float]]:
    """Return the steps along some axes as columns in mm, turned to be zero where they can."""
    if skew_mm is None:
        return [[spacing_mm[a] if a == b else 0.0 for a in axes] for b in axes]
    rows: list[list[float]] = np.linalg.qr(skew_mm[:, axes])[1].tolist()
    return rows


def _near_line(
    box: Box,
    start: npt.NDArray[Any],
    end: npt.NDArray[Any],
    axes: Sequence[int],
    radius_mm: float,
    rows_mm: Sequence[Sequence[float]],
) -> BoolArray:
    """Return which voxel centres lie within a radius of a line; axes as in ``axes``.

    Parameters
    ----------
    rows_mm : sequence of sequence of float
        As `_rows` gives them.
    """
    lines = [
        (np.arange(box[a].start, box[a].stop) - start[a]).reshape(
            [-1 if place == p else 1 for p in range(len(axes))]
        )
        for place, a in enumerate(axes)
    ]
    steps: list[Any] = []  # from the start to each voxel, in mm, along each row
    way = []  # from the start to the end, in mm
    for row in rows_mm:
        used = [(n, mm) for n, mm in enumerate(row) if mm]
        steps.append(sum(lines[n] * mm for n, mm in used))
        way.append(sum(float((end[axes[n]] - start[axes[n]]) * mm) for n, mm in used))
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
