"""Voxels without a number (NaN, infinite): one rule for all tools that look at the image.

Padding of registered, PET and parametric images holds them. Such a voxel is never like another
one, never in a range and never an extremum; statistics and averages leave it out; and what
follows edges (growing, refining, the live wire) takes it for the lowest number there is, as the
air around the patient.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import InputError

BoolArray = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]


def numbers_in(image: npt.NDArray[Any]) -> BoolArray | None:
    """Return which voxels hold a number; None when all do.

    Parameters
    ----------
    image : ndarray, any shape
        Intensities.
    """
    if image.dtype.kind not in "fc" or not image.size:
        return None
    # Both ends are numbers only when everything between them is; this takes no memory.
    with np.errstate(invalid="ignore"):
        if np.isfinite(image.T.min()) and np.isfinite(image.T.max()):
            return None
    finite: BoolArray = np.isfinite(image.T).T
    return finite


def only_numbers(image: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the intensities of the voxels that hold a number, flat, in memory order."""
    finite = numbers_in(image)
    flat: npt.NDArray[Any] = image.T.reshape(-1) if finite is None else image.T[finite.T]
    return flat


def lowest(image: npt.NDArray[Any]) -> float:
    """Return the lowest number of an image of fractions; 0 for whole numbers or without any."""
    finite = numbers_in(image)
    if finite is None:
        return float(image.T.min()) if image.size and image.dtype.kind == "f" else 0.0
    return float(np.min(image.T, where=finite.T, initial=np.inf)) if finite.any() else 0.0


def as_floats(image: npt.NDArray[Any], low: float | None = None) -> Floats:
    """Return an image as float32, its voxels without a number at the lowest one.

    Parameters
    ----------
    image : ndarray, any shape
        Intensities of any type, float16 and bool among them.
    low : float, optional
        What they are taken for, when this is a part of a larger image.

    Returns
    -------
    ndarray of float32, of the same memory order
        A new array. What is beyond float32 counts as having no number.
    """
    with np.errstate(over="ignore"):
        floats: Floats = np.array(image.T, dtype=np.float32, order="C").T
    finite = numbers_in(floats)
    if finite is not None:
        floats.T[~finite.T] = lowest(floats) if low is None else low
    return floats


def averaged(image: npt.NDArray[Any], average: Callable[[Floats], Floats]) -> Floats:
    """Return an average over neighbours that leaves out voxels without a number.

    Parameters
    ----------
    image : ndarray, any shape
        Intensities.
    average : callable
        Any weighted mean of neighbours, the same at every voxel.

    Returns
    -------
    ndarray of float32
        NaN where a voxel has no number, or nothing around it has.

    Notes
    -----
    H. Knutsson and C.-F. Westin, Normalized convolution, CVPR 1993, 515.
    """
    finite = numbers_in(image)
    if finite is None:
        return average(as_floats(image))
    weight = average(finite.astype(np.float32))
    total = average(as_floats(np.where(finite, image, 0)))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / weight
    out: Floats = np.where(finite & (weight > 0), mean, np.nan).astype(np.float32)
    return out


def need_number(value: float) -> None:
    """Refuse a voxel, chosen by a person, that holds no number.

    Raises
    ------
    InputError
        When it is NaN or infinite.
    """
    if not np.isfinite(value):
        raise InputError(
            "The voxel clicked holds no number: it lies in the padding of the image, or on a "
            "slice that no file holds.",
            hint="Click where the image shows something.",
        )
