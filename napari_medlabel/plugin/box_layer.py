"""Bounding boxes over the scan, in every view: their cut on its slice, their edges in 3D.

Each view has light layers of its own: the same box is another rectangle in each.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import numpy as np

from napari_medlabel.geometry.axes import FloatArray
from napari_medlabel.model.boxes import Box3D, BoxSet
from napari_medlabel.plugin.display import Display
from napari_medlabel.plugin.layers import KEY, metadata
from napari_medlabel.plugin.sight.beside import BesideView
from napari_medlabel.plugin.sight.twin import LOCAL
from napari_medlabel.plugin.sight.view import View
from napari_medlabel.plugin.sight.views import Views
from napari_medlabel.plugin.tools.sketch import ROLE
from napari_medlabel.session.case import Session

Look = tuple[str, str]
"""Name and colour (``#rrggbb``) of a kind of box."""
_UNKNOWN: Final[Look] = ("Box", "#b0b0b0")
_WIDTH_PX, _CHOSEN_PX, _HANDLE_PX = 1.5, 2.5, 9.0
_EDGES: Final = tuple(
    (a, b) for a in range(8) for b in range(a + 1, 8) if (a ^ b).bit_count() == 1
)


def cut_ijk(box: Box3D, axis: int, index: int) -> FloatArray | None:
    """Return the four corners of what a slice shows of a box, in order around it.

    Parameters
    ----------
    axis : int
        Voxel axis across the slice.
    index : int
        Which slice.

    Returns
    -------
    ndarray, shape (4, 3), or None
        In fractional voxels, on the faces of the voxels; None where the slice is outside.
    """
    if not box.start[axis] <= index < box.stop[axis]:
        return None
    one, other = (a for a in range(3) if a != axis)
    low, high = np.array(box.start) - 0.5, np.array(box.stop) - 0.5
    ring = np.full((4, 3), float(index))
    ring[:, one] = (low[one], high[one], high[one], low[one])
    ring[:, other] = (low[other], low[other], high[other], high[other])
    return ring


def handles_ijk(ring: FloatArray) -> FloatArray:
    """Return the corners of a rectangle and the middles of its sides, shape (8, 3)."""
    return np.concatenate([ring, (ring + np.roll(ring, -1, axis=0)) / 2.0])


def words_of(box: Box3D, name: str, spacing_mm: tuple[float, float, float]) -> str:
    """Return what stands beside a box: its kind, its number, its size."""
    size = " x ".join(
        f"{n * mm:.0f}" if n * mm >= 10 else f"{n * mm:.1f}"
        for n, mm in zip(box.shape, spacing_mm, strict=True)
    )
    return f"{name} {box.id}\n{size} mm"


class BoxLayers:
    """The boxes of a case in all its views.

    Parameters
    ----------
    session : Session
        The open case.
    views : Views
        Where they are shown.
    looks : mapping of str to (str, str)
        Name and colour of each kind.
    """

    def __init__(self, session: Session, views: Views, looks: Mapping[str, Look]) -> None:
        self._session = session
        self._views = views
        self._looks = dict(looks)
        self._shown: dict[int, _Pair] = {}
        self._draft: Box3D | None = None
        self.chosen = 0
        """Number of the box in hand, which has handles; 0 for none."""
        session.boxing.changed.connect(self._on_changed)
        views.moved.connect(self.update)
        views.opened.connect(self.update)
        views.closing.connect(self._drop)
        self.update()

    @property
    def boxes(self) -> BoxSet:
        """What is shown: the boxes, with the one that is being dragged as it would be."""
        boxes = self._session.boxing.boxes
        return boxes if self._draft is None else boxes.with_box(self._draft)

    def look(self, kind: str) -> Look:
        """Return name and colour of a kind."""
        return self._looks.get(kind, _UNKNOWN)

    def choose(self, number: int) -> None:
        """Show the handles of a box; 0 for none."""
        self.chosen = number
        self.update()

    def show_draft(self, draft: Box3D | None) -> None:
        """Show a box as it would be; None for none."""
        self._draft = draft
        self.update()

    def layers_of(self, view: View) -> tuple[Any, ...]:
        """Return the layers that a view has for boxes: edges, handles, and words."""
        pair = self._shown.get(id(view))
        return () if pair is None else pair.layers

    def update(self, _view: object = None) -> None:
        """Show in each view what lies on its slice."""
        boxes, display = self.boxes, self._views.display
        for view in self._views.all:
            if isinstance(view, BesideView) or not len(boxes):
                self._drop(view)
                continue
            axis, index = -1, 0
            if view.axis >= 0:
                axis = display.order[view.axis]
                point = np.zeros(3)
                point[view.axis] = float(view.place(self._views.cross)[view.axis])
                index = round(float(display.index_ijk(point)[axis]))
            pair = self._shown.get(id(view))
            if pair is None:
                case = self._session.place.case
                pair = self._shown[id(view)] = _Pair(view, display, case)
            pair.show(self, axis, index)

    def detach(self) -> None:
        """Let go of the case and take the layers away."""
        self._session.boxing.changed.disconnect(self._on_changed)
        self._views.moved.disconnect(self.update)
        self._views.opened.disconnect(self.update)
        self._views.closing.disconnect(self._drop)
        for view in self._views.all:
            self._drop(view)
        self._shown.clear()

    def _on_changed(self, _boxes: object) -> None:
        self.update()

    def _drop(self, view: View) -> None:
        pair = self._shown.pop(id(view), None)
        if pair is not None:
            pair.remove()


class _Pair:
    """The layers of one view: edges, and points with handles and words."""

    def __init__(self, view: View, display: Display, case: str) -> None:
        from napari.layers import Points, Vectors

        self._view, self._display = view, display
        self._key: tuple[Any, ...] = ()
        common = {
            "ndim": 3,
            "metadata": {KEY: {**metadata(display, ROLE, case)[KEY], LOCAL: True}},
            **display.geometry(),
        }
        self.edges: Any = Vectors(
            np.zeros((0, 2, 3)),
            name="Boxes",
            edge_color=["#ffffff"],
            edge_width=self._size(_WIDTH_PX),
            vector_style="line",
            **common,
        )
        self.handles: Any = Points(
            np.zeros((0, 3)),
            name="Handles of a box",
            size=self._size(_HANDLE_PX),
            symbol="square",
            face_color=["#ffffff"],
            border_color="#202020",
            **common,
        )
        self.words: Any = Points(
            np.zeros((0, 3)),
            name="Names of boxes",
            size=self._size(1.0),
            face_color=["#ffffff"],
            border_width=0.0,
            features={"words": np.zeros(0, dtype=str)},
            text={"string": "{words}", "size": 10, "color": "white", "anchor": "lower_left"},
            **common,
        )
        model = view.model
        active = model.layers.selection.active
        for layer in self.layers:
            model.layers.append(layer)
        model.layers.selection.active = active
        self._zoomed = partial(self._on_zoom)
        model.scene.camera.events.zoom.connect(self._zoomed)

    @property
    def layers(self) -> tuple[Any, Any, Any]:
        """Edges, handles, words."""
        return self.edges, self.handles, self.words

    def _size(self, pixels: float) -> float:
        """Return how many voxels some pixels of the screen are."""
        return pixels * voxels_per_pixel(self._view.model, self._display)

    def _on_zoom(self, _event: object = None) -> None:
        chosen = self._key[2] if self._key else 0
        self.edges.edge_width = self._size(_CHOSEN_PX if chosen else _WIDTH_PX)
        self.handles.size = self._size(_HANDLE_PX)

    def show(self, boxes: BoxLayers, axis: int, index: int) -> None:
        """Show boxes on a slice; nothing is done where that is what is shown."""
        key = (boxes.boxes, (axis, index), boxes.chosen)
        if key == self._key and all(one in self._view.model.layers for one in self.layers):
            return
        self._key = key
        spacing = self._display.grid.affine.spacing_mm
        ends, colours, anchors, words = [], [], [], []
        handles = np.zeros((0, 3))
        for box in key[0]:
            name, colour = boxes.look(box.kind)
            lines = self._lines(box, axis, index)
            if lines is None:
                continue
            ends.append(lines)
            colours += [colour] * len(lines)
            anchors.append(lines[0, 0])
            words.append(words_of(box, name, spacing))
            if axis >= 0 and box.id == boxes.chosen:
                ring = cut_ijk(box, axis, index)
                handles = self._points(handles if ring is None else handles_ijk(ring))
        parts = np.concatenate(ends) if ends else np.zeros((0, 2, 3))
        self.edges.data = np.stack([parts[:, 0], parts[:, 1] - parts[:, 0]], axis=1)
        if len(parts):
            self.edges.edge_color = colours
        self.handles.data = handles
        self.handles.size = self._size(_HANDLE_PX)
        self.words.data = np.array(anchors).reshape(-1, 3)
        self.words.features = {"words": np.array(words, dtype=object)}
        self.words.refresh()
        self._on_zoom()

    def _lines(self, box: Box3D, axis: int, index: int) -> FloatArray | None:
        """Return both ends of each edge that shows, shape (n, 2, 3), as it is displayed."""
        if axis < 0:
            corners = self._points(box.corners_ijk())
            return np.stack([corners[[a, b]] for a, b in _EDGES])
        ring = cut_ijk(box, axis, index)
        if ring is None:
            return None
        shown = self._points(ring)
        return np.stack([shown, np.roll(shown, -1, axis=0)], axis=1)

    def _points(self, ijk: FloatArray) -> FloatArray:
        return np.asarray(self._display.points_zyx(ijk), dtype=np.float64)

    def remove(self) -> None:
        """Take the layers away."""
        model = self._view.model
        model.scene.camera.events.zoom.disconnect(self._zoomed)
        active = model.layers.selection.active
        for layer in self.layers:
            if layer in model.layers:
                model.layers.remove(layer)
        if active in model.layers:
            model.layers.selection.active = active


def voxels_per_pixel(model: Any, display: Display) -> float:
    """Return how many voxels one pixel of a view's screen is, about."""
    zoom = max(float(model.scene.camera.zoom), 1e-6)
    seen = display.scale
    # One width for both directions of the slice: between what the two would need.
    return 1.0 / zoom / float(np.sqrt(min(seen) * max(seen)))
