"""The frame of the invented abdomen: skin, fat, muscle, spine, ribs, pelvis, table.

Body coordinates in mm: x to the patient's left, y to the back, z to the head (LPS directions).
"""

from __future__ import annotations

import math

import numpy as np
from canvas import Canvas, Point, Window
from exact import F32, Array, bump, curve, smooth_field

# by height: half width, front and back of the outline, and the layers inside it
OUTLINE = (
    (-130.0, (170.0, 112.0, 106.0)),
    (-90.0, (163.0, 114.0, 103.0)),
    (-40.0, (156.0, 115.0, 102.0)),
    (10.0, (156.0, 113.0, 104.0)),
    (60.0, (161.0, 110.0, 107.0)),
    (125.0, (164.0, 106.0, 110.0)),
)
FAT = (
    (-130.0, (27.0, 30.0, 20.0)),
    (-90.0, (24.0, 29.0, 17.0)),
    (-40.0, (17.0, 22.0, 13.0)),
    (10.0, (13.0, 16.0, 11.0)),
    (60.0, (12.0, 13.0, 11.0)),
    (125.0, (13.0, 13.0, 12.0)),
)
WALL = (
    (-130.0, (17.0, 10.0, 20.0)),
    (-90.0, (17.0, 9.0, 20.0)),
    (-40.0, (17.0, 9.0, 17.0)),
    (10.0, (16.0, 10.0, 15.0)),
    (60.0, (15.0, 11.0, 13.0)),
    (125.0, (15.0, 12.0, 13.0)),
)
MUSCLE, FATTY, SKIN, BONE, CORTEX = 57.0, -104.0, 22.0, 195.0, 640.0
VERTEBRAE = (  # name, height of the centre of the body, mm
    ("T8", 141.0),
    ("T9", 112.0),
    ("T10", 83.0),
    ("T11", 54.0),
    ("T12", 24.0),
    ("L1", -8.0),
    ("L2", -42.0),
    ("L3", -76.0),
    ("L4", -110.0),
    ("L5", -144.0),
)
SPINE_Y = (
    (-150.0, 27.0),
    (-110.0, 24.0),
    (-60.0, 27.0),
    (0.0, 34.0),
    (60.0, 41.0),
    (130.0, 43.0),
)
XIPHOID_TIP: Point = (1.0, -84.0, 52.0)


def _triple(
    z: float, table: tuple[tuple[float, tuple[float, float, float]], ...]
) -> list[float]:
    return [curve(z, [(p, v[k]) for p, v in table]) for k in range(3)]


def layer_radii(z: float, fat: bool, wall: bool) -> list[float]:
    """Half width, front and back radius at height `z`, with the layers asked for taken away."""
    radii = _triple(z, OUTLINE)
    for wanted, table in ((fat, FAT), (wall, WALL)):
        if wanted:
            radii = [r - t for r, t in zip(radii, _triple(z, table), strict=True)]
    return radii


def oval(x: Array, y: Array, radii: list[float]) -> Array:
    """Distance (mm) to an egg of exponent 2.5 whose front and back differ."""
    depth = np.where(y < 0, F32(1 / radii[1]), F32(1 / radii[2])).astype(F32)
    u, v = np.abs(x) * F32(1 / radii[0]), np.abs(y) * depth
    pu, pv = u * np.sqrt(u), v * np.sqrt(v)
    gu, gv = pu * F32(2.5 / radii[0]), pv * F32(2.5) * depth
    return (u * pu + v * pv - F32(1)) / np.sqrt(gu * gu + gv * gv + F32(1e-6))


def on_oval(direction: tuple[float, float], radii: list[float]) -> tuple[float, float]:
    """Point where the ray from the middle in `direction` meets the oval."""
    dx, dy = direction
    u, v = abs(dx) / radii[0], abs(dy) / (radii[1] if dy < 0 else radii[2])
    target = u * u * math.sqrt(u) + v * v * math.sqrt(v)
    low, high = 0.0, 1000.0
    for _ in range(60):
        mid = (low + high) / 2
        if mid * mid * math.sqrt(mid) * target < 1:
            low = mid
        else:
            high = mid
    return dx * low, dy * low


def spine_y(z: float) -> float:
    """Y of the middle of the vertebral body at height `z`."""
    return curve(z, SPINE_Y)


def paint_wall(canvas: Canvas) -> tuple[Array, Array]:
    """Paint skin, fat and muscle; return the distances to the muscle wall and to the cavity."""
    win, z = canvas.whole, canvas.z
    shape = canvas.value.shape
    wx = smooth_field(shape, 96, z / 60.0, 11) * F32(1.6)
    wy = smooth_field(shape, 96, z / 60.0, 12) * F32(1.6)
    furrow = bump(win.x * F32(1 / 26.0)) * F32(5.0) * (win.y > 0)
    linea = bump(win.x * F32(1 / 30.0)) * F32(2.5) * (win.y < 0)
    x, y = win.x + wx, win.y + wy + furrow - linea
    skin = oval(x, y, layer_radii(z, fat=False, wall=False))
    navel_z = (z + 92.0) / 9.0
    if abs(navel_z) < 1:
        depth = (1 - navel_z * navel_z) * 13.0
        skin = skin + bump((win.x - F32(1)) * F32(1 / 9.0)) * F32(depth) * (win.y < 0)
    canvas.paint(win, skin, SKIN)
    canvas.paint(win, skin + F32(2.0), FATTY)
    septa = smooth_field(shape, 10, z / 12.0, 13)
    strand = np.abs(septa) - F32(0.035)
    canvas.paint(win, np.maximum(strand * F32(9), skin + F32(3.0)), -82.0, None)
    muscle = oval(x, y, layer_radii(z, fat=True, wall=False))
    canvas.paint(win, muscle, MUSCLE)
    cavity = oval(x, y, layer_radii(z, fat=True, wall=True))
    _paint_muscle_planes(canvas, muscle, cavity, septa)
    canvas.paint(win, cavity, FATTY + 3.0)
    return muscle, cavity


def _paint_muscle_planes(canvas: Canvas, muscle: Array, cavity: Array, septa: Array) -> None:
    """Fat between the three flank muscles, the linea alba, and marbling near the back."""
    win, z = canvas.whole, canvas.z
    depth = -muscle
    side = np.abs(win.x) - F32(88)
    if z < 20:
        for at in (5.5, 10.5):
            line = np.abs(depth - F32(at)) - F32(0.55)
            canvas.paint(win, np.maximum(line, -side * F32(0.2)), -60.0, None)
        semilunar = np.abs(np.abs(win.x) - F32(72)) - F32(3.2)
        canvas.paint(
            win, np.maximum(np.maximum(semilunar, muscle), win.y + F32(40)), -75.0, None
        )
    front = np.maximum(np.abs(win.x) - F32(1.8), win.y + F32(50))
    canvas.paint(win, np.maximum(front, muscle), -40.0, None)
    back = np.maximum(np.abs(septa) * F32(7) - F32(0.30), muscle + F32(2))
    canvas.paint(win, np.maximum(np.maximum(back, F32(20) - win.y), -cavity), -18.0, None)


def paint_back_muscles(canvas: Canvas, wall: Array) -> None:
    """Erector spinae, psoas, quadratus lumborum and the crura of the diaphragm."""
    z = canvas.z
    yc = spine_y(z)
    for side in (-1.0, 1.0):
        canvas.ball((side * 33.0, yc + 43.0, z), (31.0, 21.0, 60.0), FATTY + 20, limit=wall)
        canvas.ball((side * 21.0, yc + 44.0, z), (17.0, 20.0, 60.0), MUSCLE + 4, limit=wall)
        canvas.ball((side * 45.0, yc + 43.0, z), (18.0, 17.0, 60.0), MUSCLE, limit=wall)
        if z < 5:
            grow = curve(z, [(-130.0, 1.0), (-80.0, 0.86), (-30.0, 0.5), (5.0, 0.12)])
            reach = curve(z, [(-130.0, 46.0), (-60.0, 38.0), (5.0, 28.0)])
            canvas.ball(
                (side * reach, yc + 4.0, z),
                (21.0 * grow + 1, 23.0 * grow + 1, 50.0),
                MUSCLE + 3,
            )
            canvas.ball(
                (side * 66.0, yc + 27.0, z),
                (22.0, 7.5, 60.0),
                MUSCLE,
                lean=(0, 0, -0.25 * side),
            )
        if -70 < z < 60:
            thick = curve(z, [(-70.0, 1.5), (0.0, 5.0), (60.0, 4.0)])
            canvas.tube(
                [
                    (side * 17.0, yc - 6.0, z),
                    (side * 11.0, yc - 24.0, z),
                    (side * 3.0, yc - 35.0, z),
                ],
                [thick * 0.7, thick, thick * 0.6],
                MUSCLE,
            )


def _vertebral_body(win: Window, zc: float, shrink: float) -> Array:
    yc = spine_y(zc)
    x, y = win.x, win.y - F32(yc)
    waist = 1.0 - 0.10 * max(0.0, 1.0 - (win.z - zc) * (win.z - zc) / 169.0)
    ring = np.sqrt(x * x * F32(1 / (1.32 * 1.32)) + y * y + F32(1e-6)) - F32(17.0 * waist)
    hollow = F32(13.0) - np.sqrt(x * x * F32(0.55) + (y - F32(25.5)) * (y - F32(25.5)))
    outline = np.maximum(ring, hollow) + F32(shrink)
    return np.maximum(outline, F32(abs(win.z - zc) - (13.2 - shrink)))


def paint_spine(canvas: Canvas, label: int) -> None:
    """Discs, vertebral bodies with cortex and end plates, arches, canal, cord."""
    z = canvas.z
    yc = spine_y(z)
    win = canvas.window((-75.0, yc - 30.0), (75.0, yc + 75.0))
    if win is None:
        return
    disc = np.sqrt(win.x * win.x * F32(0.6) + (win.y - F32(yc)) * (win.y - F32(yc))) - F32(17.2)
    canvas.paint(win, disc, 88.0)
    grain = smooth_field(win.x.shape, 4, z / 4.0, 21) * F32(28.0)
    for name, zc in VERTEBRAE:
        if abs(z - zc) > 40:
            continue
        _paint_arch(canvas, win, zc, name.startswith("L"), label)
        canvas.paint(win, _vertebral_body(win, zc, 0.0), CORTEX - 150, label)
        canvas.paint(win, _vertebral_body(win, zc, 1.5), F32(BONE) + grain, label)
        vein = np.maximum(np.abs(win.x) - F32(2.2), F32(yc + 4) - win.y)
        inside = np.maximum(_vertebral_body(win, zc, 1.5), F32(abs(z - zc) - 2.5))
        canvas.paint(win, np.maximum(vein, inside), 130.0, None)
    canal = np.sqrt(
        win.x * win.x * F32(0.62) + (win.y - F32(yc + 24.5)) * (win.y - F32(yc + 24.5))
    ) - F32(8.6)
    canvas.paint(win, canal + F32(0.4), -60.0)
    canvas.paint(win, canal + F32(1.8), 16.0)
    cord = 4.6 if z > -8 else 0.0
    if cord:
        canvas.ball((0.0, yc + 24.5, z), (5.6, 4.2, 9.0), 42.0)


def _paint_arch(canvas: Canvas, win: Window, zc: float, lumbar: bool, label: int) -> None:
    """Pedicles, laminae, facets, transverse and spinous processes with a cortical shell."""
    yc = spine_y(zc)
    low = zc - (12.0 if lumbar else 16.0)
    spread = 1.0 if lumbar else 0.9
    parts = []
    for s in (-1.0, 1.0):
        parts += [
            ((s * 13.5, yc + 12, zc + 6), (s * 14.0, yc + 25, zc + 4), 4.6, 4.4, 1.7),
            ((s * 14.0, yc + 27, zc + 2), (s * 3.0, yc + 38, zc - 7), 4.0, 3.6, 2.2),
            ((s * 15.5, yc + 28, zc + 14), (s * 14.5, yc + 31, zc - 17), 5.2, 5.0, 1.0),
            ((s * 17.0, yc + 26, zc + 3), (s * 40.0 * spread, yc + 31, zc + 5), 4.2, 2.8, 1.3),
        ]
    tip = ((0.0, yc + 36, zc - 6), (0.0, yc + 54, low - 6), 3.6, 4.2, 2.4)
    parts.append(tip)
    for shell in (True, False):
        for a, b, ra, rb, flat in parts:
            if not min(a[2], b[2]) - 5 * flat <= canvas.z <= max(a[2], b[2]) + 5 * flat:
                continue
            cut = 0.0 if shell else 1.7
            distance = win.capsule(a, b, ra - cut, rb - cut, flat)
            canvas.paint(win, distance, CORTEX - 120 if shell else BONE + 70, label)


def spinous_tip(level: str) -> Point:
    """Return the most posterior point of a lumbar spinous process."""
    zc = dict(VERTEBRAE)[level]
    yc = spine_y(zc)
    return (0.0, yc + 54.0 + 4.2, zc - 18.0)


def endplate(level: str) -> Point:
    """Return the centre of the upper end plate of a vertebra."""
    zc = dict(VERTEBRAE)[level]
    return (0.0, spine_y(zc), zc + 13.2)


RIBS = (  # vertebra, part of the way round the chest, drop in mm
    ("T8", 0.86, 66.0),
    ("T9", 0.80, 74.0),
    ("T10", 0.72, 78.0),
    ("T11", 0.50, 66.0),
    ("T12", 0.32, 46.0),
)


def rib_path(zv: float, reach: float, drop: float, side: float) -> list[Point]:
    """Return the middle line of a rib from its head to its end."""
    points: list[Point] = [(side * 20.0, spine_y(zv) + 12.0, zv + 9.0)]
    steps = 15
    for k in range(1, steps + 1):
        t = reach * k / steps * 2.0  # 0 at the back, 1 at the side, 2 at the front
        dx, dy = (t, 1.35 - t * 1.35) if t <= 1 else (2.0 - t, 1.35 - t * 1.35)
        if t < 0.12:
            continue
        bend = t / (2 * reach)
        z = zv + 9.0 - drop * (0.25 * bend + 0.75 * bend * bend) - 6.0 * (1 - bend)
        radii = [r - 7.5 for r in layer_radii(max(min(z, 125.0), -20.0), fat=True, wall=False)]
        x, y = on_oval((side * dx, dy), radii)
        points.append((x, y, z))
    return points


def paint_ribs(canvas: Canvas) -> None:
    """Ribs 6 to 12 on both sides, costal cartilage, sternum and xiphoid."""
    above = (("T7", 170.0, 0.9, 66.0), ("T6", 199.0, 0.93, 60.0))
    all_ribs = [(dict(VERTEBRAE)[n], r, d) for n, r, d in RIBS] + [a[1:] for a in above]
    for side in (-1.0, 1.0):
        arch: list[Point] = [(side * 9.0, -88.0, 76.0), (side * 30.0, -92.0, 62.0)]
        for zv, reach, drop in all_ribs:
            path = rib_path(zv, reach, drop, side)
            canvas.tube(path, [4.4] * len(path), CORTEX - 90, flat=1.55)
            canvas.tube(path, [2.5] * len(path), BONE + 30, flat=1.55)
            if reach > 0.7:
                end = path[-1]
                arch_z = 72.0 - 0.62 * max(abs(end[0]) - 12.0, 0.0)
                mid = (end[0] * 0.86, end[1] - 3.0, (end[2] * 0.6 + arch_z * 0.4) - 3)
                last = (end[0] * 0.62, -90.0, max(arch_z + 10, end[2] * 0.5 + 20))
                canvas.tube([end, mid, last], [4.0, 4.2, 4.2], 96.0, flat=1.5)
        del arch
    canvas.tube([(0.0, -88.0, 160.0), (0.0, -89.0, 74.0)], [8.0, 7.0], CORTEX - 250)
    canvas.tube([(0.0, -88.0, 160.0), (0.0, -89.0, 76.0)], [6.2, 5.2], BONE)
    canvas.tube([(0.0, -88.0, 70.0), XIPHOID_TIP], [4.5, 3.2], 190.0)


def paint_pelvis(canvas: Canvas) -> None:
    """Paint the crests of the iliac bones at the lowest slices."""
    z = canvas.z
    if z > -94:
        return
    grow = min((-94.0 - z) / 30.0, 1.0)
    for side in (-1.0, 1.0):
        front = (side * (118.0 + 3 * grow), 20.0 - 36.0 * grow, z)
        middle = (side * 113.0, 32.0, z)
        back = (side * (106.0 - 36.0 * grow), 44.0 + 20.0 * grow, z)
        for r, value in ((4.2 + grow, CORTEX - 60), (2.4 + grow, BONE + 60)):
            canvas.tube([front, middle, back], [r, r * 0.9, r + 0.8], value)


def paint_table(canvas: Canvas) -> None:
    """Paint a curved table top of carbon fibre with foam, and a thin mattress."""
    win = canvas.whole
    y = win.y - F32(117.5) + win.x * win.x * F32(1 / 1500.0)
    inside = np.maximum(np.abs(y) - F32(9.0), np.abs(win.x) - F32(205))
    taken = canvas.value + F32(960.0)
    mattress = np.abs(y + F32(13)) - F32(3.0)
    canvas.paint(
        win, np.maximum(np.maximum(mattress, taken), np.abs(win.x) - F32(190)), -930.0, None
    )
    canvas.paint(win, np.maximum(inside, taken), -180.0, None)
    canvas.paint(win, np.maximum(inside + F32(1.6), taken), -935.0, None)
