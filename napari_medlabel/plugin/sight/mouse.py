"""The mouse in a view where no tool takes it: click, wheel, double click, hovering.

- A click that does not drag sets the cross-hair; with Shift it follows the mouse.
- The wheel goes through the slices, Ctrl and the wheel zoom (napari has it the other way
  round; every radiology viewer has it this way).
- The right button pulls at window and level; so does the mouse alone while their key is held.
- A double click is told to who lays the views out.

napari calls what is on the view before what is on its active layer, so a press is decided by
what is active: where a tool is in hand or a layer paints, the mouse is theirs.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from napari_medlabel.plugin.pointing import held_keys

if TYPE_CHECKING:
    from napari_medlabel.plugin.sight.view import View
    from napari_medlabel.plugin.sight.views import Views

_STILL_PX: Final = 3.0
"""A press that moves less is a click."""
_ZOOM: Final = 1.15


class SightMouse:
    """What the mouse does in one view.

    Parameters
    ----------
    views : Views
        All views.
    view : View
        The one to listen to.
    labels : napari.layers.Labels or None
        The case's labels in that view; None where it shows none. A tool in hand hears
        of the mouse there, after the view: what it leaves is taken up behind it.
    """

    def __init__(self, views: Views, view: View, labels: Any) -> None:
        from napari.components._viewer_mouse_bindings import dims_scroll, double_click_to_zoom

        self._views = views
        self._view = view
        self._labels = labels
        self._turned = 0.0
        self._position: Any = None
        model = view.model
        self._added: tuple[tuple[Any, Any], ...] = (
            (model.mouse_drag_callbacks, self._press),
            (model.mouse_move_callbacks, self._hover),
            (model.mouse_double_click_callbacks, self._double),
            (model.mouse_wheel_callbacks, self._wheel),
        )
        if labels is not None:
            self._added += (
                (labels.mouse_drag_callbacks, self._late_drag),
                (labels.mouse_double_click_callbacks, self._late_double),
                (labels.mouse_wheel_callbacks, self._late_wheel),
            )
        self._taken = (
            (model.mouse_wheel_callbacks, dims_scroll),
            (model.mouse_double_click_callbacks, double_click_to_zoom),
        )
        for callbacks, theirs in self._taken:
            if theirs in callbacks:
                callbacks.remove(theirs)
        for callbacks, ours in self._added:
            callbacks.append(ours)

    @property
    def position(self) -> Any:
        """Where the mouse was last, in napari's world; None before it was anywhere."""
        return self._position

    def _is_still(self) -> bool:
        """Tell whether no mode of the active layer wants the mouse."""
        active = self._view.model.layers.selection.active
        return active is None or str(active.mode) == "pan_zoom"

    def _has_hand(self) -> bool:
        """Tell whether a tool will hear of the mouse after this."""
        active = self._view.model.layers.selection.active
        return self._views.binding.pointing.hand is not None and active is self._labels

    def _is_free(self) -> bool:
        return self._is_still() and not self._has_hand()

    def _press(self, _model: Any, event: Any) -> Generator[None, None, None]:
        self._views.current = self._view
        if event.handled:
            return  # a measurement was taken by its handle
        windowing = self._views.windowing
        if windowing.held or (event.button == 2 and self._view.axis >= 0 and self._is_free()):
            yield from self._pull(event)
            return
        if event.button != 1 or self._view.axis < 0 or not self._is_free():
            return
        modifiers = held_keys(event)
        if modifiers - {"Shift"}:
            return
        if modifiers:
            yield from self._lead(event)
        else:
            yield from self._click(event)

    def _pull(self, event: Any) -> Generator[None, None, None]:
        """Pull at window and level."""
        windowing = self._views.windowing
        event.handled = True
        windowing.begin(self._view, event.pos)
        yield
        while event.type == "mouse_move":
            event.handled = True
            windowing.move(event.pos)
            yield

    def _lead(self, event: Any) -> Generator[None, None, None]:
        """Take the cross-hair along with the mouse."""
        event.handled = True
        self._go(event)
        yield
        while event.type == "mouse_move":
            event.handled = True
            self._go(event)
            yield

    def _click(self, event: Any) -> Generator[None, None, None]:
        begun = np.asarray(event.pos, dtype=np.float64)
        position = tuple(event.position)
        yield
        while event.type == "mouse_move":
            if np.abs(np.asarray(event.pos, dtype=np.float64) - begun).max() > _STILL_PX:
                return
            yield
        self._views.point_at(self._view, self._view.point_zyx(position))

    def _go(self, event: Any) -> None:
        self._views.point_at(self._view, self._view.point_zyx(event.position))

    def _hover(self, _model: Any, event: Any) -> None:
        self._position = tuple(event.position)
        if self._views.windowing.held:
            self._views.current = self._view
            self._views.windowing.hover(self._view, event.pos)
            return
        self._views.say(self._view, event.position)

    def _late_drag(self, _layer: Any, event: Any) -> Generator[None, None, None]:
        """Say what is under a tool at work, too: after it, as it has left the labels."""
        if not self._has_hand():
            return
        yield
        while event.type == "mouse_move":
            self._position = tuple(event.position)
            self._views.say(self._view, event.position)
            yield
        self._views.say(self._view, event.position)

    def _double(self, _model: Any, event: Any) -> None:
        if self._is_free() and not event.modifiers:
            event.handled = True
            self._views.double_clicked.emit(self._view)

    def _late_double(self, _layer: Any, event: Any) -> None:
        if self._has_hand() and self._is_still() and not event.handled and not event.modifiers:
            event.handled = True
            self._views.double_clicked.emit(self._view)

    def _wheel(self, _model: Any, event: Any) -> None:
        if not self._has_hand():
            self._turn(event)

    def _late_wheel(self, _layer: Any, event: Any) -> None:
        if self._has_hand() and not event.handled:
            self._turn(event)

    def _turn(self, event: Any) -> None:
        modifiers = held_keys(event)
        turn = float(event.delta[1]) if len(event.delta) > 1 else 0.0
        if modifiers == {"Control"}:
            self._zoom(event, turn)
        elif not modifiers and self._view.axis >= 0:
            event.handled = True
            self._turned += turn
            steps = int(self._turned)
            if steps:
                self._turned -= steps
                self._views.scroll(self._view, steps)

    def _zoom(self, event: Any, turn: float) -> None:
        """Zoom about the mouse."""
        model = self._view.model
        camera = model.scene.camera
        factor = float(_ZOOM**turn)
        centre = np.array(camera.center[-2:], dtype=np.float64)
        at = np.array([event.position[a] for a in model.dims.displayed[-2:]])
        camera.zoom = float(camera.zoom) * factor
        if model.dims.ndisplay == 2:
            y, x = at + (centre - at) / factor
            camera.center = (0.0, float(y), float(x))

    def detach(self) -> None:
        """Give the mouse back to napari."""
        for callbacks, ours in self._added:
            callbacks.remove(ours)
        for callbacks, theirs in self._taken:
            callbacks.append(theirs)
