"""The window of agreement: compares a study's readings, opens cases, saves the report."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from qtpy.QtCore import QObject
from qtpy.QtWidgets import QDockWidget, QFileDialog

from napari_medlabel import __version__
from napari_medlabel.errors import MedlabelError, RefusedError
from napari_medlabel.project.agreement.gallery import gallery
from napari_medlabel.project.agreement.plots import DARK, LIGHT, Theme
from napari_medlabel.project.agreement.report import Facts, Summary, summarise
from napari_medlabel.project.layout import CaseId
from napari_medlabel.project.settings import Role
from napari_medlabel.session.study.comparing import (
    Compared,
    compare_study,
    for_eyes_of,
)
from napari_medlabel.session.study.comparing_files import write_comparison
from napari_medlabel.session.study.disputes import ready_cases
from napari_medlabel.session.study.seat import require_role
from napari_medlabel.widgets.background import Background
from napari_medlabel.widgets.study.agreement_panel import AgreementPanel

NAME: Final = "Agreement"
SEERS: Final[frozenset[Role]] = frozenset({"adjudicator", "releaser", "manager"})
"""Roles that see how well readings agree."""
_SIZE: Final = (860, 640)


def show_agreement(study: Any) -> AgreementWindow | None:
    """Show the window of agreement of a study, in front; the dock says where it may not be.

    Parameters
    ----------
    study : StudyDesk
        With a seat.
    """
    try:
        require_role(study.seat, *sorted(SEERS))
    except RefusedError as err:
        study.dock.show_error(err)
        return None
    known = study.findChild(AgreementWindow)
    window = AgreementWindow(study) if known is None else known
    window.show()
    return window


class AgreementWindow(QObject):
    """Ties the panel of agreement to a study.

    Parameters
    ----------
    study : StudyDesk
        With a seat.
    """

    def __init__(self, study: Any) -> None:
        super().__init__(study)
        self.study = study
        self.found: Compared | None = None
        self.summary: Summary | None = None
        self._is_first = True
        self.background = Background(self)
        self.panel = AgreementPanel()
        viewer = study.dock.viewer
        self.frame: QDockWidget = viewer.window.add_dock_widget(
            self.panel, name=NAME, area="right", tabify=False
        )
        self.frame.setFloating(True)
        self.frame.resize(*_SIZE)
        panel = self.panel
        if "adjudicator" in study.seat.rater.roles:
            panel.tabs.setCurrentWidget(panel.cases_page)
        panel.compare_requested.connect(self.compare)
        panel.export_requested.connect(self.ask_where)
        panel.case_wanted.connect(self.open_case)
        panel.progress.cancel_requested.connect(self.background.cancel)
        self.background.progressed.connect(panel.progress.show_progress)
        viewer.events.theme.connect(self._draw)
        study.worklist_changed.connect(self._list)
        study.study_closed.connect(self._leave)

    def show(self) -> None:
        """Bring it to the front, with the cases that can be settled now."""
        self.frame.show()
        self.frame.raise_()
        self._list()

    def compare(self, is_first: bool, with_staple: bool) -> None:
        """Compare all readings in the background."""
        seat = self.study.seat
        if seat is None or self.background.is_busy:
            return
        self._is_first = is_first
        self.panel.notice.clear()
        self.panel.begin("Comparing the readings of all cases …")
        tell = self.background.tell

        def work() -> tuple[Compared, Summary]:
            found = compare_study(seat, is_first=is_first, with_staple=with_staple, tick=tell)
            found = for_eyes_of(seat, found)
            return found, summarise(found.table, found.answers, seed=seat.settings.seed)

        self.background.run(work, lambda got: self._show(*got), self._failed, self._cancelled)

    def _show(self, found: Compared, summary: Summary) -> None:
        self.found, self.summary = found, summary
        self.panel.end(has_result=True)
        left = [f"{count} {why}" for why, count in found.left_out.items() if count]
        self.panel.show_summary(summary, found.cases, left)
        self._draw()

    def _failed(self, err: MedlabelError) -> None:
        self._cancelled()
        self.panel.notice.say(
            "red", f"{err.message} {err.hint}", {"Dismiss": self.panel.notice.clear}
        )

    def _cancelled(self) -> None:
        self.panel.end(has_result=self.found is not None)

    def _draw(self, _event: object = None) -> None:
        """Draw the plots in the window's colours."""
        if self.found is None or self.summary is None:
            return
        plots = gallery(
            self.summary, self.found.answers, self.found.performances, self._theme()
        )
        self.panel.show_plots(plots)

    def _theme(self) -> Theme:
        from napari.utils.theme import get_system_theme

        name = str(self.study.dock.viewer.theme)
        return LIGHT if "light" in (get_system_theme() if name == "system" else name) else DARK

    def _list(self) -> None:
        """List the cases that can be settled."""
        seat = self.study.seat
        if seat is None or self.background.is_busy:
            return
        self.background.run(lambda: ready_cases(seat), self.panel.show_cases, self._failed)

    # -- what is done with it ------------------------------------------------------------

    def open_case(self, name: str) -> None:
        """Open a case to settle it, or to look at it where that is another's work."""
        seat = self.study.seat
        if seat is None:
            return
        purpose = "adjudicate" if "adjudicator" in seat.rater.roles else "look"
        if self.study.open_reading(purpose, CaseId.parse(name), seat.settings.slots[0]):
            self.frame.hide()  # it floats over the canvas; its button brings it back

    def ask_where(self) -> None:
        """Ask for a folder, and save report, tables and plots there."""
        folder = QFileDialog.getExistingDirectory(self.panel, "Save the report into a folder")
        if folder:
            self.export(Path(folder))

    def export(self, folder: Path) -> None:
        """Save report, tables and plots into a folder, in the background."""
        seat, found, summary = self.study.seat, self.found, self.summary
        if seat is None or found is None or summary is None or self.background.is_busy:
            return
        facts = Facts(
            seat.settings,
            f"napari-medlabel {__version__}",
            found.cases,
            found.left_out,
            is_first=self._is_first,
            repeats=found.repeats,
        )
        self.panel.begin("Saving …")

        def done(paths: tuple[Path, ...]) -> None:
            self._cancelled()
            self.panel.notice.say(
                "green",
                f"{len(paths)} files are in the folder; the report is agreement.md.",
                {"Dismiss": self.panel.notice.clear},
            )

        self.background.run(
            lambda: write_comparison(folder, found, summary, facts), done, self._failed
        )

    def _leave(self) -> None:
        """Go with the study: its numbers are nobody else's."""
        self.background.cancel()
        self.study.dock.viewer.events.theme.disconnect(self._draw)
        self.study.worklist_changed.disconnect(self._list)
        self.study.dock.viewer.window.remove_dock_widget(self.panel)
        self.setParent(None)
        self.deleteLater()
