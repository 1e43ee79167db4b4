"""How a grid is laid out for napari; the only file that turns (i, j, k) into (z, y, x).

A layer's array is a view on the model's own buffer, permuted and flipped - never resampled - so
that its axes are (S, P, L), each growing. ``scale`` is the spacing, ``translate`` puts the
volume's centre where it is in LPS millimetres. Never ``affine`` and never a negative scale:
napari slices oblique affines wrongly and its 3D brush ignores spacing given that way. An axis
of further volumes comes before these three and touches nothing of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.edit.patch import Box
from napari_medlabel.geometry.axes import FloatArray, flip_lps_ras, nearest_axes
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.model.volume import Volume

AXES: Final = ("S", "P", "L")
"""Towards which side each axis of a displayed array grows."""

UNITS: Final = ("mm", "mm", "mm")
PLANES: Final = ("Axial", "Coronal", "Sagittal")
"""The plane that is seen along each of these axes."""
PICTURE_AXES: Final = ("picture", "down", "right")
PICTURE_UNITS: Final = ("pixel", "mm", "mm")
"""Pictures without a place in the patient: the first axis counts them and has no length."""


@dataclass(frozen=True)
class Display:
    """How one grid is laid out for napari.

    Parameters
    ----------
    grid : Grid
        The source's grid.
    pictures : bool
        Whether k counts images without a place: they are shown as stored, one after another.
    """

    grid: Grid
    pictures: bool = False

    @classmethod
    def of(cls, volume: Volume) -> Display:
        """Return how a scan is laid out."""
        return cls(volume.grid, volume.slices == "pictures")

    @cached_property
    def plane(self) -> str:
        """The plane in which the slices were acquired; it is shown first."""
        return PLANES[self.order.index(2)]

    @property
    def has_length(self) -> bool:
        """Whether millimetres on the screen mean something.

        Of pictures whose pixels are exactly one millimetre wide or high that is what is
        assumed when nothing is known: a scale bar would claim it.
        """
        return not self.pictures or min(self.grid.affine.spacing_mm[:2]) != 1.0

    @cached_property
    def order(self) -> tuple[int, int, int]:
        """For each displayed axis (S, P, L) the voxel axis (0 = i, 1 = j, 2 = k)."""
        if self.pictures:
            return 2, 1, 0
        world, _ = nearest_axes(self.grid.affine.matrix[:3, :3])
        return world.index(2), world.index(1), world.index(0)

    @cached_property
    def flipped(self) -> tuple[bool, bool, bool]:
        """For each displayed axis whether the voxel axis runs against it."""
        if self.pictures:
            return False, False, False
        _, sign = nearest_axes(self.grid.affine.matrix[:3, :3])
        # Displayed axes grow to S, P and L; voxel signs are in RAS.
        towards = (1, -1, -1)
        s, p, l_ = (sign[axis] != t for axis, t in zip(self.order, towards, strict=True))
        return s, p, l_

    @cached_property
    def to_voxel(self) -> npt.NDArray[np.int64]:
        """(4, 4) whole-number matrix from displayed (z, y, x) to voxel (i, j, k) index."""
        matrix = np.zeros((4, 4), dtype=np.int64)
        matrix[3, 3] = 1
        for shown, (axis, flip) in enumerate(zip(self.order, self.flipped, strict=True)):
            matrix[axis, shown] = -1 if flip else 1
            matrix[axis, 3] = self.grid.shape[axis] - 1 if flip else 0
        return matrix

    @cached_property
    def shape(self) -> tuple[int, int, int]:
        """Shape of the displayed array."""
        z, y, x = (self.grid.shape[axis] for axis in self.order)
        return z, y, x

    @cached_property
    def scale(self) -> tuple[float, float, float]:
        """Spacing in mm along the displayed axes, all positive."""
        z, y, x = (self.grid.affine.spacing_mm[axis] for axis in self.order)
        return (1.0, y, x) if self.pictures else (z, y, x)

    @cached_property
    def translate(self) -> tuple[float, float, float]:
        """Where displayed voxel (0, 0, 0) goes, in (S, P, L) mm: the centres coincide."""
        if self.pictures:
            return 0.0, 0.0, 0.0
        middle = (np.array(self.grid.shape) - 1) / 2.0
        left, back, up = flip_lps_ras(self.grid.affine.apply(middle))
        centre = np.array([up, back, left])
        z, y, x = centre - np.array(self.scale) * (np.array(self.shape) - 1) / 2.0
        return float(z), float(y), float(x)

    def show(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return a (z, y, x) view on an (i, j, k) array; painting it paints the array."""
        return array.transpose(self.order)[self._steps]

    def show_further(self, array: Any) -> Any:
        """Return a (t, z, y, x) view on an (i, j, k, t) array, which may be lazy."""
        return array.transpose((3, *self.order))[(slice(None), *self._steps)]

    def show_colours(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return a (z, y, x, 3) view on the colours of an (i, j, k, 3) array."""
        return array.transpose((*self.order, 3))[self._steps]

    @cached_property
    def _steps(self) -> tuple[slice, slice, slice]:
        z, y, x = (slice(None, None, -1 if flip else None) for flip in self.flipped)
        return z, y, x

    def hide(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the (i, j, k) view of a displayed (z, y, x) array: the inverse of `show`."""
        return array[self._steps].transpose(np.argsort(self.order))

    def box(self, shown: tuple[slice, ...]) -> Box:
        """Turn a box of the displayed array into the voxels' box (i, j, k)."""
        voxel: list[slice] = [slice(None)] * 3
        for axis, flip, part in zip(self.order, self.flipped, shown, strict=True):
            n = self.grid.shape[axis]
            start, stop, _ = part.indices(n)
            voxel[axis] = slice(n - stop, n - start) if flip else slice(start, stop)
        return voxel[0], voxel[1], voxel[2]

    def index_ijk(self, points_zyx: npt.ArrayLike) -> FloatArray:
        """Turn displayed data coordinates, shape (..., 3), into fractional voxel indices."""
        points = np.asarray(points_zyx, dtype=np.float64)
        index: FloatArray = points @ self.to_voxel[:3, :3].T + self.to_voxel[:3, 3]
        return index

    def points_zyx(self, index_ijk: npt.ArrayLike) -> FloatArray:
        """Turn fractional voxel indices, shape (..., 3), into displayed data coordinates."""
        index = np.asarray(index_ijk, dtype=np.float64) - self.to_voxel[:3, 3]
        points: FloatArray = index @ self.to_voxel[:3, :3]
        return points

    def to_ras(self, points_zyx: npt.ArrayLike) -> FloatArray:
        """Turn displayed data coordinates into patient RAS mm through the true affine.

        Never through napari's world: for an oblique scan that is a display frame.
        """
        return self.grid.affine.apply(self.index_ijk(points_zyx))

    def from_ras(self, points_ras: npt.ArrayLike) -> FloatArray:
        """Turn patient RAS mm, shape (..., 3), into displayed data coordinates."""
        return self.points_zyx(self.grid.affine.to_index(points_ras))

    def geometry(self) -> dict[str, Any]:
        """Return what every layer on this grid is given."""
        return {
            "scale": self.scale,
            "translate": self.translate,
            "units": PICTURE_UNITS if self.pictures else UNITS,
            "axis_labels": PICTURE_AXES if self.pictures else AXES,
        }
