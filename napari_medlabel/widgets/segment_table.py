"""The segment table: name, eye, padlock, ml, slices, state and code of every segment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from qtpy.QtCore import QPoint, Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QMenu,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from napari_medlabel.model.labelmap import Label
from napari_medlabel.widgets import segment_icons as icons
from napari_medlabel.widgets.legible import ThemeWatch, is_dark

if TYPE_CHECKING:
    from napari_medlabel.session.segment_states import Segment

NAME, EYE, LOCK, ML, SLICES, STATE, CODE = range(7)
HEADERS: Final = ("Segment", "", "", "ml", "Slices", "", "Code")
TIPS: Final = (
    "Click: paint with it. Double click: go to its middle.",
    "Shown or hidden, in every view",
    "Locked: no edit takes or gives it a voxel",
    "Volume; it follows the painting",
    "Slices called done, of those on which it is painted",
    "Not started, in progress, completed or flagged: click to change",
    "SNOMED CT or another terminology",
)
STATES: Final = ("not started", "in progress", "completed", "flagged")
_WIDE: Final = 460
_ROWS_SHOWN: Final = 5
_ROW_PX: Final = 23


class SegmentTable(QTableWidget):
    """Shows segments and asks for changes; knows neither napari nor the session."""

    chosen = Signal(int)
    centre_requested = Signal(int)
    visible_requested = Signal(int, bool)
    locked_requested = Signal(int, bool)
    progress_requested = Signal(int, str)
    renamed = Signal(int, str)
    menu_requested = Signal(int, QPoint)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, len(HEADERS), parent)
        self._rows: tuple[Segment, ...] = ()
        self._labels: tuple[Label, ...] = ()
        self._filling = False
        self._words = ""
        self.setHorizontalHeaderLabels(list(HEADERS))
        for column, tip in enumerate(TIPS):
            item = self.horizontalHeaderItem(column)
            if item is not None:
                item.setToolTip(tip)
        self._is_dark = True
        self._show_icons()
        ThemeWatch(self, self._follow_theme)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setTabKeyNavigation(False)  # Tab leaves the table
        self.verticalHeader().hide()
        self.verticalHeader().setMinimumSectionSize(_ROW_PX)
        self.verticalHeader().setDefaultSectionSize(_ROW_PX)
        header = self.horizontalHeader()
        header.setMinimumSectionSize(24)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        for column in (EYE, LOCK, STATE):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
            self.setColumnWidth(column, 26)
        self.setColumnHidden(CODE, True)
        self.currentCellChanged.connect(self._choose)
        self.cellClicked.connect(self._click)
        self.cellDoubleClicked.connect(self._centre)
        self.itemChanged.connect(self._changed)
        self.customContextMenuRequested.connect(self._ask_menu)

    # -- showing -------------------------------------------------------------------------

    @property
    def labels(self) -> tuple[Label, ...]:
        """What is in the table, from above."""
        return self._labels

    @property
    def current(self) -> int | None:
        """The value of the row that is chosen."""
        row = self.currentRow()
        return self._labels[row].value if 0 <= row < len(self._labels) else None

    def segment(self, value: int) -> Segment | None:
        """Return what is shown of a segment."""
        return next((one for one in self._rows if one.label.value == value), None)

    def show_labels(self, labels: Sequence[Label]) -> None:
        """Fill the table with names; numbers and states follow with `show_segments`."""
        current = self.current
        self._filling = True
        try:
            self._labels = tuple(labels)
            self.setRowCount(len(labels))
            for row, label in enumerate(labels):
                name = QTableWidgetItem(icons.swatch(label.colour), label.name)
                name.setToolTip(_about(label))
                self.setItem(row, NAME, name)
                for column in (EYE, LOCK, ML, SLICES, STATE, CODE):
                    item = QTableWidgetItem("")
                    item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsEditable)
                    item.setToolTip(TIPS[column])
                    if column in (ML, SLICES):
                        item.setTextAlignment(
                            Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                        )
                    self.setItem(row, column, item)
                self.item(row, CODE).setText("" if label.code is None else label.code.value)
            rows = min(len(labels), _ROWS_SHOWN) + 1
            self.setMinimumHeight(_ROW_PX * rows + 8)
            self.setMaximumHeight(max(_ROW_PX * (len(labels) + 1), _ROW_PX * rows) + 12)
        finally:
            self._filling = False
        if current is not None:
            self.show_current(current)
        self.filter(self._words)

    def show_segments(self, rows: Sequence[Segment]) -> None:
        """Show counts, states and locks; rows that come or go are made or taken away."""
        labels = tuple(one.label for one in rows)
        if labels != self._labels:
            self.show_labels(labels)
        self._rows = tuple(rows)
        self._filling = True
        try:
            for row, one in enumerate(rows):
                self._show(row, one)
        finally:
            self._filling = False

    def _show(self, row: int, one: Segment) -> None:
        self._set(row, ML, "" if one.ml is None else f"{one.ml:.1f}")
        self._set(row, SLICES, f"{one.done}/{one.slices}" if one.slices or one.done else "")
        self.item(row, EYE).setIcon(icons.eye(one.visible, self._is_dark))
        self.item(row, LOCK).setIcon(icons.padlock(one.locked, self._is_dark))
        self.item(row, STATE).setIcon(icons.progress(one.progress, self._is_dark))
        self.item(row, EYE).setToolTip("Shown: click to hide" if one.visible else "Hidden")
        self.item(row, LOCK).setToolTip("Locked: click to open" if one.locked else "Not locked")
        self.item(row, STATE).setToolTip(f"{one.progress.capitalize()}: click to change")
        name = self.item(row, NAME)
        font = name.font()
        font.setItalic(not one.visible)
        name.setFont(font)

    def _show_icons(self) -> None:
        self.horizontalHeaderItem(EYE).setIcon(icons.eye(True, self._is_dark))
        self.horizontalHeaderItem(LOCK).setIcon(icons.padlock(True, self._is_dark))
        self.horizontalHeaderItem(STATE).setIcon(icons.progress("in progress", self._is_dark))

    def _follow_theme(self) -> None:
        self._is_dark = is_dark(self)
        self._show_icons()
        if tuple(one.label for one in self._rows) == self._labels:
            self.show_segments(self._rows)

    def _set(self, row: int, column: int, text: str) -> None:
        item = self.item(row, column)
        if item.text() != text:
            item.setText(text)

    def show_current(self, value: int) -> None:
        """Mark the segment that is being painted."""
        values = [label.value for label in self._labels]
        self._filling = True
        try:
            if value in values:
                self.setCurrentCell(values.index(value), NAME)
            else:
                self.setCurrentCell(-1, -1)
        finally:
            self._filling = False

    def filter(self, words: str) -> None:
        """Show the rows whose name, code or state hold all the words."""
        self._words = words
        wanted = words.casefold().split()
        for row, label in enumerate(self._labels):
            shown = self.segment(label.value)
            code = "" if label.code is None else f"{label.code.value} {label.code.meaning}"
            state = "" if shown is None else shown.progress
            text = f"{label.name} {label.value} {code} {state}".casefold()
            self.setRowHidden(row, not all(word in text for word in wanted))

    def begin_renaming(self, value: int) -> None:
        """Let the person type another name."""
        for row, label in enumerate(self._labels):
            if label.value == value:
                self.editItem(self.item(row, NAME))

    # -- asking --------------------------------------------------------------------------

    def _value(self, row: int) -> int | None:
        return self._labels[row].value if 0 <= row < len(self._labels) else None

    def _choose(self, row: int, *_: int) -> None:
        value = self._value(row)
        if not self._filling and value is not None:
            self.chosen.emit(value)

    def _click(self, row: int, column: int) -> None:
        value = self._value(row)
        shown = None if value is None else self.segment(value)
        if value is None or shown is None:
            return
        if column == EYE:
            self.visible_requested.emit(value, not shown.visible)
        elif column == LOCK:
            self.locked_requested.emit(value, not shown.locked)
        elif column == STATE:
            menu = self.progress_menu(value)
            menu.popup(
                self.viewport().mapToGlobal(
                    self.visualItemRect(self.item(row, column)).bottomLeft()
                )
            )

    def progress_menu(self, value: int) -> QMenu:
        """Return a menu of the four states of a segment."""
        menu = QMenu("State", self)
        shown = self.segment(value)
        for name in STATES:
            icon = icons.progress(name, self._is_dark)
            action = menu.addAction(icon, name.capitalize())
            action.setCheckable(True)
            action.setChecked(shown is not None and shown.progress == name)
            action.triggered.connect(
                lambda _on=False, name=name: self.progress_requested.emit(value, name)
            )
        return menu

    def _centre(self, row: int, column: int) -> None:
        value = self._value(row)
        if value is not None and column not in (EYE, LOCK, STATE):
            self.centre_requested.emit(value)

    def _changed(self, item: QTableWidgetItem) -> None:
        label = self._labels[item.row()] if item.row() < len(self._labels) else None
        if self._filling or item.column() != NAME or label is None:
            return
        name = item.text().strip()
        if name and name != label.name:
            self.renamed.emit(label.value, name)
        # What stands there is what is, until somebody says otherwise.
        self._filling = True
        item.setText(self._labels[item.row()].name)
        self._filling = False

    def _ask_menu(self, at: QPoint) -> None:
        value = self._value(self.rowAt(at.y()))
        if value is not None:
            self.menu_requested.emit(value, self.viewport().mapToGlobal(at))

    def resizeEvent(self, event: Any) -> None:
        """Show the code where there is room for it."""
        super().resizeEvent(event)
        self.setColumnHidden(CODE, event.size().width() < _WIDE)


def _about(label: Label) -> str:
    lines = [f"{label.name}: value {label.value}"]
    if label.code is not None:
        side = f", {label.code.side}" if label.code.side else ""
        lines.append(f"{label.code.scheme} {label.code.value}: {label.code.meaning}{side}")
    return "\n".join((*lines, "Double click goes to its middle."))
