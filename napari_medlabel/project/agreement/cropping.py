"""The box around what several readings label: all work on them is done in it, same answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_medlabel.edit.boxes import hull
from napari_medlabel.edit.patch import Box
from napari_medlabel.edit.scene import around, widen
from napari_medlabel.errors import InputError
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.model.labelmap import LabelMap

LabelArray = npt.NDArray[Any]


def require_one_grid(readings: Sequence[LabelMap], *, least: int = 2) -> Grid:
    """Return the grid that all readings share.

    Raises
    ------
    InputError
        When there are less than ``least``.
    GeometryError
        When grids differ: nothing is resampled.
    """
    if len(readings) < least:
        raise InputError(
            f"At least {least} readings of a case are needed; got {len(readings)}.",
            hint="Wait until they are submitted: the list tells, and so does "
            "medlabel project status STUDY",
        )
    grid = readings[0].grid
    for one in readings[1:]:
        grid.require_same(one.grid, what="reading")
    return grid


def union_box(
    arrays: Sequence[LabelArray], spacing_mm: Sequence[float], margin_mm: float = 0.0
) -> Box | None:
    """Return the box around all that somebody labelled, with a margin, clipped to the scan.

    Parameters
    ----------
    arrays : sequence of ndarray, one shape (i, j, k)
        Labels or masks.
    spacing_mm : sequence of float
        Along i, j and k.
    margin_mm : float
        On every side, rounded up to whole voxels.

    Returns
    -------
    tuple of slice or None
        None where nobody labelled anything.
    """
    found = [box for box in (around(array != 0) for array in arrays) if box is not None]
    if not found:
        return None
    i, j, k = arrays[0].shape
    return widen(hull(found), margin_mm, spacing_mm, (i, j, k))


def cropped(labels: LabelMap, box: Box) -> LabelMap:
    """Return the part of a mask in a box, where it lies in the patient, as a copy."""
    start = [part.start for part in box]
    matrix = labels.grid.affine.matrix.copy()
    matrix[:3, 3] = labels.grid.affine.apply(start)
    array = np.ascontiguousarray(labels.array[box].T).T
    i, j, k = array.shape
    return LabelMap(Grid((i, j, k), Affine(matrix)), array, labels.scheme)


def box_words(box: Box, spacing_mm: Sequence[float]) -> str:
    """Say how large a box is: ``"34 x 30 x 12 voxels (34.0 x 30.0 x 36.0 mm)"``."""
    sizes = [part.stop - part.start for part in box]
    voxels = " x ".join(str(n) for n in sizes)
    mm = " x ".join(f"{n * mm:.1f}" for n, mm in zip(sizes, spacing_mm, strict=True))
    return f"{voxels} voxels ({mm} mm)"
