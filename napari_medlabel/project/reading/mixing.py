"""Gold cases mixed into a rater's list: at seeded places, without a mark."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from fractions import Fraction

from napari_medlabel.errors import InputError
from napari_medlabel.project.layout import CaseId
from napari_medlabel.project.sampling import number_of

_FINEST = 1000


def mixed(
    cases: Sequence[CaseId],
    gold: Sequence[CaseId],
    share: float,
    *,
    rater: str,
    seed: int,
    begun: int = 0,
) -> tuple[CaseId, ...]:
    """Mix gold cases into a rater's list.

    Of every so many cases that a rater begins one is a gold case, at a place that is drawn for
    each such stretch and rater: the same whenever it is asked, however far the rater is.

    Parameters
    ----------
    cases : sequence of CaseId
        What is left to read, in order; gold cases among them wait for a place of their own, and
        come last where there is none.
    gold : sequence of CaseId
        Cases with a known truth that the rater has not read.
    share : float
        Share of gold cases, 0 to below 1; less where there are too few.
    rater : str
        Code: each rater gets draws of their own.
    seed : int
        Of the study.
    begun : int
        How many cases the rater has begun before.

    Raises
    ------
    InputError
        When the share is none.
    """
    if not 0.0 <= share < 1.0:
        raise InputError(
            f"The share of gold cases is 0 or more, below 1; got {share:g}.",
            hint="Change gold_share in project.json.",
        )
    part = Fraction(share).limit_denominator(_FINEST)
    if not part:
        return tuple(cases)
    known = set(gold)
    pool = deque(sorted(known, key=lambda one: number_of(seed, "gold", f"{rater}\n{one}")))
    rest = deque(one for one in cases if one not in known)
    found: list[CaseId] = []
    while rest:
        is_turn = pool and _is_turn(begun + len(found), part, rater, seed)
        found.append(pool.popleft() if is_turn else rest.popleft())
    left = set(pool)
    return (*found, *(one for one in cases if one in left))


def _is_turn(place: int, share: Fraction, rater: str, seed: int) -> bool:
    stretch = math.floor(place * share)
    start, end = (math.ceil(number / share) for number in (stretch, stretch + 1))
    drawn = number_of(seed, "gold", f"{rater}\n{stretch}")
    return place == start + int(drawn * (end - start))
