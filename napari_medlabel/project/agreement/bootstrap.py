"""Intervals by resampling subjects, seeded: how far a figure may be off with so few cases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import InputError

Method = Literal["bca", "percentile"]
Index = npt.NDArray[np.intp]
FloatArray = npt.NDArray[np.float64]
Statistic = Callable[[Index], float | None]
"""Takes the numbers of the subjects that were drawn; None where it is undefined for them."""
DRAWS: Final = 2000
_NOTHING: Final = 1e-24


@dataclass(frozen=True)
class Interval:
    """Where a figure lies with some confidence.

    Parameters
    ----------
    low, high : float
        Its ends.
    confidence : float
        0.95 is usual.
    method : str
        ``bca`` (bias-corrected and accelerated) or ``percentile``: what was used, which is
        ``percentile`` where the correction is undefined.
    draws : int
        How many resamples gave a figure.
    undefined : int
        How many gave none, and do not count.
    seed : int
        Of the draws.
    """

    low: float
    high: float
    confidence: float
    method: Method
    draws: int
    undefined: int
    seed: int

    def words(self) -> str:
        """Say how it was made."""
        name = {"bca": "BCa", "percentile": "percentile"}[self.method]
        lost = f", {self.undefined} undefined" if self.undefined else ""
        return (
            f"{self.confidence * 100:g} % {name} bootstrap interval over cases, {self.draws} "
            f"draws{lost}, seed {self.seed}"
        )


def bootstrap(
    subjects: int,
    statistic: Statistic,
    *,
    seed: int,
    draws: int = DRAWS,
    confidence: float = 0.95,
    method: Method = "bca",
) -> Interval | None:
    """Return the interval of a statistic over subjects.

    Parameters
    ----------
    subjects : int
        How many there are; they are what is drawn, with replacement. Where a subject has
        several figures, as of several pairs of raters, they stay together.
    statistic : callable
        Of the drawn subjects, numbers from 0.
    seed : int
        The same seed gives the same interval.
    draws : int
        How often.
    confidence : float
        Above 0, below 1.
    method : str
        ``bca`` or ``percentile``.

    Returns
    -------
    Interval or None
        None with less than two subjects, or where the statistic is undefined.

    Raises
    ------
    InputError
        When the confidence or the number of draws is none.

    Notes
    -----
    Efron, J Am Stat Assoc 82 (1987) 171-185.
    """
    _require(confidence, draws)
    whole = statistic(np.arange(subjects)) if subjects > 1 else None
    if whole is None:
        return None
    rng = np.random.default_rng(seed)
    drawn = (statistic(rng.integers(0, subjects, subjects)) for _ in range(draws))
    found = np.array([one for one in drawn if one is not None])
    everybody = np.arange(subjects)
    left: list[float | None] = []
    if method == "bca":
        left = [statistic(np.delete(everybody, one)) for one in range(subjects)]
    known = np.array([one for one in left if one is not None])
    if known.size != subjects:
        method = "percentile"
    return _interval(found, whole, known, (draws, confidence, seed), method)


def mean_interval(
    values: Sequence[float],
    *,
    seed: int,
    draws: int = DRAWS,
    confidence: float = 0.95,
    method: Method = "bca",
) -> Interval | None:
    """Return the interval of a mean over subjects; see `bootstrap`."""
    _require(confidence, draws)
    array = np.asarray(values, dtype=np.float64)
    if array.size < 2:
        return None
    index = np.random.default_rng(seed).integers(0, array.size, (draws, array.size))
    left = (array.sum() - array) / (array.size - 1)
    found = array[index].mean(axis=1)
    return _interval(found, float(array.mean()), left, (draws, confidence, seed), method)


def _require(confidence: float, draws: int) -> None:
    if not 0 < confidence < 1 or draws < 1:
        raise InputError(
            "An interval has a confidence between 0 and 1, and one draw or more.",
            hint="0.95 and 2000 are usual.",
        )


def _interval(
    found: FloatArray,
    whole: float,
    left: FloatArray,
    drawn: tuple[int, float, int],
    method: Method,
) -> Interval | None:
    """Return the interval of figures; ``left`` are those without each subject in turn."""
    draws, confidence, seed = drawn
    if not found.size:
        return None
    tail = (1.0 - confidence) / 2.0
    shares = (tail, 1.0 - tail)
    corrected = _corrected(found, whole, left, shares) if method == "bca" else None
    used: Method = "percentile" if corrected is None else "bca"
    low, high = (float(one) for one in np.quantile(found, corrected or shares))
    lost = draws - int(found.size)
    return Interval(low, high, confidence, used, int(found.size), lost, seed)


def _corrected(
    found: FloatArray, whole: float, left: FloatArray, shares: tuple[float, float]
) -> tuple[float, float] | None:
    """Return the quantiles that correct for bias and skewness; None where undefined."""
    normal = NormalDist()
    below = (np.count_nonzero(found < whole) + np.count_nonzero(found <= whole)) / 2
    share = float(below) / found.size
    away = left.mean() - left
    square = float((away**2).sum())
    if not 0.0 < share < 1.0 or square <= _NOTHING:
        return None
    bias = normal.inv_cdf(share)
    skew = float((away**3).sum()) / (6.0 * square**1.5)
    ends = []
    for tail in shares:
        z = bias + normal.inv_cdf(tail)
        ends.append(normal.cdf(bias + z / (1.0 - skew * z)))
    return ends[0], ends[1]
