"""The point that is not placed yet: a cross of its own over the scan, in every view."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_medlabel.model.landmarks import Point
from napari_medlabel.plugin.binding import Binding
from napari_medlabel.plugin.layers import metadata
from napari_medlabel.plugin.tools.sketch import ROLE, add_aside

_COLOUR = "#56b4e9"


class DraftMark:
    """Shows one point, told from placed ones by its form and its words.

    Parameters
    ----------
    binding : Binding
        The case in its viewer.
    """

    def __init__(self, binding: Binding) -> None:
        self._binding = binding
        self.layer: Any = None

    def show(self, point_ras: Point, words: str) -> None:
        """Show a point.

        Parameters
        ----------
        point_ras : tuple of float
            RAS mm.
        words : str
            What stands beside it.
        """
        binding = self._binding
        if self.layer is None or self.layer not in binding.viewer.layers:
            self.layer = self._make()
            add_aside(binding.viewer, self.layer)
        self.layer.data = binding.display.from_ras(np.array([point_ras]))
        self.layer.features = {"words": [words]}
        self.layer.refresh()

    def hide(self) -> None:
        """Show nothing."""
        if self.layer is not None and len(self.layer.data):
            self.layer.data = np.zeros((0, 3))

    def remove(self) -> None:
        """Take the layer away."""
        layers, layer = self._binding.viewer.layers, self.layer
        self.layer = None
        if layer is None or layer not in layers:
            return
        active = layers.selection.active
        layers.remove(layer)
        if active is not layer:
            layers.selection.active = active

    def _make(self) -> Any:
        from napari.layers import Points

        binding = self._binding
        display = binding.display
        return Points(
            np.zeros((0, 3)),
            name="Draft",
            ndim=3,
            opacity=0.7,
            size=5.0 / min(display.scale),
            symbol="x",
            face_color=_COLOUR,
            border_color="#202020",
            projection_mode="rescale_linear",
            features={"words": np.zeros(0, dtype=object)},
            text={
                "string": "{words}",
                "size": 11,
                "color": _COLOUR,
                "anchor": "upper_left",
                "translation": np.array([0.0, 0.0, 6.0 / display.scale[2]]),
            },
            metadata=metadata(display, ROLE, binding.session.place.case),
            **display.geometry(),
        )
