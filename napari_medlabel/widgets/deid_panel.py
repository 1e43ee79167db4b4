"""The de-identification panel: set up, preview, run in the background, review what waits."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from qtpy.QtCore import QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import (
    QFrame,
    QPushButton,
    QScrollArea,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from napari_medlabel.cli.project_key import OpenProject
from napari_medlabel.deid.batch.delivery import PAGE_NAME, review_beside
from napari_medlabel.deid.batch.folder import Settings, check_job
from napari_medlabel.deid.batch.sources import source_files
from napari_medlabel.deid.batch.target import check_apart, check_target
from napari_medlabel.deid.keys.pseudonyms import KEY_BYTES, Pseudonyms
from napari_medlabel.deid.report.counts import BatchReport
from napari_medlabel.deid.report.explain_folder import Summary, summed
from napari_medlabel.deid.report.pictures import Picture
from napari_medlabel.deid.report.review import (
    Decided,
    Waiting,
    check_batch,
    read_queue,
)
from napari_medlabel.deid.report.review_page import views_of_waiting
from napari_medlabel.errors import InputError, MedlabelError
from napari_medlabel.plugin.workplace import WORKPLACE
from napari_medlabel.session.deid_review import decide_logged
from napari_medlabel.session.deid_run import DeidJob, deidentify_logged
from napari_medlabel.session.deid_values import show_values
from napari_medlabel.session.deid_words import outcome_of
from napari_medlabel.widgets.background import Background
from napari_medlabel.widgets.deid_key import key_files, open_project
from napari_medlabel.widgets.deid_queue import ReviewQueue
from napari_medlabel.widgets.deid_setup import Choice, SetupForm
from napari_medlabel.widgets.deid_table import PreviewTable
from napari_medlabel.widgets.notice import Notice
from napari_medlabel.widgets.progress_row import ProgressRow

if TYPE_CHECKING:
    import napari.viewer

NAME: Final = "De-identify"
_VIEW: Final = 300  # pixels: as much as a dock has room for


def show_panel(viewer: napari.viewer.Viewer) -> DeidPanel:
    """Return the panel of a window, in front; made where there is none yet.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Whose window.
    """
    for widget in dict(viewer.window.dock_widgets).values():
        if isinstance(widget, DeidPanel):
            panel = widget
            break
    else:
        panel = DeidPanel(viewer)
        viewer.window.add_dock_widget(panel, name=NAME, area="right", tabify=True)
    frame = panel.parentWidget()
    if frame is not None:
        frame.show()
        frame.raise_()
    return panel


class DeidPanel(QWidget):
    """De-identify a folder, with a look before and eyes after.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Given by napari.
    """

    def __init__(self, viewer: napari.viewer.Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.viewer = viewer
        self.setMinimumWidth(360)
        self.notice, self.progress = Notice(), ProgressRow()
        self.setup, self.preview, self.queue = SetupForm(), PreviewTable(), ReviewQueue()
        self.start_button = QPushButton("De-identify")
        self.tabs = QTabWidget()
        self._background, self._drawing = Background(self), Background(self)
        self._wanted: Waiting | None = None
        self._report_page: Path | None = None
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidget(self.setup)
        for title, part in (
            ("1 Set up", scroll),
            ("2 Preview", self.preview),
            ("3 Review", self.queue),
        ):
            self.tabs.addTab(part, title)
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 4, 4, 4)
        for part in (self.notice, self.progress):
            column.addWidget(part)
        column.addWidget(self.tabs, 1)
        column.addWidget(self.start_button)

    def _connect(self) -> None:
        self.setup.changed.connect(self.preview.forget)
        self.preview.preview_requested.connect(self.show_preview)
        self.preview.values_requested.connect(self.show_values)
        self.start_button.clicked.connect(self.start)
        self.progress.cancel_requested.connect(self._cancel)
        self._background.progressed.connect(self.progress.show_progress)
        self.queue.load_requested.connect(self.load_queue)
        self.queue.views_requested.connect(self._draw)
        self.queue.decided.connect(self.carry_out)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way."""
        return not self._background.is_busy and not self._drawing.is_busy

    # -- preview -------------------------------------------------------------------------

    def show_preview(self) -> None:
        """Say what would become of the folder's attributes, without values."""
        try:
            choice = self.setup.choice(writes=False)
        except MedlabelError as err:
            self.show_error(err)
            return
        self._begin("Looking at one file of each series …")
        self._background.run(
            lambda: self._summed(choice), self._previewed, self._failed, self._stopped
        )

    def _summed(self, choice: Choice) -> Summary:
        """Sum up the rows of a folder; in the work's thread."""
        files = source_files(choice.source)
        total = files.count()
        paths = (files.root / file.relative for file in files if file.position)
        # Codes decide nothing about the rules, so that no key is needed to look.
        throwaway = Pseudonyms(secrets.token_bytes(KEY_BYTES))
        return summed(
            paths,
            choice.profile,
            throwaway,
            progress=lambda done: self._background.tell(done, max(total, done)),
        )

    def _previewed(self, summary: Summary) -> None:
        self._stopped()
        self.preview.show_summary(summary)
        self.tabs.setCurrentWidget(self.preview)

    def show_values(self) -> None:
        """Show the values of the scan that is open in napari; that is logged first."""
        try:
            known = WORKPLACE.newest()
            if known is None:
                raise InputError(
                    "No scan is open, so there are no values to show.",
                    hint="Open a scan with napari-medlabel first.",
                )
            self.notice.clear()
            rows = show_values(WORKPLACE.desk(), known[1], self.setup.profile())
        except MedlabelError as err:
            self.show_error(err)
            return
        self.preview.show_values(rows)

    # -- the run -------------------------------------------------------------------------

    def start(self) -> None:
        """De-identify in the background, with every event in the log."""
        try:
            choice, job, project = self._ready()
        except MedlabelError as err:
            self.show_error(err)
            return
        self._begin("De-identifying …")
        desk = WORKPLACE.desk()

        def work() -> BatchReport:
            try:
                tell = self._background.tell
                return deidentify_logged(job, project.codes, desk, progress=tell, planning=tell)
            finally:
                project.codes.close()

        self._background.run(
            work,
            lambda report: self._finished(report, choice, made=project.made),
            self._failed,
            lambda: self._ended("Cancelled: nothing was written."),
        )

    def _ready(self) -> tuple[Choice, DeidJob, OpenProject]:
        """Check everything that can be wrong before anything begins.

        Raises
        ------
        MedlabelError
            With what to do.
        """
        choice = self.setup.choice(writes=True)
        target = choice.target or Path()
        check_target(choice.source, target)
        settings = Settings(brain_masks=choice.brain_masks, pictures=True)
        desk = WORKPLACE.desk()
        for path in (*key_files(choice.key), desk.audit_root):
            check_apart(path, choice.source, target)
        check_job(choice.source, target, choice.profile, settings)
        project = open_project(choice.key, self, desk.log)
        job = DeidJob(choice.source, target, choice.profile, project.key.key, settings)
        return choice, job, project

    def _finished(self, report: BatchReport, choice: Choice, *, made: bool) -> None:
        self._stopped()
        colour, words = outcome_of(report)
        if made:
            words += "\nA project key was made: keep a copy of it, apart from the data."
        target = choice.target or Path()
        self._report_page = target / PAGE_NAME
        actions: dict[str, Callable[[], object]] = {"Open the report": self.open_report}
        if report.review:
            self.queue.folder.line.setText(str(review_beside(target)))
            self.queue.target.line.setText(str(target))
            actions["Review"] = self.load_queue
        actions["Dismiss"] = self.notice.clear
        self.notice.say(colour, words, actions)

    def open_report(self) -> None:
        """Show the report in the system's browser."""
        if self._report_page is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._report_page)))

    # -- review --------------------------------------------------------------------------

    def load_queue(self) -> None:
        """List what waits in the review folder."""
        folder = self.queue.folder.path
        try:
            if folder is None:
                raise InputError("A review folder is needed.", hint="Choose it under From.")
            waiting = read_queue(folder)
        except MedlabelError as err:
            self.show_error(err)
            return
        self.notice.clear()
        self.tabs.setCurrentWidget(self.queue)
        self.queue.show_waiting(waiting)

    def _draw(self, waiting: Waiting) -> None:
        """Draw an image's views in the background, the last one asked for."""
        self._wanted = waiting
        folder = self.queue.folder.path
        if self._drawing.is_busy or folder is None:
            return
        self._wanted = None

        def done(views: tuple[Picture, ...]) -> None:
            self.queue.show_views(waiting.token, views)
            if self._wanted is not None:
                self._draw(self._wanted)

        self._drawing.run(
            lambda: views_of_waiting(folder, waiting, "Image", largest=_VIEW),
            done,
            self.show_error,
        )

    def carry_out(self, accept: list[str], reject: list[str]) -> None:
        """Move what was accepted and delete what was rejected; that is logged first."""
        folder, target = self.queue.folder.path, self.queue.target.path
        try:
            if folder is None or target is None:
                raise InputError(
                    "Accepted images need a folder to go to.", hint="Choose it under To."
                )
            check_batch(target, read_queue(folder))
            desk = WORKPLACE.desk()
        except MedlabelError as err:
            self.show_error(err)
            return
        self._begin("Moving accepted images …")
        self._background.run(
            lambda: decide_logged(folder, target, desk, accept=accept, reject=reject),
            self._carried_out,
            self._failed,
            self._stopped,
        )

    def _carried_out(self, done: Decided) -> None:
        self.load_queue()
        self._ended(
            f"{done.accepted} accepted and moved, {done.rejected} rejected and deleted, "
            f"{done.left} still waiting."
        )

    # -- showing -------------------------------------------------------------------------

    def show_error(self, err: MedlabelError) -> None:
        """Show an error's two sentences; they stay until dismissed."""
        words = f"{err.message}\n{err.hint}".strip()
        self.notice.say("red", words, {"Dismiss": self.notice.clear})

    def _begin(self, words: str) -> None:
        self.notice.clear()
        self.start_button.setEnabled(False)
        self.tabs.setEnabled(False)
        self.progress.begin(words)

    def _stopped(self) -> None:
        self.progress.end()
        self.start_button.setEnabled(True)
        self.tabs.setEnabled(True)

    def _ended(self, words: str) -> None:
        self._stopped()
        self.notice.say("green", words, {"Dismiss": self.notice.clear})

    def _failed(self, err: MedlabelError) -> None:
        self._stopped()
        self.show_error(err)

    def _cancel(self) -> None:
        self.progress.cancel_button.setEnabled(False)
        self._background.cancel()

    def closeEvent(self, event: Any) -> None:
        """End what is under way; a run that was broken off leaves nothing."""
        self._background.cancel()
        super().closeEvent(event)
