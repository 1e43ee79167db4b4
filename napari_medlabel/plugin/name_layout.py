"""Where names stand beside their points, so that none covers another: in pixels of a screen."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.geometry.axes import FloatArray

_GAP_PX: Final = 3.0
_BETWEEN_PX: Final = (2.0, 8.0)
"""Free between two names, one above and one beside the other: no two read as one word."""
_EM_PX: Final = 19.6
"""Of the font of names on the screen (size 11)."""
_LINE_PX: Final = 25.0
_HEIGHT_PX: Final = 20.0
_NARROW: Final = frozenset("fijlrtIJ.,:;'!|()[] -/")
_WIDE: Final = frozenset("mwMW%@±")
_RINGS: Final = 14
_AROUND: Final = 16


def text_size_px(words: str) -> tuple[float, float]:
    """Return about how high and wide a name is on the screen, rather too wide than not.

    Parameters
    ----------
    words : str
        One line or several.
    """
    lines = words.split("\n")
    wide = max(sum(_letter(letter) for letter in line) for line in lines)
    return _HEIGHT_PX + _LINE_PX * (len(lines) - 1), _EM_PX * wide


def _letter(letter: str) -> float:
    """Return how wide a letter is, in parts of the font's height."""
    if letter in _NARROW:
        return 0.41
    if letter in _WIDE:
        return 0.98
    return 0.74 if letter.isupper() else 0.64


def laid_out(
    points_px: npt.ArrayLike,
    widths_px: npt.ArrayLike,
    height_px: npt.ArrayLike,
    mark_px: npt.ArrayLike = 8.0,
    screen_px: npt.ArrayLike | None = None,
    around_px: npt.ArrayLike = (),
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
    height_px : float or array_like, shape (n,)
        How high all names are, or each.
    mark_px : float or array_like, shape (n,)
        How large the mark at each point is.
    screen_px : array_like, shape (2, 2), optional
        First and last row and column of the screen: names stay on it where they can.
    around_px : array_like, shape (m, 2), optional
        Row and column of further places that names leave free where they can.

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
    sizes = np.stack([np.broadcast_to(np.asarray(height_px), widths.shape), widths], axis=1)
    mark = np.broadcast_to(np.asarray(mark_px, dtype=np.float64), widths.shape)
    around = np.asarray(around_px, dtype=np.float64).reshape(-1, 2)
    free = np.concatenate([points, around])
    marks = np.concatenate([np.repeat(mark[:, None], 2, axis=1), np.full(around.shape, 2.0)])
    done: list[int] = []
    # From the top: what is placed stays, and those below find their places around it.
    for n in np.lexsort((points[:, 1], points[:, 0])):
        tries, near = _places(points[n], sizes[n], float(mark[n]) / 2 + _GAP_PX)
        cost = _covered(tries, sizes[n], free, marks)
        cost += 4.0 * _covered(
            tries, sizes[n] + 2 * np.array(_BETWEEN_PX), centres[done], sizes[done]
        )
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
    # What is high stays as near as what is one line high.
    corner = min(size[0] * 0.8, size[0] / 2 + 2 * _GAP_PX)
    near += [(v * corner, h * beside) for v in (-1, 1) for h in (1, -1)]
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
    half = (size + sizes) / 2
    both = np.ones((len(tries), len(centres)))
    for way in (0, 1):
        apart = np.abs(tries[:, way, None] - centres[:, way])
        both *= np.maximum(half[:, way] - apart, 0.0)
    return np.asarray(both.sum(axis=1))


def _outside(
    tries: FloatArray, size: FloatArray, point: FloatArray, screen: FloatArray
) -> FloatArray:
    """Return how many pixels of each try lie beside a screen; none where the point does."""
    if np.any(point < screen[0]) or np.any(point > screen[1]):
        return np.zeros(len(tries))
    over = np.maximum(screen[0] - (tries - size / 2), tries + size / 2 - screen[1])
    return np.asarray(np.clip(over, 0.0, None).sum(axis=1))


def line_ends(
    points_px: FloatArray,
    centres_px: FloatArray,
    widths_px: FloatArray,
    height_px: npt.ArrayLike,
) -> FloatArray:
    """Return where a line from each point meets its name's edge, shape (n, 2)."""
    way = points_px - centres_px
    widths = np.asarray(widths_px, dtype=np.float64)
    half = np.stack([np.broadcast_to(np.asarray(height_px), widths.shape), widths], axis=1) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.min(np.where(way == 0, np.inf, half / np.abs(way)), axis=1)
    return np.asarray(centres_px + way * np.minimum(part, 1.0)[:, None])
