"""Adjudication: each difference gets a decision, and what comes of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.model.labelmap import LabelMap, LabelScheme
from napari_medlabel.project.agreement.differences import Difference, Differences
from napari_medlabel.project.agreement.staple import LEAST_RATERS

CHOICES: Final = ("union", "intersection", "majority", "staple", "edited")
"""What can be decided beside taking a reading as it is, by its name."""
UNKNOWN, HUMAN, ADJUDICATED, UNRESOLVED = 0, 1, 5, 6
Runs = tuple[tuple[int, int, int], ...]


@dataclass(frozen=True)
class Decision:
    """What was decided of one difference.

    Parameters
    ----------
    choice : str
        The name of a reading, or one of `CHOICES`.
    time : str
        When, ISO 8601 in UTC.
    runs : tuple of (int, int, int)
        For ``edited``: what stands in the difference's box afterwards, as (first voxel, how
        many, value) in memory order (k, j, i) of its own voxels.
    """

    choice: str
    time: str
    runs: Runs = ()


@dataclass(frozen=True)
class MarkDecision:
    """What was decided of one landmark.

    Parameters
    ----------
    choice : str
        The name of a reading, ``middle``: the mean of all who placed it, or ``own``.
    time : str
        When, ISO 8601 in UTC.
    point_ras : tuple of float or None
        For ``own``: where, in RAS mm; None for nowhere.
    """

    choice: str
    time: str
    point_ras: tuple[float, float, float] | None = None


@dataclass(frozen=True)
class Adjudication:
    """The decisions on the differences of a case.

    Parameters
    ----------
    case : str
        Its name.
    adjudicator : str
        Code of who decides: the one writer.
    contents : mapping of str to str
        Content id of each reading, by its name.
    decisions : mapping of int to Decision
        By number of the difference.
    rest_below_ml : float
        Differences smaller than this are the rest; 0 for none.
    rest : str
        The decision on all of the rest at once; empty while there is none.
    marks : mapping of str to MarkDecision
        By name of the landmark; the others are the mean where all are near.
    answers : mapping of str to str
        Question -> whose answer; the others stand where all gave the same.
    layer : int
        Which layer of the ontology the masks are of.
    """

    case: str
    adjudicator: str
    contents: Mapping[str, str]
    decisions: Mapping[int, Decision] = field(default_factory=dict)
    rest_below_ml: float = 0.0
    rest: str = ""
    marks: Mapping[str, MarkDecision] = field(default_factory=dict)
    answers: Mapping[str, str] = field(default_factory=dict)
    layer: int = 0

    def decide(self, number: int, decision: Decision) -> Adjudication:
        """Return it with a decision on a difference more, or another one."""
        return replace(self, decisions={**self.decisions, number: decision})

    def undecide(self, number: int) -> Adjudication:
        """Return it without the decision on a difference."""
        left = {at: one for at, one in self.decisions.items() if at != number}
        return replace(self, decisions=left)

    def choice(self, one: Difference) -> str:
        """Return what is decided of a difference, empty for nothing yet."""
        if one.number in self.decisions:
            return self.decisions[one.number].choice
        return self.rest if one.ml < self.rest_below_ml else ""

    def open(self, differences: Differences) -> tuple[Difference, ...]:
        """Return the differences without a decision, by number."""
        return tuple(one for one in differences.found if not self.choice(one))


@dataclass(frozen=True, eq=False)
class Settled:
    """What comes of decisions.

    Parameters
    ----------
    labels : LabelMap
        The mask; 0 where nothing is decided.
    provenance : ndarray of uint8, shape (i, j, k)
        5 where a reading or a rule was taken, 1 where the adjudicator drew; where all agreed,
        where their voxels came from: a hand if any of them was drawn by hand there. 6 where
        unresolved. 0 where no reading tells, and outside labels.
    unresolved : ndarray of bool, shape (i, j, k)
        Voxels without an answer: not decided, or a tie.
    decided, open : int
        Differences with and without a decision.
    """

    labels: LabelMap
    provenance: npt.NDArray[np.uint8]
    unresolved: npt.NDArray[np.bool_]
    decided: int
    open: int


def outcome(one: Difference, choice: str, readers: Sequence[str]) -> int | None:
    """Return the label that a choice gives a difference; None for a tie, or without a choice.

    Parameters
    ----------
    one : Difference
        Which.
    choice : str
        A reading's name, or one of `CHOICES` but ``edited`` and ``staple``, which say more
        than one label.
    readers : sequence of str
        Names of the readings.

    Raises
    ------
    RefusedError
        When two readings would be voted on.
    InputError
        When it is no choice.
    """
    if choice in readers:
        return one.says[list(readers).index(choice)]
    if choice == "intersection":
        return 0  # not all say the same here
    if choice == "union":
        return one.labels[0] if len(one.labels) == 1 else None
    if choice == "majority":
        if len(readers) < LEAST_RATERS:
            raise RefusedError(
                "Two readings are adjudicated, never voted on.",
                hint="Take one of them, their union or intersection, or draw it.",
            )
        first, *others = Counter(one.says).most_common(2)
        return None if others and others[0][1] == first[1] else first[0]
    raise InputError(
        "There is no such decision on a difference.",
        hint=f"Decide for a reading ({', '.join(readers)}), or {', '.join(CHOICES)}.",
    )


def edited(
    differences: Differences, number: int, after: npt.NDArray[Any], time: str
) -> Decision:
    """Return the decision for what a hand made of a difference.

    Parameters
    ----------
    differences : Differences
        Of the case.
    number : int
        Which difference; only its own voxels are taken.
    after : ndarray, shape (i, j, k)
        Labels of the whole scan after the hand.
    time : str
        Now, ISO 8601 in UTC.
    """
    mask = differences.mask(number).T.reshape(-1)
    values = after[differences.found[number].box].T.reshape(-1)[mask]
    starts = np.flatnonzero(np.diff(values.astype(np.int64), prepend=-1))
    lengths = np.diff(np.append(starts, values.size))
    rows = zip(starts.tolist(), lengths.tolist(), values[starts].tolist(), strict=True)
    return Decision("edited", time, tuple((int(a), int(n), int(v)) for a, n, v in rows))


def settle(
    adjudication: Adjudication,
    differences: Differences,
    scheme: LabelScheme,
    *,
    provenances: Sequence[npt.NDArray[np.uint8] | None] = (),
    staple: npt.NDArray[Any] | None = None,
) -> Settled:
    """Make the mask that the decisions say.

    Parameters
    ----------
    adjudication : Adjudication
        The decisions.
    differences : Differences
        Of the same readings.
    scheme : LabelScheme
        Of the mask.
    provenances : sequence of ndarray or None, shape (i, j, k)
        Of the readings, in order.
    staple : ndarray, shape (i, j, k), optional
        The consensus by STAPLE, for decisions that ask for it.

    Raises
    ------
    InputError
        When a decision is none, or asks for STAPLE and there is none.
    RefusedError
        When two readings would be voted on.
    """
    array = differences.agreed.copy(order="K")
    unresolved = np.zeros(array.shape[::-1], dtype=bool).T
    values: dict[int, int] = {}
    still = []
    for one in differences.found:
        choice = adjudication.choice(one)
        if choice in ("edited", "staple"):
            part = _voxelwise(choice, adjudication, differences, one, staple)
            array[one.box][differences.mask(one.number)] = part
            continue
        value = outcome(one, choice, differences.readers) if choice else None
        if value is None:
            still.append(one.number)
        else:
            values[one.number] = value
    differences.paint(array, values)
    differences.paint(unresolved, dict.fromkeys(still, 1))
    origin = origins_of(differences, array, unresolved, provenances)
    for one in differences.found:
        if adjudication.choice(one) == "edited":
            drawn = differences.mask(one.number) & (array[one.box] != 0)
            origin[one.box][drawn] = HUMAN
    left = len(adjudication.open(differences))
    labels = LabelMap(differences.grid, array, scheme)
    return Settled(labels, origin, unresolved, len(differences.found) - left, left)


def _voxelwise(
    choice: str,
    adjudication: Adjudication,
    differences: Differences,
    one: Difference,
    staple: npt.NDArray[Any] | None,
) -> npt.NDArray[Any]:
    """Return the labels of a difference's voxels in the order of a boolean index (i, j, k)."""
    mask = differences.mask(one.number)
    if choice == "staple":
        if staple is None:
            raise InputError(
                "A decision asks for STAPLE, and its consensus was not given.",
                hint="Compute it first; it needs three readings.",
            )
        return np.asarray(staple[one.box][mask])
    decision = adjudication.decisions.get(one.number)
    runs = decision.runs if decision is not None else ()
    flat = np.repeat([value for _, _, value in runs], [n for _, n, _ in runs])
    if flat.size != one.voxels:
        raise strange_document()
    turned = np.zeros(mask.shape[::-1], dtype=differences.agreed.dtype)
    turned.reshape(-1)[mask.T.reshape(-1)] = flat
    return np.asarray(turned.T[mask])


def origins_of(
    differences: Differences,
    labels: npt.NDArray[Any],
    unresolved: npt.NDArray[np.bool_],
    provenances: Sequence[npt.NDArray[np.uint8] | None] = (),
) -> npt.NDArray[np.uint8]:
    """Return where the voxels of a mask made of several readings come from.

    Parameters
    ----------
    differences : Differences
        Of the readings.
    labels, unresolved : ndarray, shape (i, j, k)
        What was made of them.
    provenances : sequence of ndarray or None, shape (i, j, k)
        Of the readings.

    Returns
    -------
    ndarray of uint8, shape (i, j, k)
        As in `Settled.provenance`.
    """
    origin = np.zeros(labels.shape[::-1], dtype=np.uint8).T
    for one in provenances:
        if one is not None:
            better = (one != UNKNOWN) & ((origin == UNKNOWN) | (one < origin))
            np.copyto(origin, one, where=better)
    origin[labels == 0] = UNKNOWN
    origin[(labels != 0) & (labels != differences.agreed)] = ADJUDICATED
    origin[unresolved] = UNRESOLVED
    return origin


def strange_document() -> InputError:
    """Return the refusal of decisions that cannot be read, or fit nothing."""
    return InputError(
        "A document of decisions cannot be read, or does not fit the differences.",
        hint="Begin the adjudication of this case anew.",
    )
