"""Measurements: lines, angles, curves and regions drawn into the patient, in RAS mm."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

import numpy as np

from napari_medlabel.errors import InputError
from napari_medlabel.geometry.axes import FloatArray
from napari_medlabel.model.landmarks import Point

Kind = Literal[
    "line",
    "angle",
    "bidirectional",
    "curve",
    "closed-curve",
    "ellipse",
    "box",
    "plane",
    "cuboid",
]

FEWEST_AND_MOST: Final[dict[Kind, tuple[int, float]]] = {
    "line": (2, 2),
    "angle": (3, 3),
    "bidirectional": (4, 4),
    "curve": (2, math.inf),
    "closed-curve": (3, math.inf),
    "ellipse": (3, 3),
    "box": (3, 3),
    "plane": (3, 3),
    "cuboid": (4, 4),
}
"""How many points each kind has."""

_CENTRED: Final = ("ellipse", "box", "plane", "cuboid")
_SQUARE_TO_DEG: Final = 1.0
_EQUALLY_LONG: Final = 1e-9  # of a length: what rounding makes of equal axes


@dataclass(frozen=True)
class Measurement:
    """Something that was measured, as its points say it.

    Parameters
    ----------
    name : str
        What people call it, for instance ``"Target 1"``.
    kind : str
        One of `Kind`. The points of each:

        - ``line``: both ends;
        - ``angle``: one arm's end, the corner, the other arm's end;
        - ``bidirectional``: both ends of the long axis, both ends of the short axis, which is
          perpendicular to it within one degree (RECIST 1.1, Eisenhauer 2009);
        - ``curve``, ``closed-curve``: as drawn, joined by straight lines;
        - ``ellipse``, ``box``, ``plane``: the centre and the ends of two half axes;
        - ``cuboid``: the centre and the ends of three half axes.
    points_ras : tuple of tuple of float
        World positions in RAS mm.
    description : str
        A remark.
    locked : bool
        Whether it must not be changed any more.

    Raises
    ------
    InputError
        When the name is empty, or the points are too few, too many, not finite, or do not make
        a thing of that kind.
    """

    name: str
    kind: Kind
    points_ras: tuple[Point, ...]
    description: str = ""
    locked: bool = False

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise InputError(
                "A measurement has no name.", hint="Give every measurement a name."
            )
        if self.kind not in get_args(Kind):
            raise InputError(
                "This kind of measurement is not known.",
                hint=f"Choose one of: {', '.join(get_args(Kind))}.",
            )
        points = tuple((float(p[0]), float(p[1]), float(p[2])) for p in self.points_ras)
        if not all(math.isfinite(v) for point in points for v in point):
            raise InputError(
                "A measurement's points are finite numbers in mm.", hint="Draw it again."
            )
        fewest, most = FEWEST_AND_MOST[self.kind]
        if not fewest <= len(points) <= most:
            wanted = f"{fewest} points" if fewest == most else f"at least {fewest} points"
            raise InputError(
                f"A measurement of the kind {self.kind} has {wanted}; got {len(points)}.",
                hint="Draw it again.",
            )
        object.__setattr__(self, "points_ras", points)
        self._require_form()

    def _require_form(self) -> None:
        points = self.array
        if self.kind == "bidirectional":
            long_axis, short_axis = points[1] - points[0], points[3] - points[2]
            lengths = float(np.linalg.norm(long_axis) * np.linalg.norm(short_axis))
            slant = abs(float(long_axis @ short_axis))
            if lengths > 0 and slant > lengths * math.sin(math.radians(_SQUARE_TO_DEG)):
                raise InputError(
                    "The short axis of a bidirectional measurement is perpendicular to the "
                    "long one, within 1 degree; this one is not.",
                    hint="Draw the short axis again.",
                )
        if self.kind in _CENTRED:
            axes = points[1:] - points[0]
            lengths = float(np.prod(np.linalg.norm(axes, axis=1)))
            gram = float(np.linalg.det(axes @ axes.T))
            if gram <= (1e-6 * lengths) ** 2:
                raise InputError(
                    f"The axes of a measurement of the kind {self.kind} are longer than zero "
                    "and point different ways.",
                    hint="Draw it larger.",
                )

    @property
    def array(self) -> FloatArray:
        """The points in RAS mm, shape (n, 3)."""
        return np.array(self.points_ras, dtype=np.float64)

    @property
    def long_first(self) -> Measurement:
        """The same with the longer axis first, as its kind says; itself where that is so.

        A file, or a hand that pulls at an end, may have made the second one the longer.
        """
        if self.kind != "bidirectional":
            return self
        first, second = np.linalg.norm(self.array[1::2] - self.array[::2], axis=1).tolist()
        if second <= first * (1.0 + _EQUALLY_LONG):
            return self
        return replace(self, points_ras=self.points_ras[2:] + self.points_ras[:2])

    @property
    def is_closed(self) -> bool:
        """Whether `outline_ras` goes back to its first point."""
        return self.kind in ("closed-curve", "ellipse", "box", "plane")

    def outline_ras(self) -> FloatArray:
        """Return what is drawn, shape (n, 3) in RAS mm: for an ellipse 32 points on it.

        A box has 16, four along each side; everything else its own points.
        """
        points = self.array
        if self.kind == "ellipse":
            turn = np.arange(32)[:, None] * (np.pi / 16)
            u, v = points[1:] - points[0]
            ring: FloatArray = points[0] + np.cos(turn) * u + np.sin(turn) * v
            return ring
        if self.kind in ("box", "plane"):
            u, v = points[1:] - points[0]
            corners = points[0] + np.array([-u - v, u - v, u + v, v - u])
            steps = np.arange(4)[:, None] / 4
            sides = [
                a + steps * (b - a)
                for a, b in zip(corners, np.roll(corners, -1, 0), strict=True)
            ]
            return np.concatenate(sides)
        return points


@dataclass(frozen=True)
class MeasurementSet:
    """Measurements in the order in which they were made; names are unique.

    Raises
    ------
    InputError
        When two share a name.
    """

    measurements: tuple[Measurement, ...] = ()

    def __post_init__(self) -> None:
        names = [one.name for one in self.measurements]
        if len(set(names)) != len(names):
            raise InputError(
                "Each measurement has its own name; one name stands twice.",
                hint="Rename one of the two.",
            )

    def __iter__(self) -> Iterator[Measurement]:
        return iter(self.measurements)

    def __len__(self) -> int:
        return len(self.measurements)

    def __contains__(self, name: object) -> bool:
        return any(one.name == name for one in self.measurements)

    def __getitem__(self, name: str) -> Measurement:
        """Return the measurement of a name.

        Raises
        ------
        InputError
            When there is none.
        """
        for one in self.measurements:
            if one.name == name:
                return one
        raise InputError(
            "There is no measurement of that name.", hint="Choose one of the listed ones."
        )

    def with_one(self, new: Measurement) -> MeasurementSet:
        """Return a copy in which the measurement of that name is this one, or has been added.

        Raises
        ------
        InputError
            When one of that name is locked and the new one is anything else.
        """
        if new.name not in self:
            return MeasurementSet((*self.measurements, new))
        _require_unlocked(self[new.name], new)
        return MeasurementSet(
            tuple(new if one.name == new.name else one for one in self.measurements)
        )

    def without(self, name: str) -> MeasurementSet:
        """Return a copy without the measurement of that name.

        Raises
        ------
        InputError
            When it is locked.
        """
        if name in self:
            _require_unlocked(self[name], None)
        return MeasurementSet(tuple(one for one in self.measurements if one.name != name))

    def free_name(self, kind: Kind) -> str:
        """Return a name for the next measurement of a kind: ``"Line 1"``, ``"Line 2"``, ..."""
        word = kind.replace("-", " ").capitalize()
        number = 1
        while f"{word} {number}" in self:
            number += 1
        return f"{word} {number}"


def _require_unlocked(old: Measurement, new: Measurement | None) -> None:
    if old.locked and (new is None or replace(new, locked=True) != old):
        raise InputError(
            "This measurement is locked and stays as it is.", hint="Unlock it first."
        )
