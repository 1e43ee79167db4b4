"""Masks of brains that the user gives, matched with scans by their grids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy.typing as npt

from napari_medlabel.deid.faces.doubt import Doubt, FaceUnsure
from napari_medlabel.errors import InputError
from napari_medlabel.geometry.grid import Grid

SUFFIXES: Final = (".nii", ".nii.gz")


@dataclass(frozen=True)
class BrainMasks:
    """The masks of a folder, by grid; their voxels are read when they are needed.

    Parameters
    ----------
    masks : sequence of (Path, Grid)
        Each file with its grid.
    """

    masks: Sequence[tuple[Path, Grid]] = ()

    def fitting(self, grid: Grid) -> npt.NDArray[Any] | None:
        """Return the mask that lies on a grid, shape (i, j, k); None when there is none.

        A mask made of a scan that was stored the other way round fits too, as long as its
        voxels are the same: axes are turned, nothing is resampled.

        Raises
        ------
        FaceUnsure
            When several lie on it: whose brain it is cannot be told then.
        """
        place = Grid(grid.shape, grid.affine)
        found = [
            (path, turn) for path, at in self.masks if (turn := _turn(place, at)) is not None
        ]
        if not found:
            return None
        if len(found) > 1:
            raise FaceUnsure(Doubt.MASKS_DIFFER)
        path, turn = found[0]
        return turned(_voxels(path), turn)


NO_MASKS: Final = BrainMasks()


def read_masks(folder: Path | None) -> BrainMasks:
    """List the masks of a folder, and of the folders in it.

    Parameters
    ----------
    folder : Path, optional
        Holds NIfTI files of any name; without one there are no masks.

    Raises
    ------
    InputError
        When it is no folder, holds no mask, or a mask cannot be read.
    """
    if folder is None:
        return BrainMasks()
    if not folder.is_dir():
        raise InputError(
            "A folder with masks of brains is expected; there is none of that name.",
            hint="Give the folder that holds the masks as NIfTI files.",
        )
    files = [p for p in sorted(folder.rglob("*")) if p.name.lower().endswith(SUFFIXES)]
    if not files:
        raise InputError(
            "The folder for masks of brains holds no NIfTI file.",
            hint="Save each mask as .nii.gz on the grid of its scan.",
        )
    return BrainMasks(tuple((path, _grid(path, n, len(files))) for n, path in enumerate(files)))


def _grid(path: Path, number: int, count: int) -> Grid:
    from napari_medlabel.io.nifti.reading import inspect

    expected = f"Mask {number + 1} of {count} is not a NIfTI file with one volume of numbers."
    hint = "Save it again as .nii.gz on the grid of its scan."
    try:
        header = inspect(path)
    except InputError as err:
        raise InputError(expected, hint=hint) from err
    if header.said.volumes != 1 or header.is_colour:
        raise InputError(expected, hint=hint)
    return header.grid


def _voxels(path: Path) -> npt.NDArray[Any]:
    import numpy as np

    from napari_medlabel.io.nifti.reading import load

    mask: npt.NDArray[Any] = np.nan_to_num(load(path, hashes=False).array) != 0
    return mask


def _turn(grid: Grid, other: Grid) -> tuple[tuple[int, int, int], tuple[bool, ...]] | None:
    """Which axes of another grid, and which of them reversed, make it this grid."""
    import itertools

    import numpy as np

    for order in itertools.permutations(range(3)):
        if tuple(other.shape[a] for a in order) != grid.shape:
            continue
        for flips in itertools.product((False, True), repeat=3):
            inner = np.zeros((4, 4))
            inner[3, 3] = 1
            for axis, (source, flip) in enumerate(zip(order, flips, strict=True)):
                inner[source, axis] = -1 if flip else 1
                inner[source, 3] = other.shape[source] - 1 if flip else 0
            if not grid.difference(Grid(grid.shape, other.affine @ inner)):
                return (order[0], order[1], order[2]), flips
    return None


def turned(
    mask: npt.NDArray[Any], turn: tuple[tuple[int, int, int], tuple[bool, ...]]
) -> npt.NDArray[Any]:
    """Return a mask with its axes in another order, some of them reversed."""
    order, flips = turn
    return mask.transpose(order)[tuple(slice(None, None, -1 if f else 1) for f in flips)]
