"""How many views there are, and whether the cross-hair is drawn."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QComboBox, QGridLayout, QLabel, QWidget


class LayoutPanel(QWidget):
    """Asks for a layout; knows neither napari nor the session.

    Parameters
    ----------
    layouts : sequence of str
        Their names.
    """

    layout_requested = Signal(str)
    lines_requested = Signal(bool)
    panels_requested = Signal(bool)

    def __init__(self, layouts: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = QLabel("Views")
        self.layout_box = QComboBox()
        self.layout_box.addItems(list(layouts))
        self.layout_box.setAccessibleName("Layout of the views")
        self.layout_box.activated.connect(
            lambda index: self.layout_requested.emit(self.layout_box.itemText(index))
        )
        self.lines_box = QCheckBox("Cross-hair")
        self.lines_box.clicked.connect(self.lines_requested)
        self.panels_box = QCheckBox("Napari's panels")
        self.panels_box.setChecked(True)
        self.panels_box.clicked.connect(self.panels_requested)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setColumnStretch(1, 1)
        grid.addWidget(self._title, 0, 0)
        grid.addWidget(self.layout_box, 0, 1)
        grid.addWidget(self.lines_box, 1, 0)
        grid.addWidget(self.panels_box, 1, 1)

    def offer(self, layout_key: str, lines_key: str, panels_key: str) -> None:
        """Let a person choose; keys that do the same are named."""
        for box in (self.layout_box, self.lines_box):
            box.setEnabled(True)
        self._title.setText(f"Views ({layout_key})" if layout_key else "Views")
        self.layout_box.setToolTip("Axial, coronal and sagittal together, on one cross-hair")
        self.lines_box.setText(f"Cross-hair ({lines_key})" if lines_key else "Cross-hair")
        self.lines_box.setToolTip("Draw where the other views lie")
        words = "Napari's panels"
        self.panels_box.setText(f"{words} ({panels_key})" if panels_key else words)
        self.panels_box.setToolTip("The list of layers and their controls: more room without")

    def say_pair(self) -> None:
        """Say what two scans need."""
        self.layout_box.setToolTip("Two scans: open the other one first, with Compare with…")

    def refuse(self, reason: str) -> None:
        """Offer nothing, and say why."""
        for box in (self.layout_box, self.lines_box):
            box.setEnabled(False)
            box.setToolTip(reason)

    def show_layout(self, name: str) -> None:
        """Mark the layout in use."""
        self.layout_box.setCurrentText(name)

    def show_lines(self, shown: bool) -> None:
        """Mark whether the lines are drawn."""
        self.lines_box.setChecked(shown)

    def show_panels(self, shown: bool) -> None:
        """Mark whether napari's own panels are there."""
        self.panels_box.setChecked(shown)
