"""Takes the layers of a closed case out of napari, each in a turn of the window's loop."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QObject, QTimer

from napari_medlabel.plugin.binding import Binding
from napari_medlabel.plugin.garbage import young_garbage
from napari_medlabel.plugin.plain import named_once
from napari_medlabel.widgets.drawn_apart import PAUSE_MS, one_for_all
from napari_medlabel.widgets.sight.canvas import native_of


class Clearing(QObject):
    """Removes layers one by one; what is painted on goes first.

    Parameters
    ----------
    parent : QObject
        With whom it goes.
    viewer : napari.viewer.Viewer
        Whose layers they are.
    """

    def __init__(self, parent: QObject, viewer: Any) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._layers: list[Any] = []
        self._drawn = one_for_all()
        self._native: Any = None
        self._turn = QTimer(self)
        self._turn.setSingleShot(True)
        self._turn.setInterval(PAUSE_MS)
        self._turn.timeout.connect(self._take_turn)

    def start(self, binding: Binding) -> None:
        """Take the layers of a binding that has been detached away, in turns."""
        self.finish()
        others = (layer for layer in reversed(binding.layers) if layer is not binding.labels)
        self._layers = [binding.labels, *others]
        self._native = native_of(self._viewer)
        if self._native is not None:
            self._drawn.add(self._native)
        self._drawn.pause()
        # Nobody is left who would keep a stroke.
        binding.labels.editable = False
        self._turn.start()

    def finish(self) -> None:
        """Take away now what is left: others come."""
        self._turn.stop()
        with young_garbage(), named_once(self._viewer):
            while self._layers:
                self._remove_next()
        self._let_draw()

    def _let_draw(self) -> None:
        native, self._native = self._native, None
        if native is not None:
            self._drawn.remove(native)

    def _take_turn(self) -> None:
        if self._drawn.is_waiting:
            self._turn.start()
            return
        self._drawn.pause()
        with young_garbage(), named_once(self._viewer):
            self._remove_next()
        if self._layers:
            self._turn.start()
        else:
            self._let_draw()

    def _remove_next(self) -> None:
        layer = self._layers.pop(0)
        if layer in self._viewer.layers:
            self._viewer.layers.remove(layer)
