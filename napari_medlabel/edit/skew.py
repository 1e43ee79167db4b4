"""Voxel steps that are not at right angles: what follows for distances, and words for it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Final

import numpy as np

from napari_medlabel.geometry.affine import shear_deg
from napari_medlabel.geometry.axes import FloatArray

TILTED_DEG: Final = 0.3
"""Below this, distances by spacing alone are right to a quarter of a percent."""

Three = tuple[float, float, float]


def is_tilted(skew_mm: FloatArray | None) -> bool:
    """Tell whether voxel steps, columns (3, n), are far enough from right angles to matter."""
    return skew_mm is not None and shear_deg(skew_mm) > TILTED_DEG


def heights_mm(spacing_mm: Sequence[float], skew_mm: FloatArray | None) -> Three:
    """Return how far neighbouring slices across i, j and k lie apart, at right angles to them.

    A ball of a radius reaches radius by height voxels along an axis.
    """
    i, j, k = (
        (float(mm) for mm in spacing_mm)
        if skew_mm is None
        else (1.0 / float(mm) for mm in np.linalg.norm(np.linalg.inv(skew_mm), axis=1))
    )
    return i, j, k


def neighbours(steps_mm: FloatArray) -> list[tuple[int, ...]]:
    """Return the offsets across which the cells nearest to each voxel meet.

    From any voxel to any other one leads a way by these on which each step comes nearer, in mm:
    of a region's outside, what is nearest to a voxel inside has one of them inside.

    Parameters
    ----------
    steps_mm : ndarray, shape (m, n)
        The steps along n axes as columns in mm, independent.

    Notes
    -----
    The shortest offsets of each class modulo 2 (Voronoi 1908; Conway and Sloane, Sphere
    Packings, Lattices and Groups, 21.3). None is longer than a square cell's diagonal.
    """
    gram = steps_mm.T @ steps_mm
    longest = float(np.sqrt(np.trace(gram)))
    ends = np.floor(longest * np.sqrt(np.diag(np.linalg.inv(gram))) + 1e-9).astype(int)
    best: dict[tuple[int, ...], tuple[float, list[tuple[int, ...]]]] = {}
    for offset in itertools.product(*(range(-n, n + 1) for n in ends.tolist())):
        kind = tuple(x % 2 for x in offset)
        if not any(kind):
            continue
        at = np.array(offset, dtype=np.float64)
        length = float(at @ gram @ at)
        least, found = best.get(kind, (np.inf, []))
        slack = 1e-9 * longest * longest
        if length < least - slack:
            best[kind] = length, [offset]
        elif length <= least + slack:
            found.append(offset)
    return [offset for _, found in best.values() for offset in found]


def off_by_mm(skew_mm: FloatArray, mm: float) -> float:
    """Return how far a distance can lie off that is measured as if at right angles."""
    unit = skew_mm / np.linalg.norm(skew_mm, axis=0)
    sizes = np.sqrt(np.clip(np.linalg.eigvalsh(unit.T @ unit), 0.0, None))
    return mm * float(np.abs(sizes - 1.0).max())


def approximately(
    skew_mm: FloatArray | None, mm: float, used: Sequence[bool] = (True, True, True)
) -> str:
    """Say that distances of a tool are approximate on a tilted scan; "" where they are not.

    Parameters
    ----------
    skew_mm : ndarray, shape (3, 3), or None
        Voxel steps, columns in mm.
    mm : float
        The distance that the tool works with.
    used : sequence of bool
        Along which of i, j and k it looks: in one slice not across it.
    """
    if skew_mm is None:
        return ""
    steps = skew_mm[:, np.array(used, dtype=bool)]
    if not is_tilted(steps):
        return ""
    return (
        " The axes of this scan are not at right angles "
        f"(tilt {shear_deg(steps):.2g} degrees): distances across slices are approximate, "
        f"up to {off_by_mm(steps, mm):.2g} mm off."
    )
