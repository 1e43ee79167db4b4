"""The sketch: a line over the scan while an outline is being drawn, gone when it is done."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.geometry.axes import FloatArray
from napari_medlabel.plugin.binding import Binding
from napari_medlabel.plugin.layers import metadata

ROLE: Final = "preview"
"""The role of layers that show what is not yet an edit: sketches and proposals."""

_COLOUR: Final = "#ffd23f"
_SEGMENTS: Final = 240
"""Longer lines are thinned for the screen: a layer of more takes over 5 ms each time."""
_WIDTH_PX: Final = 2.0


class Sketch:
    """One line, shown in the view in which it is drawn.

    Parameters
    ----------
    binding : Binding
        The case in its viewer.
    name : str
        Of the layer.
    opacity : float
        Of the line, from 0 to 1.
    """

    def __init__(
        self, binding: Binding, *, name: str = "Drawing", opacity: float = 0.7
    ) -> None:
        self._binding = binding
        self._name, self._opacity = name, opacity
        self._view: Any = None
        self.layer: Any = None

    def show(self, view: Any, lines_ijk: list[npt.NDArray[Any]]) -> None:
        """Draw lines in place of those before.

        Parameters
        ----------
        view : ViewerModel
            Where.
        lines_ijk : list of ndarray, shape (n, 3)
            Points of each line, in fractional voxels.
        """
        display = self._binding.display
        each = max(_SEGMENTS // max(len(lines_ijk), 1), 8)
        parts = [display.points_zyx(thinned(line, each)) for line in lines_ijk]
        data = _segments(parts)
        if self.layer is None or self._view is not view or self.layer not in view.layers:
            self.clear()
            self._add(view)
        self.layer.data = data

    def clear(self) -> None:
        """Take the line away."""
        view, layer = self._view, self.layer
        self._view = self.layer = None
        if layer is not None and layer in view.layers:
            active = view.layers.selection.active
            view.layers.remove(layer)
            if active is not layer:
                view.layers.selection.active = active

    def _add(self, view: Any) -> None:
        from napari.layers import Vectors

        display = self._binding.display
        zoom = max(float(view.scene.camera.zoom), 1e-6)
        seen = [display.scale[a] for a in range(3)]
        # One width for both directions of the slice: between what the two would need.
        width = _WIDTH_PX / zoom / float(np.sqrt(min(seen) * max(seen)))
        layer = Vectors(
            np.zeros((0, 2, 3)),
            ndim=3,
            name=self._name,
            opacity=self._opacity,
            edge_width=width,
            edge_color=_COLOUR,
            vector_style="line",
            metadata=metadata(display, ROLE, self._binding.session.place.case),
            **display.geometry(),
        )
        self._view, self.layer = view, layer
        add_aside(view, layer)


def add_aside(view: Any, layer: Any) -> None:
    """Add a layer that only shows something: the active layer stays the active one."""
    active = view.layers.selection.active
    view.layers.append(layer)
    view.layers.selection.active = active


def add_below(view: Any, layer: Any, other: Any) -> None:
    """Add a layer that only shows something below another one, of which it hides nothing."""
    active = view.layers.selection.active
    view.layers.insert(view.layers.index(other), layer)
    view.layers.selection.active = active


def thinned(line: npt.NDArray[Any], most: int) -> FloatArray:
    """Return a line, shape (n, 3), with at most some points, its ends among them."""
    points = np.asarray(line, dtype=np.float64).reshape(-1, 3)
    if len(points) <= most:
        return points
    kept = np.unique(np.linspace(0, len(points) - 1, most).astype(np.intp))
    return points[kept]


def _segments(parts: list[FloatArray]) -> FloatArray:
    """Return starts and directions, shape (n, 2, 3), of the segments of lines."""
    made = [
        np.stack([part[:-1], np.diff(part, axis=0)], axis=1) for part in parts if len(part) > 1
    ]
    return np.concatenate(made) if made else np.zeros((0, 2, 3))
