"""Masks of a reading's other layers around the one in hand: outlines nobody paints on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from napari_medlabel.edit.scene import around
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.plugin.binding import Binding
from napari_medlabel.plugin.layers import metadata
from napari_medlabel.plugin.tools.sketch import ROLE, add_below

NAME = "Other layer"
"""How each of their names begins."""


class SheetLayers:
    """Shows masks of other layers of the ontology; they are never saved and never exported.

    Parameters
    ----------
    binding : Binding
        The case in its viewer.
    masks : mapping of int to LabelMap
        By layer, on the scan's grid; empty ones are not shown.
    """

    def __init__(self, binding: Binding, masks: Mapping[int, LabelMap]) -> None:
        self._binding = binding
        self.layers: list[Any] = []
        for labels in masks.values():
            layer = self._layer(labels)
            if layer is not None:
                self.layers.append(layer)
                add_below(binding.viewer, layer, binding.labels)
                binding.keys.attach(layer)

    def remove(self) -> None:
        """Take them out of the viewer."""
        shown = self._binding.viewer.layers
        active = shown.selection.active
        for layer in self.layers:
            if layer in shown:
                shown.remove(layer)
        self.layers = []
        if active in shown:
            shown.selection.active = active

    def _layer(self, labels: LabelMap) -> Any:
        """Return the layer of a mask in the box of what it labels; None for an empty one."""
        from napari.layers import Labels

        box = around(labels.array != 0)
        if box is None:
            return None
        display, rows = self._binding.display, labels.scheme.labels
        table: dict[int | None, Any] = {None: (0, 0, 0, 0), 0: (0, 0, 0, 0)}
        table |= {one.value: one.colour for one in rows}
        # One voxel more on every side: napari draws no outline along the edge of a layer.
        ends = [[part.start - 1 for part in box], [part.stop for part in box]]
        lowest = np.min(display.points_zyx(ends), axis=0)
        geometry = display.geometry()
        geometry["translate"] = tuple(
            float(t + z * mm)
            for t, z, mm in zip(display.translate, lowest, display.scale, strict=True)
        )
        names = [one.name for one in rows]
        layer = Labels(
            display.show(np.pad(labels.array[box].T, 1).T),
            name=f"{NAME}: {', '.join(names)}",
            opacity=0.7,
            colormap=table,
            features={"index": [0, *(one.value for one in rows)], "name": ["", *names]},
            metadata=metadata(display, ROLE, self._binding.session.place.case),
            **geometry,
        )
        layer.contour = 1
        layer.editable = False
        return layer
