"""The band around the borders of a first answer: on the fine grid, slice by slice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_medlabel.edit.grow.halving import next_to, plane_of
from napari_medlabel.edit.patch import LabelArray
from napari_medlabel.edit.scene import Shape

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Band:
    """A first answer and the band around its borders, on the fine grid slice by slice."""

    labels: LabelArray
    coarse: BoolArray
    factors: tuple[int, int, int]
    shape: Shape

    def kinds(self, k: int) -> npt.NDArray[Any]:
        """Return a slice of the answer, shape (j, i)."""
        return plane_of(self.labels, self.factors, self.shape, k)

    def inside(self, k: int) -> BoolArray:
        """Return a slice of the band, shape (j, i); nothing beyond the ends."""
        if not 0 <= k < self.shape[2]:
            return np.zeros(self.shape[1::-1], dtype=bool)
        return plane_of(self.coarse, self.factors, self.shape, k)

    def wall(self) -> tuple[BoolArray, tuple[npt.NDArray[np.int32], npt.NDArray[Any]]]:
        """Return what lies beyond the band and the voxels next to it, and these.

        Returns
        -------
        wall : ndarray of bool, shape (i, j, k)
        places : ndarray of int32
            The voxels next to the band that the answer reached, flat, i fastest.
        kinds : ndarray
            What it has there.
        """
        wall = np.empty(self.shape[::-1], dtype=bool)
        places, found = [], []
        for k, out in enumerate(wall):
            inside = self.inside(k)
            beside = next_to(inside[None].T).T[0]
            beside |= (self.inside(k - 1) | self.inside(k + 1)) & ~inside
            np.logical_not(inside | beside, out=out)
            kinds = np.where(beside, self.kinds(k), 0).reshape(-1)
            at = np.flatnonzero(kinds)
            places.append((at + k * kinds.size).astype(np.int32))
            found.append(kinds[at])
        return wall.T, (np.concatenate(places), np.concatenate(found))
