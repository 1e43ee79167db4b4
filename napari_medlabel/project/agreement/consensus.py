"""Several readings as one mask by a named rule; a tie is no answer and stays unresolved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

import numpy as np
import numpy.typing as npt

from napari_medlabel.edit.distance import signed_distance_mm
from napari_medlabel.edit.patch import Box
from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.measure.overlap import joint_counts
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.project.agreement.cropping import (
    box_words,
    cropped,
    require_one_grid,
    union_box,
)
from napari_medlabel.project.agreement.staple import Staple, staple, votes_of

Rule = Literal["majority", "staple", "union", "intersection", "distance"]
RULES: Final[tuple[Rule, ...]] = get_args(Rule)
VOTED: Final = ("majority", "staple", "distance")
"""Rules that need three readings: two are never voted on."""
MARGIN_MM: Final = 10.0
"""Around the union of all readings: STAPLE's answer depends on it, so it is fixed and said."""
_WORDS: Final[Mapping[Rule, str]] = {
    "majority": "Majority: each voxel gets what most readings say, the background among it; "
    "where no answer has more votes than every other, it is unresolved.",
    "staple": "STAPLE (Warfield 2004), each label by itself in the box around its union plus "
    f"{MARGIN_MM:g} mm: a voxel gets the label whose probability is above one half and the "
    "largest; where two are the largest, or one is one half exactly, it is unresolved.",
    "union": "Union: a voxel that somebody labelled gets that label; where different labels "
    "were given, it is unresolved.",
    "intersection": "Intersection: a voxel gets a label when all readings give it that one.",
    "distance": "Mean signed distance, each label by itself in the box around its union plus "
    f"{MARGIN_MM:g} mm: a voxel gets the label whose mean depth over the readings, in mm, is "
    "above 0 and the largest; where two are, or it is 0 "
    "exactly, it is unresolved. A reading without the label counts as the box's diagonal "
    "outside.",
}
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Performance:
    """What STAPLE says of one rater and label.

    Parameters
    ----------
    rater : str
        Who.
    value : int
        The label.
    sensitivity, specificity : float
        Shares of the hidden truth, and of the rest of the box.
    """

    rater: str
    value: int
    sensitivity: float
    specificity: float


@dataclass(frozen=True, eq=False)
class Consensus:
    """One mask of several readings.

    Parameters
    ----------
    labels : LabelMap
        The mask; 0 where unresolved.
    unresolved : ndarray of bool, shape (i, j, k)
        Voxels without an answer.
    rule : str
        Of `RULES`.
    words : tuple of str
        The rule, the box, and what to know of the answer, a sentence each.
    performance : tuple of Performance
        With ``staple``: of each rater and label.
    """

    labels: LabelMap
    unresolved: BoolArray
    rule: Rule
    words: tuple[str, ...]
    performance: tuple[Performance, ...] = ()

    @property
    def open_voxels(self) -> int:
        """How many voxels are unresolved."""
        return int(np.count_nonzero(self.unresolved))


def agree_on(readings: Mapping[str, LabelMap], rule: Rule) -> Consensus:
    """Make one mask of several readings of a case.

    Parameters
    ----------
    readings : mapping of str to LabelMap
        Who -> mask, all on one grid with the same values.
    rule : str
        Of `RULES`.

    Raises
    ------
    RefusedError
        When two readings would be voted on.
    InputError
        When there are less than two, or no such rule.
    GeometryError
        When grids differ.
    """
    masks = list(readings.values())
    grid = require_one_grid(masks)
    if rule not in RULES:
        raise InputError(
            "There is no such rule of consensus.", hint=f"Rules: {', '.join(RULES)}."
        )
    if len(masks) < 3 and rule in VOTED:
        raise RefusedError(
            f"Two readings are adjudicated, never voted on: {rule} needs three or more.",
            hint="Settle their differences one by one, or take their union or intersection.",
        )
    spacing = grid.affine.spacing_mm
    values = sorted({value for mask in masks for value in mask.voxel_counts()})
    box = union_box([mask.array for mask in masks], spacing, MARGIN_MM)
    out = LabelMap.empty(grid, masks[0].scheme)
    if values and max(values) > np.iinfo(out.array.dtype).max:
        out = LabelMap(grid, out.array.astype(np.uint16), masks[0].scheme)
    unresolved = np.zeros(grid.shape[::-1], dtype=bool).T
    if box is None:
        return Consensus(out, unresolved, rule, (_WORDS[rule], "All readings are empty."))
    work = _Work(tuple(readings), tuple(cropped(mask, box) for mask in masks), values)
    answer, tie = _BY_RULE[rule](work)
    out.array[box] = np.where(tie, 0, answer)
    unresolved[box] = tie
    words = (_WORDS[rule], f"Box: union plus {MARGIN_MM:g} mm, {box_words(box, spacing)}.")
    return Consensus(out, unresolved, rule, words + work.words, work.performance)


class _Work:
    """What the rules work on: readings in the box, and what is to be said of the answer."""

    def __init__(
        self, raters: tuple[str, ...], masks: tuple[LabelMap, ...], values: list[int]
    ) -> None:
        self.raters, self.masks, self.values = raters, masks, values
        self.arrays: list[npt.NDArray[Any]] = [mask.array for mask in masks]
        self.spacing = masks[0].grid.affine.spacing_mm
        self.skew = masks[0].grid.affine.skew_mm
        self.words: tuple[str, ...] = ()
        self.performance: tuple[Performance, ...] = ()

    def zeros(self, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        return np.zeros(self.arrays[0].shape[::-1], dtype=dtype).T


Answer = tuple[npt.NDArray[Any], BoolArray]


def _majority(work: _Work) -> Answer:
    answer, most, tie = work.zeros(np.uint16), work.zeros(np.uint8), work.zeros(bool)
    for value in (0, *work.values):
        votes = work.zeros(np.uint8)
        for array in work.arrays:
            votes += array == value
        ahead = votes > most
        tie |= (votes == most) & (votes > 0)
        tie &= ~ahead
        answer[ahead] = value
        np.maximum(most, votes, out=most)
    return answer, tie


def _union(work: _Work) -> Answer:
    answer, tie = work.zeros(np.uint16), work.zeros(bool)
    for array in work.arrays:
        given = array != 0
        tie |= given & (answer != 0) & (answer != array)
        np.copyto(answer, array, where=given & (answer == 0))
    return answer, tie


def _intersection(work: _Work) -> Answer:
    same = work.zeros(bool)
    same[...] = True
    for array in work.arrays[1:]:
        same &= array == work.arrays[0]
    return np.where(same, work.arrays[0], 0), work.zeros(bool)


def _distance(work: _Work) -> Answer:
    def depth(value: int) -> tuple[Box, npt.NDArray[Any]]:
        masks = [array == value for array in work.arrays]
        box = union_box(masks, work.spacing, MARGIN_MM) or (slice(None),) * 3
        size = [part.stop - part.start for part in box]
        far = float(np.linalg.norm(np.array(size) * work.spacing))
        total = np.zeros(size[::-1]).T
        for mask in masks:
            depth_mm = signed_distance_mm(mask[box], work.spacing, work.skew)
            total += np.clip(depth_mm, -far, far)
        total /= len(work.arrays)
        # Exact sums of float32 distances: what is 0 to a nanometre is 0.
        total[np.abs(total) < 1e-6] = 0.0
        return box, total

    return _best(work, depth, 0.0)


def _staple(work: _Work) -> Answer:
    found: list[tuple[int, Staple]] = []

    def probability(value: int) -> tuple[Box, npt.NDArray[Any]]:
        masks = [array == value for array in work.arrays]
        box = union_box(masks, work.spacing, MARGIN_MM) or (slice(None),) * 3
        votes = votes_of([mask[box] for mask in masks])
        one = staple(votes, len(masks))
        found.append((value, one))
        return box, one.probability(votes)

    answer, tie = _best(work, probability, 0.5)
    work.performance = tuple(
        Performance(rater, value, p, q)
        for value, one in found
        for rater, p, q in zip(work.raters, one.sensitivity, one.specificity, strict=True)
    )
    work.words = _warned(work, found, answer)
    return answer, tie


def _warned(
    work: _Work, found: list[tuple[int, Staple]], answer: npt.NDArray[Any]
) -> tuple[str, ...]:
    voted, _ = _majority(work)
    counts = joint_counts(answer.astype(np.uint16), voted)
    dice = [counts.overlap(value, value).dice for value in work.values]
    near = ", ".join("none" if one is None else f"{one:.4f}" for one in dice)
    words = [f"Dice with the majority, by value {_listed(work.values)}: {near}."]
    inverted = [value for value, one in found if one.is_inverted]
    if inverted:
        words.append(
            f"Look before you believe it: for value {_listed(inverted)} somebody is judged "
            "worse than chance, which happens where STAPLE takes background for the label."
        )
    restless = [value for value, one in found if not one.is_settled]
    if restless:
        words.append(f"The estimation did not come to rest for value {_listed(restless)}.")
    return tuple(words)


def _best(
    work: _Work, score: Callable[[int], tuple[Box, npt.NDArray[Any]]], least: float
) -> Answer:
    """Give each voxel the label that scores highest above ``least``; equals are a tie."""
    answer, tie = work.zeros(np.uint16), work.zeros(bool)
    best = work.zeros(np.float64)
    best[...] = least
    for value in work.values:
        box, scores = score(value)
        top = best[box]
        tie[box] |= scores == top
        tie[box] &= ~(scores > top)
        answer[box][scores > top] = value
        np.maximum(top, scores, out=top)
    # Half and half is a tie with the background.
    return np.where(tie, 0, answer), tie


def _listed(values: list[int]) -> str:
    return ", ".join(str(value) for value in values)


_BY_RULE: Final[Mapping[Rule, Callable[[_Work], Answer]]] = {
    "majority": _majority,
    "staple": _staple,
    "union": _union,
    "intersection": _intersection,
    "distance": _distance,
}
