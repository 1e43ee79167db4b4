"""Let the borders of segments settle on the image's edges, within a band around them."""

from __future__ import annotations

from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from napari_medlabel._optional import require
from napari_medlabel.edit.distance import distance_mm
from napari_medlabel.edit.finite import Floats, as_floats
from napari_medlabel.edit.patch import LabelArray
from napari_medlabel.edit.table import looked_up
from napari_medlabel.errors import InputError, MissingPackageError

Method = Literal["watershed", "random_walker"]
BoolArray = npt.NDArray[np.bool_]
Three = tuple[float, float, float]

_CORE: Final = 0.6  # of a part's greatest depth: what stays of a part thinner than the band
_SIGMA_MM: Final = 0.7  # of the Gaussian that the image's edges are measured with
_WALKER_VOXELS: Final = 400_000  # that a random walk is solved on in some seconds
_BETA: Final = 130.0
_TRUNCATE: Final = 4.0  # standard deviations at which a Gaussian ends, as SciPy has it
_SLICES: Final = 8  # measured at once: what is needed on the way stays small
UNKNOWN: Final = -1
WALL: Final = -2


def settle(
    image: npt.NDArray[Any],
    labels: LabelArray,
    movable: BoolArray,
    band_mm: float,
    spacing_mm: Three,
    *,
    method: Method = "watershed",
    sigma_mm: float = _SIGMA_MM,
) -> LabelArray:
    """Return labels whose borders lie on edges of the image, near where they lay.

    Every voxel farther from a border than the band keeps its label, and a part of a segment
    that is thinner than the band keeps its core. From there they grow back through the band:
    by a watershed of the gradient's size (Meyer 1991), or by a random walk (Grady 2006).

    Parameters
    ----------
    image, labels : ndarray, one shape (i, j, k)
        A crop of both, wider than the segments by the band where the scan allows. What is no
        number in the image counts as its lowest one.
    movable : ndarray of bool, shape (i, j, k)
        Voxels that may change, between the labels of movable voxels.
    band_mm : float
        How far a border may move.
    spacing_mm : tuple of float
        Distance of neighbouring voxels along i, j and k.
    method : str
        ``watershed`` or ``random_walker``.
    sigma_mm : float
        Standard deviation of the Gaussian under the gradient.

    Returns
    -------
    ndarray, shape (i, j, k)
        A new array; ``labels`` where nothing may move.

    Raises
    ------
    InputError
        When the band is too large for a random walk.
    """
    # Handed on without a name here, so that they go once they have been read.
    return regrow(
        image,
        labels,
        cores(labels, movable, band_mm, spacing_mm),
        spacing_mm,
        method=method,
        sigma_mm=sigma_mm,
    )


def regrow(
    image: npt.NDArray[Any],
    labels: LabelArray,
    seeds: npt.NDArray[np.int32],
    spacing_mm: Three,
    *,
    method: Method = "watershed",
    sigma_mm: float = _SIGMA_MM,
) -> LabelArray:
    """Return labels where the voxels that were to be found out grew from the sure ones.

    Parameters
    ----------
    image, labels, spacing_mm, method, sigma_mm
        As in `settle`.
    seeds : ndarray of int32, shape (i, j, k)
        As `cores` gives them.
    """
    from scipy import ndimage

    seeds = seeds.T
    unknown = seeds == UNKNOWN
    # Only seeds that touch the band matter, and only what a seed can grow to.
    near = ndimage.binary_dilation(unknown) & (seeds >= 0)
    parts, n = ndimage.label(unknown | near)
    seeded = np.zeros(n + 1, dtype=bool)
    seeded[parts[near]] = True
    seeded[0] = False
    unknown &= looked_up(seeded, parts.T).T
    del parts
    out = labels.T.copy()
    if unknown.any():
        values, order = np.unique(seeds[near], return_inverse=True)
        del seeds
        kind = np.uint16 if values.size < np.iinfo(np.uint16).max else np.uint32
        marks = np.full(unknown.shape, np.iinfo(kind).max, dtype=kind)
        marks[near] = order + 1
        marks[unknown] = 0
        del near
        solve = _by_watershed if method == "watershed" else _by_random_walk
        found = solve(image, marks, spacing_mm, sigma_mm)[unknown]
        out[unknown] = np.where(found > 0, values[np.maximum(found, 1) - 1], out[unknown])
    return out.T


def cores(
    labels: LabelArray, movable: BoolArray, band_mm: float, spacing_mm: Three
) -> npt.NDArray[np.int32]:
    """Return what is sure of each label, background too; -1: to be found out, -2: a wall.

    Parameters
    ----------
    labels, movable, band_mm, spacing_mm
        As in `settle`.
    """
    from scipy import ndimage

    seeds = np.where(movable.T, np.int32(UNKNOWN), np.int32(WALL)).T
    for value in np.unique(labels[movable]):
        region = (labels == value) & movable
        # What may not move is no border: beside it a segment stays where it is.
        depth = distance_mm(region | ~movable, spacing_mm)
        sure = region & (depth > band_mm)
        if value:
            parts, n = ndimage.label(region.T)
            inside = parts > 0
            deepest = np.zeros(n + 1, dtype=np.float32)
            # Between walls alone a depth has no end; such a part is sure anyhow.
            finite = np.minimum(depth.T[inside], np.finfo(np.float32).max)
            np.maximum.at(deepest, parts[inside], finite)
            thin = looked_up(_CORE * deepest, parts.T)
            del parts, inside, finite
            sure |= region & (depth >= thin) & (thin <= band_mm)
        seeds[sure] = value
    return seeds


def edge_strength(
    image: npt.NDArray[Any], spacing_mm: Three, sigma_mm: float = _SIGMA_MM
) -> npt.NDArray[np.float32]:
    """Return the size of the image's gradient, per mm; along an axis of one voxel it is flat.

    Parameters
    ----------
    image : ndarray, shape (i, j, k)
        Intensities.
    spacing_mm : tuple of float
        Distance of neighbouring voxels.
    sigma_mm : float
        Standard deviation of the Gaussian it is measured under.
    """
    steps = spacing_mm[::-1]
    low = as_floats(image) if image.dtype.kind == "f" else None  # padding is the lowest of all
    many = image.shape[2]
    sigmas = [
        sigma_mm / mm if n > 1 else 0.0 for mm, n in zip(steps, image.T.shape, strict=True)
    ]
    halo = int(_TRUNCATE * sigmas[0] + 0.5) + 1
    out = np.empty(image.T.shape, dtype=np.float32)
    for first in range(0, many, _SLICES):
        last = min(first + _SLICES, many)
        start, stop = max(first - halo, 0), min(last + halo, many)
        part = as_floats(image[:, :, start:stop]) if low is None else low[:, :, start:stop]
        steep = _steepness(part.T, sigmas, steps)
        out[first:last] = steep[first - start : last - start]
    return out.T


def _steepness(
    part: Floats, sigmas: list[float], steps: tuple[float, ...]
) -> npt.NDArray[np.float32]:
    """Return the size of the gradient of some slices (k, j, i), per mm."""
    from scipy import ndimage

    smooth = ndimage.gaussian_filter(part, sigmas, mode="nearest", truncate=_TRUNCATE)
    out = np.zeros(smooth.shape, dtype=np.float32)
    for axis, n in enumerate(smooth.shape):
        if n > 1:
            out += np.gradient(smooth, steps[axis], axis=axis) ** 2
    return np.sqrt(out)


def _by_watershed(
    image: npt.NDArray[Any],
    marks: npt.NDArray[Any],
    spacing_mm: Three,
    sigma_mm: float,
) -> npt.NDArray[Any]:
    """Grow marks (k, j, i), counted from 1, into those that are 0; the largest are walls.

    Both ways flood in one order and give the same; the compiled one takes a fifth of the room.
    """
    edges = edge_strength(image, spacing_mm, sigma_mm).T
    wall = np.iinfo(marks.dtype).max
    try:
        require("numba", extra="tools")
    except MissingPackageError:
        from skimage.segmentation import watershed

        free = marks != wall
        grown: npt.NDArray[np.int32] = watershed(
            edges, np.where(free, marks, 0).astype(np.int32), mask=free
        )
        return grown
    from napari_medlabel.edit.basin_kernel import flood

    starts = np.flatnonzero((marks > 0) & (marks < wall)).astype(np.int32)
    flood(edges.reshape(-1), marks.reshape(-1), marks.shape, starts)
    return marks


def _by_random_walk(
    image: npt.NDArray[Any],
    marks: npt.NDArray[Any],
    spacing_mm: Three,
    sigma_mm: float,
) -> npt.NDArray[Any]:
    """Do the same by a random walk."""
    from scipy import ndimage
    from skimage.segmentation import random_walker

    unknown = np.count_nonzero(marks == 0)
    if unknown > _WALKER_VOXELS:
        raise InputError(
            f"A random walk takes bands of up to {_WALKER_VOXELS} voxels; "
            f"this one has {unknown}.",
            hint="Choose a narrower band, fewer segments or a slab; or take the watershed.",
        )
    steps = spacing_mm[::-1]
    sigmas = [sigma_mm / mm if n > 1 else 0.0 for mm, n in zip(steps, marks.shape, strict=True)]
    blurred = ndimage.gaussian_filter(
        as_floats(image).T.astype(np.float64), sigmas, mode="nearest"
    )
    if np.ptp(blurred) == 0:
        return marks  # no edge to walk by
    marks = np.where(marks == np.iinfo(marks.dtype).max, -1, marks.astype(np.int32))
    # The solver stops near the answer: probabilities a little beyond 0 and 1 are no fault.
    found: npt.NDArray[np.int32] = random_walker(
        blurred, marks, beta=_BETA, mode="cg_j", spacing=steps, prob_tol=np.inf
    )
    return found
