"""Readings side by side: what differs, what is taken, how well they agree."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QObject
from qtpy.QtWidgets import QWidget


class CompareDesk(QObject):
    """One of the desks of a study.

    Parameters
    ----------
    study : StudyDesk
        The study it serves.
    """

    def __init__(self, study: Any) -> None:
        super().__init__(study)
        self.study = study

    @property
    def pages(self) -> tuple[tuple[str, QWidget], ...]:
        """Its pages among those of an open case, with their titles."""
        return ()
