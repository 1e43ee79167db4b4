"""Marks that were found in a file: labels, points, contours and probabilities on a scan."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import InputError
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.model.landmarks import Landmark, LandmarkSet

_LARGEST: Final = 65535
_ONE_OR_MANY: Final = re.compile(r"\(([^|()]*)\|([^|()]*)\)")
_NO_POINTS: Final = LandmarkSet()
SIDES: Final = {"24028007": "right", "7771000": "left", "G-A100": "right", "G-A101": "left"}
"""SNOMED CT's and SNOMED RT's codes of a modifier that says the side (PS3.16 CID 244)."""
# A hue for each class that has none of its own; far enough apart for a dozen of them.
_COLOURS: Final = (
    "#d65f5f",
    "#4878d0",
    "#6acc64",
    "#ee854a",
    "#956cb4",
    "#d5bb67",
    "#82c6e2",
    "#dc7ec0",
    "#8c613c",
    "#797979",
)


@dataclass(frozen=True, eq=False, repr=False)
class Contour:
    """A planar outline or a line in the patient.

    Parameters
    ----------
    name : str
        What it outlines.
    colour : str
        ``#rrggbb``.
    points_ras : ndarray, shape (n, 3)
        World positions in RAS mm, in drawing order.
    is_closed : bool
        Whether the last point is joined to the first.
    """

    name: str
    colour: str
    points_ras: npt.NDArray[np.float64]
    is_closed: bool

    def __repr__(self) -> str:
        form = "closed" if self.is_closed else "open"
        return f"Contour({len(self.points_ras)} points, {form})"


@dataclass(frozen=True, eq=False, repr=False)
class Probability:
    """How likely each voxel belongs to a class, or how much of it does.

    Parameters
    ----------
    name : str
        The class.
    array : ndarray of uint8, shape (i, j, k)
        On the scan's grid; the fraction is ``array / largest``.
    largest : int
        Maximum Fractional Value: what stands for one.
    is_occupancy : bool
        Whether the fraction is the share of the voxel (OCCUPANCY) and not a probability.
    """

    name: str
    array: npt.NDArray[np.uint8]
    largest: int
    is_occupancy: bool

    def __repr__(self) -> str:
        return f"Probability({'x'.join(map(str, self.array.shape))}, of {self.largest})"

    def fractions(self) -> npt.NDArray[np.float32]:
        """Return the fractions from 0 to 1, float32, shape (i, j, k)."""
        return self.array.astype(np.float32) / np.float32(self.largest)


@dataclass(frozen=True, eq=False, repr=False)
class Marks:
    """What a file of marks says about one scan.

    Parameters
    ----------
    kind : str
        ``"SEG"``, ``"RTSTRUCT"``, ``"SR"``, ``"NRRD segmentation"``, ``"NIfTI mask"``,
        ``"NRRD mask"``, ``"MetaImage mask"``, ``"COCO"`` or ``"overlay"``.
    labels : tuple of LabelMap
        On the scan's grid; more than one only where classes overlap.
    landmarks : LandmarkSet
        Points in RAS mm.
    contours : tuple of Contour
        Outlines and lines in RAS mm.
    probabilities : tuple of Probability
        Of fractional segmentations, on the scan's grid.
    warnings : tuple of str
        Doubts in words, without names or values of the file.
    """

    kind: str
    labels: tuple[LabelMap, ...] = ()
    landmarks: LandmarkSet = _NO_POINTS
    contours: tuple[Contour, ...] = ()
    probabilities: tuple[Probability, ...] = ()
    warnings: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return (
            f"Marks({self.kind}, {len(self.labels)} label maps, {len(self.landmarks)} points, "
            f"{len(self.contours)} contours)"
        )


OVERLAP: Final = (
    "Classes overlap: they are shown as {} label layers, because a layer holds one class for "
    "each voxel."
)


def counted(count: int, sentence: str) -> str:
    """Return a sentence about some things, right for one and for many.

    Parameters
    ----------
    count : int
        How many there are.
    sentence : str
        With ``{}`` for the count and ``(one|many)`` for each word that changes.
    """
    found = _ONE_OR_MANY.sub(lambda m: m[1] if count == 1 else m[2], sentence)
    return found.format(count)


def overlap_warning(label_maps: Sequence[LabelMap]) -> tuple[str, ...]:
    """Say that classes overlap where there is more than one label map."""
    return (OVERLAP.format(len(label_maps)),) if len(label_maps) > 1 else ()


class NameList:
    """Gives each thing a name of its own: "Node", "Node (2)", and a fallback for nothing."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def own(self, name: object, fallback: str) -> str:
        """Return a name that was not given yet.

        Parameters
        ----------
        name : object
            What the file says; may be None or empty.
        fallback : str
            Used then.
        """
        plain = " ".join(str(name or "").replace("\0", " ").split()) or fallback
        unique, number = plain, 1
        while unique in self._taken:
            number += 1
            unique = f"{plain} ({number})"
        self._taken.add(unique)
        return unique


def landmarks_of(named: Iterable[tuple[str, npt.NDArray[np.float64]]]) -> LandmarkSet:
    """Build a set from names and points (3,) in RAS mm; names that occur twice are numbered."""
    names = NameList()
    return LandmarkSet(
        tuple(
            Landmark(names.own(name, "Point"), (float(p[0]), float(p[1]), float(p[2])))
            for name, p in named
        )
    )


def label_values(numbers: Sequence[int | None]) -> list[int]:
    """Return a label value for each number: itself where all can be, else 1, 2, 3, ..."""
    known = [n for n in numbers if n is not None and 1 <= n <= _LARGEST]
    if len(known) == len(numbers) == len(set(known)):
        return known
    if len(numbers) > _LARGEST:
        raise InputError(
            f"A mask holds at most {_LARGEST} classes; the file has {len(numbers)}.",
            hint="Split it into several files.",
        )
    return list(range(1, len(numbers) + 1))


def fallback_colour(value: int) -> str:
    """Return a colour for the class of a value that the file gives none."""
    return _COLOURS[(value - 1) % len(_COLOURS)]


def colour_of(rgb: Iterable[float] | None, value: int) -> str:
    """Return ``#rrggbb`` of three numbers from 0 to 255, else a colour for the value."""
    parts = [] if rgb is None else [float(c) for c in rgb]
    if len(parts) != 3 or not all(0 <= c <= 255 for c in parts):
        return fallback_colour(value)
    return "#" + "".join(f"{round(c):02x}" for c in parts)


def lab_to_rgb(lab: Sequence[Any]) -> tuple[float, float, float]:
    """Return sRGB, 0 to 255, of a Recommended Display CIELab Value (PS3.3 C.10.7.1.1).

    Parameters
    ----------
    lab : sequence of int
        L*, a*, b* scaled to 0 to 65535; PCS values with a D50 white point.
    """
    lightness = float(lab[0]) / 65535.0 * 100.0
    a, b = (float(v) / 65535.0 * 255.0 - 128.0 for v in (lab[1], lab[2]))
    y = (lightness + 16.0) / 116.0
    f = np.array([y + a / 500.0, y, y - b / 200.0])
    white_d50 = np.array([0.9642, 1.0, 0.8249])
    xyz = white_d50 * np.where(f > 6.0 / 29.0, f**3, 3.0 * (6.0 / 29.0) ** 2 * (f - 4.0 / 29.0))
    # XYZ of D50 to linear sRGB, Bradford adapted.
    linear = (
        np.array(
            [
                [3.1338561, -1.6168667, -0.4906146],
                [-0.9787684, 1.9161415, 0.0334540],
                [0.0719453, -0.2289914, 1.4052427],
            ]
        )
        @ xyz
    ).clip(0.0, 1.0)
    srgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    red, green, blue = (float(c) * 255.0 for c in srgb)
    return red, green, blue
