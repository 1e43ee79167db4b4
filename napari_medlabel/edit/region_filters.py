"""Four ways to smooth one region by itself: each takes it as it is and returns it smoothed.

All take a region, bool of shape (i, j, k), the spacing in mm along its axes - infinite across a
single slice - and a size in mm: edge of a box, diameter of a ball, or standard deviation.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.edit.distance import distance_mm
from napari_medlabel.geometry.axes import FloatArray

BoolArray = npt.NDArray[np.bool_]
Three = tuple[float, float, float]

TRUNCATE_SIGMAS: Final = 3.0
"""So far a Gaussian looks."""
SLACK: Final = 1e-5
"""Of a voxel's weight: what is equal to this stays as it is."""
_ROUNDING_MM: Final = 1e-4


def median(region: BoolArray, spacing_mm: Three, size_mm: float) -> BoolArray:
    """Return what most voxels are in a box of an odd number of voxels along each axis."""
    from scipy import ndimage

    size = [2 * int(np.floor(size_mm / mm / 2 + 1e-9)) + 1 for mm in spacing_mm]
    share = ndimage.uniform_filter(region.T.astype(np.float64), size[::-1], mode="nearest")
    most: BoolArray = (share > 0.5).T
    return most


def opening(
    region: BoolArray, spacing_mm: Three, size_mm: float, skew_mm: FloatArray | None = None
) -> BoolArray:
    """Return what a ball of a diameter fits in, on a tilted scan by its voxel steps (3, 3)."""
    mm = size_mm / 2
    return _grown(_shrunk(region, spacing_mm, mm, skew_mm), spacing_mm, mm, skew_mm)


def closing(
    region: BoolArray, spacing_mm: Three, size_mm: float, skew_mm: FloatArray | None = None
) -> BoolArray:
    """Return a region with all that no ball of a diameter fits in beside it; as `opening`."""
    mm = size_mm / 2
    return _shrunk(_grown(region, spacing_mm, mm, skew_mm), spacing_mm, mm, skew_mm)


def _shrunk(
    region: BoolArray, spacing_mm: Three, mm: float, skew_mm: FloatArray | None
) -> BoolArray:
    far = mm + 2 * _ROUNDING_MM
    depth = distance_mm(region, _finite(spacing_mm), skew_mm, up_to_mm=far)
    deep: BoolArray = depth > mm + _ROUNDING_MM
    return deep


def _grown(
    region: BoolArray, spacing_mm: Three, mm: float, skew_mm: FloatArray | None
) -> BoolArray:
    far = mm + 2 * _ROUNDING_MM
    away = distance_mm(~region, _finite(spacing_mm), skew_mm, up_to_mm=far)
    near: BoolArray = away <= mm + _ROUNDING_MM
    return near


def _finite(spacing_mm: Three) -> Three:
    """Return spacings that distances can be computed with: across one slice there are none."""
    i, j, k = (mm if np.isfinite(mm) else 1.0 for mm in spacing_mm)
    return i, j, k


def gaussian(region: BoolArray, spacing_mm: Three, size_mm: float) -> BoolArray:
    """Return where a region under a Gaussian weighs more than what is around it."""
    from scipy import ndimage

    sigmas = [size_mm / mm for mm in reversed(spacing_mm)]
    weight = ndimage.gaussian_filter(
        region.T.astype(np.float32), sigmas, mode="nearest", truncate=TRUNCATE_SIGMAS
    )
    # Half stays half: what lies on a straight border is not moved by rounding.
    heavy: BoolArray = np.where(region.T, weight > 0.5 - SLACK, weight > 0.5 + SLACK).T
    return heavy
