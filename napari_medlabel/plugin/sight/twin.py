"""A layer's twin in another view: the same array, the same looks, its own slice.

A napari layer keeps the slice that it shows, so one layer cannot be in two views. A twin shares
the array (never a copy) and follows the properties both ways: what is chosen in one view holds
in all. What a hand does to a twin is told to the first layer, which is the only one that the
case listens to.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import numpy as np
from psygnal import Signal

from napari_medlabel.plugin.layers import KEY

_ALL: Final = ("visible", "opacity", "blending", "name")
_SHARED: Final[dict[str, tuple[str, ...]]] = {
    "Image": (
        "contrast_limits_range",
        "contrast_limits",
        "gamma",
        "colormap",
        "interpolation2d",
        "projection_mode",
    ),
    "Labels": (
        "colormap",
        "contour",
        "features",
        "selected_label",
        "brush_size",
        "n_edit_dimensions",
        "contiguous",
        "preserve_labels",
        "show_selected_label",
        "mode",
    ),
    "Points": ("mode", "projection_mode"),
}
"""Properties that are one for all views; napari emits an event of the same name for each."""

_KINDS: Final = frozenset({"Image", "Labels", "Points", "Shapes", "Vectors"})

LOCAL: Final = "local"
"""Set in the metadata of layers that belong to one view: they have no twin in another."""


def has_twin(layer: Any) -> bool:
    """Tell whether a layer can be shown in further views: it has the three axes of place."""
    if layer.metadata.get(KEY, {}).get(LOCAL):
        return False
    return type(layer).__name__ in _KINDS and int(layer.ndim) >= 3


def make_twin(first: Any) -> Twin:
    """Return the twin of a layer; see `Twin`."""
    kind = type(first).__name__
    if kind == "Labels":
        return LabelsTwin(first)
    if kind in ("Points", "Shapes", "Vectors"):
        return MarksTwin(first)
    return Twin(first)


class Twin:
    """One layer in one further view.

    Parameters
    ----------
    first : napari.layers.Layer
        The layer of the first view.

    Attributes
    ----------
    layer : napari.layers.Layer
        The twin, to be added to another view.
    stale : Signal
        What it shows is no longer what the array holds.
    """

    stale = Signal(object)

    def __init__(self, first: Any) -> None:
        self.first = first
        self._busy = False
        self.layer = self._make()
        self._links: list[tuple[Any, Callable[..., Any]]] = []
        self._point: tuple[float, ...] = ()
        for name in (*_ALL, *_SHARED.get(type(first).__name__, ())):
            self._share(name)
        self._connect()

    def _make(self) -> Any:
        from napari.layers import Layer

        data, keywords, kind = self.first.as_layer_data_tuple()
        keywords = {**keywords, "metadata": self.first.metadata}
        return Layer.create(data, keywords, kind)

    def _share(self, name: str) -> None:
        if getattr(self.layer, name, None) is None:
            return
        self._copy(self.first, self.layer, name)
        self._link(getattr(self.first.events, name), partial(self._on_first, name))
        self._link(getattr(self.layer.events, name), partial(self._on_twin, name))

    def _link(self, emitter: Any, callback: Callable[..., Any]) -> None:
        # napari keeps only weak references to what is connected: these are kept here.
        emitter.connect(callback)
        self._links.append((emitter, callback))

    def _on_first(self, name: str, _event: object = None) -> None:
        self._pass_on(self.first, self.layer, name)

    def _on_twin(self, name: str, _event: object = None) -> None:
        self._pass_on(self.layer, self.first, name)

    def _pass_on(self, source: Any, target: Any, name: str) -> None:
        if self._busy:
            return
        self._busy = True
        try:
            self._copy(source, target, name)
        finally:
            self._busy = False

    def _copy(self, source: Any, target: Any, name: str) -> None:
        value = getattr(source, name)
        if not _is_same(getattr(target, name), value):
            setattr(target, name, value)

    def _connect(self) -> None:
        self._link(self.first.events.data, self._on_data)
        self._link(self.first.events.set_data, self._on_set_data)
        for name in ("scale", "translate"):
            self._link(getattr(self.first.events, name), partial(self._on_first, name))

    def _on_data(self, _event: object = None) -> None:
        """Another array was given to the first layer."""
        if self.layer.data is not self.first.data:
            self.layer.data = self.first.data
        else:
            self.stale.emit(self)

    def _on_set_data(self, _event: object = None) -> None:
        """Mark it stale when the first layer was drawn anew and its slice is the same."""
        point = _slice_of(self.first)
        if point == self._point:
            self.stale.emit(self)
        self._point = point

    def refresh(self) -> None:
        """Show what the array holds now; nothing but the slice is drawn anew."""
        self.layer.refresh(thumbnail=False, highlight=False, extent=False)

    def detach(self) -> None:
        """Let go of both layers."""
        for emitter, callback in self._links:
            emitter.disconnect(callback)
        self._links.clear()


class LabelsTwin(Twin):
    """Labels in a further view: strokes are announced on the first layer.

    Who tells where the array changed marks it stale, see
    `napari_medlabel.plugin.sight.views`; a layer that is drawn anew says nothing of that.
    """

    def _make(self) -> Any:
        layer = super()._make()
        # The case's own history, as on the first layer.
        layer.undo, layer.redo = self._undo, self._redo
        return layer

    def _connect(self) -> None:
        self._link(self.first.events.data, self._on_data)
        self._link(self.layer.events.paint, self._on_painted)

    def _undo(self) -> None:
        self.first.undo()

    def _redo(self) -> None:
        self.first.redo()

    def _on_painted(self, event: Any) -> None:
        self.first.events.paint(value=event.value)
        # napari keeps a second undo list; the session's is the one.
        forget = getattr(self.layer, "_reset_history", None)
        if forget is not None:
            forget()


class MarksTwin(Twin):
    """Points, shapes and vectors in a further view: their data are lists, not shared arrays."""

    def _make(self) -> Any:
        data, keywords, _ = self.first.as_layer_data_tuple()
        # Of the same class: that of marks has an extent of its own.
        return type(self.first)(data, **{**keywords, "metadata": self.first.metadata})

    def _connect(self) -> None:
        self._link(self.first.events.data, self._on_data)
        self._link(self.first.events.set_data, self._on_set_data)
        if type(self.first).__name__ == "Points":
            self._link(self.first.events.features, self._on_data)
            self._link(self.layer.events.data, self._on_hand)

    def _on_data(self, _event: object = None) -> None:
        self.stale.emit(self)

    def refresh(self) -> None:
        """Take over what the first layer has now."""
        if self._busy:
            return
        self._busy = True
        try:
            self._take()
        finally:
            self._busy = False

    def _take(self) -> None:
        first, layer = self.first, self.layer
        if type(first).__name__ == "Points":
            if not _is_same(np.asarray(layer.data), np.asarray(first.data)):
                layer.data = np.array(first.data)
            if len(first.data):
                layer.features = first.features.copy()
                layer.symbol = first.symbol.copy()
                if layer.metadata.get(KEY, {}).get("role") != "landmarks":
                    layer.size = first.size.copy()  # theirs is one on the screen
        elif type(first).__name__ == "Shapes":
            layer.data = [np.array(one) for one in first.data]
            if first.shape_type:
                layer.shape_type = list(first.shape_type)
        else:
            layer.data = np.array(first.data)
        layer.refresh()

    def _on_hand(self, event: Any) -> None:
        """Do to the first layer what a hand did to this one."""
        action = str(event.action)
        if self._busy or action not in ("added", "removed", "changed"):
            return
        given = np.array(self.layer.data)
        self._busy = True
        try:
            if action == "added":
                self.first.add(given[len(self.first.data) :])
            elif action == "changed":
                self.first.data = given
            else:
                kept = {tuple(point) for point in given}
                gone = [n for n, p in enumerate(self.first.data) if tuple(p) not in kept]
                self.first.remove(gone)
        finally:
            self._busy = False
        self.stale.emit(self)


def _slice_of(layer: Any) -> tuple[float, ...]:
    """Return what tells one slice of a layer from another."""
    chosen = getattr(layer, "_slice_input", None)
    if chosen is None:
        return ()
    hidden = chosen.not_displayed
    return (*map(float, chosen.order), *(float(chosen.world_slice.point[a]) for a in hidden))


def _is_same(one: Any, other: Any) -> bool:
    """Tell whether two values of a property are the same, arrays by what they hold."""
    if one is other:
        return True
    if hasattr(one, "equals"):
        return bool(one.equals(other))
    if hasattr(one, "color_dict") and hasattr(other, "color_dict"):
        # napari compares the arrays in there as if they were numbers, and raises.
        left, right = dict(one.color_dict), dict(other.color_dict)
        return left.keys() == right.keys() and all(
            np.array_equal(left[key], right[key]) for key in left
        )
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return np.shape(one) == np.shape(other) and bool(np.all(one == other))
    same = one == other
    return bool(same) if isinstance(same, (bool, np.bool_)) else False
