"""Bounding boxes of a reading: draw, list, change their kind, jump to them, take them away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QColor, QIcon, QPixmap
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

from napari_medlabel.geometry.grid import Grid
from napari_medlabel.model.boxes import Box3D, BoxSet
from napari_medlabel.plugin.box_layer import Look
from napari_medlabel.widgets.narrow import narrow
from napari_medlabel.widgets.rows import Rows

_DOT_PX: Final = 12
_ID: Final = int(Qt.ItemDataRole.UserRole)
_ONLY_LOOKED_AT: Final = "This reading is only looked at"


class BoxPanel(QWidget):
    """Shows boxes and says what is wanted of them."""

    draw_requested = Signal(bool)
    """Drags draw and change boxes from now on, or no longer."""
    from_label_requested = Signal()
    """A box around the part of the label in hand at the cross-hair."""
    kind_requested = Signal(str)
    """The kind of new boxes, and of the chosen one."""
    chosen = Signal(int)
    """Number of the box that was chosen; 0 for none."""
    go_requested = Signal(int)
    remove_requested = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.kinds = narrow(QComboBox())
        self.kinds.setToolTip("Kind of the next box, and of the chosen one")
        self.draw_button = QPushButton("Draw boxes")
        self.draw_button.setCheckable(True)
        self.draw_button.setToolTip(
            "Drag a rectangle on a slice: it becomes a box as deep as it is wide. Then pull at "
            "its sides in any view, or drag it from inside"
        )
        self.label_button = QPushButton("Box from label")
        self.label_button.setToolTip(
            "A box around the part of the label in hand that lies at the cross-hair, else "
            "around its largest part"
        )
        self.remove_button = QPushButton("Remove")
        self.table = QTableWidget(0, 3)
        self.table.setHorizontalHeaderLabels(["Box", "Size in mm", "Volume"])
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setToolTip("Double click: go to the box")
        rows, columns = self.table.verticalHeader(), self.table.horizontalHeader()
        if rows is not None and columns is not None:
            rows.hide()
            columns.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
            columns.setStretchLastSection(True)
        self.table.setMinimumHeight(110)
        self.note = QLabel()
        self.note.setWordWrap(True)
        self.note.hide()
        self._lay_out()
        self.kinds.activated.connect(lambda _n: self.kind_requested.emit(self.kind))
        self.draw_button.clicked.connect(self.draw_requested)
        self.label_button.clicked.connect(self.from_label_requested)
        self.remove_button.clicked.connect(lambda: self.remove_requested.emit(self.current))
        self.table.itemSelectionChanged.connect(self._on_chosen)
        self.table.itemDoubleClicked.connect(lambda _i: self.go_requested.emit(self.current))
        self._show_current()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.note)
        column.addWidget(self.kinds)
        column.addWidget(
            Rows(self.draw_button, self.label_button, self.remove_button, gap_px=6)
        )
        column.addWidget(self.table)

    @property
    def kind(self) -> str:
        """Id of the kind that is chosen; empty where there is none."""
        return str(self.kinds.currentData() or "")

    @property
    def current(self) -> int:
        """Number of the chosen box; 0 for none."""
        chosen = self.table.selectedItems()
        return int(chosen[0].data(_ID)) if chosen else 0

    def show_kinds(self, kinds: Sequence[tuple[str, Look]]) -> None:
        """Offer kinds: id, and name with colour."""
        self.kinds.clear()
        for key, (name, colour) in kinds:
            self.kinds.addItem(QIcon(_dot(colour)), name, key)

    def show_boxes(self, boxes: BoxSet, grid: Grid, looks: Mapping[str, Look]) -> None:
        """List boxes."""
        chosen = self.current
        self.table.blockSignals(True)
        self.table.setRowCount(len(boxes))
        for row, box in enumerate(boxes):
            name, colour = looks.get(box.kind, (box.kind, "#b0b0b0"))
            size = " x ".join(f"{mm:.1f}" for mm in box.size_mm(grid))
            cells = (f"{name} {box.id}", size, _volume(box, grid))
            for place, words in enumerate(cells):
                item = QTableWidgetItem(words)
                item.setData(_ID, box.id)
                if not place:
                    item.setData(int(Qt.ItemDataRole.DecorationRole), _dot(colour))
                self.table.setItem(row, place, item)
        self.table.blockSignals(False)
        self.choose(chosen)

    def choose(self, number: int) -> None:
        """Show which box is in hand; 0 for none. It is not told of."""
        self.table.blockSignals(True)
        self.table.clearSelection()
        for row in range(self.table.rowCount()):
            item = self.table.item(row, 0)
            if item is not None and item.data(_ID) == number:
                self.table.selectRow(row)
        self.table.blockSignals(False)
        self._show_current()

    def show_kind(self, kind: str) -> None:
        """Show the kind of the box in hand."""
        self.kinds.setCurrentIndex(max(0, self.kinds.findData(kind)))

    def show_drawing(self, on: bool) -> None:
        """Show whether drags draw boxes."""
        self.draw_button.setChecked(on)

    def set_read_only(self, read_only: bool) -> None:
        """Let boxes be changed, or only looked at."""
        for part in (self.kinds, self.draw_button, self.label_button):
            part.setEnabled(not read_only)
        self._read_only = read_only
        self.say(_ONLY_LOOKED_AT if read_only else "")
        self._show_current()

    def say(self, words: str) -> None:
        """Say something above the boxes; empty for nothing."""
        self.note.setText(words)
        self.note.setVisible(bool(words))

    _read_only = False

    def _on_chosen(self) -> None:
        self._show_current()
        self.chosen.emit(self.current)

    def _show_current(self) -> None:
        can = bool(self.current) and not self._read_only
        self.remove_button.setEnabled(can)
        why = _ONLY_LOOKED_AT if self._read_only else "Choose a box first"
        self.remove_button.setToolTip("Take the chosen box away" if can else why)


def _dot(colour: str) -> QPixmap:
    dot = QPixmap(_DOT_PX, _DOT_PX)
    dot.fill(QColor(colour))
    return dot


def _volume(box: Box3D, grid: Grid) -> str:
    mm3 = box.volume_mm3(grid)
    return f"{mm3 / 1000:.1f} ml" if mm3 >= 1000 else f"{mm3:.0f} mm³"
