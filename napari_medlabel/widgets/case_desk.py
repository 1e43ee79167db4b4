"""What the dock's buttons do: opens, saves and changes a case through its session."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import napari
from qtpy.QtCore import QObject, QTimer
from qtpy.QtWidgets import QMessageBox

from napari_medlabel.errors import MedlabelError
from napari_medlabel.model import presets
from napari_medlabel.plugin.binding import Binding
from napari_medlabel.plugin.further import volume_words
from napari_medlabel.plugin.garbage import young_garbage
from napari_medlabel.plugin.layers import KEY
from napari_medlabel.plugin.plain import named_once
from napari_medlabel.plugin.proven import require_proven_napari
from napari_medlabel.plugin.windows import offered_windows
from napari_medlabel.plugin.workplace import WORKPLACE, data_folder
from napari_medlabel.session.case import Session
from napari_medlabel.session.opening import Wishes, adopt_volume
from napari_medlabel.session.saving import (
    Moment,
    SaveReport,
    Written,
    finish_save,
    save,
    write_moment,
)
from napari_medlabel.widgets import closing
from napari_medlabel.widgets.background import Background
from napari_medlabel.widgets.clearing import Clearing
from napari_medlabel.widgets.drops import DropCatcher
from napari_medlabel.widgets.layer_watch import LayerWatch
from napari_medlabel.widgets.marks_loader import MarksLoader
from napari_medlabel.widgets.opening import Opening
from napari_medlabel.widgets.recovery_offer import RecoveryOffer
from napari_medlabel.widgets.showing import Showing, Turns, at_once
from napari_medlabel.widgets.sight.canvas import native_of

_LOOK_MS = 1000


class CaseDesk(QObject):
    """Carries out what the panels ask for.

    Parameters
    ----------
    dock : MedlabelDock
        Shows what came of it.
    """

    def __init__(self, dock: Any) -> None:
        super().__init__(dock)
        self.dock = dock
        self.viewer = dock.viewer
        self.session: Session | None = None
        self.binding: Binding | None = None
        self.showing, self.clearing = Showing(self), Clearing(self, self.viewer)
        self._guard: closing.CloseGuard | None = None
        self._drops: DropCatcher | None = None
        self.background = Background(self)
        self.opening = Opening(
            dock,
            self.background,
            lambda session, image: self._opened(session, image, keep_view=image is not None),
        )
        self.marks = MarksLoader(dock, self.background, lambda: self.binding)
        self.watch = LayerWatch(dock.notice, self.viewer, self._try, self.close_case)
        self.recovery = RecoveryOffer(dock.recovery_notice, self._try)
        self._lamp = QTimer(self)
        self._lamp.setInterval(_LOOK_MS)
        self._lamp.timeout.connect(self._look)
        self.viewer.layers.events.inserted.connect(self._on_inserted)
        self.viewer.layers.events.removed.connect(self._on_removed)

    # -- opening -------------------------------------------------------------------------

    def open_paths(self, paths: list[Path], **wishes: Any) -> None:
        """Read a scan in the background, then show it; a study's folder is sat down at.

        Where it would replace an open reading of a study, it is asked about what is not saved.
        """
        if self.showing.is_under_way or (not wishes and self.dock.study_desk.take(paths)):
            return
        if self.dock.study_desk.reading is not None and self._ask_to_save() is None:
            return
        self.opening.open_paths(paths, **wishes)

    def take_dropped(self, paths: list[Path]) -> None:
        """Open what was dropped: as the case, or beside the one that is open."""
        if self.dock.study_desk.take(paths):
            return
        (self if self.session is None else self.dock.sight_desk.beside).open_paths(paths)

    def _opened(self, session: Session, image: Any, *, keep_view: bool) -> None:
        """Show a case in some turns of the window's loop, and offer what was found with it."""

        def then() -> Turns:
            yield from self._begin(session, binding)
            if marks := WORKPLACE.take_marks(session.place.case):
                self.marks.offer(marks)

        with named_once(self.viewer):
            self._make_room(session)
            binding = Binding(session, self.viewer, image, keep_view=keep_view, at_once=False)
        self.showing.start(session, binding, then, native_of(self.viewer))

    def adopt_present(self) -> None:
        """Annotate a scan that is in the viewer already."""
        any(self._adopt(layer) for layer in self.viewer.layers)

    def _on_inserted(self, event: Any) -> None:
        if self.session is not None:
            self.watch.inserted(self.binding, event.value)
        elif not self.showing.is_under_way:
            self._adopt(event.value)

    def _on_removed(self, event: Any) -> None:
        self.watch.removed(self.binding, event.value)

    def _adopt(self, layer: Any) -> bool:
        where = layer.metadata.get(KEY, {})
        known = WORKPLACE.recall(where.get("case", "")) if where.get("role") == "scan" else None
        if known is None or self.binding is not None:
            return False
        volume, paths = known
        try:
            require_proven_napari(napari.__version__)
            session = adopt_volume(
                volume, paths, WORKPLACE.desk(), Wishes(), fallback=data_folder()
            )
        except MedlabelError as err:
            self.dock.show_error(err)
            return False
        # napari is still busy inserting the layer: ours come after it.
        QTimer.singleShot(0, lambda: self._opened(session, layer, keep_view=False))
        return True

    def show_session(
        self, session: Session, image: Any = None, *, keep_view: bool = False
    ) -> None:
        """Show a case that has been opened, in the layer that shows it already, if any."""
        self._make_room(session)
        self.session = session
        bound = Binding(session, self.viewer, image, keep_view=keep_view)
        at_once(self._begin(session, bound))

    def _make_room(self, session: Session) -> None:
        if self.dock.study_desk.reading is None:
            self.leave(discard=False)
        else:  # no layer of a reading is left over another scan
            self.put_away()
        self.clearing.finish()
        WORKPLACE.remember(session.place.case, session.volume, session.volume.source.files)

    def _begin(self, session: Session, binding: Binding) -> Turns:
        """Let everybody serve a case whose layers are there, one after the other."""
        self.session, self.binding = session, binding
        session.history_changed.connect(self.dock.show_history)
        binding.painted_on_missing.connect(self.watch.painted_on_missing)
        self.viewer.dims.events.current_step.connect(self._show_volume)
        self.dock.start.setEnabled(True)
        self.dock.notice.clear()
        self.dock.show_case()
        self._show_volume()
        self._bind_keys(binding.keys)
        self._guard_window()
        self.recovery.offer(session)
        self._lamp.start()
        self._look()
        for desk in self.dock.desks:
            yield
            desk.case_opened(session, binding)

    def _show_volume(self, _event: object = None) -> None:
        """Say which of several volumes is on the screen."""
        further = None if self.session is None else self.session.volume.further
        if self.binding is not None and further is not None:
            self.dock.show_volume(volume_words(further, self.binding.volume_number))

    def _bind_keys(self, keys: Any) -> None:
        # Free keys only; Ctrl+S is napari's own "save layers".
        keys.bind("F2", "Save", self.save, group="Case")
        # napari binds these for labels alone; the session's history is one for all.
        keys.bind("Control-Z", "Undo", self.undo, group="Case")
        keys.bind("Control-Shift-Z", "Redo", self.redo, group="Case")

    def watch_drops(self) -> None:
        """Take what is dropped on the window, once the dock is in one."""
        window = self.dock.window()
        if self._drops is None and window is not self.dock:
            self._drops = DropCatcher(window, self.take_dropped)

    def _guard_window(self) -> None:
        window = self.dock.window()
        if self._guard is None and window is not self.dock:
            self._guard = closing.guard(window, self)

    # -- panels --------------------------------------------------------------------------

    def _try(self, action: Callable[[Session], object]) -> None:
        """Do something to the session; an error shows in the dock."""
        if self.session is None:
            return
        try:
            action(self.session)
        except MedlabelError as err:
            self.dock.show_error(err)

    def undo(self) -> None:
        """End a drag, or take the last step back, or the last stroke of seeds in hand."""
        if self.dock.mark_desk.measures.let_go(chosen=False):
            return
        tools = self.dock.tool_desk
        if not tools.applying.stop() and not tools.seeds.undo():
            self._try(lambda s: s.undo())

    def redo(self) -> None:
        """End a drag, or do the last undone step again, or bring a stroke of seeds back."""
        if self.dock.mark_desk.measures.let_go(chosen=False):
            return
        has_step = self.session is not None and self.session.history.redo_name is not None
        if not self.dock.tool_desk.seeds.redo(has_step=has_step):
            self._try(lambda s: s.redo())

    # -- view ----------------------------------------------------------------------------

    @property
    def plane(self) -> str:
        """The plane that is shown, or ``"3D"``."""
        return "" if self.binding is None else self.binding.orientation.plane

    def show_plane(self, plane: str) -> None:
        """Show a plane, or the volume in 3D."""
        self.dock.sight_desk.show_plane(plane)

    def set_convention(self, radiological: bool) -> None:
        """Choose radiological or neurological display."""
        self.dock.sight_desk.set_convention(radiological)

    def windows(self) -> list[presets.Window]:
        """Return the windows to offer for this scan; the first is in use."""
        return [] if self.session is None else offered_windows(self.session.volume)

    def set_window(self, name: str) -> None:
        """Show values through a window."""
        self.dock.sight_desk.set_window(name)

    # -- saving --------------------------------------------------------------------------

    def save(self) -> None:
        """Save in the background; the painting may go on."""
        session = self.session
        if session is None or self.background.is_busy:
            return
        self._save(session, lambda _well: None)

    def _save(self, session: Session, then: Callable[[bool], object]) -> None:
        """Save a case as it is now; what is painted from here on is for the next time."""
        moment = Moment(session)
        self.dock.status.setText("Saving …")

        def done(written: Written) -> None:
            finish_save(session, *written)
            self._show_saved(written[1])
            then(True)

        def failed(err: MedlabelError) -> None:
            self._not_saved(err)
            then(False)

        self.background.run(lambda: write_moment(session, moment), done, failed)

    def save_then(self, then: Callable[[bool], object]) -> bool:
        """Save in the background, then go on; return whether there is anything to save.

        What is being saved or read just now comes to its end before.

        Parameters
        ----------
        then : callable
            Gets whether it went well.
        """
        session = self.session
        if session is None:
            return False

        def go() -> None:
            if session is self.session:
                self._save(session, then)
            else:  # it was closed while this waited
                then(False)

        self.background.when_free(go)
        return True

    def save_now(self) -> bool:
        """Save and wait; return whether it went well."""
        if self.session is None:
            return True
        try:
            self._show_saved(save(self.session))
        except MedlabelError as err:
            self._not_saved(err)
            return False
        return True

    def _show_saved(self, report: SaveReport) -> None:
        if report.files:
            names = ", ".join(path.name for path in report.files)
            folder = report.files[0].parent
            self.dock.status.setText(f"✓ Saved and read back: {names}\nin {folder}")
        else:
            self.dock.status.setText("✓ Nothing to save: the files are as they were saved.")
        if report.replaced is not None:
            self.dock.notice.say(
                "amber",
                "Another window or program had saved this mask since it was opened here. "
                "Its version was replaced, and is kept beside the log as "
                f"{report.replaced.removeprefix('sha256:')[:12]}.",
                {"Dismiss": self.dock.notice.clear},
            )
        if report.unlogged is not None:
            self.dock.notice.say(
                "red",
                "The files are saved, but the audit log has no line of it: "
                f"{report.unlogged.message} {report.unlogged.hint}",
                {"Dismiss": self.dock.notice.clear},
            )

    def _not_saved(self, err: MedlabelError) -> None:
        self.dock.status.setText("Not saved. The work is safe in the recovery journal.")
        self.dock.show_error(err)

    # -- the lamp and the end ------------------------------------------------------------

    def _look(self) -> None:
        """Say when the recovery journal cannot be written."""
        problem = self.session.keeper.problem if self.session is not None else None
        if problem is not None:
            self.dock.notice.say(
                "red",
                "The recovery copy cannot be written: a crash now would lose work. "
                f"{problem.message} {problem.hint}",
                {"Save now": self.save},
            )

    @property
    def has_unsaved(self) -> bool:
        """Whether closing would lose work: decisions of an adjudication are kept at once."""
        session = self.session
        return session is not None and session.is_dirty and not self.dock.study_desk.is_kept

    def close_case(self) -> None:
        """Close the scan, asking once where there is unsaved work; the window stays."""
        discard = self._ask_to_save()
        if discard is not None:
            self.put_away(discard=discard)

    def _ask_to_save(self) -> bool | None:
        """Ask what becomes of unsaved work; return whether it may go, None to go on with it."""
        if not self.has_unsaved:
            return False
        answer = closing.ask_to_save(self.dock.window())
        if answer == QMessageBox.StandardButton.Cancel:
            return None
        discard = answer == QMessageBox.StandardButton.Discard
        return discard if discard or self.save_now() else None

    def put_away(self, *, discard: bool = False) -> None:
        """Close the scan without a question; unsaved work stays in its journal."""
        binding, session = self.binding, self.session
        with young_garbage(), named_once(self.viewer):
            self.leave(discard=discard)
            if binding is not None and session is not None:
                WORKPLACE.forget(session.place.case)
                self.clearing.start(binding)
        self.dock.notice.clear()
        self.dock.recovery_notice.clear()
        self.dock.show_case()

    def leave(self, *, discard: bool) -> None:
        """Close the open case; unsaved work stays in its journal unless given up."""
        self.showing.abandon()
        discard = discard or self.dock.study_desk.is_kept
        self._lamp.stop()
        self.viewer.dims.events.current_step.disconnect(self._show_volume)
        binding, self.binding = self.binding, None
        session, self.session = self.session, None
        if binding is not None:
            for desk in self.dock.desks:
                desk.case_closed()
            binding.detach()
        if session is not None:
            session.close(discard=discard)
