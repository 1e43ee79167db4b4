"""The rules of editing, always in sight: where, which values, and what may be overwritten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_medlabel.edit.masking import Area, Masking, Overwrite
from napari_medlabel.widgets.rows import Rows

_SIDES: Final[tuple[tuple[Area, str], ...]] = (
    ("inside", "inside"),
    ("outside", "outside"),
)
_OVERWRITES: Final[tuple[tuple[Overwrite, str], ...]] = (
    ("all", "all labels"),
    ("visible", "visible labels"),
    ("none", "no other label"),
)


class MaskingRow(QWidget):
    """Shows the rules that every edit obeys and asks for others; knows no session."""

    masking_requested = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rules = Masking()
        self._filling = False
        self._segments: tuple[tuple[int, str], ...] = ()
        self.area = QComboBox()
        self.area.setToolTip("Where tools may change anything")
        self.area.setAccessibleName("Where tools may change anything")
        self.overwrite = QComboBox()
        for overwrite, words in _OVERWRITES:
            self.overwrite.addItem(words, overwrite)
        self.overwrite.setToolTip(
            "Which other labels a tool may take voxels from; locked ones never"
        )
        self.overwrite.setAccessibleName("Which labels may be overwritten")
        self.ranged = QCheckBox("Only values")
        self.ranged.setToolTip("Change only voxels whose value lies between these two (key I)")
        self.low, self.high = _value_field("Lowest value"), _value_field("Highest value")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addWidget(_beside(QLabel("Edit"), self.area, QLabel("over"), self.overwrite))
        # In a large font both values go below the box, and stay whole.
        column.addWidget(Rows(self.ranged, _beside(self.low, self.high), gap_px=4))
        for wide in (self.area, self.overwrite, self.low, self.high):
            # As wide as there is room: the long name of a segment does not widen the dock.
            wide.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        for box in (self.area, self.overwrite):
            box.currentIndexChanged.connect(self._ask)
        self.ranged.toggled.connect(self._ask)
        for field in (self.low, self.high):
            field.valueChanged.connect(self._ask)
        self.show_segments(())
        self.show_masking(self._rules)

    def show_segments(self, segments: Sequence[tuple[int, str]]) -> None:
        """Offer labels, as value and name, to bound the area."""
        self._segments = tuple(segments)
        every = frozenset(value for value, _ in segments)
        self._filling = True
        try:
            self.area.clear()
            self.area.addItem("everywhere", ("everywhere", frozenset()))
            if every:
                self.area.addItem("inside any label", ("inside", every))
                self.area.addItem("outside all labels", ("outside", every))
            for area, word in _SIDES:
                for value, name in segments:
                    self.area.addItem(f"{word} {name}", (area, frozenset({value})))
        finally:
            self._filling = False
        self.show_masking(self._rules)

    def show_range(self, low: float, high: float) -> None:
        """Show a range of values that is not in force, to begin from."""
        self._filling = True
        try:
            self.low.setValue(low)
            self.high.setValue(high)
        finally:
            self._filling = False

    def show_masking(self, rules: Masking) -> None:
        """Show the rules in force."""
        self._rules = rules
        self._filling = True
        try:
            self._show_area(rules.area, rules.segments)
            self.ranged.setChecked(rules.low is not None or rules.high is not None)
            if rules.low is not None:
                self.low.setValue(rules.low)
            if rules.high is not None:
                self.high.setValue(rules.high)
            self.overwrite.setCurrentIndex(self.overwrite.findData(rules.overwrite))
        finally:
            self._filling = False
        self._grey()

    def _show_area(self, area: Area, segments: frozenset[int]) -> None:
        wanted = (area, segments)
        for at in range(self.area.count()):
            if self.area.itemData(at) == wanted:
                self.area.setCurrentIndex(at)
                return
        # Rules from elsewhere, of several segments: listed so that they are seen.
        self.area.addItem(f"{area} {len(segments)} labels", wanted)
        self.area.setCurrentIndex(self.area.count() - 1)

    def toggle_range(self) -> None:
        """Put the range of values in force, or out of it."""
        self.ranged.toggle()

    def _grey(self) -> None:
        on = self.ranged.isChecked()
        for field in (self.low, self.high):
            field.setEnabled(on)
            field.setToolTip("" if on else "Tick 'Only values' to bound edits to them (key I)")

    def _ask(self, _value: object = None) -> None:
        if self._filling:
            return
        self._grey()
        area, segments = self.area.currentData()
        low, high = sorted((self.low.value(), self.high.value()))
        ranged = self.ranged.isChecked()
        self.masking_requested.emit(
            replace(
                self._rules,
                area=area,
                segments=segments,
                low=low if ranged else None,
                high=high if ranged else None,
                overwrite=self.overwrite.currentData(),
            )
        )


def _beside(*parts: QWidget) -> QWidget:
    """Return a row of parts, of which fields take the room that there is."""
    row = QWidget()
    line = QHBoxLayout(row)
    line.setContentsMargins(0, 0, 0, 0)
    line.setSpacing(4)
    for part in parts:
        line.addWidget(part, int(isinstance(part, QComboBox | QDoubleSpinBox)))
    return row


def _value_field(name: str) -> QDoubleSpinBox:
    field = QDoubleSpinBox()
    field.setRange(-100000.0, 100000.0)
    field.setDecimals(1)
    field.setSingleStep(10.0)
    field.setKeyboardTracking(False)
    field.setAccessibleName(name)
    return field
