"""The options of the tool in hand: a form built from what the tool asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QWidget,
)

from napari_medlabel.plugin.tools.options import (
    Choice,
    Extent,
    Number,
    Option,
    Segment,
    Toggle,
)

EXTENT_WORDS: Final[Mapping[str, str]] = {"slice": "Slice", "slab": "Slab", "3D": "3D"}
_EXTENT_TIPS: Final = {
    "slice": "On the slice that is seen",
    "slab": "On some slices around the one that is seen",
    "3D": "In the whole scan; a brush is a ball",
}


class ToolOptions(QWidget):
    """Asks for what a tool needs; knows neither napari nor the session."""

    changed = Signal(str, object)
    """Name of an option, and what was chosen."""
    typed = Signal()
    """A number was typed and ended with Enter."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.form = QFormLayout(self)
        self.form.setContentsMargins(0, 0, 0, 0)
        self.form.setVerticalSpacing(3)
        self.fields: dict[str, QWidget] = {}
        self._only: dict[str, tuple[str, str]] = {}
        self._segments: tuple[tuple[int, str], ...] = ()
        self._filling = False

    def ask(self, options: Sequence[Option], values: Mapping[str, Any]) -> None:
        """Show fields for options, with what is chosen now."""
        while self.form.rowCount():
            self.form.removeRow(0)
        self.fields = {}
        self._only = {
            option.name: option.only
            for option in options
            if isinstance(option, Number) and option.only is not None
        }
        for option in options:
            field = self._make(option)
            tip = option.tip
            field.setToolTip(tip)
            field.setAccessibleName(option.words)
            self.fields[option.name] = field
            if isinstance(option, Toggle):
                self.form.addRow("", field)
            else:
                label = QLabel(option.words)
                label.setToolTip(tip)
                self.form.addRow(label, field)
        self.show_values(values)
        self.setVisible(bool(options))

    def show_segments(self, segments: Sequence[tuple[int, str]]) -> None:
        """Offer labels, as value and name, where a tool asks for another one."""
        self._segments = tuple(segments)

    def show_values(self, values: Mapping[str, Any]) -> None:
        """Show what is chosen, without asking for it again."""
        self._filling = True
        try:
            for name, value in values.items():
                _show(self.fields.get(name), value)
        finally:
            self._filling = False
        self._follow()

    def _follow(self) -> None:
        """Show the numbers that what is chosen asks for, and no others."""
        for name, (choice, value) in self._only.items():
            field, box = self.fields[name], self.fields[choice]
            meant = isinstance(box, QComboBox) and box.currentData() == value
            for part in (field, self.form.labelForField(field)):
                part.setVisible(meant)

    def _make(self, option: Option) -> QWidget:
        match option:
            case Number():
                return self._make_number(option)
            case Toggle():
                box = QCheckBox(option.words)
                box.toggled.connect(lambda on, n=option.name: self._tell(n, on))
                return box
            case Choice():
                return self._make_list(option.name, option.choices)
            case Segment():
                pairs = ((0, option.none), *self._segments)
                return self._make_list(option.name, pairs)

    def _make_number(self, option: Number) -> QWidget:
        if option.decimals == 0:
            whole = QSpinBox()
            whole.setRange(int(option.low), int(option.high))
            whole.setSingleStep(int(option.step))
            whole.valueChanged.connect(lambda v, n=option.name: self._tell(n, v))
            field: QSpinBox | QDoubleSpinBox = whole
        else:
            real = QDoubleSpinBox()
            real.setDecimals(option.decimals)
            real.setRange(option.low, option.high)
            real.setSingleStep(option.step)
            real.valueChanged.connect(lambda v, n=option.name: self._tell(n, v))
            field = real
        if option.unit:
            field.setSuffix(f" {option.unit}")
        # Half a number typed is not asked for: only what is meant.
        field.setKeyboardTracking(False)
        field.lineEdit().returnPressed.connect(self.typed)
        return field

    def _make_list(self, name: str, pairs: Sequence[tuple[Any, str]]) -> QComboBox:
        box = QComboBox()
        for value, words in pairs:
            box.addItem(words, value)
        box.currentIndexChanged.connect(
            lambda index, n=name, b=box: self._tell(n, b.itemData(index))
        )
        return box

    def _tell(self, name: str, value: Any) -> None:
        if not self._filling:
            self._follow()
            self.changed.emit(name, value)


def _show(field: QWidget | None, value: Any) -> None:
    if isinstance(field, QCheckBox):
        field.setChecked(bool(value))
    elif isinstance(field, QComboBox):
        at = field.findData(value)
        if at >= 0:
            field.setCurrentIndex(at)
    elif isinstance(field, QSpinBox):
        field.setValue(int(value))
    elif isinstance(field, QDoubleSpinBox):
        field.setValue(float(value))


class ExtentRow(QWidget):
    """Where the tool in hand works: slice, slab of some slices, or in 3D."""

    extent_requested = Signal(str)
    slab_requested = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(3)
        row.addWidget(QLabel("Works on"))
        self.buttons: dict[str, QPushButton] = {}
        group = QButtonGroup(self)
        for extent, words in EXTENT_WORDS.items():
            button = QPushButton(words)
            button.setCheckable(True)
            button.setMinimumWidth(40)
            button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            button.clicked.connect(lambda _=False, e=extent: self.extent_requested.emit(e))
            group.addButton(button)
            self.buttons[extent] = button
            row.addWidget(button, 1)
        self.slab = QSpinBox()
        self.slab.setRange(2, 99)
        self.slab.setToolTip("How many slices a slab has")
        self.slab.setAccessibleName("Slices of the slab")
        self.slab.setMaximumWidth(76)
        self.slab.valueChanged.connect(self.slab_requested)
        row.addWidget(self.slab)

    def show_extent(self, offered: Sequence[Extent], chosen: Extent, slab: int) -> None:
        """Show where a tool can work, and where it does."""
        self.setVisible(bool(offered))
        for extent, button in self.buttons.items():
            able = extent in offered
            button.setEnabled(able)
            button.setChecked(extent == chosen)
            button.setToolTip(
                _EXTENT_TIPS[extent] if able else "This tool draws in a slice: not in 3D"
                if extent == "3D" else "This tool does not work so"
            )  # fmt: skip
        self.slab.blockSignals(True)
        self.slab.setValue(slab)
        self.slab.blockSignals(False)
        self.slab.setVisible(chosen == "slab")
