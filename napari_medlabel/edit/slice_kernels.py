"""Compiled loops over one slice; importing it needs numba, and callers do without it too."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def flood(mask: npt.NDArray[Any], u: int, v: int) -> npt.NDArray[Any]:
    """Return the part of a mask that a pixel belongs to, by edges; nothing when it is outside.

    Parameters
    ----------
    mask : ndarray of bool, shape (n_u, n_v), C-contiguous
        Where it may go.
    u, v : int
        The pixel.
    """
    n_u, n_v = mask.shape
    region = np.zeros((n_u, n_v), dtype=np.bool_)
    if not mask[u, v]:
        return region
    # One entry for each run of a row that has been seen: its pixels are filled at once.
    stack = np.empty(n_u * (n_v + 1) + 1, dtype=np.int32)
    stack[0] = u * n_v + v
    top = 1
    while top:
        top -= 1
        row, column = divmod(stack[top], n_v)
        if region[row, column]:
            continue
        first, last = column, column + 1
        while first > 0 and mask[row, first - 1]:
            first -= 1
        while last < n_v and mask[row, last]:
            last += 1
        region[row, first:last] = True
        for beside in (row - 1, row + 1):
            if beside < 0 or beside >= n_u:
                continue
            is_open = False
            for at in range(first, last):
                goes = mask[beside, at] and not region[beside, at]
                if goes and not is_open:
                    stack[top] = beside * n_v + at
                    top += 1
                is_open = goes
    return region


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def distances(
    costs: npt.NDArray[Any], u: int, v: int, step_u: float, step_v: float
) -> npt.NDArray[Any]:
    """Return the length of the cheapest path from a pixel to every other.

    A step to one of eight neighbours costs the mean of the two pixels times its length. A queue
    of buckets no wider than the least step, so a pixel's distance is final when its bucket is
    emptied (R. Dial, Commun. ACM 12 (1969) 632).

    Parameters
    ----------
    costs : ndarray of float64, shape (n_u, n_v), C-contiguous
        Above 0.
    u, v : int
        Where paths begin.
    step_u, step_v : float
        Distance of neighbouring pixels.
    """
    n_u, n_v = costs.shape
    far = np.full((n_u, n_v), np.inf)
    diagonal = np.sqrt(step_u * step_u + step_v * step_v)
    width = costs.min() * min(step_u, step_v)
    n_buckets = int(costs.max() * diagonal / width) + 3
    head = np.full(n_buckets, -1, dtype=np.int32)
    entry = np.empty(8 * n_u * n_v + 1, dtype=np.int32)
    following = np.empty(8 * n_u * n_v + 1, dtype=np.int32)
    done = np.zeros((n_u, n_v), dtype=np.bool_)
    far[u, v] = 0.0
    entry[0], following[0], head[0] = u * n_v + v, -1, 0
    used, waiting, level = 1, 1, 0
    while waiting:
        place = level % n_buckets
        while head[place] >= 0:
            taken = head[place]
            head[place] = following[taken]
            waiting -= 1
            a, b = divmod(entry[taken], n_v)
            if done[a, b]:
                continue
            done[a, b] = True
            for du in range(-1, 2):
                for dv in range(-1, 2):
                    c, d = a + du, b + dv
                    if not (0 <= c < n_u and 0 <= d < n_v) or done[c, d]:
                        continue
                    length = diagonal
                    if du == 0:
                        length = step_v
                    elif dv == 0:
                        length = step_u
                    reached = far[a, b] + length * 0.5 * (costs[a, b] + costs[c, d])
                    if reached < far[c, d]:
                        far[c, d] = reached
                        bucket = int(reached / width) % n_buckets
                        entry[used], following[used] = c * n_v + d, head[bucket]
                        head[bucket] = used
                        used += 1
                        waiting += 1
        level += 1
    return far


def warm() -> None:
    """Compile, or load what was compiled before: in a thread, before the mouse needs it."""
    flood(np.ones((2, 2), dtype=np.bool_), 0, 0)
    distances(np.ones((2, 2)), 0, 0, 1.0, 1.0)
