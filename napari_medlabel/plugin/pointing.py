"""The mouse in a view, as voxels: presses, drags and hovering, handed to the tool in hand."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from psygnal import Signal

from napari_medlabel.geometry.axes import FloatArray
from napari_medlabel.plugin.display import Display


@dataclass(frozen=True, eq=False)
class Pointer:
    """Where the mouse is.

    Parameters
    ----------
    point_zyx : ndarray, shape (3,)
        Displayed data coordinates (S, P, L), fractional, in voxels.
    index_ijk : ndarray, shape (3,)
        The same as voxel index, fractional.
    axis : int
        Displayed axis across the screen: 0 axial, 1 coronal, 2 sagittal; -1 in 3D.
    voxel_axis : int
        The same as voxel axis: 0 for i, 1 for j, 2 for k; -1 in 3D.
    button : int
        1 left, 2 right, 3 middle, 0 none.
    modifiers : frozenset of str
        Of ``Shift``, ``Control``, ``Alt``.
    view : ViewerModel
        The view it is over.
    """

    point_zyx: FloatArray
    index_ijk: FloatArray
    axis: int
    voxel_axis: int
    button: int
    modifiers: frozenset[str]
    view: Any

    @property
    def voxel(self) -> tuple[int, int, int]:
        """The nearest voxel (i, j, k); it may lie outside the scan."""
        i, j, k = (int(v) for v in np.rint(self.index_ijk))
        return i, j, k


def held_keys(event: Any) -> frozenset[str]:
    """Return the names of the keys held during a napari mouse event.

    In a window they come as vispy's key objects, whose text is not their name; elsewhere as
    plain words.

    Returns
    -------
    frozenset of str
        Of ``Shift``, ``Control``, ``Alt`` and ``Meta``.
    """
    return frozenset(str(getattr(key, "name", key)) for key in event.modifiers)


class Hand(Protocol):
    """What takes the mouse: a tool. Each answers whether it took it; else napari has it."""

    paints: bool
    """Whether a double click that it leaves is a press: the second of two quick strokes."""

    def press(self, pointer: Pointer, /) -> bool:
        """Take a button going down, or leave it."""

    def drag(self, pointer: Pointer, /) -> None:
        """Follow the mouse with the button down; only after a press that was taken."""

    def release(self, pointer: Pointer, /) -> None:
        """Take the button going up."""

    def hover(self, pointer: Pointer, /) -> None:
        """Follow the mouse without a button."""

    def double_click(self, pointer: Pointer, /) -> bool:
        """Take a double click, or leave it."""

    def wheel(self, pointer: Pointer, steps: float, /) -> bool:
        """Take a turn of the wheel, or leave it; away from the hand is above 0."""


class Pointing:
    """Listens to the mouse on the layers of a case, in every view.

    Parameters
    ----------
    display : Display
        How the scan is laid out.
    """

    attached = Signal(object, object)
    """A view and a layer of it are listened to from now on."""
    hand_changed = Signal()
    """Another tool takes the mouse, or none."""

    def __init__(self, display: Display) -> None:
        self._display = display
        self._attached: list[tuple[Any, Any, tuple[Any, ...]]] = []
        self._hand: Hand | None = None
        self.last_view: Any = None
        """The view (a ViewerModel) that the mouse was over last; None before it moved."""

    @property
    def hand(self) -> Hand | None:
        """The tool that takes the mouse; None for napari's own."""
        return self._hand

    @hand.setter
    def hand(self, hand: Hand | None) -> None:
        if hand is not self._hand:
            self._hand = hand
            self.hand_changed.emit()

    def attach(self, view: Any, layer: Any) -> None:
        """Listen to the mouse on a layer of a view (a ViewerModel)."""
        callbacks = (
            (layer.mouse_drag_callbacks, self._make_drag(view)),
            (layer.mouse_move_callbacks, self._make_hover(view)),
            (layer.mouse_double_click_callbacks, self._make_double(view)),
            (layer.mouse_wheel_callbacks, self._make_wheel(view)),
        )
        for callback_list, callback in callbacks:
            callback_list.append(callback)
        self._attached.append((view, layer, callbacks))
        self.attached.emit(view, layer)

    @property
    def places(self) -> tuple[tuple[Any, Any], ...]:
        """The views and their layers that are listened to, the case's own first."""
        return tuple((view, layer) for view, layer, _ in self._attached)

    def detach(self, layer: Any = None) -> None:
        """Let go of a layer; of all for None."""
        for known in list(self._attached):
            if layer is None or known[1] is layer:
                for callback_list, callback in known[2]:
                    callback_list.remove(callback)
                self._attached.remove(known)

    def pointer(self, view: Any, layer: Any, event: Any) -> Pointer:
        """Return where a napari mouse event points."""
        self.last_view = view
        point = np.asarray(layer.world_to_data(event.position), dtype=np.float64)[-3:]
        dims = view.dims
        axis = -1
        if dims.ndisplay == 2:
            axis = int(dims.order[-3]) - (dims.ndim - 3)
        return Pointer(
            point,
            self._display.index_ijk(point),
            axis,
            self._display.order[axis] if axis >= 0 else -1,
            int(event.button or 0),
            held_keys(event),
            view,
        )

    def _make_drag(self, view: Any) -> Any:
        def drag(layer: Any, event: Any) -> Generator[None, None, None]:
            hand = self.hand
            if event.handled or hand is None:
                return
            if not hand.press(self.pointer(view, layer, event)):
                return
            event.handled = True
            yield
            while event.type == "mouse_move":
                # A tool that was put down with the button held hears no more of it.
                if self.hand is hand:
                    hand.drag(self.pointer(view, layer, event))
                yield
            if self.hand is hand:
                hand.release(self.pointer(view, layer, event))

        return drag

    def _make_hover(self, view: Any) -> Any:
        def hover(layer: Any, event: Any) -> None:
            if self.hand is not None:
                self.hand.hover(self.pointer(view, layer, event))

        return hover

    def _make_double(self, view: Any) -> Any:
        from napari.utils.interactions import mouse_press_callbacks

        def double(layer: Any, event: Any) -> None:
            hand = self.hand
            if hand is None:
                return
            if hand.double_click(self.pointer(view, layer, event)):
                event.handled = True
            elif hand.paints:
                # A window tells of the second of two quick presses by this alone.
                mouse_press_callbacks(layer, event)

        return double

    def _make_wheel(self, view: Any) -> Any:
        def wheel(layer: Any, event: Any) -> None:
            hand = self.hand
            # With Shift some systems turn the wheel sideways.
            steps = float(event.delta[1] or event.delta[0]) if len(event.delta) > 1 else 0.0
            if hand is not None and hand.wheel(self.pointer(view, layer, event), steps):
                event.handled = True

        return wheel
