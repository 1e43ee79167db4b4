"""A small picture of one slice, as a reader of films would hold it: for choosing a series."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.geometry.affine import Affine

LARGEST: Final = 128
"""Rows and columns of a thumbnail at most."""

_DARKEST, _BRIGHTEST = 1.0, 99.0  # percentiles, where no window is known


@dataclass(frozen=True)
class Picture:
    """One slice, ready to be shown small.

    Parameters
    ----------
    array_ji : ndarray, shape (j, i)
        Grey values.
    affine : Affine or None
        Of the volume, to hold the picture upright; None where it has no place.
    spacing_mm : tuple of float
        Distance between columns, between rows.
    window : tuple of float or None
        Centre and width.
    is_inverted : bool
        Whether low values are bright.
    """

    array_ji: npt.NDArray[Any]
    affine: Affine | None
    spacing_mm: tuple[float, float]
    window: tuple[float, float] | None = None
    is_inverted: bool = False


def draw(picture: Picture) -> npt.NDArray[np.uint8]:
    """Return the thumbnail: grey, upright, in the right proportions.

    Parameters
    ----------
    picture : Picture
        The slice.

    Returns
    -------
    ndarray of uint8, shape (rows, columns)
        At most `LARGEST` each.
    """
    down, right = picture.spacing_mm[1], picture.spacing_mm[0]
    height, width = (
        n * mm for n, mm in zip(picture.array_ji.shape, (down, right), strict=True)
    )
    scale = LARGEST / max(height, width)
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    grey = _windowed(_shrunk(picture.array_ji, size), picture.window)
    if picture.is_inverted:
        grey = 255 - grey
    return np.ascontiguousarray(upright(grey, picture.affine))


def upright(array_ji: npt.NDArray[Any], affine: Affine | None) -> npt.NDArray[Any]:
    """Turn and flip a slice (j, i): head or front up, the patient's right or front left."""
    if affine is None:
        return array_ji
    across, down = affine.axis_codes[0], affine.axis_codes[1]
    vertical = "SI" if {across, down} & set("SI") else "AP"
    if across in vertical:
        array_ji, across, down = array_ji.T, down, across
    if across in "RA":
        array_ji = array_ji[:, ::-1]
    return array_ji[::-1] if down in "SA" else array_ji


def _shrunk(array_ji: npt.NDArray[Any], size: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Average down, or repeat up, to a size."""
    values = np.nan_to_num(array_ji.astype(np.float32), posinf=0.0, neginf=0.0)
    for axis, wanted in enumerate(size):
        count = values.shape[axis]
        if wanted >= count:
            values = np.take(values, np.arange(wanted) * count // wanted, axis=axis)
            continue
        starts = np.arange(wanted) * count // wanted
        lengths = np.diff(starts, append=count)
        sums = np.add.reduceat(values, starts, axis=axis)
        values = sums / (lengths[:, None] if axis == 0 else lengths[None, :])
    return values.astype(np.float32)


def _windowed(
    values: npt.NDArray[np.float32], window: tuple[float, float] | None
) -> npt.NDArray[np.uint8]:
    if window is None:
        low, high = (float(v) for v in np.percentile(values, (_DARKEST, _BRIGHTEST)))
    else:
        low, high = window[0] - window[1] / 2, window[0] + window[1] / 2
    span = high - low if high > low else 1.0
    grey: npt.NDArray[np.uint8] = np.rint(np.clip((values - low) / span, 0, 1) * 255).astype(
        np.uint8
    )
    return grey
