"""What is amiss before a submission: a list that jumps to each place, and a reason to go on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_medlabel.project.work.rules import Complaint
from napari_medlabel.widgets.narrow import narrow
from napari_medlabel.widgets.rows import Rows
from napari_medlabel.widgets.study.worklist_panel import REASONS

_RULES: Final[Mapping[str, str]] = {
    "empty": "empty",
    "drawn": "drawn, said absent",
    "unknown": "unknown value",
    "range": "range",
    "small": "too small",
    "parts": "too many parts",
    "side": "wrong side",
    "unseen": "not shown",
    "unsaved": "not saved",
    "answer": "answer",
}
_MOST_PX: Final = 260


class ComplaintsPanel(QWidget):
    """Lists complaints; knows neither napari nor the session."""

    jump_requested = Signal(object)
    """A `Complaint` to be looked at."""
    submit_requested = Signal(str)
    """Submit in spite of them; with a reason's code."""
    again_requested = Signal()
    """Look again: something was mended."""
    absent_requested = Signal(object)
    """There is nothing of the labels that these complaints call empty; a tuple of them."""
    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._complaints: tuple[Complaint, ...] = ()
        self._empty: tuple[Complaint, ...] = ()
        self.absent_button = QPushButton()
        self.absent_button.hide()
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.table = QTableWidget(0, 2)
        self.table.setHorizontalHeaderLabels(["Rule", "What is amiss"])
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setTabKeyNavigation(False)
        self.table.setWordWrap(True)
        self.table.setAccessibleName("What is amiss; choose one to go to its place")
        self.table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        rows, columns = self.table.verticalHeader(), self.table.horizontalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        columns.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        columns.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self.reason = narrow(QComboBox())
        self.reason.addItem("Why is it right as it is?", "")
        for code, because in REASONS.items():
            self.reason.addItem(because, code)
        self.reason.setAccessibleName("Why it is right as it is")
        self.submit_button = QPushButton("Submit with this reason")
        self.again_button = QPushButton("Look again, and submit")
        self.close_button = QPushButton("Back to the work")
        self._lay_out()
        self.table.cellClicked.connect(lambda row, _column: self._jump(row))
        self.table.cellActivated.connect(lambda row, _column: self._jump(row))
        self.reason.currentIndexChanged.connect(lambda _index: self._show_choice())
        self.submit_button.clicked.connect(
            lambda: self.submit_requested.emit(str(self.reason.currentData()))
        )
        self.again_button.clicked.connect(self.again_requested)
        self.absent_button.clicked.connect(lambda: self.absent_requested.emit(self._empty))
        self.close_button.clicked.connect(self.closed)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 4)
        column.addWidget(self.words)
        column.addWidget(self.table)
        column.addWidget(self.absent_button)
        column.addWidget(self.reason)
        column.addWidget(self.submit_button)
        column.addWidget(Rows(self.again_button, self.close_button, gap_px=6))

    def show_complaints(
        self, complaints: Sequence[Complaint], names: Mapping[int, str]
    ) -> None:
        """List complaints, those that block first.

        Parameters
        ----------
        complaints : sequence of Complaint
            What is amiss.
        names : mapping of int to str
            Names of labels by value.
        """
        self._empty = tuple(one for one in complaints if one.rule == "empty")
        self._show_absent()
        ordered = sorted(_grouped(complaints, self._empty), key=lambda one: not one.blocks)
        self._complaints = tuple(ordered)
        blocking = sum(one.blocks for one in ordered)
        self.words.setText(_summary(len(ordered), blocking))
        self.table.setRowCount(len(ordered))
        for row, one in enumerate(ordered):
            sign = "✖" if one.blocks else "▲"
            name = names.get(one.label, "")
            cells = (f"{sign} {_RULES[one.rule]}", one.words)
            for column, text in enumerate(cells):
                item = QTableWidgetItem(text)
                item.setToolTip(_tip(one, name))
                item.setTextAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
                self.table.setItem(row, column, item)
        self.table.clearSelection()
        for part in (self.reason, self.submit_button):
            part.setVisible(not blocking)
        self.reason.setCurrentIndex(0)
        self._show_choice()
        self._fit()

    def resizeEvent(self, event: object) -> None:
        """Keep all words in sight when the dock gets another width."""
        super().resizeEvent(event)
        self._fit()

    def showEvent(self, event: object) -> None:
        """Fit the table when its width is known."""
        super().showEvent(event)
        QTimer.singleShot(0, self._fit)

    def _fit(self) -> None:
        """Be as tall as the rows, up to a limit."""
        self.table.resizeRowsToContents()
        tall = sum(self.table.rowHeight(row) for row in range(self.table.rowCount()))
        head = self.table.horizontalHeader().height()
        self.table.setFixedHeight(min(tall + head + 6, _MOST_PX))

    def _show_absent(self) -> None:
        """Offer to say at once that there is nothing of what is empty."""
        count = len(self._empty)
        it = "it" if count == 1 else "them" if count == 2 else f"all {count} of them"
        self.absent_button.setText(f"There is nothing of {it}")
        self.absent_button.setToolTip(
            f"Say that {_names(self._empty)} cannot be seen in this scan, and look again."
        )
        self.absent_button.setVisible(count > 0)

    def _show_choice(self) -> None:
        chosen = bool(self.reason.currentData())
        self.submit_button.setEnabled(chosen)
        self.submit_button.setToolTip("" if chosen else "Choose a reason: it goes to the log.")

    def _jump(self, row: int) -> None:
        if 0 <= row < len(self._complaints):
            self.jump_requested.emit(self._complaints[row])


def _grouped(
    complaints: Sequence[Complaint], empty: Sequence[Complaint]
) -> tuple[Complaint, ...]:
    """Return complaints with those about labels that are empty as one."""
    if len(empty) < 2:
        return tuple(complaints)
    words = f"Nothing is drawn of {len(empty)} labels: {_names(empty)}."
    one = Complaint("empty", words, empty[0].label, blocks=True)
    return (one, *(other for other in complaints if other.rule != "empty"))


def _names(empty: Sequence[Complaint]) -> str:
    """Return the names of labels that are empty: labels of further layers have no other."""
    return ", ".join(one.words.partition(" is empty.")[0] for one in empty)


def _summary(count: int, blocking: int) -> str:
    things = "1 thing is" if count == 1 else f"{count} things are"
    words = f"Not submitted: {things} not as the study wants. A click goes there."
    if blocking:
        must = "1 (✖) needs" if blocking == 1 else f"{blocking} (✖) need"
        return f"{words} {must} an answer or a drawing."
    return f"{words} What is right as it is goes with a reason."


def _tip(one: Complaint, name: str) -> str:
    parts = [one.words]
    if name:
        parts.append(f"Label: {name}")
    if one.slice is not None:
        parts.append(f"Slice: {one.slice}")
    return "\n".join(parts)
