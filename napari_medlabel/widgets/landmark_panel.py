"""The landmarks: a table with patient millimetres; clicking one goes there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_medlabel.geometry.axes import NEGATIVE, POSITIVE
from napari_medlabel.model.landmarks import ABSENCES, Landmark, LandmarkSet, Point
from napari_medlabel.plugin.tools.aiming import SNAPS
from napari_medlabel.widgets.label_panel import FROM_FILE, choose_file
from napari_medlabel.widgets.landmark_detail import LandmarkDetail
from napari_medlabel.widgets.narrow import narrow
from napari_medlabel.widgets.rows import Rows

_NAME, _PLACE, _STATE = range(3)
_LOAD: Final = "Load…"


class LandmarkPanel(QWidget):
    """Shows landmarks and asks for changes; knows neither napari nor the session."""

    template_requested = Signal(str)
    place_requested = Signal(bool)
    go_requested = Signal(str)
    remove_requested = Signal(str)
    aim_requested = Signal(str)
    lock_all_requested = Signal()
    load_requested = Signal()
    save_requested = Signal()

    def __init__(self, templates: Mapping[str, str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._marks = LandmarkSet()
        self._named = True
        self._filling = False
        self.template_box = narrow(QComboBox())
        self.template_box.setToolTip("Which landmarks are to be placed, in which order")
        for key, name in templates.items():
            self.template_box.addItem(name, key)
        self.template_box.addItem(FROM_FILE, FROM_FILE)
        self.template_box.activated.connect(self._ask_template)
        self.detail = LandmarkDetail({str(key): words for key, words in SNAPS.items()})
        self.table = QTableWidget(0, 3)
        self.table.setHorizontalHeaderLabels(["Landmark", "Patient mm", "State"])
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.verticalHeader().hide()
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(_NAME, QHeaderView.ResizeMode.Stretch)
        for column in (_PLACE, _STATE):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self.table.cellClicked.connect(self._go)
        self.table.currentCellChanged.connect(self._on_row)
        self.place_button = QPushButton("Place next (Y)")
        self.place_button.setCheckable(True)
        self.place_button.setToolTip("Let clicks on the picture place landmarks (Y)")
        self.place_button.toggled.connect(self.place_requested)
        self.remove_button = QPushButton("Clear")
        self.remove_button.setToolTip("Take the selected landmark's position and flags away")
        self.remove_button.clicked.connect(self._remove)
        self.copy_button = QPushButton("Copy table")
        self.copy_button.setToolTip("Copy names, states and RAS mm, for a spreadsheet")
        self.copy_button.clicked.connect(self._copy)
        self.lock_all_button = QPushButton("Lock all")
        self.lock_all_button.setToolTip("Lock every landmark that is placed or absent")
        self.lock_all_button.clicked.connect(self.lock_all_requested)
        self.load_button, self.save_button = QPushButton(_LOAD), QPushButton("Save as…")
        self.load_button.setToolTip("Take in landmarks and measurements of a file")
        self.save_button.setToolTip("Write the landmarks into a file of another program")
        self.load_button.clicked.connect(self.load_requested)
        self.save_button.clicked.connect(self.save_requested)
        self._lay_out()

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(QLabel("Template"))
        top.addWidget(self.template_box, 1)
        buttons = Rows(self.place_button, self.remove_button, gap_px=6)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(top)
        layout.addWidget(buttons)
        layout.addWidget(self.detail)
        layout.addWidget(self.table)
        files = (self.copy_button, self.lock_all_button, self.load_button, self.save_button)
        layout.addWidget(Rows(*files, gap_px=6))

    def show_template(self, templates: Mapping[str, LandmarkSet], marks: LandmarkSet) -> None:
        """Show which template the landmarks follow; none of them for a list of one's own."""
        names = {mark.name for mark in marks}
        for key, template in templates.items():
            if names and names >= {mark.name for mark in template}:
                self.template_box.setCurrentIndex(self.template_box.findData(key))
                return
        self.template_box.setCurrentIndex(-1)

    def name_sides(self, named: bool) -> None:
        """Say, before filling the table, whether positions are told by the patient's sides."""
        self._named = named
        heading = "Patient mm" if named else "mm, sides unknown"
        self.table.setHorizontalHeaderLabels(["Landmark", heading, "State"])

    def show_landmarks(self, marks: LandmarkSet) -> None:
        """Fill the table; the first open one is shown as the next, until `show_next` says."""
        self._marks = marks
        self._filling = True
        self.table.setRowCount(len(marks))
        for row, mark in enumerate(marks):
            name = QTableWidgetItem(mark.name)
            name.setToolTip(f"{mark.name}. {mark.description}".rstrip(". "))
            place = QTableWidgetItem(
                "-" if mark.point_ras is None else self._words(mark.point_ras)
            )
            place.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.table.setItem(row, _NAME, name)
            self.table.setItem(row, _PLACE, place)
            self.table.setItem(row, _STATE, QTableWidgetItem(state_words(mark)))
        height = self.table.verticalHeader().defaultSectionSize()
        self.table.setMinimumHeight(height * (min(len(marks), 5) + 1) + 6)
        self._filling = False
        self.show_next(marks.next_name)

    def show_next(self, name: str | None) -> None:
        """Show which landmark the next click is for; None for a new point."""
        self.place_button.setText(f"Place: {name} (Y)" if name else "Place another point (Y)")
        names = [mark.name for mark in self._marks]
        row = names.index(name) if name in names else -1
        if row != self.table.currentRow():
            self._filling = True
            self.table.setCurrentCell(row, _NAME if row >= 0 else -1)
            self._filling = False

    def _words(self, point_ras: Point) -> str:
        """Return a position in words; where no side is known, without any."""
        if self._named:
            return patient_mm(point_ras)
        return "  ".join(f"{mm:.1f}" for mm in point_ras)

    def show_placing(self, placing: bool) -> None:
        """Show whether the next click places a landmark."""
        blocked = self.place_button.blockSignals(True)
        self.place_button.setChecked(placing)
        self.place_button.blockSignals(blocked)

    def _ask_template(self, index: int) -> None:
        key = choose_file(self, self.template_box.itemData(index))
        if key:
            self.template_requested.emit(key)

    def _on_row(self, row: int, _column: int, before: int, _column_before: int) -> None:
        """Aim at a row that was reached by keys too: the next click is for what is chosen."""
        if not self._filling and row != before and 0 <= row < len(self._marks):
            self.aim_requested.emit(self._marks.landmarks[row].name)

    def _go(self, row: int, _column: int) -> None:
        mark = self._marks.landmarks[row]
        self.aim_requested.emit(mark.name)
        if mark.is_placed:
            self.go_requested.emit(mark.name)

    def _remove(self) -> None:
        row = self.table.currentRow()
        if 0 <= row < len(self._marks) and not self._marks.landmarks[row].is_open:
            self.remove_requested.emit(self._marks.landmarks[row].name)

    def _copy(self) -> None:
        board = QApplication.clipboard()
        if board is not None:
            board.setText(table_words(self._marks))


def state_words(mark: Landmark) -> str:
    """Say in words what is known of a landmark: ``"±2.0 mm, locked"``."""
    words = {"unplaced": "open", "placed": "placed"}.get(mark.state, "")
    if mark.absent:
        words = f"absent: {ABSENCES[mark.absent]}"
    elif mark.uncertain_mm is not None:
        words = f"±{mark.uncertain_mm:.1f} mm"
    return f"{words}, locked" if mark.locked else words


def table_words(marks: LandmarkSet) -> str:
    """Return the landmarks as a table with tabs: name, R, A and S in mm, state."""
    rows = ["Landmark\tR mm\tA mm\tS mm\tState"]
    for mark in marks:
        place = [""] * 3 if mark.point_ras is None else [f"{v:.3f}" for v in mark.point_ras]
        rows.append("\t".join((mark.name, *place, state_words(mark))))
    return "\n".join(rows)


def patient_mm(point_ras: Point) -> str:
    """Write a position as radiologists read it: each number with the side it counts to.

    Parameters
    ----------
    point_ras : tuple of float
        RAS mm.

    Returns
    -------
    str
        For instance ``"L 12.5  P 30.0  S 104.2"``.
    """
    return "  ".join(
        f"{(POSITIVE if v >= 0 else NEGATIVE)[axis]} {abs(v):.1f}"
        for axis, v in enumerate(point_ras)
    )
