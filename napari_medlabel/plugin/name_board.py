"""Names of several kinds in each view of a case, laid out together: none covers another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from napari_medlabel.geometry.axes import FloatArray
from napari_medlabel.plugin.display import Display
from napari_medlabel.plugin.name_layout import laid_out, line_ends, text_size_px
from napari_medlabel.plugin.sight.view import View

_SAME_ZOOM: Final = 0.04  # of the logarithm
_SAME_PLACE_PX: Final = 12.0
_MOST_AROUND: Final = 120

Show = Callable[[FloatArray, FloatArray], None]
"""Takes where names stand, shape (n, 3), and lines to them (start, way), shape (m, 2, 3)."""


@dataclass(frozen=True)
class Names:
    """Names of one kind on the slice of a view, in displayed data coordinates.

    Parameters
    ----------
    points : ndarray, shape (n, 3)
        What they are for.
    words : sequence of str
        One for each point, of one line or several.
    axis : int
        Displayed axis across the view; -1 in 3D, where names stand at their points.
    index : float
        Which slice.
    mark_px : float
        How large the mark at each point is on the screen.
    around : ndarray, shape (m, 3)
        What they leave free where they can.
    """

    points: FloatArray
    words: Sequence[str]
    axis: int
    index: float
    mark_px: float
    around: FloatArray

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells these names from others."""
        return (self.points.tobytes(), tuple(self.words), self.axis, self.index, self.mark_px,
                self.around.tobytes())  # fmt: skip


class NameBoard:
    """Knows which names each view shows, and where there is room for them.

    Parameters
    ----------
    display : Display
        How the scan is laid out.
    """

    def __init__(self, display: Display) -> None:
        self._display = display
        self._pages: dict[int, _Page] = {}

    def put(self, view: View, kind: str, names: Names, show: Show) -> None:
        """Have names of a kind in a view; ``show`` is called when their places are others."""
        page = self._pages.get(id(view))
        if page is None:
            page = self._pages[id(view)] = _Page(view, self._display)
        page.put(kind, names, show)

    def drop(self, view: View, kind: str) -> None:
        """Have no names of a kind in a view any more."""
        page = self._pages.get(id(view))
        if page is not None and page.drop(kind):
            page.close()
            del self._pages[id(view)]


class _Page:
    """The names of one view."""

    def __init__(self, view: View, display: Display) -> None:
        self._view, self._display = view, display
        self._kinds: dict[str, tuple[Names, Show]] = {}
        self._shown: dict[str, tuple[Any, bytes, bytes]] = {}
        self._key: tuple[Any, ...] = ()
        self._zoom, self._screen = 1.0, np.zeros((2, 2))
        self._boxes = np.zeros((0, 3, 2))
        camera = view.model.scene.camera
        camera.events.zoom.connect(self._on_camera)
        camera.events.center.connect(self._on_camera)

    def close(self) -> None:
        camera = self._view.model.scene.camera
        camera.events.zoom.disconnect(self._on_camera)
        camera.events.center.disconnect(self._on_camera)

    def put(self, kind: str, names: Names, show: Show) -> None:
        self._kinds[kind] = names, show
        key = (*(names.key for names, _ in self._kinds.values()), self._turned)
        if key != self._key or self._is_other_zoom or kind not in self._shown:
            self._key = key
            self.lay_out()

    def drop(self, kind: str) -> bool:
        """Forget a kind; tell whether there is none left."""
        self._kinds.pop(kind, None)
        self._shown.pop(kind, None)
        return not self._kinds

    @property
    def _turned(self) -> tuple[Any, ...]:
        camera = self._view.model.scene.camera
        return self._view.across, tuple(map(str, camera.orientation2d))

    @property
    def _is_other_zoom(self) -> bool:
        zoom = max(float(self._view.model.scene.camera.zoom), 1e-6)
        return bool(abs(np.log(zoom / self._zoom)) > _SAME_ZOOM)

    def _pixels(self) -> FloatArray:
        """Return how many pixels down and right a voxel is, shape (2,)."""
        camera = self._view.model.scene.camera
        vertical, horizontal = (str(way) for way in camera.orientation2d)
        signs = np.array(
            (-1.0 if vertical == "up" else 1.0, -1.0 if horizontal == "left" else 1.0)
        )
        scale = np.array(self._display.scale)[list(self._view.across)]
        return np.asarray(signs * scale * max(float(camera.zoom), 1e-6))

    def _screen_px(self, pixels: FloatArray) -> FloatArray:
        """Return the first and last row and column that are seen, shape (2, 2)."""
        across, model = list(self._view.across), self._view.model
        shift = np.array(self._display.translate)[across]
        scale = np.array(self._display.scale)[across]
        middle = (np.array(model.scene.camera.center[-2:]) - shift) / scale
        half = np.array(model.canvas.size, dtype=np.float64) / 2.0
        return np.asarray(middle * pixels + np.stack([-half, half]))

    def lay_out(self) -> None:
        """Give each name its place, and show what is elsewhere than it was."""
        self._zoom = max(float(self._view.model.scene.camera.zoom), 1e-6)
        kinds = list(self._kinds.items())
        if self._view.axis < 0:
            for kind, (names, show) in kinds:
                self._show(kind, names, show, names.points, np.zeros((0, 2, 3)))
            self._boxes = np.zeros((0, 3, 2))
            return
        across, pixels = list(self._view.across), self._pixels()
        self._screen = self._screen_px(pixels)
        every = [names for _, (names, _show) in kinds]
        at = np.concatenate([names.points for names in every])[:, across] * pixels
        sizes = np.array([text_size_px(w) for names in every for w in names.words])
        sizes = sizes.reshape(-1, 2)
        mark = np.repeat([names.mark_px for names in every], [len(n.words) for n in every])
        around = np.concatenate([names.around for names in every])[:, across] * pixels
        around = around[:: max(1, -(-len(around) // _MOST_AROUND))]
        centres, apart = laid_out(at, sizes[:, 1], sizes[:, 0], mark, self._screen, around)
        ends = line_ends(at, centres, sizes[:, 1], sizes[:, 0])
        self._boxes = np.stack([at, centres - sizes / 2, centres + sizes / 2], axis=1)
        first = 0
        for kind, (names, show) in kinds:
            part = slice(first, first + len(names.words))
            first = part.stop
            made = np.full((len(names.words), 3), names.index)
            made[:, across] = centres[part] / pixels
            starts, stops = names.points.copy(), np.full(made.shape, names.index)
            starts[:, names.axis] = names.index
            stops[:, across] = ends[part] / pixels
            lines = np.stack([starts, stops - starts], axis=1)[apart[part]]
            self._show(kind, names, show, made, lines)

    def _show(
        self, kind: str, names: Names, show: Show, at: FloatArray, lines: FloatArray
    ) -> None:
        key = names.key, at.tobytes(), lines.tobytes()
        if self._shown.get(kind) != key:
            self._shown[kind] = key
            show(at, lines)

    def _on_camera(self, _event: object = None) -> None:
        """Lay out anew where the zoom is another, or names are cut by the screen's edge."""
        if self._is_other_zoom:
            self.lay_out()
        elif len(self._boxes) and self._view.axis >= 0:
            screen = self._screen_px(self._pixels())
            moved = np.abs(screen - self._screen).max() > _SAME_PLACE_PX
            points, low, high = self._boxes[:, 0], self._boxes[:, 1], self._boxes[:, 2]
            seen = ((points >= screen[0]) & (points <= screen[1])).all(axis=1)
            cut = ((low < screen[0]) | (high > screen[1])).any(axis=1)
            if moved and (seen & cut).any():
                self.lay_out()
