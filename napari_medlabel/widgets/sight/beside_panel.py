"""Comparing with another scan: which one, how it lies, and how strongly it is laid over."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QCheckBox, QGridLayout, QLabel, QPushButton, QSlider, QWidget

from napari_medlabel.widgets.values_box import ValuesBox

_NONE = "Open another scan first"
_NOT_OVER = "Lay the other scan over this one first"


class BesidePanel(QWidget):
    """Asks for another scan and how to show it; knows neither napari nor the session."""

    folder_requested = Signal()
    fuse_requested = Signal()
    blend_requested = Signal(float)
    checker_requested = Signal(bool)
    close_requested = Signal()
    values_requested = Signal(str)
    """As which values the other scan is to be read."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.open_button = QPushButton("Compare with…")
        self.close_button = QPushButton("Close it")
        self.words = QLabel()
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        self.words.setWordWrap(True)
        self.words.hide()
        self.fuse_button = QPushButton("Lay over")
        self.checker_box = QCheckBox("Checker")
        self.blend = QSlider(Qt.Orientation.Horizontal)
        self.blend.setRange(0, 100)
        self.blend.setAccessibleName("Strength of the scan laid over")
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.addWidget(self.open_button, 0, 0, 1, 2)
        grid.addWidget(self.close_button, 0, 2)
        grid.addWidget(self.words, 1, 0, 1, 3)
        self.values = ValuesBox()
        grid.addWidget(self.values, 2, 0, 1, 3)
        grid.addWidget(self.fuse_button, 3, 0)
        grid.addWidget(self.blend, 3, 1)
        grid.addWidget(self.checker_box, 3, 2)
        self.values.values_requested.connect(self.values_requested)
        self.open_button.clicked.connect(lambda _on: self.folder_requested.emit())
        self.close_button.clicked.connect(lambda _on: self.close_requested.emit())
        self.fuse_button.clicked.connect(lambda _on: self.fuse_requested.emit())
        self.blend.valueChanged.connect(lambda n: self.blend_requested.emit(n / 100))
        self.checker_box.clicked.connect(self.checker_requested)
        self.show_none()

    def show_none(self, reason: str = "") -> None:
        """Show that there is no other scan; with a reason none can be opened."""
        self.open_button.setEnabled(not reason)
        self.open_button.setToolTip(
            reason
            or "A folder with an earlier scan, a PET, another sequence: beside this one, or "
            "dropped on the window"
        )
        self.words.hide()
        for part in (self.close_button, self.fuse_button):
            part.setEnabled(False)
            part.setToolTip(reason or _NONE)
        self.values.show_none(reason or _NONE)
        self.show_fused(None, reason or _NONE)

    def show_scan(self, words: str, why_not_over: str) -> None:
        """Show how the other scan lies, and why it cannot be laid over; empty when it can."""
        self.words.setText(words)
        self.words.show()
        self.close_button.setEnabled(True)
        self.close_button.setToolTip("Take the other scan away")
        self.fuse_button.setEnabled(not why_not_over)
        self.fuse_button.setToolTip(
            why_not_over or "Resamples it to this scan's voxels, linearly: for looking only"
        )
        self.show_fused(None, why_not_over or _NOT_OVER)

    def show_fused(self, strength: float | None, words: str) -> None:
        """Show how strongly it is laid over, None for not at all, and what that does or why."""
        for part in (self.blend, self.checker_box):
            part.setEnabled(strength is not None)
            part.setToolTip(words)
        blocked = self.blend.blockSignals(True)
        self.blend.setValue(round(100 * (strength or 0.0)))
        self.blend.blockSignals(blocked)
        if strength is None:
            self.checker_box.setChecked(False)
