"""What stands on a view and in the line below: slice, millimetres, value, label."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.geometry.axes import OPPOSITE
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.plugin.display import PLANES, Display

_RAS: Final = ("R", "A", "S")
_OBLIQUE_DEG: Final = 0.01
"""From here on a scan is said to be oblique, as in the dock's summary."""
_PLAIN: Final = 1e7
"""Numbers below are said in plain digits."""
_SPLIT: Final = {
    "HU (modified)": ("", "HU (modified)"),
    "optical density / 1000": ("optical density (1/1000)", ""),
    "effective atomic number": ("effective atomic number", ""),
    "electrons 1e23/ml": ("electrons", "x 1e23/ml"),
    "electron density relative to water": ("electron density relative to water", ""),
    "relative dose": ("relative dose", ""),
    "SUVlbm g/ml (James)": ("SUVlbm (James)", "g/ml"),
}
"""Quantities whose last word alone is not their unit: each as name and unit."""


def mm_words(point_ras: npt.ArrayLike) -> str:
    """Say where a point is in the patient: ``"L 12.3  P 4.5  S 30.2 mm"``.

    Parameters
    ----------
    point_ras : array, shape (3,)
        Patient RAS mm.
    """
    parts = []
    for side, mm in zip(_RAS, np.asarray(point_ras, dtype=np.float64), strict=True):
        shown = round(float(mm), 1)
        parts.append(f"{side if shown >= 0 else OPPOSITE[side]} {abs(shown):.1f}")
    return "  ".join(parts) + " mm"


def slice_words(
    display: Display, axis: int, voxel_zyx: tuple[int, int, int], *, oriented: bool = True
) -> str:
    """Say in two lines which slice a view shows: ``"Axial 12/40"``, ``"S 31.5 mm"``.

    Parameters
    ----------
    display : Display
        How the scan is laid out.
    axis : int
        Displayed axis across the view (0 = S, 1 = P, 2 = L).
    voxel_zyx : tuple of int
        The cross-hair. In an oblique scan the millimetres are those of the cross-hair, for a
        slice has no single one there.
    oriented : bool
        Whether sides may be named.
    """
    count = f"{_number(display, axis, voxel_zyx[axis])}/{display.shape[axis]}"
    if display.pictures:
        return f"Picture {count}"
    oblique = display.grid.affine.oblique_deg
    turned = f"\noblique {oblique:.1f}°" if oblique > _OBLIQUE_DEG else ""
    if not oriented:
        return f"{PLANES[axis]} {count}{turned}"
    ras = display.to_ras(voxel_zyx)
    # S, P and L are the third, second and first of RAS.
    mm = round(float(ras[2 - axis]), 1)
    side = _RAS[2 - axis]
    side = side if mm >= 0 else OPPOSITE[side]
    return f"{PLANES[axis]} {count}\n{side} {abs(mm):.1f} mm{turned}"


def _number(display: Display, axis: int, index: int) -> int:
    """Return the slice's number as its files count it, from 1."""
    last = display.shape[axis] - 1
    return (last - index if display.flipped[axis] else index) + 1


def name_and_unit(quantity: str) -> tuple[str, str]:
    """Tell what is measured from its unit: ``("SUVlbm (James)", "g/ml")``, ``("", "HU")``.

    Parameters
    ----------
    quantity : str
        As `Volume.quantity`.
    """
    known = _SPLIT.get(quantity)
    if known is not None:
        return known
    name, _, unit = quantity.rpartition(" ")
    return name, unit


def number_words(number: float) -> str:
    """Say a number in plain digits up to 1e7, to at least four that count: ``"23456.7"``."""
    number = float(number)
    if abs(number) >= _PLAIN:
        return f"{number:.4g}"
    if abs(number) >= 1000:
        return f"{number:.1f}".removesuffix(".0")
    return f"{number:.4g}"


def value_words(value: object, quantity: str = "") -> str:
    """Say a voxel's value with its unit: ``"43 HU"``, ``"SUVbw 1.85 g/ml"``, ``"12 / 40 / 9"``.

    Parameters
    ----------
    value : object
        A number, three of them for a colour, or None where there is none.
    quantity : str
        What it measures, as `Volume.quantity`.
    """
    if value is None:
        return ""
    numbers = np.atleast_1d(np.asarray(value))
    if numbers.size > 1:
        return "RGB " + " / ".join(str(int(n)) for n in numbers[:3])
    number = numbers[0]
    if numbers.dtype.kind in "iub":
        said = str(int(number))
    elif not np.isfinite(number):
        return "no value"
    else:
        said = number_words(number)
    name, unit = name_and_unit(quantity)
    return f"{name} {said} {unit}".strip()


def label_words(labels: LabelMap, voxel_ijk: tuple[int, int, int]) -> str:
    """Say which label a voxel has: ``"3 Spleen"``; empty for none and outside."""
    if not is_inside(labels.array.shape, voxel_ijk):
        return ""
    value = int(labels.array[voxel_ijk])
    if value == 0:
        return ""
    if value not in labels.scheme.values:
        return str(value)
    return f"{value} {labels.scheme[value].name}"


def is_inside(shape: tuple[int, ...], voxel: tuple[int, int, int]) -> bool:
    """Tell whether an index lies in an array."""
    return all(0 <= v < n for v, n in zip(voxel, shape[:3], strict=True))


def status_words(
    display: Display,
    labels: LabelMap,
    point_zyx: npt.ArrayLike,
    value: Any,
    *,
    quantity: str = "",
    oriented: bool = True,
) -> str:
    """Say what is under the mouse: place in the patient, voxel, value and label.

    Parameters
    ----------
    display : Display
        How the scan is laid out.
    labels : LabelMap
        The mask.
    point_zyx : array, shape (3,)
        Displayed data coordinates, fractional voxels.
    value : object
        Of the voxel there, None where there is none.
    quantity : str
        What it measures.
    oriented : bool
        Whether sides may be named.
    """
    i, j, k = (int(v) for v in np.rint(display.index_ijk(point_zyx)))
    if not is_inside(display.grid.shape, (i, j, k)):
        return ""
    parts = []
    if oriented and not display.pictures:
        parts.append(mm_words(display.to_ras(point_zyx)))
    parts.append(f"voxel {i}, {j}, {k}")
    parts.append(value_words(value, quantity))
    parts.append(label_words(labels, (i, j, k)) or "no label")
    return "   |   ".join(part for part in parts if part)
