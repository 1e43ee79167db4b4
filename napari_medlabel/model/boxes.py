"""Bounding boxes in 3D: whole voxels of the scan's grid, and their size in mm."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from napari_medlabel.errors import InputError
from napari_medlabel.geometry.axes import FloatArray
from napari_medlabel.geometry.grid import Grid

Index = tuple[int, int, int]
_KIND: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")


@dataclass(frozen=True, order=True)
class Box3D:
    """A box of voxels.

    Parameters
    ----------
    id : int
        From 1; never used twice in a set.
    kind : str
        Id of a kind of box, or of a label, in the study's ontology.
    start : tuple of int
        First voxel (i, j, k).
    stop : tuple of int
        One after the last voxel, along each axis.
    value : int
        Value of the label that it is about; 0 for none.

    Raises
    ------
    InputError
        When it holds no voxel, or id, kind or value are none.
    """

    id: int
    kind: str
    start: Index
    stop: Index
    value: int = 0

    def __post_init__(self) -> None:
        corners: tuple[object, ...] = (*self.start, *self.stop)
        if len(corners) != 6 or not all(map(_is_whole, corners)):
            raise InputError(
                "A box has two corners of three whole numbers.", hint="Draw it again."
            )
        if any(a < 0 or a >= b for a, b in zip(self.start, self.stop, strict=True)):
            raise InputError(
                "A box holds at least one voxel, and begins at 0 or above.",
                hint="Draw it larger.",
            )
        if self.id < 1 or self.value < 0 or not _KIND.fullmatch(self.kind):
            raise InputError(
                "A box has a number from 1, and the id of a kind: small letters, digits, _.",
                hint="Choose a kind of the study's ontology.",
            )

    @property
    def shape(self) -> Index:
        """Voxels along i, j and k."""
        i, j, k = (b - a for a, b in zip(self.start, self.stop, strict=True))
        return i, j, k

    @property
    def slices(self) -> tuple[slice, slice, slice]:
        """The box as slices into an (i, j, k) array."""
        i, j, k = (slice(a, b) for a, b in zip(self.start, self.stop, strict=True))
        return i, j, k

    def size_mm(self, grid: Grid) -> tuple[float, float, float]:
        """Return its length along i, j and k in mm, from face to face."""
        i, j, k = (n * mm for n, mm in zip(self.shape, grid.affine.spacing_mm, strict=True))
        return i, j, k

    def volume_mm3(self, grid: Grid) -> float:
        """Return its volume in mm³."""
        return float(np.prod(self.shape)) * grid.affine.voxel_ml * 1000.0

    def corners_ijk(self) -> FloatArray:
        """Return its eight corners in voxels, shape (8, 3): a voxel reaches 0.5 each way.

        Corner n is at the far end along axis a where bit a of n is set.
        """
        low, high = np.array(self.start) - 0.5, np.array(self.stop) - 0.5
        far = np.array([[n >> axis & 1 for axis in range(3)] for n in range(8)])
        corners: FloatArray = np.where(far, high, low).astype(np.float64)
        return corners

    def centre_ras(self, grid: Grid) -> tuple[float, float, float]:
        """Return its middle in RAS mm."""
        x, y, z = (float(v) for v in grid.affine.apply(self.corners_ijk().mean(axis=0)))
        return x, y, z

    def is_within(self, shape: Index) -> bool:
        """Tell whether it lies inside an array of a shape (i, j, k)."""
        return all(b <= n for b, n in zip(self.stop, shape, strict=True))


@dataclass(frozen=True)
class BoxSet:
    """Boxes of one scan in the order in which they were drawn; ids are unique.

    Raises
    ------
    InputError
        When two share an id.
    """

    boxes: tuple[Box3D, ...] = ()

    def __post_init__(self) -> None:
        ids = [box.id for box in self.boxes]
        if len(set(ids)) != len(ids):
            raise InputError(
                "Each box of a scan has its own number; one stands twice.",
                hint="Take one of the two away.",
            )

    def __iter__(self) -> Iterator[Box3D]:
        return iter(self.boxes)

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, number: int) -> Box3D:
        """Return the box of an id.

        Raises
        ------
        InputError
            When there is none.
        """
        for box in self.boxes:
            if box.id == number:
                return box
        raise InputError("There is no box of that number.", hint="Choose a listed one.")

    @property
    def next_id(self) -> int:
        """The number of the next box."""
        return max((box.id for box in self.boxes), default=0) + 1

    def with_box(self, new: Box3D) -> BoxSet:
        """Return a copy in which the box of that id is this one, or has been added."""
        if all(box.id != new.id for box in self.boxes):
            return BoxSet((*self.boxes, new))
        return BoxSet(tuple(new if box.id == new.id else box for box in self.boxes))

    def without(self, number: int) -> BoxSet:
        """Return a copy without the box of an id."""
        return BoxSet(tuple(box for box in self.boxes if box.id != number))


def moved(box: Box3D, by: Index, shape: Index) -> Box3D:
    """Return a box moved by some voxels, no further than to the edge of the scan."""
    room = zip(by, box.start, box.stop, shape, strict=True)
    steps = [min(max(step, -a), n - b) for step, a, b, n in room]
    i, j, k = (a + step for a, step in zip(box.start, steps, strict=True))
    u, v, w = (b + step for b, step in zip(box.stop, steps, strict=True))
    return Box3D(box.id, box.kind, (i, j, k), (u, v, w), box.value)


def resized(box: Box3D, axis: int, far: bool, to: int, shape: Index) -> Box3D:
    """Return a box one of whose faces was put elsewhere; it keeps a voxel at least.

    Parameters
    ----------
    axis : int
        Voxel axis across the face.
    far : bool
        Whether it is the face at `stop`, else the one at `start`.
    to : int
        Where: the first voxel for a near face, one after the last for a far one.
    shape : tuple of int
        Of the scan.
    """
    start, stop = list(box.start), list(box.stop)
    if far:
        stop[axis] = min(max(to, start[axis] + 1), shape[axis])
    else:
        start[axis] = max(min(to, stop[axis] - 1), 0)
    return Box3D(
        box.id, box.kind, (start[0], start[1], start[2]), (stop[0], stop[1], stop[2]), box.value
    )


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
