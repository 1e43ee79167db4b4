"""Measurements under the mouse: their handles are taken, pulled, nudged by keys, let go."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, Final

import numpy as np
from psygnal import Signal

from napari_medlabel.errors import InputError
from napari_medlabel.geometry.axes import FloatArray
from napari_medlabel.model.measurements import Measurement, MeasurementSet
from napari_medlabel.plugin.measurement_drawing import chains_ras, cut
from napari_medlabel.plugin.measurement_layer import MeasurementLayers
from napari_medlabel.plugin.pointing import held_keys
from napari_medlabel.plugin.sight.beside import BesideView
from napari_medlabel.plugin.sight.view import View
from napari_medlabel.plugin.sight.views import Views
from napari_medlabel.plugin.tools.measure_grip import (
    WHOLE,
    Grip,
    can_hold,
    flat_step,
    handles_ras,
    pulled,
)
from napari_medlabel.plugin.tools.measure_hand import MeasureHand
from napari_medlabel.session.case import Session

_GRAB_PX: Final = 8.0
_LINE_PX: Final = 5.0
_OVER: Final = "pointing"


class MeasurementGrips:
    """Lets the mouse take measurements by their handles, in every view.

    It does so while no tool has the mouse, and while the one that measures has nothing begun.
    A chosen measurement can be taken by its lines too, and is then moved as a whole.

    Parameters
    ----------
    session : Session
        The open case.
    views : Views
        Where they are shown.
    layers : MeasurementLayers
        Shows them.
    """

    chosen_changed = Signal(str)
    """Another measurement is chosen, or none (empty)."""
    dragging = Signal(bool)
    """One is being dragged, or no longer."""
    told = Signal(str)
    """Its value while it is dragged."""
    failed = Signal(object)
    """A change was refused (an `InputError`)."""

    def __init__(self, session: Session, views: Views, layers: MeasurementLayers) -> None:
        self._session, self._views, self._layers = session, views, layers
        self._grip: Grip | None = None
        self._chosen, self._handle = "", WHOLE
        self._over: View | None = None
        self._on_slice: tuple[View, tuple[int, int]] | None = None
        self._cache: tuple[MeasurementSet | None, dict[str, FloatArray]] = (None, {})
        self._added: dict[int, tuple[View, Any, Any]] = {}
        session.measurements_changed.connect(self._on_measured)
        views.moved.connect(self._on_moved)
        views.opened.connect(self._listen)
        views.closing.connect(self._ignore)
        views.binding.pointing.hand_changed.connect(self._on_hand)
        for view in views.all:
            self._listen(view)

    def detach(self) -> None:
        """Let go of the case."""
        self.cancel()
        self._session.measurements_changed.disconnect(self._on_measured)
        self._views.moved.disconnect(self._on_moved)
        self._views.opened.disconnect(self._listen)
        self._views.closing.disconnect(self._ignore)
        self._views.binding.pointing.hand_changed.disconnect(self._on_hand)
        for view in self._views.all:
            self._ignore(view)

    def _listen(self, view: View) -> None:
        if isinstance(view, BesideView):
            return
        press, hover = self._make_press(view), self._make_hover(view)
        # Before the view's own, which would set the cross-hair.
        view.model.mouse_drag_callbacks.insert(0, press)
        view.model.mouse_move_callbacks.append(hover)
        self._added[id(view)] = view, press, hover

    def _ignore(self, view: View) -> None:
        known = self._added.pop(id(view), None)
        if known is not None:
            view.model.mouse_drag_callbacks.remove(known[1])
            view.model.mouse_move_callbacks.remove(known[2])
        if self._over is view:
            self._over = None

    # -- choosing ------------------------------------------------------------------------

    @property
    def chosen(self) -> str:
        """Name of the measurement that keys are for, empty for none."""
        return self._chosen

    @property
    def is_dragging(self) -> bool:
        """Whether one is being dragged."""
        return self._grip is not None

    def choose(self, name: str, handle: int = WHOLE) -> None:
        """Let keys be for a measurement, and show its handles; empty for none."""
        if (name, handle) == (self._chosen, self._handle):
            return
        is_other = name != self._chosen
        self._chosen, self._handle = name, handle if name else WHOLE
        self._layers.choose(name)
        if is_other:
            self.chosen_changed.emit(name)

    def _on_measured(self, measured: MeasurementSet) -> None:
        if self._grip is not None and (
            self._grip.one.name not in measured
            or measured[self._grip.one.name] != self._grip.one
        ):
            self.cancel()  # undone, or changed by somebody else
        if self._chosen and self._chosen not in measured:
            self.choose("")

    def _on_hand(self) -> None:
        hand = self._views.binding.pointing.hand
        if hand is not None and not isinstance(hand, MeasureHand):
            self.cancel()
            self.choose("")

    # -- what is under the mouse ---------------------------------------------------------

    def grip_at(self, view: View, point_zyx: FloatArray) -> Grip | None:
        """Return what lies under a point of a view; the chosen measurement goes first.

        Parameters
        ----------
        view : View
            A view of a plane.
        point_zyx : ndarray, shape (3,)
            Displayed data coordinates, fractional voxels.
        """
        axis = view.axis
        index = float(view.place(self._views.cross)[axis])
        across = list(view.across)
        pixels = np.array(self._views.display.scale) * float(view.model.scene.camera.zoom)
        found: tuple[float, Grip] | None = None
        for one in self._session.measurements:
            if one.locked:
                continue
            handles = self._handles(one)
            on = can_hold(one.kind, handles, axis, index)
            if not on.any():
                continue
            away = np.linalg.norm(((handles - point_zyx) * pixels)[:, across], axis=1)
            away = np.where(on, away, np.inf)
            nearest = int(np.argmin(away))
            near = float(away[nearest]) - (_GRAB_PX if one.name == self._chosen else 0.0)
            if away[nearest] <= _GRAB_PX and (found is None or near < found[0]):
                found = near, Grip(one, nearest)
        if found is not None:
            return found[1]
        return self._line_at(axis, index, point_zyx, pixels)

    def _line_at(
        self, axis: int, index: float, point_zyx: FloatArray, pixels: FloatArray
    ) -> Grip | None:
        """Return the chosen measurement where one of its lines lies under a point."""
        if not self._chosen or self._chosen not in self._session.measurements:
            return None
        one = self._session.measurements[self._chosen]
        if one.locked or not can_hold(one.kind, self._handles(one), axis, index).any():
            return None
        chains = [self._views.display.from_ras(chain) for chain in chains_ras(one)]
        parts = np.concatenate([cut(chain, axis, index, 0.5) for chain in chains])
        flat = pixels.copy()
        flat[axis] = 0.0
        starts, ends = parts[:, 0] * flat, parts[:, 1] * flat
        run, to = ends - starts, point_zyx * flat - starts
        length = np.maximum((run * run).sum(axis=1), 1e-12)
        part = np.clip((to * run).sum(axis=1) / length, 0.0, 1.0)
        away = np.linalg.norm(to - part[:, None] * run, axis=1)
        return Grip(one) if len(away) and float(away.min()) <= _LINE_PX else None

    def _handles(self, one: Measurement) -> FloatArray:
        measured = self._session.measurements
        if self._cache[0] is not measured:
            self._cache = measured, {}
        known = self._cache[1]
        if one.name not in known:
            known[one.name] = self._views.display.from_ras(handles_ras(one))
        return known[one.name]

    def _is_free(self, view: View) -> bool:
        """Tell whether the mouse over a view is neither a tool's nor napari's."""
        hand = self._views.binding.pointing.hand
        if view.axis < 0 or self._views.windowing.held:
            return False
        if hand is not None and (not isinstance(hand, MeasureHand) or hand.is_busy):
            return False
        active = view.model.layers.selection.active
        return active is None or str(active.mode) == "pan_zoom"

    # -- the mouse -----------------------------------------------------------------------

    def _make_press(self, view: View) -> Callable[..., Generator[None, None, None]]:
        def press(_model: Any, event: Any) -> Generator[None, None, None]:
            if event.button != 1 or held_keys(event) or not self._is_free(view):
                return
            begun = np.asarray(view.point_zyx(event.position))
            grip = self.grip_at(view, begun)
            if grip is None:
                return
            event.handled = True
            self._views.current = view
            self.choose(grip.one.name, grip.handle)
            self._grip, draft = grip, None
            self._on_slice = view, self._slice_of(view)
            self.dragging.emit(True)
            yield
            while event.type == "mouse_move":
                event.handled = True
                if self._grip is grip:
                    draft = self._pull(grip, view, np.asarray(event.position), begun) or draft
                yield
            if self._grip is grip:
                self._release(draft)

        return press

    def _slice_of(self, view: View) -> tuple[int, int]:
        """Return the axis across a view and which slice it shows."""
        return view.axis, view.place(self._views.cross).get(view.axis, 0)

    def _on_moved(self, _view: object = None) -> None:
        """End a drag whose slice is no longer shown: as Escape does."""
        if self._grip is not None and self._on_slice is not None:
            view, shown = self._on_slice
            if self._slice_of(view) != shown:
                self.cancel()

    def _pull(
        self, grip: Grip, view: View, position: FloatArray, begun: FloatArray
    ) -> Measurement | None:
        """Show what is held where the mouse is, on the slice on which it lies."""
        by = np.asarray(view.point_zyx(position)) - begun
        by[view.axis] = 0.0
        try:
            draft = pulled(self._views.display, grip, by)
        except InputError:
            return None  # nothing would be left of it: it waits as it was last
        self._layers.show_draft(draft)
        self.told.emit(self._layers.words_of(draft.name))
        return draft

    def _release(self, draft: Measurement | None) -> None:
        grip, self._grip = self._grip, None
        if grip is not None and draft is not None:
            verb = "Move" if grip.handle == WHOLE else "Change"
            self._put(draft, f"{verb} measurement")
        self._layers.show_draft(None)
        self.dragging.emit(False)

    def cancel(self) -> bool:
        """Leave what is being dragged as it was; return whether anything was."""
        grip, self._grip = self._grip, None
        if grip is None:
            return False
        self._layers.show_draft(None)
        self.dragging.emit(False)
        return True

    def _make_hover(self, view: View) -> Callable[..., None]:
        def hover(_model: Any, event: Any) -> None:
            if self._grip is not None:
                return
            grip = None
            if len(self._session.measurements) and self._is_free(view):
                grip = self.grip_at(view, np.asarray(view.point_zyx(event.position)))
            self._show_over(view, grip)

        return hover

    def _show_over(self, view: View, grip: Grip | None) -> None:
        """Show by cursor and handles that something can be taken here."""
        cursor = view.model.cursor
        if grip is not None:
            self._over = view
            cursor.style = _OVER
            self._layers.hover(grip.one.name)
        elif self._over is not None:
            active = view.model.layers.selection.active
            cursor.style = "standard" if active is None else active.cursor
            self._over = None
            self._layers.hover("")

    # -- keys ----------------------------------------------------------------------------

    def nudge(self, step_zyx: FloatArray) -> FloatArray | None:
        """Move the chosen handle, or all of the chosen measurement, as one step.

        Parameters
        ----------
        step_zyx : ndarray, shape (3,)
            How far, in displayed data coordinates.

        Returns
        -------
        ndarray, shape (3,), or None
            Where it is now in RAS mm; None when nothing is chosen, or it may not be moved.
        """
        measured = self._session.measurements
        if not self._chosen or self._chosen not in measured or self._grip is not None:
            return None
        one, display = measured[self._chosen], self._views.display
        handle = self._handle if self._handle < len(self._handles(one)) else WHOLE
        grip = flat_step(display, Grip(one, handle), step_zyx)
        try:
            moved = pulled(display, grip, step_zyx)
        except InputError as err:
            self.failed.emit(err)
            return None
        if not self._put(moved, "Nudge measurement"):
            return None
        return np.asarray(handles_ras(moved)[max(handle, 0)])

    def _put(self, one: Measurement, name: str) -> bool:
        session, kept = self._session, one.long_first
        try:
            session.set_measurements(session.measurements.with_one(kept), name=name)
        except InputError as err:
            self.failed.emit(err)
            return False
        if kept is not one and self._handle != WHOLE:
            self._handle ^= 2  # the axes have changed places: the end in hand is the other's
        return True
