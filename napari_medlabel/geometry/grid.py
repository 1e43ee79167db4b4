"""The grid: a shape, an affine and a frame of reference, without voxels."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import GeometryError
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.axes import FloatArray

SAME_PLACE_MM: Final = 0.01
"""Two grids whose corners lie closer than this are the same grid: a hundredth of a millimetre
is far below any voxel and far above float32 rounding in a NIfTI header."""


@dataclass(frozen=True)
class Grid:
    """Where the voxels of one volume lie.

    Parameters
    ----------
    shape : tuple of int
        Number of voxels along i, j and k.
    affine : Affine
        Voxel index to RAS mm.
    frame_of_reference : str or None
        FrameOfReferenceUID, where the source has one (PS3.3 C.7.4.1).

    Raises
    ------
    GeometryError
        When the shape is not three positive whole numbers.
    """

    shape: tuple[int, int, int]
    affine: Affine
    frame_of_reference: str | None = None

    def __post_init__(self) -> None:
        if np.shape(self.shape) != (3,) or any(int(n) != n or n < 1 for n in self.shape):
            raise GeometryError(
                f"A grid has three positive sizes; got {tuple(self.shape)}.",
                hint="Four-dimensional data must be split into volumes first.",
            )
        object.__setattr__(self, "shape", tuple(int(n) for n in self.shape))

    def __repr__(self) -> str:
        # A frame of reference is an identifier: it stays out of words.
        size = "x".join(str(n) for n in self.shape)
        spacing = "x".join(f"{s:.4g}" for s in self.affine.spacing_mm)
        return f"Grid({size}, {spacing} mm, {self.affine.axis_codes})"

    @property
    def size(self) -> int:
        """Number of voxels."""
        return self.shape[0] * self.shape[1] * self.shape[2]

    def corners_ras(self) -> FloatArray:
        """Centres of the eight corner voxels in RAS mm, shape (8, 3)."""
        ends = [(0, n - 1) for n in self.shape]
        return self.affine.apply(np.array(list(itertools.product(*ends)), dtype=np.float64))

    def contains(self, index_ijk: npt.ArrayLike) -> bool:
        """Tell whether a fractional index lies in a voxel of the grid (half a voxel around)."""
        index = np.asarray(index_ijk, dtype=np.float64)
        return bool(np.all(index >= -0.5) and np.all(index < np.array(self.shape) - 0.5))

    def difference(self, other: Grid) -> str:
        """Say in words why another grid is not this one; empty when it is.

        Shapes must be equal, corners closer than `SAME_PLACE_MM`, and frames of reference
        equal where both are known.
        """
        if self.shape != other.shape:
            return f"{_times(self.shape)} voxels are expected, {_times(other.shape)} came"
        apart = np.linalg.norm(self.corners_ras() - other.corners_ras(), axis=1).max()
        if not apart < SAME_PLACE_MM:
            turned = (
                f" (axes {self.affine.axis_codes} expected, {other.affine.axis_codes} came)"
                if self.affine.axis_codes != other.affine.axis_codes
                else ""
            )
            return f"corners lie up to {apart:.4g} mm apart{turned}"
        frames = (self.frame_of_reference, other.frame_of_reference)
        if None not in frames and frames[0] != frames[1]:
            return "the frames of reference differ"
        return ""

    def require_same(self, other: Grid, *, what: str) -> None:
        """Refuse another grid.

        Parameters
        ----------
        other : Grid
            The grid that came.
        what : str
            What it belongs to, for the message, for instance ``"mask"``.

        Raises
        ------
        GeometryError
            When the grids differ.
        """
        reason = self.difference(other)
        if reason:
            raise GeometryError(
                f"The {what} does not lie on this scan: {reason}.",
                hint=f"Open the scan this {what} was made on. A {what} is never resampled "
                "silently.",
            )


def _times(shape: tuple[int, int, int]) -> str:
    return " x ".join(str(n) for n in shape)
