"""Measurements over the scan, in every view: on their slice, fainter near it, with the value.

Each view has light layers of its own, for a line that lies in one plane crosses the others as
a dot. What is drawn is cut to the slice: nothing shows where it does not lie.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import numpy as np

from napari_medlabel.geometry.axes import FloatArray
from napari_medlabel.measure.lines import Value
from napari_medlabel.model.measurements import Measurement, MeasurementSet
from napari_medlabel.plugin.display import Display
from napari_medlabel.plugin.layers import KEY, metadata
from napari_medlabel.plugin.sight.twin import LOCAL
from napari_medlabel.plugin.sight.view import View
from napari_medlabel.plugin.sight.views import Views
from napari_medlabel.plugin.tools.sketch import ROLE
from napari_medlabel.session.case import Session
from napari_medlabel.session.measuring import values_in

_COLOUR: Final = (0.34, 0.92, 0.86, 1.0)
_FAINT: Final = (0.34, 0.92, 0.86, 0.3)
_ON: Final = 0.5
_NEAR: Final = 2.5
"""In slices: up to here a measurement shows, and further away not at all."""
_WIDTH_PX: Final = 2.0
_DOT_PX: Final = 5.0
_EDGES: Final = tuple(
    (a, b) for a in range(8) for b in range(a + 1, 8) if bin(a ^ b).count("1") == 1
)


def chains_ras(one: Measurement) -> list[FloatArray]:
    """Return the lines of a measurement, each of shape (n, 3) in RAS mm."""
    points = one.array
    if one.kind == "bidirectional":
        return [points[:2], points[2:]]
    if one.kind == "cuboid":
        axes = points[1:] - points[0]
        signs = np.array([[1 if n >> bit & 1 else -1 for bit in range(3)] for n in range(8)])
        corners = points[0] + signs @ axes
        return [corners[[a, b]] for a, b in _EDGES]
    outline = one.outline_ras()
    return [np.concatenate([outline, outline[:1]]) if one.is_closed else outline]


def value_words(values: Sequence[Value]) -> str:
    """Say the numbers of a measurement: ``"34.2 mm"``, ``"210 mm²  mean 43.1 HU  SD 5.0"``."""
    said = []
    for value in values:
        if value.name in ("voxels", "min", "max", "perimeter"):
            continue
        unit = {"deg": "°", "mm2": " mm²", "mm3": " mm³"}.get(value.unit, f" {value.unit}")
        digits = 0 if value.unit in ("mm2", "mm3") and value.value >= 100 else 1
        name = {
            "mean": "mean ",
            "sd": "SD ",
            "long axis": "long ",
            "short axis": "short ",
        }.get(value.name, "")
        said.append(f"{name}{value.value:.{digits}f}{unit}".rstrip())
    return "  ".join(said)


def cut(chain_zyx: FloatArray, axis: int, index: float, reach: float) -> FloatArray:
    """Return the parts of a line that lie within a distance of a slice.

    Parameters
    ----------
    chain_zyx : ndarray, shape (n, 3)
        Displayed data coordinates.
    axis : int
        Displayed axis across the slice; -1 takes all.
    index : float
        Which slice.
    reach : float
        In slices.

    Returns
    -------
    ndarray, shape (m, 2, 3)
        Both ends of each part.
    """
    starts, ends = chain_zyx[:-1], chain_zyx[1:]
    if axis < 0 or not len(starts):
        return np.stack([starts, ends], axis=1)
    run = (ends - starts)[:, axis]
    low, high = index - reach - starts[:, axis], index + reach - starts[:, axis]
    flat = np.abs(run) < 1e-9
    safe = np.where(flat, 1.0, run)
    one, other = low / safe, high / safe
    first = np.where(flat, 0.0, np.clip(np.minimum(one, other), 0.0, 1.0))
    last = np.where(flat, 1.0, np.clip(np.maximum(one, other), 0.0, 1.0))
    # The middle of what is left tells whether it is near: a part outside has no length.
    kept = np.where(flat, (low <= 1e-6) & (high >= -1e-6), last > first)
    parts = np.stack(
        [
            starts + first[:, None] * (ends - starts),
            starts + last[:, None] * (ends - starts),
        ],
        axis=1,
    )[kept]
    return np.asarray(parts, dtype=np.float64)


@dataclass
class Drawn:
    """What a view shows of the measurements, in displayed data coordinates.

    Parameters
    ----------
    parts : list of ndarray, shape (m, 2, 3)
        Both ends of each part, flat on the slice.
    colours : list of tuple of float
        RGBA of each part.
    anchors : list of ndarray, shape (3,)
        Where words stand.
    words : list of str
        Name and value of each measurement that lies on the slice.
    """

    parts: list[FloatArray] = field(default_factory=list)
    colours: list[tuple[float, float, float, float]] = field(default_factory=list)
    anchors: list[FloatArray] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    def add(self, parts: FloatArray, colour: tuple[float, float, float, float]) -> None:
        """Add parts of one colour."""
        if len(parts):
            self.parts.append(parts)
            self.colours += [colour] * len(parts)


def drawn_on(
    display: Display,
    measured: MeasurementSet,
    words: dict[str, str],
    axis: int,
    index: float,
) -> Drawn:
    """Return what a slice shows of measurements.

    Parameters
    ----------
    display : Display
        How the scan is laid out.
    measured : MeasurementSet
        What was measured.
    words : dict of str to str
        The value of each, by its name.
    axis : int
        Displayed axis across the view; -1 in 3D, where all is shown.
    index : float
        Which slice.
    """
    made = Drawn()
    for one in measured:
        chains = [display.from_ras(chain) for chain in chains_ras(one)]
        bright = [cut(chain, axis, index, _ON) for chain in chains]
        if axis >= 0:
            for chain in chains:
                made.add(_flat(cut(chain, axis, index, _NEAR), axis, index), _FAINT)
        for parts in bright:
            made.add(_flat(parts, axis, index), _COLOUR)
        seen = [parts for parts in bright if len(parts)]
        if seen:
            made.anchors.append(_flat(seen[0], axis, index)[-1, 1])
            made.words.append(_words(one, words[one.name], np.concatenate(chains), axis))
    return made


def _words(one: Measurement, value: str, points_zyx: FloatArray, axis: int) -> str:
    """Return what stands beside a measurement; where it only crosses the slice, its name."""
    name = f"{one.name} (locked)" if one.locked else one.name
    is_flat = np.ptp(points_zyx, axis=0) <= 2 * _ON
    if axis >= 0 and is_flat.any() and not is_flat[axis]:
        return name
    told = value.replace("  ", "\n", 1)
    return f"{name}\n{told}".rstrip()


def _flat(parts: FloatArray, axis: int, index: float) -> FloatArray:
    flat = parts.copy()
    if axis >= 0:
        flat[..., axis] = index
    return flat


class MeasurementLayers:
    """The measurements of a case in all its views.

    Parameters
    ----------
    session : Session
        The open case.
    views : Views
        Where they are shown.
    """

    def __init__(self, session: Session, views: Views) -> None:
        self._session = session
        self._views = views
        self._words: dict[str, str] = {}
        self._shown: dict[int, _Pair] = {}
        session.measurements_changed.connect(self._on_measured)
        views.moved.connect(self.update)
        views.opened.connect(self.update)
        views.closing.connect(self._on_closing)
        self._on_measured(session.measurements)

    def words_of(self, name: str) -> str:
        """Return the value of a measurement in words."""
        return self._words[name]

    def layers_of(self, view: View) -> tuple[Any, ...]:
        """Return the layers that a view has for measurements: lines, and points with words."""
        pair = self._shown.get(id(view))
        return () if pair is None else (pair.lines, pair.words)

    def update(self, _view: object = None) -> None:
        """Show in each view what lies on its slice."""
        measured = self._session.measurements
        for view in self._views.all:
            if not len(measured):
                self._drop(view)
                continue
            axis = view.axis
            index = 0.0 if axis < 0 else float(view.place(self._views.cross)[axis])
            pair = self._shown.get(id(view))
            if pair is None:
                case = self._session.place.case
                pair = self._shown[id(view)] = _Pair(view, self._views.display, case)
            pair.show((measured, axis, index), self._words)

    def detach(self) -> None:
        """Let go of the case and take the layers away."""
        self._session.measurements_changed.disconnect(self._on_measured)
        self._views.moved.disconnect(self.update)
        self._views.opened.disconnect(self.update)
        self._views.closing.disconnect(self._on_closing)
        for view in self._views.all:
            self._drop(view)
        self._shown.clear()

    def _on_measured(self, measured: MeasurementSet) -> None:
        volume = self._session.volume
        self._words = {one.name: value_words(values_in(volume, one)) for one in measured}
        self.update()

    def _on_closing(self, view: View) -> None:
        self._drop(view)

    def _drop(self, view: View) -> None:
        pair = self._shown.pop(id(view), None)
        if pair is not None:
            pair.remove()


class _Pair:
    """The layers of one view: lines, and words at a point of each."""

    def __init__(self, view: View, display: Display, case: str) -> None:
        from napari.layers import Points, Vectors

        self._view = view
        self._display = display
        self._key: tuple[Any, ...] = ()
        common = {
            "ndim": 3,
            "metadata": {KEY: {**metadata(display, ROLE, case)[KEY], LOCAL: True}},
            **display.geometry(),
        }
        self.lines: Any = Vectors(
            np.zeros((0, 2, 3)),
            name="Measurements",
            edge_color=[_COLOUR],
            edge_width=self._size(_WIDTH_PX),
            vector_style="line",
            **common,
        )
        self.words: Any = Points(
            np.zeros((0, 3)),
            name="Measured values",
            size=self._size(_DOT_PX),
            symbol="square",
            face_color=[_COLOUR],
            border_color="#202020",
            features={"words": np.zeros(0, dtype=str)},
            text={
                "string": "{words}",
                "size": 11,
                "color": [_COLOUR],
                "anchor": "upper_left",
                "translation": np.array([0.0, 0.0, 1.0 / display.scale[2]]),
            },
            **common,
        )
        model = view.model
        active = model.layers.selection.active
        for layer in (self.lines, self.words):
            model.layers.append(layer)
        model.layers.selection.active = active
        self._zoomed = partial(self._on_zoom)
        model.scene.camera.events.zoom.connect(self._zoomed)

    def _size(self, pixels: float) -> float:
        """Return how many voxels some pixels of the screen are."""
        zoom = max(float(self._view.model.scene.camera.zoom), 1e-6)
        seen = self._display.scale
        # One width for both directions of the slice: between what the two would need.
        return pixels / zoom / float(np.sqrt(min(seen) * max(seen)))

    def _on_zoom(self, _event: object = None) -> None:
        self.lines.edge_width = self._size(_WIDTH_PX)
        self.words.size = self._size(_DOT_PX)
        self.words.current_size = self._size(_DOT_PX)

    def show(self, key: tuple[MeasurementSet, int, float], words: dict[str, str]) -> None:
        """Show measurements on a slice; nothing is done where that is what is shown."""
        if key == self._key and all(x in self._view.model.layers for x in self._all):
            return
        self._key = key
        drawn = drawn_on(self._display, key[0], words, key[1], key[2])
        parts = np.concatenate(drawn.parts) if drawn.parts else np.zeros((0, 2, 3))
        self.lines.data = np.stack([parts[:, 0], parts[:, 1] - parts[:, 0]], axis=1)
        if len(parts):
            self.lines.edge_color = np.array(drawn.colours)
        self.words.data = np.array(drawn.anchors).reshape(-1, 3)
        self.words.features = {"words": np.array(drawn.words, dtype=object)}
        self.words.refresh()

    @property
    def _all(self) -> tuple[Any, Any]:
        return self.lines, self.words

    def remove(self) -> None:
        """Take the layers away."""
        model = self._view.model
        model.scene.camera.events.zoom.disconnect(self._zoomed)
        for layer in self._all:
            if layer in model.layers:
                active = model.layers.selection.active
                model.layers.remove(layer)
                if active is not layer:
                    model.layers.selection.active = active
