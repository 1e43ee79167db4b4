"""A grid of half the resolution, back and forth; all arrays are (i, j, k), Fortran-like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_medlabel.edit.finite import numbers_in
from napari_medlabel.edit.patch import LabelArray

BoolArray = npt.NDArray[np.bool_]


def factors_for(shape: Sequence[int], spacing_mm: Sequence[float]) -> tuple[int, int, int]:
    """Halve the axes that stay near the coarsest spacing; all when all are equal."""
    coarsest = max(
        mm for mm, n in zip(spacing_mm, shape, strict=True) if n > 1 or max(shape) == 1
    )
    fine = [2 * mm <= 1.5 * coarsest for mm in spacing_mm]
    i, j, k = (
        2 if n > 1 and (is_fine or not any(fine)) else 1
        for n, is_fine in zip(shape, fine, strict=True)
    )
    return i, j, k


def averaged(image: npt.NDArray[Any], factors: tuple[int, int, int]) -> npt.NDArray[Any]:
    """Return the mean of each coarse voxel, float32; a last odd plane counts twice.

    Voxels without a number are left out of it; a coarse voxel of nothing else has none.
    """
    finite = numbers_in(image)
    if finite is not None:
        return _averaged_numbers(image, finite, factors)
    out = image.T
    for axis, factor in enumerate(factors[::-1]):
        if factor == 1:
            continue
        first = np.moveaxis(out, axis, 0)[0::2]
        second = np.moveaxis(out, axis, 0)[1::2]
        total = first.astype(np.float32)
        total[: len(second)] += second
        total[: len(second)] *= np.float32(0.5)
        out = np.moveaxis(total, 0, axis)
    return np.ascontiguousarray(out, dtype=np.float32).T


def _averaged_numbers(
    image: npt.NDArray[Any], finite: BoolArray, factors: tuple[int, int, int]
) -> npt.NDArray[Any]:
    weight = averaged(finite.T.astype(np.float32).T, factors)
    total = averaged(np.where(finite.T, image.T, 0).astype(np.float32).T, factors)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: npt.NDArray[Any] = (total.T / weight.T).T
    return mean


def plane_of(
    array: npt.NDArray[Any], factors: tuple[int, int, int], shape: Sequence[int], k: int
) -> npt.NDArray[Any]:
    """Return one slice k of a coarse array on the fine grid of a shape (i, j, k), (j, i)."""
    out: npt.NDArray[Any] = array.T[k // factors[2]]
    for axis, (factor, n) in enumerate(zip(factors[1::-1], shape[1::-1], strict=True)):
        if factor == 2:
            out = np.repeat(out, 2, axis=axis)
            out = out[(slice(None),) * axis + (slice(0, n),)]
    return out


def band_of(labels: LabelArray) -> BoolArray:
    """Return the voxels within two of a border between labels."""
    part = labels.T
    band = np.zeros(part.shape, dtype=bool)
    for axis in range(3):
        ahead, behind = _pair(part, axis)
        differs = ahead != behind
        to_ahead, to_behind = _pair(band, axis)
        to_ahead |= differs
        to_behind |= differs
    return (band | next_to(band.T).T).T


def next_to(mask: BoolArray) -> BoolArray:
    """Return the voxels that touch a mask by a face and are not in it."""
    part = mask.T
    out = np.zeros(part.shape, dtype=bool)
    for axis in range(3):
        ahead, behind = _pair(part, axis)
        to_ahead, to_behind = _pair(out, axis)
        to_ahead |= behind
        to_behind |= ahead
    out &= ~part
    return out.T


def _pair(array: npt.NDArray[Any], axis: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    moved = np.moveaxis(array, axis, 0)
    return moved[1:], moved[:-1]
