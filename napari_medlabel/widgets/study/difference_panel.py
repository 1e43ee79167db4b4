"""The list of differences of a case, its legend, and what can be decided of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt, Signal
from qtpy.QtGui import QColor, QIcon, QPainter, QPixmap
from qtpy.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from napari_medlabel.plugin.difference_layer import colour_of, is_striped, words_of
from napari_medlabel.widgets.narrow import BreakingCheck, narrow

Order = Literal["ml", "mm"]
EDIT: Final = "edited"
_ICON_PX: Final = 14
_COLUMNS: Final = ("Who", "Label", "ml", "mm", "Taken")
_WORDS: Final[Mapping[str, str]] = {
    "union": "Union",
    "intersection": "Intersection",
    "majority": "Majority",
    "staple": "STAPLE",
    EDIT: "Edit",
}
_TIPS: Final[Mapping[str, str]] = {
    "union": "It gets the label that somebody gave; with different labels it stays open.",
    "intersection": "It gets no label: not all gave the same here.",
    "majority": "It gets what most readings say.",
    "staple": "It gets what STAPLE says, computed of all readings of the case.",
    EDIT: "Draw in this difference with any tool; what all agree on stays as it is.",
}


@dataclass(frozen=True)
class Entry:
    """One difference, as the list shows it.

    Parameters
    ----------
    number : int
        Which.
    kind : int
        As `plugin.difference_layer.kind_of` says.
    who : str
        Slots: ``"A only"``.
    labels : str
        Names of the labels that somebody gave.
    values : tuple of int
        Their values.
    ml, mm : float
        Volume, and how far it goes.
    taken : str
        What is decided; empty for nothing yet.
    """

    number: int
    kind: int
    who: str
    labels: str
    values: tuple[int, ...]
    ml: float
    mm: float
    taken: str


class _Model(QAbstractTableModel):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.entries: list[Entry] = []
        self._icons: dict[int, QIcon] = {}

    def show(self, entries: Sequence[Entry]) -> None:
        self.beginResetModel()
        self.entries = list(entries)
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.entries)

    def columnCount(self, _parent: QModelIndex | None = None) -> int:
        return len(_COLUMNS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return _COLUMNS[section]
        return None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        entry, column = self.entries[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            taken = _WORDS.get(entry.taken, entry.taken)
            taken = "Drawn" if entry.taken == EDIT else taken
            cells = (
                entry.who,
                entry.labels,
                f"{entry.ml:.3g}",
                f"{entry.mm:.1f}",
                taken or "-",
            )
            return cells[column]
        if role == Qt.ItemDataRole.DecorationRole and column == 0:
            if entry.kind not in self._icons:
                self._icons[entry.kind] = swatch(entry.kind)
            return self._icons[entry.kind]
        if role == Qt.ItemDataRole.TextAlignmentRole and column in (2, 3):
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{entry.who}: {entry.labels}, {entry.ml:.4g} ml, up to {entry.mm:.1f} mm"
        return None


class DifferencePanel(QWidget):
    """Shows differences and asks for decisions; knows neither napari nor the session."""

    chosen = Signal(int)
    """Number of the difference to look at."""
    decided = Signal(str, bool)
    """A choice, and whether it is for all open ones of the label in hand; see `scope`."""
    taken_back = Signal(bool)
    finish_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entries: tuple[Entry, ...] = ()
        self.counts = QLabel()
        self.counts.setWordWrap(True)
        self.legend = QGridLayout()
        self.order = narrow(QComboBox())
        self.order.addItem("Largest in ml first", "ml")
        self.order.addItem("Furthest in mm first", "mm")
        self.order.setToolTip(
            "By volume, or by how far a difference goes from what all agree on."
        )
        self.label = narrow(QComboBox())
        self.label.setToolTip("Differences in which somebody gave this label.")
        self.only_open = QCheckBox("Undecided only")
        self.model = _Model(self)
        self.table = QTableView()
        self.previous, self.next = QPushButton("Previous"), QPushButton("Next")
        self.scope = BreakingCheck("Decide all undecided of this label at once")
        self.choices: dict[str, QPushButton] = {}
        self._choice_box = QGridLayout()
        self.back = QPushButton("Take decision back")
        self.hint = QLabel()
        self.hint.setWordWrap(True)
        self.hint.hide()
        self.finish = QPushButton("Write the consensus")
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        table = self.table
        table.setModel(self.model)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setMinimumHeight(130)
        table.setShowGrid(False)
        table.verticalHeader().hide()
        head = table.horizontalHeader()
        head.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        head.setResizeContentsPrecision(40)  # rows that are measured: there may be thousands
        head.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        walk, filters = QHBoxLayout(), QHBoxLayout()
        for part in (self.previous, self.next):
            walk.addWidget(part)
        for part in (self.order, self.label):
            filters.addWidget(part, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        head_row = QHBoxLayout()
        head_row.addWidget(self.counts, 1)
        head_row.addWidget(self.only_open)
        column.addLayout(head_row)
        column.addLayout(self.legend)
        column.addLayout(filters)
        column.addWidget(table, 1)
        column.addLayout(walk)
        column.addWidget(self.scope)
        column.addLayout(self._choice_box)
        column.addWidget(self.hint)
        column.addWidget(self.finish)

    def _connect(self) -> None:
        for box in (self.order, self.label):
            box.currentIndexChanged.connect(lambda _at: self._list())
        self.only_open.toggled.connect(lambda _on: self._list())
        self.table.selectionModel().currentRowChanged.connect(self._on_row)
        self.previous.clicked.connect(lambda: self.step(-1))
        self.next.clicked.connect(lambda: self.step(1))
        self.scope.toggled.connect(lambda _on: self._enable())
        self.back.clicked.connect(lambda: self.taken_back.emit(self.scope.isChecked()))
        self.finish.clicked.connect(self.finish_requested)

    # -- what is shown -------------------------------------------------------------------

    def begin(
        self,
        slots: Sequence[str],
        kinds: Sequence[int],
        labels: Mapping[int, str],
        why_not: Mapping[str, str],
    ) -> None:
        """Show a case: its slots, what the legend needs, its labels, and what cannot be chosen.

        Parameters
        ----------
        slots : sequence of str
            Names of the readings.
        kinds : sequence of int
            Kinds of differences that occur.
        labels : mapping of int to str
            Value and name of the labels that differ.
        why_not : mapping of str to str
            Choice -> why it cannot be made here.
        """
        _empty(self.legend)
        for at, kind in enumerate(kinds):
            picture, words = QLabel(), QLabel(words_of(kind, slots))
            picture.setPixmap(swatch(kind).pixmap(_ICON_PX, _ICON_PX))
            self.legend.addWidget(picture, at // 3, 2 * (at % 3))
            self.legend.addWidget(words, at // 3, 2 * (at % 3) + 1)
        note = QLabel("striped: undecided · outline alone: decided · white: in hand")
        note.setWordWrap(True)
        self.legend.addWidget(note, len(kinds) // 3 + 1, 0, 1, 6)
        for at in (1, 3, 5):
            self.legend.setColumnStretch(at, 1)
        self._choice_box.removeWidget(self.back)
        _empty(self._choice_box)
        self.choices = {}
        for at, choice in enumerate((*slots, *_WORDS)):
            button = QPushButton(_WORDS.get(choice, f"Take {choice}"))
            why = why_not.get(choice, "")
            button.setProperty("why", why)
            button.setToolTip(
                why or _TIPS.get(choice, f"It becomes what reading {choice} says.")
            )
            button.setAccessibleName(button.text())
            button.clicked.connect(lambda _=False, name=choice: self._ask(name))
            self.choices[choice] = button
            self._choice_box.addWidget(button, at // 3, at % 3)
        last = len(self.choices)
        wide = 3 - last % 3
        self._choice_box.addWidget(self.back, last // 3, last % 3, 1, wide)
        self.label.blockSignals(True)
        self.label.clear()
        self.label.addItem("All labels", None)
        for value, name in labels.items():
            self.label.addItem(name, value)
        self.label.blockSignals(False)

    def name_keys(self, previous: str, following: str) -> None:
        """Write the keys on the buttons that they press."""
        self.previous.setText(f"Previous ({previous})" if previous else "Previous")
        self.next.setText(f"Next ({following})" if following else "Next")

    def show_entries(self, entries: Sequence[Entry], counts: str) -> None:
        """Show the differences as they are decided now; the one in hand stays in hand.

        Parameters
        ----------
        entries : sequence of Entry
            All, in any order.
        counts : str
            What stands above the list.
        """
        self._entries = tuple(entries)
        self.counts.setText(counts)
        left = sum(not one.taken for one in entries)
        self.finish.setText(
            f"Write the consensus ({left} stay unresolved)" if left else "Write the consensus"
        )
        self._list()

    def say(self, words: str) -> None:
        """Show what to know of the one in hand; empty for nothing."""
        self.hint.setText(words)
        self.hint.setVisible(bool(words))

    @property
    def by(self) -> Order:
        """The order of the list."""
        return "mm" if self.order.currentData() == "mm" else "ml"

    @property
    def in_hand(self) -> Entry | None:
        """The difference that is looked at."""
        row = self.table.currentIndex().row()
        return self.model.entries[row] if 0 <= row < len(self.model.entries) else None

    def step(self, way: int) -> None:
        """Go to the next (1) or the previous (-1) difference of the list; it goes round."""
        count = len(self.model.entries)
        if count:
            at = self.table.currentIndex().row()
            self.go_to((at + way) % count if at >= 0 else (0 if way > 0 else count - 1))

    def go_to(self, row: int) -> None:
        """Take the difference of a row in hand."""
        self.table.setCurrentIndex(self.model.index(row, 0))
        self.table.scrollTo(self.model.index(row, 0))

    # -- inside --------------------------------------------------------------------------

    def _list(self) -> None:
        kept = self.in_hand
        row = self.table.currentIndex().row()
        value = self.label.currentData()
        rows = [
            one
            for one in self._entries
            if (value is None or value in one.values)
            and not (self.only_open.isChecked() and one.taken)
        ]
        rows.sort(key=lambda one: (-getattr(one, self.by), one.number))
        self.model.show(rows)
        numbers = [one.number for one in rows]
        if kept is not None and kept.number in numbers:
            self.table.selectionModel().blockSignals(True)
            self.go_to(numbers.index(kept.number))
            self.table.selectionModel().blockSignals(False)
            self.table.viewport().update()
        elif kept is not None and rows:  # decided, and only undecided ones are listed
            self.go_to(min(row, len(rows) - 1))
        self._enable()

    def _on_row(self, current: QModelIndex, _before: QModelIndex) -> None:
        if current.isValid():
            self.chosen.emit(self.model.entries[current.row()].number)
        self._enable()

    def _enable(self) -> None:
        entry = self.in_hand
        for choice, button in self.choices.items():
            is_bulk_edit = choice == EDIT and self.scope.isChecked()
            button.setEnabled(
                entry is not None and not button.property("why") and not is_bulk_edit
            )
        self.back.setEnabled(
            entry is not None and (bool(entry.taken) or self.scope.isChecked())
        )
        for button in (self.previous, self.next):
            button.setEnabled(bool(self.model.entries))

    def _ask(self, choice: str) -> None:
        self.decided.emit(choice, self.scope.isChecked())


def swatch(kind: int) -> QIcon:
    """Return the picture of a kind of difference: its colour and its stripes."""
    import numpy as np

    n = _ICON_PX
    j, i = np.ogrid[:n, :n]
    striped = np.broadcast_to(is_striped(kind, (j, i)), (n, n))
    picture = QPixmap(n, n)
    picture.fill(QColor(0, 0, 0, 0))
    painter = QPainter(picture)
    painter.setPen(QColor(colour_of(kind)))
    for y, x in np.argwhere(striped):
        painter.drawPoint(int(x), int(y))
    painter.drawRect(0, 0, n - 1, n - 1)
    painter.end()
    return QIcon(picture)


def _empty(layout: Any) -> None:
    while (item := layout.takeAt(0)) is not None:
        widget = item.widget()
        if widget is not None:
            widget.setParent(None)
            widget.deleteLater()
