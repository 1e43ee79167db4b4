"""Exact Euclidean distances in mm inside and around a region."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.edit.skew import is_tilted, neighbours
from napari_medlabel.geometry.axes import FloatArray

BoolArray = npt.NDArray[np.bool_]
FloatMap = npt.NDArray[np.float32]


_QUERY: Final = 1 << 18  # voxels that are looked up at once


def distance_mm(
    region: BoolArray,
    spacing_mm: Sequence[float],
    skew_mm: FloatArray | None = None,
    *,
    up_to_mm: float = np.inf,
) -> FloatMap:
    """Measure how deep each voxel lies in a region.

    The ends of the array are no border: a region that reaches them is taken to go on.

    Parameters
    ----------
    region : ndarray of bool, shape (i, j, k)
        Which voxels are in it; in Fortran order it is not copied.
    spacing_mm : sequence of float
        Distance of neighbouring voxels along i, j and k.
    skew_mm : ndarray, shape (3, 3), optional
        The voxel steps, columns in mm, where they are not at right angles (gantry tilt).
    up_to_mm : float
        Farther voxels may be given an infinite distance, which is quicker on a tilted scan.

    Returns
    -------
    ndarray of float32, shape (i, j, k)
        For a voxel inside: distance from its centre to the centre of the nearest voxel
        outside, infinite when there is none; 0 outside. Exact but for rounding to float32, on
        a tilted scan too.

    Notes
    -----
    Felzenszwalb and Huttenlocher, Theory of Computing 8 (2012) 415-428, in ``edt``; without
    that package Maurer et al., IEEE PAMI 25 (2003) 265-270, in SciPy: slower, same answer.
    """
    inside = np.ascontiguousarray(region.T)
    if inside.size == 0 or inside.all():
        return np.full(inside.shape, np.inf, dtype=np.float32).T
    steps = tuple(float(mm) for mm in reversed(spacing_mm))
    thick = [axis for axis, n in enumerate(inside.shape) if n > 1]
    if not thick:
        return np.zeros(inside.shape, dtype=np.float32).T  # one voxel, outside
    # Across one voxel there is no distance, and looking for one takes edt twenty times as long.
    flat = inside.reshape([inside.shape[axis] for axis in thick])
    if skew_mm is not None and is_tilted(skew_mm):
        columns = skew_mm[:, ::-1][:, thick]
        return _by_tree(flat, columns, up_to_mm).reshape(inside.shape).T
    return _distance(flat, [steps[axis] for axis in thick]).reshape(inside.shape).T


def _distance(inside: BoolArray, steps: Sequence[float]) -> FloatMap:
    """Measure depths in an array of one, two or three axes of two voxels or more."""
    try:
        import edt
    except ImportError:
        return _by_nearest(inside, steps)
    anisotropy = tuple(steps) if len(steps) > 1 else steps[0]
    near: FloatMap = edt.edt(inside, anisotropy=anisotropy, parallel=1)
    return near


def _by_nearest(inside: BoolArray, steps: Sequence[float]) -> FloatMap:
    """Do it with SciPy, plane by plane: its own sums would take 48 bytes for each voxel."""
    from scipy import ndimage

    nearest = ndimage.distance_transform_edt(
        inside, sampling=steps, return_distances=False, return_indices=True
    )
    out = np.empty(inside.shape, np.float32)
    for at in range(len(inside)):
        total = np.zeros(inside.shape[1:])
        for axis, mm in enumerate(steps):
            here = np.arange(inside.shape[axis]) if axis else np.array(at)
            if axis == 1 and inside.ndim == 3:
                here = here[:, None]
            total += ((nearest[axis][at] - here).astype(np.float64) * mm) ** 2
        out[at] = np.sqrt(total)
    return out


def _by_tree(inside: BoolArray, steps_mm: FloatArray, up_to_mm: float) -> FloatMap:
    """Measure depths on a grid whose axes are not at right angles.

    Parameters
    ----------
    inside : ndarray of bool
        Some voxels outside, some inside.
    steps_mm : ndarray, shape (3, axes)
        Of its axes, columns in mm.
    up_to_mm : float
        What lies deeper is infinitely deep.
    """
    from scipy.spatial import cKDTree

    # What is nearest lies in the rind: beside a voxel inside, or perhaps of one off the array.
    rind = np.zeros_like(inside)
    for offset in neighbours(steps_mm):
        near = np.ones_like(inside)
        here = tuple(
            slice(max(-x, 0), n - max(x, 0)) for x, n in zip(offset, inside.shape, strict=True)
        )
        there = tuple(
            slice(max(x, 0), n - max(-x, 0)) for x, n in zip(offset, inside.shape, strict=True)
        )
        if all(part.start < part.stop for part in here):
            near[here] = inside[there]
        rind |= near
    rind &= ~inside
    tree: Any = cKDTree(
        np.argwhere(rind) @ steps_mm.T, balanced_tree=False, compact_nodes=False
    )
    out = np.zeros(inside.size, dtype=np.float32)
    flat = np.flatnonzero(inside)
    for at in range(0, flat.size, _QUERY):
        some = flat[at : at + _QUERY]
        places = np.stack(np.unravel_index(some, inside.shape), axis=1) @ steps_mm.T
        out[some] = tree.query(places, distance_upper_bound=up_to_mm)[0]
    return out.reshape(inside.shape)


def signed_distance_mm(
    region: BoolArray, spacing_mm: Sequence[float], skew_mm: FloatArray | None = None
) -> FloatMap:
    """Measure how far each voxel lies inside (above 0) or outside (below 0) of a region.

    Parameters
    ----------
    region : ndarray of bool, shape (i, j, k)
        Which voxels are in it.
    spacing_mm, skew_mm
        As in `distance_mm`.

    Returns
    -------
    ndarray of float32, shape (i, j, k)
        Centre to centre, in mm, never 0: towards the nearest voxel of the other side. Plus
        infinity everywhere when all is inside, minus infinity when nothing is.
    """
    inside = np.ascontiguousarray(region.T)
    signed = distance_mm(inside.T, spacing_mm, skew_mm)
    np.logical_not(inside, out=(outside := np.empty_like(inside)))
    signed -= distance_mm(outside.T, spacing_mm, skew_mm)
    return signed
