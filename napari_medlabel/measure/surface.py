"""The surfaces of regions and the distances between them, by one of two named conventions.

``surfel`` (Nikolov et al. 2018): the surface lies in the 2 x 2 x 2 neighbourhoods in which
voxels differ, each weighs as much as the area of its piece of a marching-cubes surface;
percentiles are of area. ``voxel``: the surface is the voxels that touch the outside across a
face, each weighs the same; percentiles are interpolated. In both a Hausdorff distance is the
larger of the two directed ones, and what touches the border of the scan is closed there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.measure.surfels import areas_mm2, codes

FloatArray = npt.NDArray[np.float64]
Convention = Literal["surfel", "voxel"]
CONVENTIONS: Final[tuple[Convention, ...]] = ("surfel", "voxel")

_ROUNDING_MM: Final = 1e-6
"""Three times 0.1 mm is within 0.3 mm, whatever a computer makes of it."""


@dataclass(frozen=True, eq=False)
class Surface:
    """The surface of one region.

    Parameters
    ----------
    index : ndarray of int64, shape (n, 3)
        Where its pieces are: voxels (i, j, k) by the voxel convention; by the surfel convention
        the last corner of each neighbourhood.
    spacing_mm : tuple of float
        Distance of neighbouring voxels along i, j and k.
    weights : ndarray, shape (n,)
        Area of each piece in mm2 by the surfel convention, 1 by the voxel convention.
    convention : str
        ``surfel`` or ``voxel``.
    skew_mm : ndarray, shape (3, 3), optional
        The voxel steps, columns in mm, where they are not at right angles (gantry tilt).
    """

    index: npt.NDArray[np.int64]
    spacing_mm: tuple[float, float, float]
    weights: FloatArray
    convention: Convention
    skew_mm: FloatArray | None = None

    @property
    def points_mm(self) -> FloatArray:
        """Index times voxel steps, shape (n, 3): for distances within one convention."""
        return self.in_mm(self.index)

    def in_mm(self, steps: npt.NDArray[np.int64]) -> FloatArray:
        """Turn steps of voxels, shape (n, 3), into mm."""
        if self.skew_mm is not None:
            return np.asarray(steps @ self.skew_mm.T, dtype=np.float64)
        return np.asarray(steps * np.array(self.spacing_mm), dtype=np.float64)

    @property
    def area_mm2(self) -> float:
        """Area of the surface.

        Raises
        ------
        InputError
            By the voxel convention a surface has no area.
        """
        if self.convention != "surfel":
            raise InputError(
                "Voxels counted as surface have no area.", hint="Use the surfel convention."
            )
        return float(self.weights.sum())


def surface_of(
    mask: npt.NDArray[np.bool_],
    spacing_mm: Sequence[float],
    convention: Convention = "surfel",
    *,
    skew_mm: FloatArray | None = None,
) -> Surface:
    """Find the surface of a region.

    Parameters
    ----------
    mask : ndarray of bool, shape (i, j, k)
        The region, cropped or not: outside of the array there is nothing.
    spacing_mm : sequence of float
        Distance of neighbouring voxels along i, j and k.
    convention : str
        ``surfel`` or ``voxel``.
    skew_mm : ndarray, shape (3, 3), optional
        As in `Surface`.

    Raises
    ------
    GeometryError
        When the mask has not three axes or a spacing is not above 0.
    """
    if mask.ndim != 3 or len(spacing_mm) != 3 or not all(mm > 0 for mm in spacing_mm):
        raise GeometryError(
            "A surface is that of a region with three axes and spacings above 0 mm.",
            hint="This is a fault in the program; please report it.",
        )
    i_mm, j_mm, k_mm = (float(mm) for mm in spacing_mm)
    turned = np.ascontiguousarray(mask.T, dtype=bool)  # (k, j, i)
    if convention == "surfel":
        turned_steps = None if skew_mm is None else skew_mm[:, ::-1]
        found = codes(turned)
        at = np.flatnonzero((found - np.uint8(1)) < 254)  # neither 0 nor 255
        weights = areas_mm2((k_mm, j_mm, i_mm), turned_steps)[found.ravel()[at]]
        shape = found.shape
    else:
        at = np.flatnonzero(_outermost(turned))
        weights = np.ones(at.size)
        shape = turned.shape
    index = np.stack(np.unravel_index(at, shape)[::-1], axis=1).astype(np.int64, copy=False)
    return Surface(index, (i_mm, j_mm, k_mm), weights, convention, skew_mm)


def _outermost(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return the voxels that touch the outside across a face."""
    padded = np.pad(mask, 1)
    core = padded[1:-1, 1:-1, 1:-1].copy()
    for axis in range(3):
        for ends in (slice(0, -2), slice(2, None)):
            part = [slice(1, -1)] * 3
            part[axis] = ends
            core &= padded[tuple(part)]
    return mask & ~core


@dataclass(frozen=True, eq=False)
class SurfaceDistances:
    """How far two surfaces lie apart, each piece to the nearest piece of the other.

    Parameters
    ----------
    forth_mm, back_mm : ndarray, shape (n,), (m,)
        From the first to the second surface and back, ascending.
    forth_weights, back_weights : ndarray, same shapes
        What each weighs.
    convention : str
        ``surfel`` or ``voxel``.
    """

    forth_mm: FloatArray
    back_mm: FloatArray
    forth_weights: FloatArray
    back_weights: FloatArray
    convention: Convention

    def hausdorff_mm(self, percent: float = 100.0) -> float:
        """Return the larger of the two directed distances that cover a share of the surface.

        Parameters
        ----------
        percent : float
            Above 0, at most 100; 95 is the usual HD95.

        Raises
        ------
        InputError
            For another share.
        """
        if not 0 < percent <= 100:
            raise InputError(
                f"A share of the surface is above 0 and at most 100 percent; got {percent:g}.",
                hint="95 is usual.",
            )
        return max(
            self._percentile(mm, weights, percent)
            for mm, weights in (
                (self.forth_mm, self.forth_weights),
                (self.back_mm, self.back_weights),
            )
        )

    def _percentile(self, mm: FloatArray, weights: FloatArray, percent: float) -> float:
        if self.convention == "voxel":
            return float(np.percentile(mm, percent))
        share = np.cumsum(weights) / weights.sum()
        at = int(np.searchsorted(share, percent / 100.0))
        return float(mm[min(at, mm.size - 1)])

    @property
    def directed_means_mm(self) -> tuple[float, float]:
        """Weighted mean distance forth and back."""
        return (
            float(np.average(self.forth_mm, weights=self.forth_weights)),
            float(np.average(self.back_mm, weights=self.back_weights)),
        )

    @property
    def assd_mm(self) -> float:
        """Average symmetric surface distance: the mean over both surfaces pooled."""
        total = self.forth_weights.sum() + self.back_weights.sum()
        forth = float(self.forth_mm @ self.forth_weights)
        back = float(self.back_mm @ self.back_weights)
        return (forth + back) / float(total)

    def nsd(self, tolerance_mm: float) -> float:
        """Return the share of both surfaces within a tolerance: normalised surface Dice.

        A nanometre more than the tolerance is within it.

        Parameters
        ----------
        tolerance_mm : float
            0 or more; counted as inside.
        """
        within = sum(
            float(weights[mm <= tolerance_mm + _ROUNDING_MM].sum())
            for mm, weights in (
                (self.forth_mm, self.forth_weights),
                (self.back_mm, self.back_weights),
            )
        )
        return within / float(self.forth_weights.sum() + self.back_weights.sum())


def distances(first: Surface, second: Surface) -> SurfaceDistances:
    """Measure how far two surfaces lie apart.

    Parameters
    ----------
    first, second : Surface
        Not empty, of one convention.

    Raises
    ------
    InputError
        When one has no piece, or their conventions or spacings differ.
    """
    same = (first.convention, first.spacing_mm) == (second.convention, second.spacing_mm)
    if not (same and _is_same(first.skew_mm, second.skew_mm)):
        raise InputError(
            "Two surfaces are compared on one grid by one convention.",
            hint="Find both in the same way.",
        )
    if not len(first.index) or not len(second.index):
        raise InputError(
            "An empty region has no surface, so no distance can be measured.",
            hint="Count such labels apart; see napari_medlabel.measure.agreement.",
        )
    forth, forth_weights = _to_nearest(first, second)
    back, back_weights = _to_nearest(second, first)
    return SurfaceDistances(forth, back, forth_weights, back_weights, first.convention)


def _is_same(first: FloatArray | None, second: FloatArray | None) -> bool:
    if first is None or second is None:
        return first is second
    return np.array_equal(first, second)


def _to_nearest(start: Surface, goal: Surface) -> tuple[FloatArray, FloatArray]:
    """Return the distance of each piece to the nearest of the other, ascending, and weights."""
    from scipy.spatial import cKDTree

    # Surfaces are thin: a tree of their points takes neither the box nor a distance map.
    tree: Any = cKDTree(goal.points_mm, balanced_tree=False, compact_nodes=False)
    nearest = tree.query(start.points_mm)[1]
    # From whole steps: 2 x 0.7 mm is 1.4 mm wherever it lies.
    steps = start.in_mm(start.index - goal.index[nearest])
    mm = np.sqrt(np.einsum("nc,nc->n", steps, steps))
    order = np.argsort(mm, kind="stable")
    return mm[order], start.weights[order]
