"""Compiled inner loops of filling between slices; imported only where numba is installed."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

_FAR = 1 << 20  # steps: no voxel of the other kind in this column
FloatPlane = npt.NDArray[np.float32]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator,unused-ignore]
def _steps_along_u(mask: Any) -> Any:
    """Count for each pixel the steps along u to the nearest pixel of the other kind."""
    rows, columns = mask.shape
    steps = np.full((rows, columns), _FAR, np.int32)
    for u in range(1, rows):
        for v in range(columns):
            if mask[u, v] != mask[u - 1, v]:
                steps[u, v] = 1
            elif steps[u - 1, v] < _FAR:
                steps[u, v] = steps[u - 1, v] + 1
    for u in range(rows - 2, -1, -1):
        for v in range(columns):
            if mask[u, v] != mask[u + 1, v]:
                steps[u, v] = 1
            elif steps[u + 1, v] + 1 < steps[u, v]:
                steps[u, v] = steps[u + 1, v] + 1
    return steps


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator,unused-ignore]
def _distance(mask: Any, steps: Any, u: int, v: int, mm_u: float, mm_v: float) -> float:
    """Return the distance in mm of one pixel to the nearest pixel of the other kind."""
    kind = mask[u, v]
    best = (steps[u, v] * mm_u) ** 2
    columns = mask.shape[1]
    for away in range(1, columns):
        across = (away * mm_v) ** 2
        if across >= best:
            break
        for other in (v - away, v + away):
            if 0 <= other < columns:
                along = 0.0 if mask[u, other] != kind else (steps[u, other] * mm_u) ** 2
                best = min(best, across + along)
    return float(np.sqrt(best))


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator,unused-ignore]
def blend(first: Any, last: Any, mm_u: float, mm_v: float) -> tuple[Any, Any]:
    """Do what `napari_medlabel.edit.morph.blend` does, on C-contiguous arrays of bool."""
    rows, columns = first.shape
    at_first = np.full((rows, columns), -1.0, np.float32)
    at_last = np.full((rows, columns), -1.0, np.float32)
    steps_first, steps_last = _steps_along_u(first), _steps_along_u(last)
    half = 0.5 * min(mm_u, mm_v)
    for u in range(rows):
        for v in range(columns):
            if first[u, v] and last[u, v]:
                at_first[u, v] = at_last[u, v] = 1.0
            elif first[u, v] or last[u, v]:
                one = _distance(first, steps_first, u, v, mm_u, mm_v) - half
                two = _distance(last, steps_last, u, v, mm_u, mm_v) - half
                sign = 1.0 if first[u, v] else -1.0
                at_first[u, v] = sign * one / (one + two)
                at_last[u, v] = -sign * two / (one + two)
    return at_first, at_last


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator,unused-ignore]
def depth(mask: Any, mm_u: float, mm_v: float) -> Any:
    """Return for each pixel inside its distance in mm to the outside, 0 outside."""
    rows, columns = mask.shape
    out = np.zeros((rows, columns), np.float64)
    steps = _steps_along_u(mask)
    for u in range(rows):
        for v in range(columns):
            if mask[u, v]:
                out[u, v] = _distance(mask, steps, u, v, mm_u, mm_v)
    return out


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator,unused-ignore]
def render(
    at_first: Any, at_last: Any, fraction: Any, value: int, claim: Any, score: Any, slack: float
) -> None:
    """Do what `napari_medlabel.edit.morph.render` does, on one window of a slice."""
    rows, columns = at_first.shape
    rest = np.float32(1.0) - fraction
    for u in range(rows):
        for v in range(columns):
            margin = rest * at_first[u, v] + fraction * at_last[u, v]
            if score[u, v] <= -slack and margin > score[u, v] + slack:
                score[u, v] = margin
                claim[u, v] = value


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator,unused-ignore]
def fill(plane: Any, claim: Any, score: Any, between: Any, slack: float) -> int:
    """Do what `napari_medlabel.edit.morph.fill` does."""
    rows, columns = plane.shape
    filled = 0
    for u in range(rows):
        for v in range(columns):
            holds = between[u, v] or score[u, v] > -slack
            if holds and plane[u, v] == 0 and claim[u, v] != 0:
                plane[u, v] = claim[u, v]
                filled += 1
    return filled
