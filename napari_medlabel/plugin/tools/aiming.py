"""Where a click lies in the patient: on the slice that is seen, and what it may snap to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import InputError
from napari_medlabel.geometry.axes import FloatArray
from napari_medlabel.model.landmarks import PLANES, Plane, Point
from napari_medlabel.model.volume import Volume
from napari_medlabel.plugin.display import Display
from napari_medlabel.plugin.pointing import Pointer

SnapKind = Literal["", "max", "min", "edge"]

SNAPS: Final[dict[SnapKind, str]] = {
    "": "where clicked",
    "max": "brightest place",
    "min": "darkest place",
    "edge": "strongest edge",
}
"""What a click may snap to, in words."""


@dataclass(frozen=True)
class Snap:
    """What clicks go to.

    Parameters
    ----------
    kind : str
        A key of `SNAPS`; empty for the place that was clicked.
    radius_mm : float
        How far the place may be.
    """

    kind: SnapKind = ""
    radius_mm: float = 3.0


def plane_of(axis: int) -> Plane:
    """Return the plane that is seen along a displayed axis (0 = S, 1 = P, 2 = L)."""
    # `display.PLANES` has the same order.
    return PLANES[axis]


def clicked_zyx(display: Display, pointer: Pointer) -> FloatArray:
    """Return where the mouse is, on the middle of the slice that is seen.

    Parameters
    ----------
    display : Display
        How the scan is laid out.
    pointer : Pointer
        The mouse.

    Returns
    -------
    ndarray, shape (3,)
        Displayed data coordinates (S, P, L): fractional on the screen, whole across it.

    Raises
    ------
    InputError
        In 3D, or outside of the scan.
    """
    if pointer.axis < 0:
        raise InputError(
            "A 3D view shows no slice to point at.",
            hint="Choose Axial, Coronal or Sagittal.",
        )
    point = np.array(pointer.point_zyx, dtype=np.float64)
    # napari shows the nearest slice, wherever between two a slider stands.
    point[pointer.axis] = np.rint(point[pointer.axis])
    require_inside(display, point)
    return point


def require_inside(display: Display, point_zyx: FloatArray) -> None:
    """Refuse a point, in displayed data coordinates, that lies in no voxel.

    Raises
    ------
    InputError
        When it lies outside of the scan.
    """
    if np.any(point_zyx < -0.5) or np.any(point_zyx >= np.array(display.shape) - 0.5):
        raise InputError("The point lies outside of the scan.", hint="Click on the picture.")


def ras_of(display: Display, point_zyx: FloatArray) -> Point:
    """Return the patient's RAS mm of displayed data coordinates, through the true affine."""
    x, y, z = (float(v) for v in display.to_ras(point_zyx))
    return x, y, z


def snapped_ras(
    volume: Volume, point_ras: Point, snap: Snap, image: npt.NDArray[Any] | None = None
) -> Point:
    """Return a point or what lies near it that it snaps to.

    Parameters
    ----------
    volume : Volume
        The scan.
    point_ras : tuple of float
        RAS mm.
    snap : Snap
        To what.
    image : ndarray, shape (i, j, k), optional
        What is shown of it; by default its first volume.

    Returns
    -------
    tuple of float
        RAS mm.

    Raises
    ------
    InputError
        When the scan has colours, or the point lies outside of it.
    """
    if not snap.kind:
        return point_ras
    if volume.colour is not None:
        raise InputError(
            "Colours have no brightest place and no edge to snap to.",
            hint=f"Choose '{SNAPS['']}'.",
        )
    from napari_medlabel.edit.snap import snap_to_edge, snap_to_extremum

    affine = volume.grid.affine
    index = affine.to_index(np.array(point_ras))
    values = volume.array if image is None else image
    spacing, skew, radius = affine.spacing_mm, affine.skew_mm, snap.radius_mm
    if snap.kind == "edge":
        found = snap_to_edge(values, index, radius_mm=radius, spacing_mm=spacing, skew_mm=skew)
    else:
        found = snap_to_extremum(
            values,
            index,
            kind=snap.kind,
            radius_mm=radius,
            spacing_mm=spacing,
            skew_mm=skew,
        )
    x, y, z = (float(v) for v in affine.apply(found))
    return x, y, z
