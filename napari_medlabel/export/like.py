"""A volume in another file's voxel order: axes exchanged and flipped, never resampled."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import GeometryError
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.model.volume import Volume

_TOLERANCE_VOXELS: Final = 0.01


@dataclass(frozen=True)
class Turn:
    """How axes are exchanged and flipped.

    Parameters
    ----------
    order : tuple of int
        For each axis of the result, the axis of the source that it is.
    flips : tuple of bool
        For each axis of the result, whether it runs the other way.
    """

    order: tuple[int, int, int]
    flips: tuple[bool, bool, bool]

    def apply(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Turn the first three axes of an array; the result is a view."""
        turned = array.transpose((*self.order, *range(3, array.ndim)))
        steps = tuple(slice(None, None, -1 if flip else 1) for flip in self.flips)
        return turned[steps]


def turn_onto(grid: Grid, reference: Grid) -> Turn:
    """Find the exchange of axes that puts one grid's voxels on another's.

    Parameters
    ----------
    grid : Grid
        Of the volume.
    reference : Grid
        The wanted order.

    Raises
    ------
    GeometryError
        When there is none within a hundredth of a voxel.
    """
    mapped = np.linalg.solve(grid.affine.matrix, reference.affine.matrix)
    whole = np.rint(mapped[:3, :3])
    is_turn = bool(
        (np.abs(whole).sum(axis=0) == 1).all() and (np.abs(whole).sum(axis=1) == 1).all()
    )
    if not is_turn:
        raise GeometryError(
            "The axes of the file given with --like lie otherwise or have another spacing than "
            "the volume's.",
            hint="Only a file of the same scan can be followed; nothing is resampled.",
        )
    order = tuple(int(np.argmax(np.abs(whole[:, axis]))) for axis in range(3))
    flips = tuple(bool(whole[order[axis], axis] < 0) for axis in range(3))
    if tuple(grid.shape[axis] for axis in order) != reference.shape:
        raise GeometryError(
            f"The file given with --like has {_times(reference.shape)} voxels, the volume "
            f"{_times(tuple(grid.shape[axis] for axis in order))} in that order.",
            hint="Only a file of the same scan can be followed; nothing is cropped or padded.",
        )
    start = np.zeros(3)
    for axis in range(3):
        start[order[axis]] = grid.shape[order[axis]] - 1 if flips[axis] else 0
    meant = Grid(reference.shape, grid.affine @ _matrix(whole, start))
    there, wanted = (grid.affine.to_index(g.corners_ras()) for g in (meant, reference))
    apart = np.abs(there - wanted).max()
    if not apart <= _TOLERANCE_VOXELS:
        raise GeometryError(
            f"The voxels of the file given with --like lie up to {apart:.3g} voxels beside the "
            f"volume's; at most {_TOLERANCE_VOXELS} are followed.",
            hint="Only a file of the same scan can be followed; nothing is resampled.",
        )
    return Turn((order[0], order[1], order[2]), (flips[0], flips[1], flips[2]))


def turn_volume(volume: Volume, reference: Grid) -> Volume:
    """Return a volume with its voxels in another grid's order and exactly on that grid.

    Raises
    ------
    GeometryError
        When the grids are not the same up to exchanged and flipped axes.
    """
    if volume.slices == "pictures":
        raise GeometryError(
            "The images have no place in the patient, so no other file's order can be "
            "followed.",
            hint="Convert them without --like.",
        )
    turn = turn_onto(volume.grid, reference)
    further = volume.further
    if further is not None:
        further = replace(further, array=turn.apply(np.asarray(further.array)))
    missing, count = volume.missing, volume.grid.shape[2]
    if missing and turn.flips[turn.order.index(2)]:
        missing = tuple(sorted(count - 1 - k for k in missing))
    return replace(
        volume,
        grid=Grid(reference.shape, reference.affine, volume.grid.frame_of_reference),
        array=turn.apply(volume.array),
        source=replace(volume.source, header=None),
        further=further,
        colour=None if volume.colour is None else turn.apply(volume.colour),
        missing=missing if turn.order[2] == 2 else (),
    )


def _matrix(linear: npt.NDArray[np.float64], start: npt.NDArray[np.float64]) -> Any:
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = linear, start
    return matrix


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(str(n) for n in shape)
