"""The measurements: what to draw next, and a table of what was measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_medlabel.model.measurements import MeasurementSet
from napari_medlabel.widgets.rows import Rows

KINDS: Final = {
    "line": ("Line", "Length between two points"),
    "angle": ("Angle", "Angle at a corner between two arms"),
    "bidirectional": ("Bidirectional", "Long axis and the short axis across it (RECIST)"),
    "curve": ("Curve", "Length along a curve"),
    "closed-curve": ("Outline", "Area inside an outline, and what its voxels say"),
    "ellipse": ("Ellipse", "Area of an ellipse, and what its voxels say"),
    "box": ("Box", "Area of a box, and what its voxels say"),
}
_NAME, _VALUE = range(2)


class MeasurePanel(QWidget):
    """Shows measurements and asks for changes; knows neither napari nor the session."""

    kind_requested = Signal(str)
    go_requested = Signal(str)
    choose_requested = Signal(str)
    rename_requested = Signal(str, str)
    delete_requested = Signal(str)
    lock_requested = Signal(str, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._measured = MeasurementSet()
        self._values: Mapping[str, str] = {}
        self._filling = False
        self.buttons: dict[str, QPushButton] = {}
        for kind, (name, told) in KINDS.items():
            button = QPushButton(name)
            button.setCheckable(True)
            button.setToolTip(f"{told}. The key O goes on with the kind used last.")
            button.clicked.connect(lambda on, k=kind: self.kind_requested.emit(k if on else ""))
            self.buttons[kind] = button
        self.line = QLabel()
        self.line.setWordWrap(True)
        self.table = QTableWidget(0, 2)
        self.table.setHorizontalHeaderLabels(["Measurement", "Value"])
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        self.table.verticalHeader().hide()
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(_NAME, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(_VALUE, QHeaderView.ResizeMode.Stretch)
        self.table.cellClicked.connect(self._go)
        self.table.itemChanged.connect(self._rename)
        self.table.itemSelectionChanged.connect(self._on_selected)
        self.copy_button, self.delete_button = QPushButton("Copy table"), QPushButton("Delete")
        self.copy_button.setToolTip("Copy names and values, for a spreadsheet")
        self.copy_button.clicked.connect(self._copy)
        self.delete_button.clicked.connect(lambda: self._ask(self.delete_requested.emit))
        self.lock_button = QPushButton("Lock")
        self.lock_button.setCheckable(True)
        self.lock_button.clicked.connect(
            lambda on: self._ask(lambda name: self.lock_requested.emit(name, on))
        )
        self._lay_out()
        self._show_state()

    def _lay_out(self) -> None:
        kinds = Rows(*self.buttons.values(), gap_px=6)
        below = Rows(self.delete_button, self.lock_button, self.copy_button, gap_px=6)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(kinds)
        column.addWidget(self.line)
        column.addWidget(self.table)
        column.addWidget(below)

    # -- showing -------------------------------------------------------------------------

    def show_measurements(self, measured: MeasurementSet, values: Mapping[str, str]) -> None:
        """Fill the table; ``values`` has the words for each name."""
        kept = self.selected
        self._measured, self._values = measured, values
        self._filling = True
        self.table.setRowCount(len(measured))
        for row, one in enumerate(measured):
            name = QTableWidgetItem(one.name)
            name.setToolTip("Double-click to rename")
            told = f"{values[one.name]}  (locked)" if one.locked else values[one.name]
            value = QTableWidgetItem(told)
            value.setFlags(Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEnabled)
            value.setToolTip(told)
            self.table.setItem(row, _NAME, name)
            self.table.setItem(row, _VALUE, value)
        self._mark(kept)
        self._filling = False
        self._show_state()

    def select(self, name: str) -> None:
        """Mark the row of a measurement; empty for none."""
        if name != self.selected:
            self._filling = True
            self._mark(name)
            self._filling = False
            self._show_state()

    def _mark(self, name: str) -> None:
        names = [one.name for one in self._measured]
        if name in names:
            self.table.setCurrentCell(names.index(name), _NAME)
        else:
            # The row that moves up is not the one that was chosen.
            self.table.clearSelection()
            self.table.setCurrentCell(-1, -1)

    def show_kind(self, kind: str) -> None:
        """Show which kind clicks draw; empty for none."""
        for known, button in self.buttons.items():
            button.setChecked(known == kind)
        if not kind:
            self.say("")

    def say(self, words: str) -> None:
        """Say what to do next, or the value so far."""
        self.line.setText(words)

    @property
    def selected(self) -> str:
        """Name of the chosen measurement, empty for none."""
        row = self.table.currentRow()
        names = [one.name for one in self._measured]
        return names[row] if 0 <= row < len(names) else ""

    # -- asking --------------------------------------------------------------------------

    def _show_state(self) -> None:
        name = self.selected
        one = self._measured[name] if name else None
        locked = one is not None and one.locked
        self.delete_button.setEnabled(one is not None and not locked)
        self.lock_button.setEnabled(one is not None)
        self.lock_button.setChecked(locked)
        self.lock_button.setText("Unlock" if locked else "Lock")
        choose = "Choose a measurement in the table first."
        self.lock_button.setToolTip(
            choose if one is None else "Keep it as it is, or let it be changed"
        )
        told = (
            "It is locked: unlock it first."
            if locked
            else "Take it away (Delete); Undo brings it back"
        )
        self.delete_button.setToolTip(choose if one is None else told)

    def _on_selected(self) -> None:
        self._show_state()
        if not self._filling:
            self.choose_requested.emit(self.selected)

    def _ask(self, emit: Callable[[str], object]) -> None:
        if self.selected:
            emit(self.selected)

    def _go(self, row: int, _column: int) -> None:
        self.go_requested.emit(self._measured.measurements[row].name)

    def _rename(self, item: QTableWidgetItem) -> None:
        if self._filling or item.column() != _NAME:
            return
        old = self._measured.measurements[item.row()].name
        if item.text() != old:
            self.rename_requested.emit(old, item.text())

    def _copy(self) -> None:
        board = QApplication.clipboard()
        if board is not None:
            rows = [f"{one.name}\t{self._values[one.name]}" for one in self._measured]
            board.setText("\n".join(("Measurement\tValue", *rows)))
