"""Filling a mask plane by plane and run by run, compiled: only imported where numba is."""

from __future__ import annotations

from typing import Any, Final

import numba
import numpy as np
import numpy.typing as npt

from napari_medlabel.edit.scene import Tick

FILLED: Final = 2
_BOTH: Final = 3  # may be filled, and a filled voxel of the next plane touches it
_PLANES: Final = 8  # between two ticks: some 10 ms


def fill(
    mask: npt.NDArray[np.uint8], seed: tuple[int, ...], connectivity: int, tick: Tick
) -> npt.NDArray[np.int64]:
    """Fill what hangs together with a voxel with 2, in place.

    Parameters
    ----------
    mask : ndarray of uint8, shape (k, j, i), C-contiguous
        1 where it may be filled.
    seed : tuple of int
        A voxel of it, (k, j, i).
    connectivity : int
        1: by faces; 2: edges; 3: corners.
    tick : callable
        Told the voxels filled, of all.

    Returns
    -------
    ndarray of int64, shape (6,)
        First and last filled index along k, j, i.

    Notes
    -----
    A plane is filled from all its marks before the next one is looked at, up and down until
    no mark is left: in noise, where runs are short, a walk through all planes at once would
    wait for the memory at each step.
    """
    deep, high, wide = mask.shape
    stack = np.empty((high * wide + 2 * high + 2, 2), np.int32)
    steps = _steps(connectivity)
    extent = np.array([*seed, *seed], np.int64)
    waiting = np.zeros(deep, bool)
    waiting[seed[0]] = True
    mask[seed] = _BOTH
    filled = visits = 0
    upwards = True
    while waiting.any():
        for k in range(deep) if upwards else range(deep - 1, -1, -1):
            if not waiting[k]:
                continue
            waiting[k] = False
            filled += _fill_plane(mask[k], stack, min(connectivity - 1, 1), extent)
            extent[0], extent[3] = min(extent[0], k), max(extent[3], k)
            for beside in (k - 1, k + 1):
                if 0 <= beside < deep:
                    waiting[beside] |= _mark(mask[k], mask[beside], steps)
            visits += 1
            if visits % _PLANES == 0:
                tick(filled, mask.size)
        upwards = not upwards
    return extent


def _steps(connectivity: int) -> npt.NDArray[np.int64]:
    """Return the steps along j and i that still touch from one plane to the next."""
    near = (-1, 0, 1)
    steps = [(j, i) for j in near for i in near if abs(j) + abs(i) < connectivity]
    return np.array(steps, np.int64)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _mark(plane: Any, beside: Any, steps: Any) -> bool:
    """Mark what may be filled in a plane and touches what is filled in the one beside it."""
    high, wide = plane.shape
    found = np.uint8(0)
    for step in range(steps.shape[0]):
        down, right = steps[step, 0], steps[step, 1]
        for j in range(max(-down, 0), high - max(down, 0)):
            first, last = max(-right, 0), wide - max(right, 0)
            ours, theirs = plane[j, first:last], beside[j + down, first + right : last + right]
            # Without a branch: many voxels at once.
            for i in range(last - first):
                hit = np.uint8((ours[i] == 2) & (theirs[i] == 1))
                theirs[i] |= np.uint8(hit << 1)
                found |= hit
    touched: bool = found != 0
    return touched


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _fill_plane(plane: Any, stack: Any, beyond: int, extent: Any) -> int:  # noqa: C901
    """Fill a plane from its marks (A. R. Smith, SIGGRAPH 1979, 276); return how many voxels.

    Two runs of neighbouring rows put one of them on the stack at most once, and there are no
    more such pairs than voxels and two for each row.
    """
    high, wide = plane.shape
    filled = 0
    for row in range(high):
        for column in range(wide):
            if plane[row, column] != 3:
                continue
            stack[0, 0], stack[0, 1] = row, column
            depth = 1
            while depth > 0:
                depth -= 1
                j, i = stack[depth, 0], stack[depth, 1]
                if not plane[j, i] & 1:
                    continue
                first, last = i, i
                while first > 0 and plane[j, first - 1] & 1:
                    first -= 1
                while last < wide - 1 and plane[j, last + 1] & 1:
                    last += 1
                for x in range(first, last + 1):
                    plane[j, x] = 2
                filled += last - first + 1
                extent[1], extent[4] = min(extent[1], j), max(extent[4], j)
                extent[2], extent[5] = min(extent[2], first), max(extent[5], last)
                for beside in (j - 1, j + 1):
                    if beside < 0 or beside >= high:
                        continue
                    was_in = False
                    for x in range(max(first - beyond, 0), min(last + beyond, wide - 1) + 1):
                        is_in = (plane[beside, x] & 1) == 1
                        if is_in and not was_in:
                            stack[depth, 0], stack[depth, 1] = beside, x
                            depth += 1
                        was_in = is_in
    return filled
