"""Stored numbers -> values: a line or a table, and the type that holds them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import InputError
from napari_medlabel.io.dicom.pixels.coding import Coding
from napari_medlabel.io.voxels import smallest_whole

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Linear:
    """``value = stored * slope + intercept`` for stored values from ``first`` to ``last``.

    Values beyond have no meaning: they become NaN.
    """

    slope: float
    intercept: float
    first: float = -math.inf
    last: float = math.inf

    @property
    def is_whole(self) -> bool:
        """Whether whole numbers stay whole, and all of them have a meaning."""
        return self.slope.is_integer() and self.intercept.is_integer() and not self.is_closed

    @property
    def is_closed(self) -> bool:
        """Whether some stored values have no meaning."""
        return not (math.isinf(self.first) and math.isinf(self.last))


@dataclass(frozen=True, eq=False, slots=True)
class Table:
    """``value = entries[stored - first]``; beyond the ends the last entry, or NaN if closed."""

    first: int
    entries: Array
    is_closed: bool = False


Scaling = Linear | Table


@lru_cache(maxsize=4096)
def linear(
    slope: float, intercept: float, first: float = -math.inf, last: float = math.inf
) -> Linear:
    """Return one object for equal scalings: thousands of slices share a few."""
    return Linear(float(slope), float(intercept), first, last)


def result_type(codings: Sequence[Coding], scalings: Sequence[Scaling]) -> np.dtype[Any]:
    """Choose the smallest dtype that holds all values exactly, else float32.

    Parameters
    ----------
    codings, scalings : sequence
        One pair for each plane, or for each different pair.

    Raises
    ------
    InputError
        When values are beyond what float32 holds.
    """
    ends: list[int] = []
    for coding, scaling in set(zip(codings, scalings, strict=True)):
        if coding.floats:
            return np.dtype(np.float32)
        if isinstance(scaling, Table):
            if scaling.is_closed or scaling.entries.dtype.kind == "f":
                return np.dtype(np.float32)
            ends += [int(scaling.entries.min()), int(scaling.entries.max())]
        elif not scaling.is_whole:
            _require_finite(coding, scaling)
            return np.dtype(np.float32)
        elif (scaling.slope, scaling.intercept) == (1.0, 0.0):
            limits = np.iinfo(coding.dtype)
            ends += [int(limits.min), int(limits.max)]
        else:
            _require_finite(coding, scaling)
            ends += [int(end * scaling.slope + scaling.intercept) for end in coding.ends]
    if max(abs(end) for end in ends) >= 1 << 32:
        return np.dtype(np.float32)
    return smallest_whole(min(ends), max(ends))


def _require_finite(coding: Coding, scaling: Linear) -> None:
    ends = [end * scaling.slope + scaling.intercept for end in coding.ends]
    if max(abs(end) for end in ends) > float(np.finfo(np.float32).max):
        raise InputError(
            "Rescale Slope or Rescale Intercept is absurdly large.",
            hint="The header is damaged; ask for stored values.",
        )


def apply(scaling: Scaling, stored: Array, target: Array) -> bool:
    """Write the values of stored numbers.

    Parameters
    ----------
    scaling : Linear or Table
        What they mean.
    stored : ndarray
        Numbers as stored.
    target : ndarray
        Of the same shape; filled. Computed in float64 and rounded once.

    Returns
    -------
    bool
        Whether every stored number has a meaning.
    """
    if isinstance(scaling, Table):
        index = stored.astype(np.int64) - scaling.first
        np.copyto(
            target,
            scaling.entries[np.clip(index, 0, len(scaling.entries) - 1)],
            casting="unsafe",
        )
        outside = (index < 0) | (index >= len(scaling.entries)) if scaling.is_closed else None
    else:
        if (scaling.slope, scaling.intercept) == (1.0, 0.0):
            with np.errstate(over="ignore"):  # doubles that float32 cannot hold are told of
                np.copyto(target, stored, casting="unsafe")
        else:
            scaled = stored * np.float64(scaling.slope)
            scaled += scaling.intercept
            np.copyto(target, scaled, casting="unsafe")
        outside = None
        if scaling.is_closed:
            outside = (stored < scaling.first) | (stored > scaling.last)
    if outside is None or not outside.any():
        return True
    target[outside] = np.nan
    return False
