"""Names beside the landmarks of a slice, in every view: none covers another."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import numpy as np

from napari_medlabel.geometry.axes import FloatArray
from napari_medlabel.plugin.display import Display
from napari_medlabel.plugin.landmark_layer import shown_name
from napari_medlabel.plugin.layers import KEY, landmark_points, metadata
from napari_medlabel.plugin.name_layout import laid_out, line_ends
from napari_medlabel.plugin.sight.beside import BesideView
from napari_medlabel.plugin.sight.twin import LOCAL
from napari_medlabel.plugin.sight.view import View
from napari_medlabel.plugin.sight.views import Views
from napari_medlabel.plugin.tools.sketch import ROLE
from napari_medlabel.session.case import Session

_COLOUR: Final = "#ffd23f"
_FONT: Final = 11
_HEIGHT_PX: Final = 20.0
_LETTER_PX: Final = 10.0
_MARK_MM: Final = 7.0
_MOST_PX: Final = 60.0
"""Of the font on the screen: a wide letter, for names must not touch."""
_WIDTH_PX: Final = 1.0
_SAME_ZOOM: Final = 0.04  # of the logarithm


class LandmarkNames:
    """The names of a case's landmarks in all its views.

    Parameters
    ----------
    session : Session
        The open case.
    views : Views
        Where they are shown.
    """

    def __init__(self, session: Session, views: Views) -> None:
        self._session, self._views = session, views
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
                known = self._shown[id(view)] = _Names(view, display, case)
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

    def __init__(self, view: View, display: Display, case: str) -> None:
        from napari.layers import Points, Vectors

        self._view, self._display = view, display
        self._key: tuple[Any, ...] = ()
        self._asked: tuple[FloatArray, list[str], int, float] = (np.zeros((0, 3)), [], -1, 0.0)
        common = {
            "ndim": 3,
            "metadata": {KEY: {**metadata(display, ROLE, case)[KEY], LOCAL: True}},
            **display.geometry(),
        }
        self.lines: Any = Vectors(
            np.zeros((0, 2, 3)),
            name="Lines to names",
            edge_color=_COLOUR,
            opacity=0.7,
            vector_style="line",
            **common,
        )
        self.names: Any = Points(
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
        self._changed = partial(self._on_camera)
        model.scene.camera.events.zoom.connect(self._changed)

    def show(self, points: FloatArray, words: list[str], axis: int, index: float) -> None:
        """Show names of points, shape (n, 3) in displayed data coordinates, on a slice."""
        self._asked = points, words, axis, index
        camera = self._view.model.scene.camera
        turned = self._view.across, tuple(map(str, camera.orientation2d)), float(camera.zoom)
        key = points.tobytes(), tuple(words), axis, index, turned
        if key == self._key:
            return
        self._key = key
        if not words and not len(self.names.data):
            return
        at, lines = points, np.zeros((0, 2, 3))
        if axis >= 0 and words:
            at, lines = self._lay_out(points, words, axis, index)
        if len(lines) or len(self.lines.data):
            self.lines.data = lines
        self.lines.edge_width = _WIDTH_PX / max(float(camera.zoom), 1e-6) / self._unit()
        self.names.data = at
        self.names.features = {"words": np.array(words, dtype=object)}
        self.names.refresh()

    def _lay_out(
        self, points: FloatArray, words: list[str], axis: int, index: float
    ) -> tuple[FloatArray, FloatArray]:
        """Return where names stand and the lines to them, in displayed data coordinates."""
        across = list(self._view.across)
        camera = self._view.model.scene.camera
        vertical, horizontal = (str(way) for way in camera.orientation2d)
        signs = np.array(
            (-1.0 if vertical == "up" else 1.0, -1.0 if horizontal == "left" else 1.0)
        )
        pixels = signs * np.array(self._display.scale)[across] * max(float(camera.zoom), 1e-6)
        at_px = points[:, across] * pixels
        widths = np.array([_LETTER_PX * len(word) for word in words])
        mark = min(_MARK_MM * max(float(camera.zoom), 1e-6), _MOST_PX)
        middle = (np.array(camera.center[-2:]) - np.array(self._display.translate)[across]) / (
            np.array(self._display.scale)[across]
        )
        half = np.array(self._view.model.canvas.size, dtype=np.float64) / 2.0
        screen = middle * pixels + np.stack([-half, half])
        centres, apart = laid_out(at_px, widths, _HEIGHT_PX, mark, screen)
        made = np.full((len(points), 3), index)
        made[:, across] = centres / pixels
        ends = np.full((len(points), 3), index)
        ends[:, across] = line_ends(at_px, centres, widths, _HEIGHT_PX) / pixels
        starts = points.copy()
        starts[:, axis] = index
        return made, np.stack([starts, ends - starts], axis=1)[apart]

    def _unit(self) -> float:
        """Return about how many mm a voxel of the slice is: line widths are in voxels."""
        seen = self._display.scale
        return float(np.sqrt(min(seen) * max(seen)))

    def _on_camera(self, _event: object = None) -> None:
        """Lay out anew where the zoom is another by more than can be seen."""
        zoom = max(float(self._view.model.scene.camera.zoom), 1e-6)
        if self._key and abs(np.log(zoom / self._key[4][2])) > _SAME_ZOOM:
            self.show(*self._asked)

    def remove(self) -> None:
        """Take the layers away."""
        model = self._view.model
        model.scene.camera.events.zoom.disconnect(self._changed)
        active = model.layers.selection.active
        for layer in (self.names, self.lines):
            if layer in model.layers:
                model.layers.remove(layer)
        if active in model.layers:
            model.layers.selection.active = active
