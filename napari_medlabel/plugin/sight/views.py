"""The views of a case on one cross-hair: who scrolls takes the others along."""

from __future__ import annotations

from typing import Any

from psygnal import Signal

from napari_medlabel.model.volume import Volume
from napari_medlabel.plugin.binding import Binding
from napari_medlabel.plugin.display import PLANES
from napari_medlabel.plugin.garbage import young_garbage
from napari_medlabel.plugin.sight.beside import BesideView
from napari_medlabel.plugin.sight.crosshair import CrossHair
from napari_medlabel.plugin.sight.drawing import Drawing
from napari_medlabel.plugin.sight.mouse import SightMouse
from napari_medlabel.plugin.sight.probe import Probe
from napari_medlabel.plugin.sight.twin import Twin
from napari_medlabel.plugin.sight.view import SideView, View
from napari_medlabel.plugin.sight.windowing import Windowing
from napari_medlabel.session.case import Session


class Views:
    """All views of an open case.

    The first is the one that the binding was made for; further ones are opened and closed at
    will. A view that need not change is not drawn: where one scrolls, the others only move
    their lines; a stroke draws anew only where it is on the slice that is shown, and that not
    at once but when `flush` is called, so that the hand never waits for it.

    Parameters
    ----------
    session : Session
        The open case.
    binding : Binding
        Its layers in the first view.
    """

    moved = Signal()
    """The cross-hair moved, or a view shows another plane."""
    opened = Signal(object)
    """A further view (`SideView`) is there."""
    closing = Signal(object)
    """A further view is about to go."""
    stale = Signal()
    """Something is to be drawn anew: call `flush` soon."""
    pointed = Signal(str)
    """What is under the mouse, in words; empty for nothing."""
    double_clicked = Signal(object)
    """A view was double-clicked, and no tool took it."""

    def __init__(self, session: Session, binding: Binding) -> None:
        self.session = session
        self.binding = binding
        self.display = binding.display
        self.cross = CrossHair(binding.display)
        self._oriented = session.volume.is_oriented
        self.first = View(
            binding.viewer, self.display, binding.orientation, oriented=self._oriented
        )
        self.sides: list[SideView | BesideView] = []
        self.current: View = self.first
        """The view that the mouse was in last."""
        self.windowing = Windowing()
        self._probe = Probe(session, binding)
        self.first.show_scan(binding.image, session.volume.quantity)
        self._further: tuple[float, ...] = ()
        self._seen: tuple[float, ...] = ()
        self._drawing = Drawing(self)
        self._busy = False
        self._mice: dict[int, SightMouse] = {}
        self._planes: tuple[str, ...] = ()
        self._listen(self.first)
        dims = binding.viewer.dims
        dims.events.order.connect(self._on_order)
        dims.events.ndisplay.connect(self._on_order)
        self._take_place(self.first, everything=True)
        self.first.show_words(self.cross)

    @property
    def all(self) -> tuple[View, ...]:
        """Every view, the first one first."""
        return self.first, *self.sides

    # -- opening and closing -------------------------------------------------------------

    def open(self, plane: str) -> SideView:
        """Open a further view of a plane, or of the labels in ``"3D"``."""
        side = SideView(
            self.binding.viewer,
            self.display,
            plane,
            radiological=self.binding.orientation.radiological,
            oriented=self._oriented,
        )
        side.show_scan(side.twin_of(self.binding.image), self.session.volume.quantity)
        self.sides.append(side)
        for layer, twin in side.twins.items():
            self._serve(side, layer, twin)
        self._listen(side)
        side.twins_changed.connect(self._on_twins)
        side.follow(self.cross, self._further)
        side.show_words(self.cross)
        self.opened.emit(side)
        self.moved.emit()
        return side

    def open_beside(self, volume: Volume, case: str) -> BesideView:
        """Open a view of another scan, in the plane of the first view.

        Parameters
        ----------
        volume : Volume
            With a place in the patient.
        case : str
            Its content id.

        Raises
        ------
        InputError
            When one of the two scans has no place in a patient.
        """
        side = BesideView(self.first, volume, case)
        self.sides.append(side)
        self._listen(side)
        side.follow(self.cross, ())
        side.show_words(self.cross)
        self._probe.second = volume
        self.opened.emit(side)
        self.moved.emit()
        return side

    @property
    def beside(self) -> BesideView | None:
        """The view of another scan, where there is one."""
        return next((side for side in self.sides if isinstance(side, BesideView)), None)

    def compare(self, volume: Volume | None) -> None:
        """Say the values of another scan too, or no longer for None."""
        self._probe.second = volume

    def close(self, side: SideView | BesideView) -> None:
        """Close a further view."""
        self.closing.emit(side)
        self.sides.remove(side)
        self._ignore(side)
        if isinstance(side, SideView):
            side.twins_changed.disconnect(self._on_twins)
        for twin in list(side.twins.values()):
            self._leave(twin)
        with young_garbage():
            side.detach()
            side.model.layers.clear()
        if self.current is side:
            self.current = self.first

    def open_planes(self) -> None:
        """Open a view of every plane that none shows."""
        shown = {view.plane for view in self.all if not isinstance(view, BesideView)}
        if self.first.plane == "3D":
            shown.add("Axial")
        for plane in PLANES:
            if plane not in shown:
                self.open(plane)

    def close_sides(self) -> None:
        """Close all further views, that of another scan too."""
        for side in list(self.sides):
            self.close(side)

    def _listen(self, view: View) -> None:
        view.scrolled.connect(self._on_scrolled)
        labels = self.binding.labels
        if isinstance(view, (SideView, BesideView)):
            labels = view.twin_of(labels)
        self._mice[id(view)] = SightMouse(self, view, labels)
        self._planes = tuple(one.plane for one in self.all)

    def _ignore(self, view: View) -> None:
        view.scrolled.disconnect(self._on_scrolled)
        self._mice.pop(id(view)).detach()
        self._planes = tuple(one.plane for one in self.all)

    def _on_twins(self, twin: Twin, is_new: bool) -> None:
        if not is_new:
            self._leave(twin)
            return
        for side in self.sides:
            for layer, known in side.twins.items():
                if known is twin and isinstance(side, SideView):
                    self._serve(side, layer, twin)

    def _serve(self, side: SideView, layer: Any, twin: Twin) -> None:
        """Let tools, keys and strokes work on a twin of one of the case's layers."""
        twin.stale.connect(self._drawing.mark)
        if not any(layer is one for one in self.binding.layers):
            return
        self.binding.keys.attach(twin.layer)
        if layer is self.binding.labels:
            self.binding.pointing.attach(side.model, twin.layer)
            twin.layer.events.labels_update.connect(self._drawing.on_twin_stroke)

    def _leave(self, twin: Twin) -> None:
        twin.stale.disconnect(self._drawing.mark)
        self._drawing.forget(twin)
        if not any(twin.first is one for one in self.binding.layers):
            return
        self.binding.keys.detach(twin.layer)
        if twin.first is self.binding.labels:
            self.binding.pointing.detach(twin.layer)
            twin.layer.events.labels_update.disconnect(self._drawing.on_twin_stroke)

    # -- the cross-hair ------------------------------------------------------------------

    def go_to_ras(self, point_ras: tuple[float, float, float]) -> None:
        """Set the cross-hair to a place in the patient, RAS mm, and show it in all views."""
        self.cross.go_to_ras(point_ras)
        self._show(None)

    def go_to_voxel(self, voxel_ijk: tuple[int, int, int]) -> None:
        """Set the cross-hair to a voxel and show it in all views."""
        self.cross.go_to_voxel(voxel_ijk)
        self._show(None)

    def point_at(self, view: View, point_zyx: Any) -> None:
        """Set the cross-hair to a point of a view: its slice stays, the others follow.

        Parameters
        ----------
        view : View
            Where it was pointed at.
        point_zyx : array, shape (3,)
            Displayed data coordinates, fractional voxels.
        """
        if view.axis < 0:
            return
        self.current = view
        places = {axis: float(point_zyx[axis]) for axis in view.across}
        if isinstance(view, BesideView):
            view.cross.move(places)
            self.cross.go_to_ras(view.cross.point_ras)
        else:
            self.cross.move(places)
        self._show(view)

    def point_at_mouse(self) -> bool:
        """Set the cross-hair to where the mouse is; tell whether it is over a view."""
        mouse = self._mice.get(id(self.current))
        if mouse is None or mouse.position is None or self.current.axis < 0:
            return False
        self.point_at(self.current, self.current.point_zyx(mouse.position))
        return True

    def scroll(self, view: View, steps: int) -> None:
        """Show a slice further on in a view; the cross-hair goes along.

        Parameters
        ----------
        view : View
            Which one.
        steps : int
            How many slices, towards S, P or L where above 0.
        """
        if view.axis < 0:
            return
        self.current = view
        own = view.own_cross(self.cross)
        own.move({view.axis: own.voxel_zyx[view.axis] + steps})
        if isinstance(view, BesideView):
            view.show_own()
            self.cross.go_to_ras(own.point_ras)
        self._show(view)

    def _on_scrolled(self, view: View) -> None:
        if not self._busy:
            self._take_place(view)
            self._show(view)

    def _take_place(self, view: View, *, everything: bool = False) -> None:
        """Read from a view's sliders where the cross-hair is to be."""
        if isinstance(view, BesideView):
            view.cross.move(dict(view.place(self.cross)))
            self.cross.go_to_ras(view.cross.point_ras)
            return
        dims = view.model.dims
        before = dims.ndim - 3
        if before > 0:
            self._further = tuple(float(p) for p in dims.point[:before])
        if view is not self.first:
            self.cross.move(dict(view.place(self.cross)))
            return
        # Whoever jumps sets all sliders of the first view, the hidden ones too.
        spatial = tuple(float(p) for p in dims.point[-3:])
        changed = [a for a in range(3) if everything or spatial[a] != self._seen[a]]
        self._seen = spatial
        self.cross.move({a: self.cross.index_at(a, spatial[a]) for a in changed})

    def _show(self, origin: View | None) -> None:
        """Take all views to the cross-hair."""
        self._busy = True
        try:
            for view in self.all:
                if view is not origin or not isinstance(view, BesideView):
                    view.follow(self.cross, self._further)
                if view is not origin:
                    view.reveal(self.cross)
                view.show_words(self.cross)
            self._keep_first_sliders()
        finally:
            self._busy = False
        self.moved.emit()

    def _keep_first_sliders(self) -> None:
        """Keep the hidden sliders of the first view at the cross-hair, without drawing.

        Whoever turns that view to another plane, or sets a slider to jump, counts on them.
        """
        dims = self.binding.viewer.dims
        before = dims.ndim - 3
        late = [
            axis
            for axis in range(3)
            if self.cross.index_at(axis, dims.point[before + axis])
            != self.cross.voxel_zyx[axis]
        ]
        if late:
            with dims.events.blocker_all():
                dims.set_point(
                    [before + axis for axis in late], [self.cross.world[axis] for axis in late]
                )
        self._seen = tuple(float(p) for p in dims.point[-3:])

    # -- planes --------------------------------------------------------------------------

    def show_plane(self, plane: str) -> None:
        """Show a plane in the first view, or 3D; a view that had it takes the one that goes."""
        self.binding.orientation.show_plane(plane)

    def _on_order(self, _event: object = None) -> None:
        """Follow the first view, turned by us or by napari's own keys."""
        if self._busy or self.binding.viewer.dims.ndim < 3:
            return
        self._busy = True
        try:
            self._swap()
        finally:
            self._busy = False
        self._show(None)
        self._planes = tuple(one.plane for one in self.all)

    def _swap(self) -> None:
        free = [p for p in self._planes[:1] if p in PLANES]
        shown = {view.plane for view in self.all if not isinstance(view, BesideView)}
        free += [p for p in PLANES if p not in shown]
        if self.beside is not None and self.first.axis >= 0:
            self.beside.orientation.show_plane(self.first.plane)
            self.beside.model.reset_view()
        for side in self.sides:
            if isinstance(side, BesideView):
                continue
            if side.plane == self.first.plane and side.plane in PLANES and free:
                side.orientation.show_plane(free[0])
                side.model.reset_view()

    def set_radiological(self, radiological: bool) -> None:
        """Choose radiological or neurological display for all views."""
        for view in self.all:
            view.orientation.radiological = radiological
        self.moved.emit()

    # -- drawing anew --------------------------------------------------------------------

    def flush(self) -> None:
        """Draw anew what is not as the data are any more."""
        self._drawing.flush()

    # -- words ---------------------------------------------------------------------------

    def say(self, view: View, position: Any) -> None:
        """Say what is under the mouse; None for the position says that it has left."""
        if position is None or view.axis < 0:
            self.pointed.emit("")
            return
        self.current = view
        self.pointed.emit(self._probe.words(view, position))

    def value_at_cross(self) -> Any:
        """Return the scan's value at the cross-hair."""
        return self._probe.value(self.first, self.cross.world, self.cross.voxel_zyx)

    def detach(self) -> None:
        """Let go of the case: further views are closed."""
        self.close_sides()
        dims = self.binding.viewer.dims
        dims.events.order.disconnect(self._on_order)
        dims.events.ndisplay.disconnect(self._on_order)
        self._drawing.detach()
        self._ignore(self.first)
        self.first.detach()
