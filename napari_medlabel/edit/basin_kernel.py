"""The compiled flooding of basins; importing it needs numba, and callers do without it too."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

Flat = npt.NDArray[Any]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _sink(values: Flat, ages: Flat, places: Flat, count: int) -> None:
    """Let the first entry of a heap sink to where it belongs."""
    at = 0
    while True:
        low, left = at, 2 * at + 1
        for child in (left, left + 1):
            if child < count and (
                values[child] < values[low]
                or (values[child] == values[low] and ages[child] < ages[low])
            ):
                low = child
        if low == at:
            return
        values[at], values[low] = values[low], values[at]
        ages[at], ages[low] = ages[low], ages[at]
        places[at], places[low] = places[low], places[at]
        at = low


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _rise(values: Flat, ages: Flat, places: Flat, at: int) -> None:
    """Let an entry of a heap rise to where it belongs."""
    while at > 0:
        over = (at - 1) // 2
        if values[at] > values[over] or (values[at] == values[over] and ages[at] >= ages[over]):
            return
        values[at], values[over] = values[over], values[at]
        ages[at], ages[over] = ages[over], ages[at]
        places[at], places[over] = places[over], places[at]
        at = over


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _larger(old: Flat, size: int) -> Flat:
    fresh = np.empty(size, old.dtype)
    fresh[: old.size] = old
    return fresh


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def flood(  # noqa: C901, PLR0915 - one compiled loop
    height: Flat, marks: Flat, shape: tuple[int, int, int], starts: Flat
) -> None:
    """Flood basins from marks, lowest voxels first, those found first before others as low.

    Only what waits in the queue takes memory beyond the two arrays: a dozen bytes each.

    Parameters
    ----------
    height : ndarray of float32, flat of (k, j, i)
        The relief.
    marks : ndarray of unsigned integer, flat of (k, j, i)
        0: to be flooded; the type's largest number: a wall; others: marks. Changed in place.
    shape : tuple of int
        Voxels along k, j and i.
    starts : ndarray of int32
        Positions of marks, ascending; those beside nothing to be flooded may be left out.

    Notes
    -----
    F. Meyer, Un algorithme optimal de ligne de partage des eaux, 8e congres AFCET (1991) 847. A
    voxel lower than where the water comes from is flooded at that level.
    """
    n_k, n_j, n_i = shape
    plane = n_j * n_i
    room = max(2 * starts.size, 1024)
    values = np.empty(room, np.float32)
    ages = np.empty(room, np.int32)
    places = np.empty(room, np.int32)
    count, age = 0, 1
    for start in starts:
        values[count], ages[count], places[count] = height[start], 0, start
        _rise(values, ages, places, count)
        count += 1
    while count:
        place, level = places[0], values[0]
        count -= 1
        values[0], values[count] = values[count], values[0]
        ages[0], ages[count] = ages[count], ages[0]
        places[0], places[count] = places[count], places[0]
        _sink(values, ages, places, count)
        k, rest = divmod(place, plane)
        j, i = divmod(rest, n_i)
        mark = marks[place]
        for way in range(6):
            if way == 0:
                inside, near = k > 0, place - plane
            elif way == 1:
                inside, near = j > 0, place - n_i
            elif way == 2:
                inside, near = i > 0, place - 1
            elif way == 3:
                inside, near = i < n_i - 1, place + 1
            elif way == 4:
                inside, near = j < n_j - 1, place + n_i
            else:
                inside, near = k < n_k - 1, place + plane
            if not inside or marks[near] != 0:
                continue
            marks[near] = mark
            age += 1
            if count == values.size:
                room = 2 * count
                values = _larger(values, room)
                ages = _larger(ages, room)
                places = _larger(places, room)
            values[count] = max(height[near], level)
            ages[count], places[count] = age, near
            _rise(values, ages, places, count)
            count += 1
