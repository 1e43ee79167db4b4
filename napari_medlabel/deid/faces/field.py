"""A coarse copy of a scan along R, A and S, in which heads are looked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.deid.faces.doubt import Doubt, FaceUnsure

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Coarse = npt.NDArray[np.float32]

STEP_MM: Final = 2.5
_MOST_VOXELS: Final = 30_000_000
_FINE_MM: Final = 1.4
TOWARDS: Final = 0.7


@dataclass(frozen=True, eq=False)
class Field:
    """A scan on a grid of 2.5 mm along R, A and S.

    Parameters
    ----------
    values : ndarray of float32, shape (r, a, s)
        Interpolated; the scan's lowest value outside of it.
    inside : ndarray of bool, shape (r, a, s)
        Where the scan has values.
    origin_ras : ndarray, shape (3,)
        Centre of the first voxel, mm.
    matrix : ndarray, shape (4, 4)
        Voxel index of the scan to RAS mm.
    shape : tuple of int
        Sizes of the scan.
    """

    values: Coarse
    inside: Bools
    origin_ras: Floats
    matrix: Floats
    shape: tuple[int, int, int]

    def points(self, mask: Bools) -> Floats:
        """Return where a mask's voxels lie, shape (n, 3), RAS mm."""
        found: Floats = np.argwhere(mask) * STEP_MM + self.origin_ras
        return found

    def index(self, value_mm: float, axis: int) -> int:
        """Return the nearest voxel along an axis, within the grid."""
        at = round((value_mm - float(self.origin_ras[axis])) / STEP_MM)
        return int(np.clip(at, 0, self.values.shape[axis] - 1))

    def edge_mm2(self, mask: Bools, *, front_only: bool = False) -> float:
        """Return how much of a mask, in mm2, lies at one of the scan's edges.

        The edge towards the feet does not count: that is where a head goes on.

        Parameters
        ----------
        mask : ndarray of bool, shape (r, a, s)
            What should lie inside.
        front_only : bool
            Whether only the edge in front counts.
        """
        points = self.points(mask)
        inverse = np.linalg.inv(self.matrix)
        at = points @ inverse[:3, :3].T + inverse[:3, 3]
        largest = 0.0
        for axis in range(3):
            column = self.matrix[:3, axis]
            length = float(np.linalg.norm(column))
            for sign, far in ((-1, at[:, axis]), (1, self.shape[axis] - 1 - at[:, axis])):
                outward = sign * column / length
                if outward[2] < -TOWARDS or (front_only and outward[1] < TOWARDS):
                    continue
                touching = np.count_nonzero(far * length < STEP_MM)
                largest = max(largest, touching * STEP_MM**2)
        return largest


def coarse(volume: npt.NDArray[Any], matrix: npt.ArrayLike) -> Field:
    """Return the coarse copy of a scan.

    Parameters
    ----------
    volume : ndarray, shape (i, j, k)
        Values.
    matrix : array_like, shape (4, 4)
        Voxel index to RAS mm, of any orientation, oblique or tilted.

    Raises
    ------
    FaceUnsure
        When it covers more than a head and a trunk.
    """
    from scipy import ndimage

    grid = np.asarray(matrix, dtype=np.float64)
    spacing = np.linalg.norm(grid[:3, :3], axis=0)
    factors = np.clip((STEP_MM / np.maximum(spacing, 1e-6) + 0.2).astype(int), 1, volume.shape)
    small, small_grid = _averaged(volume, grid, factors)
    corners = _corners(volume.shape, grid)
    low, high = corners.min(axis=0), corners.max(axis=0)
    size = np.maximum(np.floor((high - low) / STEP_MM).astype(int) + 1, 1)
    if np.prod(size, dtype=float) > _MOST_VOXELS:
        raise FaceUnsure(Doubt.TOO_LARGE)
    target = np.diag([STEP_MM, STEP_MM, STEP_MM, 1.0])
    target[:3, 3] = low
    shape = tuple(int(n) for n in size)
    inward = np.linalg.inv(small_grid) @ target
    values = ndimage.affine_transform(
        small, inward[:3, :3], inward[:3, 3], shape, order=1, mode="nearest", prefilter=False
    )
    inside = _inside(np.asarray(np.linalg.inv(grid) @ target, np.float64), shape, volume.shape)
    values[~inside] = float(small.min())
    return Field(values, inside, low, grid, volume.shape)


def _averaged(
    volume: npt.NDArray[Any], grid: Floats, factors: npt.NDArray[Any]
) -> tuple[Coarse, Floats]:
    """Means of blocks of voxels, slice by slice, and their grid."""
    fi, fj, fk = (int(f) for f in factors)
    ni, nj, nk = (n // f for n, f in zip(volume.shape, (fi, fj, fk), strict=True))
    out = np.empty((nk, nj, ni), dtype=np.float32)
    for k in range(nk):
        block = volume[: ni * fi, : nj * fj, k * fk : (k + 1) * fk]
        means = block.reshape(ni, fi, nj, fj, fk).mean(axis=(1, 3, 4), dtype=np.float64)
        out[k] = np.nan_to_num(means).T
    inner = np.diag([fi, fj, fk, 1.0])
    inner[:3, 3] = (np.array((fi, fj, fk)) - 1) / 2
    return out.T, grid @ inner


def _corners(shape: tuple[int, ...], grid: Floats) -> Floats:
    ends = np.array(np.meshgrid(*[(0, n - 1) for n in shape])).reshape(3, -1)
    corners: Floats = (grid[:3, :3] @ ends).T + grid[:3, 3]
    return corners


def _inside(inward: Floats, shape: tuple[int, ...], limits: tuple[int, ...]) -> Bools:
    """Which voxels of the coarse grid lie in the scan, half a voxel around its centres."""
    inside = np.ones(shape, dtype=bool)
    r, a, s = (np.arange(n, dtype=np.float32) for n in shape)
    for axis in range(3):
        row = inward[axis].astype(np.float32)
        at = row[0] * r[:, None, None] + row[1] * a[:, None] + (row[2] * s + row[3])
        inside &= (at >= -0.5) & (at <= limits[axis] - 0.5)
    return inside


def carried(mask: npt.NDArray[Any], field: Field) -> Bools:
    """Return a mask of the scan on the coarse grid of a field, nearest voxel."""
    from scipy import ndimage

    target = np.diag([STEP_MM, STEP_MM, STEP_MM, 1.0])
    target[:3, 3] = field.origin_ras
    inward = np.linalg.inv(field.matrix) @ target
    taken = ndimage.affine_transform(
        np.asarray(mask, dtype=np.uint8),
        inward[:3, :3],
        inward[:3, 3],
        field.values.shape,
        order=0,
        prefilter=False,
    )
    found: Bools = (taken > 0) & field.inside
    return found
