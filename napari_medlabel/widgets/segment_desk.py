"""What the dock does about segments: visibility, locks, statistics and the table of labels."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QObject
from qtpy.QtWidgets import QWidget

from napari_medlabel.plugin.binding import Binding
from napari_medlabel.session.case import Session


class SegmentDesk(QObject):
    """One of the desks of the dock; see `napari_medlabel.widgets.dock`.

    Parameters
    ----------
    dock : MedlabelDock
        Whose desk it is.
    """

    def __init__(self, dock: Any) -> None:
        super().__init__(dock)
        self.dock = dock
        self.panel = QWidget()
        self.panel.hide()

    def case_opened(self, session: Session, binding: Binding) -> None:
        """Begin to serve a case that has just been shown."""

    def case_closed(self) -> None:
        """Let go of the case; its layers are still there."""
