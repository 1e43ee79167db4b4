"""The worklist of a study: numbers, next case, a table of readings and what can be done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QMenu,
    QProgressBar,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_medlabel.project.work.choosing import Strategy
from napari_medlabel.project.work.states import State, named
from napari_medlabel.session.study.listing import Heap, Line, Listing
from napari_medlabel.widgets.legible import ThemeWatch, Tint, tint
from napari_medlabel.widgets.narrow import narrow
from napari_medlabel.widgets.notice import Notice

REASONS: Final[Mapping[str, str]] = {
    "CORRECTION": "correction",
    "PROTOCOL": "protocol",
    "QA_FEEDBACK": "feedback of a review",
    "WRONG_PATIENT": "wrong patient",
    "CONSENT_WITHDRAWN": "consent withdrawn",
    "OTHER": "other",
}
"""Reasons as the log codes them, in words."""
SIGNS: Final[Mapping[State, str]] = {
    "todo": "○",
    "in_progress": "◐",
    "submitted": "●",
    "in_review": "◉",
    "approved": "✔",
    "rejected": "↩",
    "corrected": "✎",
    "skipped": "⊘",
    "problem": "▲",
    "stale": "⟳",
    "conflict": "✖",
}
"""A shape for each state: nothing is said by colour alone."""
_TINTS: Final[Mapping[State, Tint]] = {
    "in_progress": "blue",
    "rejected": "amber",
    "stale": "amber",
    "approved": "green",
    "problem": "red",
    "conflict": "red",
}
_WORDS: Final[Mapping[State, str]] = {"todo": "to do", "rejected": "sent back"}
_STRATEGIES: Final[Mapping[Strategy, str]] = {
    "order": "by name",
    "random": "at random",
    "finish": "begun by others first",
    "spread": "untouched first",
}
_HEAPS: Final[Mapping[Heap, str]] = {
    "todo": "to do",
    "in_progress": "in progress",
    "submitted": "submitted",
    "done": "done",
    "problem": "problems",
}
_FILTERS: Final[Mapping[str, tuple[Heap, ...]]] = {
    "All": ("todo", "in_progress", "submitted", "done", "problem"),
    "Open": ("todo", "in_progress"),
    "Submitted": ("submitted",),
    "Done": ("done",),
    "Problems": ("problem",),
}
COLUMNS: Final = ("Case", "Slot", "State", "Prio")
_ROW_PX: Final = 24
_SPARE_PX: Final = 22
_MOST_ROWS: Final = 9
_BEGINNING: Final = 16  # signs of a case's name that are seen in a narrow dock
_KEY: Final = Qt.ItemDataRole.UserRole


def state_words(line: Line) -> str:
    """Return a reading's state in words, as the list shows it."""
    words = _WORDS.get(line.state, named(line.state))
    if line.kind == "review" and line.state != "in_review":
        words = "to review"
    if line.kind == "settle":
        open_words = "not yours to settle" if line.why_not else "to settle"
        words = "settled" if line.state == "approved" else open_words
    return f"{SIGNS[line.state]} {words}" + (" · outdated" if line.outdated else "")


class WorklistPanel(QWidget):
    """Shows a list and asks for steps; knows neither napari nor the session."""

    next_requested = Signal(str)
    """Begin the next reading; in the order of a strategy."""
    review_requested = Signal()
    """Take the next reading into review."""
    step_requested = Signal(str, object, str)
    """What to do (see `listing.Can`), the line, and a reason's code where one is needed."""
    refresh_requested = Signal()
    strategy_changed = Signal(str)
    leave_requested = Signal()
    """Get up from the study."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lines: tuple[Line, ...] = ()
        self.title, self.who = QLabel(), QLabel()
        self.title.setWordWrap(True)
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        self.title.setStyleSheet("font-weight: bold;")
        self.notice = Notice()
        self.numbers, self.bar = QLabel(), QProgressBar()
        self.numbers.setWordWrap(True)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        self.bar.setAccessibleName("Share of readings that are submitted or done")
        self.next_button = QPushButton("Next case")
        self.review_button = QPushButton("Review next")
        self.order_box, self.filter_box = narrow(QComboBox()), narrow(QComboBox())
        for strategy, words in _STRATEGIES.items():
            self.order_box.addItem(words, strategy)
        self.order_box.setAccessibleName("Order of what has the same priority")
        self.order_box.setToolTip(
            "Order of what has the same priority. What you began comes first, then what was "
            "sent back, then what is outdated."
        )
        self.filter_box.addItems(list(_FILTERS))
        self.filter_box.setAccessibleName("Which readings are listed")
        self.filter_box.setToolTip("Which readings are listed")
        self.refresh_button, self.leave_button = QToolButton(), QToolButton()
        self.refresh_button.setText("⟳")
        self.refresh_button.setToolTip("Read the list anew; it follows the log by itself, too")
        self.leave_button.setText("✕")
        self.leave_button.setToolTip("Leave the study: its session ends in the log")
        self.table = self._make_table()
        self.open_button = QPushButton("Open")
        self.more_button = QPushButton("More")
        self.menu = QMenu(self)
        self.more_button.setMenu(self.menu)
        self._lay_out()
        self._connect()
        ThemeWatch(self.table, self._tint)
        self._show_choice()

    def _make_table(self) -> QTableWidget:
        table = QTableWidget(0, len(COLUMNS))
        table.setHorizontalHeaderLabels(list(COLUMNS))
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setTabKeyNavigation(False)  # Tab leaves the table
        table.setAccessibleName("Readings")
        table.setSortingEnabled(True)
        rows, columns = table.verticalHeader(), table.horizontalHeader()
        rows.hide()
        rows.setMinimumSectionSize(_ROW_PX)
        rows.setDefaultSectionSize(_ROW_PX)
        # Widths are set once: to measure a thousand rows with each cell takes half a minute.
        columns.setMinimumSectionSize(24)
        columns.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        columns.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        columns.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        return table

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 4)
        head = QHBoxLayout()
        head.addWidget(self.title, 1)
        head.addWidget(self.refresh_button)
        head.addWidget(self.leave_button)
        column.addLayout(head)
        for part in (self.who, self.notice, self.numbers, self.bar):
            column.addWidget(part)
        for parts in (
            (self.next_button, self.review_button),
            (self.filter_box, self.order_box),
        ):
            row = QHBoxLayout()
            for part in parts:
                row.addWidget(part, 1)
            column.addLayout(row)
        column.addWidget(self.table)
        below = QHBoxLayout()
        below.addWidget(self.open_button, 1)
        below.addWidget(self.more_button, 1)
        column.addLayout(below)

    def _connect(self) -> None:
        self.next_button.clicked.connect(lambda: self.next_requested.emit(self.strategy))
        self.review_button.clicked.connect(self.review_requested)
        self.order_box.currentIndexChanged.connect(
            lambda _index: self.strategy_changed.emit(self.strategy)
        )
        self.filter_box.currentTextChanged.connect(lambda _words: self._fill())
        self.refresh_button.clicked.connect(self.refresh_requested)
        self.leave_button.clicked.connect(self.leave_requested)
        self.table.itemSelectionChanged.connect(self._show_choice)
        self.table.cellDoubleClicked.connect(lambda _row, _column: self._open())
        self.open_button.clicked.connect(self._open)

    # -- showing -------------------------------------------------------------------------

    @property
    def strategy(self) -> Strategy:
        """In which order readings of one priority are offered."""
        known: tuple[Strategy, ...] = tuple(_STRATEGIES)
        return known[max(int(self.order_box.currentIndex()), 0)]

    @property
    def chosen(self) -> Line | None:
        """The reading of the selected row."""
        rows = {index.row() for index in self.table.selectedIndexes()}
        item = self.table.item(rows.pop(), 0) if len(rows) == 1 else None
        number = None if item is None else item.data(_KEY)
        return None if number is None else self._lines[number]

    def show_listing(self, listing: Listing) -> None:
        """Show a list; the reading that was chosen stays so."""
        before, is_same = self.chosen, listing.lines == self._lines
        self._lines = listing.lines
        self.title.setText(listing.name)
        self.who.setText(f"You are {listing.code}: {', '.join(listing.roles)}")
        counts = listing.counts()
        self.numbers.setText(
            " · ".join(f"{counts[heap]} {words}" for heap, words in _HEAPS.items())
        )
        whole = sum(counts.values())
        self.bar.setRange(0, max(whole, 1))
        self.bar.setValue(counts["submitted"] + counts["done"])
        self._offer_next(listing)
        if not is_same:
            self._fill()
        self._show_choice()
        if before is not None:
            self.choose(before.case, before.slot)

    def _offer_next(self, listing: Listing) -> None:
        for button, role, following, tip in (
            (self.next_button, "annotator", listing.next_read, "Begin and open"),
            (self.review_button, "reviewer", listing.next_review, "Take into review and open"),
        ):
            button.setVisible(role in listing.roles)
            button.setEnabled(following is not None)
            which = "" if following is None else listing.name_of(following)
            button.setToolTip(f"{tip} {which}" if which else "Nothing is left for you.")
        self.order_box.setVisible("annotator" in listing.roles)

    def _fill(self) -> None:
        table, heaps = self.table, _FILTERS[self.filter_box.currentText()]
        wanted = [(n, line) for n, line in enumerate(self._lines) if line.heap in heaps]
        table.setSortingEnabled(False)
        table.setUpdatesEnabled(False)
        table.blockSignals(True)
        try:
            table.setRowCount(0)
            table.setRowCount(len(wanted))
            for row, (number, line) in enumerate(wanted):
                for column, item in enumerate(_cells(number, line)):
                    table.setItem(row, column, item)
        finally:
            table.blockSignals(False)
            table.setUpdatesEnabled(True)
        table.setSortingEnabled(True)
        self._tint()
        self._fit_columns()
        self._show_choice()

    def _tint(self) -> None:
        """Give states their colours, as the window's theme allows."""
        for row in range(self.table.rowCount()):
            if name := _TINTS.get(self._lines[self.table.item(row, 0).data(_KEY)].state):
                self.table.item(row, 2).setForeground(tint(self.table, name))

    def _fit_columns(self) -> None:
        """Give each column its width, and the table the height of its rows, up to a limit."""
        table, wide = self.table, self.fontMetrics().horizontalAdvance
        states = {state_words(line) for line in self._lines} | {COLUMNS[2]}
        slots = {line.letter for line in self._lines} | {COLUMNS[1]}
        table.setColumnWidth(1, wide(max(slots, key=len)) + _SPARE_PX)
        table.setColumnWidth(2, max(map(wide, states)) + _SPARE_PX)
        table.setColumnWidth(3, wide(COLUMNS[3]) + _SPARE_PX)
        # What tells names apart stays: their beginning, or both ends where all begin alike.
        alike = len({str(line.case)[:_BEGINNING] for line in self._lines}) == 1
        elide = Qt.TextElideMode
        table.setTextElideMode(elide.ElideMiddle if alike else elide.ElideRight)
        table.setColumnHidden(3, not any(line.priority for line in self._lines))
        shown = min(max(len(self._lines), 2), _MOST_ROWS) + 1
        table.setFixedHeight(_ROW_PX * shown + 10)

    def choose(self, case: object, slot: str) -> None:
        """Select the row of a reading, where it is in the list."""
        for row in range(self.table.rowCount()):
            line = self._lines[self.table.item(row, 0).data(_KEY)]
            if (line.case, line.slot) == (case, slot):
                self.table.selectRow(row)
                return

    def set_busy(self, busy: bool) -> None:
        """Take no further step while one is under way."""
        for part in (self.next_button, self.review_button, self.table):
            part.setEnabled(not busy)
        if busy:
            self.open_button.setEnabled(False)
            self.more_button.setEnabled(False)

    # -- what can be done ----------------------------------------------------------------

    def _show_choice(self) -> None:
        line = self.chosen
        can = () if line is None else line.can
        self.open_button.setText(next((_BUTTON[one] for one in can if one in _BUTTON), "Open"))
        may_open = bool(set(_OPENS) & set(can))
        self.open_button.setEnabled(may_open)
        self.open_button.setToolTip(_open_tip(line, may_open))
        self.menu.clear()
        for step, words in _STEPS.items():
            if line is None or step not in can:
                continue
            if step in _WITH_REASON:
                below = self.menu.addMenu(words)
                for code, because in REASONS.items():
                    below.addAction(because, _asking(self, step, line, code))
            else:
                self.menu.addAction(words, _asking(self, step, line, ""))
        self.more_button.setEnabled(bool(self.menu.actions()))
        self.more_button.setToolTip("" if self.menu.actions() else _open_tip(line, False))

    def _open(self) -> None:
        line = self.chosen
        if line is None:
            return
        for step in _OPENS:
            if step in line.can:
                self.step_requested.emit(step, line, "")
                return


_OPENS: Final = ("open", "review", "settle", "look")
_BUTTON: Final = {"look": "Look", "settle": "Settle"}
_STEPS: Final = {
    "skip": "Skip…",
    "problem": "Raise a problem…",
    "release": "Give back",
    "withdraw": "Take back the submission",
    "confirm": "Confirm: right under today's rules, too",
    "take_over": "Take over from who is gone",
    "resume": "Put back to what is to do",
}
_WITH_REASON: Final = frozenset({"skip", "problem"})


def _asking(panel: WorklistPanel, step: str, line: Line, code: str) -> Callable[[], None]:
    return lambda: panel.step_requested.emit(step, line, code)


def _cells(number: int, line: Line) -> list[QTableWidgetItem]:
    cells = [
        QTableWidgetItem(text) for text in (str(line.case), line.letter, state_words(line), "")
    ]
    tip = _tip(line)
    for item in cells:
        item.setToolTip(tip)
    cells[0].setData(_KEY, number)
    cells[3].setData(Qt.ItemDataRole.DisplayRole, line.priority)
    return cells


def _tip(line: Line) -> str:
    parts = [f"{line.name}: {state_words(line)}"]
    if line.reason:
        parts.append(f"reason: {REASONS.get(line.reason, line.reason)}")
    if line.rater:
        parts.append(f"read by {line.rater}")
    if line.outdated:
        parts.append("made under other guidelines or another ontology than today's")
    if line.why_not:
        parts.append(line.why_not)
    return "\n".join(parts)


def _open_tip(line: Line | None, may_open: bool) -> str:
    if line is None:
        return "Choose a reading in the list."
    if may_open or line.why_not:
        return line.why_not
    return f"A reading that is {named(line.state)} cannot be opened from here."
