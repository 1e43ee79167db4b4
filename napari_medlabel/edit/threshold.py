"""Thresholds: a range in a box, a range from the histogram, and the part that was clicked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.edit.masking import BoolArray
from napari_medlabel.edit.patch import Box
from napari_medlabel.edit.region import threshold
from napari_medlabel.edit.scene import Proposal, Scene, Tick, quiet, widen
from napari_medlabel.errors import InputError

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

_BINS: Final = 4096  # of a histogram of fractions
_ROW: Final = 1 << 22  # voxels counted at a time: the counting takes eight bytes for each


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
        When the range is empty.
    """
    inside = threshold(scene.image[box].T, low, high).T
    return _given(scene, box, inside, value, "Threshold")


def _given(scene: Scene, box: Box, inside: BoolArray, value: int, name: str) -> Proposal | None:
    before = scene.labels[box]
    after = np.where(inside.T, before.dtype.type(value), before.T).T
    ml = float(np.count_nonzero(inside)) * float(np.prod(scene.spacing_mm)) / 1000.0
    return scene.propose(
        box,
        after,
        name=name,
        values=(value,),
        provider="threshold",
        origin="assisted",
        words=f"{ml:.1f} ml lie in the range.",
    )


def otsu(image_crop: npt.NDArray[Any], classes: int = 2) -> tuple[float, ...]:
    """Return the thresholds that part intensities into classes of the least variance.

    Every whole intensity has a bin of its own, fractions have 4096; the best of all partings is
    found, in time proportional to the bins: the best place of a border moves one way only when
    the end of its class does.

    Parameters
    ----------
    image_crop : ndarray, any shape
        Intensities.
    classes : int
        How many classes, 2 to 8.

    Returns
    -------
    tuple of float
        ``classes - 1`` rising thresholds, each halfway between the two values it parts, so no
        whole intensity lies on one.

    Raises
    ------
    InputError
        When the number of classes is out of range, or the crop has fewer values than classes.

    References
    ----------
    N. Otsu, A threshold selection method from gray-level histograms, IEEE SMC 9 (1979) 62-66;
    P. Liao et al., A fast algorithm for multilevel thresholding, J. Inf. Sci. Eng. 17 (2001).
    """
    if not 2 <= classes <= 8:
        raise InputError(
            f"Intensities are parted into 2 to 8 classes; got {classes}.",
            hint="Two are object and background.",
        )
    values, counts = _histogram(image_crop)
    if len(values) < classes:
        raise InputError(
            f"{classes} classes need as many intensities; there are {len(values)} here.",
            hint="Choose a larger region, or fewer classes.",
        )
    weight = np.concatenate(([0.0], np.cumsum(counts)))
    moment = np.concatenate(([0.0], np.cumsum(counts * (values - values.mean()))))
    # gain[n]: the sum of moment^2 / weight over the classes that cover the first n bins; its
    # maximum is the minimum of the variance within them.
    gain = np.concatenate(([-np.inf], moment[1:] ** 2 / weight[1:]))
    chosen = []
    for _ in range(classes - 1):
        gain, borders = _one_class_more(gain, weight, moment)
        chosen.append(borders)
    last = len(values)
    found = []
    for borders in reversed(chosen):
        last = int(borders[last])
        found.append(float(values[last - 1] + values[last]) / 2)
    return tuple(reversed(found))


def _histogram(
    image: npt.NDArray[Any],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the values that occur, rising, and how often each does."""
    flat = image.T.reshape(-1)  # without a copy where the array is in memory order
    if flat.size and not np.issubdtype(flat.dtype, np.integer):
        flat = flat[np.isfinite(flat)]
    if not flat.size:
        return np.empty(0), np.empty(0)
    low, high = flat.min(), flat.max()
    whole = np.issubdtype(flat.dtype, np.integer) and int(high) - int(low) < 1 << 16
    bins = int(high) - int(low) + 1 if whole else _BINS
    width = 1.0 if whole else (float(high) - float(low)) / (_BINS - 1) or 1.0
    counts = np.zeros(bins, dtype=np.int64)
    for start in range(0, flat.size, _ROW):
        part = flat[start : start + _ROW]
        place = part.astype(np.int64) - int(low) if whole else (part - float(low)) / width + 0.5
        counts += np.bincount(place.astype(np.int64), minlength=bins)
    present = np.flatnonzero(counts)
    values = (float(low) + present * width).astype(np.float64)
    return values, counts[present].astype(np.float64)


def _one_class_more(
    gain: npt.NDArray[np.float64],
    weight: npt.NDArray[np.float64],
    moment: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intp]]:
    """Return the best gain of the first n bins with one class more, and where that begins.

    The best beginnings rise with n: ends are halved level by level, and each is looked for
    between the beginnings of its two neighbours of the levels before.
    """
    n = len(gain) - 1
    best = np.full(n + 1, -np.inf)
    begins = np.zeros(n + 1, dtype=np.intp)
    lowest, highest = np.array([1]), np.array([n - 1])  # beginnings
    first, last = np.array([2]), np.array([n])  # ends, both inside
    while first.size:
        end = (first + last) // 2
        top = np.minimum(highest, end - 1)
        width = np.maximum(top - lowest + 1, 1)
        offset = np.cumsum(width) - width
        which = np.repeat(np.arange(end.size), width)
        begin = np.arange(int(width.sum())) - offset[which] + lowest[which]
        begin = np.minimum(begin, end[which] - 1)
        span = end[which]
        found = gain[begin] + (moment[span] - moment[begin]) ** 2 / (
            weight[span] - weight[begin]
        )
        best[end] = np.maximum.reduceat(found, offset)
        hits = np.flatnonzero(found == best[end][which])
        _, earliest = np.unique(which[hits], return_index=True)
        begins[end] = begin[hits[earliest]]
        halves = (
            np.concatenate((first, end + 1)),
            np.concatenate((end - 1, last)),
            np.concatenate((lowest, begins[end])),
            np.concatenate((begins[end], highest)),
        )
        left = halves[0] <= halves[1]
        first, last, lowest, highest = (half[left] for half in halves)
    return best, begins


def local_threshold(  # noqa: PLR0913 - a click, and what bounds its region
    scene: Scene,
    box: Box,
    seed_ijk: Sequence[int],
    value: int,
    *,
    radius_mm: float = 20.0,
    low: float | None = None,
    high: float | None = None,
    neck_mm: float = 0.0,
    classes: int = 3,
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
        The clicked voxel.
    value : int
        The label.
    radius_mm : float
        How far from the click it may go.
    low, high : float, optional
        Ends of the range, both inside. Without either the range is found: the class of the
        click among ``classes`` by Otsu's method in the ball around it.
    neck_mm : float
        Connections thinner than this do not count; 0 takes all.
    classes : int
        How many classes intensities are parted into, when the range is to be found.
    tick : callable
        Told of the progress.

    Returns
    -------
    Proposal or None
        None when nothing would change.

    Raises
    ------
    InputError
        When the click lies outside the box, or its intensity outside the range.
    """
    seed = [int(x) for x in seed_ijk]
    if not all(s.start <= x < s.stop for s, x in zip(box, seed, strict=True)):
        raise InputError(
            "The click lies outside of what is worked on.", hint="Click into the shown slice."
        )
    single = (
        slice(seed[0], seed[0] + 1),
        slice(seed[1], seed[1] + 1),
        slice(seed[2], seed[2] + 1),
    )
    wide = widen(single, radius_mm, scene.spacing_mm, scene.shape)
    i, j, k = (
        slice(max(a.start, b.start), min(a.stop, b.stop))
        for a, b in zip(wide, box, strict=True)
    )
    crop: Box = (i, j, k)
    image = scene.image[crop]
    near = _ball(crop, seed, radius_mm, scene.spacing_mm)
    inner = seed[0] - i.start, seed[1] - j.start, seed[2] - k.start
    if low is None and high is None:
        low, high = _range_of(image, near, inner, classes)
    tick(1, 3)
    ends = (-np.inf if low is None else low, np.inf if high is None else high)
    inside = threshold(image.T, *ends).T & near
    if not inside[inner]:
        raise InputError(
            f"The clicked voxel is not in the range of {ends[0]:g} to {ends[1]:g}.",
            hint="Click a voxel of the structure, or choose a wider range.",
        )
    region = _connected(inside, inner, neck_mm, scene.spacing_mm)
    tick(3, 3)
    return _given(scene, crop, region, value, "Local threshold")


def _ball(
    crop: Box, seed: Sequence[int], radius_mm: float, spacing_mm: Sequence[float]
) -> BoolArray:
    lines = [
        ((np.arange(s.start, s.stop) - x) * mm) ** 2
        for s, x, mm in zip(crop, seed, spacing_mm, strict=True)
    ]
    i, j, k = lines
    near: BoolArray = k[:, None, None] + j[:, None] + i <= radius_mm**2 + 1e-9
    return near.T


def _range_of(
    image: npt.NDArray[Any], near: BoolArray, seed: tuple[int, int, int], classes: int
) -> tuple[float, float]:
    """Return the range of the class that a place belongs to, by the median around it."""
    ends = (-np.inf, *otsu(image.T[near.T], classes), np.inf)
    i, j, k = (slice(max(x - 1, 0), x + 2) for x in seed)
    middle = float(np.median(image[i, j, k]))
    place = int(np.searchsorted(ends, middle, side="right")) - 1
    low, high = ends[place], ends[place + 1]
    at = float(image[seed])
    # Noise may have put the clicked voxel itself into the class beside.
    return min(low, at), max(high, at)


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
