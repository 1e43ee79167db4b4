"""One view of a case: its plane, its slice, its camera, and the words on it."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from psygnal import Signal

from napari_medlabel.plugin.display import PLANES, Display
from napari_medlabel.plugin.orientation import Orientation
from napari_medlabel.plugin.sight.crosshair import CrossHair
from napari_medlabel.plugin.sight.twin import Twin, has_twin, make_twin
from napari_medlabel.plugin.sight.words import slice_words

COLOURS: Final = {
    "Axial": "#56b4e9",
    "Coronal": "#e69f00",
    "Sagittal": "#cc79a7",
    "3D": "#f0e442",
}
"""Of each plane's words, and of the line that stands for it in the other views: colours of
Okabe and Ito, which people see apart who do not see red and green apart."""

_WORDS: Final = "medlabel_slice"
_SIDE_LETTERS: Final = 12
_BARS_MM: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500)
_BAR_PART: Final = 0.28
"""How much of the width a scale bar takes at most: the letter in the middle stays free."""
_NEAR: Final = 0.04
"""A cross-hair nearer to the edge than this part of the canvas is brought to the middle."""


class View:
    """One view and what it shows of the cross-hair.

    Parameters
    ----------
    model : napari.components.ViewerModel
        The view; it holds the scan's layers already.
    display : Display
        How the scan is laid out.
    orientation : Orientation
        Turns its camera.
    oriented : bool
        Whether sides may be named.
    """

    scrolled = Signal(object)
    """The view shows another slice, or another of several volumes."""

    def __init__(
        self, model: Any, display: Display, orientation: Orientation, *, oriented: bool = True
    ) -> None:
        from napari.components.overlays import TextOverlay

        self.model = model
        self.display = display
        self.orientation = orientation
        self._oriented = oriented
        self._quiet = False
        self._colour = ""
        self.image: Any = None
        """The scan's layer in this view; None where it shows none."""
        self.reach = (0.0, 1.0)
        """Lowest and highest value of the scan, about."""
        self.quantity = ""
        self.note = ""
        """What else is to be said on the view: a slab's thickness."""
        self.title = ""
        """What stands first on the view: which scan it is, where that is not the case's."""
        model.canvas.overlays[_WORDS] = TextOverlay(
            text="", position="top_left", font_size=9, visible=True
        )
        model.dims.events.current_step.connect(self._on_step)

    @property
    def plane(self) -> str:
        """What it shows: a plane, or ``"3D"``."""
        return self.orientation.plane

    @property
    def axis(self) -> int:
        """Displayed axis across the view (0 = S, 1 = P, 2 = L); -1 in 3D."""
        plane = self.plane
        return PLANES.index(plane) if plane in PLANES else -1

    @property
    def across(self) -> tuple[int, ...]:
        """Displayed axes on the screen, from top to bottom and from left to right."""
        places = self.orientation.places()
        return places if self.axis < 0 else places[-2:]

    @property
    def words(self) -> str:
        """Which slice it says to show."""
        return str(self.model.canvas.overlays[_WORDS].text)

    def show_scan(self, image: Any, quantity: str) -> None:
        """Take a layer as the scan's; None where the view shows none."""
        self.image, self.quantity = image, quantity
        if image is not None and not image.rgb:
            low, high = (float(v) for v in image.contrast_limits_range)
            self.reach = low, high

    # -- the slice -----------------------------------------------------------------------

    def point_zyx(self, position: Any) -> Any:
        """Turn a napari world position into displayed data coordinates, fractional voxels."""
        world = np.asarray(position, dtype=np.float64)[-3:]
        return (world - self.display.translate) / np.array(self.display.scale)

    def own_cross(self, cross: CrossHair) -> CrossHair:
        """Return the cross-hair on this view's own grid: that of the case."""
        return cross

    def slice_number(self, cross: CrossHair) -> tuple[int, int]:
        """Return the index of the slice that is shown, and how many there are."""
        return self.own_cross(cross).voxel_zyx[self.axis], self.display.shape[self.axis]

    def _on_step(self, _event: object = None) -> None:
        # Without layers napari has two axes: the window is being closed.
        if not self._quiet and self.model.dims.ndim >= 3:
            self.scrolled.emit(self)

    def place(self, cross: CrossHair) -> dict[int, int]:
        """Return the index, along the displayed axes it does not show, of its slice."""
        dims = self.model.dims
        before = dims.ndim - 3
        hidden = range(3) if self.axis < 0 else (self.axis,)
        return {axis: cross.index_at(axis, dims.point[before + axis]) for axis in hidden}

    def follow(self, cross: CrossHair, further: tuple[float, ...]) -> None:
        """Show the slice of the cross-hair, and one of several volumes.

        Parameters
        ----------
        cross : CrossHair
            Where it is.
        further : tuple of float
            World coordinates along the axes before the three of place.
        """
        dims = self.model.dims
        before = dims.ndim - 3
        wanted: dict[int, float] = {}
        if self.axis >= 0 and self.place(cross)[self.axis] != cross.voxel_zyx[self.axis]:
            wanted[before + self.axis] = cross.world[self.axis]
        wanted |= {
            axis: world
            for axis, world in enumerate(further[-before:] if before > 0 else ())
            if not np.isclose(dims.point[axis], world)
        }
        self._quiet = True
        try:
            if wanted:
                dims.set_point(list(wanted), list(wanted.values()))
        finally:
            self._quiet = False

    def show_words(self, cross: CrossHair) -> None:
        """Say which slice is shown."""
        overlay = self.model.canvas.overlays[_WORDS]
        if self.axis < 0:
            words = "3D"
        else:
            words = slice_words(
                self.display, self.axis, cross.voxel_zyx, oriented=self._oriented
            )
        words = "\n".join(part for part in (self.title, words, self.note) if part)
        if str(overlay.text) != words:
            overlay.text = words
        colour = COLOURS.get(self.plane, "#ffffff")
        if self._colour != colour:
            self._colour = colour
            overlay.color = colour

    # -- the camera ----------------------------------------------------------------------

    def fit(self) -> None:
        """Fit what is shown to the view."""
        self.model.reset_view()

    def reveal(self, cross: CrossHair) -> bool:
        """Bring the cross-hair to the middle where it is off the canvas; tell whether so."""
        if self.axis < 0:
            return False
        camera = self.model.scene.camera
        height, width = (float(n) for n in self.model.canvas.size)
        at = np.array([cross.world[a] for a in self.across])
        centre = np.array(camera.center[-2:], dtype=np.float64)
        half = np.array([height, width]) / (2 * max(float(camera.zoom), 1e-9))
        if np.all(np.abs(at - centre) <= half * (1 - 2 * _NEAR)):
            return False
        camera.center = (0.0, float(at[0]), float(at[1]))
        return True

    def fit_scale_bar(self) -> None:
        """Give the scale bar a round length that leaves room for the letters."""
        bar = self.model.canvas.overlays["scale_bar"]
        room = (
            _BAR_PART
            * float(self.model.canvas.size[1])
            / max(float(self.model.scene.camera.zoom), 1e-9)
        )
        length = max((mm for mm in _BARS_MM if mm <= room), default=_BARS_MM[0])
        if bar.visible and bar.length != length:
            bar.length = length

    def shows(self, shown: tuple[slice, slice, slice], cross: CrossHair) -> bool:
        """Tell whether a box of displayed voxels (S, P, L) lies on the slice that is shown."""
        if self.axis < 0:
            return True
        part = shown[self.axis]
        return bool(part.start <= self.place(cross)[self.axis] < part.stop)

    def detach(self) -> None:
        """Let go of the view: words away, events disconnected."""
        self.model.dims.events.current_step.disconnect(self._on_step)
        self.model.canvas.overlays["scale_bar"].length = None
        if _WORDS in self.model.canvas.overlays:
            del self.model.canvas.overlays[_WORDS]


class SideView(View):
    """A further view, with twins of the first view's layers.

    Parameters
    ----------
    first : napari.components.ViewerModel
        The first view.
    display : Display
        How the scan is laid out.
    plane : str
        What it shows: a plane, or ``"3D"`` for marks, and what else is added to it.
    radiological, oriented : bool
        As in `Orientation`.
    """

    twins_changed = Signal(object, object)
    """A twin was added (twin, True), or is about to go (twin, False)."""

    def __init__(
        self,
        first: Any,
        display: Display,
        plane: str,
        *,
        radiological: bool = True,
        oriented: bool = True,
    ) -> None:
        from napari.components import ViewerModel

        model = ViewerModel(title=plane)
        model.theme = first.theme
        self.first = first
        self.twins: dict[Any, Twin] = {}
        self._solid = plane == "3D"
        orientation = Orientation(
            model, radiological=radiological, named=oriented, letter_size=_SIDE_LETTERS
        )
        super().__init__(model, display, orientation, oriented=oriented)
        self._busy = False
        for layer in first.layers:
            self._add(layer)
        if self._solid:
            self.look_from_front()
        else:
            self.orientation.show_plane(plane)
        before = model.dims.ndim - 3
        model.dims.thickness = (*([0.0] * before), *first.dims.thickness[-3:])
        bar = first.canvas.overlays["scale_bar"]
        model.canvas.overlays["scale_bar"].visible = bar.visible
        events = first.layers.events
        events.inserted.connect(self._on_inserted)
        events.removed.connect(self._on_removed)
        events.reordered.connect(self._on_reordered)
        first.layers.selection.events.active.connect(self._on_first_active)
        model.layers.selection.events.active.connect(self._on_active)
        first.events.theme.connect(self._on_theme)
        self._on_first_active()

    def look_from_front(self) -> None:
        """Show the bodies from the front, the patient's head up.

        napari leaves surfaces as they are when axes change places, so here they keep theirs
        (S, P, L) and the camera goes to the front.
        """
        dims = self.model.dims
        dims.order = tuple(range(dims.ndim))
        dims.ndisplay = 3
        camera = self.model.scene.camera
        camera.set_view_direction((0.0, 1.0, 0.0), (1.0, 0.0, 0.0))

    def fit(self) -> None:
        """Fit what is shown to the view; bodies are not turned."""
        self.model.reset_view(reset_camera_angle=not self._solid)

    def _on_step(self, event: object = None) -> None:
        # Bodies have no slice: what is added to them must not take the cross-hair along.
        if not self._solid:
            super()._on_step(event)

    def _wants(self, layer: Any) -> bool:
        # A body is shown by its surfaces: labels drawn as a volume take ten seconds.
        hidden = self._solid and type(layer).__name__ in ("Image", "Labels")
        return has_twin(layer) and not hidden

    def _add(self, layer: Any) -> None:
        if not self._wants(layer) or layer in self.twins:
            return
        twin = make_twin(layer)
        self.twins[layer] = twin
        self.model.add_layer(twin.layer)
        self.twins_changed.emit(twin, True)

    def _remove(self, layer: Any) -> None:
        twin = self.twins.pop(layer, None)
        if twin is None:
            return
        self.twins_changed.emit(twin, False)
        twin.detach()
        if twin.layer in self.model.layers:
            self.model.layers.remove(twin.layer)

    def _on_inserted(self, event: Any) -> None:
        self._add(event.value)
        self._on_reordered()

    def _on_removed(self, event: Any) -> None:
        self._remove(event.value)

    def _on_reordered(self, _event: object = None) -> None:
        """Lay the twins as their layers lie."""
        for place, layer in enumerate(one for one in self.first.layers if one in self.twins):
            twin, layers = self.twins[layer].layer, self.model.layers
            at = layers.index(twin)
            if at != place:
                layers.move(at, place)

    def _on_first_active(self, _event: object = None) -> None:
        twin = self.twins.get(self.first.layers.selection.active)
        if self._busy or twin is None:
            return
        self._busy = True
        try:
            self.model.layers.selection.active = twin.layer
        finally:
            self._busy = False

    def _on_active(self, _event: object = None) -> None:
        active = self.model.layers.selection.active
        if self._busy or active is None:
            return
        self._busy = True
        try:
            for layer, twin in self.twins.items():
                if twin.layer is active and layer in self.first.layers:
                    self.first.layers.selection.active = layer
        finally:
            self._busy = False

    def _on_theme(self, _event: object = None) -> None:
        self.model.theme = self.first.theme

    def twin_of(self, layer: Any) -> Any:
        """Return this view's layer for one of the first view; None where it has none."""
        twin = self.twins.get(layer)
        return None if twin is None else twin.layer

    def detach(self) -> None:
        """Let go of the first view and of all layers."""
        events = self.first.layers.events
        events.inserted.disconnect(self._on_inserted)
        events.removed.disconnect(self._on_removed)
        events.reordered.disconnect(self._on_reordered)
        self.first.layers.selection.events.active.disconnect(self._on_first_active)
        self.model.layers.selection.events.active.disconnect(self._on_active)
        self.first.events.theme.disconnect(self._on_theme)
        for layer in list(self.twins):
            self._remove(layer)
        self.orientation.detach()
        super().detach()
