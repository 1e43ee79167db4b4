"""Names beside the landmarks of a slice, in every view: none covers another."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from napari_medlabel.geometry.axes import FloatArray
from napari_medlabel.plugin.display import Display
from napari_medlabel.plugin.landmark_layer import shown_name
from napari_medlabel.plugin.layers import KEY, MARK_PX, landmark_points, metadata
from napari_medlabel.plugin.name_board import NameBoard, Names
from napari_medlabel.plugin.sight.beside import BesideView
from napari_medlabel.plugin.sight.twin import LOCAL
from napari_medlabel.plugin.sight.view import SideView, View
from napari_medlabel.plugin.sight.views import Views
from napari_medlabel.plugin.tools.sketch import ROLE
from napari_medlabel.plugin.within_scan import within_scan
from napari_medlabel.session.case import Session

_COLOUR: Final = "#ffd23f"
_FONT: Final = 11
_WIDTH_PX: Final = 1.0
_KIND: Final = "landmarks"


class LandmarkNames:
    """The names of a case's landmarks in all its views.

    Parameters
    ----------
    session : Session
        The open case.
    views : Views
        Where they are shown.
    board : NameBoard, optional
        Lays them out together with other names.
    """

    def __init__(self, session: Session, views: Views, board: NameBoard | None = None) -> None:
        self._session, self._views = session, views
        self._board = board or NameBoard(views.display)
        self._shown: dict[int, _Names] = {}
        points = views.binding.points
        self._points = points
        points.text.visible = False  # napari's own stand all on one side, over each other
        points.events.visible.connect(self.update)
        session.landmarks_changed.connect(self.update)
        views.moved.connect(self.update)
        views.opened.connect(self._on_opened)
        views.closing.connect(self._drop)
        self.update()

    def layers_of(self, view: View) -> tuple[Any, ...]:
        """Return the layers that a view has for names: names, and lines to them."""
        known = self._shown.get(id(view))
        return () if known is None else (known.names, known.lines)

    def update(self, _what: object = None) -> None:
        """Show in each view the names of what lies near its slice."""
        display, marks = self._views.display, self._session.landmarks
        points, _ = landmark_points(marks, display)
        words = [shown_name(mark) for mark in marks.placed]
        for view in self._views.all:
            if isinstance(view, BesideView) or not words or not self._points.visible:
                self._drop(view)
                continue
            known = self._shown.get(id(view))
            if known is None:
                case = self._session.place.case
                marks = self._points
                if isinstance(view, SideView):
                    marks = view.twin_of(marks)
                known = _Names(view, display, case, self._board, marks)
                self._shown[id(view)] = known
            axis, near = view.axis, np.ones(len(points), dtype=bool)
            index = 0.0
            if axis >= 0:
                index = float(view.place(self._views.cross)[axis])
                reach = float(view.model.dims.thickness[-3:][axis]) / 2.0
                near = np.abs(points[:, axis] - index) * display.scale[axis] <= reach
            chosen = [word for word, is_near in zip(words, near, strict=True) if is_near]
            known.show(points[near], chosen, axis, index)

    def detach(self) -> None:
        """Let go of the case and take the layers away."""
        self._points.events.visible.disconnect(self.update)
        self._session.landmarks_changed.disconnect(self.update)
        self._views.moved.disconnect(self.update)
        self._views.opened.disconnect(self._on_opened)
        self._views.closing.disconnect(self._drop)
        for view in self._views.all:
            self._drop(view)
        self._points.text.visible = True

    def _on_opened(self, view: View) -> None:
        for layer in view.model.layers:
            if layer.name == self._points.name and type(layer) is type(self._points):
                layer.text.visible = False
        self.update()

    def _drop(self, view: View) -> None:
        known = self._shown.pop(id(view), None)
        if known is not None:
            known.remove()


class _Names:
    """The layers of one view: names, and lines that lead to those further away."""

    def __init__(
        self, view: View, display: Display, case: str, board: NameBoard, marks: Any
    ) -> None:
        self._view, self._display, self._board = view, display, board
        self._marks = marks
        self._words: list[str] = []
        common = {
            "ndim": 3,
            "metadata": {KEY: {**metadata(display, ROLE, case)[KEY], LOCAL: True}},
            **display.geometry(),
        }
        self.lines: Any = within_scan("Vectors", display)(
            np.zeros((0, 2, 3)),
            name="Lines to names",
            edge_color=_COLOUR,
            opacity=0.7,
            vector_style="line",
            **common,
        )
        self.names: Any = within_scan("Points", display)(
            np.zeros((0, 3)),
            name="Landmark names",
            size=1e-3,
            face_color="transparent",
            border_color="transparent",
            border_width=0.0,
            features={"words": np.zeros(0, dtype=str)},
            text={"string": "{words}", "size": _FONT, "color": _COLOUR, "anchor": "center"},
            **common,
        )
        model = view.model
        active = model.layers.selection.active
        for layer in (self.lines, self.names):
            model.layers.append(layer)
        model.layers.selection.active = active
        model.scene.camera.events.zoom.connect(self._on_zoom)

    def show(self, points: FloatArray, words: list[str], axis: int, index: float) -> None:
        """Show names of points, shape (n, 3) in displayed data coordinates, on a slice."""
        self._size_marks()
        self._words = words
        names = Names(points, words, axis, index, MARK_PX, np.zeros((0, 3)))
        self._board.put(self._view, _KIND, names, self._show)

    def _show(self, at: FloatArray, lines: FloatArray) -> None:
        if len(lines) or len(self.lines.data):
            self.lines.data = lines
        self._on_zoom()
        if not len(at) and not len(self.names.data):
            return
        self.names.data = at
        self.names.features = {"words": np.array(self._words, dtype=object)}
        self.names.refresh()

    def _size_marks(self) -> None:
        """Keep the marks one size on the screen; further from the slice they are smaller."""
        zoom = max(float(self._view.model.scene.camera.zoom), 1e-6)
        size = MARK_PX / zoom / self._display.scale[2]
        marks = self._marks
        if marks is not None and not np.allclose(marks.size, size):
            marks.size = size
        if marks is not None and marks.current_size != size:
            marks.current_size = size

    def _on_zoom(self, _event: object = None) -> None:
        self._size_marks()
        zoom = max(float(self._view.model.scene.camera.zoom), 1e-6)
        seen = self._display.scale
        # In voxels, about: one width for both directions of the slice.
        self.lines.edge_width = _WIDTH_PX / zoom / float(np.sqrt(min(seen) * max(seen)))

    def remove(self) -> None:
        """Take the layers away."""
        model = self._view.model
        self._board.drop(self._view, _KIND)
        model.scene.camera.events.zoom.disconnect(self._on_zoom)
        active = model.layers.selection.active
        for layer in (self.names, self.lines):
            if layer in model.layers:
                model.layers.remove(layer)
        if active in model.layers:
            model.layers.selection.active = active
