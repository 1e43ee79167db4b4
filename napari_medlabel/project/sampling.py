"""Draws that anybody can repeat, and what a sample of them says about the rest.

A draw hangs on the study's seed and on names alone, never on the order in which cases came:
whoever has the folder finds the same sample.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from napari_medlabel.errors import InputError

Kind = Literal["review", "gold", "repeat", "split", "order", "sample"]
_BITS: Final = 64


def number_of(seed: int, kind: Kind, key: str) -> float:
    """Return the number that a name draws: from 0 up to, not including, 1, evenly.

    Parameters
    ----------
    seed : int
        Of the study.
    kind : str
        What is drawn for; two kinds of draw know nothing of each other.
    key : str
        The name.
    """
    digest = hashlib.sha256(f"medlabel-draw-1\n{seed}\n{kind}\n{key}".encode()).digest()
    # 53 bits, what a float holds: more could round up to 1.
    return (int.from_bytes(digest[: _BITS // 8], "big") >> (_BITS - 53)) / (1 << 53)


def is_drawn(seed: int, kind: Kind, key: str, share: float) -> bool:
    """Tell whether a name belongs to a share (0 to 1) that is drawn one by one."""
    return number_of(seed, kind, key) < share


def draw(seed: int, kind: Kind, keys: Iterable[str], count: int) -> tuple[str, ...]:
    """Draw so many names without putting any back; all where there are not more.

    A larger draw of the same seed holds the smaller one.

    Raises
    ------
    InputError
        When the count is below 0.
    """
    if count < 0:
        raise InputError("A sample has a size of 0 or more.", hint="Give another number.")
    ranked = sorted(set(keys), key=lambda key: (number_of(seed, kind, key), key))
    return tuple(ranked[:count])


@dataclass(frozen=True)
class Statement:
    """What a random sample says about everything that it was drawn from.

    Parameters
    ----------
    checked : int
        How many were looked at.
    faulty : int
        How many of them were found faulty.
    confidence : float
        Of the interval, 0 to 1.
    low, high : float
        Ends of the two-sided interval of the rate of faults (Clopper and Pearson, Biometrika
        26 (1934) 404).
    below : float
        With this confidence the rate is not above it (one-sided).
    """

    checked: int
    faulty: int
    confidence: float
    low: float
    high: float
    below: float

    def words(self) -> str:
        """Say it in one sentence."""
        if not self.checked:
            return "Nothing was checked, so nothing is known."
        found = (
            f"{self.faulty} of {self.checked} were faulty ({self.faulty / self.checked:.1%})"
        )
        return (
            f"{found}; with {self.confidence:.0%} confidence at most {self.below:.1%} of all "
            f"are (two-sided interval {self.low:.1%} to {self.high:.1%})."
        )


def statement(checked: int, faulty: int, *, confidence: float = 0.95) -> Statement:
    """Return what a sample supports.

    The binomial interval is exact or wider for a sample out of few, never narrower.

    Parameters
    ----------
    checked, faulty : int
        Size of the sample, and how many in it were faulty.
    confidence : float
        Above 0 and below 1.

    Raises
    ------
    InputError
        When the numbers are of no sample.
    """
    if not 0 <= faulty <= checked:
        raise InputError(
            f"Of {checked} that were checked, 0 to {checked} are faulty; got {faulty}.",
            hint="Count them again.",
        )
    _require_share(confidence, "confidence")
    tail = (1.0 - confidence) / 2.0
    return Statement(
        checked,
        faulty,
        confidence,
        _lower(checked, faulty, tail),
        _upper(checked, faulty, tail),
        _upper(checked, faulty, 1.0 - confidence),
    )


def least_sample(rate: float, *, confidence: float = 0.95) -> int:
    """Return how many without a fault show that the rate is below so much (59 for 5 %, 95 %).

    Raises
    ------
    InputError
        When rate or confidence is not between 0 and 1.
    """
    _require_share(rate, "rate")
    _require_share(confidence, "confidence")
    return math.ceil(math.log1p(-confidence) / math.log1p(-rate) - 1e-9)


def _require_share(value: float, what: str) -> None:
    if not 0.0 < value < 1.0:
        raise InputError(
            f"A {what} lies between 0 and 1; got {value:g}.", hint="0.95 means 95 %."
        )


def _lower(checked: int, faulty: int, tail: float) -> float:
    if not faulty:
        return 0.0
    from scipy.special import betaincinv

    return float(betaincinv(faulty, checked - faulty + 1, tail))


def _upper(checked: int, faulty: int, tail: float) -> float:
    if faulty == checked:
        return 1.0
    from scipy.special import betaincinv

    return float(betaincinv(faulty + 1, checked - faulty, 1.0 - tail))
