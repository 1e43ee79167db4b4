"""Lengths, angles, areas and what the voxels of a region say, all in patient millimetres."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import InputError
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.axes import FloatArray
from napari_medlabel.measure.inside import WITH_VOXELS, inside_polygon, region_voxels
from napari_medlabel.model.landmarks import Point
from napari_medlabel.model.measurements import Kind, Measurement

LEFT_OUT: Final = "slices left out"
"""Name of the number of slices in a region that no file holds."""
FROM_VOXELS: Final = frozenset({"voxels", "mean", "sd", "min", "max", LEFT_OUT})
"""Names of numbers that depend on the volume that is looked at."""


@dataclass(frozen=True)
class Value:
    """One number of a measurement.

    Parameters
    ----------
    name : str
        ``"length"``, ``"angle"``, ``"long axis"``, ``"short axis"``, ``"perimeter"``,
        ``"area"``, ``"volume"``, ``"voxels"``, ``"mean"``, ``"sd"``, ``"min"``, ``"max"`` or
        ``"slices left out"``.
    value : float
        NaN never: what cannot be said is left out.
    unit : str
        ``"mm"``, ``"deg"``, ``"mm2"``, ``"mm3"``, the image's own, or empty for plain numbers.
    """

    name: str
    value: float
    unit: str = ""


def length_mm(points_ras: npt.ArrayLike) -> float:
    """Return the length of a chain of points, shape (n, 3) in RAS mm, along straight pieces."""
    steps = np.diff(np.asarray(points_ras, dtype=np.float64), axis=0)
    return float(np.linalg.norm(steps, axis=1).sum())


def angle_deg(first: npt.ArrayLike, corner: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Return the angle in degrees, 0 to 180, at a corner between two arms (points in RAS mm).

    By atan2 of cross and dot product, which is exact near 0 and 180 degrees where acos is not.
    """
    at = np.asarray(corner, dtype=np.float64)
    u, v = np.asarray(first, dtype=np.float64) - at, np.asarray(second, dtype=np.float64) - at
    return float(np.degrees(np.arctan2(np.linalg.norm(np.cross(u, v)), u @ v)))


def area_mm2(outline_ras: npt.ArrayLike) -> float:
    """Return the area inside a closed outline, points (n, 3) in RAS mm (Newell's normal).

    Of an outline that is not plane, that of its shadow on the plane which fits it best.
    """
    points = np.asarray(outline_ras, dtype=np.float64)
    centred = points - points[0]
    return float(
        np.linalg.norm(np.cross(centred, np.roll(centred, -1, axis=0)).sum(axis=0)) / 2
    )


def perpendicular_ras(
    long_axis_ras: npt.ArrayLike, start_ras: npt.ArrayLike, end_ras: npt.ArrayLike
) -> tuple[Point, Point]:
    """Return a short axis that is perpendicular to a long one: what a hand drew, straightened.

    Parameters
    ----------
    long_axis_ras : array_like, shape (2, 3)
        Both ends in RAS mm.
    start_ras, end_ras : array_like, shape (3,)
        Where the hand began and ended the short axis; the start stays.

    Raises
    ------
    InputError
        When the long axis has no length.
    """
    axis = np.asarray(long_axis_ras, dtype=np.float64)
    along = axis[1] - axis[0]
    length = float(np.linalg.norm(along))
    if length == 0.0:
        raise InputError("The long axis has no length.", hint="Draw the long axis first.")
    along /= length
    start, end = np.asarray(start_ras, np.float64), np.asarray(end_ras, np.float64)
    across = end - start
    end = start + across - (across @ along) * along
    return _point(start), _point(end)


def diameters_ras(outline_ras: npt.ArrayLike) -> tuple[Point, Point, Point, Point]:
    """Return the bidirectional measurement of an outline on a slice, as RECIST 1.1 wants it.

    Parameters
    ----------
    outline_ras : array_like, shape (n, 3)
        The closed outline in RAS mm, at most some thousand points.

    Returns
    -------
    tuple of point
        Both ends of the longest diameter, and both ends of the longest chord across it, both
        between corners of the outline or on its sides.

    Raises
    ------
    InputError
        When it has less than three points or no extent.
    """
    points = np.asarray(outline_ras, dtype=np.float64)
    if len(points) < 3:
        raise InputError("An outline has at least three points.", hint="Draw it again.")
    apart = np.linalg.norm(points[:, None] - points[None], axis=2)
    a, b = np.unravel_index(int(np.argmax(apart)), apart.shape)
    length = float(apart[a, b])
    if length == 0.0:
        raise InputError("The outline has no extent.", hint="Draw it larger.")
    along = (points[b] - points[a]) / length
    place = (points - points[a]) @ along
    across = points - points[a] - place[:, None] * along
    normal = _across_direction(across)
    height = across @ normal
    best = _longest_chord(place, height)
    ends = [points[a] + best[0] * along + h * normal for h in best[1:]]
    return _point(points[a]), _point(points[b]), _point(ends[0]), _point(ends[1])


def _across_direction(across: FloatArray) -> FloatArray:
    furthest = across[int(np.argmax(np.linalg.norm(across, axis=1)))]
    length = float(np.linalg.norm(furthest))
    if length == 0.0:
        raise InputError("The outline has no extent.", hint="Draw it larger.")
    direction: FloatArray = furthest / length
    return direction


def _longest_chord(place: FloatArray, height: FloatArray) -> tuple[float, float, float]:
    """Return where along the axis the longest chord across it is, and its two heights.

    The width of a polygon is linear between its corners: the longest chord passes one.
    """
    best = (float(place[0]), float(height[0]), float(height[0]))
    next_place, next_height = np.roll(place, -1), np.roll(height, -1)
    low, high = np.minimum(place, next_place), np.maximum(place, next_place)
    run = next_place - place
    for at in np.unique(place):
        hit = (low <= at) & (at <= high)
        flat = hit & (run == 0)
        slope = hit & (run != 0)
        share = (at - place[slope]) / run[slope]
        heights = np.sort(
            np.concatenate(
                [
                    height[slope] + share * (next_height[slope] - height[slope]),
                    height[flat],
                    next_height[flat],
                ]
            )
        )
        # Outside a dent two neighbouring crossings bound the chord; a dent is not crossed.
        lower, upper = _widest_inside(heights, float(at), place, height)
        if upper - lower > best[2] - best[1]:
            best = (float(at), lower, upper)
    return best


def _widest_inside(
    heights: FloatArray, at: float, place: FloatArray, height: FloatArray
) -> tuple[float, float]:
    """Return the longest stretch between crossings that lies inside the polygon or on it."""
    distinct = np.unique(heights)
    middles = (distinct[:-1] + distinct[1:]) / 2
    corners = np.stack([place, height], axis=1)
    # A hair to either side: at a corner's own place the ray would run along sides.
    hair = 1e-9 * max(float(np.ptp(place)), 1e-30)
    inside = np.zeros(len(middles), bool)
    for shift in (-hair, hair):
        queries = np.stack([np.full(len(middles), at + shift), middles], axis=1)
        inside |= inside_polygon(queries, corners)
    best, begin = (float(distinct[0]), float(distinct[0])), 0
    for n in range(len(middles) + 1):
        if n == len(middles) or not inside[n]:
            if distinct[n] - distinct[begin] > best[1] - best[0]:
                best = (float(distinct[begin]), float(distinct[n]))
            begin = n + 1
    return best


# -- what a measurement says ---------------------------------------------------------------


def values_of(
    one: Measurement,
    image: npt.NDArray[Any] | None = None,
    affine: Affine | None = None,
    *,
    unit: str = "",
    missing: Sequence[int] = (),
) -> tuple[Value, ...]:
    """Return the numbers of a measurement.

    Parameters
    ----------
    one : Measurement
        Points in RAS mm.
    image : ndarray, shape (i, j, k), optional
        The voxels, for mean, SD, min and max of a region.
    affine : Affine, optional
        Where they lie; needed with an image.
    unit : str
        Unit of the voxels, for instance ``"HU"``.
    missing : sequence of int
        Slices k that no file holds: their voxels are left out, and how many slices that were
        is one of the numbers.

    Returns
    -------
    tuple of Value
        Lengths, angles and areas from the points. With an image, for ellipse, box, closed
        curve and cuboid also the number of voxels whose centre lies inside, and their mean,
        population standard deviation, minimum and maximum; without these where no centre does,
        or where a flat region does not lie on one slice of the scan.
    """
    values = _FROM_POINTS[one.kind](one.long_first.array)
    if image is None or affine is None or one.kind not in WITH_VOXELS:
        return values
    region = region_voxels(one, image, affine, missing)
    if region is None:
        return values
    voxels, left_out = region
    if left_out:
        values += (Value(LEFT_OUT, float(left_out)),)
    if not len(voxels):
        return values
    numbers = voxels.astype(np.float64)
    found = (
        Value("voxels", float(len(numbers))),
        Value("mean", float(numbers.mean()), unit),
        Value("sd", float(numbers.std()), unit),
        Value("min", float(numbers.min()), unit),
        Value("max", float(numbers.max()), unit),
    )
    return values + tuple(v for v in found if math.isfinite(v.value))


def _line(points: FloatArray) -> tuple[Value, ...]:
    return (Value("length", length_mm(points), "mm"),)


def _angle(points: FloatArray) -> tuple[Value, ...]:
    return (Value("angle", angle_deg(points[0], points[1], points[2]), "deg"),)


def _bidirectional(points: FloatArray) -> tuple[Value, ...]:
    return (
        Value("long axis", length_mm(points[:2]), "mm"),
        Value("short axis", length_mm(points[2:]), "mm"),
    )


def _closed_curve(points: FloatArray) -> tuple[Value, ...]:
    around = np.concatenate([points, points[:1]])
    return (
        Value("perimeter", length_mm(around), "mm"),
        Value("area", area_mm2(points), "mm2"),
    )


def _ellipse(points: FloatArray) -> tuple[Value, ...]:
    u, v = points[1:] - points[0]
    return (Value("area", math.pi * float(np.linalg.norm(np.cross(u, v))), "mm2"),)


def _box(points: FloatArray) -> tuple[Value, ...]:
    u, v = points[1:] - points[0]
    return (Value("area", 4.0 * float(np.linalg.norm(np.cross(u, v))), "mm2"),)


def _cuboid(points: FloatArray) -> tuple[Value, ...]:
    return (Value("volume", 8.0 * abs(float(np.linalg.det(points[1:] - points[0]))), "mm3"),)


_FROM_POINTS: Final[dict[Kind, Callable[[FloatArray], tuple[Value, ...]]]] = {
    "line": _line,
    "angle": _angle,
    "bidirectional": _bidirectional,
    "curve": _line,
    "closed-curve": _closed_curve,
    "ellipse": _ellipse,
    "box": _box,
    "plane": _box,
    "cuboid": _cuboid,
}


def _point(array: FloatArray) -> Point:
    x, y, z = (float(v) for v in array)
    return x, y, z
