"""Slices -> the even grid on which they lie: through the first and the last, or the nearest.

Precise positions give the grid from the first to the last slice. Where that leaves slices off,
because positions are rounded or tremble a little, the grid is taken that is nearest to all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.geometry.axes import FloatArray
from napari_medlabel.io.dicom.frames.plane import Plane, table

TOLERANCE_MM: Final = 0.05
LARGEST_TOLERANCE_MM: Final = 0.09
_DOUBTED_MM: Final = 5e-3
_COARSE_MM: Final = 0.05
_AS_WRITTEN: Final = 1e-6
_HALVINGS: Final = 80

Whole = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Corners:
    """Where slices lie.

    Parameters
    ----------
    points : ndarray, shape (t, k, 4, 3)
        Corners of all slices; the first one is Image Position.
    written_mm : float
        By how much the positions may be off for being rounded: half a unit of the last
        decimal that any of them has; 0 where that is less than a hundredth.
    """

    points: FloatArray
    written_mm: float

    @property
    def positions(self) -> FloatArray:
        """Image Position of the first volume's slices, shape (k, 3)."""
        return self.points[0, :, 0]


@dataclass(frozen=True, eq=False)
class Line:
    """An even grid's way through the slices.

    Parameters
    ----------
    origin, step : ndarray, shape (3,)
        Position of the first slice, and from each to the next; LPS mm.
    off_mm : ndarray, shape (n,)
        How far each slice's worst corner lies off it.
    fits : bool
        Whether that is within the tolerance for all of them.
    doubts : tuple of str
        In words.
    """

    origin: FloatArray
    step: FloatArray
    off_mm: FloatArray
    fits: bool
    doubts: tuple[str, ...]


def corners_of(planes: Sequence[Plane], volumes: int) -> Corners:
    """Return the corners of volumes of slices, volume after volume."""
    position = table([one.position_lps for one in planes], 3)
    orientation = table([one.orientation_lps for one in planes], 6)
    spacing = table([one.spacing_mm for one in planes], 2)
    row = orientation[:, :3] * (spacing[:, 1:] * (planes[0].columns - 1))
    column = orientation[:, 3:] * (spacing[:, :1] * (planes[0].rows - 1))
    points = np.stack([position, position + row, position + column, position + row + column], 1)
    count = len(planes) // volumes
    return Corners(points.reshape(volumes, count, 4, 3), _written_mm(position))


def _written_mm(positions: FloatArray) -> float:
    for decimals in (0, 1):
        if np.abs(positions - np.round(positions, decimals)).max() <= 1e-9:
            return _COARSE_MM
    return 0.0


def tolerance_mm(step_mm: float) -> float:
    """Return how far a corner may lie off the grid through the first and the last slice."""
    wide = min(max(0.01 * step_mm, TOLERANCE_MM), LARGEST_TOLERANCE_MM)
    return min(wide, 0.1 * step_mm)


def line_through(corners: Corners, chosen: Whole, index: Whole) -> Line:
    """Hold slices against the even grid.

    Parameters
    ----------
    corners : Corners
        Of all slices.
    chosen, index : ndarray of int, shape (n,)
        Which of them, at least two, and where each lies on the grid (k, growing).
    """
    first, last = chosen[0], chosen[-1]
    here = index - index[0]
    step = (corners.positions[last] - corners.positions[first]) / here[-1]
    step_mm = float(np.linalg.norm(step))
    line = _held(corners, chosen, here, corners.positions[first], step)
    off = float(line.off_mm.max())
    is_coarse = 0 < corners.written_mm <= 0.2 * step_mm and (
        _aside(corners, chosen, here, line) > _DOUBTED_MM
    )
    if off <= tolerance_mm(step_mm):
        line = replace(line, fits=True, doubts=_doubts(off))
    if line.fits and not is_coarse:
        return line
    nearest = _held(corners, chosen, here, *_nearest(corners.points[:, chosen, 0], here, step))
    off = float(nearest.off_mm.max())
    aside = _aside(corners, chosen, here, nearest)
    is_rounded = is_coarse and aside <= corners.written_mm + _AS_WRITTEN
    most = LARGEST_TOLERANCE_MM if is_rounded else min(LARGEST_TOLERANCE_MM, 0.1 * step_mm)
    if off > most:
        return line
    if is_rounded:
        doubt = f"Positions are rounded: slices lie up to {off:.2g} mm off the even grid."
        return replace(nearest, fits=True, doubts=(doubt,))
    return line if line.fits else replace(nearest, fits=True, doubts=_doubts(off))


def _doubts(off_mm: float) -> tuple[str, ...]:
    if off_mm <= _DOUBTED_MM:
        return ()
    return (f"Slices lie up to {off_mm:.2g} mm off a regular grid, by their own headers.",)


def _held(
    corners: Corners, chosen: Whole, here: Whole, origin: FloatArray, step: FloatArray
) -> Line:
    frame = corners.points[0, chosen[0]] - corners.points[0, chosen[0], 0]
    meant = origin + frame + here[:, None, None] * step
    off = np.linalg.norm(corners.points[:, chosen] - meant, axis=3).max(axis=(0, 2))
    return Line(origin, step, off, False, ())


def _aside(corners: Corners, chosen: Whole, here: Whole, line: Line) -> float:
    """Return the largest difference of one coordinate of one position."""
    meant = line.origin + here[:, None] * line.step
    return float(np.abs(corners.points[:, chosen, 0] - meant).max())


def _nearest(
    positions: FloatArray, here: Whole, step: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return origin and step of the line whose largest difference in each coordinate is least.

    Of a line of given step that difference is half the spread of what is left, which is convex
    in the step: halving the sign of its slope finds the least.
    """
    high, low = positions.max(axis=0), positions.min(axis=0)

    def ends(steps: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        above, below = high - here[:, None] * steps, low - here[:, None] * steps
        slope = here[below.argmin(axis=0)] - here[above.argmax(axis=0)]
        return above.max(axis=0), below.min(axis=0), slope

    reach = 2.0 * float(np.ptp(high - here[:, None] * step, axis=0).max()) + 1e-6
    left, right = step - reach, step + reach
    for _ in range(_HALVINGS):
        middle = 0.5 * (left + right)
        rises = ends(middle)[2] > 0
        right, left = np.where(rises, middle, right), np.where(rises, left, middle)
    found = 0.5 * (left + right)
    above, below, _ = ends(found)
    return 0.5 * (above + below), found
