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
    QGridLayout,
    QLabel,
    QWidget,
)

from napari_medlabel.edit.masking import Area, Masking, Overwrite

_AREAS: Final[tuple[tuple[Area, str], ...]] = (
    ("everywhere", "everywhere"),
    ("inside", "only inside"),
    ("outside", "only outside"),
)
_OVERWRITES: Final[tuple[tuple[Overwrite, str], ...]] = (
    ("all", "all labels"),
    ("visible", "visible labels"),
    ("none", "no other label"),
)
_ALL: Final = -1


class MaskingRow(QWidget):
    """Shows the rules that every edit obeys and asks for others; knows no session."""

    masking_requested = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rules = Masking()
        self._filling = False
        self._range = (0.0, 300.0)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(4)
        grid.setVerticalSpacing(3)
        self.area = QComboBox()
        for area, words in _AREAS:
            self.area.addItem(words, area)
        self.area.setToolTip("Where tools may change anything")
        self.segment = QComboBox()
        self.segment.setToolTip("The segment that bounds the area")
        self.ranged = QCheckBox("Values")
        self.ranged.setToolTip("Change only voxels whose value lies between these two (key I)")
        self.low, self.high = _value_field("Lowest value"), _value_field("Highest value")
        self.overwrite = QComboBox()
        for overwrite, words in _OVERWRITES:
            self.overwrite.addItem(words, overwrite)
        self.overwrite.setToolTip(
            "Which other labels a tool may take voxels from; locked ones never"
        )
        grid.addWidget(QLabel("Edit"), 0, 0)
        grid.addWidget(self.area, 0, 1)
        grid.addWidget(self.segment, 0, 2)
        grid.addWidget(self.ranged, 1, 0)
        grid.addWidget(self.low, 1, 1)
        grid.addWidget(self.high, 1, 2)
        grid.addWidget(QLabel("Overwrite"), 2, 0)
        grid.addWidget(self.overwrite, 2, 1, 1, 2)
        for column in (1, 2):
            grid.setColumnStretch(column, 1)
        self.area.currentIndexChanged.connect(self._ask)
        self.segment.currentIndexChanged.connect(self._ask)
        self.overwrite.currentIndexChanged.connect(self._ask)
        self.ranged.toggled.connect(self._ask)
        for field in (self.low, self.high):
            field.valueChanged.connect(self._ask)
        self.show_range(*self._range)
        self.show_masking(self._rules)

    def show_segments(self, segments: Sequence[tuple[int, str]]) -> None:
        """Offer labels, as value and name, to bound the area."""
        self._filling = True
        try:
            chosen = self.segment.currentData()
            self.segment.clear()
            for value, name in segments:
                self.segment.addItem(name, value)
            self.segment.addItem("all labels", _ALL)
            at = self.segment.findData(chosen)
            self.segment.setCurrentIndex(max(at, 0))
        finally:
            self._filling = False

    def show_range(self, low: float, high: float) -> None:
        """Show a range of values that is not in force, to begin from."""
        self._range = low, high
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
            self.area.setCurrentIndex(self.area.findData(rules.area))
            if len(rules.segments) == 1:
                self.segment.setCurrentIndex(self.segment.findData(min(rules.segments)))
            elif rules.segments:
                self.segment.setCurrentIndex(self.segment.findData(_ALL))
            ranged = rules.low is not None or rules.high is not None
            self.ranged.setChecked(ranged)
            if rules.low is not None:
                self.low.setValue(rules.low)
            if rules.high is not None:
                self.high.setValue(rules.high)
            self.overwrite.setCurrentIndex(self.overwrite.findData(rules.overwrite))
        finally:
            self._filling = False
        self._grey()

    def toggle_range(self) -> None:
        """Put the range of values in force, or out of it."""
        self.ranged.toggle()

    def _grey(self) -> None:
        bound = self.area.currentData() != "everywhere"
        self.segment.setEnabled(bound)
        self.segment.setToolTip(
            "The segment that bounds the area"
            if bound
            else "Choose 'only inside' or 'only outside' first"
        )
        for field in (self.low, self.high):
            field.setEnabled(self.ranged.isChecked())
            field.setToolTip(
                "" if self.ranged.isChecked() else "Tick 'Values' to bound them (key I)"
            )

    def _ask(self, _value: object = None) -> None:
        if self._filling:
            return
        self._grey()
        area: Area = self.area.currentData()
        chosen = self.segment.currentData()
        if chosen == _ALL:
            values = [self.segment.itemData(n) for n in range(self.segment.count())]
            bounds = frozenset(v for v in values if v != _ALL)
        else:
            bounds = frozenset() if chosen is None else frozenset({int(chosen)})
        if area == "everywhere" or not bounds:
            area, bounds = "everywhere", frozenset()
        low, high = sorted((self.low.value(), self.high.value()))
        ranged = self.ranged.isChecked()
        self.masking_requested.emit(
            replace(
                self._rules,
                area=area,
                segments=bounds,
                low=low if ranged else None,
                high=high if ranged else None,
                overwrite=self.overwrite.currentData(),
            )
        )


def _value_field(name: str) -> QDoubleSpinBox:
    field = QDoubleSpinBox()
    field.setRange(-100000.0, 100000.0)
    field.setDecimals(1)
    field.setSingleStep(10.0)
    field.setKeyboardTracking(False)
    field.setAccessibleName(name)
    return field
