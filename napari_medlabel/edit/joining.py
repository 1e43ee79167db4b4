"""Join runs that touch into parts, compiled; imported only where numba is."""

from __future__ import annotations

from typing import Any, Final

import numba
import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[Any]


def root_of(parent: IntArray, run: int) -> int:
    """Return the first of the runs that one is joined with, and shorten the way to it."""
    while parent[run] != run:
        parent[run] = parent[parent[run]]
        run = parent[run]
    return run


root: Final[Any] = numba.njit(cache=True, nogil=True)(root_of)
"""`root_of`, compiled."""


def join_runs(start: IntArray, stop: IntArray, value: IntArray, offsets: IntArray) -> IntArray:
    """Return for each run the number of its part; parts are numbered by their first run.

    Parameters
    ----------
    start, stop : ndarray of int, shape (m,)
        Runs in memory order; they do not overlap.
    value : ndarray of int, shape (m,)
        Only runs of one value are joined.
    offsets : ndarray of int, shape (n, 2)
        How far on in memory rows lie that touch, and by how much runs are widened.

    Returns
    -------
    ndarray of int32, shape (m,)

    Notes
    -----
    Union and find with path halving; the smaller number is the root (Wu, Otoo and Suzuki,
    Pattern Analysis and Applications 12 (2009) 117-135).
    """
    n = start.size
    parent = np.empty(n, np.int32)
    for run in range(n):
        parent[run] = run
    for step in range(offsets.shape[0]):
        offset, wide = offsets[step, 0], offsets[step, 1]
        first = 0
        for run in range(n):
            low = start[run] + offset - wide
            high = stop[run] + offset + wide
            while first < n and stop[first] <= low:
                first += 1
            other = first
            while other < n and start[other] < high:
                if value[other] == value[run]:
                    a, b = root(parent, run), root(parent, other)
                    parent[max(a, b)] = min(a, b)
                other += 1
    count = 0
    for run in range(n):
        # A root comes before all of its own, so it has its number already.
        if parent[run] == run:
            parent[run] = count
            count += 1
        else:
            parent[run] = parent[parent[run]]
    return parent


join: Final[Any] = numba.njit(cache=True, nogil=True)(join_runs)
"""`join_runs`, compiled."""
