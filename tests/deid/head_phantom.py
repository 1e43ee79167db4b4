"""An invented head in Hounsfield units, of any size and pose, with masks of what is what."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]
STEP_MM = 2.0
_LOW, _HIGH = np.array((-112.0, -135.0, -175.0)), np.array((112.0, 140.0, 115.0))
AIR, FAT, SOFT, BRAIN, FLUID, BONE, TOOTH = -1000.0, -90.0, 45.0, 36.0, 8.0, 900.0, 1900.0
PARTS = ("eyes", "nose", "mouth", "chin", "ears")


@dataclass(frozen=True)
class Head:
    """What an invented person has.

    Parameters
    ----------
    nose, chin : float
        How far they stand out, as a share of the usual.
    skull_mm : float
        Thickness of the bone of the vault.
    wide, long : float
        Size across and from front to back, as a share of the usual.
    hole_mm : float
        Radius of a hole in the vault on the right; 0 for none.
    """

    nose: float = 1.0
    chin: float = 1.0
    skull_mm: float = 7.0
    wide: float = 1.0
    long: float = 1.0
    hole_mm: float = 0.0


@dataclass(frozen=True, eq=False)
class Scanned:
    """A head on a grid.

    Parameters
    ----------
    hu : ndarray of int16, shape (i, j, k)
        Hounsfield units.
    matrix : ndarray, shape (4, 4)
        Voxel index to RAS mm.
    brain, face : ndarray of bool
        The brain; and all of the body in front, generously: what a face could be seen from.
    parts : dict of str to ndarray of bool
        Eyes, nose, mouth, chin, ears.
    """

    hu: npt.NDArray[np.int16]
    matrix: npt.NDArray[np.float64]
    brain: Bools
    face: Bools
    parts: dict[str, Bools] = field(default_factory=dict)


def _points() -> tuple[Floats, Floats, Floats]:
    axes = [
        np.arange(a, b + 0.1, STEP_MM, dtype=np.float32)
        for a, b in zip(_LOW, _HIGH, strict=True)
    ]
    x, y, z = np.meshgrid(*axes, indexing="ij", sparse=True)
    return x, y, z


@cache
def made(head: Head = Head()) -> tuple[Floats, Bools, Bools, dict[str, Bools]]:
    """Return HU, brain, face and parts of a head on its own grid of 2 mm."""
    x, y, z = _points()
    shape = np.broadcast_shapes(x.shape, y.shape, z.shape)
    x, y, side = x / head.wide, y / head.long, np.abs(x / head.wide)

    def ball(cx: float, cy: float, cz: float, rx: float, ry: float, rz: float) -> Bools:
        return ((side - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 + ((z - cz) / rz) ** 2 <= 1

    cerebrum = ball(0, 0, 20, 66, 84, 60) & (z > np.where(y > 25, 2, -14))
    brain = cerebrum | ball(38, 20, -14, 22, 36, 21) | ball(0, -48, -22, 50, 32, 27)
    stem = (x**2 + (y + 14 - 0.12 * (z + 30)) ** 2 <= 13**2) & (z < -8) & (z > -72)
    brain = np.broadcast_to(brain | stem, shape)
    away = ndimage.distance_transform_edt(~brain, sampling=STEP_MM)
    skull = (away > 3) & (away <= 3 + head.skull_mm)
    foramen = (x**2 + ((y + 20) / 1.1) ** 2 <= 16**2) & (z < -40)
    skull &= ~foramen
    if head.hole_mm:
        skull &= ~(((y - 5) ** 2 + (z - 25) ** 2 <= head.hole_mm**2) & (x > 30))
    neck = ((x / 58) ** 2 + ((y + 12) / 60) ** 2 <= 1) & (z < -35)
    nose = ball(0, 98, -42, 13, 26 * head.nose, 20) & (y > 90)
    chin = ball(0, 80, -106, 26, 20 * head.chin, 18)
    lips = ball(0, 92, -78, 24, 13, 9)
    front = ball(0, 48, -46, 64, 56, 82)
    ears = ball(82, -14, -18, 12, 17, 31) & (side > 76)
    body = (away <= 3 + head.skull_mm + 5) | front | nose | chin | lips | neck | ears

    hu = np.full(shape, AIR, dtype=np.float32)
    hu[body] = SOFT
    hu[body & ball(44, 62, -60, 20, 26, 34)] = FAT
    orbit = ball(31, 66, -16, 19, 28, 17)
    wall = ndimage.binary_dilation(orbit, iterations=2) & (y < 82)
    hu[wall & body] = BONE
    hu[orbit & body] = FAT
    eyes = ball(31, 82, -16, 12, 12, 12) & body
    hu[eyes] = 15.0
    for bone in _face_bones(x, y, z, side, ball):
        hu[bone & body] = BONE
    hu[ball(0, 84, -84, 34, 12, 7) & ~ball(0, 80, -84, 28, 12, 8) & body] = TOOTH
    hu[np.broadcast_to(skull, shape)] = BONE
    for hollow in _hollows(x, y, z, ball):
        hu[hollow & (away > 4)] = AIR
    hu[away <= 3] = FLUID
    hu[brain] = BRAIN
    face = body & (away > 12) & (y > 35) & (z < 8) & (z > -124) & (side < 72)
    parts = {"eyes": eyes, "nose": nose, "mouth": lips & (y > 92), "chin": chin, "ears": ears}
    full = {name: np.broadcast_to(part, shape) for name, part in parts.items()}
    return hu, brain, np.broadcast_to(face, shape), full


def _face_bones(x: Floats, y: Floats, z: Floats, side: Floats, ball) -> list[Bools]:
    jaw = ball(0, 40, -104, 52, 58, 14) & ~ball(0, 38, -104, 43, 48, 15) & (y > 12)
    upper = ball(0, 62, -62, 40, 30, 16)
    cheek = ball(48, 62, -38, 14, 16, 7)
    bridge = ball(0, 92, -24, 6, 8, 10)
    ring = (x**2 + (y + 26) ** 2 <= 19**2) & (x**2 + (y + 26) ** 2 > 10**2)
    spine = (ring | ((x**2 + (y + 2) ** 2) <= 11**2)) & (z < -82) & (np.mod(z, 18) > 4)
    return [jaw, upper, cheek, bridge, spine]


def _hollows(x: Floats, y: Floats, z: Floats, ball) -> list[Bools]:
    throat = (x**2 + (y - 22) ** 2 <= 9**2) & (z < -42) & (z > -175)
    return [
        ball(28, 60, -46, 13, 16, 15),
        ball(0, 62, -44, 9, 30, 20),
        ball(0, 60, -16, 10, 20, 10),
        ball(0, 88, 8, 17, 4, 9),
        throat,
        ball(70, -18, -20, 12, 3, 3),
    ]


def turned(degrees: tuple[float, float, float]) -> npt.NDArray[np.float64]:
    """Return the (3, 3) rotation by pitch, roll and yaw in degrees."""
    a, b, c = np.deg2rad(degrees)
    pitch = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    roll = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    yaw = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return yaw @ roll @ pitch


def grid_around(
    spacing_mm: tuple[float, float, float] = (2.5, 2.5, 3.0),
    low: tuple[float, float, float] = (-118.0, -140.0, -150.0),
    high: tuple[float, float, float] = (118.0, 145.0, 118.0),
) -> tuple[tuple[int, int, int], npt.NDArray[np.float64]]:
    """Return shape and matrix of a grid along R, A and S from one corner to the other."""
    step = np.array(spacing_mm)
    shape = np.ceil((np.array(high) - low) / step).astype(int)
    matrix = np.diag([*spacing_mm, 1.0])
    matrix[:3, 3] = low
    return (int(shape[0]), int(shape[1]), int(shape[2])), matrix


def scanned(
    shape: tuple[int, int, int],
    matrix: npt.NDArray[np.float64],
    *,
    head: Head = Head(),
    scale: float = 1.0,
    pose: tuple[float, float, float] = (0.0, 0.0, 0.0),
    noise: float = 6.0,
) -> Scanned:
    """Put a head on a grid.

    Parameters
    ----------
    shape, matrix : tuple and ndarray
        The grid: sizes, and voxel index to RAS mm.
    head : Head
        Whose.
    scale : float
        Size of all of it, as a share of an adult's.
    pose : tuple of float
        Pitch, roll and yaw in degrees.
    noise : float
        Standard deviation in HU.
    """
    hu, brain, face, parts = made(head)
    inward = np.eye(4)
    inward[:3, :3] = np.linalg.inv(turned(pose) * scale) / STEP_MM
    inward[:3, 3] = -_LOW / STEP_MM
    total = inward @ matrix

    def put(array, order, fill):
        return ndimage.affine_transform(
            array, total[:3, :3], total[:3, 3], shape, order=order, cval=fill, prefilter=False
        )

    image = put(hu, 1, AIR)
    rng = np.random.default_rng(7)
    image = image + rng.normal(0, noise, shape).astype(np.float32)
    masks = {name: put(part.astype(np.uint8), 0, 0) > 0 for name, part in parts.items()}
    image = np.clip(image, -1024, 3071).astype(np.int16)
    cut = [put(mask.astype(np.uint8), 0, 0) > 0 for mask in (brain, face)]
    return Scanned(image, matrix, cut[0], cut[1], masks)


def with_headrest(scan: Scanned, hu: float = -150.0) -> Scanned:
    """Return the head on a shell of foam and plastic that runs past its sides."""
    at = np.moveaxis(np.indices(scan.hu.shape, dtype=np.float32), 0, -1)
    ras = at @ scan.matrix[:3, :3].T + scan.matrix[:3, 3]
    r = np.hypot(ras[..., 0], (ras[..., 1] - 10) * 0.92)
    shell = (r > 108) & (r < 114) & (ras[..., 1] < 25)
    foam = (r > 100) & (r <= 108) & (ras[..., 1] < 0)
    out = scan.hu.copy()
    out[shell & (out < hu)] = hu
    out[foam & (out < -900)] = -900
    return replace(scan, hu=out)


def as_mr(scan: Scanned) -> npt.NDArray[np.uint16]:
    """Return the head as an MR image of a kind: bone and air dark, fat bright."""
    hu = scan.hu.astype(np.float32)
    bright = np.interp(
        hu, [-1000, -600, -90, 8, 36, 45, 200, 900], [5, 5, 900, 250, 600, 520, 60, 40]
    )
    rng = np.random.default_rng(11)
    return np.clip(bright + rng.normal(0, 4, hu.shape), 0, None).astype(np.uint16)
