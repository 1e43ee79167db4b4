"""Thresholds: a range in a box, a range from the histogram, and the part that was clicked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.edit.brush import ball
from napari_medlabel.edit.edge_brush import one_wider
from napari_medlabel.edit.finite import averaged, need_number, only_numbers
from napari_medlabel.edit.label_value import of_mask
from napari_medlabel.edit.masking import BoolArray
from napari_medlabel.edit.otsu import otsu
from napari_medlabel.edit.patch import Box
from napari_medlabel.edit.region import threshold
from napari_medlabel.edit.scene import Proposal, Scene, Tick, quiet
from napari_medlabel.edit.skew import approximately
from napari_medlabel.errors import InputError

__all__ = ["RANGES", "Likeness", "local_threshold", "otsu", "threshold_box"]

RANGES: Final[Mapping[str, tuple[float, float]]] = MappingProxyType(
    {
        "air": (-1100.0, -950.0),
        "lung": (-950.0, -500.0),
        "fat": (-150.0, -30.0),
        "water": (-10.0, 20.0),
        "soft tissue": (20.0, 90.0),
        "blood": (100.0, 400.0),
        "bone": (200.0, 2000.0),
        "metal": (2500.0, 32767.0),
    }
)
"""Ranges of CT in HU, both ends inside; ``blood`` is blood with contrast medium."""

_SMOOTH_MM: Final = 0.7  # before a found range is compared
_CLOSE_MM: Final = 4.0  # around a click: what is wanted looks like this
_SPREAD: Final = 1.5  # standard deviations that a found range reaches to each side


def threshold_box(
    scene: Scene, box: Box, low: float, high: float, value: int
) -> Proposal | None:
    """Give all voxels of a box whose intensity lies in a range one label.

    Parameters
    ----------
    scene : Scene
        What is worked on.
    box : tuple of slice
        Where, in (i, j, k): a slice, a slab or all.
    low, high : float
        Ends of the range, both inside, in the unit of the image (HU for CT).
    value : int
        The label.

    Returns
    -------
    Proposal or None
        None when nothing would change.

    Raises
    ------
    InputError
        When the range is empty, or the mask has no such label.
    """
    inside = threshold(scene.image[box].T, low, high).T
    return _given(scene, box, inside, value, "Threshold")


def _given(
    scene: Scene, box: Box, inside: BoolArray, value: int, name: str, more: str = ""
) -> Proposal | None:
    before = scene.labels[box]
    after = np.where(inside.T, of_mask(value, before.dtype), before.T).T
    ml = float(np.count_nonzero(inside)) * scene.voxel_mm3 / 1000.0
    return scene.propose(
        box,
        after,
        name=name,
        values=(value,),
        provider="threshold",
        origin="assisted",
        words=f"{ml:.1f} ml lie in the range.{more}",
    )


@dataclass(frozen=True)
class Likeness:
    """What counts as like a clicked place.

    Parameters
    ----------
    low, high : float, optional
        Ends of the range, both inside. Without either the range is found: 1.5 standard
        deviations about the median within 4 mm of the click, or see ``classes``.
    classes : int, optional
        Find the range otherwise: as the click's class of so many by Otsu's method.
    smooth_mm : float, optional
        Standard deviation of a smoothing before intensities are compared; the rim of one voxel
        that it blurs is decided by the intensities themselves. By default 0.7 mm when the range
        is found and none when it is given.
    neck_mm : float
        Connections thinner than this do not count; 0 takes all.
    """

    low: float | None = None
    high: float | None = None
    classes: int | None = None
    smooth_mm: float | None = None
    neck_mm: float = 0.0

    @property
    def is_found(self) -> bool:
        """Whether the range is to be found."""
        return self.low is None and self.high is None

    @property
    def smoothing_mm(self) -> float:
        """The smoothing that is done."""
        if self.smooth_mm is None:
            return _SMOOTH_MM if self.is_found else 0.0
        return self.smooth_mm


def local_threshold(
    scene: Scene,
    box: Box,
    seed_ijk: Sequence[int],
    value: int,
    *,
    radius_mm: float = 20.0,
    like: Likeness = Likeness(),
    tick: Tick = quiet,
) -> Proposal | None:
    """Give the connected part of a range around a clicked place one label.

    Parameters
    ----------
    scene : Scene
        What is worked on.
    box : tuple of slice
        Where it may go, in (i, j, k): a slice, a slab or all.
    seed_ijk : sequence of int
        The clicked voxel. Where noise puts it out of the range, a neighbour inside serves.
    value : int
        The label.
    radius_mm : float
        How far from the click it may go.
    like : Likeness
        What counts as like the click.
    tick : callable
        Told of the progress.

    Returns
    -------
    Proposal or None
        None when nothing would change.

    Raises
    ------
    InputError
        When the click lies outside the box or on a voxel without a number, neither it nor a
        neighbour is in the range, or the mask has no such label.
    """
    seed = [int(x) for x in seed_ijk]
    if not all(s.start <= x < s.stop for s, x in zip(box, seed, strict=True)):
        raise InputError(
            "The click lies outside of what is worked on.", hint="Click into the shown slice."
        )
    need_number(float(scene.image[tuple(seed)]))
    crop, near = _ball(scene, box, seed, radius_mm)
    at = seed[0] - crop[0].start, seed[1] - crop[1].start, seed[2] - crop[2].start
    raw = scene.image[crop]
    soft = _smoothed(raw, like.smoothing_mm, scene.spacing_mm)
    tick(1, 4)
    if not like.is_found:
        ends = (
            -np.inf if like.low is None else like.low,
            np.inf if like.high is None else like.high,
        )
    elif like.classes is None:
        ends = _range_around(scene, crop, seed)
    else:
        ends = _range_of_class(soft, near, at, like.classes)
    inside = threshold(soft.T, *ends).T & near
    tick(2, 4)
    start = _first_inside(inside, at, ends)
    region = _connected(inside, start, like.neck_mm, scene.spacing_mm)
    tick(3, 4)
    if soft is not raw:
        region |= (one_wider(region.T) & threshold(raw.T, *ends) & near.T).T
    thick = [part.stop - part.start > 1 for part in box]
    more = approximately(scene.skew_mm, like.neck_mm, thick) if like.neck_mm > 0 else ""
    return _given(scene, crop, region, value, "Local threshold", more)


def _ball(
    scene: Scene, box: Box, seed: Sequence[int], radius_mm: float
) -> tuple[Box, BoolArray]:
    """Return the part of a box within a radius of a seed, and which voxels of it are."""
    mark = ball(scene.shape, seed, radius_mm, scene.spacing_mm, skew_mm=scene.skew_mm)
    if mark is None:
        raise InputError("The click lies outside of the scan.", hint="Click into the scan.")
    wide, near = mark
    i, j, k = (
        slice(max(a.start, b.start), min(a.stop, b.stop))
        for a, b in zip(wide, box, strict=True)
    )
    part = tuple(
        slice(s.start - w.start, s.stop - w.start) for s, w in zip((i, j, k), wide, strict=True)
    )
    return (i, j, k), near[part]


def _smoothed(
    image: npt.NDArray[Any], smooth_mm: float, spacing_mm: Sequence[float]
) -> npt.NDArray[Any]:
    """Return an image smoothed, or itself."""
    if not smooth_mm > 0:
        return image
    from scipy import ndimage

    sigmas = [
        smooth_mm / mm if n > 1 else 0.0 for mm, n in zip(spacing_mm, image.shape, strict=True)
    ]
    return averaged(
        image.T,
        lambda part: ndimage.gaussian_filter(part, sigmas[::-1], mode="nearest", truncate=3.0),
    ).T


def _range_around(scene: Scene, crop: Box, seed: Sequence[int]) -> tuple[float, float]:
    """Return the usual intensities close to a place."""
    close, inside = _ball(scene, crop, seed, _CLOSE_MM)
    values = only_numbers(scene.image[close][inside]).astype(np.float64)
    middle = float(np.median(values))
    spread = _SPREAD * 1.4826 * float(np.median(np.abs(values - middle)))
    return middle - spread, middle + spread


def _range_of_class(
    image: npt.NDArray[Any], near: BoolArray, at: tuple[int, int, int], classes: int
) -> tuple[float, float]:
    """Return the range of the class that a place belongs to, by the median around it."""
    ends = (-np.inf, *otsu(image.T[near.T], classes), np.inf)
    i, j, k = (slice(max(x - 1, 0), x + 2) for x in at)
    usual = float(np.median(only_numbers(image[i, j, k])))
    place = int(np.searchsorted(ends, usual, side="right")) - 1
    return ends[place], ends[place + 1]


def _first_inside(
    inside: BoolArray, at: tuple[int, int, int], ends: tuple[float, float]
) -> tuple[int, int, int]:
    """Return a voxel, or a neighbour of it, that is in the range."""
    if inside[at]:
        return at
    i, j, k = (slice(max(x - 1, 0), x + 2) for x in at)
    hits = np.argwhere(inside[i, j, k]) + np.array([i.start, j.start, k.start])
    if not len(hits):
        raise InputError(
            f"The clicked voxel is not in the range of {ends[0]:g} to {ends[1]:g}.",
            hint="Click a voxel of the structure, or choose a wider range.",
        )
    # By faces before edges before corners.
    found = hits[int(np.argmin(np.abs(hits - at).sum(axis=1)))].tolist()
    return found[0], found[1], found[2]


def _connected(
    inside: BoolArray,
    seed: tuple[int, int, int],
    neck_mm: float,
    spacing_mm: tuple[float, float, float],
) -> BoolArray:
    """Return the part of a region that a seed belongs to; thin connections are cut."""
    from scipy import ndimage

    solid = inside.T  # (k, j, i): memory order
    if neck_mm <= 0:
        parts, _ = ndimage.label(solid)
        part: BoolArray = parts == parts[seed[::-1]]
        return part.T
    spacing = spacing_mm[::-1]
    depth = ndimage.distance_transform_edt(np.pad(solid, 1), sampling=spacing)[1:-1, 1:-1, 1:-1]
    core = depth > neck_mm / 2
    parts, count = ndimage.label(core)
    if not count:
        return _connected(inside, seed, 0.0, spacing_mm)
    # The core that the seed is nearest to; what was cut off its rim is given back.
    nearest = ndimage.distance_transform_edt(
        parts == 0, sampling=spacing, return_distances=False, return_indices=True
    )
    chosen = parts[tuple(nearest[axis][seed[::-1]] for axis in range(3))]
    far = ndimage.distance_transform_edt(parts != chosen, sampling=spacing)
    part = (far <= neck_mm / 2) & solid
    parts, _ = ndimage.label(part | (parts == chosen))
    part = parts == parts[tuple(nearest[axis][seed[::-1]] for axis in range(3))]
    return part.T
