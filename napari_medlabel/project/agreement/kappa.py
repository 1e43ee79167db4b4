"""Agreement on categories beyond chance: Cohen, Fleiss and Krippendorff, missing ratings said.

Where everybody always chose one category there is nothing to tell apart, and a coefficient is
undefined: its value is None, never 1 and never 0.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import InputError

Rating = Hashable
Ratings = Sequence[Sequence[Rating | None]]
"""A row for each subject, a column for each rater; None where somebody gave no rating."""
Weights = Literal["none", "linear", "quadratic"]
Scale = Literal["nominal", "ordinal", "interval"]
FloatArray = npt.NDArray[np.float64]

_NOTHING = 1e-12


@dataclass(frozen=True)
class Coefficient:
    """A coefficient of agreement.

    Parameters
    ----------
    name : str
        Which one, with its weights or scale: ``"Cohen's kappa (linear weights)"``.
    value : float or None
        1 for full agreement, 0 for what chance gives; None where it is undefined.
    observed, expected : float or None
        Agreement that was seen, and that chance would give; for Krippendorff's alpha the
        disagreements. None where nothing could be compared.
    subjects, raters : int
        What entered it.
    left_out : int
        Subjects that did not, by the rule.
    rule : str
        What was done with missing ratings, as a sentence.
    """

    name: str
    value: float | None
    observed: float | None
    expected: float | None
    subjects: int
    raters: int
    left_out: int
    rule: str


def cohen_kappa(
    ratings: Ratings,
    *,
    weights: Weights = "none",
    categories: Sequence[Rating] | None = None,
) -> Coefficient:
    """Return the kappa of two raters.

    Parameters
    ----------
    ratings : sequence of pairs
        A row for each subject.
    weights : str
        ``none``: a difference is a difference (Cohen 1960). ``linear``, ``quadratic``: it
        counts by its distance, or the square of it, in the order of the categories (Cohen
        1968).
    categories : sequence, optional
        All categories in their order. Without it those that occur, sorted.

    Raises
    ------
    InputError
        When a row has not two ratings, or one is of no category.
    """
    if any(len(row) != 2 for row in ratings):
        raise InputError(
            "Cohen's kappa compares two raters.",
            hint="Use Fleiss' kappa or Krippendorff's alpha for more.",
        )
    whole = [row for row in ratings if None not in row]
    number = _numbers(whole, categories)
    size = len(number)
    table = np.zeros((size, size))
    for first, second in whole:
        table[number[first], number[second]] += 1
    said = "" if weights == "none" else f" ({weights} weights)"
    observed = expected = value = None
    if whole:
        table /= table.sum()
        chance = np.outer(table.sum(axis=1), table.sum(axis=0))
        agree = _weights(size, weights)
        observed, expected = float((agree * table).sum()), float((agree * chance).sum())
        value = _beyond(observed, expected)
    return Coefficient(
        f"Cohen's kappa{said}",
        value,
        observed,
        expected,
        len(whole),
        2,
        len(ratings) - len(whole),
        "A subject that one of the two did not rate is left out and counted.",
    )


def fleiss_kappa(ratings: Ratings) -> Coefficient:
    """Return the kappa of several raters, who need not be the same for each subject.

    Parameters
    ----------
    ratings : sequence of rows
        A row for each subject, as long as there are raters.

    Raises
    ------
    InputError
        When rows differ in length or have less than two ratings.

    Notes
    -----
    Fleiss, Psychological Bulletin 76 (1971) 378-382.
    """
    raters = _width(ratings)
    whole = [row for row in ratings if None not in row]
    number = _numbers(whole, None)
    observed = expected = value = None
    if whole:
        counts = np.zeros((len(whole), len(number)))
        for at, row in enumerate(whole):
            for one in row:
                counts[at, number[one]] += 1
        alike = ((counts**2).sum(axis=1) - raters) / (raters * (raters - 1))
        share = counts.sum(axis=0) / counts.sum()
        observed, expected = float(alike.mean()), float((share**2).sum())
        value = _beyond(observed, expected)
    return Coefficient(
        "Fleiss' kappa",
        value,
        observed,
        expected,
        len(whole),
        raters,
        len(ratings) - len(whole),
        "A subject that not everybody rated is left out and counted.",
    )


def krippendorff_alpha(
    ratings: Ratings,
    *,
    scale: Scale = "nominal",
    categories: Sequence[Rating] | None = None,
) -> Coefficient:
    """Return alpha for any number of raters, with ratings missing anywhere.

    Parameters
    ----------
    ratings : sequence of rows
        A row for each subject; numbers where the scale is ``interval``.
    scale : str
        ``nominal``, ``ordinal`` (categories have an order) or ``interval`` (numbers with
        meaningful differences).
    categories : sequence, optional
        All categories in their order; without it those that occur, sorted.

    Raises
    ------
    InputError
        When rows differ in length, or a rating on an interval scale is no number.

    Notes
    -----
    Krippendorff, "Computing Krippendorff's alpha-reliability" (2011). Its observed and expected
    values are disagreements.
    """
    raters = _width(ratings)
    held = [[one for one in row if one is not None] for row in ratings]
    paired = [row for row in held if len(row) > 1]
    number = _numbers(paired, categories)
    observed = expected = value = None
    if paired:
        together = np.zeros((len(number), len(number)))
        for row in paired:
            counts = np.bincount([number[one] for one in row], minlength=len(number))
            pairs = np.outer(counts, counts) - np.diag(counts)
            together += pairs / (len(row) - 1)
        margin = together.sum(axis=1)
        apart = _apart(list(number), margin, scale)
        total = float(margin.sum())
        chance = np.outer(margin, margin) - np.diag(margin)
        observed = float((together * apart).sum()) / total
        expected = float((chance * apart).sum()) / (total * (total - 1))
        value = None if expected < _NOTHING else 1.0 - observed / expected
    return Coefficient(
        f"Krippendorff's alpha ({scale})",
        value,
        observed,
        expected,
        len(paired),
        raters,
        len(ratings) - len(paired),
        "A missing rating is no rating; a subject with less than two is left out and counted.",
    )


def _beyond(observed: float, expected: float) -> float | None:
    rest = 1.0 - expected
    return None if rest < _NOTHING else (observed - expected) / rest


def _width(ratings: Ratings) -> int:
    widths = {len(row) for row in ratings}
    if len(widths) != 1 or min(widths) < 2:
        raise InputError(
            "Each subject has as many places for ratings as there are raters, two or more.",
            hint="Put None where somebody gave no rating.",
        )
    return widths.pop()


def _numbers(
    rows: Sequence[Sequence[Rating]], categories: Sequence[Rating] | None
) -> dict[Rating, int]:
    """Return the place of each category in their order."""
    found = {one for row in rows for one in row}
    if categories is None:
        try:
            ordered: list[Rating] = sorted(found)  # type: ignore[type-var]
        except TypeError:
            ordered = sorted(found, key=repr)
    else:
        ordered = list(categories)
    if not found <= set(ordered):
        raise InputError(
            "A rating is of a category that is not listed.",
            hint="List all categories in their order.",
        )
    return {one: at for at, one in enumerate(ordered)}


def _weights(size: int, weights: Weights) -> FloatArray:
    """Return how much a pair of categories counts as agreement, 0 to 1."""
    if weights == "none" or size < 2:
        return np.asarray(np.eye(size))
    at = np.arange(size)
    apart = np.abs(at[:, None] - at[None]) / (size - 1)
    return np.asarray(1.0 - (apart if weights == "linear" else apart**2))


def _apart(categories: Sequence[Rating], margin: FloatArray, scale: Scale) -> FloatArray:
    """Return the squared difference of each pair of categories on a scale."""
    size = len(categories)
    if scale == "nominal":
        return np.asarray(1.0 - np.eye(size))
    if scale == "interval":
        try:
            values = np.array(categories, dtype=np.float64)
        except (TypeError, ValueError) as err:
            raise InputError(
                "Ratings on an interval scale are numbers.",
                hint="Use the ordinal or the nominal scale.",
            ) from err
        return np.asarray((values[:, None] - values[None]) ** 2)
    # What lies between two ranks, half of each end.
    middle: FloatArray = np.cumsum(margin) - margin / 2.0
    return np.asarray((middle[:, None] - middle[None]) ** 2)
