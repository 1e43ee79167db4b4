"""How far several people agree on landmarks, by name, in mm; and names that were mixed up.

A landmark that somebody did not place counts for nobody: distances are between those who did.
It is never a point at the origin.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from napari_medlabel.errors import InputError
from napari_medlabel.geometry.axes import FloatArray
from napari_medlabel.measure.mixed_up import MixedUp, mixed_up
from napari_medlabel.model.landmarks import LandmarkSet, Point

OUTLIER_MM: Final = 10.0
"""Further than this from what the others say, a point is more likely a wrong name than an
unsteady hand, as the AFIDs protocol takes it."""


@dataclass(frozen=True)
class Spread:
    """How far people agree on one landmark.

    Parameters
    ----------
    name : str
        The landmark.
    placed_by : tuple of str
        Who placed it.
    mean_ras : tuple of float or None
        Their mean position in RAS mm; None where nobody placed it.
    sd_mm : tuple of float or None
        Sample standard deviation along R, A and S in mm; None below two people.
    odm_mm : float or None
        Mean distance of each person from the mean of all (Ludlow 2009, ODM); None below two.
    deo_mm : float or None
        Mean distance of each person from every other (Ludlow 2009, DEO); None below two.
    largest_mm : float or None
        Largest distance between two people; None below two.
    from_mean_mm : dict
        Distance of each person from the mean.
    """

    name: str
    placed_by: tuple[str, ...]
    mean_ras: Point | None
    sd_mm: Point | None
    odm_mm: float | None
    deo_mm: float | None
    largest_mm: float | None
    from_mean_mm: Mapping[str, float]


@dataclass(frozen=True)
class Outlier:
    """A point that lies far from where the others put it.

    Parameters
    ----------
    name, rater : str
        Which landmark, and who placed it. Of two people the second is named; either may be
        wrong.
    mm : float
        Distance to the median of all who placed it; of two people, to the other.
    """

    name: str
    rater: str
    mm: float


@dataclass(frozen=True)
class Comparison:
    """How far several readings agree.

    Parameters
    ----------
    raters : tuple of str
        Who, in the order given.
    spreads : tuple of Spread
        One for each landmark, in the first reading's order, then what only others have.
    odm_mm, deo_mm : float or None
        Means over the landmarks that two people or more placed.
    icc : tuple of float or None
        ICC(2,1) along R, A and S: two-way random, absolute agreement, single reading (Shrout
        and Fleiss 1979), over the landmarks that everybody placed; None below three of them.
        Landmarks lie far apart, so it is close to 1 even where readings differ by centimetres:
        look at the distances first.
    complete : int
        How many landmarks everybody placed.
    outliers : tuple of Outlier
        Points further away than the limit.
    mixed_up : tuple of MixedUp
        Names exchanged, shifted, or on the wrong side.
    """

    raters: tuple[str, ...]
    spreads: tuple[Spread, ...]
    odm_mm: float | None
    deo_mm: float | None
    icc: tuple[float, float, float] | None
    complete: int
    outliers: tuple[Outlier, ...]
    mixed_up: tuple[MixedUp, ...]

    def __getitem__(self, name: str) -> Spread:
        """Return the spread of a landmark.

        Raises
        ------
        InputError
            When nobody has it.
        """
        for one in self.spreads:
            if one.name == name:
                return one
        raise InputError(
            "Nobody has a landmark of that name.", hint="Choose one of the listed landmarks."
        )


def compare(
    readings: Mapping[str, LandmarkSet], *, outlier_mm: float = OUTLIER_MM
) -> Comparison:
    """Compare what several people placed in one scan, by the landmarks' names.

    Parameters
    ----------
    readings : mapping
        Who -> landmarks in RAS mm, all of the same scan.
    outlier_mm : float
        From which distance on a point is listed as an outlier.

    Raises
    ------
    InputError
        When there are less than two readings.
    """
    if len(readings) < 2:
        raise InputError(
            f"At least two readings are compared; got {len(readings)}.",
            hint="Name the files of two people or more.",
        )
    names = list(dict.fromkeys(mark.name for marks in readings.values() for mark in marks))
    places = {
        name: {
            rater: np.array(marks[name].point_ras)
            for rater, marks in readings.items()
            if name in marks and marks[name].is_placed
        }
        for name in names
    }
    spreads = tuple(_spread(name, places[name]) for name in names)
    complete = [name for name in names if len(places[name]) == len(readings)]
    found = [spread for spread in spreads if spread.deo_mm is not None]
    return Comparison(
        tuple(readings),
        spreads,
        _mean([s.odm_mm for s in found if s.odm_mm is not None]),
        _mean([s.deo_mm for s in found if s.deo_mm is not None]),
        _icc([places[name] for name in complete], tuple(readings)),
        len(complete),
        _outliers(places, tuple(readings), outlier_mm),
        _mixed_up(readings, places, names),
    )


def icc_2_1(table: FloatArray) -> float | None:
    """Return ICC(2,1) of a table, shape (subjects, raters): Shrout and Fleiss 1979, p. 423.

    None below two subjects or two raters, or where everything is equal.
    """
    subjects, raters = table.shape
    if subjects < 2 or raters < 2:
        return None
    mean = table.mean()
    rows = table.mean(axis=1) - mean
    columns = table.mean(axis=0) - mean
    rest = table - mean - rows[:, None] - columns[None]
    between = raters * float(rows @ rows) / (subjects - 1)
    among = subjects * float(columns @ columns) / (raters - 1)
    error = float((rest**2).sum()) / ((subjects - 1) * (raters - 1))
    bottom = between + (raters - 1) * error + raters * (among - error) / subjects
    return None if bottom <= 0.0 else (between - error) / bottom


def _spread(name: str, placed: Mapping[str, FloatArray]) -> Spread:
    if not placed:
        return Spread(name, (), None, None, None, None, None, {})
    points = np.array(list(placed.values()))
    mean = points.mean(axis=0)
    away = np.linalg.norm(points - mean, axis=1)
    from_mean = dict(zip(placed, away.tolist(), strict=True))
    if len(points) < 2:
        return Spread(name, tuple(placed), _point(mean), None, None, None, None, from_mean)
    apart = _apart(points)
    return Spread(
        name,
        tuple(placed),
        _point(mean),
        _point(points.std(axis=0, ddof=1)),
        float(away.mean()),
        float(apart.mean()),
        float(apart.max()),
        from_mean,
    )


def _apart(points: FloatArray) -> FloatArray:
    """Return the distances of all pairs, shape (n (n - 1) / 2,)."""
    first, second = np.triu_indices(len(points), 1)
    apart: FloatArray = np.linalg.norm(points[first] - points[second], axis=1)
    return apart


def _icc(
    complete: list[dict[str, FloatArray]], raters: tuple[str, ...]
) -> tuple[float, float, float] | None:
    if len(complete) < 3:
        return None
    table = np.array([[one[rater] for rater in raters] for one in complete])
    found = [icc_2_1(table[..., axis]) for axis in range(3)]
    r, a, s = found
    return None if r is None or a is None or s is None else (r, a, s)


def _outliers(
    places: Mapping[str, Mapping[str, FloatArray]], raters: tuple[str, ...], limit_mm: float
) -> tuple[Outlier, ...]:
    found = []
    for name, placed in places.items():
        judged = [rater for rater in raters if rater in placed]
        for rater in judged[1:] if len(judged) == 2 else judged:
            middle = _middle(placed, rater)
            if middle is None:
                continue
            away = float(np.linalg.norm(placed[rater] - middle))
            if away > limit_mm:
                found.append(Outlier(name, rater, away))
    return tuple(sorted(found, key=lambda one: -one.mm))


def _mixed_up(
    readings: Mapping[str, LandmarkSet],
    places: Mapping[str, Mapping[str, FloatArray]],
    names: list[str],
) -> tuple[MixedUp, ...]:
    """Compare each reading with what all say; of two the second with the first."""
    found: list[MixedUp] = []
    judged = list(readings)[1:] if len(readings) == 2 else list(readings)
    for rater in judged:
        own = {name: placed[rater] for name, placed in places.items() if rater in placed}
        said = ((name, _middle(placed, rater)) for name, placed in places.items())
        reference = {name: middle for name, middle in said if middle is not None}
        found += mixed_up(own, reference, names, rater=rater)
    return tuple(found)


def _middle(placed: Mapping[str, FloatArray], rater: str) -> FloatArray | None:
    """Return what a reading is judged by: the median of all, which one wrong point cannot move.

    Of two people it is the other's point, and None where nobody else placed it.
    """
    others = [point for who, point in placed.items() if who != rater]
    judges = list(placed.values()) if len(placed) > 2 else others
    return np.median(judges, axis=0) if others else None


def _mean(values: list[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _point(array: FloatArray) -> Point:
    x, y, z = (float(v) for v in array)
    return x, y, z
