"""Which voxels lie in a region that was drawn on a slice, or in a cuboid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.axes import FloatArray
from napari_medlabel.model.measurements import Kind, Measurement

WITH_VOXELS: Final[tuple[Kind, ...]] = ("ellipse", "box", "closed-curve", "cuboid")
"""The kinds of measurement that have an inside."""

_ONE_SLICE: Final = 0.5  # of a voxel: further apart, points lie on different slices


def region_voxels(
    one: Measurement, image: npt.NDArray[Any], affine: Affine, missing: Sequence[int] = ()
) -> tuple[npt.NDArray[Any], int] | None:
    """Return the voxels whose centres lie in a region, and how many slices were left out.

    Parameters
    ----------
    one : Measurement
        An ellipse, a box or a closed curve on a slice, or a cuboid.
    image : ndarray, shape (i, j, k)
        The voxels.
    affine : Affine
        Where they lie.
    missing : sequence of int
        Slices k that no file holds: they are left out.

    Returns
    -------
    (ndarray of shape (n,), int) or None
        None where a flat region does not lie on one slice along a voxel axis.
    """
    # An affine map keeps what is inside inside: the test can be done on voxel indices.
    points = affine.to_index(one.array)
    if one.kind == "cuboid":
        box, centres = _centres(points[0], np.abs(points[1:] - points[0]).sum(axis=0), image)
        inside = _in_cuboid(points, centres)
        return _values(image, box, inside, missing)
    spread = _spread(one.kind, points)
    axis = int(np.argmin(spread))
    layer = round(
        float(points[0, axis] if one.kind != "closed-curve" else points[:, axis].mean())
    )
    if spread[axis] >= _ONE_SLICE or not 0 <= layer < image.shape[axis]:
        return None
    flat = [n for n in range(3) if n != axis]
    low, high = _bounds(one.kind, points)
    low[axis] = high[axis] = layer
    box, centres = _centres((low + high) / 2, (high - low) / 2, image)
    inside = _in_flat(one.kind, points[:, flat], centres[..., flat])
    return _values(image, box, inside, missing)


def _values(
    image: npt.NDArray[Any],
    box: tuple[slice, slice, slice],
    inside: npt.NDArray[np.bool_],
    missing: Sequence[int],
) -> tuple[npt.NDArray[Any], int]:
    """Return the voxels of a region in a box, and on how many of its slices none are there."""
    blank = [k - box[2].start for k in missing if box[2].start <= k < box[2].stop]
    left_out = int(np.count_nonzero(inside[..., blank].any(axis=(0, 1))))
    inside[..., blank] = False
    return image[box][inside], left_out


def _spread(kind: Kind, points: FloatArray) -> FloatArray:
    """Return how far the region reaches along each voxel axis, from its middle to its end."""
    low, high = _bounds(kind, points)
    spread: FloatArray = (high - low) / 2
    return spread


def _bounds(kind: Kind, points: FloatArray) -> tuple[FloatArray, FloatArray]:
    if kind == "closed-curve":
        return points.min(axis=0), points.max(axis=0)
    axes = points[1:] - points[0]
    reach = np.linalg.norm(axes, axis=0) if kind == "ellipse" else np.abs(axes).sum(axis=0)
    return points[0] - reach, points[0] + reach


def _centres(
    middle: FloatArray, reach: FloatArray, image: npt.NDArray[Any]
) -> tuple[tuple[slice, slice, slice], FloatArray]:
    """Return the box of voxels around a region, and their indices, shape (..., 3)."""
    starts = np.clip(np.ceil(middle - reach - 1e-9), 0, image.shape).astype(int)
    stops = np.clip(np.floor(middle + reach + 1e-9) + 1, starts, image.shape).astype(int)
    i, j, k = (slice(int(a), int(b)) for a, b in zip(starts, stops, strict=True))
    grids = np.meshgrid(*(np.arange(s.start, s.stop) for s in (i, j, k)), indexing="ij")
    return (i, j, k), np.stack(grids, axis=-1).astype(np.float64)


def _in_flat(kind: Kind, points: FloatArray, centres: FloatArray) -> npt.NDArray[np.bool_]:
    queries = centres.reshape(-1, 2)
    if kind == "closed-curve":
        return inside_polygon(queries, points).reshape(centres.shape[:-1])
    share = np.linalg.solve((points[1:] - points[0]).T, (queries - points[0]).T)
    if kind == "ellipse":
        inside = (share**2).sum(axis=0) <= 1.0 + 1e-9
    else:
        inside = (np.abs(share) <= 1.0 + 1e-9).all(axis=0)
    return np.asarray(inside).reshape(centres.shape[:-1])


def _in_cuboid(points: FloatArray, centres: FloatArray) -> npt.NDArray[np.bool_]:
    queries = centres.reshape(-1, 3)
    share = np.linalg.solve((points[1:] - points[0]).T, (queries - points[0]).T)
    return np.asarray((np.abs(share) <= 1.0 + 1e-9).all(axis=0)).reshape(centres.shape[:-1])


def inside_polygon(points: FloatArray, corners: FloatArray) -> npt.NDArray[np.bool_]:
    """Tell which points, shape (n, 2), lie inside a polygon, corners (m, 2): even-odd rule."""
    inside = np.zeros(len(points), dtype=bool)
    x, y = points[:, 0], points[:, 1]
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y0 == y1:
            continue
        spans = (y0 > y) != (y1 > y)
        inside ^= spans & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    return inside
