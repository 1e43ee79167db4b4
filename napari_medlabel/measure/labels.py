"""Measures of segmentations: volumes in ml and the Dice coefficient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.model.labelmap import LabelMap


def dice(first: npt.NDArray[Any], second: npt.NDArray[Any]) -> float:
    """Dice coefficient of two regions (Dice 1945): twice the overlap over the sum of sizes.

    Parameters
    ----------
    first, second : ndarray of bool, same shape
        The regions.

    Returns
    -------
    float
        0 to 1; 1 when both are empty.

    Raises
    ------
    GeometryError
        When the shapes differ.
    """
    if first.shape != second.shape:
        raise GeometryError(
            f"Two masks to compare have one shape; got {first.shape} and {second.shape}.",
            hint="Compare masks of the same scan.",
        )
    a, b = first.T.astype(bool), second.T.astype(bool)
    total = int(np.count_nonzero(a)) + int(np.count_nonzero(b))
    return 2.0 * int(np.count_nonzero(a & b)) / total if total else 1.0


@dataclass(frozen=True)
class LabelChange:
    """What differs between two states of one mask.

    Parameters
    ----------
    added, removed, changed : int
        Voxels that were background before, that are background now, and that differ at all.
    slices : tuple of int
        Slices k in which something differs.
    labels : tuple of int
        Values that came or went, background left out.
    """

    added: int
    removed: int
    changed: int
    slices: tuple[int, ...]
    labels: tuple[int, ...]


def label_change(before: npt.NDArray[Any], after: npt.NDArray[Any]) -> LabelChange:
    """Compare two states of one mask, a slice at a time.

    Parameters
    ----------
    before, after : ndarray, shape (i, j, k)
        Labels.

    Raises
    ------
    GeometryError
        When the shapes differ.
    """
    if before.shape != after.shape:
        raise GeometryError(
            f"Two states of one mask have one shape; got {before.shape} and {after.shape}.",
            hint="Compare masks of the same scan.",
        )
    added = removed = changed = 0
    slices: list[int] = []
    labels: set[int] = set()
    for k, (old, new) in enumerate(zip(before.T, after.T, strict=True)):
        differ = old != new
        if not differ.any():
            continue
        was, now = old[differ], new[differ]
        slices.append(k)
        changed += was.size
        added += int(np.count_nonzero(was == 0))
        removed += int(np.count_nonzero(now == 0))
        labels.update(int(v) for part in (was, now) for v in np.unique(part))
    return LabelChange(added, removed, changed, tuple(slices), tuple(sorted(labels - {0})))


def volumes_ml(counts: dict[int, int], grid: Grid) -> dict[int, float]:
    """Turn voxel counts by label value into millilitres."""
    return {value: n * grid.affine.voxel_ml for value, n in counts.items()}


def pole_ras(labels: LabelMap, value: int, *, upper: bool) -> tuple[float, float, float]:
    """Return the middle of a label's highest or lowest layer of voxels, RAS mm.

    Parameters
    ----------
    labels : LabelMap
        The mask.
    value : int
        Which label.
    upper : bool
        The pole nearest the head, or nearest the feet.

    Raises
    ------
    InputError
        When no voxel has that label.
    """
    hits = np.argwhere(labels.array == value)
    if not len(hits):
        raise InputError(
            f"No voxel has the label {value}, so it has no pole.",
            hint="Segment it first, or choose another label.",
        )
    points = labels.grid.affine.apply(hits)
    height = points[:, 2]
    edge = height.max() if upper else height.min()
    x, y, z = points[np.isclose(height, edge)].mean(axis=0)
    return float(x), float(y), float(z)
