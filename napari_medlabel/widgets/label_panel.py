"""The segments: scheme, table, and what can be done with one of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from qtpy.QtCore import QPoint, Qt, Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import (
    QColorDialog,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QPushButton,
    QSlider,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from napari_medlabel.model.labelmap import LabelScheme
from napari_medlabel.widgets.narrow import narrow
from napari_medlabel.widgets.segment_table import SegmentTable

if TYPE_CHECKING:
    from napari_medlabel.session.segment_states import Segment

FROM_FILE = "From a file…"
"""The last entry of the lists of schemes and templates."""


class LabelPanel(QWidget):
    """Shows the segments and asks for changes; knows neither napari nor the session."""

    label_requested = Signal(int)
    scheme_requested = Signal(str)
    recoloured = Signal(int, str)
    solo_requested = Signal(int)
    remove_requested = Signal(int)
    move_requested = Signal(int, int)
    done_requested = Signal(int)
    terminology_requested = Signal()
    own_requested = Signal()
    statistics_requested = Signal()
    look_requested = Signal(float, int)

    def __init__(
        self, schemes: Mapping[str, LabelScheme], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._scheme = LabelScheme("", ())
        self.scheme_box = narrow(QComboBox())
        self.scheme_box.setToolTip("Which classes can be painted")
        for key, scheme in schemes.items():
            self.scheme_box.addItem(scheme.name, key)
        self.scheme_box.addItem(FROM_FILE, FROM_FILE)
        self.scheme_box.activated.connect(self._ask_scheme)
        self.filter_box = QLineEdit()
        self.filter_box.setPlaceholderText("Filter")
        self.filter_box.setClearButtonEnabled(True)
        self.filter_box.setToolTip("Show the segments whose name, code or state hold this")
        self.table = SegmentTable()
        self.filter_box.textChanged.connect(self.table.filter)
        self.table.chosen.connect(self.label_requested)
        self.table.currentCellChanged.connect(lambda *_: self._explain())
        self.table.menu_requested.connect(self._show_menu)
        self._make_buttons()
        self._make_look()
        self._lay_out()
        self._explain()

    def _make_buttons(self) -> None:
        self.add_button = QPushButton("Add")
        self.add_button.setToolTip("Add a segment: from the terminology, or of your own")
        add = QMenu(self.add_button)
        add.addAction("From terminology…").triggered.connect(self.terminology_requested)
        add.addAction("Own segment").triggered.connect(self.own_requested)
        self.add_button.setMenu(add)
        self.remove_button = self._button("Remove", self.remove_requested.emit)
        self.solo_button = self._button("Solo", self.solo_requested.emit)
        self.done_button = self._button("Slice done", self.done_requested.emit)
        self.statistics_button = QPushButton("Statistics…")
        self.statistics_button.setToolTip(
            "ml, diameters, centre and values of every segment; to the clipboard or as CSV"
        )
        self.statistics_button.clicked.connect(self.statistics_requested)

    def _button(self, text: str, do: Callable[[int], object]) -> QPushButton:
        made = QPushButton(text)
        made.clicked.connect(lambda: self._with_current(do))
        return made

    def _make_look(self) -> None:
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(0, 100)
        self.opacity.setValue(50)
        self.opacity.setToolTip("How strongly segments cover the scan")
        self.outline = QSpinBox()
        self.outline.setRange(0, 9)
        self.outline.setSpecialValueText("filled")
        self.outline.setSuffix(" px")
        self.outline.setToolTip("Width of outlines; 0 fills the segments")
        for control in (self.opacity, self.outline):
            control.valueChanged.connect(self._ask_look)

    def _lay_out(self) -> None:
        top, buttons, more, look = (QHBoxLayout() for _ in range(4))
        top.addWidget(QLabel("Scheme"))
        top.addWidget(self.scheme_box, 2)
        top.addWidget(self.filter_box, 1)
        for button in (self.add_button, self.remove_button, self.solo_button):
            buttons.addWidget(button)
        more.addWidget(self.done_button)
        more.addWidget(self.statistics_button)
        look.addWidget(QLabel("Opacity"))
        look.addWidget(self.opacity, 1)
        look.addWidget(QLabel("Outline"))
        look.addWidget(self.outline)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(top)
        layout.addWidget(self.table)
        for row in (buttons, more, look):
            layout.addLayout(row)

    # -- showing -------------------------------------------------------------------------

    def show_scheme(self, scheme: LabelScheme) -> None:
        """Fill the table with a scheme."""
        self._scheme = scheme
        self._name_scheme(scheme.name)
        if self.table.labels != scheme.labels:
            self.table.show_labels(scheme.labels)
        self._explain()

    def _name_scheme(self, name: str) -> None:
        at = self.scheme_box.findText(name)
        if at < 0:
            self.scheme_box.addItem(name, "")
            at = self.scheme_box.count() - 1
        self.scheme_box.setCurrentIndex(at)

    def show_segments(self, rows: Sequence[Segment]) -> None:
        """Show how large, how far, hidden and locked the segments are."""
        self.table.show_segments(rows)
        self._explain()

    def show_current(self, value: int) -> None:
        """Mark the segment that is being painted."""
        self.table.show_current(value)
        self._explain()

    def show_look(self, opacity: float, outline: int) -> None:
        """Show how segments cover the scan."""
        for control, value in ((self.opacity, round(100 * opacity)), (self.outline, outline)):
            control.blockSignals(True)
            control.setValue(value)
            control.blockSignals(False)

    def show_slice_done(self, done: bool | None) -> None:
        """Say whether the slice on the screen is done for the segment; None: no such slice."""
        words = "Slice not done" if done else "Slice done"
        self.done_button.setText(f"{words}  {self._done_key}".strip())
        self._explain()
        if done is None:
            self.done_button.setEnabled(False)
            self.done_button.setToolTip(
                "Slices are called done in the plane in which they were acquired."
            )

    def show_keys(self, keys: Mapping[str, str]) -> None:
        """Write keys on the buttons: ``done`` and the tooltips of the table's eye and lock."""
        for column, what in ((1, "visible"), (2, "locked")):
            item = self.table.horizontalHeaderItem(column)
            if item is not None and keys.get(what):
                item.setToolTip(f"{item.toolTip().split(' (')[0]} ({keys[what]})")
        self._done_key = keys.get("done", "").replace("Shift-", "⇧")
        self.show_slice_done(False)

    _done_key = ""

    def _explain(self) -> None:
        """Let buttons say what they do, or why they cannot."""
        value = self.table.current
        shown = None if value is None else self.table.segment(value)
        for button, words in (
            (
                self.remove_button,
                "Remove the segment; its voxels go too, and undo brings them back",
            ),
            (self.solo_button, "Show this segment alone; once more, show all"),
            (
                self.done_button,
                "Call this slice done for the segment, or not after all",
            ),
        ):
            button.setEnabled(value is not None)
            button.setToolTip(words if value is not None else "Choose a segment first.")
        if len(self.table.labels) == 1:
            self.remove_button.setEnabled(False)
            self.remove_button.setToolTip("The last segment stays: a mask needs one.")
        elif shown is not None and shown.locked:
            self.remove_button.setEnabled(False)
            self.remove_button.setToolTip("It is locked: open its padlock first.")

    # -- asking --------------------------------------------------------------------------

    def _with_current(self, do: Callable[[int], object]) -> None:
        value = self.table.current
        if value is not None:
            do(value)

    def menu(self, value: int) -> QMenu:
        """Return what can be done with a segment."""
        menu = QMenu(self)
        for words, do in (
            ("Go to its middle", lambda: self.table.centre_requested.emit(value)),
            ("Rename", lambda: self.table.begin_renaming(value)),
            ("Colour…", lambda: self._ask_colour(value)),
            ("Solo", lambda: self.solo_requested.emit(value)),
            ("Move up", lambda: self.move_requested.emit(value, -1)),
            ("Move down", lambda: self.move_requested.emit(value, 1)),
        ):
            menu.addAction(words).triggered.connect(lambda _on=False, do=do: do())
        menu.addMenu(self.table.progress_menu(value))
        remove = menu.addAction("Remove")
        remove.setEnabled(self.remove_button.isEnabled() or self.table.current != value)
        remove.triggered.connect(lambda: self.remove_requested.emit(value))
        return menu

    def _show_menu(self, value: int, at: QPoint) -> None:
        self.menu(value).popup(at)

    def _ask_colour(self, value: int) -> None:
        label = next((one for one in self.table.labels if one.value == value), None)
        if label is None:
            return
        chosen = QColorDialog.getColor(QColor(label.colour), self, f"Colour of {label.name}")
        if chosen.isValid() and chosen.name() != label.colour:
            self.recoloured.emit(value, chosen.name())

    def _ask_scheme(self, index: int) -> None:
        key = choose_file(self, self.scheme_box.itemData(index))
        self._name_scheme(self._scheme.name)
        if key:
            self.scheme_requested.emit(key)

    def _ask_look(self) -> None:
        self.look_requested.emit(self.opacity.value() / 100.0, self.outline.value())


def choose_file(parent: QWidget, key: str) -> str:
    """Ask for a JSON file where the entry "From a file" was chosen; else return the key."""
    if key != FROM_FILE:
        return key
    path, _ = QFileDialog.getOpenFileName(parent, "From a file", filter="JSON (*.json)")
    return str(path)
