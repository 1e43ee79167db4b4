"""The relief that growth climbs: an image's edges, or its intensities, in 256 levels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from napari_medlabel.edit.finite import as_floats, lowest, only_numbers
from napari_medlabel.edit.scene import Tick, quiet

FloatArray = npt.NDArray[np.float32]
ByteArray = npt.NDArray[np.uint8]
Mode = Literal["minimax", "additive"]

_LEVELS: Final = 255
_LEVELS_OF_NOISE: Final = 8.0
_LEVELS_OF_EDGES: Final = 64.0
"""Height in levels of the edges of an image without noise."""
_SCALES: Final = ((1.0, 60.0), (1.4, 8.0), (2.0, 8.0), (2.8, 0.0))
"""Gradient scales that are tried, in units of the finest spacing, and how far edges must stand
above noise for each.

Measured on a CT phantom with voxels of 0.7 mm. At 20 HU of noise 1.0 mm finds ten organs with a
mean Dice of 0.989 and none below 0.965; 0.7 mm can lose a tumour of 36 HU contrast altogether.
"""
_CLEAN: Final = 500.0
_CLEAN_SCALE: Final = 0.5
"""Where edges stand this far above what differs from voxel to voxel, there is no noise to
smooth away, and the gradient is as fine as can be: smoothing takes a rim of small objects."""
_TRUNCATE: Final = 3.0
_SLAB: Final = 8
_SAMPLE: Final = 16
_STEP_SHARE: Final = 2
"""Additive mode: what a step of one finest spacing costs, in levels."""


@dataclass(frozen=True)
class Scale:
    """How an image becomes levels.

    Parameters
    ----------
    gradient_mm : float
        Standard deviation of the Gaussian before the gradient.
    quantum : float
        Height of one level: intensity per mm in ``minimax``, intensity in ``additive`` mode.
    floor : float
        Intensity of level 0 in ``additive`` mode.
    lowest : float
        Intensity that voxels without a number are taken for.
    """

    gradient_mm: float
    quantum: float
    floor: float = 0.0
    lowest: float = 0.0


def choose_scale(
    image: npt.NDArray[Any],
    spacing_mm: tuple[float, float, float],
    *,
    mode: Mode = "minimax",
    gradient_mm: float | None = None,
) -> Scale:
    """Choose scale and levels from the noise of an image.

    The noise is the median gradient, which edges do not move, as they do not move the median
    absolute deviation. The finest scale is taken at which the steepest 5 % of the voxels stand
    5.5 times above it. Blocks spread over the image are looked at, and for edges the half of
    them that has most: air around the patient has none at any scale. Smoothing never raises
    noise: what is steeper after it than before is the skirt of an edge, and an image that has
    nothing else is clean.

    Parameters
    ----------
    image : ndarray, shape (i, j, k)
        Intensities.
    spacing_mm : tuple of float
        Along i, j and k.
    mode : str
        ``minimax`` or ``additive``.
    gradient_mm : float, optional
        A scale chosen by hand.
    """
    finest, low = min(spacing_mm), lowest(image)
    scales = [(share * finest, above) for share, above in _SCALES]
    sigma, quantum = gradient_mm or scales[0][0], 1.0
    clean = not gradient_mm and _is_clean(_sample(image, spacing_mm, finest, low))
    if clean:
        gradient_mm = _CLEAN_SCALE * finest
    for sigma, above in [(gradient_mm, 0.0)] if gradient_mm else scales:
        noise, edges, skirts = _noise_and_edges(_sample(image, spacing_mm, sigma, low))
        quantum = noise / _LEVELS_OF_NOISE
        if clean or skirts or noise == 0:
            quantum = max(quantum, edges / _LEVELS_OF_EDGES)
        if edges >= above * noise:
            break
    if mode == "additive":
        return _intensity_scale(image, sigma, low)
    return Scale(float(sigma), quantum if quantum > 0 else 1.0, lowest=low)


def levels(
    image: npt.NDArray[Any],
    spacing_mm: tuple[float, float, float],
    scale: Scale,
    *,
    mode: Mode = "minimax",
    out: ByteArray,
    tick: Tick = quiet,
) -> None:
    """Write the levels of an image: of its gradient, or of its smoothed intensities.

    Works in slabs of slices; what it needs beside ``out`` is a few slabs in float32.

    Parameters
    ----------
    image : ndarray, shape (i, j, k)
        Intensities.
    spacing_mm : tuple of float
        Along i, j and k.
    scale : Scale
        Scale and height of a level.
    mode : str
        ``minimax`` or ``additive``.
    out : ndarray of uint8, shape (k, j, i)
        Where they go; it may be a view.
    tick : callable
        Told the slices done.
    """
    deep = image.shape[2]
    for at in range(0, deep, _SLAB):
        stop = min(at + _SLAB, deep)
        tick(at, deep)
        smooth, first = _smoothed(
            image.T, (at, stop), spacing_mm[::-1], scale.gradient_mm, scale.lowest
        )
        if mode == "additive":
            part = smooth[at - first : stop - first]
            part -= np.float32(scale.floor)
        else:
            part = _steepness(smooth, (at - first, stop - first), spacing_mm[::-1])
        part *= np.float32(1.0 / scale.quantum)
        np.rint(part, out=part)
        np.clip(part, 0, _LEVELS, out=part)
        out[at:stop] = part
    tick(deep, deep)


def _smoothed(
    image: npt.NDArray[Any],
    span: tuple[int, int],
    spacing: tuple[float, ...],
    sigma_mm: float,
    low: float,
) -> tuple[FloatArray, int]:
    """Return a span of slices (k, j, i), smoothed, with a slice more at both ends if any."""
    from scipy import ndimage

    sigmas = [sigma_mm / mm for mm in spacing]
    reach = int(_TRUNCATE * sigmas[0] + 0.5)
    start, stop = max(span[0] - 1 - reach, 0), min(span[1] + 1 + reach, image.shape[0])
    part = as_floats(image[start:stop].T, low).T
    for axis in (2, 1, 0):
        if image.shape[axis] > 1:
            part = ndimage.gaussian_filter1d(
                part, sigmas[axis], axis=axis, truncate=_TRUNCATE, mode="nearest"
            )
    first, last = max(span[0] - 1, 0), min(span[1] + 1, image.shape[0])
    return part[first - start : last - start], first


def _steepness(
    smooth: FloatArray, span: tuple[int, int], spacing: tuple[float, ...]
) -> FloatArray:
    """Return the gradient's length in a span of slices by central differences, per mm."""
    middle = smooth[span[0] : span[1]]
    total = np.zeros(middle.shape, np.float32)
    for axis, mm in enumerate(spacing):
        n = smooth.shape[axis]
        if n < 2:
            continue
        index = np.arange(n)
        if axis == 0:
            index = index[span[0] : span[1]]
            ahead = smooth[np.minimum(index + 1, n - 1)]
            step = ahead - smooth[np.maximum(index - 1, 0)]
        else:
            step = np.empty_like(middle)
            there, here = _along(step, axis), _along(middle, axis)
            np.subtract(here[2:], here[:-2], out=there[1:-1])
            there[0], there[-1] = here[1] - here[0], here[-1] - here[-2]
        step *= np.float32(0.5 / mm)
        step *= step
        total += step
    return np.sqrt(total, out=total)


def _along(array: FloatArray, axis: int) -> FloatArray:
    return np.moveaxis(array, axis, 0)


def _sample(
    image: npt.NDArray[Any],
    spacing_mm: tuple[float, float, float],
    sigma_mm: float,
    low: float,
) -> list[tuple[FloatArray, FloatArray]]:
    """Return the gradient in blocks spread over the image, smoothed and as it is."""
    reach = [int(_TRUNCATE * sigma_mm / mm + 0.5) + 1 for mm in spacing_mm]
    found = []
    for starts in _blocks(image.shape):
        box = tuple(
            slice(max(at - r, 0), min(at + _SAMPLE + r, n))
            for at, r, n in zip(starts, reach, image.shape, strict=True)
        )
        part = image[box]
        smooth, first = _smoothed(part.T, (0, part.shape[2]), spacing_mm[::-1], sigma_mm, low)
        steep = _steepness(smooth, (first, part.shape[2]), spacing_mm[::-1])
        inner = tuple(
            slice(at - b.start, at - b.start + _SAMPLE)
            for at, b in zip(starts, box, strict=True)
        )
        rough = _steepness(as_floats(part, low).T, (first, part.shape[2]), spacing_mm[::-1])
        found.append((steep.T[inner].ravel(), rough.T[inner].ravel()))
    return found


def _is_clean(blocks: list[tuple[FloatArray, FloatArray]]) -> bool:
    """Tell whether neighbours differ at edges alone, looking where the gradient is not 0."""
    steep, rough = (np.concatenate(side) for side in zip(*blocks, strict=True))
    alive = rough[steep > 0]
    _, edges, _ = _noise_and_edges(blocks)
    return bool(alive.size) and _CLEAN * float(np.median(alive)) <= edges


def _noise_and_edges(blocks: list[tuple[FloatArray, FloatArray]]) -> tuple[float, float, bool]:
    """Return the noise of the gradient, the gradient of edges, and whether skirts prevail.

    Noise is the median gradient, 0 where most of it is 0; without smoothing where that is less.
    Edges are the steepest 5 % in the steeper half of the blocks. Voxels with no gradient at
    all, as around a masked head, say nothing of noise, unless they prevail there too.
    """
    smooth = [part for part, _ in blocks]
    tops = np.array([np.percentile(part, 95) for part in smooth])
    half = np.concatenate(
        [part for part, top in zip(smooth, tops, strict=True) if top >= np.median(tops)]
    )
    edges = float(np.percentile(half, 95))
    if float(np.median(half)) == 0.0:
        return 0.0, edges, False
    every = np.concatenate(smooth)
    alive = every > 0
    noise = float(np.median(every[alive]))
    rough = float(np.median(np.concatenate([part for _, part in blocks])[alive]))
    return min(noise, rough), edges, rough < noise


def _blocks(shape: tuple[int, ...]) -> Iterator[tuple[int, int, int]]:
    """Give the first corners of up to 64 blocks."""
    per_axis = [
        np.unique(np.linspace(0, max(n - _SAMPLE, 0), min(4, -(-n // _SAMPLE))).astype(int))
        for n in shape
    ]
    for i in per_axis[0]:
        for j in per_axis[1]:
            for k in per_axis[2]:
                yield int(i), int(j), int(k)


def _intensity_scale(image: npt.NDArray[Any], sigma_mm: float, darkest: float) -> Scale:
    """Return the scale whose levels span the intensities, but for the outermost percents."""
    values = np.concatenate(
        [
            only_numbers(image[i : i + _SAMPLE, j : j + _SAMPLE, k : k + _SAMPLE])
            for i, j, k in _blocks(image.shape)
        ]
    ).astype(np.float64)
    if not values.size:
        return Scale(float(sigma_mm), 1.0, darkest, darkest)
    low, high = (float(v) for v in np.percentile(values, (1, 99)))
    if not high > low:
        low, high = float(values.min()), float(values.max())
    quantum = (high - low) / _LEVELS if high > low else 1.0
    return Scale(float(sigma_mm), quantum, low, darkest)


@dataclass(frozen=True)
class Steps:
    """What a step of growth costs, in whole units.

    Parameters
    ----------
    along : tuple of int
        From a voxel to the next along k, j and i.
    per_level : int
        One level of the relief, in ``minimax`` mode.
    mode : str
        ``minimax``: the highest level on the way, then the length of the way. ``additive``:
        the sum of all differences of level and of the length of the way.
    """

    along: tuple[int, int, int]
    per_level: int
    mode: Mode

    @classmethod
    def of(cls, spacing_mm: tuple[float, float, float], mode: Mode) -> Steps:
        """Choose the units: the coarsest of four in which no axis is wrong by over a tenth."""
        finest = min(spacing_mm)
        exact = [mm / finest for mm in spacing_mm[::-1]]
        base = next(
            (b for b in (1, 2, 3) if all(abs(round(b * e) / (b * e) - 1) < 0.1 for e in exact)),
            4,
        )
        k, j, i = (min(max(round(base * e), 1), 4096) for e in exact)
        if mode == "additive":
            share = _STEP_SHARE
            return cls((share * k, share * j, share * i), base, mode)
        return cls((k, j, i), 64 * base, mode)

    @property
    def furthest(self) -> int:
        """The most that one step can cost, in units."""
        top = _LEVELS * self.per_level
        return max(self.along) + top
