"""What the dock does about measurements: hands draw them, the table lists them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, get_args

import numpy as np
from qtpy.QtCore import QObject, QTimer

from napari_medlabel.errors import InputError, MedlabelError
from napari_medlabel.geometry.axes import FloatArray
from napari_medlabel.model.landmarks import Point
from napari_medlabel.model.measurements import Kind, Measurement, MeasurementSet
from napari_medlabel.plugin.binding import Binding
from napari_medlabel.plugin.display import PLANES
from napari_medlabel.plugin.measurement_grips import MeasurementGrips
from napari_medlabel.plugin.measurement_layer import MeasurementLayers
from napari_medlabel.plugin.name_board import NameBoard
from napari_medlabel.plugin.pointing import Pointer
from napari_medlabel.plugin.sight.views import Views
from napari_medlabel.plugin.tools.kit import Kit
from napari_medlabel.plugin.tools.measure_hand import MeasureHand
from napari_medlabel.session.case import Session
from napari_medlabel.widgets.measure_panel import MeasurePanel

_CENTRED: Final = ("ellipse", "box", "plane", "cuboid")
_DELETE: Final = "Delete"
_REST_MS: Final = 200  # without a move, and a slider rests


class MeasureDesk(QObject):
    """Serves the measurements of an open case, for the desk of marks.

    Parameters
    ----------
    dock : MedlabelDock
        Whose desk it is.
    """

    def __init__(self, dock: Any) -> None:
        super().__init__(dock)
        self.dock = dock
        self.panel = MeasurePanel()
        self.session: Session | None = None
        self.binding: Binding | None = None
        self.views: Views | None = None
        self.layers: MeasurementLayers | None = None
        self.grips: MeasurementGrips | None = None
        self._rest = QTimer(self, singleShot=True, interval=_REST_MS)
        self._rest.timeout.connect(self._measure_anew)
        self._hand: MeasureHand | None = None
        self._kind: Kind = "line"
        self.panel.kind_requested.connect(self.choose)
        self.panel.go_requested.connect(self.go_to)
        self.panel.rename_requested.connect(self.rename)
        self.panel.delete_requested.connect(self.delete)
        self.panel.lock_requested.connect(self.lock)
        self.panel.choose_requested.connect(self._choose_one)

    def case_opened(
        self, session: Session, binding: Binding, views: Views, board: NameBoard
    ) -> None:
        """Begin to serve a case; the board lays values out together with other names."""
        self.session, self.binding, self.views = session, binding, views
        self.layers = MeasurementLayers(session, views, board)
        session.measurements_changed.connect(self._show)
        session.bench.volume_changed.connect(self._on_volume)
        self.grips = grips = MeasurementGrips(session, views, self.layers)
        grips.chosen_changed.connect(self._on_chosen)
        grips.dragging.connect(self._on_dragging)
        grips.told.connect(self.panel.say)
        grips.failed.connect(self.dock.show_error)
        if binding.keys.is_free("O"):
            binding.keys.bind("O", "Measure, or stop", self.toggle, group="Measurements")
        if binding.keys.is_free(_DELETE):
            binding.keys.bind(
                _DELETE,
                "Delete the chosen measurement",
                self.delete_chosen,
                group="Measurements",
                resting=True,
            )
        self._show(session.measurements)

    def case_closed(self) -> None:
        """Let go of the case."""
        session, layers, grips = self.session, self.layers, self.grips
        if session is None or layers is None or grips is None:
            return
        grips.choose("")
        grips.detach()
        self.session = self.binding = self.views = self.layers = self.grips = None
        self._hand = None
        self._rest.stop()
        session.measurements_changed.disconnect(self._show)
        session.bench.volume_changed.disconnect(self._on_volume)
        layers.detach()

    # -- drawing -------------------------------------------------------------------------

    @property
    def hand(self) -> MeasureHand | None:
        """The hand that measures, while it has the mouse."""
        return self._hand

    def choose(self, kind: str) -> None:
        """Let clicks draw a kind of measurement; empty gives the mouse back."""
        if self.binding is None:
            return
        if kind not in get_args(Kind):
            self.dock.tool_desk.put_down()
            return
        self._kind = next(known for known in get_args(Kind) if known == kind)
        self.dock.tool_desk.lend(self._make_hand)

    def toggle(self) -> None:
        """Measure with the kind used last, or stop."""
        self.choose("" if self._hand is not None else self._kind)

    def _make_hand(self, kit: Kit) -> MeasureHand:
        self._hand = MeasureHand(kit, self._kind, self.panel.say)
        self._hand.left = self._on_left
        self.panel.show_kind(self._kind)
        return self._hand

    def _on_left(self) -> None:
        self._hand = None
        self.panel.show_kind("")

    def put_at_cross(self) -> None:
        """Set the next point at the cross-hair."""
        views, hand = self.views, self._hand
        if views is None or hand is None or views.current.axis < 0:
            return
        view = views.current
        point = np.array(views.cross.voxel_zyx, dtype=np.float64)
        display = views.display
        pointer = Pointer(
            point,
            display.index_ijk(point),
            view.axis,
            display.order[view.axis],
            0,
            frozenset(),
            view.model,
        )
        hand.put(point, pointer)

    # -- the one in hand -----------------------------------------------------------------

    @property
    def chosen(self) -> str:
        """Name of the measurement that keys are for, empty for none."""
        return "" if self.grips is None else self.grips.chosen

    def _choose_one(self, name: str) -> None:
        if self.grips is not None:
            self.grips.choose(name)

    def _on_chosen(self, name: str) -> None:
        self.panel.select(name)
        self._lend_keys()

    def _on_dragging(self, _on: bool) -> None:
        if self._hand is None and self.grips is not None and not self.grips.is_dragging:
            self.panel.say("")
        self._lend_keys()

    def _lend_keys(self) -> None:
        """Take the keys that are for a chosen measurement from napari, or give them back."""
        binding = self.binding
        if binding is None:
            return
        (binding.keys.wake if self.chosen else binding.keys.rest)(_DELETE)
        self.dock.mark_desk.lend_nudges()
        self.dock.tool_desk.update_keys()

    def let_go(self, *, chosen: bool) -> bool:
        """Take a drag back, or choose none where ``chosen``; tell whether there was any."""
        grips = self.grips
        if grips is None:
            return False
        if grips.cancel():
            return True
        had = chosen and bool(grips.chosen)
        if had:
            grips.choose("")
        return had

    def delete_chosen(self) -> None:
        """Take the chosen measurement away; points chosen in napari's own layer go first."""
        binding = self.binding
        if binding is None:
            return
        points = binding.points
        if binding.viewer.layers.selection.active is points and points.selected_data:
            points.remove_selected()
        elif self.chosen:
            self.delete(self.chosen)

    def nudge(self, step_zyx: FloatArray) -> bool:
        """Move the chosen handle or measurement; tell whether the key was for one."""
        grips, views = self.grips, self.views
        if grips is None or views is None or not grips.chosen or self._mark_in_hand():
            return False
        at = grips.nudge(step_zyx)
        if at is not None:
            views.go_to_ras((float(at[0]), float(at[1]), float(at[2])))
        return True

    def _mark_in_hand(self) -> bool:
        return self.dock.mark_desk.hand is not None

    # -- the table -----------------------------------------------------------------------

    def go_to(self, name: str) -> None:
        """Show a measurement, in a plane in which it lies flat."""
        session, views = self.session, self.views
        if session is None or views is None:
            return
        one = session.measurements[name]
        spread = np.ptp(views.display.from_ras(one.array), axis=0)
        flat = [axis for axis in range(3) if spread[axis] < 0.5]
        if flat and not any(view.axis in flat for view in views.all):
            views.show_plane(PLANES[flat[0]])
        views.go_to_ras(_middle(one))

    def rename(self, name: str, new: str) -> None:
        """Give a measurement another name."""
        was_chosen = self.chosen == name
        self._change(name, lambda one: replace(one, name=new.strip()), "Rename measurement")
        if self.session is not None:
            self._show(self.session.measurements)
            if was_chosen and new.strip() in self.session.measurements:
                self._choose_one(new.strip())

    def delete(self, name: str) -> None:
        """Take a measurement away."""
        self._try(
            lambda s: s.set_measurements(
                s.measurements.without(name), name="Delete measurement"
            )
        )

    def lock(self, name: str, locked: bool) -> None:
        """Keep a measurement as it is, or let it go."""
        verb = "Lock" if locked else "Unlock"
        self._try(
            lambda s: s.set_measurements(
                s.measurements.with_one(replace(s.measurements[name], locked=locked)),
                name=f"{verb} measurement",
            )
        )

    def _change(
        self, name: str, change: Callable[[Measurement], Measurement], verb: str
    ) -> None:
        def do(session: Session) -> None:
            if session.measurements[name].locked:
                raise InputError(
                    "This measurement is locked and stays as it is.", hint="Unlock it first."
                )
            changed = tuple(
                change(one) if one.name == name else one for one in session.measurements
            )
            session.set_measurements(MeasurementSet(changed), name=verb)

        self._try(do)

    def _try(self, do: Callable[[Session], object]) -> None:
        if self.session is None:
            return
        try:
            do(self.session)
        except MedlabelError as err:
            self.dock.show_error(err)

    def _on_volume(self, _number: int) -> None:
        """Wait until the slider rests: to measure a volume may be to read it."""
        self._rest.start()

    def _measure_anew(self) -> None:
        if self.layers is not None and self.session is not None:
            self.layers.measure_anew()
            self._show(self.session.measurements)

    def _show(self, measured: MeasurementSet) -> None:
        if self.layers is not None:
            words = {one.name: self.layers.words_of(one.name) for one in measured}
            self.panel.show_measurements(measured, words)


def _middle(one: Measurement) -> Point:
    """Return a point in RAS mm where a measurement is seen."""
    points = one.array
    if one.kind in _CENTRED:
        point = points[0]
    elif one.kind == "angle":
        point = points[1]
    else:
        point = points.mean(axis=0)
    x, y, z = (float(v) for v in point)
    return x, y, z
