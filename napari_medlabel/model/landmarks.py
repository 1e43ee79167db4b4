"""Landmarks: named points in the patient, in RAS mm, and the templates that name them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from napari_medlabel.errors import InputError

Point = tuple[float, float, float]


@dataclass(frozen=True)
class Landmark:
    """A named point.

    Parameters
    ----------
    name : str
        What it is, for instance ``"Nasion"``.
    point_ras : tuple of float or None
        World position in RAS mm; None while it has not been placed.
    description : str
        What to look for, or why it is missing.

    Raises
    ------
    InputError
        When the name is empty or the point not finite.
    """

    name: str
    point_ras: Point | None = None
    description: str = ""

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise InputError("A landmark has no name.", hint="Give every landmark a name.")
        if self.point_ras is not None:
            point = tuple(float(v) for v in self.point_ras)
            if len(point) != 3 or not all(math.isfinite(v) for v in point):
                raise InputError(
                    "A landmark's position is three finite numbers in mm.",
                    hint="Place the landmark again.",
                )
            object.__setattr__(self, "point_ras", point)

    @property
    def is_placed(self) -> bool:
        """Whether it has a position."""
        return self.point_ras is not None


@dataclass(frozen=True)
class LandmarkSet:
    """Landmarks in the order they are placed; names are unique.

    Raises
    ------
    InputError
        When two landmarks share a name.
    """

    landmarks: tuple[Landmark, ...] = ()

    def __post_init__(self) -> None:
        names = [mark.name for mark in self.landmarks]
        if len(set(names)) != len(names):
            raise InputError(
                "Each landmark of a set has its own name; one name stands twice.",
                hint="Rename one of the two.",
            )

    def __iter__(self) -> Iterator[Landmark]:
        return iter(self.landmarks)

    def __len__(self) -> int:
        return len(self.landmarks)

    def __contains__(self, name: object) -> bool:
        return any(mark.name == name for mark in self.landmarks)

    def __getitem__(self, name: str) -> Landmark:
        """Return the landmark of a name.

        Raises
        ------
        InputError
            When there is none.
        """
        for mark in self.landmarks:
            if mark.name == name:
                return mark
        raise InputError(
            "The set has no landmark of that name.", hint="Choose one of the listed landmarks."
        )

    @property
    def placed(self) -> tuple[Landmark, ...]:
        """Those with a position, in order."""
        return tuple(mark for mark in self.landmarks if mark.is_placed)

    @property
    def next_name(self) -> str | None:
        """The first that has no position yet, or None."""
        return next((mark.name for mark in self.landmarks if not mark.is_placed), None)

    def with_point(self, name: str, point_ras: Point | None) -> LandmarkSet:
        """Return a copy in which one landmark is placed, moved, or unplaced (None).

        A name that the set does not have is added at the end.
        """
        if name not in self:
            return LandmarkSet((*self.landmarks, Landmark(name, point_ras)))
        return LandmarkSet(
            tuple(
                replace(mark, point_ras=point_ras) if mark.name == name else mark
                for mark in self.landmarks
            )
        )

    def without(self, name: str) -> LandmarkSet:
        """Return a copy without the landmark of that name."""
        return LandmarkSet(tuple(mark for mark in self.landmarks if mark.name != name))

    def merged_into(self, template: LandmarkSet) -> LandmarkSet:
        """Return the template's landmarks with these positions, then the rest of these."""
        known = {mark.name: mark for mark in self.landmarks}
        kept = tuple(
            replace(mark, point_ras=known[mark.name].point_ras) if mark.name in known else mark
            for mark in template
        )
        rest = tuple(mark for mark in self.landmarks if mark.name not in template)
        return LandmarkSet(kept + rest)


def template_from_json(data: object) -> LandmarkSet:
    """Build a template, landmarks without positions, from plain data.

    Parameters
    ----------
    data : object
        ``{"landmarks": [{"name": ..., "description": ...}, ...]}``.

    Raises
    ------
    InputError
        When the data has another form.
    """
    try:
        if not isinstance(data, Mapping):
            raise TypeError  # noqa: TRY301 - joins what a wrong form raises by itself
        rows: list[Mapping[str, Any]] = list(data["landmarks"])
        return LandmarkSet(
            tuple(
                Landmark(str(row["name"]), None, str(row.get("description", "")))
                for row in rows
            )
        )
    except (KeyError, TypeError, AttributeError) as err:
        raise InputError(
            "This is not a landmark template: expected a list of landmarks with names.",
            hint="See docs/reference/files.md for an example.",
        ) from err
