"""Another scan laid over the case: resampled on request, and said to be so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import InputError
from napari_medlabel.geometry.axes import FloatArray
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.voxels import require_room
from napari_medlabel.model.volume import Volume
from napari_medlabel.plugin.sight.beside import is_same_grid

Tick = Callable[[int, int], None]
Values = npt.NDArray[np.float32]

_SNAP: Final = 1e-4
_HALF: Final = 0.5


def fuse(volume: Volume, target: Grid, tick: Tick) -> Values:
    """Return a scan's values on another grid: linearly, through both true affines.

    Parameters
    ----------
    volume : Volume
        The scan to lay over; of several volumes the first.
    target : Grid
        The grid of the case.
    tick : callable
        Called with (done, total) slices; what it raises ends the work.

    Returns
    -------
    ndarray of float32, shape (i, j, k)
        NaN where no voxel of the scan lies, and where a slice of it is missing. On one grid the
        values are the scan's own.

    Raises
    ------
    InputError
        When it is of colours, or does not fit into memory.
    """
    from scipy.ndimage import affine_transform

    if volume.colour is not None:
        raise InputError(
            "Values are laid over a scan, and this one has colours.",
            hint="Look at it beside the scan.",
        )
    require_room(target.size * np.dtype(np.float32).itemsize)
    source = np.ascontiguousarray(volume.array.T)
    if volume.missing:
        source = source.astype(np.float32)
        source[list(volume.missing)] = np.nan
    columns, rows, slices = target.shape
    out = np.empty((slices, rows, columns), dtype=np.float32)
    if is_same_grid(volume.grid, target):
        for k in range(slices):
            tick(k, slices)
            out[k] = source[k]
        tick(slices, slices)
        return out.T
    # From target to source index, both (k, j, i) as they lie in memory.
    mapped = np.linalg.inv(volume.grid.affine.matrix) @ target.affine.matrix
    matrix, start = mapped[2::-1, 2::-1], mapped[2::-1, 3]
    for k in range(slices):
        tick(k, slices)
        offset = start + k * matrix[:, 0]
        part = affine_transform(
            source, matrix, offset, (1, rows, columns), np.float32, order=1, mode="nearest"
        )[0]
        part[_outside(matrix, offset, source.shape, (rows, columns))] = np.nan
        out[k] = part
    tick(slices, slices)
    return out.T


def _outside(
    matrix: FloatArray, offset: FloatArray, shape: tuple[int, ...], size: tuple[int, int]
) -> npt.NDArray[np.bool_]:
    """Tell which pixels of a slice (j, i) lie in no voxel of the source."""
    j, i = np.arange(size[0])[:, None], np.arange(size[1])[None, :]
    outside = np.zeros(size, dtype=bool)
    for axis, count in enumerate(shape):
        index = matrix[axis, 1] * j + (matrix[axis, 2] * i + offset[axis])
        outside |= (index < -_HALF - _SNAP) | (index > count - _HALF + _SNAP)
    return outside


def checkered(values: Values, spacing_mm: tuple[float, ...], field_mm: float) -> Values:
    """Return values in every other field of a checker in space, NaN between.

    Parameters
    ----------
    values : ndarray of float32, shape (i, j, k)
        Of the scan that is laid over.
    spacing_mm : tuple of float
        Distance of voxels along i, j and k.
    field_mm : float
        Side of a field.
    """
    made = values.T.copy().T
    parity: Any = 0
    for axis, (count, mm) in enumerate(zip(values.shape, spacing_mm, strict=True)):
        number = (np.arange(count) * mm // field_mm).astype(np.uint8)
        parity = parity + number.reshape([-1 if a == axis else 1 for a in range(3)])
    made[parity % 2 == 1] = np.nan
    return made


def fused_name(volume: Volume, target: Grid) -> str:
    """Name the layer of a scan that is laid over: it says what was done to its values."""
    kind = volume.modality or "Scan"
    if is_same_grid(volume.grid, target):
        return f"{kind} over, same grid"
    return f"{kind} over, resampled (linear)"
