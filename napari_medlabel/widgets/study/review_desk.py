"""Review of a reading: decisions, threads of comments, quick scores."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QObject
from qtpy.QtWidgets import QWidget

from napari_medlabel.widgets.study.decision_desk import DecisionDesk
from napari_medlabel.widgets.study.quick_look import QuickLook
from napari_medlabel.widgets.study.thread_desk import ThreadDesk


class ReviewDesk(QObject):
    """One of the desks of a study.

    Parameters
    ----------
    study : StudyDesk
        The study it serves.

    Attributes
    ----------
    threads : ThreadDesk
        Comments; `threads.jump` and `threads.go_to` show a place.
    decisions : DecisionDesk
        Approve, reject, correct, leave, unlock.
    quick : QuickLook
        `quick.start(count, seed)` begins to walk a sample.
    """

    def __init__(self, study: Any) -> None:
        super().__init__(study)
        self.study = study
        self.threads = ThreadDesk(study)
        self.decisions = DecisionDesk(study)
        self.quick = QuickLook(study)
        below = study.work.panel.layout()
        if below is not None:
            below.addWidget(self.quick.starter)
        self.threads.changed.connect(self.decisions.show_open)
        study.reading_opened.connect(self._on_opened)
        study.reading_closed.connect(self._on_closed)

    @property
    def pages(self) -> tuple[tuple[str, QWidget], ...]:
        """Its pages among those of an open case, with their titles."""
        return (
            ("Review", self.decisions.panel),
            ("Comments", self.threads.panel),
            ("Quick look", self.quick.panel),
        )

    def _on_opened(self, reading: Any) -> None:
        for desk in (self.threads, self.decisions, self.quick):
            desk.reading_opened(reading)

    def _on_closed(self) -> None:
        for desk in (self.threads, self.decisions, self.quick):
            desk.reading_closed()
