"""Model <-> napari layers; the only file that turns (i, j, k) into napari's (z, y, x).

A layer's array is a view on the model's own buffer, permuted and flipped - never resampled - so
that its axes are (S, P, L), each growing. ``scale`` is the spacing, ``translate`` puts the
volume's centre where it is in LPS millimetres. Never ``affine`` and never a negative scale:
napari slices oblique affines wrongly and its 3D brush ignores spacing given that way.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.edit.patch import Box
from napari_medlabel.geometry.axes import (
    OPPOSITE,
    FloatArray,
    flip_lps_ras,
    nearest_axes,
)
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.model.landmarks import LandmarkSet
from napari_medlabel.model.volume import Volume

AXES: Final = ("S", "P", "L")
"""Towards which side each axis of a displayed array grows."""

UNITS: Final = ("mm", "mm", "mm")
KEY: Final = "medlabel"
"""The one key of ours in a layer's metadata."""

LayerTuple = tuple[Any, dict[str, Any], str]


@dataclass(frozen=True)
class Display:
    """How one grid is laid out for napari.

    Parameters
    ----------
    grid : Grid
        The source's grid.
    """

    grid: Grid

    @cached_property
    def order(self) -> tuple[int, int, int]:
        """For each displayed axis (S, P, L) the voxel axis (0 = i, 1 = j, 2 = k)."""
        world, _ = nearest_axes(self.grid.affine.matrix[:3, :3])
        return world.index(2), world.index(1), world.index(0)

    @cached_property
    def flipped(self) -> tuple[bool, bool, bool]:
        """For each displayed axis whether the voxel axis runs against it."""
        _, sign = nearest_axes(self.grid.affine.matrix[:3, :3])
        # Displayed axes grow to S, P and L; voxel signs are in RAS.
        towards = (1, -1, -1)
        s, p, l_ = (sign[axis] != t for axis, t in zip(self.order, towards, strict=True))
        return s, p, l_

    @cached_property
    def to_voxel(self) -> npt.NDArray[np.int64]:
        """(4, 4) whole-number matrix from displayed (z, y, x) to voxel (i, j, k) index."""
        matrix = np.zeros((4, 4), dtype=np.int64)
        matrix[3, 3] = 1
        for shown, (axis, flip) in enumerate(zip(self.order, self.flipped, strict=True)):
            matrix[axis, shown] = -1 if flip else 1
            matrix[axis, 3] = self.grid.shape[axis] - 1 if flip else 0
        return matrix

    @cached_property
    def shape(self) -> tuple[int, int, int]:
        """Shape of the displayed array."""
        z, y, x = (self.grid.shape[axis] for axis in self.order)
        return z, y, x

    @cached_property
    def scale(self) -> tuple[float, float, float]:
        """Spacing in mm along the displayed axes, all positive."""
        z, y, x = (self.grid.affine.spacing_mm[axis] for axis in self.order)
        return z, y, x

    @cached_property
    def translate(self) -> tuple[float, float, float]:
        """Where displayed voxel (0, 0, 0) goes, in (S, P, L) mm: the centres coincide."""
        middle = (np.array(self.grid.shape) - 1) / 2.0
        left, back, up = flip_lps_ras(self.grid.affine.apply(middle))
        centre = np.array([up, back, left])
        z, y, x = centre - np.array(self.scale) * (np.array(self.shape) - 1) / 2.0
        return float(z), float(y), float(x)

    def show(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return a (z, y, x) view on an (i, j, k) array; painting it paints the array."""
        steps = tuple(slice(None, None, -1 if flip else None) for flip in self.flipped)
        return array.transpose(self.order)[steps]

    def hide(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the (i, j, k) view of a displayed (z, y, x) array: the inverse of `show`."""
        steps = tuple(slice(None, None, -1 if flip else None) for flip in self.flipped)
        return array[steps].transpose(np.argsort(self.order))

    def box(self, shown: tuple[slice, ...]) -> Box:
        """Turn a box of the displayed array into the voxels' box (i, j, k)."""
        voxel: list[slice] = [slice(None)] * 3
        for axis, flip, part in zip(self.order, self.flipped, shown, strict=True):
            n = self.grid.shape[axis]
            start, stop, _ = part.indices(n)
            voxel[axis] = slice(n - stop, n - start) if flip else slice(start, stop)
        return voxel[0], voxel[1], voxel[2]

    def index_ijk(self, points_zyx: npt.ArrayLike) -> FloatArray:
        """Turn displayed data coordinates, shape (..., 3), into fractional voxel indices."""
        points = np.asarray(points_zyx, dtype=np.float64)
        index: FloatArray = points @ self.to_voxel[:3, :3].T + self.to_voxel[:3, 3]
        return index

    def points_zyx(self, index_ijk: npt.ArrayLike) -> FloatArray:
        """Turn fractional voxel indices, shape (..., 3), into displayed data coordinates."""
        index = np.asarray(index_ijk, dtype=np.float64) - self.to_voxel[:3, 3]
        points: FloatArray = index @ self.to_voxel[:3, :3]
        return points

    def to_ras(self, points_zyx: npt.ArrayLike) -> FloatArray:
        """Turn displayed data coordinates into patient RAS mm through the true affine.

        Never through napari's world: for an oblique scan that is a display frame.
        """
        return self.grid.affine.apply(self.index_ijk(points_zyx))

    def from_ras(self, points_ras: npt.ArrayLike) -> FloatArray:
        """Turn patient RAS mm, shape (..., 3), into displayed data coordinates."""
        return self.points_zyx(self.grid.affine.to_index(points_ras))

    def geometry(self) -> dict[str, Any]:
        """Return what every layer on this grid is given."""
        return {
            "scale": self.scale,
            "translate": self.translate,
            "units": UNITS,
            "axis_labels": AXES,
        }


def metadata(grid: Grid, role: str, case: str) -> dict[str, Any]:
    """Return the metadata of a layer: how to get back to the source, nothing identifying.

    Parameters
    ----------
    grid : Grid
        The source's grid.
    role : str
        ``scan``, ``labels`` or ``landmarks``.
    case : str
        Content id of the scan.
    """
    return {
        KEY: {
            "role": role,
            "case": case,
            "shape_ijk": list(grid.shape),
            "affine_ras_mm": grid.affine.matrix.tolist(),
            "axes": grid.affine.axis_codes,
        }
    }


def volume_to_layer(volume: Volume, case: str, limits: tuple[float, float]) -> LayerTuple:
    """Return the image layer of a scan.

    Parameters
    ----------
    volume : Volume
        The scan.
    case : str
        Its content id.
    limits : tuple of float
        Contrast limits: always given, napari would read every voxel to find its own.
    """
    display = Display(volume.grid)
    keywords = {
        "name": f"{volume.modality or 'Scan'}",
        "contrast_limits": limits,
        "colormap": "gray",
        "interpolation2d": "linear",
        "metadata": metadata(volume.grid, "scan", case),
        **display.geometry(),
    }
    return display.show(volume.array), keywords, "image"


def labels_to_layer(labels: LabelMap, case: str) -> LayerTuple:
    """Return the labels layer of a mask; its array is a view on the mask's."""
    display = Display(labels.grid)
    keywords = {
        "name": "Labels",
        "opacity": 0.5,
        "colormap": colours(labels),
        "features": names_table(labels),
        "metadata": metadata(labels.grid, "labels", case),
        **display.geometry(),
    }
    return display.show(labels.array), keywords, "labels"


def colours(labels: LabelMap) -> dict[int | None, tuple[float, float, float, float]]:
    """Return the colour of each value for napari's direct colour map."""
    table: dict[int | None, tuple[float, float, float, float]] = {
        0: (0.0, 0.0, 0.0, 0.0),
        None: (0.6, 0.6, 0.6, 1.0),
    }
    for label in labels.scheme.labels:
        table[label.value] = (*label.rgb, 1.0)
    return table


def names_table(labels: LabelMap) -> dict[str, list[Any]]:
    """Return the features of a labels layer: the name shows in napari's status bar."""
    known = labels.scheme.labels
    return {
        "index": [0, *(label.value for label in known)],
        "name": ["background", *(label.name for label in known)],
    }


def landmarks_to_layer(marks: LandmarkSet, grid: Grid, case: str) -> LayerTuple:
    """Return the points layer of the placed landmarks."""
    display = Display(grid)
    points, names = landmark_points(marks, grid)
    keywords = {
        "name": "Landmarks",
        "ndim": 3,
        "size": 7.0 / min(display.scale),
        "face_color": "#ffd23f",
        "border_color": "#202020",
        "symbol": "cross",
        "projection_mode": "rescale_linear",
        "features": {"name": names},
        "text": {
            "string": "{name}",
            "size": 11,
            "color": "#ffd23f",
            "anchor": "upper_left",
            "translation": np.array([0.0, 0.0, 6.0 / display.scale[2]]),
        },
        "metadata": metadata(grid, "landmarks", case),
        **display.geometry(),
    }
    return points, keywords, "points"


def landmark_points(marks: LandmarkSet, grid: Grid) -> tuple[FloatArray, list[str]]:
    """Return displayed coordinates, shape (n, 3), and names of the placed landmarks."""
    placed = marks.placed
    if not placed:
        return np.zeros((0, 3)), []
    points = Display(grid).from_ras(
        np.array([mark.point_ras for mark in placed], dtype=np.float64)
    )
    return points, [mark.name for mark in placed]


def side_letters(order: tuple[int, int], vertical: str, horizontal: str) -> dict[str, str]:
    """Return the letters at the edges of the canvas.

    Parameters
    ----------
    order : tuple of int
        The displayed axes (0 = S, 1 = P, 2 = L) shown vertically and horizontally.
    vertical : str
        ``"down"`` or ``"up"``: towards where the first one grows on the screen.
    horizontal : str
        ``"right"`` or ``"left"``: towards where the second one grows.

    Returns
    -------
    dict
        Letters for ``top``, ``bottom``, ``left`` and ``right``.
    """
    first, second = AXES[order[0]], AXES[order[1]]
    down, up = (first, OPPOSITE[first]) if vertical == "down" else (OPPOSITE[first], first)
    right, left = (
        (second, OPPOSITE[second]) if horizontal == "right" else (OPPOSITE[second], second)
    )
    return {"top": up, "bottom": down, "left": left, "right": right}
