"""Landmarks of several readings as one set: where all placed one near enough, their mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from napari_medlabel.errors import InputError
from napari_medlabel.model.landmarks import Landmark, LandmarkSet, Point
from napari_medlabel.project.agreement.adjudication import MarkDecision

MIDDLE: Final = "middle"
OWN: Final = "own"
_NOBODY: Final[Mapping[str, MarkDecision]] = {}


def agreed_landmarks(
    readings: Sequence[LandmarkSet | None],
    limit_mm: float,
    *,
    names: Sequence[str] = (),
    decided: Mapping[str, MarkDecision] = _NOBODY,
) -> tuple[LandmarkSet | None, tuple[str, ...]]:
    """Return the landmarks that readings agree on, or that a person decided.

    Parameters
    ----------
    readings : sequence of LandmarkSet or None
        In RAS mm.
    limit_mm : float
        How far each may lie from the mean of all.
    names : sequence of str
        Of the readings; needed where somebody decided.
    decided : mapping of str to MarkDecision
        By name of the landmark.

    Returns
    -------
    landmarks : LandmarkSet or None
        All names, the first set's before others, each landmark at the mean of all, or without a
        place where somebody did not place it or placed it too far away; what was decided as it
        was decided. None where nobody has landmarks.
    words : tuple of str
        The rule and how many were left without a place, as a sentence; none without landmarks.

    Raises
    ------
    InputError
        When a decision names a reading that there is not.
    """
    sets = [one for one in readings if one is not None]
    if not sets:
        return None, ()
    rows = []
    left = 0
    for mark in all_landmarks(sets):
        if mark.name in decided:
            rows.append(_decided(mark, readings, names, decided[mark.name]))
            continue
        point = _agreed(places_of(readings, mark.name), limit_mm)
        rows.append(replace(mark, point_ras=point))
        left += point is None
    words = (
        f"Landmarks: the mean of all where each lies within {limit_mm:g} mm of it; without a "
        f"place are {left} of {len(rows)}."
    )
    if decided:
        words = f"{words} A person decided on {len(decided)}."
    return LandmarkSet(tuple(rows)), (words,)


def all_landmarks(readings: Sequence[LandmarkSet | None]) -> LandmarkSet:
    """Return the first reading's landmarks, and those that only others have after them."""
    first: dict[str, Landmark] = {}
    for one in readings:
        for mark in one or ():
            first.setdefault(mark.name, mark)
    return LandmarkSet(tuple(first.values()))


def places_of(readings: Sequence[LandmarkSet | None], name: str) -> list[Point | None]:
    """Return where each reading has a landmark, in RAS mm; None where it has not."""
    return [
        one[name].point_ras if one is not None and name in one else None for one in readings
    ]


def apart_mm(places: Sequence[Point | None]) -> float | None:
    """Return the largest distance of two places; None where less than two are placed."""
    placed = np.array([place for place in places if place is not None])
    if len(placed) < 2:
        return None
    return float(np.linalg.norm(placed[:, None] - placed[None], axis=-1).max())


def choice_at(
    readings: Sequence[LandmarkSet | None],
    limit_mm: float,
    names: Sequence[str],
    mark: str,
    now: Point | None,
) -> str:
    """Return the choice that puts a landmark where it is now.

    Parameters
    ----------
    readings, limit_mm, names
        As in `agreed_landmarks`.
    mark : str
        Name of the landmark.
    now : tuple of float or None
        Where it is, in RAS mm.

    Returns
    -------
    str
        Empty where the readings agree on that place, a reading's name, ``middle`` or ``own``.
    """
    for choice in ("", *names, MIDDLE):
        decided = {mark: MarkDecision(choice, "")} if choice else {}
        found, _ = agreed_landmarks(readings, limit_mm, names=names, decided=decided)
        if found is not None and found[mark].point_ras == now:
            return choice
    return OWN


def _agreed(places: Sequence[Point | None], limit_mm: float) -> Point | None:
    placed = np.array([place for place in places if place is not None])
    if len(placed) < len(places) or not len(placed):
        return None
    mean = placed.mean(axis=0)
    if np.linalg.norm(placed - mean, axis=1).max() > limit_mm:
        return None
    return _point(mean)


def _decided(
    mark: Landmark,
    readings: Sequence[LandmarkSet | None],
    names: Sequence[str],
    decision: MarkDecision,
) -> Landmark:
    if decision.choice == OWN:
        return replace(mark, point_ras=decision.point_ras, absent="", uncertain_mm=None)
    if decision.choice == MIDDLE:
        placed = [at for at in places_of(readings, mark.name) if at is not None]
        middle = _point(np.mean(placed, axis=0)) if placed else None
        return replace(mark, point_ras=middle, absent="", uncertain_mm=None)
    if decision.choice in names:
        theirs = readings[list(names).index(decision.choice)]
        if theirs is not None and mark.name in theirs:
            return theirs[mark.name]
        return replace(mark, point_ras=None)
    raise InputError(
        "There is no such decision on a landmark.",
        hint=f"Decide for a reading ({', '.join(names)}), {MIDDLE}, or place it anew.",
    )


def _point(values: np.ndarray) -> Point:
    r, a, s = (float(mm) for mm in values)
    return r, a, s
