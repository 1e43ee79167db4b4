"""Great vessels, stomach, pancreas, gallbladder and bowel of the invented abdomen."""

from __future__ import annotations

import numpy as np
from canvas import Canvas, Point, Window
from exact import F32, Array, Dice, curve, smooth_field, smooth_min
from organs import AORTA, BIFURCATION, CAVA, CELIAC, GALLBLADDER, HILUM, LABELS, along

AORTA_HU, VEIN_HU, WALL_HU, GAS_HU = 162.0, 160.0, 92.0, -930.0


def paint_great_vessels(canvas: Canvas) -> None:
    """Aorta with plaque, iliac arteries, inferior vena cava, visceral arteries and veins."""
    z = canvas.z
    ax, ay = along(z, AORTA)
    vx, vy = along(z, CAVA)
    wide = curve(z, [(-130.0, 10.0), (0.0, 11.5), (40.0, 13.0), (70.0, 14.0), (130.0, 13.0)])
    canvas.ball((vx, vy, z), (wide, wide * 0.80, 40.0), 152.0, LABELS["cava"], (0, 0, 0.15))
    r = curve(z, [(-100.0, 8.4), (0.0, 10.0), (130.0, 12.0)])
    if z >= BIFURCATION[2]:
        canvas.ball((ax, ay, z), (r + 1.2, r + 1.2, 40.0), 60.0)
        canvas.ball((ax, ay, z), (r, r, 40.0), AORTA_HU, LABELS["aorta"])
    else:
        for side in (-1.0, 1.0):
            canvas.tube([BIFURCATION, (6.0 + side * 32.0, 6.0, -135.0)], [6.5, 5.8], AORTA_HU)
    for pz, px, py in (
        (-74.0, 6.5, 5.0),
        (-88.0, -6.0, 2.0),
        (-40.0, 8.0, -2.0),
        (-96.0, 7.0, 4.0),
    ):
        canvas.ball(
            (along(pz, AORTA)[0] + px, along(pz, AORTA)[1] + py, pz),
            (2.4, 3.0, 4.5),
            620.0,
            None,
        )
    cx, cy, cz = CELIAC
    canvas.tube([(cx, cy, cz), (cx + 1, cy - 17, cz + 2)], [3.8, 3.2], AORTA_HU, None)
    canvas.tube([(cx + 1, cy - 17, cz + 2), (-30.0, -16.0, 10.0)], [2.6, 2.2], AORTA_HU)
    sma: list[Point] = [
        (7.5, -1.0, -10.0),
        (6.0, -15.0, -22.0),
        (2.0, -22.0, -60.0),
        (-14.0, -30.0, -105.0),
    ]
    canvas.tube(sma, [4.0, 3.8, 3.4, 2.4], AORTA_HU, None)
    smv: list[Point] = [
        (-6.0, -20.0, 0.0),
        (-11.0, -20.0, -30.0),
        (-12.0, -26.0, -65.0),
        (-30.0, -34.0, -110.0),
    ]
    canvas.tube(smv, [7.0, 6.0, 5.2, 3.4], VEIN_HU)
    canvas.tube([(-6.0, -20.0, 0.0), (-20.0, -18.0, 9.0), HILUM], [7.6, 7.4, 7.0], VEIN_HU)
    splenic: list[Point] = [
        (-6.0, -20.0, 0.0),
        (20.0, -18.0, 9.0),
        (50.0, 8.0, 18.0),
        (80.0, 27.0, 22.0),
    ]
    canvas.tube(splenic, [5.4, 4.8, 4.4, 4.0], VEIN_HU)
    left_renal: list[Point] = [
        (-14.0, 1.0, -18.0),
        (8.0, -10.5, -17.0),
        (24.0, 2.0, -16.0),
        (44.0, 22.0, -18.0),
    ]
    canvas.tube(left_renal, [4.2, 3.8, 4.2, 4.0], 156.0, None)


def paint_pancreas(canvas: Canvas) -> None:
    """Paint a lobulated pancreas with the duodenum around its head."""
    path: list[Point] = [
        (74.0, 19.0, 26.0),
        (44.0, -4.0, 18.0),
        (14.0, -26.0, 12.0),
        (-10.0, -30.0, 0.0),
        (-30.0, -20.0, -16.0),
        (-28.0, -15.0, -34.0),
    ]
    radii = [8.5, 9.0, 9.5, 9.5, 14.0, 11.0]
    if not -52 < canvas.z < 42:
        return
    win = canvas.window((-55.0, -60.0), (95.0, 45.0))
    if win is None:
        return
    field: Array | None = None
    for k in range(5):
        part = win.capsule(path[k], path[k + 1], radii[k], radii[k + 1], 1.3)
        field = part if field is None else smooth_min(field, part, 5.0)
    lobes = smooth_field(canvas.value.shape, 6, canvas.z / 5.0, 51)[win.at] * F32(2.6)
    if field is not None:
        canvas.paint(win, field + lobes + F32(1.5), 104.0)
    duodenum: list[Point] = [
        (-32.0, -50.0, 2.0),
        (-49.0, -30.0, -6.0),
        (-52.0, -12.0, -32.0),
        (-44.0, -6.0, -52.0),
        (-8.0, -10.0, -56.0),
        (26.0, -8.0, -50.0),
        (34.0, -26.0, -30.0),
    ]
    canvas.tube(duodenum, [12.0, 12.5, 13.0, 12.5, 10.0, 11.0, 11.0], WALL_HU)
    canvas.tube(duodenum, [9.6, 10.0, 10.4, 10.0, 7.5, 8.6, 8.6], 26.0)


def paint_gallbladder(canvas: Canvas) -> None:
    """Paint the gallbladder under the liver."""
    x, y, z = GALLBLADDER
    canvas.ball((x, y, z), (17.0, 25.0, 27.0), 62.0, lean=(0.2, -0.3, 0.0))
    canvas.ball(
        (x, y, z), (15.2, 23.2, 25.2), 9.0, LABELS["gallbladder"], lean=(0.2, -0.3, 0.0)
    )


def stomach_field(win: Window) -> Array:
    """Distance to the outside of the stomach."""
    fundus = win.ellipsoid((62.0, 4.0, 48.0), (37.0, 39.0, 30.0), (-0.1, 0.1, 0.0))
    body = win.ellipsoid((64.0, -40.0, 22.0), (29.0, 34.0, 38.0), (0.15, 0.25, 0.0))
    antrum = win.capsule((50.0, -66.0, 4.0), (-12.0, -62.0, 0.0), 20.0, 13.0)
    return smooth_min(smooth_min(fundus, body, 26.0), antrum, 16.0)


def paint_stomach(canvas: Canvas, belly: Array) -> None:
    """Stomach with rugal folds, fluid, food and a gas bubble in front."""
    z = canvas.z
    if not -30 < z < 86:
        return
    win = canvas.window((-50.0, -100.0), (120.0, 60.0))
    if win is None:
        return
    field = np.maximum(stomach_field(win), belly[win.at] + F32(2.5))
    folds = smooth_field(canvas.value.shape, 8, z / 9.0, 52)[win.at]
    wall = F32(3.6) + np.maximum(folds, F32(0)) * F32(5.0)
    food = smooth_field(canvas.value.shape, 7, z / 6.0, 53)[win.at] * F32(14.0)
    canvas.paint(win, field, WALL_HU + 6, LABELS["stomach"])
    canvas.paint(win, field + wall, F32(30.0) + food, None, 2.0)
    level = win.y + F32(58.0)
    canvas.paint(win, np.maximum(field + wall, level), GAS_HU, None, 2.0)


def _paint_loop(
    canvas: Canvas,
    centre: Point,
    radii: Point,
    lean: Point,
    gas: float,
    seed: int,
    belly: Array,
) -> None:
    """One cut through a loop of bowel: wall, folds, content and gas above a level."""
    win = canvas.around(centre, (radii[0] * 1.5, radii[1] * 1.5, radii[2]))
    if win is None:
        return
    field = win.ellipsoid(centre, radii, lean)
    field = field + smooth_field(canvas.value.shape, 14, canvas.z / 12.0, seed)[win.at] * F32(
        1.8
    )
    field = np.maximum(field, belly[win.at] + F32(1.5))
    folds = smooth_field(canvas.value.shape, 5, canvas.z / 5.0, seed + 1)[win.at]
    canvas.paint(win, field, WALL_HU)
    inner = field + F32(2.4) + np.maximum(folds, F32(0)) * F32(2.0)
    canvas.paint(win, inner, 28.0)
    if gas > -1:
        level = win.y - F32(centre[1] + gas * radii[1])
        canvas.paint(win, np.maximum(inner, level), GAS_HU)


def _loops() -> list[tuple[Point, Point, Point, float]]:
    dice = Dice(90)
    found = []
    for kz in range(6):
        for ky in range(4):
            for kx in range(6):
                x = -78.0 + kx * 29.0 + dice.within(-7, 7) + (14.0 if kz % 2 else 0.0)
                y = -75.0 + ky * 23.5 + dice.within(-5, 5)
                z = -132.0 + kz * 21.0 + dice.within(-6, 6)
                size = dice.within(10.5, 14.5)
                long = dice.within(1.0, 1.75)
                lean = (dice.within(-0.5, 0.5), dice.within(-0.4, 0.4), dice.within(-0.6, 0.6))
                gas = dice.within(-0.7, 0.1) if dice.unit() < 0.16 and ky == 0 else -2.0
                inside = abs(x) < 88 - 8 * ky and z < -24.0 - 0.45 * max(0.0, -x - 10)
                if inside and not (abs(x) < 38 and ky >= 2) and not (ky == 3 and z > -72):
                    found.append(((x, y, z), (size * long, size, size * 1.1), lean, gas))
    return found


LOOPS = _loops()
COLON: tuple[Point, ...] = (
    (-101.0, 16.0, -140.0),
    (-102.0, 14.0, -108.0),
    (-98.0, 8.0, -94.0),
    (-86.0, -28.0, -87.0),
    (-62.0, -72.0, -72.0),
    (-20.0, -84.0, -58.0),
    (25.0, -86.0, -50.0),
    (66.0, -78.0, -30.0),
    (95.0, -48.0, -8.0),
    (108.0, -14.0, 6.0),
    (112.0, 20.0, -22.0),
    (110.0, 32.0, -60.0),
    (108.0, 30.0, -140.0),
)
COLON_RADII = (25.0, 24.0, 22.0, 20.0, 18.0, 17.0, 17.0, 17.0, 17.0, 16.0, 14.0, 12.0, 12.0)


def paint_bowel(canvas: Canvas, belly: Array) -> None:
    """Small bowel, mesenteric vessels and the colon with stool and gas."""
    z = canvas.z
    for k, (centre, radii, lean, gas) in enumerate(LOOPS):
        if abs(z - centre[2]) < radii[2] + 3:
            _paint_loop(canvas, centre, radii, lean, gas, 54 + 2 * (k % 5), belly)
    dice = Dice(91)
    for _ in range(46):
        x, y = dice.within(-60, 66), dice.within(-70, -14)
        top: Point = (-4.0 + x * 0.25, -24.0 + y * 0.1, dice.within(-60, -40))
        canvas.tube([top, (x, y, dice.within(-125, -75))], [2.0, 1.2], 140.0)
    for k in range(len(COLON) - 1):
        _paint_colon(canvas, k, belly)


def _paint_colon(canvas: Canvas, k: int, belly: Array) -> None:
    a, b, ra, rb = COLON[k], COLON[k + 1], COLON_RADII[k], COLON_RADII[k + 1]
    r = max(ra, rb) + 6
    if not min(a[2], b[2]) - r <= canvas.z <= max(a[2], b[2]) + r:
        return
    low = (min(a[0], b[0]) - r, min(a[1], b[1]) - r)
    win = canvas.window(low, (max(a[0], b[0]) + r, max(a[1], b[1]) + r))
    if win is None:
        return
    shape = canvas.value.shape
    haustra = smooth_field(shape, 15, canvas.z / 14.0, 66)[win.at] * F32(2.6)
    field = np.maximum(win.capsule(a, b, ra, rb) + haustra, belly[win.at] + F32(2.0))
    canvas.paint(win, field, 78.0)
    stool = smooth_field(shape, 4, canvas.z / 4.0, 67)[win.at]
    canvas.paint(win, field + F32(2.2), F32(12.0) + stool * F32(55.0))
    crumbs = np.maximum(field + F32(3.0), (F32(0.55) - stool) * F32(4))
    canvas.paint(win, crumbs, -420.0)
    if k < 9:
        middle = (a[1] + b[1]) / 2 - 0.15 * ra
        level = win.y - F32(middle) + stool * F32(3.0)
        canvas.paint(win, np.maximum(field + F32(2.2), level), GAS_HU)
