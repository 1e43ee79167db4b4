"""The organs of the invented abdomen, painted from the back of the stack to the front."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from canvas import Canvas, Point, Window
from exact import F32, Array, Dice, curve, smooth_field, smooth_min

LABELS = {
    "liver": 1,
    "spleen": 2,
    "kidney_right": 3,
    "kidney_left": 4,
    "aorta": 5,
    "cava": 6,
    "gallbladder": 7,
    "vertebrae": 8,
    "lung_right": 9,
    "lung_left": 10,
    "lesion": 11,
    "cyst": 12,
    "stomach": 13,
}
DOME_RIGHT: Point = (-66.0, -8.0, 90.0)
DOME_LEFT: Point = (70.0, -8.0, 80.0)
KIDNEY_RIGHT: Point = (-66.0, 36.0, -36.0)
KIDNEY_LEFT: Point = (68.0, 34.0, -22.0)
KIDNEY_RADII: Point = (25.5, 27.0, 54.0)
KIDNEY_LEAN = 0.20  # mm of x per mm of z: the upper poles lie nearer to the spine
BIFURCATION: Point = (6.0, -2.0, -99.0)
CELIAC: Point = (8.0, -4.0, 3.0)
GALLBLADDER: Point = (-52.0, -58.0, -14.0)
AORTA = ((130.0, (18.0, 20.0)), (60.0, (12.0, 12.0)), (0.0, (8.0, 5.0)), (-99.0, (6.0, -2.0)))
CAVA = (
    (130.0, (-20.0, -8.0)),
    (70.0, (-24.0, -2.0)),
    (0.0, (-22.0, 3.0)),
    (-130.0, (-17.0, 1.0)),
)


@dataclass(frozen=True)
class Lesion:
    """A round hypodense lesion of the liver."""

    centre: Point
    radius_mm: float
    value_hu: float


FIRST_LESIONS = (
    Lesion((-98.0, 24.0, 36.0), 15.0, 58.0),
    Lesion((-58.0, -38.0, 58.0), 9.5, 64.0),
    Lesion((-88.0, -22.0, -14.0), 11.5, 52.0),
)
LATER_LESIONS = (
    Lesion((-98.0, 24.0, 36.0), 21.0, 54.0),
    FIRST_LESIONS[1],
    FIRST_LESIONS[2],
    Lesion((8.0, -44.0, 40.0), 8.5, 60.0),
)


def along(
    z: float, knots: tuple[tuple[float, tuple[float, float]], ...]
) -> tuple[float, float]:
    """Return x, y of a vessel at height `z`."""
    up = sorted(knots)
    return (curve(z, [(p, v[0]) for p, v in up]), curve(z, [(p, v[1]) for p, v in up]))


def dome(win: Window) -> Array:
    """Distance (mm, negative in the belly) to the diaphragm."""
    fields = []
    for (cx, cy, top), lateral, medial in ((DOME_RIGHT, 61.0, 118.0), (DOME_LEFT, 59.0, 104.0)):
        side = -1.0 if cx < 0 else 1.0
        px, py = win.x - F32(cx), win.y - F32(cy)
        ix = np.where(px * F32(side) > 0, F32(1 / lateral), F32(1 / medial)).astype(F32)
        iy = np.where(py < 0, F32(1 / 92.0), F32(1 / 88.0)).astype(F32)
        ux, uy = px * ix, py * iy
        q = ux * ux + uy * uy
        height = F32(top) - F32(34) * q - F32(52) * q * q
        slope = F32(34) + F32(104) * q
        gx, gy = F32(2) * ux * ix * slope, F32(2) * uy * iy * slope
        floor = F32(-4.0) - F32(0.30) * win.y
        height = np.maximum(height, floor)
        fields.append((F32(win.z) - height) / np.sqrt(F32(1) + gx * gx + gy * gy))
    return smooth_min(fields[0], fields[1], 10.0)


def paint_chest(canvas: Canvas, cavity: Array) -> Array:
    """Lungs with vessels, heart, gullet, diaphragm; return the distance to the belly cavity."""
    win, z = canvas.whole, canvas.z
    under = dome(win)
    if z > -32:
        middle = (
            F32(24.0) - np.abs(win.x) - np.minimum(np.abs(win.y - F32(20)) * F32(0.05), F32(3))
        )
        chest = np.maximum(np.maximum(cavity + F32(1.2), -under + F32(2.0)), middle)
        canvas.paint(win, np.maximum(cavity, -under), 48.0)
        canvas.paint(win, np.maximum(np.maximum(cavity, -under), -middle) + F32(1.5), FAT_HU)
        canvas.ball((6.0, -2.0, z), (9.0, 6.0, 30.0), 44.0, limit=np.maximum(cavity, -under))
        blotch = smooth_field(canvas.value.shape, 12, z / 9.0, 31) * F32(16.0)
        posterior = np.maximum(win.y, F32(0)) * F32(0.55)
        air = F32(-868.0) + blotch + posterior
        canvas.paint(win, np.maximum(chest, win.x), air, LABELS["lung_right"])
        canvas.paint(win, np.maximum(chest, -win.x), air, LABELS["lung_left"])
        _paint_lung_vessels(canvas, chest)
    if z > 66:
        canvas.ball((12.0, -42.0, 132.0), (66.0, 50.0, 50.0), FAT_HU, lean=(-0.2, 0.0, 0.1))
        canvas.ball((16.0, -42.0, 134.0), (58.0, 44.0, 46.0), 108.0, lean=(-0.2, 0.0, 0.1))
        canvas.ball((34.0, -42.0, 136.0), (30.0, 27.0, 35.0), 152.0, lean=(-0.2, 0.0, 0.1))
        canvas.ball((-16.0, -48.0, 140.0), (27.0, 26.0, 36.0), 150.0)
    return np.maximum(cavity, under + F32(0.3))


FAT_HU = -102.0


def _tree(
    root: Point, tip: Point, radius: float, depth: int, dice: Dice
) -> list[tuple[Point, Point, float, float]]:
    """Return the branches of a vessel tree that grows from `root` towards `tip`."""
    steps = [tip[k] - root[k] for k in range(3)]
    reach = abs(steps[0]) + abs(steps[1]) + abs(steps[2])
    wob = [dice.within(-0.10, 0.10) * reach for _ in range(3)]
    mid: Point = (
        root[0] + steps[0] * 0.5 + wob[0],
        root[1] + steps[1] * 0.5 + wob[1],
        root[2] + steps[2] * 0.5 + wob[2],
    )
    end = tip
    parts = [(root, mid, radius, radius * 0.86), (mid, end, radius * 0.86, radius * 0.66)]
    if depth == 0:
        return parts
    for start, share in ((mid, 0.55), (end, 0.62), (end, 0.55)):
        out = dice.direction()
        length = reach * 0.36
        goal: Point = (
            start[0] + steps[0] * 0.30 + out[0] * length,
            start[1] + steps[1] * 0.30 + out[1] * length,
            start[2] + steps[2] * 0.30 + out[2] * length,
        )
        parts += _tree(start, goal, radius * share, depth - 1, dice)
    return parts


def _grow(
    root: Point, tips: tuple[Point, ...], radius: float, depth: int, seed: int
) -> list[tuple[Point, Point, float, float]]:
    dice = Dice(seed)
    parts = []
    for tip in tips:
        parts += _tree(root, tip, radius, depth, dice)
    return parts


LUNG_VESSELS = _grow(
    (-34.0, 8.0, 150.0),
    (
        (-80.0, 52.0, 78.0),
        (-96.0, 20.0, 96.0),
        (-66.0, -50.0, 104.0),
        (-108.0, -30.0, 104.0),
        (-58.0, 62.0, 60.0),
    ),
    4.6,
    4,
    71,
) + _grow(
    (36.0, 14.0, 150.0),
    ((82.0, 52.0, 74.0), (104.0, 22.0, 92.0), (110.0, -24.0, 98.0), (62.0, 62.0, 58.0)),
    4.4,
    4,
    72,
)
HILUM: Point = (-34.0, -14.0, 18.0)
PORTAL = _grow(HILUM, ((-78.0, 2.0, 14.0), (-74.0, -10.0, 44.0)), 6.0, 3, 73) + _grow(
    (-36.0, -16.0, 22.0), ((-12.0, -58.0, 34.0), (22.0, -62.0, 42.0)), 5.0, 3, 74
)
HEPATIC_ROOT: Point = (-25.0, -3.0, 68.0)
HEPATIC = (
    _grow(HEPATIC_ROOT, ((-100.0, 8.0, 30.0),), 5.6, 3, 75)
    + _grow(HEPATIC_ROOT, ((-66.0, -58.0, 38.0),), 5.0, 3, 76)
    + _grow(HEPATIC_ROOT, ((2.0, -62.0, 56.0),), 4.2, 2, 77)
)


def _paint_parts(
    canvas: Canvas,
    parts: list[tuple[Point, Point, float, float]],
    value: float,
    inside: Array,
    floor: float,
) -> None:
    for a, b, ra, rb in parts:
        r = max(ra, rb) + 2.0
        if not min(a[2], b[2]) - r <= canvas.z <= max(a[2], b[2]) + r:
            continue
        win = canvas.window(
            (min(a[0], b[0]) - r, min(a[1], b[1]) - r),
            (max(a[0], b[0]) + r, max(a[1], b[1]) + r),
        )
        if win is None:
            continue
        distance = win.capsule(a, b, max(ra, floor), max(rb, floor))
        canvas.paint(win, np.maximum(distance, inside[win.at]), value, None)


def _paint_lung_vessels(canvas: Canvas, chest: Array) -> None:
    _paint_parts(canvas, LUNG_VESSELS, 20.0, chest + F32(3.0), 0.75)
    for side in (-1.0, 1.0):
        canvas.tube(
            [(side * 40.0, 10.0, 160.0), (side * 62.0, 30.0, 96.0)], [5.5, 2.8], -20.0, None
        )
        canvas.tube(
            [(side * 40.0, 10.0, 160.0), (side * 62.0, 30.0, 94.0)], [4.2, 1.6], -960.0, None
        )


def liver_field(win: Window) -> Array:
    """Distance to the liver before the walls cut it."""
    z = win.z
    wob = smooth_field(win.x.shape, 40, z / 40.0, 41) * F32(3.0)
    right = win.ellipsoid((-84.0, 0.0, 24.0), (78.0, 94.0, 90.0), (0.10, 0.05, 0.0))
    left = win.ellipsoid((-2.0, -54.0, 52.0), (78.0, 46.0, 42.0), (0.25, 0.15, -0.12))
    joined = smooth_min(right, left, 22.0) + wob
    under = win.ellipsoid((-18.0, 26.0, -34.0), (52.0, 62.0, 62.0))
    stomach = win.ellipsoid((66.0, 6.0, 44.0), (58.0, 58.0, 56.0))
    carved = np.maximum(joined, -smooth_min(under, stomach, 12.0))
    spine = win.ellipsoid((16.0, 40.0, z), (38.0, 46.0, 50.0))
    return np.maximum(carved, -spine)


def paint_liver(
    canvas: Canvas, cavity: Array, belly: Array, lesions: tuple[Lesion, ...]
) -> Array:
    """Liver with fissures, portal and hepatic veins and lesions; return its distance field."""
    win, z = canvas.whole, canvas.z
    liver = np.maximum(liver_field(win), np.maximum(belly, cavity + F32(2.0)))
    kidney = win.ellipsoid(KIDNEY_RIGHT, (28.5, 30.0, 57.0), (KIDNEY_LEAN, 0.0, 0.0))
    liver = np.maximum(liver, -kidney)
    fissure = np.maximum(
        np.abs(win.x + F32(14.0) + (win.y + F32(60)) * F32(0.35)) - F32(1.6), F32(z - 52.0)
    )
    fissure = np.maximum(fissure, np.abs(win.y + F32(66)) - F32(27.0))
    liver = np.maximum(liver, -fissure)
    shade = smooth_field(canvas.value.shape, 30, z / 25.0, 42) * F32(2.0)
    canvas.paint(win, liver, F32(109.0) + shade, LABELS["liver"])
    inside = np.maximum(liver + F32(4.0), F32(0.0) - F32(999.0))
    _paint_parts(canvas, HEPATIC, 158.0, inside, 0.9)
    _paint_parts(canvas, PORTAL, 164.0, inside, 0.9)
    for lesion in lesions:
        r = lesion.radius_mm
        part = canvas.around(lesion.centre, (r + 4, r + 4, r + 2))
        if part is None:
            continue
        lobes = smooth_field(canvas.value.shape, 14, z / 11.0, 43)[part.at] * F32(r * 0.07)
        ball = part.ellipsoid(lesion.centre, (r, r * 0.94, r * 1.04)) + lobes
        ball = np.maximum(ball, liver[part.at] + F32(1.5))
        canvas.paint(part, ball - F32(1.6), 122.0, None, 2.5)
        canvas.paint(part, ball, lesion.value_hu + 14, LABELS["lesion"], 2.5)
        canvas.paint(part, ball + F32(r * 0.4), lesion.value_hu - 8, LABELS["lesion"], 6.0)
    return liver


def paint_spleen(canvas: Canvas, belly: Array) -> None:
    """Paint the spleen, hugging the left wall and hollowed by the stomach and the kidney."""
    win = canvas.window((50.0, -70.0), (150.0, 100.0))
    if win is None:
        return
    outer = win.ellipsoid((106.0, 30.0, 30.0), (50.0, 62.0, 58.0), (-0.10, 0.25, 0.0))
    hollow = win.ellipsoid((52.0, -2.0, 30.0), (43.0, 54.0, 70.0), (-0.05, 0.1, 0.0))
    kidney = win.ellipsoid(KIDNEY_LEFT, (28.5, 30.0, 57.0), (-KIDNEY_LEAN, 0.0, 0.0))
    wob = smooth_field(canvas.value.shape, 30, canvas.z / 30.0, 44)[win.at] * F32(2.0)
    hollowed = smooth_min(-outer - wob, smooth_min(hollow, kidney, 8.0), 14.0)
    field = -smooth_min(hollowed, -belly[win.at] - F32(2.4), 9.0)
    canvas.paint(win, field, 121.0, LABELS["spleen"])
    canvas.tube([(78.0, 26.0, 22.0), (86.0, 32.0, 24.0)], [4.5, 3.5], 160.0, None)


def kidney_pole(centre: Point, side: float, upper: bool) -> Point:
    """Return the upper or lower pole of a kidney (`side` -1 right, 1 left)."""
    # the lowest point of the sheared ellipsoid keeps x on the sheared axis
    dz = KIDNEY_RADII[2] if upper else -KIDNEY_RADII[2]
    return (centre[0] - side * KIDNEY_LEAN * dz, centre[1], centre[2] + dz)


def paint_kidney(canvas: Canvas, centre: Point, side: float, label: int) -> None:
    """Paint a kidney with cortex, pyramids, sinus fat and a little urine in the pelvis."""
    z = canvas.z
    lean = (-side * KIDNEY_LEAN, 0.0, 0.0)
    win = canvas.around(centre, (KIDNEY_RADII[0] + 16, KIDNEY_RADII[1] + 4, KIDNEY_RADII[2]))
    if win is None:
        return
    wob = smooth_field(canvas.value.shape, 26, z / 26.0, 45)[win.at] * F32(1.1)
    outer = win.ellipsoid(centre, KIDNEY_RADII, lean) + wob
    dz = z - centre[2]
    cx = centre[0] - side * KIDNEY_LEAN * dz
    hilum = (cx - side * 21.0, centre[1] - 9.0, centre[2])
    sinus = win.ellipsoid(hilum, (23.0, 10.5, 31.0))
    lobes = smooth_field(canvas.value.shape, 9, z / 8.0, 46)[win.at] * F32(2.6)
    sinus = sinus + lobes
    body = np.maximum(outer, -sinus)
    canvas.paint(win, body, 182.0, label)
    medulla = np.maximum(outer + F32(7.0), -sinus + F32(1.0))
    gaps = smooth_field(canvas.value.shape, 11, z / 11.0, 47)[win.at]
    pyramid = np.maximum(medulla, (F32(-0.1) - gaps) * F32(6))
    canvas.paint(win, pyramid, 154.0, None, 2.5)
    pelvis = win.ellipsoid(
        (hilum[0] + side * 3, hilum[1] + 1, centre[2] - 4.0), (14.0, 4.5, 15.0)
    )
    canvas.paint(win, pelvis, 14.0, None)
    for dy, value, r in ((-1.0, 168.0, 3.2), (4.0, 160.0, 4.0)):
        aim = along(z, AORTA if dy > 0 else CAVA)
        start = (hilum[0] + side * 8, hilum[1] + dy, centre[2] + 8.0)
        stop = (aim[0] + side * 8, aim[1] - 2.0 + dy, centre[2] + 14.0)
        canvas.tube([start, stop], [r * 0.8, r], value, None)


def paint_retroperitoneum(canvas: Canvas) -> None:
    """Both kidneys, the cyst on the left one, adrenals, ureters."""
    paint_kidney(canvas, KIDNEY_RIGHT, -1.0, LABELS["kidney_right"])
    paint_kidney(canvas, KIDNEY_LEFT, 1.0, LABELS["kidney_left"])
    canvas.ball((97.0, 42.0, -40.0), (14.5, 14.5, 15.0), 7.0, LABELS["cyst"])
    for side, (x, y, z) in ((-1.0, (-36.0, 22.0, 22.0)), (1.0, (38.0, 22.0, 26.0))):
        for fx, fy in ((9.0, 13.0), (-1.0, 14.0)):
            canvas.tube(
                [(x, y - 6, z), (x + side * fx, y + fy, z - 8)], [2.0, 1.8], 72.0, flat=4.0
            )
    for side in (-1.0, 1.0):
        canvas.tube(
            [
                (side * 44.0, 24.0, -46.0),
                (side * 36.0, 14.0, -85.0),
                (side * 33.0, 6.0, -130.0),
            ],
            [2.2, 2.0, 2.0],
            12.0,
        )
