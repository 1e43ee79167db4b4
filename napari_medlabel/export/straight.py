"""A tilted, sheared or oblique volume resampled along the patient's axes: only on request."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import GeometryError
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.axes import FloatArray, nearest_axes
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.voxels import require_room
from napari_medlabel.model.volume import Volume

_STRAIGHT_DEG: Final = 0.001
_SNAP: Final = 1e-4  # of a voxel: what rounding leaves beside a voxel's centre
_AIR_HU: Final = -1000.0
_FLOAT32_BYTES: Final = 2  # bytes of a whole number that float32 holds exactly


def is_straight(grid: Grid) -> bool:
    """Tell whether voxel axes lie along the patient's axes."""
    affine = grid.affine
    return affine.oblique_deg <= _STRAIGHT_DEG and affine.shear_deg <= _STRAIGHT_DEG


def straight_grid(grid: Grid) -> Grid:
    """Return the grid along the patient's axes that covers another one.

    Each voxel axis is laid along the nearest axis of the patient, in the same sense, with the
    same distance between voxels.

    Parameters
    ----------
    grid : Grid
        A tilted, sheared or oblique one.
    """
    linear = grid.affine.matrix[:3, :3]
    world, sign = nearest_axes(linear)
    corners = grid.corners_ras()
    matrix = np.eye(4)
    matrix[:3, :3] = 0.0
    shape = []
    for axis, spacing in enumerate(grid.affine.spacing_mm):
        along = corners[:, world[axis]] * sign[axis]
        low, high = float(along.min()), float(along.max())
        shape.append(int(np.ceil((high - low) / spacing - _SNAP)) + 1)
        matrix[world[axis], axis] = spacing * sign[axis]
        matrix[world[axis], 3] = low * sign[axis]
    return Grid((shape[0], shape[1], shape[2]), Affine(matrix), grid.frame_of_reference)


def straighten(volume: Volume) -> Volume:
    """Resample a volume along the patient's axes, linearly.

    What lies outside of the scan is background: air for CT, else zero, or the nearest value
    to it that occurs. What would be interpolated from a missing slice is background too.

    Parameters
    ----------
    volume : Volume
        With a place in the patient and more than one slice.

    Returns
    -------
    Volume
        With a warning that says what was done; the same volume when it is straight already.

    Raises
    ------
    GeometryError
        When there is nothing to resample: one slice, or images without a place.
    InputError
        When the result does not fit into memory.
    """
    if volume.slices == "pictures" or min(volume.grid.shape) < 2:
        raise GeometryError(
            "A volume of two or more slices with a place in the patient is expected; this is "
            "none, so there is nothing to straighten.",
            hint="Convert it without --straighten.",
        )
    if is_straight(volume.grid):
        return volume
    target = straight_grid(volume.grid)
    count = 1 if volume.further is None else volume.further.array.shape[3]
    require_room(2 * target.size * volume.array.dtype.itemsize * count)
    further, colour = volume.further, volume.colour
    background = background_of(volume)
    if further is None:
        array = _resample(volume.array, volume, target, background)
    else:
        parts = [
            _resample(np.asarray(further.array[..., t]), volume, target, background)
            for t in range(count)
        ]
        further = replace(further, array=np.stack([part.T for part in parts]).T)
        array = further.array[..., 0]
    if colour is not None:
        channels = [_resample(colour[..., n], volume, target, 0) for n in range(3)]
        colour = np.stack(channels, axis=-1)
    turned = max(volume.grid.affine.oblique_deg, volume.grid.affine.shear_deg)
    said = (
        f"Resampled, as asked: the axes were turned or sheared by up to {turned:.1f} degrees; "
        "values are interpolated linearly, and what the scan does not cover is "
        f"{background:g}."
    )
    return replace(
        volume,
        grid=target,
        array=array,
        source=replace(volume.source, header=None),
        further=further,
        colour=colour,
        missing=(),
        warnings=(*volume.warnings, said),
    )


def background_of(volume: Volume) -> float:
    """Return the value of nothing: air for CT, else zero, within what occurs."""
    meant = _AIR_HU if volume.modality == "CT" else 0.0
    low, high = float(np.nanmin(volume.array)), float(np.nanmax(volume.array))
    return min(max(meant, low), high)


def _resample(
    array: npt.NDArray[Any], volume: Volume, target: Grid, background: float
) -> npt.NDArray[Any]:
    """Return an array (i, j, k) of the same dtype on another grid, slice by slice."""
    from scipy.ndimage import affine_transform

    whole = array.dtype.kind in "iu"
    exact = whole and array.dtype.itemsize <= _FLOAT32_BYTES
    real = np.float32 if exact or array.dtype == np.float32 else np.float64
    absent = np.zeros(volume.grid.shape[2], dtype=bool)
    absent[list(volume.missing)] = True
    # From target to source index, both (k, j, i) as they lie in memory.
    mapped: FloatArray = np.linalg.inv(volume.grid.affine.matrix) @ target.affine.matrix
    matrix, start = mapped[2::-1, 2::-1], mapped[2::-1, 3]
    source = np.ascontiguousarray(array.T)
    columns, rows, slices = target.shape
    out = np.empty((slices, rows, columns), dtype=array.dtype)
    for k in range(slices):
        offset = start + k * matrix[:, 0]
        values = affine_transform(
            source, matrix, offset, (1, rows, columns), real, order=1, mode="nearest"
        )[0]
        values[_outside(matrix, offset, source.shape, absent, (rows, columns))] = background
        out[k] = np.rint(values, out=values) if whole else values
    return out.T


def _outside(
    matrix: FloatArray,
    offset: FloatArray,
    shape: tuple[int, ...],
    absent: npt.NDArray[np.bool_],
    size: tuple[int, int],
) -> npt.NDArray[np.bool_]:
    """Tell which pixels of a slice (j, i) the source does not cover, or only by guessing."""
    j, i = np.arange(size[0])[:, None], np.arange(size[1])[None, :]
    outside = np.zeros(size, dtype=bool)
    for axis, count in enumerate(shape):
        index = matrix[axis, 1] * j + (matrix[axis, 2] * i + offset[axis])
        outside |= (index < -_SNAP) | (index > count - 1 + _SNAP)
        if axis == 0 and absent.any():
            low, high = np.floor(index + _SNAP), np.ceil(index - _SNAP)
            ends = np.clip(np.stack([low, high]), 0, count - 1).astype(np.intp)
            outside |= absent[ends].any(axis=0)
    return outside
