"""The intensities of each label: a joint histogram that follows the painting box by box."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import GeometryError, InputError

Counts = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

PERCENTS: Final = (5.0, 25.0, 75.0, 95.0)
_MOST_BINS: Final = 1 << 16
_AT_ONCE: Final = 1 << 22


@dataclass(frozen=True)
class Intensity:
    """What values a region has, in the unit of the scan.

    Parameters
    ----------
    mean, sd : float
        Mean, and standard deviation of a sample (n - 1); that of one voxel is 0.
    median, low, high : float
        Median, smallest and largest value.
    percentiles : tuple of (float, float)
        Percent and value, for `PERCENTS`; between two values they are interpolated, as the
        median is (Hyndman and Fan 1996, type 7).
    """

    mean: float
    sd: float
    median: float
    low: float
    high: float
    percentiles: tuple[tuple[float, float], ...]


class JointHistogram:
    """How often each whole-number value occurs in each label.

    Parameters
    ----------
    low, high : int
        Smallest and largest value of the image; both ends count.

    Raises
    ------
    InputError
        When there are more than 65536 values.
    """

    def __init__(self, low: int, high: int) -> None:
        if not 0 <= high - low < _MOST_BINS:
            raise InputError(
                f"A histogram counts at most {_MOST_BINS} values; got {low} to {high}.",
                hint="Measure such an image with intensities().",
            )
        self._low, self._bins = low, high - low + 1
        self._counts: dict[int, Counts] = {}

    @classmethod
    def of(cls, labels: npt.NDArray[Any], image: npt.NDArray[Any]) -> JointHistogram:
        """Count a whole mask.

        Parameters
        ----------
        labels, image : ndarray, one shape (i, j, k)
            Labels, and whole numbers.

        Raises
        ------
        InputError
            When the image does not hold whole numbers, or too many different ones.
        GeometryError
            When the shapes differ.
        """
        made = cls(*_ends(image))
        made._add(labels, image, 1)
        return made

    def update(
        self, before: npt.NDArray[Any], after: npt.NDArray[Any], image: npt.NDArray[Any]
    ) -> None:
        """Follow an edit.

        Parameters
        ----------
        before, after : ndarray, shape of the box
            Labels of the box before and after it.
        image : ndarray, shape of the box
            Its intensities.
        """
        changed = before.T != after.T
        if changed.any():
            values = image.T[changed]
            self._add(before.T[changed], values, -1)
            self._add(after.T[changed], values, 1)

    @property
    def values(self) -> tuple[int, ...]:
        """Labels that occur, ascending, background left out."""
        return tuple(sorted(v for v, counts in self._counts.items() if counts.any()))

    def voxels(self, value: int) -> int:
        """Return how many voxels a label has."""
        return int(self._counts[value].sum()) if value in self._counts else 0

    def intensity(self, value: int) -> Intensity | None:
        """Return what values a label has; None when it has no voxel."""
        counts = self._counts.get(value)
        if counts is None or not counts.any():
            return None
        used = np.flatnonzero(counts)
        return _summary((used + self._low).astype(np.float64), counts[used])

    def _add(self, labels: npt.NDArray[Any], image: npt.NDArray[Any], sign: int) -> None:
        for some, values in _labelled(labels, image):
            offsets = values.astype(np.int64) - self._low
            for value in _present(some):
                found = np.bincount(offsets[some == value], minlength=self._bins)
                counts = self._counts.setdefault(value, np.zeros(self._bins, dtype=np.int64))
                counts += sign * found


def intensities(labels: npt.NDArray[Any], image: npt.NDArray[Any]) -> dict[int, Intensity]:
    """Return what values each label has, exactly, for an image of any numbers.

    Parameters
    ----------
    labels, image : ndarray, one shape (i, j, k)
        Labels and intensities; voxels whose intensity is not a number are left out.

    Raises
    ------
    GeometryError
        When the shapes differ.
    """
    if image.dtype.kind in "iub" and np.subtract(*_ends(image)[::-1]) < _MOST_BINS:
        counted = JointHistogram.of(labels, image)
        found = {value: counted.intensity(value) for value in counted.values}
        return {value: one for value, one in found.items() if one is not None}
    parts: dict[int, list[npt.NDArray[Any]]] = {}
    for some, values in _labelled(labels, image):
        for value in _present(some):
            parts.setdefault(value, []).append(values[some == value])
    out: dict[int, Intensity] = {}
    for value in sorted(parts):
        numbers = np.concatenate(parts.pop(value)).astype(np.float64)
        numbers = np.sort(numbers[np.isfinite(numbers)])
        if numbers.size:
            out[value] = _summary(numbers, np.ones(numbers.size, dtype=np.int64))
    return out


def _ends(image: npt.NDArray[Any]) -> tuple[int, int]:
    if image.dtype.kind not in "iub":
        raise InputError(
            f"A histogram counts whole numbers; the image holds {image.dtype}.",
            hint="Measure such an image with intensities().",
        )
    return int(image.min(initial=0)), int(image.max(initial=0))


def _labelled(
    labels: npt.NDArray[Any], image: npt.NDArray[Any]
) -> Iterator[tuple[npt.NDArray[Any], npt.NDArray[Any]]]:
    """Go through labelled voxels and their intensities, some slices at a time."""
    if labels.shape != image.shape:
        raise GeometryError(
            f"Labels and image have one shape; got {labels.shape} and {image.shape}.",
            hint="Measure a mask on the scan that it was made on.",
        )
    planes = labels.T if labels.ndim == 3 else labels[None]
    pixels = image.T if image.ndim == 3 else image[None]
    several = max(_AT_ONCE // max(planes[0].size, 1), 1) if len(planes) else 1
    for first in range(0, len(planes), several):
        part = planes[first : first + several]
        at = part != 0
        if at.any():
            yield part[at], pixels[first : first + several][at]


def _present(labels: npt.NDArray[Any]) -> list[int]:
    return np.flatnonzero(np.bincount(labels)).tolist()


def _summary(values: FloatArray, counts: Counts) -> Intensity:
    """Summarise ascending values that occur so many times each."""
    number = int(counts.sum())
    mean = float(values @ counts) / number
    spread = float(np.square(values - mean) @ counts)
    quantile = _quantiles(values, counts)
    return Intensity(
        mean,
        float(np.sqrt(spread / (number - 1))) if number > 1 else 0.0,
        quantile(50.0),
        float(values[0]),
        float(values[-1]),
        tuple((percent, quantile(percent)) for percent in PERCENTS),
    )


def _quantiles(values: FloatArray, counts: Counts) -> Callable[[float], float]:
    upto = np.cumsum(counts)

    def ranked(rank: int) -> float:
        return float(values[int(np.searchsorted(upto, rank, side="right"))])

    def quantile(percent: float) -> float:
        place = percent / 100.0 * (int(upto[-1]) - 1)
        below = int(np.floor(place))
        low = ranked(below)
        part = place - below
        return low if part <= 0 else low + part * (ranked(below + 1) - low)

    return quantile
