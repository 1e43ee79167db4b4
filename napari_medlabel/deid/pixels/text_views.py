"""What the text detector is shown: grey values through several windows, clips in projections.

Text is often written with the highest value that the bits can say, far above the picture's
own values, or within a window that the header names. Each window is a picture of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Picture = npt.NDArray[np.uint8]
BLOCK = 8
"""Frames of a clip that are projected together."""

_ALMOST_ALL = (0.02, 99.98)
_MOST = (1.0, 99.5)
_NARROWER = 0.6
_ALIKE = 0.7


@dataclass(frozen=True)
class Tone:
    """How stored grey values are shown.

    Parameters
    ----------
    inverted : bool
        Whether high values are dark.
    window : tuple of float, optional
        Stored values that the header's window shows as black and white.
    """

    inverted: bool = False
    window: tuple[float, float] | None = None


@dataclass(frozen=True)
class View:
    """Pictures of one or several frames.

    Parameters
    ----------
    frames : range
        Where text in it lies.
    values : ndarray, shape (rows, columns) or (rows, columns, 3)
        Stored grey values, or red, green and blue bytes.
    closely : bool
        Whether it is worth a search for small text.
    """

    frames: range
    values: Array
    closely: bool


def pictures(values: Array, tone: Tone) -> tuple[Picture, ...]:
    """Return pictures of 8 bits in which text of any grey value can be seen.

    Parameters
    ----------
    values : ndarray, shape (rows, columns) or (rows, columns, 3)
        Stored grey values of any type, or red, green and blue bytes.
    tone : Tone
        How grey values are shown.

    Returns
    -------
    tuple of ndarray of uint8
        None for a picture of one value; one of colours; up to three of grey values: all of
        the range, most of it, and the header's window, where they differ.
    """
    if values.ndim == 3:
        return (values,) if values.size and np.ptp(values) else ()
    numbers = values.astype(np.float32)
    finite = numbers[np.isfinite(numbers)]
    if not finite.size or np.ptp(finite) == 0:
        return ()
    windows = _windows(finite, tone)
    return tuple(_shown(numbers, low, high, inverted=tone.inverted) for low, high in windows)


def _windows(finite: Array, tone: Tone) -> list[tuple[float, float]]:
    lowest, highest = float(finite.min()), float(finite.max())
    low, high = (float(v) for v in np.percentile(finite, _ALMOST_ALL))
    if not high > low or (high - low) > _NARROWER * (highest - lowest):
        low, high = lowest, highest
    windows = [(low, high)]
    # Text at the ends of the range is seen by now; what lies between them may be narrow.
    between = finite[(finite > lowest) & (finite < highest)]
    low, high = (float(v) for v in np.percentile(between, _MOST)) if between.size else (0, 0)
    wanted = [(low, high), *([tone.window] if tone.window else [])]
    for low, high in wanted:
        narrow = 0 < high - low < _NARROWER * (windows[0][1] - windows[0][0])
        if narrow and all(_overlap((low, high), other) < _ALIKE for other in windows):
            windows.append((low, high))
    return windows


def _overlap(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Return how much of both windows together is in both."""
    shared = min(one[1], other[1]) - max(one[0], other[0])
    return max(0.0, shared) / (max(one[1], other[1]) - min(one[0], other[0]))


def _shown(numbers: Array, low: float, high: float, *, inverted: bool) -> Picture:
    scaled = np.clip((np.nan_to_num(numbers, nan=low) - low) * (255.0 / (high - low)), 0, 255)
    shown: Picture = np.rint(255 - scaled if inverted else scaled).astype(np.uint8)
    return shown


def views(frame: Callable[[int], Array], count: int) -> Iterator[View]:
    """Return what is searched of an image or a clip.

    Up to four frames are searched one by one. A longer clip is searched in the highest and
    the lowest values of each eight frames, in the first, middle and last frame, and in the
    highest, lowest and mean values of all frames, where text that stays stands out from what
    moves.

    Parameters
    ----------
    frame : callable
        Returns a frame by its number: stored grey values, or red, green and blue.
    count : int
        Frames.
    """
    if count <= BLOCK // 2:
        for number in range(count):
            yield View(range(number, number + 1), frame(number), closely=True)
        return
    singles = {0, count // 2, count - 1}
    total: Array = np.zeros(0)
    highest = lowest = total
    for start in range(0, count, BLOCK):
        block = range(start, min(start + BLOCK, count))
        parts = [frame(number) for number in block]
        for number, values in zip(block, parts, strict=True):
            if number in singles:
                yield View(range(number, number + 1), values, closely=True)
        stack = np.stack(parts)
        high, low = stack.max(axis=0), stack.min(axis=0)
        yield View(block, high, closely=False)
        yield View(block, low, closely=False)
        sums = stack.sum(axis=0, dtype=np.float64)
        if start == 0:
            highest, lowest, total = high, low, sums
        else:
            highest, lowest = np.maximum(highest, high), np.minimum(lowest, low)
            total += sums
    mean = total / count
    if highest.dtype.kind in "iu":
        mean = np.rint(mean)
    for values in (highest, lowest, mean.astype(highest.dtype)):
        yield View(range(count), values, closely=True)
