"""The affine: voxel index (i, j, k) at voxel centres -> world point in RAS+ mm; frozen."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import GeometryError
from napari_medlabel.geometry.axes import (
    FloatArray,
    axis_codes,
    flip_affine_lps_ras,
    nearest_axes,
)

_SMALLEST_VOLUME = 1e-6  # of the unit cell, as a share of a rectangular one
_RIGHT_DEG = 1e-3  # what rounding leaves of a right angle: 0.002 mm in 100 mm


def shear_deg(steps_mm: FloatArray) -> float:
    """Return the largest departure in degrees of steps, columns (3, n), from right angles."""
    unit = steps_mm / np.linalg.norm(steps_mm, axis=0)
    off = np.abs((unit.T @ unit)[np.triu_indices(unit.shape[1], 1)])
    return float(np.degrees(np.arcsin(np.clip(off.max(initial=0.0), 0.0, 1.0))))


@dataclass(frozen=True, eq=False)
class Affine:
    """A (4, 4) matrix from voxel index (i, j, k) to world RAS+ millimetres.

    Parameters
    ----------
    matrix : ndarray, shape (4, 4)
        Last row 0 0 0 1. Kept as a read-only float64 copy, bit for bit.

    Raises
    ------
    GeometryError
        When the matrix is not finite, not affine, or maps the grid onto a plane.
    """

    matrix: FloatArray

    def __post_init__(self) -> None:
        matrix = np.array(self.matrix, dtype=np.float64)
        if matrix.shape != (4, 4):
            raise GeometryError(
                f"An affine is a matrix of shape (4, 4); got {matrix.shape}.",
                hint="Pass a voxel-to-world matrix, last row 0 0 0 1.",
            )
        if not np.all(np.isfinite(matrix)) or not np.array_equal(matrix[3], (0, 0, 0, 1)):
            raise GeometryError(
                "An affine is finite and its last row is 0 0 0 1.",
                hint="The scan's header is damaged; export it again from its source.",
            )
        length = np.linalg.norm(matrix[:3, :3], axis=0)
        volume = abs(float(np.linalg.det(matrix[:3, :3])))
        if np.any(length <= 0) or volume <= _SMALLEST_VOLUME * float(np.prod(length)):
            raise GeometryError(
                "The three voxel axes must be independent and longer than zero; these span "
                "no volume.",
                hint="The scan's header is damaged; export it again from its source.",
            )
        matrix.setflags(write=False)
        object.__setattr__(self, "matrix", matrix)

    @classmethod
    def from_lps(cls, matrix_lps: npt.ArrayLike) -> Affine:
        """Build from a (4, 4) voxel-to-LPS matrix, as DICOM and ITK have it."""
        return cls(flip_affine_lps_ras(matrix_lps))

    @classmethod
    def from_spacing(
        cls,
        spacing_mm: tuple[float, float, float],
        origin_ras: tuple[float, float, float] = (0.0, 0.0, 0.0),
    ) -> Affine:
        """Build a grid along R, A and S from spacing (mm) and the first voxel's centre."""
        matrix = np.diag([*spacing_mm, 1.0])
        matrix[:3, 3] = origin_ras
        return cls(matrix)

    @property
    def lps(self) -> FloatArray:
        """The same map into LPS mm, shape (4, 4)."""
        return flip_affine_lps_ras(self.matrix)

    @cached_property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance in mm between neighbouring voxel centres along i, j and k."""
        i, j, k = (float(v) for v in np.linalg.norm(self.matrix[:3, :3], axis=0))
        return i, j, k

    @property
    def origin_ras(self) -> FloatArray:
        """Centre of voxel (0, 0, 0) in RAS mm, shape (3,)."""
        return self.matrix[:3, 3]

    @cached_property
    def axis_codes(self) -> str:
        """Towards which side i, j and k grow, for instance ``"LPS"``."""
        return axis_codes(self.matrix[:3, :3])

    @cached_property
    def voxel_ml(self) -> float:
        """Volume of one voxel in millilitres."""
        return abs(float(np.linalg.det(self.matrix[:3, :3]))) / 1000.0

    @cached_property
    def oblique_deg(self) -> float:
        """Largest angle in degrees between a voxel axis and the patient axis it is named by."""
        world, _ = nearest_axes(self.matrix[:3, :3])
        unit = self.matrix[:3, :3] / np.array(self.spacing_mm)
        worst = 0.0
        for axis, patient_axis in enumerate(world):
            others = np.delete(unit[:, axis], patient_axis)
            # atan2 keeps small angles exact where acos would round them to zero
            angle = np.arctan2(np.linalg.norm(others), abs(unit[patient_axis, axis]))
            worst = max(worst, float(np.degrees(angle)))
        return worst

    @cached_property
    def shear_deg(self) -> float:
        """Largest departure in degrees of the voxel axes from right angles."""
        return shear_deg(self.matrix[:3, :3])

    @cached_property
    def skew_mm(self) -> FloatArray | None:
        """The voxel steps, shape (3, 3), columns in RAS mm; None where at right angles.

        Where they are, lengths are exact by `spacing_mm` alone.
        """
        return self.matrix[:3, :3] if self.shear_deg > _RIGHT_DEG else None

    def apply(self, points_ijk: npt.ArrayLike) -> FloatArray:
        """Map voxel indices to the world.

        Parameters
        ----------
        points_ijk : array_like, shape (..., 3)
            Zero-based, possibly fractional voxel indices; whole numbers are voxel centres.

        Returns
        -------
        ndarray, shape (..., 3)
            Points in RAS mm.
        """
        points = np.asarray(points_ijk, dtype=np.float64)
        world: FloatArray = points @ self.matrix[:3, :3].T + self.matrix[:3, 3]
        return world

    def to_index(self, points_ras: npt.ArrayLike) -> FloatArray:
        """Map RAS mm points, shape (..., 3), to fractional voxel indices (i, j, k)."""
        points = np.asarray(points_ras, dtype=np.float64) - self.matrix[:3, 3]
        solved = np.linalg.solve(self.matrix[:3, :3], points[..., None])
        return np.asarray(solved[..., 0], dtype=np.float64)

    def __matmul__(self, inner: FloatArray) -> Affine:
        """Return the affine that first applies ``inner`` (4, 4), index to index, then this."""
        return Affine(self.matrix @ np.asarray(inner, dtype=np.float64))

    def __eq__(self, other: object) -> bool:
        """Bit-for-bit equality; for a tolerance use `Grid.difference`."""
        if not isinstance(other, Affine):
            return NotImplemented
        return bool(np.array_equal(self.matrix, other.matrix))

    def __hash__(self) -> int:
        return hash(self.matrix.tobytes())
