"""Measurements over the scan, in every view: on their slice, fainter near it, with the value.

Each view has light layers of its own, for a line that lies in one plane crosses the others as
a dot.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from napari_medlabel.geometry.axes import FloatArray
from napari_medlabel.measure.inside import WITH_VOXELS
from napari_medlabel.measure.lines import FROM_VOXELS, values_of
from napari_medlabel.model.measurements import Measurement, MeasurementSet
from napari_medlabel.plugin.display import Display
from napari_medlabel.plugin.layers import KEY, metadata
from napari_medlabel.plugin.measurement_drawing import COLOUR, Drawn, drawn_on, value_words
from napari_medlabel.plugin.name_board import NameBoard, Names
from napari_medlabel.plugin.sight.beside import BesideView
from napari_medlabel.plugin.sight.twin import LOCAL
from napari_medlabel.plugin.sight.view import View
from napari_medlabel.plugin.sight.views import Views
from napari_medlabel.plugin.tools.sketch import ROLE
from napari_medlabel.plugin.within_scan import within_scan
from napari_medlabel.session.case import Session
from napari_medlabel.session.measuring import values_in

_WIDTH_PX: Final = 2.0
_DOT_PX: Final = 5.0
_HANDLE_PX: Final = 9.0
_LONG: Final = 64
_FREE_PX: Final = 12.0
_MOST_STEPS: Final = 40
_LEADING: Final = (*COLOUR[:3], 0.85)
_KIND: Final = "measurements"

_Shown = tuple[MeasurementSet, int, float, frozenset[str]]


class MeasurementLayers:
    """The measurements of a case in all its views.

    Parameters
    ----------
    session : Session
        The open case.
    views : Views
        Where they are shown.
    board : NameBoard, optional
        Lays their values out together with other names.
    """

    def __init__(self, session: Session, views: Views, board: NameBoard | None = None) -> None:
        self._session = session
        self._board = board or NameBoard(views.display)
        self._views = views
        self._words: dict[str, str] = {}
        self._known: dict[Measurement, str] = {}
        self._shown: dict[int, _Pair] = {}
        self._draft: Measurement | None = None
        self._chosen = self._hovered = ""
        session.measurements_changed.connect(self._on_measured)
        views.moved.connect(self.update)
        views.opened.connect(self.update)
        views.closing.connect(self._on_closing)
        self._on_measured(session.measurements)

    def words_of(self, name: str) -> str:
        """Return the value of a measurement in words."""
        return self._words[name]

    def layers_of(self, view: View) -> tuple[Any, ...]:
        """Return the layers that a view has for measurements: lines, words and points."""
        pair = self._shown.get(id(view))
        return () if pair is None else pair.all

    def choose(self, name: str) -> None:
        """Show the handles of a measurement; empty for none."""
        self._chosen = name
        self.update()

    def hover(self, name: str) -> None:
        """Show the handles of the measurement under the mouse too; empty for none."""
        if name != self._hovered:
            self._hovered = name
            self.update()

    def show_draft(self, draft: Measurement | None) -> None:
        """Show a measurement with its value as it would be; None as it is."""
        told = draft or self._draft
        self._draft = draft
        if told is not None:
            measured = self._session.measurements
            if draft is not None or told.name in measured:
                one = draft or measured[told.name]
                # Of a long outline the voxels take too long for each move of the mouse.
                is_long = draft is not None and len(one.points_ras) > _LONG
                self._words[one.name] = (
                    value_words(values_of(one)) if is_long else self._told(one)
                )
            self.update()

    @property
    def measured(self) -> MeasurementSet:
        """What is shown: the measurements, with the one that is dragged as it would be."""
        measured, draft = self._session.measurements, self._draft
        if draft is None or draft.name not in measured:
            return measured
        return measured.with_one(draft)

    def update(self, _view: object = None) -> None:
        """Show in each view what lies on its slice."""
        measured = self.measured
        held = frozenset({self._chosen, self._hovered} - {""})
        for view in self._views.all:
            if isinstance(view, BesideView) or not len(measured):
                self._drop(view)
                continue
            axis = view.axis
            index = 0.0 if axis < 0 else float(view.place(self._views.cross)[axis])
            pair = self._shown.get(id(view))
            if pair is None:
                case = self._session.place.case
                pair = self._shown[id(view)] = _Pair(
                    view, self._views.display, case, self._board
                )
            pair.show((measured, axis, index, held), self._words)

    def detach(self) -> None:
        """Let go of the case and take the layers away."""
        self._session.measurements_changed.disconnect(self._on_measured)
        self._views.moved.disconnect(self.update)
        self._views.opened.disconnect(self.update)
        self._views.closing.disconnect(self._on_closing)
        for view in self._views.all:
            self._drop(view)
        self._shown.clear()

    def measure_anew(self) -> None:
        """Say what the voxels of the volume say that is shown now."""
        self._known = {}
        self._on_measured(self._session.measurements)

    def _on_measured(self, measured: MeasurementSet) -> None:
        self._known = {one: self._told(one) for one in measured}
        self._words = {one.name: words for one, words in self._known.items()}
        self.update()

    def _told(self, one: Measurement) -> str:
        """Return the value of a measurement in words; what is known is not measured again."""
        known = self._known.get(one)
        if known is not None:
            return known
        # What has no inside needs no voxels: they may have to be read.
        has_inside = one.kind in WITH_VOXELS
        which, image = self._session.bench.in_use.now if has_inside else ("", None)
        values = values_in(self._session.volume, one, image)
        said = value_words(values)
        of_voxels = any(value.name in FROM_VOXELS for value in values)
        return f"{said}  volume {which}" if which and of_voxels else said

    def _on_closing(self, view: View) -> None:
        self._drop(view)

    def _drop(self, view: View) -> None:
        pair = self._shown.pop(id(view), None)
        if pair is not None:
            pair.remove()


class _Pair:
    """The layers of one view: lines, words beside each, and what can be pulled."""

    def __init__(self, view: View, display: Display, case: str, board: NameBoard) -> None:
        self._view, self._display, self._board = view, display, board
        self._key: _Shown | None = None
        self._drawn, self._is_new = Drawn(), False
        self._leading: FloatArray = np.zeros((0, 2, 3))
        common = {
            "ndim": 3,
            "metadata": {KEY: {**metadata(display, ROLE, case)[KEY], LOCAL: True}},
            **display.geometry(),
        }
        self.lines: Any = within_scan("Vectors", display)(
            np.zeros((0, 2, 3)),
            name="Measurements",
            edge_color=[COLOUR],
            edge_width=self._size(_WIDTH_PX),
            vector_style="line",
            **common,
        )
        self.handles: Any = within_scan("Points", display)(
            np.zeros((0, 3)),
            name="Measured points",
            size=self._size(_DOT_PX),
            symbol="square",
            face_color=[COLOUR],
            border_color="#202020",
            **common,
        )
        self.words: Any = within_scan("Points", display)(
            np.zeros((0, 3)),
            name="Measured values",
            size=1e-3,
            face_color="transparent",
            border_color="transparent",
            border_width=0.0,
            features={"words": np.zeros(0, dtype=str)},
            text={"string": "{words}", "size": 11, "color": [COLOUR], "anchor": "center"},
            **common,
        )
        model = view.model
        active = model.layers.selection.active
        for layer in (self.lines, self.handles, self.words):
            model.layers.append(layer)
        model.layers.selection.active = active
        model.scene.camera.events.zoom.connect(self._on_zoom)

    def _size(self, pixels: float) -> float:
        """Return how many voxels some pixels of the screen are."""
        zoom = max(float(self._view.model.scene.camera.zoom), 1e-6)
        seen = self._display.scale
        # One width for both directions of the slice: between what the two would need.
        return pixels / zoom / float(np.sqrt(min(seen) * max(seen)))

    def _on_zoom(self, _event: object = None) -> None:
        self.lines.edge_width = self._size(_WIDTH_PX)
        self._resize()

    def _resize(self) -> None:
        """Give words a small dot and handles a square that a mouse can hit."""
        sizes = np.full(len(self.handles.data), self._size(_HANDLE_PX))
        sizes[: len(self._drawn.anchors)] = self._size(_DOT_PX)
        if len(sizes):
            self.handles.size = sizes
        self.handles.current_size = self._size(_DOT_PX)

    def show(self, key: _Shown, words: dict[str, str]) -> None:
        """Show measurements on a slice; nothing is done where that is what is shown."""
        if key == self._key and all(x in self._view.model.layers for x in self.all):
            self._put_names()
            return
        self._key = key
        drawn = drawn_on(self._display, key[0], words, key[1], key[2], key[3])
        if not drawn.parts and not any(len(layer.data) for layer in self.all):
            return
        self._drawn = drawn
        points = [*drawn.anchors, *drawn.handles]
        if points or len(self.handles.data):
            self.handles.data = np.array(points).reshape(-1, 3)
            self._resize()
        self._is_new = True
        self._put_names()
        if self._is_new:  # the words stand where they stood
            self._draw_lines(self._leading)

    def _put_names(self) -> None:
        """Have the words laid out together with other names."""
        drawn, key = self._drawn, self._key
        if key is None:
            return
        along = [_along(parts, self._size(_FREE_PX)) for parts in drawn.parts]
        around = np.concatenate(along) if along else np.zeros((0, 3))
        points = np.array(drawn.anchors).reshape(-1, 3)
        names = Names(points, drawn.words, key[1], key[2], _DOT_PX, around)
        self._board.put(self._view, _KIND, names, self._show_words)

    def _show_words(self, at: FloatArray, lines: FloatArray) -> None:
        self._leading = lines
        self._draw_lines(lines)
        if len(at) or len(self.words.data):
            self.words.data = at
            self.words.features = {"words": np.array(self._drawn.words, dtype=object)}
            self.words.refresh()

    def _draw_lines(self, leading: FloatArray) -> None:
        """Draw the lines of measurements, over those that lead to their words."""
        self._is_new = False
        parts, colours = self._drawn.parts, [_LEADING] * len(leading) + self._drawn.colours
        ends = np.concatenate(parts) if parts else np.zeros((0, 2, 3))
        own = np.stack([ends[:, 0], ends[:, 1] - ends[:, 0]], axis=1)
        data = np.concatenate([leading, own])
        if len(data) or len(self.lines.data):
            self.lines.data = data
        if len(data):
            self.lines.edge_color = np.array(colours)

    @property
    def all(self) -> tuple[Any, Any, Any]:
        """The lines, the words and the points."""
        return self.lines, self.words, self.handles

    def remove(self) -> None:
        """Take the layers away."""
        model = self._view.model
        self._board.drop(self._view, _KIND)
        model.scene.camera.events.zoom.disconnect(self._on_zoom)
        for layer in self.all:
            if layer in model.layers:
                active = model.layers.selection.active
                model.layers.remove(layer)
                if active is not layer:
                    model.layers.selection.active = active


def _along(parts: FloatArray, step: float) -> FloatArray:
    """Return points along lines, about a step (in voxels) apart, shape (n, 3)."""
    made = []
    for start, end in parts:
        count = int(np.clip(np.linalg.norm(end - start) / max(step, 1e-6), 1, _MOST_STEPS))
        made.append(start + np.linspace(0.0, 1.0, count + 1)[:, None] * (end - start))
    return np.concatenate(made) if made else np.zeros((0, 3))
