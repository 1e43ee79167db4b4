"""The labels: a list with colour, name and volume; clicking one paints with it."""

from __future__ import annotations

from collections.abc import Mapping

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QColor, QIcon, QPixmap
from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_medlabel.model.labelmap import LabelScheme

FROM_FILE = "From a file…"
"""The last entry of the lists of schemes and templates."""

_NAME, _VALUE, _VOLUME = range(3)
_ROWS_SHOWN = 6


class LabelPanel(QWidget):
    """Shows a label scheme and asks for changes; knows neither napari nor the session."""

    label_requested = Signal(int)
    scheme_requested = Signal(str)

    def __init__(
        self, schemes: Mapping[str, LabelScheme], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._scheme = LabelScheme("", ())
        self._filling = False
        self.scheme_box = QComboBox()
        self.scheme_box.setToolTip("Which classes can be painted")
        for key, scheme in schemes.items():
            self.scheme_box.addItem(scheme.name, key)
        self.scheme_box.addItem(FROM_FILE, FROM_FILE)
        self.scheme_box.activated.connect(self._ask_scheme)
        self.table = QTableWidget(0, 3)
        self.table.setHorizontalHeaderLabels(["Label", "Value", "ml"])
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.verticalHeader().hide()
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(_NAME, QHeaderView.ResizeMode.Stretch)
        for column in (_VALUE, _VOLUME):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self.table.currentCellChanged.connect(self._ask_label)
        top = QHBoxLayout()
        top.addWidget(QLabel("Scheme"))
        top.addWidget(self.scheme_box, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(top)
        layout.addWidget(self.table)

    def show_scheme(self, scheme: LabelScheme) -> None:
        """Fill the list with a scheme."""
        self._scheme = scheme
        self._filling = True
        try:
            self._name_scheme(scheme.name)
            self.table.setRowCount(len(scheme.labels))
            for row, label in enumerate(scheme.labels):
                swatch = QPixmap(14, 14)
                swatch.fill(QColor(label.colour))
                name = QTableWidgetItem(QIcon(swatch), label.name)
                if label.code is not None:
                    name.setToolTip(f"{label.code.scheme} {label.code.value}")
                value = QTableWidgetItem(str(label.value))
                volume = QTableWidgetItem("")
                for item in (value, volume):
                    item.setTextAlignment(
                        Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                    )
                for column, item in enumerate((name, value, volume)):
                    self.table.setItem(row, column, item)
            height = self.table.verticalHeader().defaultSectionSize()
            self.table.setMinimumHeight(height * (min(len(scheme.labels), _ROWS_SHOWN) + 1) + 6)
        finally:
            self._filling = False

    def _name_scheme(self, name: str) -> None:
        at = self.scheme_box.findText(name)
        if at < 0:
            self.scheme_box.addItem(name, "")
            at = self.scheme_box.count() - 1
        self.scheme_box.setCurrentIndex(at)

    def show_volumes(self, volumes_ml: Mapping[int, float]) -> None:
        """Write the volume of each label, in ml."""
        for row, label in enumerate(self._scheme.labels):
            item = self.table.item(row, _VOLUME)
            if item is not None:
                ml = volumes_ml.get(label.value)
                item.setText("" if ml is None else f"{ml:.1f}")

    def show_current(self, value: int) -> None:
        """Mark the label that is being painted."""
        self._filling = True
        try:
            if value in self._scheme.values:
                self.table.setCurrentCell(self._scheme.values.index(value), _NAME)
            else:
                self.table.setCurrentCell(-1, -1)
        finally:
            self._filling = False

    def _ask_label(self, row: int, *_: int) -> None:
        if not self._filling and 0 <= row < len(self._scheme.labels):
            self.label_requested.emit(self._scheme.labels[row].value)

    def _ask_scheme(self, index: int) -> None:
        key = choose_file(self, self.scheme_box.itemData(index))
        self._name_scheme(self._scheme.name)
        if key:
            self.scheme_requested.emit(key)


def choose_file(parent: QWidget, key: str) -> str:
    """Ask for a JSON file where the entry "From a file" was chosen; else return the key."""
    if key != FROM_FILE:
        return key
    path, _ = QFileDialog.getOpenFileName(parent, "From a file", filter="JSON (*.json)")
    return str(path)
