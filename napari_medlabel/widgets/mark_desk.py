"""What the dock does about landmarks: shows the next one, places it by clicks and keys."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

from qtpy.QtCore import QObject
from qtpy.QtWidgets import QWidget

from napari_medlabel.errors import MedlabelError
from napari_medlabel.measure.mixed_up import side_doubts
from napari_medlabel.model import presets
from napari_medlabel.model.landmarks import LandmarkSet, Point
from napari_medlabel.plugin.binding import Binding
from napari_medlabel.plugin.display import PLANES
from napari_medlabel.plugin.landmark_names import LandmarkNames
from napari_medlabel.plugin.name_board import NameBoard
from napari_medlabel.plugin.sight.views import Views
from napari_medlabel.plugin.tools.aiming import SNAPS, Snap, SnapKind, plane_of
from napari_medlabel.plugin.tools.draft_mark import DraftMark
from napari_medlabel.plugin.tools.kit import Kit
from napari_medlabel.plugin.tools.mark_hand import MarkHand
from napari_medlabel.plugin.tools.nudging import (
    WAYS,
    Way,
    fine_step,
    shown_step,
    step_ijk,
    step_mm,
)
from napari_medlabel.session.case import Session
from napari_medlabel.session.marking import Marking
from napari_medlabel.widgets.mark_files import MarkFiles
from napari_medlabel.widgets.measure_desk import MeasureDesk

_GROUP: Final = "Landmarks"
_FINE_MM: Final = 0.1
_NUDGES: Final = tuple(
    (f"{held}-{way}", way, held) for held in ("Shift", "Alt") for way in WAYS
)


class MarkDesk(QObject):
    """One of the desks of the dock; see `napari_medlabel.widgets.dock`.

    Parameters
    ----------
    dock : MedlabelDock
        Whose desk it is.

    Attributes
    ----------
    measures : MeasureDesk
        Serves measurements.
    marking : Marking or None
        Which landmark of the open case is next.
    """

    def __init__(self, dock: Any) -> None:
        super().__init__(dock)
        self.dock = dock
        self.panel = QWidget()
        self.panel.hide()
        self.measures = MeasureDesk(dock)
        self.files = MarkFiles(dock)
        self.session: Session | None = None
        self.binding: Binding | None = None
        self.views: Views | None = None
        self.marking: Marking | None = None
        self._hand: MarkHand | None = None
        self._draft_mark: DraftMark | None = None
        self.names: LandmarkNames | None = None
        self._snap = Snap()
        self._template: Path | None = None
        self._seen: Point | None = None
        self._connect()

    def _connect(self) -> None:
        panel = self.dock.landmark_panel
        panel.template_requested.connect(self.choose_template)
        panel.place_requested.connect(self.place)
        panel.go_requested.connect(self.go_to)
        panel.remove_requested.connect(self.clear)
        panel.aim_requested.connect(self.aim)
        panel.lock_all_requested.connect(lambda: self._try(lambda m: m.lock_all()))
        panel.load_requested.connect(lambda: self.files.ask_load(self.session))
        panel.save_requested.connect(lambda: self.files.ask_save(self.session))
        detail = panel.detail
        detail.mode_requested.connect(self._put_mode)
        detail.snap_requested.connect(self._put_snap)
        detail.commit_requested.connect(lambda: self._try(lambda m: m.commit()))
        detail.cancel_requested.connect(lambda: self._try(lambda m: m.cancel()))
        detail.step_requested.connect(self.step)
        detail.absent_requested.connect(lambda reason: self._try(lambda m: m.skip(reason)))
        detail.doubt_requested.connect(
            lambda mm: self._about_current(lambda m, name: m.doubt(name, mm))
        )
        detail.lock_requested.connect(
            lambda on: self._about_current(lambda m, name: m.lock(name, on))
        )

    # -- the case ------------------------------------------------------------------------

    def case_opened(self, session: Session, binding: Binding) -> None:
        """Begin to serve a case that has just been shown."""
        self.session, self.binding = session, binding
        self.views = self.dock.sight_desk.views
        before, self.marking = self.marking, session.marking
        if before is not None:
            self.marking.mode = before.mode
        self._draft_mark = DraftMark(binding)
        self.marking.changed.connect(self._show)
        session.landmarks_changed.connect(self._show_list)
        binding.landmarks.refused.connect(self.dock.show_error)
        if self.views is not None:
            self.views.moved.connect(self._on_moved)
            board = NameBoard(self.views.display)
            self.measures.case_opened(session, binding, self.views, board)
            self.names = LandmarkNames(session, self.views, board)
        self._bind_keys(binding)
        self._show()

    def case_closed(self) -> None:
        """Let go of the case; its layers are still there."""
        session, binding, marking = self.session, self.binding, self.marking
        self.session = self.binding = None
        if session is None or binding is None or marking is None:
            return
        self.measures.case_closed()
        if self.names is not None:
            self.names.detach()
        marking.changed.disconnect(self._show)
        session.landmarks_changed.disconnect(self._show_list)
        marking.cancel()
        binding.landmarks.refused.disconnect(self.dock.show_error)
        if self.views is not None:
            self.views.moved.disconnect(self._on_moved)
        if self._draft_mark is not None:
            self._draft_mark.remove()
        self.views = self._draft_mark = self._hand = self.names = None
        self._template = self._seen = None

    def _bind_keys(self, binding: Binding) -> None:
        keys = binding.keys
        for key, words, do in (
            ("Y", "Place landmarks, or stop", self.toggle),
            ("Shift-Enter", "Point at the cross-hair", self.put_at_cross),
            (".", "Next landmark", partial(self.step, 1)),
            (",", "Landmark before", partial(self.step, -1)),
        ):
            if keys.is_free(key):
                keys.bind(key, words, do, group=_GROUP)
        for key, way, held in _NUDGES:
            what = "a voxel" if held == "Shift" else f"{_FINE_MM} mm"
            if keys.is_free(key):
                keys.bind(
                    key,
                    f"Nudge the point by {what}",
                    partial(self.nudge, way, fine=held == "Alt"),
                    group=_GROUP,
                    resting=True,
                )

    # -- placing -------------------------------------------------------------------------

    @property
    def hand(self) -> MarkHand | None:
        """The hand that places landmarks, while it has the mouse."""
        return self._hand

    def place(self, placing: bool) -> None:
        """Let clicks place landmarks, or give the mouse back to napari."""
        binding = self.binding
        if binding is None:
            return
        if not placing:
            self.dock.tool_desk.put_down()
            binding.viewer.layers.selection.active = binding.labels
            return
        try:
            binding.session.place.require_landmarks_here()
        except MedlabelError as err:
            self._show_hand()
            self.dock.show_error(err)
            return
        self.dock.desk.watch.show_again(binding.points)
        binding.points.visible = True
        self.dock.tool_desk.lend(self._make_hand)
        self._show_hand()

    def toggle(self) -> None:
        """Let clicks place landmarks, or no longer."""
        self.place(self._hand is None)

    def _make_hand(self, kit: Kit) -> MarkHand:
        hand = MarkHand(kit, kit.session.marking, lambda: self._snap)
        hand.pointed = self._show_pressed
        hand.left = self._on_left
        self._hand = hand
        self.lend_nudges()
        return hand

    def _on_left(self) -> None:
        self._hand = None
        self.lend_nudges()
        self._show_hand()

    def lend_nudges(self) -> None:
        """Take the keys that nudge from napari while there is something to nudge."""
        if self.binding is not None:
            keys, awake = self.binding.keys, self._hand is not None or self.measures.chosen
            (keys.wake if awake else keys.rest)(*(key for key, _, _ in _NUDGES))

    def _show_hand(self) -> None:
        self.dock.landmark_panel.show_placing(self._hand is not None)

    def put_at_cross(self) -> None:
        """Place the landmark, or set the measurement's next point, at the cross-hair."""
        views = self.views
        if views is None:
            return
        if self.measures.hand is not None:
            self.measures.put_at_cross()
            return
        if self._hand is None:
            self.place(True)
        if self._hand is not None:
            axis = views.current.axis
            self._hand.put(views.cross.point_ras, plane_of(axis) if axis >= 0 else None)

    def nudge(self, way: Way, *, fine: bool = False) -> None:
        """Move the draft, or the landmark aimed at, or the measurement in hand.

        Parameters
        ----------
        way : str
            A key of `WAYS`.
        fine : bool
            By 0.1 mm instead of by a voxel.
        """
        views = self.views
        if views is None or views.current.axis < 0:
            return
        step = shown_step(views.current, way)
        if self.measures.nudge(fine_step(views.display, step, _FINE_MM) if fine else step):
            return

        def move(marking: Marking) -> None:
            if fine:
                point = marking.nudge_mm(*step_mm(views.display, step, _FINE_MM))
            else:
                point = marking.nudge_voxels(*step_ijk(views.display, step))
            if point is None:
                self.dock.tool_desk.say("Nothing to nudge: click first, or choose a landmark.")
            else:
                views.go_to_ras(point)

        self._try(move)

    # -- the list ------------------------------------------------------------------------

    def choose_template(self, key: str) -> None:
        """Change the list of landmarks to place; what was placed or said stays."""
        session = self.session
        if session is None:
            return
        kept = LandmarkSet(tuple(mark for mark in session.landmarks if not mark.is_open))
        try:
            template = presets.find_template(key)
        except MedlabelError as err:
            self.dock.show_error(err)
            return
        self._template = None if key in presets.templates() else Path(key)
        session.set_landmarks(kept.merged_into(template), name="Change template")
        self._show()

    def go_to(self, name: str) -> None:
        """Show a landmark."""
        if self.binding is not None:
            self.binding.go_to(name)

    def aim(self, name: str) -> None:
        """Let the next click be for this landmark."""
        self._try(lambda marking: marking.aim(name))

    def step(self, step: int) -> None:
        """Aim at the landmark some places further in the list."""
        self._try(lambda marking: marking.aim_next(step))

    def clear(self, name: str) -> None:
        """Take a landmark's position and flags away."""
        self._try(lambda marking: marking.clear(name))

    def _put_mode(self, mode: Any) -> None:
        if self.marking is not None:
            self.marking.mode = mode

    def _put_snap(self, kind: SnapKind, radius_mm: float) -> None:
        self._snap = Snap(kind, radius_mm)

    def _about_current(self, do: Callable[[Marking, str], object]) -> None:
        def about(marking: Marking) -> None:
            if marking.current is not None:
                do(marking, marking.current.name)

        self._try(about)
        self._show()

    def _try(self, do: Callable[[Marking], object]) -> None:
        if self.marking is None or self.session is None:
            return
        try:
            do(self.marking)
        except MedlabelError as err:
            self.dock.show_error(err)

    # -- showing -------------------------------------------------------------------------

    def _show_list(self, marks: LandmarkSet) -> None:
        """Fill the table anew, and show in it what is next."""
        self.dock.landmark_panel.show_landmarks(marks)
        self._show()

    def _show(self) -> None:
        """Show what is next, the draft, and what may be mixed up."""
        marking, session = self.marking, self.session
        if marking is None or session is None:
            return
        panel, current = self.dock.landmark_panel, marking.current
        picture = None
        if current is not None and self._template is not None:
            picture = presets.picture_of(current, self._template)
        panel.show_next(None if current is None else current.name)
        panel.detail.show_mode(marking.mode)
        panel.detail.show_landmark(current, picture)
        panel.detail.show_doubts(self._doubt_words(session))
        self._show_draft(marking)

    def _show_draft(self, marking: Marking) -> None:
        draft, mark, detail = marking.draft, self._draft_mark, self.dock.landmark_panel.detail
        if draft is None or mark is None:
            detail.show_draft("")
            self._seen = None
            if mark is not None:
                mark.hide()
            return
        looked = [
            plane for plane in ("axial", "coronal", "sagittal") if plane in draft.inspected
        ]
        missing = [p for p in ("axial", "coronal", "sagittal") if p not in draft.inspected]
        words = f"Draft, looked at: {', '.join(looked) or 'no plane yet'}."
        if missing:
            words += f" Look at it {' and '.join(missing)} too, then press Enter."
        detail.show_draft(words)
        snapped = SNAPS[self._snap.kind] if self._snap.kind else ""
        mark.show(draft.point_ras, f"{draft.name}? {snapped}".rstrip())
        if draft.point_ras != self._seen and self.views is not None:
            self._seen = draft.point_ras
            self.views.go_to_ras(draft.point_ras)

    def _show_pressed(self, point_ras: Point | None) -> None:
        """Show where the landmark would be placed while the button is down."""
        if self._draft_mark is None or self.marking is None:
            return
        if point_ras is not None:
            current = self.marking.current
            self._draft_mark.show(point_ras, "" if current is None else f"{current.name}?")
        elif self.marking.draft is None:
            self._draft_mark.hide()

    def _on_moved(self) -> None:
        """Count a plane as looked at where the one view was turned to it at the draft."""
        views, marking = self.views, self.marking
        if views is None or marking is None or marking.draft is None or views.sides:
            return
        axis = views.first.axis
        if axis < 0 or views.first.plane not in PLANES:
            return
        shown = views.display.from_ras(marking.draft.point_ras)
        if views.first.place(views.cross)[axis] == round(float(shown[axis])):
            marking.look(plane_of(axis))

    def _doubt_words(self, session: Session) -> str:
        if not session.volume.is_oriented:
            return ""
        said = [
            f"{left} lies further to the patient's right than {right}: are they exchanged?"
            for left, right in side_doubts(session.landmarks)
        ]
        return "\n".join(f"⚠ {words}" for words in said)
