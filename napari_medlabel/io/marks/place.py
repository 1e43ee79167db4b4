"""Where a frame or a block of voxels lies on a scan's grid: exactly, or nowhere.

Nothing is resampled: voxels of a mask are moved as they are, turned and flipped where its axes
lie along the scan's in another order, or the mask is refused.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import GeometryError
from napari_medlabel.geometry.axes import FloatArray
from napari_medlabel.geometry.grid import SAME_PLACE_MM, Grid
from napari_medlabel.model.labelmap import LabelMap, LabelScheme

Array = npt.NDArray[Any]
Where = tuple[slice, slice, slice]
_SAME_VOXEL: Final = 0.01
_WIDEST: Final = 0.1


@dataclass(frozen=True)
class Spot:
    """How a block's axes lie on a grid's.

    Parameters
    ----------
    axes : tuple of int
        For each axis of the block the axis of the grid along which it runs.
    flipped : tuple of bool
        For each axis of the block whether it runs against it.
    where : tuple of slice
        The part of the grid that the block covers, in the grid's axes.
    """

    axes: tuple[int, int, int]
    flipped: tuple[bool, bool, bool]
    where: Where

    def turned(self, block: Array) -> Array:
        """Return a view of a block with the grid's axes and directions."""
        straight = block[tuple(slice(None, None, -1 if f else 1) for f in self.flipped)]
        return straight.transpose(np.argsort(self.axes))


def tolerance(grid: Grid) -> FloatArray:
    """Return how far apart along i, j and k, in voxels, two places are still the same.

    A hundredth of a voxel, or `SAME_PLACE_MM` where that is more, but never more than a tenth.
    """
    return np.clip(SAME_PLACE_MM / np.array(grid.affine.spacing_mm), _SAME_VOXEL, _WIDEST)


def find_spot(
    grid: Grid, matrix_ras: FloatArray, shape: tuple[int, int, int]
) -> tuple[Spot | None, FloatArray]:
    """Find a block of voxels on a grid.

    Parameters
    ----------
    grid : Grid
        The scan's.
    matrix_ras : ndarray, shape (4, 4)
        Index of the block to RAS mm.
    shape : tuple of int
        Size of the block.

    Returns
    -------
    spot : Spot or None
        None where the axes do not run along the grid's, voxel by voxel; the block may still
        reach out of the grid.
    apart : ndarray, shape (3,)
        How far its corners lie from the grid's voxels at most, in voxels along i, j and k.
    """
    to_grid = np.linalg.solve(grid.affine.matrix, matrix_ras)
    steps = to_grid[:3, :3]
    axes = tuple(int(a) for a in np.abs(steps).argmax(axis=0))
    nowhere = np.full(3, np.inf)
    if sorted(axes) != [0, 1, 2] or not np.isfinite(to_grid).all():
        return None, nowhere
    ideal = np.zeros((3, 3))
    for n, axis in enumerate(axes):
        ideal[axis, n] = np.sign(steps[axis, n])
    start = np.rint(to_grid[:3, 3])
    if np.abs(start).max() > 1e9:
        return None, nowhere
    corners = np.array(list(itertools.product(*((0, n - 1) for n in shape))), dtype=float)
    came = corners @ steps.T + to_grid[:3, 3]
    due = corners @ ideal.T + start
    apart = np.abs(came - due).max(axis=0)
    low, high = due.min(axis=0), due.max(axis=0)
    where = tuple(slice(int(a), int(b) + 1) for a, b in zip(low, high, strict=True))
    flipped = tuple(bool(ideal[axis, n] < 0) for n, axis in enumerate(axes))
    return (
        Spot(
            (axes[0], axes[1], axes[2]),
            (flipped[0], flipped[1], flipped[2]),
            (where[0], where[1], where[2]),
        ),
        apart,
    )


def is_inside(grid: Grid, where: Where) -> bool:
    """Tell whether a part lies within the grid."""
    return all(w.start >= 0 and w.stop <= n for w, n in zip(where, grid.shape, strict=True))


def place(block: Array, of_block: Grid, grid: Grid, *, what: str) -> tuple[Array, bool]:
    """Put a mask on a scan's grid.

    Parameters
    ----------
    block : ndarray, shape (i, j, k)
        The mask.
    of_block : Grid
        Where it lies. Its axes may run along the scan's in any order and direction, and it may
        cover a part only; what reaches out of the scan must be background.
    grid : Grid
        The scan's.
    what : str
        What it is, for the message.

    Returns
    -------
    array : ndarray, shape (i, j, k)
        On the scan's grid: the block itself where it is that already, else a (k, j, i) buffer.
    is_part : bool
        Whether it covers less than the scan.

    Raises
    ------
    GeometryError
        When it does not lie on the scan.
    """
    if not grid.difference(of_block):
        return block, False
    known = grid.frame_of_reference, of_block.frame_of_reference
    spot, apart = find_spot(grid, of_block.affine.matrix, of_block.shape)
    if (None not in known and known[0] != known[1]) or (
        spot is None or np.any(apart > tolerance(grid))
    ):
        grid.require_same(of_block, what=what)
    if spot is None:  # pragma: no cover - the line above raised; this tells the type checker
        raise GeometryError(f"The {what} does not lie on this scan.")
    turned = spot.turned(block)
    inner = tuple(
        slice(max(0, -w.start), max(0, -w.start, min(w.stop, n) - w.start))
        for w, n in zip(spot.where, grid.shape, strict=True)
    )
    kept = turned[inner]
    if kept.size < turned.size and np.count_nonzero(kept) < np.count_nonzero(turned):
        raise GeometryError(
            f"The {what} does not lie on this scan: it reaches out of it.",
            hint=f"Open the scan this {what} was made on. A {what} is never cut silently.",
        )
    out = np.zeros(grid.shape[::-1], block.dtype).T
    target = tuple(
        slice(w.start + s.start, w.start + s.stop)
        for w, s in zip(spot.where, inner, strict=True)
    )
    out[target] = kept
    return out, kept.size < grid.size


Pieces = Callable[[], Iterator[tuple[Where, Array]]]


class Layers:
    """Label maps that are filled class by class; one that covers another opens a further map.

    Parameters
    ----------
    grid : Grid
        The scan's.
    dtype : dtype
        uint8 or uint16.
    """

    def __init__(self, grid: Grid, dtype: np.dtype[Any]) -> None:
        self._grid = grid
        self._dtype = dtype
        self._arrays: list[Array] = []
        self._values: list[list[int]] = []

    def put(self, value: int, pieces: Pieces) -> None:
        """Add a class.

        Parameters
        ----------
        value : int
            Its value, new to these maps.
        pieces : callable
            Returns an iterator over parts of the grid and the voxels that belong to the class
            there (bool, of that part's shape). Called again where the class overlaps.
        """
        for array, values in zip(self._arrays, self._values, strict=True):
            if _fits(array, value, pieces):
                values.append(value)
                return
        array = np.zeros(self._grid.shape[::-1], self._dtype).T
        self._arrays.append(array)
        self._values.append([value])
        for where, mask in pieces():
            np.copyto(array[where], value, where=mask)

    def label_maps(self, scheme: LabelScheme) -> tuple[LabelMap, ...]:
        """Return the maps, each with the classes that are in it."""
        if len(self._arrays) <= 1:
            array = (
                self._arrays[0]
                if self._arrays
                else np.zeros(self._grid.shape[::-1], self._dtype).T
            )
            return (LabelMap(self._grid, array, scheme),)
        return tuple(
            LabelMap(
                self._grid,
                array,
                LabelScheme(
                    scheme.name, tuple(one for one in scheme.labels if one.value in values)
                ),
            )
            for array, values in zip(self._arrays, self._values, strict=True)
        )


def _fits(array: Array, value: int, pieces: Pieces) -> bool:
    """Write a class where no other is; take it back and return False where one is."""
    touched: list[Where] = []
    for where, mask in pieces():
        view = array[where]
        touched.append(where)
        there = view[mask]
        if np.any((there != 0) & (there != value)):
            for earlier in touched:
                again = array[earlier]
                again[again == value] = 0
            return False
        np.copyto(view, value, where=mask)
    return True
