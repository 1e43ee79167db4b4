"""Exact Euclidean distances in mm inside and around a region."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

BoolArray = npt.NDArray[np.bool_]
FloatMap = npt.NDArray[np.float32]


def distance_mm(region: BoolArray, spacing_mm: Sequence[float]) -> FloatMap:
    """Measure how deep each voxel lies in a region.

    The ends of the array are no border: a region that reaches them is taken to go on.

    Parameters
    ----------
    region : ndarray of bool, shape (i, j, k)
        Which voxels are in it; in Fortran order it is not copied.
    spacing_mm : sequence of float
        Distance of neighbouring voxels along i, j and k.

    Returns
    -------
    ndarray of float32, shape (i, j, k)
        For a voxel inside: distance from its centre to the centre of the nearest voxel
        outside, infinite when there is none; 0 outside. Exact but for rounding to float32.

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


def signed_distance_mm(region: BoolArray, spacing_mm: Sequence[float]) -> FloatMap:
    """Measure how far each voxel lies inside (above 0) or outside (below 0) of a region.

    Parameters
    ----------
    region : ndarray of bool, shape (i, j, k)
        Which voxels are in it.
    spacing_mm : sequence of float
        Distance of neighbouring voxels along i, j and k.

    Returns
    -------
    ndarray of float32, shape (i, j, k)
        Centre to centre, in mm, never 0: towards the nearest voxel of the other side. Plus
        infinity everywhere when all is inside, minus infinity when nothing is.
    """
    inside = np.ascontiguousarray(region.T)
    signed = distance_mm(inside.T, spacing_mm)
    np.logical_not(inside, out=(outside := np.empty_like(inside)))
    signed -= distance_mm(outside.T, spacing_mm)
    return signed
