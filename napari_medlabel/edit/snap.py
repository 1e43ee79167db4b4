"""Landmarks that go to what is there: the brightest or darkest place, or the nearest edge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from napari_medlabel.edit.brush import ball
from napari_medlabel.edit.finite import averaged, numbers_in
from napari_medlabel.errors import InputError

FloatArray = npt.NDArray[np.float64]

_SMOOTH_MM: Final = 1.0  # before gradients are taken


def snap_to_extremum(
    image: npt.NDArray[Any],
    point_ijk: npt.ArrayLike,
    *,
    kind: Literal["max", "min"],
    radius_mm: float,
    spacing_mm: Sequence[float],
    skew_mm: FloatArray | None = None,
) -> FloatArray:
    """Return the brightest or darkest place within a radius of a point.

    Parameters
    ----------
    image : ndarray, shape (i, j, k)
        Intensities.
    point_ijk : array_like, shape (3,)
        In fractional voxels.
    kind : str
        ``max`` or ``min``.
    radius_mm : float
        How far the place may be, from voxel centre to point.
    spacing_mm : sequence of float
        Along i, j and k.
    skew_mm : ndarray, shape (3, 3), optional
        The voxel steps, columns in mm, where they are not at right angles.

    Returns
    -------
    ndarray, shape (3,)
        Fractional voxels: the extreme voxel (of equals the nearest), moved by less than half a
        voxel along each axis to the top of the parabola through it and its neighbours.

    Raises
    ------
    InputError
        When the point lies outside the image, no voxel within the radius holds a number (which
        alone can be an extremum), or the kind is neither.
    """
    if kind not in ("max", "min"):
        raise InputError("An extremum is max or min.", hint='kind="max" finds the brightest.')
    point = _inside(image, point_ijk)
    box, near = _near(image, point, radius_mm, spacing_mm, skew_mm)
    sign = 1.0 if kind == "max" else -1.0
    values = image[box].astype(np.float64) * sign
    values[~(near & np.isfinite(values))] = -np.inf
    if np.isneginf(values.max()):
        raise InputError(
            "No voxel around the point holds a number.", hint="Place it inside the image."
        )
    best = _nearest_best(values, box, point, spacing_mm, skew_mm)
    moved = best.astype(np.float64)
    for axis in range(3):
        low, high = best.copy(), best.copy()
        low[axis] -= 1
        high[axis] += 1
        if low[axis] >= 0 and high[axis] < image.shape[axis]:
            three = [float(image[tuple(at)]) * sign for at in (low, best, high)]
            moved[axis] += _top(*three) if np.isfinite(three).all() else 0.0
    return moved


def snap_to_edge(
    image: npt.NDArray[Any],
    point_ijk: npt.ArrayLike,
    *,
    radius_mm: float,
    spacing_mm: Sequence[float],
    skew_mm: FloatArray | None = None,
) -> FloatArray:
    """Return the place of the strongest edge within a radius of a point, between voxels.

    Parameters
    ----------
    image, point_ijk, radius_mm, spacing_mm, skew_mm
        As in `snap_to_extremum`.

    Returns
    -------
    ndarray, shape (3,)
        Fractional voxels: where the gradient, smoothed by 1 mm and taken per mm, is steepest
        along its own direction; the point itself where everything around is flat. Where the
        numbers end (padding with NaN) is no edge.

    Raises
    ------
    InputError
        When the point lies outside the image.
    """
    from scipy import ndimage

    point = _inside(image, point_ijk)
    box, near = _near(image, point, radius_mm, spacing_mm, skew_mm)
    spacing = np.asarray(spacing_mm, dtype=np.float64)
    reach = np.ceil(4 * _SMOOTH_MM / spacing).astype(int) + 2
    wide = tuple(
        slice(max(s.start - r, 0), min(s.stop + r, n))
        for s, r, n in zip(box, reach.tolist(), image.shape, strict=True)
    )
    origin = np.array([s.start for s in wide])
    soft = _softened(image[wide], _SMOOTH_MM / spacing)
    slopes = [
        np.gradient(soft, mm, axis=axis) if soft.shape[axis] > 1 else np.zeros_like(soft)
        for axis, mm in enumerate(spacing.tolist())
    ]
    steep = np.sqrt(sum(slope * slope for slope in slopes))
    part = tuple(
        slice(s.start - w.start, s.stop - w.start) for s, w in zip(box, wide, strict=True)
    )
    steep[~np.isfinite(steep)] = 0.0
    values = np.where(near, steep[part], -np.inf)
    if not values.max() > 1e-9 * max(
        float(np.abs(soft).max(where=np.isfinite(soft), initial=0)), 1.0
    ):
        return point
    best = _nearest_best(values, box, point, spacing_mm, skew_mm)
    at = tuple((best - origin).tolist())
    normal = np.array([slope[at] for slope in slopes]) / steep[at]  # in mm
    step = normal / spacing
    step /= np.abs(step).max()  # in voxels: one along the axis it crosses fastest
    along = (best - origin)[:, None] + step[:, None] * np.array([-1.0, 0.0, 1.0])
    low, middle, high = ndimage.map_coordinates(steep, along, order=1, mode="nearest").tolist()
    moved: FloatArray = best + _top(low, middle, high) * step
    return np.clip(moved, 0, np.array(image.shape) - 1.0)


def _softened(image: npt.NDArray[Any], sigmas: FloatArray) -> FloatArray:
    """Return an image under a Gaussian; NaN where it has no number."""
    from scipy import ndimage

    if numbers_in(image) is not None:
        return averaged(
            image, lambda part: ndimage.gaussian_filter(part, sigmas, mode="nearest")
        ).astype(np.float64)
    soft: FloatArray = ndimage.gaussian_filter(image.astype(np.float64), sigmas, mode="nearest")
    return soft


def _inside(image: npt.NDArray[Any], point_ijk: npt.ArrayLike) -> FloatArray:
    point = np.asarray(point_ijk, dtype=np.float64)
    if not (np.all(point >= -0.5) and np.all(point < np.array(image.shape) - 0.5)):
        raise InputError("The point lies outside of the scan.", hint="Place it inside.")
    return point


def _near(
    image: npt.NDArray[Any],
    point: FloatArray,
    radius_mm: float,
    spacing_mm: Sequence[float],
    skew_mm: FloatArray | None,
) -> tuple[tuple[slice, slice, slice], npt.NDArray[np.bool_]]:
    mark = ball(image.shape, point, radius_mm, spacing_mm, skew_mm=skew_mm)
    if mark is None:
        raise InputError("The point lies outside of the scan.", hint="Place it inside.")
    return mark


def _nearest_best(
    values: FloatArray,
    box: tuple[slice, slice, slice],
    point: FloatArray,
    spacing_mm: Sequence[float],
    skew_mm: FloatArray | None,
) -> npt.NDArray[np.intp]:
    """Return the voxel with the largest value, of equals the one nearest to a point."""
    places = np.argwhere(values == values.max()) + [s.start for s in box]
    steps = places - point
    mm = steps * np.asarray(spacing_mm) if skew_mm is None else steps @ skew_mm.T
    far = np.linalg.norm(mm, axis=1)
    best: npt.NDArray[np.intp] = places[int(np.argmin(far))]
    return best


def _top(low: float, middle: float, high: float) -> float:
    """Return where a parabola through three values at -1, 0 and 1 is highest, within a half."""
    bend = low - 2 * middle + high
    if not bend < 0:
        return 0.0
    return float(np.clip(0.5 * (low - high) / bend, -0.5, 0.5))
