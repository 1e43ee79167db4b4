"""The cut: which half-spaces around a brain are blanked, and the voxels that lie in them.

Every boundary is a plane that depends on the brain alone, never on the skin: so what is left
has flat faces, and no outline from which a face could be rendered again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

FRONT_MARGIN_MM: Final = 8.0
"""Distance between the brain and the planes that take the face."""
SIDE_MARGIN_MM: Final = 14.0
"""Distance between the brain and the planes that take the ears: bone and scalp stay."""
AROUND_MARGIN_MM: Final = 26.0
"""Distance between the brain and the planes that take ghosts in the air behind the head."""
_LEVEL: Final = 1e-9


@dataclass(frozen=True, eq=False)
class FaceCut:
    """Half-spaces in the patient that are blanked.

    Parameters
    ----------
    front : ndarray of float64, shape (n, 4)
        Unit normals in RAS and offsets in mm: what lies beyond any of them and in front of
        ``middle_mm`` is blanked.
    around : ndarray of float64, shape (m, 4)
        The same, without regard to the middle.
    middle_mm : float
        Coordinate A of the coronal plane behind which ``front`` takes nothing: cerebellum,
        spine and neck.
    """

    front: Floats
    around: Floats
    middle_mm: float

    def takes(self, points_ras: npt.ArrayLike) -> Bools:
        """Tell which points, shape (..., 3) in RAS mm, are blanked."""
        points = np.asarray(points_ras, dtype=np.float64)
        taken = np.zeros(points.shape[:-1], dtype=bool)
        for plane in self.front:
            taken |= points @ plane[:3] > plane[3]
        taken &= points[..., 1] > self.middle_mm
        for plane in self.around:
            taken |= points @ plane[:3] > plane[3]
        return taken

    def plane_mask(self, matrix: npt.ArrayLike, k: float, shape_ij: tuple[int, int]) -> Bools:
        """Return what is blanked of one slice.

        Parameters
        ----------
        matrix : array_like, shape (4, 4)
            Voxel index to RAS mm.
        k : float
            Index of the slice.
        shape_ij : tuple of int
            Columns and rows.

        Returns
        -------
        ndarray of bool, shape (rows, columns)
        """
        grid = np.asarray(matrix, dtype=np.float64)
        columns, rows = shape_ij
        i = np.arange(columns)[None, :]
        low, high = _kept(self.front, grid, k, rows)
        taken = (i < low) | (i > high)
        middle = np.array([[0.0, 1.0, 0.0, self.middle_mm]])
        low, high = _kept(middle, grid, k, rows)
        taken &= (i < low) | (i > high)
        low, high = _kept(self.around, grid, k, rows)
        return taken | (i < low) | (i > high)

    def volume_mask(self, matrix: npt.ArrayLike, shape: tuple[int, int, int]) -> Bools:
        """Return what is blanked of a volume, shape (i, j, k)."""
        out = np.empty(shape[::-1], dtype=bool)
        for k in range(shape[2]):
            out[k] = self.plane_mask(matrix, k, shape[:2])
        return out.T

    def to_json(self) -> dict[str, Any]:
        """Return the cut as plain numbers."""
        return {
            "front": self.front.tolist(),
            "around": self.around.tolist(),
            "middle_mm": self.middle_mm,
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> FaceCut:
        """Return the cut that `to_json` wrote."""
        front, around = (
            np.array(document[name], dtype=np.float64).reshape(-1, 4)
            for name in ("front", "around")
        )
        return cls(front, around, float(document["middle_mm"]))


def _kept(planes: Floats, grid: Floats, k: float, rows: int) -> tuple[Floats, Floats]:
    """First and last column that lies beyond none of the planes, each of shape (rows, 1)."""
    j = np.arange(rows, dtype=np.float64)[:, None]
    low, high = np.full((rows, 1), -np.inf), np.full((rows, 1), np.inf)
    for plane in planes:
        step = float(plane[:3] @ grid[:3, 0])
        start = plane[:3] @ (grid[:3, 3] + k * grid[:3, 2]) + j * (plane[:3] @ grid[:3, 1])
        room = plane[3] - start
        if step > _LEVEL:
            high = np.minimum(high, room / step)
        elif step < -_LEVEL:
            low = np.maximum(low, room / step)
        else:
            high = np.where(room < 0, -np.inf, high)
    return low, high


def directions(azimuths_deg: Iterable[float], elevations_deg: Iterable[float]) -> Floats:
    """Return unit vectors in RAS, shape (n, 3).

    Parameters
    ----------
    azimuths_deg : iterable of float
        0 is towards the front, 90 towards the right hand.
    elevations_deg : iterable of float
        0 is level, 90 towards the top.
    """
    a, e = (
        np.deg2rad(v.ravel())
        for v in np.meshgrid(list(azimuths_deg), list(elevations_deg), indexing="ij")
    )
    return np.stack([np.sin(a) * np.cos(e), np.cos(a) * np.cos(e), np.sin(e)], axis=1)


FRONT: Final = directions(range(-45, 46, 15), range(-50, 6, 5))
"""From where a face is seen: ahead and below, up to 45 degrees from either side."""
EARS: Final = directions((-105, -90, -75, 75, 90, 105), (-12, 0))
AROUND: Final = directions(range(0, 360, 30), (0, 30, 60, 90))


def cut_around(
    brain_ras: npt.ArrayLike, *, ghosts: bool, stem_ras: npt.ArrayLike = ()
) -> FaceCut:
    """Return the cut that keeps clear of a brain.

    Parameters
    ----------
    brain_ras : array_like, shape (n, 3)
        Points that hold the whole brain between them, RAS mm: its voxels or their outline.
    ghosts : bool
        Whether to blank the air behind and above the head too, where MR shows what it
        aliased.
    stem_ras : array_like, shape (n, 3), optional
        Points of the brain stem that do not shape the cut, but lie behind its middle.
    """
    points = np.asarray(brain_ras, dtype=np.float64)
    around = _beyond(points, EARS, SIDE_MARGIN_MM)
    if ghosts:
        around = np.concatenate([around, _beyond(points, AROUND, AROUND_MARGIN_MM)])
    middle = (points[:, 1].min() + points[:, 1].max()) / 2
    stem = np.asarray(stem_ras, dtype=np.float64).reshape(-1, 3)
    if len(stem):
        middle = max(middle, stem[:, 1].max() + FRONT_MARGIN_MM)
    return FaceCut(_beyond(points, FRONT, FRONT_MARGIN_MM), around, float(middle))


def _beyond(points: Floats, normals: Floats, margin_mm: float) -> Floats:
    """Planes that touch the points from outside, moved outwards; shape (n, 4)."""
    reach = (points @ normals.T).max(axis=0)
    return np.concatenate([normals, (reach + margin_mm)[:, None]], axis=1)
