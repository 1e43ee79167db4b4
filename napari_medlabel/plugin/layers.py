"""The model's nouns -> napari layers: scan, labels, landmarks and what else lies on a scan."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from napari_medlabel.geometry.axes import OPPOSITE, FloatArray
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.model.landmarks import LandmarkSet
from napari_medlabel.model.volume import Volume
from napari_medlabel.plugin.display import AXES, Display
from napari_medlabel.plugin.doubts import doubts_of
from napari_medlabel.plugin.further import axis_geometry
from napari_medlabel.plugin.windows import is_first_inverted

KEY: Final = "medlabel"
"""The one key of ours in a layer's metadata."""

LayerTuple = tuple[Any, dict[str, Any], str]


def metadata(display: Display, role: str, case: str) -> dict[str, Any]:
    """Return the metadata of a layer: how to get back to the source, nothing identifying.

    Parameters
    ----------
    display : Display
        The source's grid and how it is laid out.
    role : str
        ``scan``, ``labels``, ``landmarks``, ``missing`` for the slices that no file holds, or
        ``aside`` for what only lies on the scan.
    case : str
        Content id of the scan; empty while it is being read.
    """
    where: dict[str, Any] = {
        "role": role,
        "case": case,
        "shape_ijk": list(display.grid.shape),
        "affine_ras_mm": display.grid.affine.matrix.tolist(),
        "axes": display.grid.affine.axis_codes,
    }
    if display.pictures:
        where["pictures"] = True
    return {KEY: where}


def scan_metadata(volume: Volume, case: str) -> dict[str, Any]:
    """Return the metadata of a scan's layer: with ``warnings``, its doubts in words."""
    made = metadata(Display.of(volume), "scan", case)
    made[KEY]["warnings"] = doubts_of(volume)
    return made


def volume_to_layer(volume: Volume, case: str, limits: tuple[float, float]) -> LayerTuple:
    """Return the image layer of a scan.

    Of several volumes it has an axis more, before the three of place; colours are shown as
    they are; with MONOCHROME1 low values are bright, and of uptake values.

    Parameters
    ----------
    volume : Volume
        The scan.
    case : str
        Its content id; empty while it is being read.
    limits : tuple of float
        Contrast limits: always given, napari would read every voxel to find its own.
    """
    display = Display.of(volume)
    keywords: dict[str, Any] = {
        "name": f"{volume.modality or 'Scan'}",
        "interpolation2d": "linear",
        # One slice, whatever thickness landmarks fade over: napari's own way is the mean of it.
        "projection_mode": "none",
        "metadata": scan_metadata(volume, case),
        **display.geometry(),
    }
    if volume.colour is not None:
        return display.show_colours(volume.colour), {**keywords, "rgb": True}, "image"
    keywords |= {
        "contrast_limits": limits,
        "colormap": "gray_r" if is_first_inverted(volume) else "gray",
        "rgb": False,
    }
    if volume.further is None:
        return display.show(volume.array), keywords, "image"
    scale, start, unit = axis_geometry(volume.further)
    keywords |= {
        "scale": (scale, *display.scale),
        "translate": (start, *display.translate),
        "units": (unit, *keywords["units"]),
        "axis_labels": (volume.further.name, *keywords["axis_labels"]),
    }
    return display.show_further(volume.further.array), keywords, "image"


def labels_to_layer(labels: LabelMap, case: str, *, pictures: bool = False) -> LayerTuple:
    """Return the labels layer of a mask; its array is a view on the mask's."""
    display = Display(labels.grid, pictures)
    keywords = {
        "name": "Labels",
        "opacity": 0.5,
        "colormap": colours(labels),
        "features": names_table(labels),
        "metadata": metadata(display, "labels", case),
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


MARK_PX: Final = 10.0
"""How large the mark of a landmark is on the screen."""


def landmarks_to_layer(marks: LandmarkSet, display: Display, case: str) -> LayerTuple:
    """Return the points layer of the placed landmarks."""
    points, names = landmark_points(marks, display)
    keywords = {
        "name": "Landmarks",
        "ndim": 3,
        "size": 7.0 / min(display.scale),
        # Never larger on the screen however near one looks, and hollow: the point is seen.
        "canvas_size_limits": (2.0, MARK_PX),
        "face_color": "transparent",
        "border_color": "#ffd23f",
        "border_width": 0.12,
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
        "metadata": metadata(display, "landmarks", case),
        **display.geometry(),
    }
    return points, keywords, "points"


def landmark_points(marks: LandmarkSet, display: Display) -> tuple[FloatArray, list[str]]:
    """Return displayed coordinates, shape (n, 3), and names of the placed landmarks."""
    placed = marks.placed
    if not placed:
        return np.zeros((0, 3)), []
    points = display.from_ras(np.array([mark.point_ras for mark in placed], dtype=np.float64))
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
