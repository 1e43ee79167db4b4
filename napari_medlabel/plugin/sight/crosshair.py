"""The cross-hair: the one voxel that all views of a case show."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from psygnal import Signal

from napari_medlabel.plugin.display import Display


class CrossHair:
    """A voxel of the displayed grid (S, P, L), always inside the scan.

    Parameters
    ----------
    display : Display
        How the scan is laid out.
    """

    moved = Signal()
    """It is at another voxel now."""

    def __init__(self, display: Display) -> None:
        self._display = display
        z, y, x = (n // 2 for n in display.shape)
        self._voxel_zyx: tuple[int, int, int] = (z, y, x)

    @property
    def voxel_zyx(self) -> tuple[int, int, int]:
        """Where it is, as index of the displayed array (S, P, L)."""
        return self._voxel_zyx

    @property
    def voxel_ijk(self) -> tuple[int, int, int]:
        """Where it is, as index of the scan's own array (i, j, k)."""
        i, j, k = (int(v) for v in np.rint(self._display.index_ijk(self._voxel_zyx)))
        return i, j, k

    @property
    def point_ras(self) -> tuple[float, float, float]:
        """Where it is in the patient, RAS mm, through the scan's true affine."""
        x, y, z = (float(v) for v in self._display.to_ras(self._voxel_zyx))
        return x, y, z

    @property
    def world(self) -> tuple[float, float, float]:
        """Where it is in napari's world (S, P, L), mm of the display frame."""
        z, y, x = (self.world_at(axis, v) for axis, v in enumerate(self._voxel_zyx))
        return z, y, x

    def world_at(self, axis: int, index: float) -> float:
        """Return where an index of a displayed axis lies in napari's world."""
        return float(self._display.translate[axis] + self._display.scale[axis] * index)

    def index_at(self, axis: int, world: float) -> int:
        """Return the nearest index of a displayed axis, kept inside the scan."""
        index = (world - self._display.translate[axis]) / self._display.scale[axis]
        return self._inside(axis, index)

    def move(self, places: Mapping[int, float]) -> bool:
        """Go to other indices of some displayed axes; return whether that is another voxel.

        Parameters
        ----------
        places : mapping of int to float
            Index, fractional or not, for each displayed axis to change (0 = S, 1 = P, 2 = L).
            What lies outside the scan is taken to its edge.
        """
        wanted = list(self._voxel_zyx)
        for axis, index in places.items():
            wanted[axis] = self._inside(axis, index)
        z, y, x = wanted
        if (z, y, x) == self._voxel_zyx:
            return False
        self._voxel_zyx = (z, y, x)
        self.moved.emit()
        return True

    def go_to_ras(self, point_ras: tuple[float, float, float]) -> bool:
        """Go to a place in the patient, RAS mm; return whether that is another voxel."""
        found = self._display.from_ras(point_ras)
        return self.move({axis: float(found[axis]) for axis in range(3)})

    def go_to_voxel(self, voxel_ijk: tuple[int, int, int]) -> bool:
        """Go to a voxel of the scan's own array; return whether it was another."""
        found = self._display.points_zyx(voxel_ijk)
        return self.move({axis: float(found[axis]) for axis in range(3)})

    def _inside(self, axis: int, index: float) -> int:
        return int(np.clip(round(index), 0, self._display.shape[axis] - 1))
