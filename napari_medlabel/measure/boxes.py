"""Where the labels of a mask lie: the box of each, in one pass."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from napari_medlabel.geometry.grid import Grid

Box = tuple[slice, slice, slice]


def boxes_of(array: npt.NDArray[Any]) -> dict[int, Box]:
    """Return the tightest box (i, j, k) around each label that occurs, background left out.

    Parameters
    ----------
    array : ndarray, shape (i, j, k)
        uint8 or uint16 labels.
    """
    from scipy.ndimage import find_objects

    found = find_objects(array.T)  # memory order
    return {
        value: (box[2], box[1], box[0])
        for value, box in enumerate(found, start=1)
        if box is not None
    }


def around_both(first: Box, second: Box) -> Box:
    """Return the box around two boxes (i, j, k)."""
    i, j, k = (
        slice(min(a.start, b.start), max(a.stop, b.stop))
        for a, b in zip(first, second, strict=True)
    )
    return i, j, k


def diagonal_mm(grid: Grid) -> float:
    """Return the length of a grid from corner to corner, voxel centres, in mm."""
    corners = grid.corners_ras()
    apart = corners[:, None] - corners[None, :]
    return float(np.linalg.norm(apart, axis=-1).max())
