"""The CT of the invented abdomen: slices of HU, truth labels and landmarks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import organs
import torso
import vessels_bowel
from canvas import Canvas, Point
from exact import F32, Array, texture

SIZE = 512
PIXEL_MM = 0.78
SLICE_MM = 5.0


@dataclass(frozen=True)
class Visit:
    """One examination: which slices, where the patient lay, what the liver held."""

    slices: int
    lowest_z: float  # body coordinates of the lowest slice
    shift: Point  # patient coordinates (LPS) minus body coordinates, mm
    lesions: tuple[organs.Lesion, ...]
    seed: int

    def origin(self) -> tuple[str, str]:
        """X and y of the centre of the first pixel, as the header writes them."""
        return ("-199.29", "-182.29")

    def slice_z(self, k: int) -> float:
        """Patient z of slice `k`, counted from the feet."""
        return self.lowest_z + self.shift[2] + k * SLICE_MM

    def to_patient(self, point: Point) -> Point:
        """Return a point of the body in patient coordinates (LPS, mm)."""
        return (point[0] + self.shift[0], point[1] + self.shift[1], point[2] + self.shift[2])


FIRST = Visit(48, -117.0, (2.25, 7.5, -405.5), organs.FIRST_LESIONS, 1000)
LATER = Visit(40, -97.0, (-3.5, 5.0, -391.25), organs.LATER_LESIONS, 5000)


def render(visit: Visit, k: int) -> tuple[Array, Array]:
    """HU (int16) and labels (uint8) of slice `k` from the feet, rows by columns."""
    x0, y0 = (float(v) for v in visit.origin())
    n = np.arange(SIZE, dtype=np.float64)
    z = visit.lowest_z + k * SLICE_MM
    canvas = Canvas(
        n * PIXEL_MM + (x0 - visit.shift[0]), n * PIXEL_MM + (y0 - visit.shift[1]), z, -1000.0
    )
    wall, cavity = torso.paint_wall(canvas)
    torso.paint_back_muscles(canvas, wall)
    belly = organs.paint_chest(canvas, cavity)
    vessels_bowel.paint_bowel(canvas, belly)
    torso.paint_pelvis(canvas)
    vessels_bowel.paint_pancreas(canvas)
    organs.paint_spleen(canvas, belly)
    organs.paint_retroperitoneum(canvas)
    vessels_bowel.paint_stomach(canvas, belly)
    organs.paint_liver(canvas, cavity, belly, visit.lesions)
    vessels_bowel.paint_gallbladder(canvas)
    torso.paint_spine(canvas, organs.LABELS["vertebrae"])
    vessels_bowel.paint_great_vessels(canvas)
    torso.paint_ribs(canvas)
    torso.paint_table(canvas)
    return _measure(canvas, visit.seed + k), canvas.label


def _measure(canvas: Canvas, seed: int) -> Array:
    """Blur, add grain that grows towards the middle of the body, cut to the circle."""
    value = canvas.value
    rows = value.copy()
    rows[1:-1] = (value[:-2] + value[2:]) * F32(0.16) + value[1:-1] * F32(0.68)
    both = rows.copy()
    both[:, 1:-1] = (rows[:, :-2] + rows[:, 2:]) * F32(0.16) + rows[:, 1:-1] * F32(0.68)
    win = canvas.whole
    deep = (win.x * win.x * F32(1 / 28900.0)) + win.y * win.y * F32(1 / 13000.0)
    sigma = np.maximum(F32(13.8) - F32(5.0) * deep, F32(6.0))
    lung = np.minimum(np.maximum((both + F32(600)) * F32(1 / 400.0), F32(0.32)), F32(1))
    hu = np.floor(both + texture(value.shape, seed) * sigma * lung + F32(0.5))
    hu = np.minimum(np.maximum(hu, F32(-1024)), F32(3071)).astype(np.int16)
    n = np.arange(SIZE) * 2 - (SIZE - 1)
    circle = n[None, :] * n[None, :] + n[:, None] * n[:, None] <= 511 * 511
    result: Array = np.where(circle, hu, np.int16(-1024)).astype(np.int16)
    return result


def landmarks(visit: Visit) -> list[tuple[str, str, Point]]:
    """Name, description and patient position (LPS, mm) of the points the phantom defines."""
    left, right = organs.KIDNEY_LEFT, organs.KIDNEY_RIGHT
    found = (
        ("Liver dome", "highest point of the right hemidiaphragm", organs.DOME_RIGHT),
        ("Xiphoid tip", "lower end of the xiphoid process", torso.XIPHOID_TIP),
        ("L1 top", "centre of the upper end plate of L1", torso.endplate("L1")),
        ("L3 spinous process", "tip of the spinous process of L3", torso.spinous_tip("L3")),
        ("Right kidney upper pole", "", organs.kidney_pole(right, -1.0, upper=True)),
        ("Right kidney lower pole", "", organs.kidney_pole(right, -1.0, upper=False)),
        ("Left kidney upper pole", "", organs.kidney_pole(left, 1.0, upper=True)),
        ("Left kidney lower pole", "", organs.kidney_pole(left, 1.0, upper=False)),
        ("Coeliac trunk", "origin at the aorta", organs.CELIAC),
        ("Aortic bifurcation", "", organs.BIFURCATION),
    )
    return [(name, text, visit.to_patient(point)) for name, text, point in found]
