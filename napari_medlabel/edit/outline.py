"""Outlines drawn in a slice: which voxel centres they enclose, and filling them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_medlabel.edit.label_value import of_mask
from napari_medlabel.edit.masking import BoolArray
from napari_medlabel.edit.patch import Box
from napari_medlabel.edit.scene import Proposal, Scene, slab
from napari_medlabel.errors import InputError

FloatArray = npt.NDArray[np.float64]


def polygon(shape2d: Sequence[int], points_uv: npt.ArrayLike) -> BoolArray:
    """Return which pixel centres a closed outline encloses, by the even-odd rule.

    Centres on the outline count as enclosed, so a mirrored outline encloses the mirrored
    pixels. Decided by the sign of a cross product at each centre, not by a rounded crossing.

    Parameters
    ----------
    shape2d : sequence of int
        Number of pixels along u and v, the axes 0 and 1 of the slice.
    points_uv : array_like, shape (n, 2)
        Corners in fractional pixels, whole numbers at pixel centres; the last one is joined to
        the first. They may lie outside the slice.

    Returns
    -------
    ndarray of bool, shape ``shape2d``

    Raises
    ------
    InputError
        When there are fewer than 3 corners, or one is not a finite number.
    """
    corners = np.asarray(points_uv, dtype=np.float64).reshape(-1, 2)
    if len(corners) < 3:
        raise InputError(
            f"An outline has at least 3 corners; got {len(corners)}.",
            hint="Draw further before closing it.",
        )
    if not np.isfinite(corners).all():
        raise InputError(
            "A corner of the outline is nowhere.", hint="Draw inside the shown slice."
        )
    n_u, n_v = int(shape2d[0]), int(shape2d[1])
    following = np.roll(corners, -1, axis=0)
    # Every edge goes up in u; its rows are u0 <= u < u1, so that corners count once.
    up = (corners[:, 0] <= following[:, 0])[:, None]
    low, high = np.where(up, corners, following), np.where(up, following, corners)
    first = np.clip(np.ceil(low[:, 0]), 0, n_u).astype(np.intp)
    last = np.clip(np.ceil(high[:, 0]), 0, n_u).astype(np.intp)
    edge = np.repeat(np.arange(len(corners)), last - first)
    begins = np.cumsum(last - first) - (last - first)
    row = np.arange(edge.size) - begins[edge] + first[edge]
    column = _first_right_of(low[edge], high[edge], row)
    toggles = np.zeros((n_u, n_v + 1), dtype=np.uint8)
    np.add.at(toggles, (row, np.clip(column, 0, n_v)), 1)
    inside: BoolArray = (np.cumsum(toggles[:, :n_v], axis=1, dtype=np.uint8) & 1).astype(bool)
    _add_rim(inside, low, high)
    return inside


def _first_right_of(
    low: FloatArray, high: FloatArray, row: npt.NDArray[np.intp]
) -> npt.NDArray[np.intp]:
    """Return the first column whose centre lies on or right of an edge, in a row it crosses."""
    run = high - low
    guess = low[:, 1] + (row - low[:, 0]) * (run[:, 1] / run[:, 0])
    column = np.ceil(np.clip(guess, -1e9, 1e9)).astype(np.intp)

    def is_right(at: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
        side: npt.NDArray[np.bool_] = (at - low[:, 1]) * run[:, 0] >= (row - low[:, 0]) * run[
            :, 1
        ]
        return side

    column = np.where(is_right(column - 1), column - 1, column)
    return np.where(is_right(column), column, column + 1)


def _add_rim(inside: BoolArray, low: FloatArray, high: FloatArray) -> None:
    """Add the centres that lie on an edge exactly."""
    ends = np.concatenate((low, high))
    is_centre = np.all((ends == np.floor(ends)) & (ends >= 0) & (ends < inside.shape), axis=1)
    inside[tuple(ends[is_centre].astype(np.intp).T)] = True
    for swap in (False, True):
        # Walked along rows, then along columns: a flat edge is seen by the second.
        a, b = (low[:, ::-1], high[:, ::-1]) if swap else (low, high)
        up = (a[:, 0] <= b[:, 0])[:, None]
        a, b = np.where(up, a, b), np.where(up, b, a)
        n_row, n_column = inside.shape[::-1] if swap else inside.shape
        first = np.clip(np.ceil(a[:, 0]), 0, n_row).astype(np.intp)
        last = np.clip(np.floor(b[:, 0]) + 1, 0, n_row).astype(np.intp)
        count = np.where(a[:, 0] < b[:, 0], np.maximum(last - first, 0), 0)
        edge = np.repeat(np.arange(len(a)), count)
        row = np.arange(edge.size) - (np.cumsum(count) - count)[edge] + first[edge]
        run, rise = (b - a)[edge], row - a[edge, 0]
        column = np.floor(
            np.clip(a[edge, 1] + rise * (run[:, 1] / run[:, 0]), -1, n_column) + 0.5
        ).astype(np.intp)
        on = (column - a[edge, 1]) * run[:, 0] == rise * run[:, 1]
        on &= (column >= 0) & (column < n_column)
        place = (column[on], row[on]) if swap else (row[on], column[on])
        inside[place] = True


def enclosed(points_ijk: npt.ArrayLike, axis: int, *, within: Box) -> BoolArray:
    """Return which pixels of a box an outline encloses, seen along a voxel axis.

    Parameters
    ----------
    points_ijk : array_like, shape (n, 3)
        Corners in fractional voxels; their part along ``axis`` is not looked at.
    axis : int
        Voxel axis across the slice.
    within : tuple of slice
        Box (i, j, k) that is asked about.

    Returns
    -------
    ndarray of bool, shape (i, j, k)
        One voxel thick along ``axis``, for broadcasting over the box.

    Raises
    ------
    InputError
        As in `polygon`.
    """
    corners = np.asarray(points_ijk, dtype=np.float64).reshape(-1, 3)
    u, v = (a for a in range(3) if a != axis)
    size = [within[a].stop - within[a].start for a in (u, v)]
    origin = [within[a].start for a in (u, v)]
    flat = polygon(size, corners[:, [u, v]] - origin)
    return np.expand_dims(flat, axis)


def fill_outline(
    scene: Scene,
    points_ijk: npt.ArrayLike,
    axis: int,
    value: int,
    *,
    slices: int = 1,
    erase: bool = False,
) -> Proposal | None:
    """Give what a closed outline encloses one label, or take that label away there.

    Parameters
    ----------
    scene : Scene
        What is worked on.
    points_ijk : array_like, shape (n, 3)
        Corners in fractional voxels, as drawn on one slice.
    axis : int
        Voxel axis across the slice.
    value : int
        The label. With ``erase``, the only one that is erased; 0 erases all.
    slices : int
        Through how many slices it goes; the middle one is the slice drawn on.
    erase : bool
        Whether the label is taken away.

    Returns
    -------
    Proposal or None
        None when nothing would change.

    Raises
    ------
    InputError
        When the outline has fewer than 3 corners, or lies on no slice of the scan.
    """
    corners = np.asarray(points_ijk, dtype=np.float64).reshape(-1, 3)
    if len(corners) < 3 or not np.isfinite(corners).all():
        polygon((1, 1), corners[:, :2])  # says what is wrong
    index = int(np.floor(np.median(corners[:, axis]) + 0.5))
    parts = list(slab(scene.shape, axis, index, slices))
    for a in range(3):
        if a != axis:
            low, high = corners[:, a].min(), corners[:, a].max()
            n = scene.shape[a]
            start = int(np.clip(np.ceil(low), 0, n))
            parts[a] = slice(start, int(np.clip(np.floor(high) + 1, start, n)))
    box = parts[0], parts[1], parts[2]
    if any(part.start >= part.stop for part in box):
        return None
    inside = enclosed(corners, axis, within=box)
    name = "Erase outline" if erase else "Fill outline"
    return scene.propose(
        box,
        relabelled(scene.labels[box], inside, value, erase=erase),
        name=name,
        values=(value,),
    )


def relabelled(
    before: npt.NDArray[Any], inside: BoolArray, value: int, *, erase: bool
) -> npt.NDArray[Any]:
    """Return labels with one given to a region, or taken from it.

    Parameters
    ----------
    before : ndarray, shape (i, j, k)
        Labels.
    inside : ndarray of bool
        The region, of a shape that broadcasts to the labels'.
    value : int
        The label to give, or the one to take away, 0 for every one.
    erase : bool
        Whether it is taken away.

    Raises
    ------
    InputError
        When the mask has no such label.
    """
    if erase:
        gone = inside.T & (value == before.T) if value else inside.T
        return np.where(gone, before.dtype.type(0), before.T).T
    return np.where(inside.T, of_mask(value, before.dtype), before.T).T
