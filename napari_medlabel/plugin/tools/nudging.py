"""Steps by keys as the screen has them: up is up in the view that is looked at."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np

from napari_medlabel.geometry.axes import FloatArray
from napari_medlabel.plugin.display import Display
from napari_medlabel.plugin.sight.view import View

Way = Literal["Left", "Right", "Up", "Down", "PageUp", "PageDown"]

WAYS: Final[dict[Way, tuple[int, int]]] = {
    "Left": (2, -1),
    "Right": (2, 1),
    "Up": (1, -1),
    "Down": (1, 1),
    "PageUp": (0, 1),
    "PageDown": (0, -1),
}
"""Which of depth, rows and columns of the screen, and whether along or against it."""


def shown_step(view: View, way: Way) -> FloatArray:
    """Return a step of one voxel in displayed data coordinates, shape (3,).

    Parameters
    ----------
    view : View
        The view whose screen is meant; in 3D none.
    way : str
        A key of `WAYS`.
    """
    step = np.zeros(3)
    if view.axis < 0:
        return step
    place, sign = WAYS[way]
    vertical, horizontal = (str(o) for o in view.model.scene.camera.orientation2d)
    if (place == 1 and vertical == "up") or (place == 2 and horizontal == "left"):
        sign = -sign
    axes = (view.axis, *view.across)
    step[axes[place]] = sign
    return step


def step_ijk(display: Display, step_zyx: FloatArray) -> tuple[float, float, float]:
    """Return a step in voxels (i, j, k)."""
    i, j, k = (float(v) for v in display.index_ijk(step_zyx) - display.index_ijk(np.zeros(3)))
    return i, j, k


def step_mm(display: Display, step_zyx: FloatArray, mm: float) -> tuple[float, float, float]:
    """Return a step of some mm the same way, along R, A and S of the patient."""
    along = display.to_ras(step_zyx) - display.to_ras(np.zeros(3))
    length = float(np.linalg.norm(along))
    x, y, z = (float(v) * mm / length if length else 0.0 for v in along)
    return x, y, z


def fine_step(display: Display, step_zyx: FloatArray, mm: float) -> FloatArray:
    """Return a step of some mm the same way, in displayed data coordinates, shape (3,)."""
    length = float(np.linalg.norm(display.to_ras(step_zyx) - display.to_ras(np.zeros(3))))
    return step_zyx * (mm / length)
