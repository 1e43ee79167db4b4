"""Arithmetic that gives the same bits on every processor: hashes, curves, smooth fields, noise.

Only ``+ - * /``, square roots, floors, comparisons and integers are used. NumPy's sines and
powers may differ in the last bit between processors; these may not (IEEE 754).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

F32 = np.float32
Array = np.ndarray[Any, np.dtype[Any]]
_MASK = (1 << 64) - 1


def hash64(values: Array) -> Array:
    """Mix every uint64 of `values` into another one (the finaliser of SplitMix64)."""
    z = values + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


class Dice:
    """A stream of scalar pseudo-random numbers from an integer seed."""

    def __init__(self, seed: int) -> None:
        self._state = (seed * 0x9E3779B97F4A7C15 + 0x1234567) & _MASK

    def unit(self) -> float:
        """Return the next number in [0, 1)."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        z = self._state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        return float((z ^ (z >> 31)) >> 11) / float(1 << 53)

    def within(self, low: float, high: float) -> float:
        """Return the next number between `low` and `high`."""
        return low + (high - low) * self.unit()

    def direction(self) -> tuple[float, float, float]:
        """Return a random unit vector."""
        while True:
            x, y, z = (self.within(-1, 1) for _ in range(3))
            n = x * x + y * y + z * z
            if 0.05 < n < 1:
                n = math.sqrt(n)
                return x / n, y / n, z / n


def gauss(shape: tuple[int, int], seed: int) -> Array:
    """Integer noise (int32), about normal: mean 0, sigma 209 (eight bytes added per pixel)."""
    rows, columns = shape
    start = (seed * 0x1000003 * 0x100000001) & _MASK
    with np.errstate(over="ignore"):
        h = hash64(np.arange(rows * columns, dtype=np.uint64) + np.uint64(start))
    total = np.zeros(rows * columns, np.int32)
    for shift in range(0, 64, 8):
        total += ((h >> np.uint64(shift)) & np.uint64(255)).astype(np.int32)
    return (total - 1020).reshape(shape)


def binomial(image: Array) -> Array:
    """Smooth an integer image by [1 2 1] along both axes (wraps around; sums, not means)."""
    rows = np.roll(image, 1, 0) + 2 * image + np.roll(image, -1, 0)
    result: Array = np.roll(rows, 1, 1) + 2 * rows + np.roll(rows, -1, 1)
    return result


def texture(shape: tuple[int, int], seed: int) -> Array:
    """Correlated noise (float32), sigma 1: the grain of a filtered back projection."""
    fine = gauss(shape, seed)
    smooth = binomial(fine)
    wide = binomial(binomial(np.roll(fine, (1, 2), (0, 1))))
    # sigmas: smooth 209 * 6 = 1254; the wide part takes the lowest frequencies away
    return (8 * smooth - wide // 4).astype(F32) * F32(1.0 / 9940.0)


def _weights(t: float) -> tuple[float, float, float, float]:
    u = 1.0 - t
    return (
        u * u * u / 6.0,
        (3.0 * t * t * t - 6.0 * t * t + 4.0) / 6.0,
        (3.0 * u * u * u - 6.0 * u * u + 4.0) / 6.0,
        t * t * t / 6.0,
    )


def _upsample(coarse: Array, size: int, step: int, axis: int) -> Array:
    index = np.arange(size)
    cell = index // step
    t = (index - cell * step).astype(F32) * F32(1.0 / step)
    u = F32(1) - t
    taps = (
        u * u * u / F32(6),
        (F32(3) * t * t * t - F32(6) * t * t + F32(4)) / F32(6),
        (F32(3) * u * u * u - F32(6) * u * u + F32(4)) / F32(6),
        t * t * t / F32(6),
    )
    shape = (-1, 1) if axis == 0 else (1, -1)
    out = np.take(coarse, cell, axis) * taps[0].reshape(shape)
    for k in (1, 2, 3):
        out = out + np.take(coarse, cell + k, axis) * taps[k].reshape(shape)
    return out


def smooth_field(shape: tuple[int, int], step: int, level: float, seed: int) -> Array:
    """Return a smooth random image in about [-1, 1] (float32): a spline over a lattice.

    Parameters
    ----------
    shape
        Rows and columns of the image.
    step
        Pixels between the knots of the lattice.
    level
        Position along the third axis in knots: neighbours in `level` are alike.
    seed
        Picks the field.
    """
    rows, columns = shape[0] // step + 4, shape[1] // step + 4
    base = math.floor(level)
    knots = np.zeros((rows, columns), F32)
    for k, weight in enumerate(_weights(level - base)):
        plane = gauss((rows, columns), seed * 1009 + base + k + 500).astype(F32)
        knots = knots + plane * F32(weight / 110.0)
    return _upsample(_upsample(knots, shape[0], step, 0), shape[1], step, 1)


def curve(at: float, knots: Sequence[tuple[float, float]]) -> float:
    """Value at `at` of a smooth curve through (position, value) knots; constant beyond them."""
    if at <= knots[0][0]:
        return knots[0][1]
    if at >= knots[-1][0]:
        return knots[-1][1]
    k = max(i for i, (p, _) in enumerate(knots) if p <= at)
    (p0, v0), (p1, v1) = knots[k], knots[k + 1]
    before, after = knots[max(k - 1, 0)], knots[min(k + 2, len(knots) - 1)]
    width = p1 - p0
    m0 = (v1 - before[1]) / (p1 - before[0]) * width
    m1 = (after[1] - v0) / (after[0] - p0) * width
    t = (at - p0) / width
    a = 2.0 * (v0 - v1) + m0 + m1
    b = 3.0 * (v1 - v0) - 2.0 * m0 - m1
    return ((a * t + b) * t + m0) * t + v0


def bump(u: Array) -> Array:
    """Return a smooth hill: 1 at u = 0, 0 from |u| = 1 on."""
    inside = np.maximum(F32(1) - u * u, F32(0))
    return inside * inside


def smooth_min(a: Array, b: Array, radius: float) -> Array:
    """Join two distance fields with a fillet of `radius` mm."""
    h = np.maximum(F32(radius) - np.abs(a - b), F32(0))
    return np.minimum(a, b) - h * h * F32(0.25 / radius)
