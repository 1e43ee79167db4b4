"""Holding: gives the mouse to a tool, and back to napari when the person wants that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from napari_medlabel.plugin.binding import Binding
from napari_medlabel.plugin.layers import KEY
from napari_medlabel.plugin.pointing import Hand
from napari_medlabel.plugin.tools.sketch import ROLE

_PAN: Final = "pan_zoom"


class Holding:
    """Which tool is in hand.

    While one is, the labels layer is in napari's mode for moving the camera, with the moving
    itself switched off; so no mode of napari paints beside ours. A person who chooses a mode of
    napari, or another layer, puts the tool down by that.

    Parameters
    ----------
    binding : Binding
        The case in its viewer.
    dropped : callable
        Told that napari has the mouse again.
    """

    def __init__(self, binding: Binding, dropped: Callable[[], object]) -> None:
        self._binding = binding
        self._dropped = dropped
        self._busy = False
        self._circle_mm: float | None = None
        binding.pointing.attached.connect(self._on_attached)
        labels = binding.labels
        labels.events.mode.connect(self._on_mode)
        binding.viewer.layers.selection.events.active.connect(self._on_active)
        binding.viewer.mouse_move_callbacks.append(self._on_move)

    def detach(self) -> None:
        """Put the tool down and listen no more."""
        self.drop()
        self._binding.pointing.attached.disconnect(self._on_attached)
        self._binding.labels.events.mode.disconnect(self._on_mode)
        self._binding.viewer.layers.selection.events.active.disconnect(self._on_active)
        self._binding.viewer.mouse_move_callbacks.remove(self._on_move)

    @property
    def hand(self) -> Hand | None:
        """The tool in hand, None for napari's own."""
        return self._binding.pointing.hand

    def take(self, hand: Hand, circle_mm: float | None) -> None:
        """Take up a tool.

        Parameters
        ----------
        hand : Hand
            The tool.
        circle_mm : float or None
            Diameter of the circle to show at the mouse; None for a cross.
        """
        binding = self._binding
        layer = binding.labels
        self._busy = True
        try:
            binding.points.mode = _PAN
            layer.visible = True
            binding.pointing.hand = hand
            for view, shown in binding.pointing.places:
                _hold(view, shown)
        finally:
            self._busy = False
        self.show_circle(circle_mm)

    def show_circle(self, circle_mm: float | None) -> None:
        """Show a circle of a diameter in mm at the mouse, or a cross for None."""
        self._circle_mm = circle_mm
        if self.hand is not None:
            for _, layer in self._binding.pointing.places:
                _point(layer, circle_mm)

    def drop(self) -> None:
        """Put the tool down: the mouse moves the camera again."""
        if self.hand is None:
            return
        self._binding.pointing.hand = None
        for _, layer in self._binding.pointing.places:
            if str(layer.mode) == _PAN:
                layer.mouse_pan = True
                layer.cursor = "standard"
        self._dropped()

    def pan(self, panning: bool) -> None:
        """Let the mouse move the camera for a moment, with the tool in hand."""
        if self.hand is None:
            return
        for _, layer in self._binding.pointing.places:
            layer.mouse_pan = panning
            layer.cursor = "pointing" if panning else "cross"

    def _on_attached(self, view: Any, layer: Any) -> None:
        """Hold the tool in a view that came later, too."""
        if self.hand is not None:
            _hold(view, layer)
            _point(layer, self._circle_mm)

    def _on_mode(self, _event: Any) -> None:
        if not self._busy and str(self._binding.labels.mode) != _PAN:
            self.drop()

    def _on_active(self, event: Any) -> None:
        active = event.value
        if self._busy or active is self._binding.labels:
            return
        if active is None:
            # Of several selected layers napari tells none of the mouse. That none is selected
            # may last only until another is, as when a sketch is added.
            if len(self._binding.viewer.layers.selection) > 1:
                self.drop()
            return
        where = getattr(active, "metadata", {}).get(KEY, {})
        if where.get("role") != ROLE:
            self.drop()

    def _on_move(self, _viewer: Any, _event: Any) -> None:
        """Hold on to the labels when the mouse comes back after no layer was selected."""
        binding = self._binding
        selection = binding.viewer.layers.selection
        if self.hand is not None and not selection and binding.labels in binding.viewer.layers:
            selection.active = binding.labels


def _hold(view: Any, layer: Any) -> None:
    """Give the mouse over a view to the tool."""
    if layer in view.layers:
        # Landmarks or measurements may be the active layer: the mouse is ours now.
        view.layers.selection.active = layer
    layer.mode = _PAN
    layer.mouse_pan = False
    # napari draws behind its brush's circle, as behind a text, a box: a dark square.
    view.canvas.overlays._brush_circle.box = False  # noqa: SLF001 - it has no other name


def _point(layer: Any, circle_mm: float | None) -> None:
    if circle_mm is None:
        layer.cursor = "cross"
        return
    # The unit of the layer's world is the millimetre, and so is that of the circle.
    layer.cursor_size = float(circle_mm)
    layer.cursor = "circle"
