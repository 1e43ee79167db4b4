"""The preview: a table of attributes with what would become of each, and by which rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QSortFilterProxyModel, Qt, Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from napari_medlabel.deid.report.explain import Outcome, Row
from napari_medlabel.deid.report.explain_folder import Summary
from napari_medlabel.session.deid_values import ShownRow

COLUMNS: Final = ("Attribute", "Outcome", "Action", "Rule", "Series", "Value now")
_VALUE: Final = 5
_COLOURS: Final = {
    Outcome.KEPT: "#2e9d5f",
    Outcome.ITEMS: "#2e9d5f",
    Outcome.LOOKED: "#c08a1a",
    Outcome.REMOVED: "#d0605e",
}
_ANY: Final = "all outcomes"
_NONE: Final = QModelIndex()


@dataclass(frozen=True)
class Line:
    """One line of the table; `value` only where the person asked for it."""

    row: Row
    series: str = ""
    value: str = ""


class PreviewModel(QAbstractTableModel):
    """Lines as Qt asks for them."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self.lines: tuple[Line, ...] = ()

    def show_lines(self, lines: Sequence[Line]) -> None:
        """Take over new lines."""
        self.beginResetModel()
        self.lines = tuple(lines)
        self.endResetModel()

    def rowCount(self, parent: QModelIndex = _NONE) -> int:
        """Count of lines."""
        return 0 if parent.isValid() else len(self.lines)

    def columnCount(self, parent: QModelIndex = _NONE) -> int:
        """Count of columns."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Any, role: int = 0) -> Any:
        """Heading of a column."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section]
        return None

    def data(self, index: QModelIndex, role: int = 0) -> Any:
        """Text of a cell, whole in its tool tip, and the colour of the outcome."""
        if not index.isValid():
            return None
        line, column = self.lines[index.row()], index.column()
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return _cell(line, column)
        if role == Qt.ItemDataRole.ForegroundRole and column == 1:
            colour = _COLOURS.get(line.row.outcome)
            return QColor(colour) if colour else None
        return None


def _cell(line: Line, column: int) -> str:
    row = line.row
    cells = (row.path, row.outcome.value, row.action, row.rule, line.series, line.value)
    return cells[column]


class _Filter(QSortFilterProxyModel):
    """Lines that hold a text in any column and have an outcome."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self.text, self.outcome = "", ""

    def look_for(self, text: str, outcome: str) -> None:
        """Show lines with a text and an outcome; empty for any."""
        self.text, self.outcome = text.lower(), outcome
        self.invalidate()

    def filterAcceptsRow(self, row: int, _parent: QModelIndex) -> bool:
        """Whether a line is shown."""
        model = self.sourceModel()
        line = model.lines[row]
        if self.outcome and line.row.outcome.value != self.outcome:
            return False
        return any(self.text in _cell(line, column).lower() for column in range(len(COLUMNS)))


class PreviewTable(QWidget):
    """Shows rows; values appear only when `show_values` gives them."""

    values_requested = Signal()
    preview_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.preview_button = QPushButton("Preview the folder")
        self.values_button = QPushButton("Show values of the open scan")
        self.values_button.setToolTip(
            "Shows whose scan it is on this screen. That is written into the audit log."
        )
        self.words = QLabel("What would be done shows here before anything is written.")
        self.words.setWordWrap(True)
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("filter: attribute, rule, action …")
        self.filter.setClearButtonEnabled(True)
        self.outcomes = QComboBox()
        self.outcomes.addItems([_ANY, *(outcome.value for outcome in Outcome)])
        self.model, self._proxy = PreviewModel(self), _Filter(self)
        self._proxy.setSourceModel(self.model)
        self.table = QTableView()
        self.table.setModel(self._proxy)
        self.table.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        self.table.setEditTriggers(QTableView.EditTrigger.NoEditTriggers)
        self.table.setWordWrap(False)
        self.table.verticalHeader().hide()
        self.table.setColumnHidden(_VALUE, True)
        self._lay_out()
        self.filter.textChanged.connect(self._filter)
        self.outcomes.currentTextChanged.connect(self._filter)
        self.values_button.clicked.connect(self.values_requested)
        self.preview_button.clicked.connect(self.preview_requested)

    def _lay_out(self) -> None:
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setStretchLastSection(True)
        for column, width in enumerate((150, 80, 55, 230, 45, 105)):
            header.resizeSection(column, width)
        header.moveSection(_VALUE, 1)  # beside the attribute, when it is shown
        looking = QHBoxLayout()
        looking.addWidget(self.filter, 1)
        looking.addWidget(self.outcomes)
        column = QVBoxLayout(self)
        for part in (self.preview_button, self.values_button, self.words):
            column.addWidget(part)
        column.addLayout(looking)
        column.addWidget(self.table, 1)

    @property
    def shown(self) -> int:
        """Count of lines that the filter lets through."""
        return int(self._proxy.rowCount())

    def show_summary(self, summary: Summary) -> None:
        """Show what would become of a folder, without values."""
        self.table.setColumnHidden(_VALUE, True)
        self.table.setColumnHidden(_VALUE - 1, False)
        self.model.show_lines([Line(each.row, str(each.series)) for each in summary.rows])
        words = (
            f"One file of each of {summary.series} series looked at, of {summary.files} DICOM "
            "files. Pixels are looked at in the run."
        )
        refused = [f"Not passed on: {n} files ({why})." for why, n in summary.refused.items()]
        self.words.setText("\n".join([words, *refused]))

    def show_values(self, rows: Sequence[ShownRow]) -> None:
        """Show the open scan's rows with their values."""
        self.model.show_lines([Line(each.row, value=each.value) for each in rows])
        self.table.setColumnHidden(_VALUE, False)
        self.table.setColumnHidden(_VALUE - 1, True)
        self.words.setText(
            "Values of the open scan's middle image. That they were shown is in the audit log."
        )

    def forget(self) -> None:
        """Show nothing: what was shown is not what would be done any more."""
        self.model.show_lines(())
        self.table.setColumnHidden(_VALUE, True)
        self.words.setText("Something was changed above: preview again.")

    def _filter(self) -> None:
        outcome = self.outcomes.currentText()
        self._proxy.look_for(self.filter.text().strip(), "" if outcome == _ANY else outcome)
