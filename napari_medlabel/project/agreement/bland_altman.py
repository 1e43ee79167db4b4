"""Bland-Altman: whether one reader measures more than another, and how far cases part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from napari_medlabel.errors import InputError

Ends = tuple[float, float]
_LIMIT: Final = 1.96


@dataclass(frozen=True)
class BlandAltman:
    """Differences of two series of measurements of the same subjects, second less first.

    Parameters
    ----------
    means, differences : tuple of float
        One for each subject, in the unit of what was measured.
    bias : float
        Mean difference.
    sd : float
        Sample standard deviation of the differences.
    limits : tuple of float
        Limits of agreement, bias plus and minus 1.96 standard deviations: between them lie
        95 percent of differences, where they are normal.
    bias_ends, low_ends, high_ends : tuple of float
        95 percent intervals of the bias, the lower and the upper limit.
    slope : float or None
        Change of the difference with the size of what is measured; None where all are of one
        size. Far from 0 the limits do not hold for all sizes.
    left_out : int
        Subjects that one of the two did not measure.
    """

    means: tuple[float, ...]
    differences: tuple[float, ...]
    bias: float
    sd: float
    limits: Ends
    bias_ends: Ends
    low_ends: Ends
    high_ends: Ends
    slope: float | None
    left_out: int

    @property
    def rule(self) -> str:
        """How it was made, as a sentence."""
        return (
            "Limits of agreement are bias plus and minus 1.96 standard deviations; intervals "
            "of 95 % by Student's t, those of the limits with the standard error "
            "sqrt(3 / n) sd (Bland and Altman 1986). Left out, as one of the two did not "
            f"measure them: {self.left_out}."
        )


def bland_altman(
    first: Sequence[float | None], second: Sequence[float | None]
) -> BlandAltman | None:
    """Compare two series of measurements.

    Parameters
    ----------
    first, second : sequence of float or None
        The same subjects in the same order; None where there is no measurement.

    Returns
    -------
    BlandAltman or None
        None with less than two subjects that both measured.

    Raises
    ------
    InputError
        When they are not of one length.

    Notes
    -----
    Bland and Altman, Lancet 327 (1986) 307-310.
    """
    if len(first) != len(second):
        raise InputError(
            "Two series of the same subjects have one length.",
            hint="Put None where there is no measurement.",
        )
    pairs = [
        (a, b) for a, b in zip(first, second, strict=True) if a is not None and b is not None
    ]
    if len(pairs) < 2:
        return None
    from scipy.special import stdtrit

    table = np.array(pairs, dtype=np.float64)
    differences, means = table[:, 1] - table[:, 0], table.mean(axis=1)
    n = len(pairs)
    bias, sd = float(differences.mean()), float(differences.std(ddof=1))
    low, high = bias - _LIMIT * sd, bias + _LIMIT * sd
    t = float(stdtrit(n - 1, 0.975))
    of_bias, of_limit = t * sd / np.sqrt(n), t * sd * np.sqrt(3.0 / n)
    spread = means - means.mean()
    square = float(spread @ spread)
    return BlandAltman(
        tuple(means.tolist()),
        tuple(differences.tolist()),
        bias,
        sd,
        (low, high),
        _around(bias, of_bias),
        _around(low, of_limit),
        _around(high, of_limit),
        float(spread @ differences) / square if square > 0 else None,
        len(first) - n,
    )


def _around(middle: float, half: float) -> Ends:
    return float(middle - half), float(middle + half)
