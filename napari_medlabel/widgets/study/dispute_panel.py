"""Landmarks and answers on which the readings of a case differ, and whose stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_medlabel.widgets.narrow import narrow


@dataclass(frozen=True)
class Dispute:
    """One landmark or question.

    Parameters
    ----------
    name : str
        Which.
    words : str
        How the readings differ: ``"4.2 mm apart"``, or the answers by slot.
    choices : tuple of (str, str)
        What can be chosen, and its words; an empty choice leaves it to the rule.
    chosen : str
        What is.
    """

    name: str
    words: str
    choices: tuple[tuple[str, str], ...]
    chosen: str


class DisputePanel(QWidget):
    """A table of disputes with a list of choices each; hidden where there is none.

    Parameters
    ----------
    title : str
        What stands above it.
    """

    looked_at = Signal(str)
    decided = Signal(str, str)
    """A name, and what is chosen."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = QLabel(f"<b>{title}</b>")
        self.table = QTableWidget(0, 3)
        self.table.horizontalHeader().hide()
        self.table.verticalHeader().hide()
        self.table.setShowGrid(False)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        head = self.table.horizontalHeader()
        head.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        head.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        head.setSectionResizeMode(2, QHeaderView.ResizeMode.ResizeToContents)
        self.table.cellClicked.connect(self._on_cell)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.title)
        column.addWidget(self.table)
        self.hide()

    def show_disputes(self, disputes: Sequence[Dispute]) -> None:
        """Show disputes in place of those before."""
        table = self.table
        table.setRowCount(len(disputes))
        for row, one in enumerate(disputes):
            for column, words in enumerate((one.name, one.words)):
                item = QTableWidgetItem(words)
                item.setToolTip(f"{one.name}: {one.words}")
                table.setItem(row, column, item)
            box = narrow(QComboBox())
            box.setAccessibleName(f"What stands of {one.name}")
            for choice, words in one.choices:
                box.addItem(words, choice)
            box.setCurrentIndex(max(box.findData(one.chosen), 0))
            box.activated.connect(
                lambda _at, name=one.name, of=box: self.decided.emit(name, of.currentData())
            )
            table.setCellWidget(row, 2, box)
        table.setFixedHeight(min(len(disputes), 6) * 32 + 6)
        self.setVisible(bool(disputes))

    def _on_cell(self, row: int, _column: int) -> None:
        item = self.table.item(row, 0)
        if item is not None:
            self.looked_at.emit(item.text())
