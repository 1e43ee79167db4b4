"""The guidelines' place in the window: a dock of their own, opened when there is news."""

from __future__ import annotations

from typing import Any, Final

from qtpy.QtCore import QObject, QTimer, QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QMessageBox, QWidget

from napari_medlabel.errors import MedlabelError
from napari_medlabel.plugin.keys import Keys
from napari_medlabel.project.guidelines import Guidelines, read_guidelines
from napari_medlabel.project.ontology.labels import OntologyLabel
from napari_medlabel.session.study.guidelines_seen import last_seen, note_seen
from napari_medlabel.session.study.seat import Seat
from napari_medlabel.widgets.background import Background
from napari_medlabel.widgets.dock_keys import DockKeys
from napari_medlabel.widgets.study.guideline_panel import GuidelinePanel

NAME: Final = "Guidelines"


class GuidelineDock(QObject):
    """Shows the guidelines of the study at which somebody sits.

    Parameters
    ----------
    study : StudyDesk
        The study it serves.
    """

    def __init__(self, study: Any) -> None:
        super().__init__(study)
        self.study = study
        self.panel: GuidelinePanel | None = None
        self.guidelines: Guidelines | None = None
        self._label: tuple[OntologyLabel | None, str] = (None, "")
        self._keys: Keys | None = None
        self._passing: DockKeys | None = None
        self._reader = Background(self)
        self._is_wanted = False

    # -- the study -----------------------------------------------------------------------

    def study_opened(self, seat: Seat) -> None:
        """Read the guidelines; open by itself where the rater has not read these."""
        self.look_again(seat)

    def look_again(self, seat: Seat) -> None:
        """Read the guidelines where they may have changed, and say so once they have.

        Every picture is read for the digest: in the background, for a share takes its time.
        """
        if self._reader.is_busy:
            self._reader.when_free(lambda: self._look_later(seat))
            return
        self._reader.run(
            lambda: read_guidelines(seat.layout.guidelines),
            lambda found: self._found(seat, found),
            lambda err: self._failed(seat, err),
        )

    def _look_later(self, seat: Seat) -> None:
        if seat is self.study.seat:
            self.look_again(seat)

    def _failed(self, seat: Seat, err: MedlabelError) -> None:
        if seat is self.study.seat:
            self.study.dock.show_error(err)

    def _found(self, seat: Seat, found: Guidelines) -> None:
        if seat is not self.study.seat:
            return
        is_new = self.guidelines is None or found.digest != self.guidelines.digest
        self.guidelines = found
        if is_new:
            self._fill()
            if self._is_wanted or self._is_news(seat):
                self.show(True)

    def study_closed(self) -> None:
        """Take the guidelines away: they are of a study that is left."""
        self.show(False)
        self.guidelines = None
        self._label = (None, "")

    def show_label(self, label: OntologyLabel | None, unit: str = "") -> None:
        """Show what is said about the label in hand; None for no label."""
        self._label = (label, unit)
        if self.panel is not None:
            self.panel.show_label(label, unit)

    def serve(self, keys: Keys | None) -> None:
        """Let the keys of a reading work here, too; None for no reading any more."""
        self._keys = keys
        # Desks bind theirs in a moment.
        QTimer.singleShot(0, self._pass_on)

    def _pass_on(self) -> None:
        if self._passing is not None:
            self._passing.end()
            self._passing = None
        if self._keys is not None and self.panel is not None:
            self._passing = DockKeys(self.panel)
            self._passing.serve(self._keys)

    # -- showing -------------------------------------------------------------------------

    @property
    def is_shown(self) -> bool:
        """Whether the guidelines are on the screen, or a tab in front of them is."""
        frame = self._frame()
        return frame is not None and not frame.isHidden()

    def toggle(self) -> None:
        """Show the guidelines, or hide them."""
        self.show(not self.is_shown)

    def show(self, on: bool) -> None:
        """Show or hide the guidelines, once they are read; without a study there are none."""
        self._is_wanted = on and self.guidelines is None and self.study.seat is not None
        if not on:
            frame = self._frame()
            if frame is not None:
                frame.hide()
            return
        if self.guidelines is None:
            return
        self._make()
        frame = self._frame()
        if frame is not None:
            frame.show()
            frame.raise_()

    def _frame(self) -> QWidget | None:
        return None if self.panel is None else self.panel.parentWidget()

    def _make(self) -> None:
        """Make the panel where there is none, or where its dock was closed for good."""
        window = getattr(self.study.dock.viewer, "window", None)
        if window is None:
            return
        known = dict(window.dock_widgets).values()
        if self.panel is not None and any(one is self.panel for one in known):
            return
        self.panel = GuidelinePanel()
        self.panel.read.connect(self.note_read)
        self.panel.link_requested.connect(self.open_link)
        self._fill()
        window.add_dock_widget(self.panel, name=NAME, area="left")
        self._passing = None  # it went with the panel before
        self._pass_on()

    def _fill(self) -> None:
        panel, seat = self.panel, self.study.seat
        if panel is None or seat is None or self.guidelines is None:
            return
        panel.show_guidelines(self.guidelines)
        self._show_news(seat)
        panel.show_label(*self._label)

    def _is_news(self, seat: Seat) -> bool:
        return self.guidelines is not None and not last_seen(seat).is_same(self.guidelines)

    def _show_news(self, seat: Seat) -> None:
        panel, guidelines = self.panel, self.guidelines
        if panel is None or guidelines is None:
            return
        seen = last_seen(seat)
        if seen.is_same(guidelines):
            panel.show_news("")
            return
        if not seen.digest:
            panel.show_news("Read these guidelines before you begin.")
            return
        changes = seen.changes_to(guidelines)
        what = "1 section" if len(changes) == 1 else f"{len(changes)} sections"
        panel.show_news(
            f"They have changed since you read them: {what if changes else 'pictures'}. "
            "What was submitted before may have to be confirmed.",
            changes,
        )

    # -- what the person does ------------------------------------------------------------

    def note_read(self) -> None:
        """Note that they were read."""
        seat = self.study.seat
        if seat is None or self.guidelines is None:
            return
        try:
            note_seen(seat, self.guidelines)
        except MedlabelError as err:
            self.study.dock.show_error(err)
        self._show_news(seat)

    def open_link(self, address: str) -> None:
        """Ask, then show an address in the browser."""
        if ask_to_open(self.study.dock.window(), address):
            QDesktopServices.openUrl(QUrl(address))


def ask_to_open(parent: QWidget, address: str) -> bool:
    """Ask whether an address outside of the study may be opened."""
    box = QMessageBox(parent)
    box.setWindowTitle("Open a link")
    box.setText("This link leads out of the study. Open it in the browser?")
    box.setInformativeText(QUrl(address).toDisplayString())
    box.setStandardButtons(QMessageBox.StandardButton.Open | QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(QMessageBox.StandardButton.Cancel)
    return bool(box.exec() == QMessageBox.StandardButton.Open)
