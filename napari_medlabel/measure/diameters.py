"""Long and short axes of a region: the longest lines that it holds, in 3D and in one slice.

A region ends halfway between its voxels and their neighbours, as a marching-cubes surface does:
one voxel is as long as it is, and ten in a row are ten spacings long. Outlines are convex ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_medlabel.geometry.axes import FloatArray

BoolArray = npt.NDArray[np.bool_]
Index = tuple[float, float, float]


@dataclass(frozen=True)
class Line:
    """A straight line.

    Parameters
    ----------
    start, end : tuple of float
        Its ends as voxel index (i, j, k), fractional.
    length_mm : float
        Its length.
    """

    start: Index
    end: Index
    length_mm: float


@dataclass(frozen=True)
class Bidirectional:
    """The two diameters of a region in one slice, as RECIST 1.1 measures them.

    Parameters
    ----------
    slice : int
        Voxel index of the slice along k: the one with the longest diameter.
    long, short : Line
        The longest line, and the longest one at a right angle to it.
    """

    slice: int
    long: Line
    short: Line


def longest_line(
    mask: BoolArray,
    spacing_mm: Sequence[float],
    start: Sequence[int] = (0, 0, 0),
    *,
    skew_mm: FloatArray | None = None,
) -> Line | None:
    """Return the largest diameter of a region in 3D (Feret); None when it is empty.

    Parameters
    ----------
    mask : ndarray of bool, shape (i, j, k)
        The region, cropped or not.
    spacing_mm : sequence of float
        Distance of neighbouring voxels along i, j and k.
    start : sequence of int
        Voxel of the whole at which a crop begins.
    skew_mm : ndarray, shape (3, 3), optional
        The voxel steps, columns in mm, where they are not at right angles (gantry tilt).
    """
    points = _ends_of_rows(mask)
    if not len(points):
        return None
    grid = _InMm(spacing_mm, skew_mm)
    first, second, length = _farthest(_hull(grid.to_mm(points)))
    ends = grid.to_voxels(np.stack([first, second])) + np.asarray(start)
    return Line(_index(ends[0]), _index(ends[1]), length)


def bidirectional(
    mask: BoolArray,
    spacing_mm: Sequence[float],
    start: Sequence[int] = (0, 0, 0),
    *,
    skew_mm: FloatArray | None = None,
) -> Bidirectional | None:
    """Return long and short axis in the slice (along k) where the region is longest.

    Parameters
    ----------
    mask, spacing_mm, start, skew_mm
        As in `longest_line`.

    Returns
    -------
    Bidirectional or None
        None when the region is empty. The short axis is the longest line at a right angle to
        the long one that the convex outline holds.
    """
    grid = _InMm(spacing_mm[:2], None if skew_mm is None else skew_mm[:, :2])
    best: tuple[float, int, FloatArray, FloatArray, FloatArray] | None = None
    for k, plane in enumerate(mask.T):
        points = grid.to_mm(_ends_of_rows(plane.T))
        if not len(points):
            continue
        reach = float(np.linalg.norm(np.ptp(points, axis=0)))
        if best is not None and reach <= best[0]:
            continue  # not even from corner to corner
        hull = _hull(points)
        first, second, length = _farthest(hull)
        if best is None or length > best[0]:
            best = length, k, first, second, hull
    if best is None:
        return None
    length, k, first, second, hull = best
    low, high = _across(hull, (second - first) / length)

    def line(one: FloatArray, other: FloatArray, mm: float) -> Line:
        ends = np.column_stack([grid.to_voxels(np.stack([one, other])), (k, k)])
        ends = ends + np.asarray(start)
        return Line(_index(ends[0]), _index(ends[1]), mm)

    across_mm = float(np.linalg.norm(high - low))
    return Bidirectional(
        k + int(start[2]), line(first, second, length), line(low, high, across_mm)
    )


class _InMm:
    """Voxel indices along two or three axes in mm, and back.

    On a grid at right angles along its own axes; on another one in a frame of its own, in which
    lengths and angles are those in the patient.
    """

    def __init__(self, spacing_mm: Sequence[float], skew_mm: FloatArray | None) -> None:
        self._spacing = np.asarray(spacing_mm, dtype=np.float64)
        self._steps = None if skew_mm is None else np.asarray(np.linalg.qr(skew_mm)[1])

    def to_mm(self, points: FloatArray) -> FloatArray:
        return points * self._spacing if self._steps is None else points @ self._steps.T

    def to_voxels(self, points: FloatArray) -> FloatArray:
        if self._steps is None:
            return points / self._spacing
        solved: FloatArray = np.linalg.solve(self._steps, points.T).T
        return solved


def _index(point: FloatArray) -> Index:
    i, j, k = (float(v) for v in point)
    return i, j, k


def _ends_of_rows(mask: BoolArray) -> FloatArray:
    """Return the middles of the outermost faces of every row of voxels along every axis.

    The convex outline of a region has no other corners than these.
    """
    found = []
    for axis in range(mask.ndim):
        rows = np.moveaxis(mask, axis, -1)
        filled = np.argwhere(rows.any(axis=-1))
        if not len(filled):
            return np.zeros((0, mask.ndim))
        lines = rows[tuple(filled.T)]
        first = lines.argmax(axis=-1) - 0.5
        last = lines.shape[-1] - 0.5 - lines[:, ::-1].argmax(axis=-1)
        found += [
            np.insert(filled.astype(np.float64), axis, end, axis=1) for end in (first, last)
        ]
    return np.concatenate(found)


def _hull(points: FloatArray) -> FloatArray:
    """Return the corners of the convex outline; in two dimensions in turn."""
    from scipy.spatial import ConvexHull

    # A single voxel has a face on every side: the outline is never flat.
    corners: FloatArray = points[ConvexHull(points).vertices]
    return corners


def _farthest(points: FloatArray) -> tuple[FloatArray, FloatArray, float]:
    """Return the two points that lie farthest apart, and how far."""
    best = -1.0
    ends = (0, 0)
    for n, point in enumerate(points):
        squares = np.square(points[n:] - point).sum(axis=1)
        at = int(squares.argmax())
        if squares[at] > best:
            best, ends = float(squares[at]), (n, n + at)
    return points[ends[0]], points[ends[1]], float(np.sqrt(best))


def _across(hull: FloatArray, along: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the ends of the longest line in a convex outline at a right angle to a direction.

    Parameters
    ----------
    hull : ndarray, shape (n, 2)
        Corners in turn, mm.
    along : ndarray, shape (2,)
        Unit vector.
    """
    across = np.array([-along[1], along[0]])
    at, side = hull @ along, hull @ across
    low, high = int(at.argmin()), int(at.argmax())
    # The width changes its slope only at a corner, so it is largest at one.
    chains = []
    for step in (1, -1):
        steps = (high - low) * step % len(hull)
        turn = (low + step * np.arange(steps + 1)) % len(hull)
        chains.append(np.interp(at, at[turn], side[turn]))
    one, other = chains
    n = int(np.abs(one - other).argmax())
    ends = [at[n] * along + edge * across for edge in sorted((one[n], other[n]))]
    return ends[0], ends[1]
