"""A mouse without a window: napari's own way from an event to a layer's callbacks."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.utils._proxies import ReadOnlyWrapper
from napari.utils.interactions import (
    mouse_double_click_callbacks,
    mouse_move_callbacks,
    mouse_press_callbacks,
    mouse_release_callbacks,
    mouse_wheel_callbacks,
)

from napari_medlabel.plugin.binding import Binding


class Mouse:
    """Presses, moves and turns at voxels (i, j, k) of a case."""

    def __init__(self, binding: Binding) -> None:
        self._binding = binding
        self._button = 0

    def press(self, *ijk: float, button: int = 1, modifiers: tuple[object, ...] = ()) -> bool:
        self._button = button
        return self._send(mouse_press_callbacks, "mouse_press", ijk, modifiers=modifiers)

    def move(self, *ijk: float) -> bool:
        return self._send(mouse_move_callbacks, "mouse_move", ijk)

    def release(self, *ijk: float) -> bool:
        sent = self._send(mouse_release_callbacks, "mouse_release", ijk)
        self._button = 0
        return sent

    def click(self, *ijk: float, button: int = 1) -> bool:
        taken = self.press(*ijk, button=button)
        self.release(*ijk)
        return taken

    def press_again(self, *ijk: float, button: int = 1) -> bool:
        """Press soon after a click, as a window tells it: by a double click alone."""
        self._button = button
        return self.double_click(*ijk)

    def double_click(self, *ijk: float) -> bool:
        return self._send(mouse_double_click_callbacks, "mouse_double_click", ijk)

    def wheel(self, *ijk: float, steps: float, modifiers: tuple[object, ...] = ()) -> bool:
        return self._send(
            mouse_wheel_callbacks, "mouse_wheel", ijk, modifiers=modifiers, delta=(0.0, steps)
        )

    def drag(self, *way: tuple[float, ...], button: int = 1) -> None:
        self.press(*way[0], button=button)
        for place in way[1:]:
            self.move(*place)
        self.release(*way[-1])

    def _send(self, callbacks: Any, kind: str, ijk: tuple[float, ...], **more: Any) -> bool:
        viewer: ViewerModel = self._binding.viewer
        active = viewer.layers.selection.active
        labels = self._binding.labels
        point = self._binding.display.points_zyx(np.array(ijk, dtype=float))
        event = SimpleNamespace(
            type=kind,
            position=tuple(labels.data_to_world(point)),
            button=self._button or None,
            modifiers=more.get("modifiers", ()),
            delta=more.get("delta", (0.0, 0.0)),
            is_dragging=kind == "mouse_move" and self._button > 0,
            handled=False,
            view_direction=None,
            dims_displayed=list(viewer.dims.displayed),
        )
        callbacks(active, ReadOnlyWrapper(event, exceptions=("handled",)))
        return bool(event.handled)
