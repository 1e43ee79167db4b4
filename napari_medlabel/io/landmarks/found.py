"""What a file of landmarks holds, and what all readers share: frames, names, numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from napari_medlabel.errors import InputError
from napari_medlabel.geometry.axes import flip_lps_ras
from napari_medlabel.model.landmarks import Landmark, LandmarkSet, Point
from napari_medlabel.model.measurements import MeasurementSet

Frame = Literal["LPS", "RAS"]
_TOLD: Final = 5  # so many renames are told by name
_FRAMES: Final[dict[str, Frame]] = {"LPS": "LPS", "RAS": "RAS", "1": "LPS", "0": "RAS"}
"""As Slicer's files name them; RAS is 0 and LPS 1 in its older ones."""


@dataclass(frozen=True, eq=False)
class Reading:
    """What was read from a file.

    Parameters
    ----------
    form : str
        The format: ``"mrk.json"``, ``"fcsv"``, ``"table"`` or ``"mps"``.
    frame : str
        The axes of the file's own numbers, ``"LPS"`` or ``"RAS"``; what was read is in RAS mm.
    landmarks : LandmarkSet
        The points.
    measurements : MeasurementSet
        Lines, angles, curves, planes and regions.
    notes : tuple of str
        What a person should know of it: what was assumed, renamed or left out.
    document : object or None
        For Markups the whole document, so that what is not understood can be written again.
    """

    form: str
    frame: Frame
    landmarks: LandmarkSet
    measurements: MeasurementSet
    notes: tuple[str, ...] = ()
    document: Any = None


@dataclass
class Notes:
    """Sentences about a file, each counted and said once."""

    _counts: dict[str, int] = field(default_factory=dict)

    def add(self, sentence: str) -> None:
        """Note something; ``{}`` in the sentence becomes how often it was noted."""
        self._counts[sentence] = self._counts.get(sentence, 0) + 1

    def all(self) -> tuple[str, ...]:
        """Return the sentences in the order in which they first came."""
        return tuple(text.format(n) for text, n in self._counts.items())


class OwnNames:
    """Gives each thing a name of its own and leaves names as they are where it can.

    Parameters
    ----------
    notes : Notes
        Hears of names that are made.
    names : iterable of str
        All names of the file: none of them is given to a thing that has it not.
    """

    def __init__(self, notes: Notes, names: Iterable[str] = ()) -> None:
        self._taken: set[str] = set()
        self._numbers: dict[str, int] = {}
        self._reserved = frozenset(names)
        self._notes = notes

    def own(self, name: str, fallback: str) -> str:
        """Return a name that was not given yet; the fallback where there is none."""
        made = not name.strip()
        if made:
            self._notes.add("Points without a name are numbered: {}.")
            name = fallback
        unique, number, first = name, 1, self._numbers.get(name, 1)
        while unique in self._taken or (made and unique in self._reserved):
            number, made = max(number, first) + 1, True
            unique = f"{name} ({number})"
        if number > 1:
            self._notes.add("A name stands more than once; its repeats are numbered: {}.")
        self._numbers[name] = number
        self._taken.add(unique)
        return unique


def renames_in_words(before: Iterable[Landmark], after: Iterable[Landmark]) -> str:
    """Say which landmarks have got other names; empty where none has.

    Parameters
    ----------
    before, after : iterable of Landmark
        The same landmarks in the same order.
    """
    told = [
        f"{old.name} -> {new.name}"
        for old, new in zip(before, after, strict=True)
        if old.name != new.name
    ]
    if not told:
        return ""
    more = f" and {len(told) - _TOLD} more" if len(told) > _TOLD else ""
    return f"Named by acronym or description: {', '.join(told[:_TOLD])}{more}."


def frame_of(said: object) -> Frame:
    """Return the frame that a file names: LPS, RAS, 0 (RAS) or 1 (LPS).

    Raises
    ------
    InputError
        When it names another one.
    """
    frame = _FRAMES.get(str(said).strip().upper())
    if frame is None:
        raise InputError(
            "Landmarks are in LPS or RAS; the file names another coordinate system.",
            hint="Save the point list again in 3D Slicer.",
        )
    return frame


def unknown_frame() -> InputError:
    """Return what is said of a file that does not tell its axes."""
    return InputError(
        "The file does not say whether its positions are in LPS or RAS, and the two differ by "
        "a half turn about the body's long axis.",
        hint="Say it with --frame LPS or --frame RAS, or name the columns l, p, s or r, a, s.",
    )


def to_ras(values: Iterable[Any], frame: Frame) -> Point:
    """Return a file's three numbers in mm as a point in RAS mm.

    Raises
    ------
    ValueError, TypeError
        When they are not three finite numbers.
    """
    x, y, z = (_number(v) for v in values)
    if frame == "LPS":
        x, y, z = (float(v) for v in flip_lps_ras((x, y, z)))
    return x, y, z


def _number(value: Any) -> float:
    if isinstance(value, bool):
        raise TypeError
    if "_" in str(value):  # which Python would take for 1000 in 1_000
        raise ValueError
    number = float(value)
    if not math.isfinite(number):
        raise ValueError
    return number


def note_origins(marks: Iterable[Landmark], notes: Notes) -> None:
    """Note points that lie exactly at the origin: some programs write them for missing ones."""
    for mark in marks:
        if mark.point_ras == (0.0, 0.0, 0.0):
            notes.add(
                "{} placed at exactly (0, 0, 0): some programs write that for a point that is "
                "missing."
            )


def flag(row: Mapping[str, Any], key: str, default: bool) -> bool:
    """Return a flag that a file writes as true, "1", 0 or "False"."""
    value = row.get(key)
    if value is None or str(value).strip().lower() in ("", "n/a"):
        return default
    return str(value).strip().lower() not in ("0", "false", "no", "0.0")
