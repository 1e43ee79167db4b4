"""Where names stand beside their points, so that none covers another: in pixels of a screen."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.geometry.axes import FloatArray

_GAP_PX: Final = 3.0
_RINGS: Final = 14
_AROUND: Final = 16


def laid_out(
    points_px: npt.ArrayLike,
    widths_px: npt.ArrayLike,
    height_px: float,
    mark_px: float = 8.0,
    screen_px: npt.ArrayLike | None = None,
) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Place names beside points, nearest first: right, left, then further and further around.

    Each name takes the first place where it covers neither another name nor a point. Where
    there is none near, it takes the one that covers least.

    Parameters
    ----------
    points_px : array_like, shape (n, 2)
        Row and column of each point.
    widths_px : array_like, shape (n,)
        How long each name is.
    height_px : float
        How high all names are.
    mark_px : float
        How large the mark at each point is.
    screen_px : array_like, shape (2, 2), optional
        First and last row and column of the screen: names stay on it where they can.

    Returns
    -------
    centres : ndarray, shape (n, 2)
        Row and column of the middle of each name.
    apart : ndarray of bool, shape (n,)
        Whether a name is so far from its point that a line should lead to it.
    """
    points = np.asarray(points_px, dtype=np.float64).reshape(-1, 2)
    widths = np.asarray(widths_px, dtype=np.float64)
    centres, apart = points.copy(), np.zeros(len(points), dtype=bool)
    sizes = np.stack([np.full(len(points), height_px), widths], axis=1)
    marks = np.full((len(points), 2), mark_px)
    done: list[int] = []
    # From the top: what is placed stays, and those below find their places around it.
    for n in np.lexsort((points[:, 1], points[:, 0])):
        tries, near = _places(points[n], sizes[n], mark_px / 2 + _GAP_PX)
        cost = _covered(tries, sizes[n], points, marks)
        cost += 4.0 * _covered(tries, sizes[n], centres[done], sizes[done])
        # Not to be covered goes before being on the screen, and that before being near.
        cost = 1e3 * cost
        if screen_px is not None:
            cost += _outside(tries, sizes[n], points[n], np.asarray(screen_px, np.float64))
        best = int(np.argmin(cost))
        centres[n], apart[n] = tries[best], not near[best]
        done.append(int(n))
    return centres, apart


def _places(
    point: FloatArray, size: FloatArray, gap: float
) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Return places to try, the best first, shape (m, 2), and which need no line."""
    beside = size[1] / 2 + gap
    above = size[0] / 2 + gap
    near = [(0, beside), (0, -beside), (-above, 0), (above, 0)]
    near += [(v * size[0] * 0.8, h * beside) for v in (-1, 1) for h in (1, -1)]
    out = np.repeat(np.arange(1, _RINGS + 1) * size[0], _AROUND)
    turn = np.tile(np.arange(_AROUND) * (2 * np.pi / _AROUND), _RINGS)
    # What is wide goes further to the sides than up and down.
    far = np.stack([-np.sin(turn) * (above + out), np.cos(turn) * (beside + out)], axis=1)
    is_near = np.zeros(len(near) + len(far), dtype=bool)
    is_near[: len(near)] = True
    return point + np.concatenate([near, far]), is_near


def _covered(
    tries: FloatArray, size: FloatArray, centres: FloatArray, sizes: FloatArray
) -> FloatArray:
    """Return how many square pixels each try covers of some rectangles, shape (m,)."""
    if not len(centres):
        return np.zeros(len(tries))
    apart = np.abs(tries[:, None] - centres[None])
    both = np.clip((size + sizes)[None] / 2 - apart, 0.0, None)
    return np.asarray(both.prod(axis=2).sum(axis=1))


def _outside(
    tries: FloatArray, size: FloatArray, point: FloatArray, screen: FloatArray
) -> FloatArray:
    """Return how many pixels of each try lie beside a screen; none where the point does."""
    if np.any(point < screen[0]) or np.any(point > screen[1]):
        return np.zeros(len(tries))
    over = np.maximum(screen[0] - (tries - size / 2), tries + size / 2 - screen[1])
    return np.asarray(np.clip(over, 0.0, None).sum(axis=1))


def line_ends(
    points_px: FloatArray, centres_px: FloatArray, widths_px: FloatArray, height_px: float
) -> FloatArray:
    """Return where a line from each point meets its name's edge, shape (n, 2)."""
    way = points_px - centres_px
    half = np.stack([np.full(len(way), height_px / 2), np.asarray(widths_px) / 2], axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.min(np.where(way == 0, np.inf, half / np.abs(way)), axis=1)
    return np.asarray(centres_px + way * np.minimum(part, 1.0)[:, None])
