"""The statistics of all segments as a table: to look at, to copy, to save as CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QApplication,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_medlabel.export.segment_statistics import cell_text, shown


class StatisticsDialog(QDialog):
    """Shows a table of statistics; knows neither napari nor the session.

    Parameters
    ----------
    records : sequence of mapping
        The rows.
    parent : QWidget, optional
        The dialog's parent.
    note : str
        What is to be known of these numbers beside what is always said.
    """

    save_requested = Signal(object)
    """The path (Path) that the person chose for the CSV file."""

    def __init__(
        self,
        records: Sequence[Mapping[str, Any]],
        parent: QWidget | None = None,
        note: str = "",
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Statistics of the segments")
        self._records = tuple(records)
        names = list(records[0]) if records else []
        self.table = QTableWidget(len(records), len(names))
        self.table.setHorizontalHeaderLabels(names)
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.verticalHeader().hide()
        for row, record in enumerate(records):
            for column, value in enumerate(record.values()):
                item = QTableWidgetItem(shown(value))
                if not isinstance(value, str):
                    item.setTextAlignment(
                        Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                    )
                self.table.setItem(row, column, item)
        self.table.resizeColumnsToContents()
        self.said = QLabel(
            "SD is that of a sample. Diameters end halfway between voxels; the axes are the "
            "longest line in a slice and the longest at a right angle to it."
            + (f" {note}" if note else "")
        )
        self.said.setWordWrap(True)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.copy_button = buttons.addButton("Copy", QDialogButtonBox.ButtonRole.ActionRole)
        self.copy_button.setToolTip("The whole table, for a spreadsheet")
        self.copy_button.clicked.connect(self.copy)
        self.save_button = buttons.addButton(
            "Save as CSV…", QDialogButtonBox.ButtonRole.ActionRole
        )
        self.save_button.setToolTip(
            "The table without anybody's identity, units in the headers"
        )
        self.save_button.clicked.connect(self._ask_path)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(self.table)
        column.addWidget(self.said)
        column.addWidget(buttons)
        self.resize(900, 360)

    def copy(self) -> None:
        """Put the table on the clipboard, cells apart by tabs."""
        lines = ["\t".join(self._records[0])] if self._records else []
        lines += [
            "\t".join(cell_text(value) for value in record.values()) for record in self._records
        ]
        clipboard = QApplication.clipboard()
        if clipboard is not None:
            clipboard.setText("\n".join(lines))
        self.say("Copied.")

    def say(self, words: str) -> None:
        """Tell what came of copying or saving."""
        self.said.setText(words)

    def _ask_path(self) -> None:
        name, _ = QFileDialog.getSaveFileName(
            self, "Save the statistics", "statistics.csv", "CSV (*.csv)"
        )
        if name:
            self.save_requested.emit(Path(name))
