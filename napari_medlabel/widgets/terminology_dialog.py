"""Choosing a segment from the terminology: search, category, side of the body."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from napari_medlabel.model.terminology import Concept, categories, find_concepts
from napari_medlabel.widgets.segment_icons import swatch

_SIDES = (("", "No side"), ("right", "Right"), ("left", "Left"))
_CONCEPT = Qt.ItemDataRole.UserRole


class TerminologyDialog(QDialog):
    """Offers structures and findings; several can be added, one after the other."""

    added = Signal(object, str)
    """A `Concept` and a side: ``right``, ``left`` or empty."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Add segments from the terminology")
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search name or code")
        self.search.setClearButtonEnabled(True)
        self.category = QComboBox()
        self.category.addItem("Everything", "")
        for name in categories():
            self.category.addItem(name, name)
        self.list = QListWidget()
        self.list.setMinimumSize(QSize(380, 300))
        self.sides = QButtonGroup(self)
        row = QHBoxLayout()
        for number, (_side, words) in enumerate(_SIDES):
            button = QRadioButton(words)
            self.sides.addButton(button, number)
            row.addWidget(button)
        self.sides.button(0).setChecked(True)
        self.said = QLabel()
        self.said.setWordWrap(True)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.add_button = buttons.addButton("Add", QDialogButtonBox.ButtonRole.ApplyRole)
        self.add_button.setDefault(True)
        self.add_button.clicked.connect(self._add)
        buttons.rejected.connect(self.reject)
        top = QHBoxLayout()
        top.addWidget(self.search, 1)
        top.addWidget(self.category)
        column = QVBoxLayout(self)
        column.addLayout(top)
        column.addWidget(self.list)
        column.addLayout(row)
        column.addWidget(QLabel("Codes are SNOMED CT concepts, as DICOM names them."))
        column.addWidget(self.said)
        column.addWidget(buttons)
        self.search.textChanged.connect(self._fill)
        self.category.currentIndexChanged.connect(self._fill)
        self.list.currentItemChanged.connect(self._explain)
        self.list.itemDoubleClicked.connect(self._add)
        self._fill()

    @property
    def concept(self) -> Concept | None:
        """What is chosen."""
        item = self.list.currentItem()
        return None if item is None else item.data(_CONCEPT)

    @property
    def side(self) -> str:
        """The side that is chosen; empty for none, and for what has none."""
        return _SIDES[self.sides.checkedId()][0]

    def say(self, words: str) -> None:
        """Tell what came of an addition."""
        self.said.setText(words)

    def _fill(self, *_: Any) -> None:
        self.list.clear()
        for concept in find_concepts(self.search.text(), self.category.currentData() or ""):
            item = QListWidgetItem(swatch(concept.colour), concept.code.meaning)
            item.setData(_CONCEPT, concept)
            item.setToolTip(f"{concept.category}\nSCT {concept.code.value}")
            self.list.addItem(item)
        if self.list.count():
            self.list.setCurrentRow(0)
        self._explain()

    def _explain(self, *_: Any) -> None:
        concept = self.concept
        paired = concept is not None and concept.paired
        for number in (1, 2):
            button = self.sides.button(number)
            button.setEnabled(paired)
            button.setToolTip("" if paired else "It has no sides.")
        if not paired:
            self.sides.button(0).setChecked(True)
        self.add_button.setEnabled(concept is not None)
        self.add_button.setToolTip("" if concept is not None else "Nothing fits the search.")

    def _add(self, *_: Any) -> None:
        if self.concept is not None:
            self.added.emit(self.concept, self.side)
