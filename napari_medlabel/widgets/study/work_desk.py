"""The work on a study: worklist, next case, the clock, what is submitted."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QObject
from qtpy.QtWidgets import QWidget


class WorkDesk(QObject):
    """One of the desks of a study.

    Parameters
    ----------
    study : StudyDesk
        The study it serves.
    """

    def __init__(self, study: Any) -> None:
        super().__init__(study)
        self.study = study
        self.panel = QWidget()
        self.panel.hide()
