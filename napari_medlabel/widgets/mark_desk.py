"""What the dock does about landmarks and measurements."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QObject
from qtpy.QtWidgets import QWidget

from napari_medlabel.plugin.binding import Binding
from napari_medlabel.plugin.landmark_layer import LandmarkLayer
from napari_medlabel.session.case import Session


class MarkDesk(QObject):
    """One of the desks of the dock; see `napari_medlabel.widgets.dock`.

    Parameters
    ----------
    dock : MedlabelDock
        Whose desk it is.
    """

    def __init__(self, dock: Any) -> None:
        super().__init__(dock)
        self.dock = dock
        self._landmarks: LandmarkLayer | None = None
        self.panel = QWidget()
        self.panel.hide()

    def case_opened(self, session: Session, binding: Binding) -> None:
        """Begin to serve a case that has just been shown."""
        self._landmarks = binding.landmarks
        self._landmarks.refused.connect(self.dock.show_error)

    def case_closed(self) -> None:
        """Let go of the case; its layers are still there."""
        if self._landmarks is not None:
            self._landmarks.refused.disconnect(self.dock.show_error)
            self._landmarks = None
