"""Regions from intensities: a threshold, and growing from seeds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import InputError

BoolArray = npt.NDArray[np.bool_]


def threshold(image: npt.NDArray[Any], low: float, high: float) -> BoolArray:
    """Select the voxels whose value lies in a closed range.

    Parameters
    ----------
    image : ndarray, shape (i, j, k)
        Intensities, for CT in HU.
    low, high : float
        Ends of the range, both inside; infinite for no end.

    Returns
    -------
    ndarray of bool, shape (i, j, k)
        Never a voxel without a number.

    Raises
    ------
    InputError
        When the range is empty.
    """
    if not low <= high:
        raise InputError(
            f"A threshold needs a lower end below the upper end; got {low:g} to {high:g}.",
            hint="Swap the two.",
        )
    inside: BoolArray = (image >= low) & (image <= high)
    if not (np.isfinite(low) and np.isfinite(high)) and image.dtype.kind == "f":
        inside &= np.isfinite(image)  # an open end takes all numbers, and nothing else
    return inside


def grow(
    image: npt.NDArray[Any],
    seeds_ijk: npt.ArrayLike,
    low: float,
    high: float,
    *,
    limit: BoolArray | None = None,
    opening: int = 0,
) -> BoolArray:
    """Grow a region from seeds through connected voxels of a range.

    Parameters
    ----------
    image : ndarray, shape (i, j, k)
        Intensities.
    seeds_ijk : array_like of int, shape (n, 3)
        Voxel indices to start from.
    low, high : float
        Ends of the range, both inside.
    limit : ndarray of bool, shape (i, j, k), optional
        Where the region may grow.
    opening : int
        Radius in voxels, in plane, of an opening before growing: cuts thin bridges to
        neighbouring organs. What it cuts off the rim is given back afterwards.

    Returns
    -------
    ndarray of bool, shape (i, j, k)
        The region; empty where no seed lies in the range.

    Raises
    ------
    InputError
        When a seed lies outside the image.
    """
    from skimage import measure
    from skimage.morphology import isotropic_dilation, isotropic_erosion

    seeds = np.atleast_2d(np.asarray(seeds_ijk, dtype=np.intp))
    if seeds.shape[1] != 3 or np.any(seeds < 0) or np.any(seeds >= np.array(image.shape)):
        raise InputError(
            "A seed lies outside the scan.", hint="Place seeds inside the image, as (i, j, k)."
        )
    inside = threshold(image, low, high)
    if limit is not None:
        inside &= limit
    core = _each_slice(isotropic_erosion, inside, opening) if opening else inside
    # Labelling the transposed view walks the buffer in memory order.
    parts = measure.label(core.T, connectivity=1)
    wanted = np.unique(parts[seeds[:, 2], seeds[:, 1], seeds[:, 0]])
    wanted = wanted[wanted > 0]
    if wanted.size == 0:
        return np.zeros(image.shape[::-1], dtype=bool).T
    chosen = np.zeros(int(parts.max()) + 1, dtype=bool)
    chosen[wanted] = True
    region: BoolArray = chosen[parts].T
    if opening:
        region = _each_slice(isotropic_dilation, region, opening) & inside
    return region


def _each_slice(
    operation: Callable[[BoolArray, float], BoolArray], mask: BoolArray, radius: int
) -> BoolArray:
    """Apply a morphological operation with a disk to each (i, j) slice that has something."""
    out = np.zeros(mask.shape[::-1], dtype=bool)
    for k, plane in enumerate(mask.T):
        if plane.any():
            out[k] = operation(plane, radius)
    return out.T
