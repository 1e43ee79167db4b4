"""Level tracing: the region of like intensity at a place, and the outlines of regions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.edit import slice_loops
from napari_medlabel.edit.finite import only_numbers
from napari_medlabel.edit.masking import BoolArray
from napari_medlabel.edit.region import threshold
from napari_medlabel.errors import InputError

FloatArray = npt.NDArray[np.float64]

_STEPS: Final = (
    (0, 1),
    (1, 0),
    (0, -1),
    (-1, 0),
)  # of an outline: each turns right of the last


def level_trace(
    image2d: npt.NDArray[Any],
    uv: Sequence[float],
    *,
    tolerance: float,
    filled: bool = True,
) -> BoolArray:
    """Return the connected region whose intensities are like those at a place.

    Parameters
    ----------
    image2d : ndarray, shape (n_u, n_v)
        Intensities of a slice.
    uv : sequence of float
        The place, in fractional pixels; its level is the median of the pixels around it.
    tolerance : float
        How far from that level an intensity may be, in the unit of the image.
    filled : bool
        Whether holes belong to it, as when its outline is filled.

    Returns
    -------
    ndarray of bool, shape (n_u, n_v)
        Pixels connected by their edges. The pixel of the place itself is part of it; where that
        holds no number, nothing is.

    Raises
    ------
    InputError
        When the place lies outside the slice or the tolerance below 0.
    """
    u, v = _pixel(image2d.shape, uv)
    if not tolerance >= 0:
        raise InputError(
            f"A tolerance is not below 0; got {tolerance:g}.", hint="Choose a larger one."
        )
    around = image2d[max(u - 1, 0) : u + 2, max(v - 1, 0) : v + 2]
    if not np.isfinite(image2d[u, v]):
        return np.zeros(image2d.shape, dtype=bool)
    level = float(np.median(only_numbers(around).astype(np.float64)))
    alike = threshold(image2d, level - tolerance, level + tolerance)
    alike = np.ascontiguousarray(alike)
    alike[u, v] = True  # noise at the pixel itself does not empty the region
    region = _part_of(alike, u, v)
    return _without_holes(region) if filled else region


def _pixel(shape: Sequence[int], uv: Sequence[float]) -> tuple[int, int]:
    u, v = int(np.floor(uv[0] + 0.5)), int(np.floor(uv[1] + 0.5))
    if not (0 <= u < shape[0] and 0 <= v < shape[1]):
        raise InputError(
            "The place lies outside of the slice.", hint="Point into the shown slice."
        )
    return u, v


def _part_of(mask: BoolArray, u: int, v: int) -> BoolArray:
    """Return the part of a mask, connected by edges, that a pixel of it belongs to."""
    if (loops := slice_loops.ready()) is not None:
        found: BoolArray = loops.flood(mask, u, v)
        return found
    from scipy import ndimage

    parts, _ = ndimage.label(mask)
    part: BoolArray = parts == parts[u, v]
    return part


def _without_holes(region: BoolArray) -> BoolArray:
    """Return a region with all that it encloses (connected by edges) filled."""
    rows, columns = np.flatnonzero(region.any(axis=1)), np.flatnonzero(region.any(axis=0))
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    free = np.pad(~region[box], 1, constant_values=True)
    out = region.copy()
    out[box] = ~_part_of(free, 0, 0)[1:-1, 1:-1]
    return out


def outline_of(region2d: BoolArray) -> list[FloatArray]:
    """Return the outlines of a region, along the borders of its pixels.

    Parameters
    ----------
    region2d : ndarray of bool, shape (n_u, n_v)
        A region of a slice.

    Returns
    -------
    list of ndarray, shape (n, 2)
        The corners of each closed outline, at half pixels; those around holes run the other
        way. Pixels that touch by a corner have outlines of their own. Every pixel centre that
        an odd number of them encloses belongs to the region, and no other.
    """
    rows, columns = np.flatnonzero(region2d.any(axis=1)), np.flatnonzero(region2d.any(axis=0))
    if not rows.size:
        return []
    crop = region2d[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    padded = np.pad(crop, 1)
    corners, following, turns = _linked_edges(padded)
    width = padded.shape[1] - 1
    outlines = []
    for ring in _rings(following):
        edges = np.array(ring, dtype=np.intp)
        at = corners[edges[turns[edges]]]
        outlines.append(
            np.stack((at // width + (rows[0] - 0.5), at % width + (columns[0] - 0.5)), axis=1)
        )
    return outlines


def _linked_edges(
    padded: BoolArray,
) -> tuple[npt.NDArray[np.intp], list[int], BoolArray]:
    """Return of each border edge the corner it ends at, the next edge, and whether that turns.

    Edges run with the region on their right; there are (n_u + 1) x (n_v + 1) corners.
    """
    above_left, above_right = padded[:-1, :-1], padded[:-1, 1:]
    below_left, below_right = padded[1:, :-1], padded[1:, 1:]
    leaving = [  # whether an edge leaves a corner in each direction of _STEPS
        (below_right & ~above_right).ravel(),
        (below_left & ~below_right).ravel(),
        (above_left & ~below_left).ravel(),
        (above_right & ~above_left).ravel(),
    ]
    width = padded.shape[1] - 1
    starts = [np.flatnonzero(one) for one in leaving]
    first = np.cumsum([0, *(s.size for s in starts)])
    number = np.empty((4, leaving[0].size), dtype=np.intp)
    for way, begin in enumerate(starts):
        number[way, begin] = np.arange(first[way], first[way + 1])
    ends, following, turns = [], [], []
    for way, begin in enumerate(starts):
        end = begin + _STEPS[way][0] * width + _STEPS[way][1]
        right, left = (way + 1) % 4, (way + 3) % 4
        # Turning right first keeps to the same pixel where two touch by a corner.
        goes = np.where(leaving[right][end], right, np.where(leaving[way][end], way, left))
        ends.append(end)
        following.append(number[goes, end])
        turns.append(goes != way)
    return (
        np.concatenate(ends),
        np.concatenate(following).tolist(),
        np.concatenate(turns),
    )


def _rings(following: list[int]) -> list[list[int]]:
    """Return the closed chains of edges."""
    rings = []
    left = bytearray(b"\1") * len(following)
    for start in range(len(following)):
        if left[start]:
            ring, edge = [], start
            while left[edge]:
                left[edge] = 0
                ring.append(edge)
                edge = following[edge]
            rings.append(ring)
    return rings
