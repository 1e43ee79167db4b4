"""A CT-like phantom of ten organs, 512 x 512 x 300 voxels, written by formulas."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

SHAPE_ZYX = (300, 512, 512)
SPACING_ZYX_MM = (1.5, 0.7, 0.7)
NAMES = {
    1: "liver",
    2: "spleen",
    3: "kidney right",
    4: "kidney left",
    5: "aorta",
    6: "vertebrae",
    7: "lung right",
    8: "lung left",
    9: "liver tumour",
    10: "bladder",
}
BACKGROUND = 11
"""The seeds' value for what is none of them."""

CT_SHA256 = "c9abf751ff7bf416"
TRUTH_SHA256 = "6cc6aa9a51a5f1e0"

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Phantom:
    """What is known about it.

    Parameters
    ----------
    ct : ndarray of int16, shape (z, y, x)
        HU, with noise and partial volume.
    truth : ndarray of uint8, shape (z, y, x)
        Values of `NAMES`.
    """

    ct: Array
    truth: Array


@dataclass(frozen=True)
class Space:
    """Millimetres from the middle, bent so that no organ is a plain ellipsoid."""

    x: Array
    y: Array
    z: Array
    bent_x: Array
    bent_y: Array
    bent_z: Array

    @classmethod
    def made(cls) -> Space:
        """Lay it out."""
        z, y, x = (
            ((np.arange(n) - n // 2) * mm).astype(np.float32)
            for n, mm in zip(SHAPE_ZYX, SPACING_ZYX_MM, strict=True)
        )
        z, y, x = z[:, None, None], y[None, :, None], x[None, None, :]
        dx = 6 * np.sin(z / 38 + 0.3) + 4 * np.sin(y / 27 + 1.1) + 2.5 * np.sin(z / 17 + y / 31)
        dy = 5 * np.sin(z / 33 + 1.7) + 4 * np.sin(x / 29 + 0.4) + 2.5 * np.sin(z / 15 + x / 23)
        dz = 5 * np.sin(x / 41 + 2.1) + 4 * np.sin(y / 35 + 0.9)
        return cls(
            x, y, z, *((a + d).astype(np.float32) for a, d in ((x, dx), (y, dy), (z, dz)))
        )

    def inside(
        self,
        centre_mm: Sequence[float],
        radii_mm: Sequence[float],
        bend: float = 0.0,
    ) -> Array:
        """Return an ellipsoid (x, y, z), its x centre bent by mm per (z / 50 mm) squared."""
        up = self.bent_z - centre_mm[2]
        return (
            ((self.bent_x - centre_mm[0] - bend * (up / 50) ** 2) / radii_mm[0]) ** 2
            + ((self.bent_y - centre_mm[1]) / radii_mm[1]) ** 2
            + (up / radii_mm[2]) ** 2
        ) < 1


class Body:
    """Truth and clean HU while the organs are put in."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self.truth = np.zeros(SHAPE_ZYX, np.uint8)
        self.hu = np.full(SHAPE_ZYX, -1000, np.float32)
        x, y, z = space.x, space.y, space.z
        self.outline = np.broadcast_to((x / 162) ** 2 + (y / 118) ** 2 < 1, SHAPE_ZYX)
        self.hu[self.outline] = -95
        self.hu[np.broadcast_to((x / 146) ** 2 + (y / 104) ** 2 < 1, SHAPE_ZYX)] = 48
        fat = ((x / 122) ** 2 + ((y + 8) / 80) ** 2 < 1) & (z < 60)
        self.hu[np.broadcast_to(fat, SHAPE_ZYX)] = -60

    def put(self, where: Array, label: int, hu: float) -> None:
        """Give a region a label and a density."""
        self.truth[where] = label
        self.hu[where] = hu


def _abdomen(body: Body) -> None:
    inside = body.space.inside
    right_lung = inside((-72, -6, 118), (50, 70, 98))
    body.put(right_lung, 7, -840)
    body.put(inside((72, -6, 118), (47, 70, 95)), 8, -840)
    body.put(inside((-62, -12, -8), (66, 62, 62), 9), 1, 108)
    body.put(inside((-10, -38, 6), (48, 32, 34)), 1, 108)
    body.truth[(body.truth == 1) & right_lung] = 7
    body.hu[body.truth == 7] = -840
    body.put(inside((96, 22, -2), (30, 36, 44), -6), 2, 118)
    body.put(inside((-62, 44, -78), (27, 24, 50), 5), 3, 150)
    body.put(inside((62, 44, -66), (27, 24, 50), -5), 4, 150)
    for centre in ((-52, 40, -78), (52, 40, -66)):  # renal pelvis: fat, not kidney
        body.put(inside(centre, (13, 9, 22)), 0, -60)
    x, y, z = body.space.bent_x, body.space.bent_y, body.space.bent_z
    aorta = ((x - 9) / 11) ** 2 + ((y - 40 - 6 * np.sin(z / 60)) / 11) ** 2 < 1
    body.put(aorta & (z > -150), 5, 190)


def _spine_and_more(body: Body) -> Array:
    """Put in what lies below and behind; return the cortical shell of the vertebrae."""
    from scipy import ndimage

    x, y, z = body.space.bent_x, body.space.bent_y, body.space.bent_z
    phase = np.mod(z + 300, 33)  # bodies of 27 mm every 33 mm
    column = (x / 22) ** 2 + ((y - 68) / 17) ** 2 < 1
    bone = column & (phase < 27)
    body.put(column & (phase >= 27), 0, 75)
    body.put(bone, 6, 210)
    body.put(body.space.inside((0, -10, -178), (38, 34, 34)), 10, 8)
    radius = 17 + 2 * np.sin(x / 4) + 2 * np.cos(y / 5)
    tumour = (x + 72) ** 2 + (y + 4) ** 2 + (z + 4) ** 2 < radius**2
    body.put(tumour & (body.truth == 1), 9, 72)
    core = np.ones((1, 5, 5), bool)
    shell = bone.copy()
    shell[:, 256:, 150:360] &= ~ndimage.binary_erosion(bone[:, 256:, 150:360], structure=core)
    shell[:, :256] = False
    return shell


def make_phantom() -> Phantom:
    """Write the phantom: the same bytes everywhere, in about a minute."""
    from scipy import ndimage

    body = Body(Space.made())
    _abdomen(body)
    shell = _spine_and_more(body)
    body.hu[shell & (body.truth == 6)] = 620
    x, y, z = body.space.bent_x, body.space.bent_y, body.space.bent_z
    vessels = np.abs(np.sin(x / 11 + 0.5) + np.sin(y / 13) + np.sin(z / 12)) < 0.13
    body.hu[vessels & (body.truth == 1)] = 150
    body.truth[~body.outline] = 0
    blurred = ndimage.gaussian_filter(body.hu, (0.5, 0.7, 0.7), output=np.float32)
    random = np.random.Generator(np.random.PCG64(20260101))
    for first in range(0, SHAPE_ZYX[0], 50):
        noise = random.standard_normal((50, *SHAPE_ZYX[1:]), dtype=np.float32)
        noise = ndimage.gaussian_filter(noise, (0, 0.6, 0.6))
        blurred[first : first + 50] += noise * (20 / noise.std())
    ct = np.clip(np.rint(blurred), -1024, 3071).astype(np.int16)
    return Phantom(ct, body.truth)


def short_sha256(array: Array) -> str:
    """Return the first 16 hex digits of the SHA-256 of an array's bytes."""
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]


def make_seeds(
    truth: Array, labels: Iterable[int], *, every: int = 16, around_every: int = 20
) -> Array:
    """Scribble as a person would: two strokes in each organ every so often, rings around all.

    Parameters
    ----------
    truth : ndarray of uint8, shape (z, y, x)
        Where the organs are.
    labels : iterable of int
        Which of them.
    every, around_every : int
        Slices between strokes, inside and around.

    Returns
    -------
    ndarray of uint8, shape (z, y, x)
        The strokes by label; `BACKGROUND` around.
    """
    seeds = np.zeros(truth.shape, np.uint8)
    wanted = list(labels)
    for label in wanted:
        region = truth == label
        slices = np.flatnonzero(region.any(axis=(1, 2)))
        chosen = {*range(int(slices[0]) + 3, int(slices[-1]) - 2, every), int(slices[-1]) - 3}
        for z in sorted(chosen):
            _cross(seeds[z], region[z], label)
    _rings(seeds, np.isin(truth, wanted), around_every)
    return seeds


def _cross(seeds: Array, region: Array, label: int) -> None:
    """Draw a row and a column through the deepest pixel of a slice, 3 pixels wide."""
    from scipy import ndimage

    depth = ndimage.distance_transform_edt(region)
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    if depth[y, x] < 3:
        return
    safe = depth >= 3
    left, right = _run(safe[y], int(x))
    top, bottom = _run(safe[:, x], int(y))
    stroke = np.zeros(region.shape, bool)
    stroke[y - 1 : y + 2, left : right + 1] = True
    stroke[top : bottom + 1, x - 1 : x + 2] = True
    seeds[stroke & region] = label


def _run(line: Array, at: int) -> tuple[int, int]:
    first = last = at
    while first > 0 and line[first - 1]:
        first -= 1
    while last + 1 < line.size and line[last + 1]:
        last += 1
    return first, last


def _rings(seeds: Array, organs: Array, every: int, distance_px: float = 9.0) -> None:
    """Draw a line around all organs on some slices, and on one beyond each end."""
    from scipy import ndimage

    slices = np.flatnonzero(organs.any(axis=(1, 2)))
    first = max(0, int(slices[0]) - 4)
    last = min(len(organs) - 1, int(slices[-1]) + 4)
    for z in sorted({*range(first, last + 1, every), first, last}):
        if organs[z].any():
            far = ndimage.distance_transform_edt(~organs[z])
            seeds[z][(far > distance_px - 1.5) & (far <= distance_px + 1.5)] = BACKGROUND
        else:
            _, y, x = (int(c) for c in ndimage.center_of_mass(organs))
            seeds[z, y - 1 : y + 2, x - 40 : x + 40] = BACKGROUND


def draw_unsteadily(truth: Array, seed: int = 20260102) -> Array:
    """Return the truth as a hand draws it: each slice a little off, with a rough rim."""
    from scipy import ndimage

    random = np.random.Generator(np.random.PCG64(seed))
    drawn = np.empty_like(truth)
    for z, shift in enumerate(random.integers(-2, 3, (len(truth), 2))):
        drawn[z] = np.roll(truth[z], tuple(int(s) for s in shift), (0, 1))
    size = (1, 3, 3)
    rim = ndimage.maximum_filter(drawn, size) != ndimage.minimum_filter(drawn, size)
    rim &= random.random(truth.shape, dtype=np.float32) < 0.25
    drawn[rim] = np.roll(drawn, 1, 2)[rim]
    return drawn


def scatter_islands(truth: Array, count: int = 3000, seed: int = 20260103) -> Array:
    """Return the truth with small cubes of random labels strewn over it."""
    random = np.random.Generator(np.random.PCG64(seed))
    strewn = truth.copy()
    for z, y, x in random.integers([5, 20, 20], [295, 490, 490], (count, 3)):
        r = int(random.integers(1, 4))
        strewn[z - r : z + r, y - r : y + r, x - r : x + r] = random.integers(1, 11)
    return strewn


def dice(first: Array, second: Array, labels: Iterable[int]) -> dict[int, float]:
    """Return the Dice coefficient of each label."""
    found = {}
    for label in labels:
        a, b = first == label, second == label
        total = int(a.sum()) + int(b.sum())
        found[label] = 2.0 * int((a & b).sum()) / total if total else 1.0
    return found
