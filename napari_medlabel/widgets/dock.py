"""The dock: builds the panels and ties them to the open case, top to bottom in work order."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from qtpy.QtCore import QEvent, QObject, QPoint, QTimer, Signal
from qtpy.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from napari_medlabel.edit.skew import is_tilted
from napari_medlabel.errors import MedlabelError
from napari_medlabel.model import presets
from napari_medlabel.plugin.display import Display
from napari_medlabel.plugin.doubts import doubts_of, is_only_turned
from napari_medlabel.plugin.leaving import watch_leaving
from napari_medlabel.plugin.warm import warm_up
from napari_medlabel.plugin.workplace import WORKPLACE
from napari_medlabel.widgets.case_desk import CaseDesk
from napari_medlabel.widgets.doubts import Doubts
from napari_medlabel.widgets.label_panel import LabelPanel
from napari_medlabel.widgets.landmark_panel import LandmarkPanel
from napari_medlabel.widgets.legible import Hints
from napari_medlabel.widgets.log_desk import LogDesk
from napari_medlabel.widgets.mark_desk import MarkDesk
from napari_medlabel.widgets.narrow import FittingButton
from napari_medlabel.widgets.notice import Notice
from napari_medlabel.widgets.pages import Pages
from napari_medlabel.widgets.passphrase import asking
from napari_medlabel.widgets.progress_row import ProgressRow
from napari_medlabel.widgets.rows import Rows
from napari_medlabel.widgets.segment_desk import SegmentDesk
from napari_medlabel.widgets.sight_desk import SightDesk
from napari_medlabel.widgets.sign_desk import SignDesk
from napari_medlabel.widgets.start_panel import StartPanel
from napari_medlabel.widgets.study.study_desk import StudyDesk
from napari_medlabel.widgets.tool_desk import ToolDesk
from napari_medlabel.widgets.view_panel import ViewPanel

if TYPE_CHECKING:
    import napari.viewer

_TEMPLATES = {
    "points": "Points 1 to 8",
    "afids-32": "AFIDs, 32 of the brain",
    "cephalometric": "Cephalometric",
}
"""Names of templates that their short name does not tell."""
_WIDTH: Final = 330


class MedlabelDock(QWidget):
    """Annotate a scan: labels, landmarks, saving and recovery in one column.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Given by napari.
    """

    def __init__(self, viewer: napari.viewer.Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.viewer = viewer
        watch_leaving()
        WORKPLACE.ask = asking(_front)
        self.setMinimumWidth(_WIDTH)
        self.notice = Notice()
        self.recovery_notice = Notice()
        self.start = StartPanel()
        self.summary = QLabel()
        self.summary.setWordWrap(True)
        self.volume_line = QLabel()
        self.doubts = Doubts()
        self.progress = ProgressRow()
        self.views = ViewPanel()
        self.label_panel = LabelPanel(presets.schemes())
        self.landmark_panel = LandmarkPanel(
            {key: _TEMPLATES.get(key, key.capitalize()) for key in presets.templates()}
        )
        self.tabs = Pages()
        self.load_button = QPushButton("Load a segmentation…")
        self.undo_button, self.redo_button = FittingButton("Undo"), FittingButton("Redo")
        self.versions_button = QPushButton("Versions…")
        self.log_button = QPushButton("Log of this case…")
        self.save_button = QPushButton("Save (F2)")
        self.sign_button = QPushButton("Sign…")
        self.close_button = QPushButton("Close scan")
        self.status = _Status()
        self.tool_desk, self.segment_desk = ToolDesk(self), SegmentDesk(self)
        self.mark_desk, self.sight_desk = MarkDesk(self), SightDesk(self)
        self.study_desk = StudyDesk(self)
        self.log_desk = LogDesk(self)
        self.sign_desk = SignDesk(self)
        self.case_box, self.footer = self._lay_out()
        self.desk = CaseDesk(self)
        self._connect()
        Hints(self)
        self.case_box.hide()
        self.footer.hide()
        self.desk.adopt_present()

    # -- building ------------------------------------------------------------------------

    def _lay_out(self) -> tuple[QWidget, QWidget]:
        """Return what shows only with a case: the panels, and the buttons below them."""
        case_box = QWidget()
        column = QVBoxLayout(case_box)
        column.setContentsMargins(0, 0, 0, 0)
        for words in (self.summary, self.volume_line, self.doubts):
            column.addWidget(words)
        column.addWidget(self.views)
        for title, parts in (
            (
                "Labels",
                (
                    self.label_panel,
                    self.tool_desk.panel,
                    self.segment_desk.panel,
                    self.load_button,
                ),
            ),
            ("Landmarks", (self.landmark_panel, self.mark_desk.panel)),
            ("Measurements", (self.mark_desk.measures.panel,)),
            ("View", (self.sight_desk.panel,)),
            *((title, (page,)) for title, page in self.study_desk.pages),
        ):
            page = QWidget()
            _stack(page, *parts)
            self.tabs.addTab(page, title)
        for _title, part in self.study_desk.pages:
            self.show_page(part, False)
        column.addWidget(self.tabs)
        inside = QWidget()
        rows = QVBoxLayout(inside)
        for part in (self.study_desk.panel, self.start, case_box):
            rows.addWidget(part)
        rows.addStretch(1)
        rows.setContentsMargins(0, 0, 0, 0)
        scroll = self.column = _Column(inside)
        scroll.widened.connect(lambda wide: self.setMinimumWidth(max(_WIDTH, wide + 8)))
        footer = self._lay_out_footer()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(4, 4, 4, 4)
        # What must be seen stays in sight however small the window: words above, buttons below.
        for part in (self.notice, self.recovery_notice, self.progress):
            outer.addWidget(part)
        outer.addWidget(scroll, 1)
        outer.addWidget(footer)
        outer.addWidget(self.log_desk.lamp)
        return case_box, footer

    def _lay_out_footer(self) -> QWidget:
        footer = QWidget()
        column = QVBoxLayout(footer)
        column.setContentsMargins(4, 0, 4, 0)
        steps = QHBoxLayout()
        for button in (self.undo_button, self.redo_button, self.save_button):
            steps.addWidget(button, 1)
        looks = self.sign_button, self.versions_button, self.log_button, self.close_button
        column.addLayout(steps)
        column.addWidget(Rows(*looks, gap_px=6))
        column.addWidget(self.status)
        return footer

    def _connect(self) -> None:
        self.start.paths_requested.connect(self.open_paths)
        self.start.deid_requested.connect(self.open_deid)
        self.start.study_requested.connect(lambda path: self.study_desk.open_study(Path(path)))
        self.views.plane_requested.connect(self.desk.show_plane)
        self.views.convention_requested.connect(self.desk.set_convention)
        self.views.window_requested.connect(self.desk.set_window)
        self.load_button.clicked.connect(self.desk.marks.ask)
        self.undo_button.clicked.connect(self.desk.undo)
        self.redo_button.clicked.connect(self.desk.redo)
        self.save_button.clicked.connect(self.desk.save)
        self.close_button.clicked.connect(self.desk.close_case)
        self.versions_button.clicked.connect(self.log_desk.show_versions)
        self.log_button.clicked.connect(self.log_desk.show_log)
        self.sign_button.clicked.connect(self.sign_desk.ask)

    # -- what the dock does --------------------------------------------------------------

    def open_paths(self, paths: list[str] | list[Path], **wishes: Any) -> None:
        """Open a scan in the background and annotate it; problems show in the dock."""
        self.desk.open_paths([Path(p) for p in paths], **wishes)

    def open_deid(self) -> None:
        """Show the de-identification panel beside this dock."""
        from napari_medlabel.widgets.deid_panel import show_panel

        show_panel(self.viewer)

    @property
    def desks(self) -> tuple[ToolDesk, SegmentDesk, SightDesk, MarkDesk, StudyDesk]:
        """Those who serve an open case, each with its panel; marks are shown in the views."""
        marking = self.sight_desk, self.mark_desk
        return self.tool_desk, self.segment_desk, *marking, self.study_desk

    @property
    def session(self) -> Any:
        """The open session, or None: it is there as soon as all desks serve it."""
        return None if self.desk.showing.is_under_way else self.desk.session

    # -- showing -------------------------------------------------------------------------

    def show_page(self, part: QWidget, on: bool, *, front: bool = False) -> None:
        """Show or hide the tab that a part lies in, and perhaps turn to it."""
        page = part.parentWidget()
        index = -1 if page is None else self.tabs.indexOf(page)
        self.tabs.setTabVisible(index, on)
        if on and front:
            self.tabs.setCurrentIndex(index)

    def show_error(self, err: MedlabelError) -> None:
        """Show an error's two sentences; they stay until dismissed."""
        words = f"{err.message}\n{err.hint}".strip()
        self.notice.say("red", words, {"Dismiss": self.notice.clear})

    def show_case(self) -> None:
        """Show the case that has just been opened."""
        session = self.desk.session
        self.status.setText("")  # what it says of a save is about the case before
        self.start.setVisible(session is None and self.study_desk.seat is None)
        self.case_box.setVisible(session is not None)
        self.footer.setVisible(session is not None)
        if session is None:
            self.log_desk.case_closed()
            self.sign_desk.case_closed()
            return
        self.log_desk.case_opened(session)
        volume = session.volume
        self.summary.setText(describe(session))
        self.volume_line.setVisible(volume.further is not None)
        # The summary says how oblique it is.
        self.doubts.show_doubts([d for d in doubts_of(volume) if not is_only_turned(d)])
        self.views.offer(pictures=volume.slices == "pictures", colour=volume.colour is not None)
        self.views.show_windows(self.desk.windows())
        self.views.show_plane(self.desk.plane)
        self.landmark_panel.show_template(presets.templates(), session.landmarks)
        self.landmark_panel.name_sides(volume.is_oriented)
        self.landmark_panel.show_landmarks(session.landmarks)
        self.show_history()

    def show_volume(self, words: str) -> None:
        """Say which of several volumes is on the screen."""
        self.volume_line.setText(words)

    def show_history(self) -> None:
        """Show what undo and redo would do, and whether there is unsaved work."""
        session = self.desk.session
        if session is None:
            return
        seeds, steps = self.tool_desk.seeds, session.history
        for button, verb, name in (
            (self.undo_button, "Undo", seeds.undo_name or steps.undo_name),
            (self.redo_button, "Redo", seeds.redo_name or steps.redo_name),
        ):
            button.setEnabled(name is not None)
            button.setText(f"{verb}: {name.lower()}" if name else verb)
        self.save_button.setText("Save * (F2)" if session.is_dirty else "Save (F2)")

    def showEvent(self, event: Any) -> None:
        """Begin to take drops when the dock has its window."""
        super().showEvent(event)
        self.desk.watch_drops()
        # Not in this moment: the window draws itself first.
        QTimer.singleShot(0, warm_up)

    def closeEvent(self, event: Any) -> None:
        """Leave the case in order when the panel is destroyed; its journal stays if unsaved."""
        self.desk.leave(discard=False)
        self.log_desk.lamp.release()
        self.study_desk.release()
        super().closeEvent(event)


class _Column(QScrollArea):
    """Scrolls up and down only: it is at least as wide as what is in it."""

    widened = Signal(int)
    """It must be so many pixels wide."""

    def __init__(self, inside: QWidget) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidget(inside)
        inside.installEventFilter(self)

    def reveal(self, first: QWidget, last: QWidget) -> None:
        """Scroll until two parts and all between are in sight; the last one counts most."""
        inside, view, bar = self.widget(), self.viewport(), self.verticalScrollBar()
        if inside is None or view is None or bar is None or not last.isVisible():
            return
        top = first.mapTo(inside, QPoint(0, 0)).y()
        bottom = last.mapTo(inside, QPoint(0, last.height())).y()
        tall, at = view.height(), bar.value()
        if bottom > at + tall:
            bar.setValue(bottom - tall)
        elif top < at:
            bar.setValue(max(top, bottom - tall))

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Grow with what is in it."""
        asks = event is not None and event.type() == QEvent.Type.LayoutRequest
        inside, bar = self.widget(), self.verticalScrollBar()
        if asks and inside is not None and bar is not None:
            beside = max(bar.sizeHint().width(), bar.width()) + 2 * self.frameWidth()
            wide = inside.minimumSizeHint().width() + beside
            self.setMinimumWidth(wide)
            self.widened.emit(wide)
        return bool(super().eventFilter(watched, event))


class _Status(QLabel):
    """A line about the last save; it takes no room while there is nothing to say."""

    def __init__(self) -> None:
        super().__init__()
        self.setWordWrap(True)
        self.hide()

    def setText(self, text: str | None) -> None:
        super().setText(text)
        self.setVisible(bool(text))


def _stack(inside: QWidget, *parts: QWidget) -> None:
    """Lay parts out from top to bottom."""
    column = QVBoxLayout(inside)
    column.setContentsMargins(4, 4, 4, 4)
    for part in parts:
        column.addWidget(part)
    column.addStretch(1)


def _front() -> QWidget | None:
    """Return the window that is in front."""
    return QApplication.activeWindow()


def describe(session: Any) -> str:
    """Say in words what is open: never who."""
    volume = session.volume
    grid = volume.grid
    i, j, k = grid.shape
    spacing = [f"{s:.3g}" for s in grid.affine.spacing_mm]
    kind = f"<b>{volume.modality or 'Scan'}</b>"
    if volume.slices == "pictures":
        count = "1 picture" if k == 1 else f"{k} pictures"
        words = f"{kind}  {count} of {i} x {j} pixels"
        if Display.of(volume).has_length:
            words += f" of {' x '.join(spacing[:2])} mm"
        return words + "<br>These pictures have no place in the patient: no sides, no 3D."
    lines = [f"{kind}  {i} x {j} x {k} voxels of {' x '.join(spacing)} mm"]
    if volume.further is not None:
        lines.append(f"{len(volume.further.values)} volumes; one mask lies on all of them.")
    if volume.quantity and volume.quantity != "HU":
        lines.append(f"Values: {volume.quantity}")
    if is_tilted(grid.affine.skew_mm):
        lines.append(
            f"Tilted: its axes lie {grid.affine.shear_deg:.1f}° off right angles (gantry tilt)."
            " Brushes, margins and statistics are in the patient's millimetres; a tool whose "
            "distances are approximate says so."
        )
    if grid.affine.oblique_deg > 0.01:
        lines.append(
            f"Acquired {grid.affine.oblique_deg:.1f}° oblique: shown on its own grid; "
            "millimetres are the patient's."
        )
    return "<br>".join(lines)
