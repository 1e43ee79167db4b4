"""STAPLE: the hidden truth of several masks, and what each rater finds and avoids.

Voxels on which the raters' votes are the same are the same to the method, so it runs on counts
of votes: there are few ways to vote, however large the scan. Its answer depends on how much
background is looked at: the box belongs to the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import InputError, RefusedError

LEAST_RATERS: Final = 3
MOST_RATERS: Final = 16
_EPSILON: Final = 1e-10
_SETTLED: Final = 1e-14
_MOST_ROUNDS: Final = 10_000
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Staple:
    """What STAPLE says of one label.

    Parameters
    ----------
    by_votes : ndarray of float64, shape (2 ** raters,)
        Probability of the label by who voted for it: rater r adds 2 ** r to the index.
    sensitivity : tuple of float
        Share of the hidden truth that each rater has.
    specificity : tuple of float
        Share of what is not in it that each rater leaves out, in the box.
    prior : float
        Share of the box that is taken to be the label before anybody votes: the raters' mean.
    rounds : int
        Of the estimation.
    is_settled : bool
        Whether it came to rest.
    """

    by_votes: FloatArray
    sensitivity: tuple[float, ...]
    specificity: tuple[float, ...]
    prior: float
    rounds: int
    is_settled: bool

    @property
    def is_inverted(self) -> bool:
        """Whether somebody is judged worse than chance.

        With many poor raters the method may take the background for the label (Van Leemput and
        Sabuncu 2014): then it is not to be believed without a look.
        """
        pairs = zip(self.sensitivity, self.specificity, strict=True)
        return any(p + q < 1.0 for p, q in pairs)

    def probability(self, votes: npt.NDArray[np.uint16]) -> FloatArray:
        """Return the probability of each voxel from its votes; see `votes_of`."""
        return np.asarray(self.by_votes[votes])


def votes_of(masks: Sequence[npt.NDArray[Any]]) -> npt.NDArray[np.uint16]:
    """Return who voted for the label in each voxel: rater r adds 2 ** r.

    Parameters
    ----------
    masks : sequence of ndarray of bool, one shape
        One for each rater.
    """
    votes = np.zeros_like(masks[0], dtype=np.uint16)
    for bit, mask in enumerate(masks):
        votes |= mask.astype(np.uint16) << np.uint16(bit)
    return votes


def staple(votes: npt.NDArray[np.uint16], raters: int) -> Staple:
    """Estimate the hidden truth of one label.

    Parameters
    ----------
    votes : ndarray of uint16
        From `votes_of`, of the box.
    raters : int
        How many voted.

    Raises
    ------
    RefusedError
        With less than three raters: two are adjudicated.
    InputError
        With more than sixteen.

    Notes
    -----
    Warfield, Zou and Wells, IEEE TMI 23 (2004) 903-921; start and prior as in ITK's
    STAPLEImageFilter, so that the numbers are the same (which stops a little earlier).
    """
    if raters < LEAST_RATERS:
        raise RefusedError(
            f"STAPLE needs three raters or more; there are {raters}.",
            hint="Two readings are settled by adjudication, never by voting.",
        )
    if raters > MOST_RATERS:
        raise InputError(
            f"STAPLE here takes {MOST_RATERS} raters at most; got {raters}.",
            hint="Choose some of the readings.",
        )
    counts = np.bincount(votes.ravel(order="K"), minlength=2**raters).astype(np.float64)
    seen = np.flatnonzero(counts)
    chosen = (seen[:, None] >> np.arange(raters)) & 1 == 1  # (ways, raters)
    number = counts[seen]
    total = float(number.sum())
    weight = chosen.mean(axis=1)
    prior = float(number @ weight) / total
    p = q = np.full(raters, -10.0)
    rounds, is_settled = 0, False
    while rounds < _MOST_ROUNDS and not is_settled:
        before = (p, q)
        p, q = _performance(chosen, number, weight)
        weight = _truth(chosen, p, q, prior)
        rounds += 1
        moved = float(((before[0] - p) ** 2).sum() + ((before[1] - q) ** 2).sum())
        is_settled = moved <= _SETTLED
    every = (np.arange(2**raters)[:, None] >> np.arange(raters)) & 1 == 1
    return Staple(
        _truth(every, p, q, prior),
        tuple(p.tolist()),
        tuple(q.tolist()),
        prior,
        rounds,
        is_settled,
    )


def _performance(
    chosen: npt.NDArray[np.bool_], number: FloatArray, weight: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return sensitivity and specificity of each rater; 1 where there is nothing to find."""
    inside, outside = number * weight, number * (1.0 - weight)
    p, q = np.ones(chosen.shape[1]), np.ones(chosen.shape[1])
    if inside.sum() > 0:
        p = inside @ chosen / inside.sum()
    if outside.sum() > 0:
        q = outside @ ~chosen / outside.sum()
    return p, q


def _truth(
    chosen: npt.NDArray[np.bool_], p: FloatArray, q: FloatArray, prior: float
) -> FloatArray:
    """Return the probability of the label for each way to vote."""
    inside = prior * np.where(chosen, p, 1.0 - p).prod(axis=1)
    outside = (1.0 - prior) * np.where(chosen, 1.0 - q, q).prod(axis=1)
    return np.asarray(inside / (inside + outside + _EPSILON))
