"""What the axes of an NRRD file are: space, colours, times, volumes of other kinds.

teem.sourceforge.net/nrrd/format.html, sections on per-axis fields and on orientation. Nothing
is guessed: axes that the header leaves open are refused.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

from napari_medlabel.errors import InputError
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.description import UNORIENTED
from napari_medlabel.io.itk.header import AGAIN, LENGTHS_MM, Role, checked_affine, numbers

_VECTOR: Final = re.compile(r"none|\(([^()]*)\)")
_QUOTED: Final = re.compile(r'"([^"]*)"')
_ORIENTED: Final = {
    "left-posterior-superior": (1.0, True),
    "lps": (1.0, True),
    "right-anterior-superior": (1.0, False),
    "ras": (1.0, False),
    "left-anterior-superior": (-1.0, False),
    "las": (-1.0, False),
}
"""For each space: by what its first coordinate is turned, and whether that gives LPS."""
_OPEN: Final = ("scanner-xyz", "3d-right-handed", "3d-left-handed")
_SHORT_TIME: Final = {"rast": "ras", "last": "las", "lpst": "lps"}
_SPACE_KINDS: Final = ("domain", "space", "???", "none", "")
_COLOURS: Final = {"rgb-color": 3, "3-color": 3, "rgba-color": 4, "4-color": 4}
_VECTORS: Final = ("vector", "covariant-vector", "3-vector")
_UNREAD_COLOURS: Final = ("hsv-color", "xyz-color")
_TIMES: Final = {"s": "s", "sec": "s", "seconds": "s", "ms": "ms", "msec": "ms", "us": "us"}

Axis = tuple[str, str, tuple[float, ...]]


@dataclass(frozen=True)
class NrrdAxes:
    """What the axes mean.

    Parameters
    ----------
    grid : Grid
        Of the spatial ones.
    spatial : tuple of int
        Which they are.
    other : int or None
        The one that is not.
    role : str
        What that is, as in `ItkHeader`.
    axis : tuple or None
        As in `Description`.
    warnings : tuple of str
        Doubts in words.
    slices : str
        As in `Volume`.
    """

    grid: Grid
    spatial: tuple[int, ...]
    other: int | None
    role: Role
    axis: Axis | None
    warnings: tuple[str, ...]
    slices: Literal["places", "pictures"]


def understand(
    fields: dict[str, str], keys: dict[str, str], sizes: tuple[int, ...], dtype: np.dtype[Any]
) -> NrrdAxes:
    """Tell the axes apart.

    Parameters
    ----------
    fields, keys : dict
        The header's fields and key-value pairs.
    sizes : tuple of int
        Of all axes, the fastest first.
    dtype : dtype
        Of one number.

    Raises
    ------
    InputError
        When they are not two or three of space and at most one other.
    """
    warnings: list[str] = []
    kinds = _per_axis(fields, "kinds", len(sizes))
    vectors = _vectors(fields, len(sizes))
    spacings = [_number(word) for word in _per_axis(fields, "spacings", len(sizes), "nan")]
    spatial = _spatial(kinds, vectors, spacings, "spacings" in fields)
    others = [n for n in range(len(sizes)) if n not in spatial and sizes[n] > 1]
    if len(spatial) not in (2, 3) or len(others) > 1:
        raise InputError(
            f"Three axes of space and at most one other are expected; the file has "
            f"{len(spatial)} and {len(others)}.",
            hint="Split it into one file per series of volumes.",
        )
    shape = (*(sizes[n] for n in spatial), 1)[:3]
    if vectors is None:
        matrix = _plain(fields, [spacings[n] for n in spatial], spatial, warnings)
        affine = checked_affine(matrix, is_lps=True)
    else:
        affine = _oriented(fields, [vectors[n] for n in spatial], warnings)
    role: Role = "none"
    axis = None
    if others:
        role = _role(kinds[others[0]], sizes[others[0]], dtype, warnings)
        if role == "volumes":
            axis = _axis(fields, keys, others[0], sizes[others[0]], spacings, vectors)
    return NrrdAxes(
        grid=Grid((shape[0], shape[1], shape[2]), affine),
        spatial=tuple(spatial),
        other=others[0] if others else None,
        role=role,
        axis=axis,
        warnings=tuple(warnings),
        slices="pictures" if len(spatial) == 2 and UNORIENTED in warnings else "places",
    )


def _per_axis(fields: dict[str, str], name: str, count: int, default: str = "") -> list[str]:
    text = fields.get(name)
    if text is None:
        return [default] * count
    words = [word.lower() for word in text.split()]
    if len(words) != count:
        raise InputError(
            f"The header's {name} are not one for each of its axes.",
            hint=AGAIN,
        )
    return words


def _number(word: str) -> float:
    return numbers(word, 1, "spacings")[0]


def _vectors(fields: dict[str, str], count: int) -> list[list[float] | None] | None:
    """Return the direction of each axis, None for axes without; None without directions."""
    text = fields.get("space directions")
    if text is None:
        return None
    found = list(_VECTOR.finditer(text))
    if len(found) != count or _VECTOR.sub("", text).strip():
        raise InputError(
            "The header's space directions are not one for each of its axes.", hint=AGAIN
        )
    size = _space_size(fields)
    return [
        None if one[1] is None else numbers(one[1].replace(",", " "), size, "space directions")
        for one in found
    ]


def _space_name(fields: dict[str, str]) -> str:
    name = fields.get("space", "").lower()
    return _SHORT_TIME.get(name, name.removesuffix("-time"))


def _space_size(fields: dict[str, str]) -> int:
    name = fields.get("space", "").lower()
    if name:
        return 4 if name.endswith("-time") or name in _SHORT_TIME else 3
    size = fields.get("space dimension", "")
    if size not in ("2", "3", "4"):
        raise InputError(
            "The header has space directions, but no space of two, three or four dimensions.",
            hint=AGAIN,
        )
    return int(size)


def _spatial(
    kinds: list[str],
    vectors: list[list[float] | None] | None,
    spacings: list[float],
    are_spaced: bool,
) -> list[int]:
    count = len(kinds)
    if vectors is not None:
        return [n for n, one in enumerate(vectors) if one is not None and any(one[:3])]
    free = [n for n in range(count) if kinds[n] in _SPACE_KINDS]
    if are_spaced and len(free) > 3:
        free = [n for n in free if math.isfinite(spacings[n])]
    if len(free) > 3:
        raise InputError(
            f"The header does not say which of its {count} axes are those of space.",
            hint="Save it again with kinds or space directions.",
        )
    return free


def _plain(
    fields: dict[str, str], steps: list[float], spatial: list[int], warnings: list[str]
) -> Any:
    """Return a matrix of voxel sizes alone, as ITK lays them: along L, P and S."""
    warnings.append(UNORIENTED)
    if not all(math.isfinite(step) for step in steps):
        warnings.append("The header lacks voxel sizes: 1 mm is assumed.")
        steps = [step if math.isfinite(step) else 1.0 for step in steps]
    names = _QUOTED.findall(fields.get("units", ""))
    units = [names[n] for n in spatial if n < len(names)]
    matrix = np.eye(4)
    for n, (step, factor) in enumerate(
        zip(steps, _factors(units, len(steps), warnings), strict=True)
    ):
        matrix[n, n] = abs(step) * factor
    if len(steps) == 2:
        warnings.append("One picture: it has no thickness and no place along the third axis.")
    return matrix


def _oriented(
    fields: dict[str, str], vectors: list[list[float] | None], warnings: list[str]
) -> Any:
    matrix = np.eye(4)
    given = [[*(one or ()), 0.0][:3] for one in vectors]
    for n, one in enumerate(given):
        matrix[:3, n] = one
    size = _space_size(fields)
    factors = _factors(_QUOTED.findall(fields.get("space units", ""))[:3], 3, warnings)
    matrix[:3] *= np.array(factors)[:, None]
    if len(given) == 2:
        normal = np.cross(matrix[:3, 0], matrix[:3, 1])
        length = float(np.linalg.norm(normal))
        matrix[:3, 2] = normal / length if length > 0 else (0, 0, 1)
        warnings.append("One slice, whose thickness the header does not say: 1 mm is assumed.")
    origin = fields.get("space origin")
    if origin is None:
        warnings.append("The header has no origin: the place in the patient is unknown.")
    else:
        text = origin.strip("() ").replace(",", " ")
        place = [*numbers(text, size, "origin"), 0.0][:3]
        matrix[:3, 3] = np.array(place) * factors
    name = _space_name(fields)
    if name in _ORIENTED:
        turn, is_lps = _ORIENTED[name]
        matrix[0] *= turn
        return checked_affine(matrix, is_lps=is_lps)
    if name and name not in _OPEN:
        raise InputError("The header's space is not one that NRRD knows.", hint=AGAIN)
    warnings.append(UNORIENTED)
    return checked_affine(matrix, is_lps=True)


def _factors(units: list[str], count: int, warnings: list[str]) -> list[float]:
    """Return how many mm each unit is; mm where nothing is said."""
    known = [LENGTHS_MM.get(unit.strip().lower()) for unit in units if unit.strip()]
    if None in known:
        warnings.append("The unit of length is unknown; millimetres are assumed.")
        return [1.0] * count
    if any(factor != 1.0 for factor in known):
        warnings.append("The header is in another unit of length; converted to millimetres.")
    factors = [LENGTHS_MM.get(unit.strip().lower(), 1.0) for unit in units]
    return [*factors, *[1.0] * count][:count]


def _role(kind: str, size: int, dtype: np.dtype[Any], warnings: list[str]) -> Role:
    if kind in _UNREAD_COLOURS:
        raise InputError(
            "The file's colours are not red, green and blue.", hint="Convert it to RGB."
        )
    if kind == "complex" and size == 2:
        return "complex"
    is_byte = dtype.str[1:] == "u1"
    if is_byte and (_COLOURS.get(kind) == size or (kind in _VECTORS and size == 3)):
        return "colour"
    if kind not in ("time", "list", "domain", "space"):
        warnings.append(f"Each voxel holds {size} numbers: they are shown as {size} volumes.")
    return "volumes"


def _axis(
    fields: dict[str, str],
    keys: dict[str, str],
    axis: int,
    size: int,
    spacings: list[float],
    vectors: list[list[float] | None] | None,
) -> Axis:
    """Name what the volumes differ in: b-values of DWMRI, listed values, or times."""
    b_values = _b_values(keys, size)
    if b_values:
        return "b-value", "s/mm2", b_values
    units = _QUOTED.findall(fields.get("units", ""))
    unit = _TIMES.get(units[axis].strip().lower(), "") if axis < len(units) else ""
    if (
        vectors is not None and vectors[axis] is not None
    ):  # (0, 0, 0, step) in a space with time
        steps = _QUOTED.findall(fields.get("space units", ""))
        unit = _TIMES.get(steps[3].strip().lower(), "") if len(steps) > 3 else unit
        step = (vectors[axis] or [math.nan])[-1]
    else:
        step = spacings[axis]
    listed = _listed(keys.get(f"axis {axis} index values", ""), size)
    if listed:
        return ("time", unit, listed) if unit else ("volume", "", listed)
    if unit and math.isfinite(step) and step > 0:
        return "time", unit, tuple(round(n * step, 9) for n in range(size))
    return "volume", "", tuple(float(n) for n in range(size))


def _listed(text: str, size: int) -> tuple[float, ...]:
    try:
        values = tuple(float(word) for word in text.split())
    except ValueError:  # words, not numbers: then the volumes are only counted
        return ()
    return values if len(values) == size and all(map(math.isfinite, values)) else ()


def _b_values(keys: dict[str, str], size: int) -> tuple[float, ...]:
    """Return b-values: the nominal one times the square of each gradient's length.

    www.na-mic.org/wiki/NAMIC_Wiki:DTI:Nrrd_format
    """
    nominal = _listed(keys.get("DWMRI_b-value", ""), 1)
    gradients = [_listed(keys.get(f"DWMRI_gradient_{n:04d}", ""), 3) for n in range(size)]
    if not nominal or not all(gradients):
        return ()
    squares = [sum(part * part for part in one) for one in gradients]
    longest = max(squares)
    if longest <= 0:
        return ()
    return tuple(round(nominal[0] * square / longest, 3) for square in squares)
