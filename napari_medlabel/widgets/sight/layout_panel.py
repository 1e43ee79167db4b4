"""How many views there are, and whether the cross-hair is drawn."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLabel, QWidget


class LayoutPanel(QWidget):
    """Asks for a layout; knows neither napari nor the session.

    Parameters
    ----------
    layouts : sequence of str
        Their names.
    """

    layout_requested = Signal(str)
    lines_requested = Signal(bool)

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
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._title)
        row.addWidget(self.layout_box, 1)
        row.addWidget(self.lines_box)

    def offer(self, layout_key: str, lines_key: str) -> None:
        """Let a person choose; keys that do the same are named."""
        for box in (self.layout_box, self.lines_box):
            box.setEnabled(True)
        self._title.setText(f"Views ({layout_key})" if layout_key else "Views")
        self.layout_box.setToolTip("Axial, coronal and sagittal together, on one cross-hair")
        self.lines_box.setText(f"Cross-hair ({lines_key})" if lines_key else "Cross-hair")
        self.lines_box.setToolTip("Draw where the other views lie")

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
