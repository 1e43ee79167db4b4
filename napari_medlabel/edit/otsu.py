"""Otsu's method: the thresholds that part a histogram with the least variance."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.edit.finite import only_numbers
from napari_medlabel.errors import InputError

_BINS: Final = 4096  # of a histogram of fractions
_ROW: Final = 1 << 22  # voxels counted at a time: the counting takes eight bytes for each


def otsu(image_crop: npt.NDArray[Any], classes: int = 2) -> tuple[float, ...]:
    """Return the thresholds that part intensities into classes of the least variance.

    Every whole intensity has a bin of its own, fractions have 4096; the best of all partings is
    found, in time proportional to the bins: the best place of a border moves one way only when
    the end of its class does.

    Parameters
    ----------
    image_crop : ndarray, any shape
        Intensities; what is no number is left out.
    classes : int
        How many classes, 2 to 8.

    Returns
    -------
    tuple of float
        ``classes - 1`` rising thresholds, each halfway between the two values it parts, so no
        whole intensity lies on one.

    Raises
    ------
    InputError
        When the number of classes is out of range, or the crop has fewer values than classes.

    References
    ----------
    N. Otsu, A threshold selection method from gray-level histograms, IEEE SMC 9 (1979) 62-66;
    P. Liao et al., A fast algorithm for multilevel thresholding, J. Inf. Sci. Eng. 17 (2001).
    """
    if not 2 <= classes <= 8:
        raise InputError(
            f"Intensities are parted into 2 to 8 classes; got {classes}.",
            hint="Two are object and background.",
        )
    values, counts = _histogram(image_crop)
    if len(values) < classes:
        raise InputError(
            f"{classes} classes need as many intensities; there are {len(values)} here.",
            hint="Choose a larger region, or fewer classes.",
        )
    weight = np.concatenate(([0.0], np.cumsum(counts)))
    moment = np.concatenate(([0.0], np.cumsum(counts * (values - values.mean()))))
    # gain[n]: the sum of moment^2 / weight over the classes that cover the first n bins; its
    # maximum is the minimum of the variance within them.
    gain = np.concatenate(([-np.inf], moment[1:] ** 2 / weight[1:]))
    chosen = []
    for _ in range(classes - 1):
        gain, borders = _one_class_more(gain, weight, moment)
        chosen.append(borders)
    last = len(values)
    found = []
    for borders in reversed(chosen):
        last = int(borders[last])
        found.append(float(values[last - 1] + values[last]) / 2)
    return tuple(reversed(found))


def _histogram(
    image: npt.NDArray[Any],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the values that occur, rising, and how often each does."""
    flat = image.T.reshape(-1)  # without a copy where the array is in memory order
    if flat.dtype == bool:
        flat = flat.view(np.uint8)
    elif flat.size and not np.issubdtype(flat.dtype, np.integer):
        flat = only_numbers(flat).astype(
            np.float64 if flat.itemsize > 4 else np.float32, copy=False
        )
    if not flat.size:
        return np.empty(0), np.empty(0)
    low, high = flat.min(), flat.max()
    whole = np.issubdtype(flat.dtype, np.integer) and int(high) - int(low) < 1 << 16
    bins = int(high) - int(low) + 1 if whole else _BINS
    width = 1.0 if whole else (float(high) - float(low)) / (_BINS - 1) or 1.0
    counts = np.zeros(bins, dtype=np.int64)
    for start in range(0, flat.size, _ROW):
        part = flat[start : start + _ROW]
        place = part.astype(np.int64) - int(low) if whole else (part - float(low)) / width + 0.5
        counts += np.bincount(place.astype(np.int64), minlength=bins)
    present = np.flatnonzero(counts)
    values = (float(low) + present * width).astype(np.float64)
    return values, counts[present].astype(np.float64)


def _one_class_more(
    gain: npt.NDArray[np.float64],
    weight: npt.NDArray[np.float64],
    moment: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intp]]:
    """Return the best gain of the first n bins with one class more, and where that begins.

    The best beginnings rise with n: ends are halved level by level, and each is looked for
    between the beginnings of its two neighbours of the levels before.
    """
    n = len(gain) - 1
    best = np.full(n + 1, -np.inf)
    begins = np.zeros(n + 1, dtype=np.intp)
    lowest, highest = np.array([1]), np.array([n - 1])  # beginnings
    first, last = np.array([2]), np.array([n])  # ends, both inside
    while first.size:
        end = (first + last) // 2
        top = np.minimum(highest, end - 1)
        width = np.maximum(top - lowest + 1, 1)
        offset = np.cumsum(width) - width
        which = np.repeat(np.arange(end.size), width)
        begin = np.arange(int(width.sum())) - offset[which] + lowest[which]
        begin = np.minimum(begin, end[which] - 1)
        span = end[which]
        found = gain[begin] + (moment[span] - moment[begin]) ** 2 / (
            weight[span] - weight[begin]
        )
        best[end] = np.maximum.reduceat(found, offset)
        hits = np.flatnonzero(found == best[end][which])
        _, earliest = np.unique(which[hits], return_index=True)
        begins[end] = begin[hits[earliest]]
        halves = (
            np.concatenate((first, end + 1)),
            np.concatenate((end - 1, last)),
            np.concatenate((lowest, begins[end])),
            np.concatenate((begins[end], highest)),
        )
        left = halves[0] <= halves[1]
        first, last, lowest, highest = (half[left] for half in halves)
    return best, begins
