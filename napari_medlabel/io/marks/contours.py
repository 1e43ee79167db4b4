"""Closed contours -> voxels: a voxel is inside when its centre is, by the even-odd rule.

A centre exactly on a contour belongs to the side with the larger index (half-open in both
directions), so that of two areas that share a border each voxel belongs to exactly one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
PARTS: Final = 100_000
"""Contours are rounded to this part of a voxel: what is meant to run through centres does so,
whatever a file's decimals and the way through millimetres have made of it."""
_AT_ONCE: Final = 1 << 20


@dataclass(frozen=True, eq=False)
class FilledArea:
    """The voxels inside contours, as a box of planes.

    Parameters
    ----------
    corner : tuple of int
        First column (u), first row (v) of the box.
    planes : ndarray of bool, shape (n, rows, columns)
        For each plane that was asked for, in order.
    """

    corner: tuple[int, int]
    planes: npt.NDArray[np.bool_]


def fill(
    contours: Sequence[FloatArray], plane_of: Sequence[int], size: tuple[int, int]
) -> FilledArea:
    """Fill contours on the planes of a stack.

    Parameters
    ----------
    contours : sequence of ndarray, shape (n, 2)
        Index positions (u, v) of each contour's points, whole numbers at voxel centres; closed
        from the last to the first.
    plane_of : sequence of int
        For each contour the plane it lies on, counted from 0. Contours on one plane are joined
        by the even-odd rule: one inside another is a hole.
    size : tuple of int
        Number of voxels along u and v; what reaches out is cut off.

    Returns
    -------
    FilledArea
    """
    count = max(plane_of, default=-1) + 1
    low, high = _box(contours, size)
    columns, rows = (max(0, b - a) for a, b in zip(low, high, strict=True))
    planes = np.zeros((count, rows, columns), np.uint8)
    if planes.size:
        u0, v0, u1, v1, plane = _edges(contours, plane_of)
        step = max(1, _AT_ONCE // max(1, columns))
        for start in range(0, len(u0), step):
            part = slice(start, start + step)
            _toggle(planes, low, (u0[part], v0[part], u1[part], v1[part]), plane[part])
        # A voxel is inside where the crossings above it, in its column, are odd in number.
        for row in range(1, rows):
            planes[:, row] ^= planes[:, row - 1]
    return FilledArea(low, planes.view(np.bool_))


def _box(
    contours: Sequence[FloatArray], size: tuple[int, int]
) -> tuple[tuple[int, int], tuple[int, int]]:
    if not contours:
        return (0, 0), (0, 0)
    low = np.min([c.min(axis=0) for c in contours], axis=0)
    high = np.max([c.max(axis=0) for c in contours], axis=0)
    # One more on both sides: rounding must not move an edge out of the box.
    first = np.clip(np.floor(low) - 1, 0, size).astype(int)
    last = np.clip(np.ceil(high) + 2, 0, size).astype(int)
    return (int(first[0]), int(first[1])), (int(last[0]), int(last[1]))


def _edges(contours: Sequence[FloatArray], plane_of: Sequence[int]) -> tuple[Any, ...]:
    """Return the ends (u0, v0, u1, v1) of all edges in parts, rising in u, and their planes."""
    points = np.rint(np.concatenate(contours) * PARTS)
    lengths = np.array([len(c) for c in contours])
    following = np.arange(1, len(points) + 1)
    ends = np.cumsum(lengths)
    following[ends - 1] = ends - lengths
    plane = np.repeat(np.asarray(plane_of), lengths)
    after = points[following]
    # One direction for each edge, so that a border drawn both ways gives the same numbers.
    swap = points[:, 0] > after[:, 0]
    low = np.where(swap[:, None], after, points)
    high = np.where(swap[:, None], points, after)
    return low[:, 0], low[:, 1], high[:, 0], high[:, 1], plane


def _toggle(
    planes: npt.NDArray[np.uint8],
    low: tuple[int, int],
    ends: tuple[FloatArray, ...],
    plane: npt.NDArray[Any],
) -> None:
    """Turn over the first voxel at or below every crossing of an edge and a column."""
    _, rows, columns = planes.shape
    u0, v0, u1, v1 = ends
    first = np.clip(_next_centre(u0) - low[0], 0, columns)
    last = np.clip(_next_centre(u1) - low[0], 0, columns)
    many = last - first
    edge = np.repeat(np.arange(len(u0)), many)
    column = np.arange(len(edge)) - np.repeat(np.cumsum(many) - many, many) + first[edge]
    share = ((column + low[0]) * float(PARTS) - u0[edge]) / (u1[edge] - u0[edge])
    row = _next_centre(v0[edge] + share * (v1[edge] - v0[edge])) - low[1]
    row = np.maximum(row, 0)
    kept = row < rows
    flat = (plane[edge[kept]] * rows + row[kept]) * columns + column[kept]
    np.bitwise_xor.at(planes.reshape(-1), flat, np.uint8(1))


def _next_centre(parts: FloatArray) -> npt.NDArray[np.int64]:
    """Return the first whole voxel at or behind a position in parts of a voxel."""
    return -(-np.rint(parts).astype(np.int64) // PARTS)
