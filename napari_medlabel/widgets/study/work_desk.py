"""The work on a study: worklist, next case, the clock, what is submitted."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QWidget

from napari_medlabel.project.work.notes import WorkNotes


class WorkDesk(QObject):
    """One of the desks of a study.

    Parameters
    ----------
    study : StudyDesk
        The study it serves.
    """

    notes_changed = Signal()
    """The notes beside the open work are others: answers, absent labels, or a reading opened
    or closed. Time and slices alone do not tell."""

    def __init__(self, study: Any) -> None:
        super().__init__(study)
        self.study = study
        self.panel = QWidget()
        self.panel.hide()
        self._notes: WorkNotes | None = None

    # -- notes ---------------------------------------------------------------------------

    @property
    def notes(self) -> WorkNotes | None:
        """Notes beside the open work, as they are to be written; None where none is open."""
        return self._notes

    def put_answers(self, answers: Mapping[str, Any]) -> None:
        """Take the answers to the study's questions, all of them; checked by who asks."""
        self._put(answers=dict(answers))

    def put_absent(self, absent: Collection[str]) -> None:
        """Take the ids of all labels of which the annotator says that there is nothing."""
        self._put(absent=frozenset(absent))

    def _put(self, **what: Any) -> None:
        if self._notes is None:
            return
        after = replace(self._notes, **what)
        if after != self._notes:
            self._notes = after
            self.notes_changed.emit()
