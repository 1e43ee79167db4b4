"""Filling a mask run by run, compiled: only imported where numba is installed."""

from __future__ import annotations

from typing import Any, Final

import numba
import numpy as np
import numpy.typing as npt

from napari_medlabel.edit.scene import Tick

FILLED: Final = 2
_DONE: Final = 0
_FULL: Final = 2
# Positions in the state.
_DEPTH: Final = 0
_COUNT: Final = 1
_EXTENT: Final = 2


def fill(
    mask: npt.NDArray[np.uint8],
    seed: tuple[int, ...],
    connectivity: int,
    tick: Tick,
    budget: int,
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
    budget : int
        Runs filled between two ticks.

    Returns
    -------
    ndarray of int64, shape (6,)
        First and last filled index along k, j, i.
    """
    rows = _rows(connectivity)
    stack = np.empty((4096, 3), np.int32)
    stack[0] = seed
    state = np.array([1, 0, *seed, *seed], np.int64)
    while True:
        status = _fill(mask, stack, rows, state, budget)
        if status == _DONE:
            return state[_EXTENT:].copy()
        if status == _FULL:
            stack = np.concatenate([stack, np.empty_like(stack)])
        tick(int(state[_COUNT]), mask.size)


def _rows(connectivity: int) -> npt.NDArray[np.int64]:
    """Return the neighbouring rows: offsets along k and j, and how far they touch beyond."""
    rows = []
    for k in (-1, 0, 1):
        for j in (-1, 0, 1):
            apart = abs(k) + abs(j)
            if 0 < apart <= connectivity:
                rows.append((k, j, 1 if apart < connectivity else 0))
    return np.array(rows, np.int64)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _fill(mask: Any, stack: Any, rows: Any, state: Any, budget: int) -> int:  # noqa: C901 - one loop, compiled
    deep, high, wide = mask.shape
    depth, count = state[0], state[1]
    done = 0
    status = 0
    while depth > 0:
        if done >= budget:
            status = 1
            break
        depth -= 1
        k, j, i = stack[depth, 0], stack[depth, 1], stack[depth, 2]
        if mask[k, j, i] != 1:
            continue
        first = i
        while first > 0 and mask[k, j, first - 1] == 1:
            first -= 1
        last = i
        while last < wide - 1 and mask[k, j, last + 1] == 1:
            last += 1
        # A run adds at most one entry for every second voxel of each neighbouring row.
        if depth + rows.shape[0] * ((last - first) // 2 + 2) >= stack.shape[0]:
            depth += 1
            status = 2
            break
        mask[k, j, first : last + 1] = 2
        done += 1
        count += last - first + 1
        state[2], state[5] = min(state[2], k), max(state[5], k)
        state[3], state[6] = min(state[3], j), max(state[6], j)
        state[4], state[7] = min(state[4], first), max(state[7], last)
        for row in range(rows.shape[0]):
            k2, j2 = k + rows[row, 0], j + rows[row, 1]
            if k2 < 0 or k2 >= deep or j2 < 0 or j2 >= high:
                continue
            was_in = False
            for i2 in range(
                max(first - rows[row, 2], 0), min(last + rows[row, 2], wide - 1) + 1
            ):
                is_in = mask[k2, j2, i2] == 1
                if is_in and not was_in:
                    stack[depth, 0], stack[depth, 1], stack[depth, 2] = k2, j2, i2
                    depth += 1
                was_in = is_in
    state[0], state[1] = depth, count
    return status
