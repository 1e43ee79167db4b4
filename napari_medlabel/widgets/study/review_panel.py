"""A reading under review: a mark for each label and for the whole, then the decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final, Literal

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QColor, QIcon, QPixmap
from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QGridLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_medlabel.widgets.narrow import BreakingCheck
from napari_medlabel.widgets.study.review_rows import WHOLE, Finding, Mark, ReviewRow
from napari_medlabel.widgets.study.tag_row import REASON_WORDS, TagRow
from napari_medlabel.widgets.tab_order import in_order

Mode = Literal["review", "second", "unlock"]
_FINDINGS: Final[Mapping[Finding, str]] = {"": "-", "good": "✔ good", "fault": "✖ fault"}
_CORRECTED: Final = "✎ corrected"
_HEADERS: Final = ("Label", "Voxels", "ml", "Mark")
_ROW_PX: Final = 25
_ROWS_SHOWN: Final = 6
_MARK_PX: Final = 118  # "corrected" is read as a whole
_MARKED: Final = 3


class ReviewPanel(QWidget):
    """Shows a reading's labels and asks; knows neither napari nor the session."""

    approve_requested = Signal()
    reject_requested = Signal()
    correct_requested = Signal()
    leave_requested = Signal()
    unlock_requested = Signal(str)
    """A reason's code."""
    label_chosen = Signal(int)
    """The value of the label whose row was chosen: to be shown."""
    noted = Signal(int)
    """Something was said about a label, or the whole (0): now, at this place."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.marks: dict[int, Mark] = {}
        self._rows: tuple[ReviewRow, ...] = ()
        self._corrected: frozenset[int] = frozenset()
        self._open = 0
        self._mode: Mode = "review"
        self._busy = self._filling = False
        self.title, self.words, self.about = QLabel(), QLabel(), QLabel()
        for label in (self.title, self.words):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        self.title.setStyleSheet("font-weight: bold")
        self.table = self._make_table()
        self.tags = TagRow()
        self.comment = QLineEdit()
        self.comment.setPlaceholderText("Comment: no names, no dates")
        self.comment.setToolTip(
            "Becomes a thread that the annotator sees, pinned to the cross-hair. No names, no "
            "dates: it stays in the study's folder."
        )
        self.reason_box = QComboBox()
        self.reason_box.setToolTip("Why, for the log")
        for code, words in REASON_WORDS.items():
            self.reason_box.addItem(words, code)
        self.despite_box = BreakingCheck("")
        self.despite_box.setToolTip(
            "Approval says then, by the reason below, why they stay open"
        )
        self.approve_button, self.reject_button = QPushButton("Approve"), QPushButton("Reject")
        self.correct_button, self.leave_button = QPushButton("Correct"), QPushButton("Leave")
        self.unlock_button = QPushButton("Unlock")
        self._lay_out()
        self._connect()
        self.show_reading("", "", "review")

    def _make_table(self) -> QTableWidget:
        table = QTableWidget(0, len(_HEADERS))
        table.setHorizontalHeaderLabels(list(_HEADERS))
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        side, top = table.verticalHeader(), table.horizontalHeader()
        if side is not None and top is not None:
            side.hide()
            side.setDefaultSectionSize(_ROW_PX)
            top.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
            top.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
            top.setSectionResizeMode(_MARKED, QHeaderView.ResizeMode.Fixed)
        table.setColumnWidth(_MARKED, _MARK_PX)
        return table

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        self.asks, self.decides = QWidget(), QWidget()
        inner = QVBoxLayout(self.asks)
        inner.setContentsMargins(0, 0, 0, 0)
        for part in (self.table, self.about, self.tags, self.comment):
            inner.addWidget(part)
        grid = QGridLayout(self.decides)
        grid.setContentsMargins(0, 4, 0, 0)
        grid.addWidget(self.approve_button, 0, 0)
        grid.addWidget(self.reject_button, 0, 1)
        grid.addWidget(self.correct_button, 1, 0)
        grid.addWidget(self.leave_button, 1, 1)
        reason = QWidget()
        line = QGridLayout(reason)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(QLabel("Reason"), 0, 0)
        line.addWidget(self.reason_box, 0, 1)
        line.addWidget(self.unlock_button, 0, 2)
        line.setColumnStretch(1, 1)
        for part in (
            self.title,
            self.words,
            self.asks,
            self.despite_box,
            reason,
            self.decides,
        ):
            column.addWidget(part)

    def _connect(self) -> None:
        self.table.currentCellChanged.connect(lambda *_: self._show_chosen())
        self.table.cellClicked.connect(lambda *_: self._tell_chosen())
        self.tags.changed.connect(self._note)
        self.comment.textEdited.connect(lambda _text: self._note())
        self.despite_box.toggled.connect(lambda _on: self._explain())
        self.approve_button.clicked.connect(self.approve_requested)
        self.reject_button.clicked.connect(self.reject_requested)
        self.correct_button.clicked.connect(self.correct_requested)
        self.leave_button.clicked.connect(self.leave_requested)
        self.unlock_button.clicked.connect(lambda: self.unlock_requested.emit(self.reason))

    # -- showing -------------------------------------------------------------------------

    def show_reading(self, title: str, words: str, mode: Mode) -> None:
        """Begin with a reading: nothing is marked.

        Parameters
        ----------
        title : str
            Case and slot; nobody's name or code.
        words : str
            How it stands.
        mode : str
            ``review``; ``second`` where another reviewer corrected it; ``unlock`` where it is
            approved.
        """
        self.marks, self._corrected, self._open, self._mode = {}, frozenset(), 0, mode
        self.title.setText(title)
        self.words.setText(words)
        self.show_rows(())
        self.show_busy(False)
        self.asks.setVisible(mode != "unlock")
        self.decides.setVisible(mode != "unlock")
        self.unlock_button.setVisible(mode == "unlock")
        self.correct_button.setVisible(mode == "review")
        self.leave_button.setVisible(mode == "review")
        self.show_open(0)

    def show_rows(self, rows: Sequence[ReviewRow]) -> None:
        """Show the labels as they are now; marks stay."""
        if [one.value for one in rows] != [one.value for one in self._rows] or not rows:
            self._rows = tuple(rows)
            self._fill()
        else:
            self._rows = tuple(rows)
        for number, row in enumerate(self._rows, 1):
            texts = (f"{row.voxels}", "-" if row.ml is None else f"{row.ml:.2f}")
            for column, text in enumerate(texts, 1):
                item = self.table.item(number, column)
                if item is not None:
                    item.setText(text)

    def _fill(self) -> None:
        """Make a row for the whole and for each label."""
        self._filling = True
        self.table.setRowCount(len(self._rows) + 1)
        boxes = []
        shown = (ReviewRow(WHOLE, "Whole reading", "", 0), *self._rows)
        for number, row in enumerate(shown):
            name = QTableWidgetItem(row.name)
            name.setToolTip(row.name)
            if row.colour:
                name.setIcon(_swatch(row.colour))
            self.table.setItem(number, 0, name)
            for column in (1, 2):
                item = QTableWidgetItem("")
                item.setTextAlignment(
                    Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                )
                self.table.setItem(number, column, item)
            box = QComboBox()
            for finding, words in _FINDINGS.items():
                box.addItem(words, finding)
            box.setToolTip(f"Your finding: {row.name}")
            box.activated.connect(partial(self._on_finding, row.value, box))
            self.table.setCellWidget(number, _MARKED, box)
            boxes.append(box)
        in_order(self.table, boxes)
        seen = min(len(shown), _ROWS_SHOWN)
        self.table.setFixedHeight(seen * _ROW_PX + 30)
        self._filling = False
        self.table.setCurrentCell(0, 0)
        self._show_chosen()

    def show_open(self, count: int) -> None:
        """Say how many threads are open: approval needs a reason then."""
        self._open = count
        is_asked = bool(count) and self._mode != "unlock"
        self.despite_box.setVisible(is_asked)
        what = "1 open comment" if count == 1 else f"{count} open comments"
        self.despite_box.setText(f"Approve in spite of {what}")
        if not count:
            self.despite_box.setChecked(False)
        self._explain()

    def show_corrected(self, values: frozenset[int]) -> None:
        """Show which labels the reviewer has changed."""
        self._corrected = values
        for number, row in enumerate(self._rows, 1):
            box = self._box(number)
            words = _CORRECTED if row.value in values else _FINDINGS[""]
            box.setItemText(0, words)
        self._explain()

    def show_busy(self, busy: bool) -> None:
        """Take no wish while one is carried out."""
        self._busy = busy
        self._explain()

    # -- what was found ------------------------------------------------------------------

    @property
    def reason(self) -> str:
        """Code of the reason that is chosen."""
        return str(self.reason_box.currentData())

    @property
    def is_despite(self) -> bool:
        """Whether it may be approved with open threads."""
        return bool(self._open) and self.despite_box.isChecked()

    @property
    def chosen(self) -> int:
        """Value of the label whose row is chosen; 0 for the whole."""
        number = self.table.currentRow()
        return self._rows[number - 1].value if 0 < number <= len(self._rows) else WHOLE

    def mark(self, value: int) -> Mark:
        """Return what was found about a label, or the whole (0)."""
        return self.marks.get(value, Mark())

    def set_mark(self, value: int, mark: Mark) -> None:
        """Find something about a label, or the whole (0)."""
        self.marks[value] = mark
        self._show_findings()
        self._show_chosen()

    def _box(self, number: int) -> QComboBox:
        box = self.table.cellWidget(number, _MARKED)
        return box if isinstance(box, QComboBox) else QComboBox()

    def _on_finding(self, value: int, box: QComboBox, _index: int) -> None:
        finding: Finding = box.currentData()
        tags = () if finding == "good" else self.mark(value).tags
        self.marks[value] = replace(self.mark(value), finding=finding, tags=tags)
        number = next((n for n, r in enumerate(self._rows, 1) if r.value == value), 0)
        self.table.setCurrentCell(number, 0)
        self._show_chosen()

    def _note(self) -> None:
        """Take tags and comment of the row that is chosen; a tag is a fault."""
        value, tags = self.chosen, self.tags.tags
        finding: Finding = "fault" if tags else self.mark(value).finding
        self.marks[value] = Mark(finding, tags, self.comment.text())
        self.noted.emit(value)
        self._show_findings()
        self._explain()

    def _show_findings(self) -> None:
        for number, value in enumerate((WHOLE, *(row.value for row in self._rows))):
            box = self._box(number)
            box.setCurrentIndex(box.findData(self.mark(value).finding))

    def _show_chosen(self) -> None:
        if self._filling:
            return
        mark, value = self.mark(self.chosen), self.chosen
        name = next((r.name for r in self._rows if r.value == value), "the whole reading")
        self.about.setText(f"About {name}:")
        self.tags.show_tags(mark.tags)
        if self.comment.text() != mark.comment:
            self.comment.setText(mark.comment)
        self._explain()

    def _tell_chosen(self) -> None:
        if self.chosen != WHOLE:
            self.label_chosen.emit(self.chosen)

    def _explain(self) -> None:
        """Offer what is possible; what is not says why."""
        found = self.marks.values()
        faults = any(one.says_fault for one in found)
        said = faults or any(one.comment.strip() for one in found)
        no_approval = (
            "Something is marked as faulty: reject it, or take the mark back."
            if faults
            else "You changed the mask: submit your corrections, or undo them."
            if self._corrected
            else "Comments are open: resolve them, or tick the box below the marks."
            if self._open and not self.despite_box.isChecked()
            else ""
        )
        for button, why, does in (
            (self.approve_button, no_approval, "Approve what was submitted"),
            (
                self.reject_button,
                "" if said else "Say what is wrong: a label, a tag or a comment.",
                "Send it back to its annotator, with your marks and comments",
            ),
            (
                self.correct_button,
                "" if self._corrected else "Paint your corrections first.",
                "Submit your corrections; another reviewer approves them",
            ),
            (self.leave_button, "", "Give it back undecided"),
            (self.unlock_button, "", "Give it back to its annotator for a change"),
        ):
            button.setEnabled(not why and not self._busy)
            button.setToolTip(why or does)


def _swatch(colour: str) -> QIcon:
    picture = QPixmap(12, 12)
    picture.fill(QColor(colour))
    return QIcon(picture)
