"""Ties a session to a viewer: layers on its arrays, strokes into its history, and back."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

import numpy as np
from psygnal import Signal

from napari_medlabel.edit.patch import Box, Patch, Step
from napari_medlabel.errors import InputError
from napari_medlabel.model.labelmap import LabelScheme
from napari_medlabel.model.presets import Window
from napari_medlabel.plugin.atoms import painted_box
from napari_medlabel.plugin.display import Display
from napari_medlabel.plugin.further import shown_volume
from napari_medlabel.plugin.keys import Keys
from napari_medlabel.plugin.landmark_layer import LandmarkLayer
from napari_medlabel.plugin.layers import (
    KEY,
    colours,
    labels_to_layer,
    metadata,
    names_table,
    volume_to_layer,
)
from napari_medlabel.plugin.leaving import watch_leaving
from napari_medlabel.plugin.marks import take_in_labels
from napari_medlabel.plugin.missing import MissingSlices
from napari_medlabel.plugin.orientation import Orientation
from napari_medlabel.plugin.plain import give_back, take_over
from napari_medlabel.plugin.pointing import Pointing
from napari_medlabel.plugin.preview import show_middle
from napari_medlabel.plugin.proven import require_proven_napari
from napari_medlabel.plugin.shader_memory import remember_shaders
from napari_medlabel.plugin.windows import initial_window, value_range
from napari_medlabel.session.case import WHOLE, Session

_STEP_NAMES = {
    "paint": "Paint",
    "erase": "Erase",
    "fill": "Fill",
    "polygon": "Polygon",
}


class Binding:
    """One session shown in one viewer.

    Parameters
    ----------
    session : Session
        The open case.
    viewer : napari.components.ViewerModel
        The viewer, or a model without a window.
    image : napari.layers.Image, optional
        The scan's layer where it is in the viewer already.
    keep_view : bool
        Whether to leave the slice and the zoom as the person has them.
    at_once : bool
        Whether to make all of it now; else the caller walks through `turns`, in as many turns
        of the window's loop, and uses nothing else before it has.

    Raises
    ------
    RefusedError
        When this napari is not proven to paint where it shows.
    """

    painted_on_missing = Signal(list)
    """A stroke lies on slices (k) that no file holds."""

    def __init__(
        self,
        session: Session,
        viewer: Any,
        image: Any = None,
        *,
        keep_view: bool = False,
        at_once: bool = True,
    ) -> None:
        import napari

        require_proven_napari(napari.__version__)
        watch_leaving()
        remember_shaders()
        self.session = session
        self.viewer = viewer
        self.display = Display.of(session.volume)
        self.missing: MissingSlices | None = None
        self._syncing = False
        self._announced: Box | None = None
        self._made: list[Any] = []
        self._is_whole = False
        take_over(viewer)
        self.turns = self._build(image, keep_view)
        if at_once:
            for _ in self.turns:
                pass

    def _build(self, image: Any, keep_view: bool) -> Generator[None, None, None]:
        """Make the layers one by one; each takes as long as a window may be silent."""
        viewer, session = self.viewer, self.session
        if image is None:
            self.image = self._add_image()
            self._made.append(self.image)
            yield
        else:
            self.image = image
        self._shown = self.display.show(session.labels.array)
        yield from self._add_layers()
        self.orientation = Orientation(
            viewer, named=session.volume.is_oriented, pictures=self.display.pictures
        )
        self._is_whole = True
        self.keys = Keys()
        self.pointing = Pointing(self.display)
        self._connect()
        viewer.canvas.overlays["scale_bar"].visible = self.display.has_length
        viewer.layers.selection.active = self.labels
        self.labels.selected_label = min(session.labels.scheme.values, default=1)
        # Landmarks fade over neighbouring slices; images and labels ignore the thickness.
        further = viewer.dims.thickness[:-3]
        near = (max(12.0, 2.5 * mm) for mm in self.display.scale)
        viewer.dims.thickness = (*further, *near)
        yield
        if not keep_view:
            self.orientation.show_plane(self.display.plane)
            show_middle(viewer, self.display)
            viewer.reset_view()

    def abandon(self) -> None:
        """Take away what was made before its last turn; afterwards it is `detach` that does."""
        self.turns.close()
        if self._is_whole:
            self.detach()
        else:
            if self.missing is not None:
                self.missing.detach()
            give_back(self.viewer)
        for layer in reversed(self._made):
            if layer in self.viewer.layers:
                self.viewer.layers.remove(layer)

    def _add_image(self) -> Any:
        volume = self.session.volume
        limits = initial_window(volume)
        data, keywords, _ = volume_to_layer(
            volume, self.session.place.case, (limits.low, limits.high)
        )
        return self.viewer.add_image(data, **keywords)

    def _add_layers(self) -> Iterator[None]:
        session, case = self.session, self.session.place.case
        volume = session.volume
        if volume.colour is None:
            self.image.contrast_limits_range = value_range(volume, initial_window(volume))
        if volume.missing:
            self.missing = MissingSlices(self.viewer, self.display, volume.missing, case)
            self._made.append(self.missing.layer)
        _, keywords, _ = labels_to_layer(session.labels, case, pictures=self.display.pictures)
        self.labels = self.viewer.add_labels(self._shown, **keywords)
        self._made.append(self.labels)
        yield
        self.landmarks = LandmarkLayer(session, self.viewer, self.display)
        self.points = self.landmarks.layer
        self._made.append(self.points)
        yield

    def _connect(self) -> None:
        # napari's own undo emits nothing and forgets what it undid; the session's is the one.
        self.labels.undo = self.session.undo
        self.labels.redo = self.session.redo
        self.labels.events.paint.connect(self._on_paint)
        self.labels.events.labels_update.connect(self._on_touch)
        self.labels.events.set_data.connect(self._on_set_data)
        self.viewer.layers.events.inserted.connect(self._on_inserted)
        self.session.step_done.connect(self._on_step)
        self.session.bench.painted.connect(self._on_painted)
        self.viewer.dims.events.current_step.connect(self._on_slider)
        self._on_slider()
        self.landmarks.connect()
        self.session.scheme_changed.connect(self._on_scheme)
        for layer in (self.labels, self.points, self.image):
            self.keys.attach(layer)
        self.pointing.attach(self.viewer, self.labels)

    def detach(self) -> None:
        """Let go of the viewer; the layers stay as they are."""
        self.pointing.detach()
        for layer in (self.labels, self.points, self.image):
            self.keys.detach(layer)
        self.labels.events.paint.disconnect(self._on_paint)
        self.labels.events.labels_update.disconnect(self._on_touch)
        self.labels.events.set_data.disconnect(self._on_set_data)
        self.viewer.layers.events.inserted.disconnect(self._on_inserted)
        self.session.step_done.disconnect(self._on_step)
        self.session.bench.painted.disconnect(self._on_painted)
        self.viewer.dims.events.current_step.disconnect(self._on_slider)
        self.landmarks.detach()
        self.session.scheme_changed.disconnect(self._on_scheme)
        self.orientation.detach()
        if self.missing is not None:
            self.missing.detach()
        give_back(self.viewer)

    @property
    def layers(self) -> tuple[Any, ...]:
        """The case's layers, from below."""
        aside = () if self.missing is None else (self.missing.layer,)
        return self.image, *aside, self.labels, self.points

    def remove_layers(self) -> None:
        """Take the case's layers out of the viewer."""
        for layer in reversed(self.layers):
            if layer in self.viewer.layers:
                self.viewer.layers.remove(layer)

    # -- labels --------------------------------------------------------------------------

    def _on_paint(self, event: Any) -> None:
        box = painted_box(event.value, self.display.shape)
        where = WHOLE if box is None else self.display.box(box)
        if not self._absorb(where):
            # A call from a script is announced before the voxels are written.
            self._announced = where
        # napari keeps a second undo list, up to 100 whole boxes; ours makes it needless.
        forget = getattr(self.labels, "_reset_history", None)
        if forget is not None:
            forget()

    def _absorb(self, where: Box) -> bool:
        """Make a step of a stroke; say so when it lies where there is no image."""
        if self.session.obey(where, (int(self.labels.selected_label),)):
            self.labels.refresh()
        step = self.session.absorb(where, name=self._step_name())
        if step is None:
            return False
        blank = [] if self.missing is None else self.missing.touched(step.box)
        if blank:
            self.painted_on_missing.emit(blank)
        return True

    def _step_name(self) -> str:
        return _STEP_NAMES.get(str(self.labels.mode), "Edit")

    def _on_touch(self, _event: Any) -> None:
        self.session.keeper.touch()
        where, self._announced = self._announced, None
        if where is not None:
            self._absorb(where)

    def _on_set_data(self, _event: Any) -> None:
        """Another array was given to the layer: take its labels, keep our buffer."""
        self._on_touch(None)
        if self._syncing or self.labels.data is self._shown:
            return
        given = np.asarray(self.labels.data)
        problem = _why_not(given, self._shown)
        self._syncing = True
        try:
            if not problem and not np.shares_memory(given, self._shown):
                self._shown[...] = given
            self.labels.data = self._shown
        finally:
            self._syncing = False
        if problem:
            raise InputError(
                f"The array given to the labels layer does not fit: {problem}.",
                hint="The labels are as they were. Give an array of the layer's own shape with "
                "values that its type holds.",
            )
        self.session.reconcile()

    def _on_painted(self, _box: Box) -> None:
        """Show a stroke in the making; nothing but the slice is drawn anew."""
        self.labels.refresh(thumbnail=False, highlight=False, extent=False)

    def _on_step(self, step: Step) -> None:
        if isinstance(step, Patch):
            self.labels.refresh()

    def _on_scheme(self, _scheme: object) -> None:
        self.labels.colormap = colours(self.session.labels)
        self.labels.features = names_table(self.session.labels)

    # -- the viewer ----------------------------------------------------------------------

    def _on_inserted(self, event: Any) -> None:
        """Stamp a labels layer that the person made on this scan's grid (napari#4125)."""
        layer = event.value
        if self.is_on_scan(layer) and KEY not in layer.metadata:
            layer.metadata.update(metadata(self.display, "labels", self.session.place.case))

    def is_on_scan(self, layer: Any) -> bool:
        """Tell whether a layer is a labels layer on this scan's grid."""
        return (
            type(layer).__name__ == "Labels"
            and np.shape(layer.data) == self.display.shape
            and np.allclose(layer.scale, self.display.scale)
            and np.allclose(layer.translate, self.display.translate)
        )

    def take_in(self, layer: Any) -> None:
        """Make a step of another layer's labels: they go where nothing is labelled yet.

        Names and colours come along where the layer has them.

        Raises
        ------
        InputError
            When the mask cannot hold its values.
        """
        given = np.asarray(layer.data)
        problem = _why_not(given, self._shown)
        if problem:
            raise InputError(
                f"The labels of that layer do not fit: {problem}.",
                hint="Give its labels other numbers, or save it by itself.",
            )
        array = self.display.hide(given)
        where = layer.metadata.get(KEY, {})
        if where.get("scheme") is not None:
            scheme = LabelScheme.from_json(where["scheme"])
            take_in_labels(self.session, array, scheme, name="Take in a layer")
            return
        merged = self.session.labels.array.T.copy().T
        free = (merged == 0) & (array != 0)
        merged[free] = array[free]
        self.session.edit(WHOLE, merged, name="Take in a layer")

    @property
    def volume_number(self) -> int:
        """Which of several volumes is shown, from 0."""
        further = self.session.volume.further
        return 0 if further is None else shown_volume(self.viewer.dims, further)

    def _on_slider(self, _event: object = None) -> None:
        """Let tools and numbers take the volume that is shown; it is read when one asks."""
        self.session.bench.use_volume(self.volume_number)

    def go_to(self, name: str) -> None:
        """Show the slice of a landmark, in the middle of the screen."""
        point = self.session.landmarks[name].point_ras
        if point is not None:
            self.go_to_point(point)

    def go_to_point(self, point_ras: tuple[float, float, float]) -> None:
        """Show the slice of a point of the patient (RAS mm), in the middle of the screen."""
        shown = self.display.from_ras(point_ras)
        dims = self.viewer.dims
        before = dims.ndim - 3
        steps = [
            int(np.clip(round(float(at)), 0, n - 1))
            for at, n in zip(shown, self.display.shape, strict=True)
        ]
        # All at once: every layer is sliced once.
        dims.set_current_step([before + axis for axis in range(3)], steps)
        world = np.array(self.display.translate) + shown * np.array(self.display.scale)
        # The camera looks at what is displayed, in the order in which it is displayed.
        centre = [float(world[axis - before]) for axis in dims.displayed if axis >= before]
        self.viewer.scene.camera.center = (0.0,) * (3 - len(centre)) + tuple(centre)

    def set_window(self, window: Window) -> None:
        """Show a range of values from black to white; colours stay as they are."""
        if self.session.volume.colour is not None:
            return
        low, high = self.image.contrast_limits_range
        self.image.contrast_limits_range = (min(low, window.low), max(high, window.high))
        self.image.contrast_limits = (window.low, window.high)


def _why_not(given: np.ndarray, shown: np.ndarray) -> str:
    """Say why an array cannot become the labels without changing them; empty when it can."""
    if given.shape != shown.shape:
        return f"its shape is {given.shape} and the scan's is {shown.shape}"
    if given.dtype.kind not in "iub":
        return "its values are not whole numbers"
    low, high = int(given.min(initial=0)), int(given.max(initial=0))
    largest = int(np.iinfo(shown.dtype).max)
    if low < 0 or high > largest:
        return f"its values go from {low} to {high}, and the mask holds 0 to {largest}"
    return ""
