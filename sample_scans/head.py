"""The T1-weighted MR of an invented head on an oblique grid: values, truth labels, landmarks.

Head coordinates are patient coordinates in RAS mm with the anterior commissure at the origin.
"""

from __future__ import annotations

import numpy as np
from canvas import Canvas, Point, Window
from exact import F32, Array, gauss, smooth_field, smooth_min

SHAPE = (160, 192, 120)
SPACING_MM = (1.1, 1.1, 1.4)
# cosine and sine of 12 degrees about x, of 7 degrees about y, and of their halves
COS_X, SIN_X, COS_Y, SIN_Y = (
    0.9781476007338057,
    0.20791169081775934,
    0.992546151641322,
    0.12186934340514748,
)
HALF = (0.9945218953682733, 0.10452846326765347, 0.9981347984218669, 0.06104853953485687)
ROTATION = (
    (COS_Y, 0.0, SIN_Y),
    (SIN_X * SIN_Y, COS_X, -SIN_X * COS_Y),
    (-COS_X * SIN_Y, SIN_X, COS_X * COS_Y),
)
QUATERNION_BCD = (HALF[1] * HALF[2], HALF[0] * HALF[3], HALF[1] * HALF[3])
CENTRE: Point = (1.5, -8.0, -2.0)  # RAS mm of the middle of the grid
LABELS = {"brain": 1, "ventricles": 2, "cerebellum": 3, "brainstem": 4, "eyes": 5, "skull": 6}
FAT, SKIN, MUSCLE, CORTEX, MARROW = 780.0, 420.0, 330.0, 45.0, 480.0
CSF, GREY, WHITE, AIR = 120.0, 400.0, 610.0, 0.0
NASION: Point = (0.0, 82.0, -22.0)
EAR_LEFT: Point = (-77.0, -18.0, -36.0)
EAR_RIGHT: Point = (77.0, -18.0, -36.0)
# in RAS the patient's left is negative x
_SKULL: Point = (0.0, -16.0, 6.0)


def affine_ras() -> list[list[float]]:
    """Voxel to RAS mm, rows of a 4x4 matrix."""
    rows = []
    for r in range(3):
        steps = [ROTATION[r][c] * SPACING_MM[c] for c in range(3)]
        middle = sum(steps[c] * (SHAPE[c] - 1) / 2 for c in range(3))
        rows.append([*steps, CENTRE[r] - middle])
    return [*rows, [0.0, 0.0, 0.0, 1.0]]


class _Slice:
    """The painter of one slice: `i` along columns, `j` along rows."""

    def __init__(self, k: int) -> None:
        affine = affine_ras()
        i = np.arange(SHAPE[0], dtype=np.float64)[None, :]
        j = np.arange(SHAPE[1], dtype=np.float64)[:, None]
        x, y, z = (
            (row[0] * i + row[1] * j + (row[2] * k + row[3])).astype(F32) for row in affine[:3]
        )
        self.canvas = Canvas(np.arange(SHAPE[0]), np.arange(SHAPE[1]), 0.0, AIR)
        self.win = Window((slice(None), slice(None)), x, y, z)  # type: ignore[arg-type]
        self.z = z
        self.lowest, self.highest = float(z.min()), float(z.max())
        self.level = k * SPACING_MM[2]

    def field(self, step: int, seed: int) -> Array:
        return smooth_field((SHAPE[1], SHAPE[0]), step, self.level / (step * 1.1), seed)

    def put(
        self, distance: Array, value: Array | float, label: int | None = 0, width: float = 1.6
    ) -> None:
        self.canvas.paint(self.win, distance, value, label, width)

    def ball(self, centre: Point, radii: Point, value: float, label: int | None = 0) -> None:
        if not self.misses(centre[2] - radii[2], centre[2] + radii[2]):
            self.put(self.win.ellipsoid(centre, radii), value, label)

    def misses(self, low_z: float, high_z: float) -> bool:
        """Tell whether the slice lies wholly above or below a range of heights."""
        return high_z + 4.0 < self.lowest or low_z - 4.0 > self.highest

    def pair(self, centre: Point, radii: Point, value: float, label: int | None = 0) -> None:
        for side in (-1.0, 1.0):
            self.ball((side * centre[0], centre[1], centre[2]), radii, value, label)

    def tube(self, points: list[Point], radii: list[float]) -> Array:
        heights = [p[2] for p in points]
        if self.misses(min(heights) - max(radii) - 20, max(heights) + max(radii) + 20):
            return np.full(self.z.shape, 99.0, F32)
        found = self.win.capsule(points[0], points[1], radii[0], radii[1])
        for k in range(1, len(points) - 1):
            part = self.win.capsule(points[k], points[k + 1], radii[k], radii[k + 1])
            found = smooth_min(found, part, 3.0)
        return found


def _paint_outside(s: _Slice) -> None:
    """Skin, fat and muscle of head, face and neck."""
    win = s.win
    head = win.ellipsoid(_SKULL, (77.0, 97.0, 89.0))
    face = win.ellipsoid((0.0, 34.0, -50.0), (60.0, 52.0, 66.0))
    neck = s.tube([(0.0, -32.0, -40.0), (0.0, -44.0, -150.0)], [58.0, 54.0])
    nose = s.tube([(0.0, 80.0, -24.0), (0.0, 93.0, -50.0)], [4.0, 9.0])
    skin = smooth_min(smooth_min(smooth_min(head, face, 22.0), neck, 18.0), nose, 7.0)
    for side in (-1.0, 1.0):
        ear = np.maximum(
            win.ellipsoid((side * 75.0, -28.0, -26.0), (8.0, 19.0, 31.0)),
            -win.ellipsoid((side * 85.0, -25.0, -26.0), (6.0, 12.0, 21.0)),
        )
        skin = smooth_min(skin, ear, 4.0)
    s.put(skin, SKIN)
    s.put(skin + F32(2.0), FAT)
    s.put(
        skin + F32(6.5) + np.minimum(np.maximum(-s.z - F32(20), F32(0)) * F32(0.05), F32(3)),
        MUSCLE,
    )
    streak = np.abs(s.field(9, 201)) * F32(8.0) - F32(0.5)
    s.put(np.maximum(streak, skin + F32(8.0)), 460.0, None)
    for side in (-1.0, 1.0):  # cheeks and temples
        cheek = win.ellipsoid((side * 42.0, 56.0, -66.0), (15.0, 15.0, 20.0))
        s.put(np.maximum(cheek, skin + F32(3)), FAT - 40)
        temple = win.ellipsoid((side * 66.0, 26.0, -24.0), (9.0, 24.0, 26.0))
        s.put(np.maximum(temple, skin + F32(6)), MUSCLE)


def _paint_face(s: _Slice) -> None:
    """Sinuses, nasal passages, jaw, tongue, orbits and eyes."""
    for side in (-1.0, 1.0):
        s.ball((side * 26.0, 50.0, -56.0), (14.5, 17.0, 18.0), CORTEX)
        s.ball((side * 26.0, 50.0, -56.0), (12.5, 15.0, 16.0), AIR + 5)
        s.ball((side * 6.5, 52.0, -52.0), (3.6, 30.0, 17.0), AIR + 10)
        s.ball((side * 9.0, 48.0, -58.0), (3.0, 20.0, 4.0), 470.0)
        s.put(
            s.tube(
                [
                    (side * 47.0, 8.0, -60.0),
                    (side * 44.0, 30.0, -98.0),
                    (side * 8.0, 74.0, -104.0),
                ],
                [6.0, 7.0, 7.0],
            ),
            CORTEX,
        )
        s.put(
            s.tube(
                [
                    (side * 47.0, 8.0, -60.0),
                    (side * 44.0, 30.0, -98.0),
                    (side * 8.0, 74.0, -104.0),
                ],
                [3.5, 4.5, 4.5],
            ),
            640.0,
        )
        s.put(
            s.tube([(side * 31.0, 58.0, -28.0), (side * 15.0, 20.0, -22.0)], [20.0, 5.0]),
            CORTEX,
        )
        s.put(
            s.tube([(side * 31.0, 58.0, -28.0), (side * 15.0, 20.0, -22.0)], [18.3, 4.0]),
            FAT + 40,
        )
        for dx, dz in ((-11.0, 0.0), (11.0, 0.0), (0.0, 11.0), (0.0, -11.0)):
            end = (side * 31.0 + dx, 58.0, -28.0 + dz)
            s.put(
                s.tube([end, (side * 18.0 + dx * 0.2, 26.0, -23.0 + dz * 0.2)], [1.8, 1.6]),
                340.0,
            )
        s.put(
            s.tube([(side * 31.0, 52.0, -28.0), (side * 15.0, 20.0, -22.0)], [2.4, 2.2]), 470.0
        )
        s.ball((side * 32.0, 64.0, -28.0), (12.6, 12.6, 12.6), 250.0, LABELS["eyes"])
        s.ball((side * 32.0, 64.0, -28.0), (11.6, 11.6, 11.6), 105.0, LABELS["eyes"])
        s.ball((side * 32.0, 72.5, -28.0), (4.6, 2.4, 4.6), 300.0, LABELS["eyes"])
        s.ball((side * 12.0, 72.0, -2.0), (10.0, 5.0, 11.0), CORTEX)
        s.ball((side * 12.0, 72.0, -2.0), (8.5, 3.6, 9.5), AIR + 5)
    s.ball((0.0, 40.0, -92.0), (22.0, 32.0, 16.0), 360.0)
    s.ball((0.0, 4.0, -80.0), (11.0, 6.0, 26.0), AIR + 8)
    s.ball((0.0, 22.0, -36.0), (15.0, 13.0, 11.0), CORTEX)
    s.ball((0.0, 22.0, -36.0), (13.5, 11.5, 9.5), AIR + 5)


def _cranium(s: _Slice, shrink: float) -> Array:
    """Distance to the skull's vault closed by a base that steps down towards the back."""
    wob = s.field(40, 202) * F32(1.0)
    vault = s.win.ellipsoid(_SKULL, (71.5 - shrink, 90.5 - shrink, 82.5 - shrink)) + wob
    middle = np.minimum(np.maximum((s.win.y + F32(42)) * F32(1 / 14.0), F32(0)), F32(1))
    front = np.minimum(np.maximum((s.win.y - F32(20)) * F32(1 / 16.0), F32(0)), F32(1))
    base = F32(-64.0 + shrink) + middle * F32(19.0) + front * F32(27.0)
    return np.maximum(vault, (base - s.z) * F32(0.9))


def _paint_skull(s: _Slice) -> Array:
    outer = _cranium(s, 0.0)
    s.put(outer, CORTEX, LABELS["skull"])
    inner = _cranium(s, 6.5)
    marrow = np.abs(outer + F32(3.2)) - F32(1.3) + s.field(16, 203) * F32(0.5)
    s.put(np.maximum(marrow, F32(-10) - s.z), MARROW, LABELS["skull"], 1.4)
    s.put(inner, CSF)
    dura = np.abs(inner + F32(0.5)) - F32(0.5)
    s.put(dura, 300.0, None)
    return inner


def _paint_cerebrum(s: _Slice, inner: Array) -> None:
    """Folded cortex around white matter with a fissure between the hemispheres."""
    win = s.win
    brain = inner + F32(3.0) + s.field(30, 204) * F32(0.8)
    tent = s.z - (F32(-14.0) + (win.y + F32(60)) * F32(0.10))
    brain = np.maximum(brain, np.minimum(-tent, F32(-34.0) - win.y))
    middle = np.minimum(F32(19.0) - np.abs(win.x), F32(-12.0) - s.z)
    brain = np.maximum(brain, np.minimum(middle, F32(34.0) - win.y))
    sylvian = np.abs(s.z + F32(6) - (win.y + F32(8)) * F32(0.30)) - F32(1.2)
    sylvian = np.maximum(
        sylvian, np.maximum(F32(32) - np.abs(win.x), np.abs(win.y - F32(4)) - F32(30))
    )
    fissure = np.maximum(
        np.abs(win.x + s.field(20, 205) * F32(1.0)) - F32(1.1), F32(-1.0) * _over_callosum(s)
    )
    depth = np.maximum(np.maximum(brain, -sylvian), -fissure)
    fold = _crease(s.field(9, 206) + s.field(20, 207) * F32(0.35))
    fade = np.minimum(np.maximum(F32(1) + (depth + F32(5)) * F32(1 / 22.0), F32(-0.3)), F32(1))
    sulcus = fold - F32(0.95) * fade + np.maximum(F32(0), -depth - F32(16)) * F32(0.5)
    grey = np.maximum(depth, -sulcus)
    s.put(grey, GREY, LABELS["brain"])
    white = np.maximum(depth + F32(3.4), F32(2.9) - sulcus)
    s.put(white, WHITE, LABELS["brain"], 2.2)
    falx = np.maximum(np.maximum(np.abs(win.x) - F32(0.5), brain), -_over_callosum(s) + F32(6))
    s.put(falx, 250.0, None)


def _crease(field: Array) -> Array:
    """Distance (mm) to the zero set of a smooth field: its value over its slope."""
    gx, gy = np.zeros_like(field), np.zeros_like(field)
    gx[:, 1:-1] = (field[:, 2:] - field[:, :-2]) * F32(1 / 2.2)
    gy[1:-1] = (field[2:] - field[:-2]) * F32(1 / 2.2)
    slope = np.sqrt(gx * gx + gy * gy + F32(0.05 * 0.05))
    return np.minimum(np.abs(field) / slope, F32(12.0))


def _over_callosum(s: _Slice) -> Array:
    """Positive above and around the corpus callosum, where the falx lies."""
    return s.win.ellipsoid((0.0, -8.0, 0.0), (30.0, 42.0, 27.0))


def _paint_deep(s: _Slice) -> None:
    """Corpus callosum, basal ganglia, thalamus and the ventricles."""
    arch: list[Point] = [
        (0.0, 28.0, 4.0),
        (0.0, 31.0, 14.0),
        (0.0, 18.0, 25.0),
        (0.0, -10.0, 28.0),
        (0.0, -36.0, 20.0),
        (0.0, -41.0, 11.0),
    ]
    for shift in (-12.0, -8.0, -4.0, 0.0, 4.0, 8.0, 12.0):
        moved = [(p[0] + shift, p[1], p[2] - abs(shift) * 0.1) for p in arch]
        s.put(s.tube(moved, [4.2, 5.0, 3.6, 3.4, 4.4, 4.6]), WHITE + 15, LABELS["brain"])
    s.ball((0.0, -12.0, 6.0), (32.0, 32.0, 19.0), WHITE, LABELS["brain"])
    s.pair((10.0, -17.0, 6.0), (9.0, 14.0, 9.0), 475.0, LABELS["brain"])
    s.pair((26.0, 3.0, 3.0), (6.0, 18.0, 10.0), 440.0, LABELS["brain"])
    s.pair((18.5, -1.0, 2.0), (3.6, 10.0, 6.0), 520.0, LABELS["brain"])
    s.pair((37.0, 4.0, 3.0), (2.2, 20.0, 14.0), 415.0, LABELS["brain"])
    s.pair((15.0, 14.0, 10.0), (5.0, 12.0, 9.0), 430.0, LABELS["brain"])
    for side in (-1.0, 1.0):
        horn: list[Point] = [
            (side * 9.0, 25.0, 8.0),
            (side * 9.0, 10.0, 17.0),
            (side * 11.0, -14.0, 21.0),
            (side * 20.0, -38.0, 16.0),
            (side * 27.0, -46.0, 6.0),
            (side * 22.0, -66.0, 4.0),
        ]
        s.put(s.tube(horn, [4.6, 5.2, 4.8, 5.6, 6.2, 2.6]), CSF - 10, LABELS["ventricles"])
        lower: list[Point] = [
            (side * 27.0, -44.0, 4.0),
            (side * 34.0, -28.0, -8.0),
            (side * 31.0, -10.0, -17.0),
        ]
        s.put(s.tube(lower, [4.6, 3.0, 2.2]), CSF - 10, LABELS["ventricles"])
        s.ball((side * 18.0, -40.0, 15.0), (3.0, 5.0, 3.0), 300.0, None)
    s.put(
        np.maximum(
            np.abs(s.win.x) - F32(1.8), s.win.ellipsoid((0.0, -13.0, -2.0), (9.0, 14.0, 11.0))
        ),
        CSF,
        LABELS["ventricles"],
    )
    s.ball((0.0, 0.5, 0.0), (9.0, 1.8, 1.8), WHITE + 20, LABELS["brain"])
    s.ball((0.0, -26.5, 0.0), (6.0, 1.4, 1.4), WHITE + 20, LABELS["brain"])


def _paint_hind(s: _Slice, inner: Array) -> None:
    """Brainstem, cerebellum with folia, fourth ventricle and pituitary."""
    win = s.win
    halves = [
        win.ellipsoid((side * 24.0, -62.0, -36.0), (28.0, 25.0, 19.0)) for side in (-1.0, 1.0)
    ]
    joined = smooth_min(
        smooth_min(halves[0], halves[1], 6.0),
        win.ellipsoid((0.0, -62.0, -34.0), (10.0, 20.0, 17.0)),
        4.0,
    )
    both = np.maximum(joined, inner + F32(1.5))
    s.put(both, GREY - 5, LABELS["cerebellum"])
    leaf = (
        s.z * F32(0.26)
        + np.sqrt((win.y + F32(44)) * (win.y + F32(44)) + F32(4)) * F32(0.10)
        + s.field(26, 208) * F32(0.5)
    )
    leaf = np.abs(leaf - np.floor(leaf) - F32(0.5)) - F32(0.32)
    s.put(np.maximum(leaf * F32(4.0) * F32(-1.0), both + F32(1.0)), GREY + 70, None, 2.0)
    dark = np.maximum(F32(0.10) + leaf, both) * F32(4.0)
    s.put(dark, CSF + 120, None, 2.0)
    s.put(
        smooth_min(
            both + F32(11.0), leaf * F32(-5) + np.maximum(both + F32(5), F32(0)) * F32(2), 2.0
        ),
        WHITE - 20,
        None,
        2.5,
    )
    stem = s.tube(
        [(0.0, -24.0, -8.0), (0.0, -26.0, -24.0), (0.0, -36.0, -52.0), (0.0, -44.0, -120.0)],
        [13.0, 13.5, 8.5, 6.5],
    )
    pons = win.ellipsoid((0.0, -22.0, -28.0), (17.0, 12.5, 14.0))
    s.put(stem + F32(-4.0), CSF, None)
    s.put(smooth_min(stem, pons, 6.0), WHITE - 55, LABELS["brainstem"])
    s.ball((0.0, -42.0, -32.0), (7.0, 4.0, 10.0), CSF, LABELS["ventricles"])
    s.ball((0.0, 6.0, -26.0), (6.0, 5.0, 4.0), 560.0)


def _measured(s: _Slice, k: int) -> Array:
    """Shade the coil's sensitivity over the slice and add Rician noise."""
    value = s.canvas.value
    win = s.win
    shade = F32(1.04) - (
        win.x * win.x + (win.y + F32(10)) * F32(0.5) * (win.y + F32(10))
    ) * F32(1.1e-5)
    shade = shade + s.field(60, 209) * F32(0.03)
    tissue = F32(1) + s.field(5, 210) * F32(0.018)
    first = gauss(value.shape, 7000 + k).astype(F32) * F32(8.0 / 209.0)
    second = gauss(value.shape, 9000 + k).astype(F32) * F32(8.0 / 209.0)
    real = value * shade * tissue + first
    return np.floor(np.sqrt(real * real + second * second) + F32(0.5)).astype(np.int16)


def render(k: int) -> tuple[Array, Array]:
    """Values (int16) and labels (uint8) of slice `k`, both j by i."""
    s = _Slice(k)
    _paint_outside(s)
    _paint_face(s)
    inner = _paint_skull(s)
    _paint_cerebrum(s, inner)
    _paint_hind(s, inner)
    _paint_deep(s)
    return _measured(s, k), s.canvas.label


def landmarks() -> list[tuple[str, str, Point]]:
    """Name, description and position (LPS, mm) of the points the phantom defines."""
    found = (
        ("AC", "anterior commissure", (0.0, 0.5, 0.0)),
        ("PC", "posterior commissure", (0.0, -26.5, 0.0)),
        ("Nasion", "root of the nose", NASION),
        ("LPA", "left preauricular point", EAR_LEFT),
        ("RPA", "right preauricular point", EAR_RIGHT),
        ("Left eye", "centre of the globe", (-32.0, 64.0, -28.0)),
        ("Right eye", "centre of the globe", (32.0, 64.0, -28.0)),
    )
    return [(name, text, (-p[0], -p[1], p[2])) for name, text, p in found]
