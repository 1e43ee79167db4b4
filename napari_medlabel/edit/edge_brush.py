"""A brush that ends at edges: it takes what looks like the place under its centre."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.edit.brush import Mark, ball
from napari_medlabel.edit.finite import averaged, only_numbers
from napari_medlabel.edit.masking import BoolArray
from napari_medlabel.edit.patch import Box
from napari_medlabel.edit.scene import Scene
from napari_medlabel.errors import InputError

_CORE_MM: Final = 3.5  # around the centre: what is wanted looks like this
_RIM: Final = 0.8  # of the tolerance, for single voxels beside what is found
_THIN: Final = 2.5  # times the finest spacing: slices farther apart are not averaged
_MAD: Final = 1.4826  # a normal distribution's standard deviation in median deviations


def edge_aware(
    scene: Scene,
    box: Box,
    region: BoolArray,
    centre_ijk: npt.ArrayLike,
    *,
    tolerance: float = 2.5,
) -> BoolArray:
    """Return the part of a brush mark that looks like its centre and is connected to it.

    Intensities averaged over neighbours are compared with those around the centre (median and
    standard deviation, which neither noise nor an edge nearby bends); a rim of one voxel, that
    the averaging blurs, is decided by the intensities themselves. Voxels without a number are
    like nothing; a brush with its centre on one takes that voxel alone.

    Parameters
    ----------
    scene : Scene
        What is worked on; only its image, and only the box, is read.
    box : tuple of slice
        Of the mark, in (i, j, k).
    region : ndarray of bool, shape of the box
        The mark.
    centre_ijk : array_like, shape (3,)
        Its centre in fractional voxels; the nearest voxel must lie in the box.
    tolerance : float
        How many standard deviations an intensity may lie off.

    Returns
    -------
    ndarray of bool, shape of the box
        Part of ``region``; with the voxel of the centre where that is in it.

    Raises
    ------
    InputError
        When the centre lies outside the box or the tolerance is not above 0.
    """
    centre = np.floor(np.asarray(centre_ijk, dtype=np.float64) + 0.5).astype(int).tolist()
    if not all(s.start <= x < s.stop for s, x in zip(box, centre, strict=True)):
        raise InputError(
            "The centre of the brush lies outside of its mark.",
            hint="Paint inside the shown slice.",
        )
    if not tolerance > 0:
        raise InputError(
            f"The tolerance of a brush is above 0; got {tolerance:g}.", hint="2.5 is usual."
        )
    mark = np.ascontiguousarray(region.T)  # (k, j, i): memory order, from here on
    image = np.ascontiguousarray(scene.image[box].T, dtype=np.float32)
    at = tuple(x - s.start for x, s in zip(centre[::-1], box[::-1], strict=True))
    if not mark[at]:
        return np.zeros(region.shape[::-1], dtype=bool).T
    core = ball(
        mark.shape, at, _CORE_MM, scene.spacing_mm[::-1],
        skew_mm=None if scene.skew_mm is None else scene.skew_mm[:, ::-1],
    )  # fmt: skip
    if core is None:  # the centre is a voxel of the mark
        return region
    return _alike(image, mark, at, scene.spacing_mm[::-1], core, tolerance).T


def _alike(
    image: npt.NDArray[np.float32],
    mark: BoolArray,
    at: tuple[int, ...],
    spacing_mm: Sequence[float],
    core: Mark,
    tolerance: float,
) -> BoolArray:
    from scipy import ndimage

    size = [3 if mm <= _THIN * min(spacing_mm) else 1 for mm in spacing_mm]
    soft = averaged(image, lambda part: ndimage.uniform_filter(part, size, mode="nearest"))
    place, inside = core
    inside = inside & mark[place]
    middle, spread = _spread(soft[place][inside])
    with np.errstate(invalid="ignore"):
        soft -= middle
        np.abs(soft, out=soft)
        found = (soft <= tolerance * spread) & mark
    if not np.isfinite(image[at]):
        found[:] = False
    found[at] = True
    found = _part_of(found, at)
    _, spread = _spread(image[place][inside])
    with np.errstate(invalid="ignore"):
        rim = (np.abs(image - middle) <= _RIM * tolerance * spread) & mark
    rim &= one_wider(found) & np.isfinite(image[at])
    found |= rim
    return found


def _spread(values: npt.NDArray[Any]) -> tuple[float, float]:
    """Return the median, and the standard deviation by the median deviation from it."""
    values = only_numbers(values)
    if not values.size:
        return np.nan, np.nan
    middle = float(np.median(values))
    return middle, _MAD * float(np.median(np.abs(values - middle)))


def _part_of(mask: BoolArray, at: tuple[int, ...]) -> BoolArray:
    """Return the part, connected by faces, that a voxel of a mask belongs to."""
    try:
        import cc3d
    except ImportError:
        from scipy import ndimage

        parts, _ = ndimage.label(mask)
    else:
        parts = cc3d.connected_components(mask, connectivity=6)
    part: BoolArray = parts == parts[at]
    return part


def one_wider(mask: BoolArray) -> BoolArray:
    """Return a mask with all neighbours, those by a corner among them."""
    wide = mask
    for axis in range(mask.ndim):
        if mask.shape[axis] > 1:
            lines = np.moveaxis(wide, axis, 0)
            grown = lines.copy()
            grown[1:] |= lines[:-1]
            grown[:-1] |= lines[1:]
            wide = np.moveaxis(grown, 0, axis)
    return wide
