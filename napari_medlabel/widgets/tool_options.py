"""The options of the tool in hand: a form built from what the tool asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from qtpy.QtCore import Qt, Signal
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

Pairs = Sequence[tuple[Any, str]]
"""Values and the words for them."""
Against = Mapping[str, Mapping[Any, str]]
"""For options by name, which values cannot be chosen, and why; None for all of them."""
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
        self._regions: Callable[[], Pairs] = tuple
        self._against: Callable[[Mapping[str, Any]], Against] = _nothing_against
        self._mixed: str = ""
        self._tips: dict[str, str] = {}

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
        self._mixed = next(
            (one.name for one in options if isinstance(one, Segment) and one.regions), ""
        )
        self._tips = {option.name: option.tip for option in options}
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

    def show_regions(
        self,
        regions: Callable[[], Pairs],
        against: Callable[[Mapping[str, Any]], Against],
    ) -> None:
        """Offer regions where a tool takes them, and grey out what does not go together.

        Parameters
        ----------
        regions : callable
            Returns what there is now, as value and words.
        against : callable
            Given what is chosen, returns for options by name which values cannot be, and why;
            None for all of them.
        """
        self._regions, self._against = regions, against

    def forget_regions(self) -> None:
        """Let go of the case whose regions were offered."""
        self._regions, self._against = tuple, _nothing_against

    def follow(self) -> None:
        """Hear that something changed on which the choices depend: the label in hand."""
        self._follow()

    def _refill(self, name: str) -> None:
        """List the regions that there are now, before the list opens."""
        box = self.fields.get(name)
        if not isinstance(box, QComboBox):
            return
        kept, self._filling = box.currentData(), True
        try:
            while box.count() > 1 + len(self._segments):
                box.removeItem(box.count() - 1)
            for value, words in self._regions():
                box.addItem(words, value)
            _show(box, kept)
        finally:
            self._filling = False
        if box.currentData() != kept:
            self._tell(name, box.currentData())
        self._follow()

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
        if self._mixed:
            boxes = {n: b for n, b in self.fields.items() if isinstance(b, QComboBox)}
            chosen = {name: box.currentData() for name, box in boxes.items()}
            for name, why in self._against(chosen).items():
                _grey(boxes[name], why, self._tips[name])

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
                pairs: Pairs = ((0, option.none), *self._segments)
                if not option.regions:
                    return self._make_list(option.name, pairs)
                box = _FreshBox(partial(self._refill, option.name))
                return self._make_list(option.name, (*pairs, *self._regions()), box)

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

    def _make_list(self, name: str, pairs: Pairs, known: QComboBox | None = None) -> QComboBox:
        box = QComboBox() if known is None else known
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


class _FreshBox(QComboBox):
    """A list that is brought up to date when it opens; as narrow as there is room."""

    def __init__(self, renew: Callable[[], object]) -> None:
        super().__init__()
        self._renew = renew
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def showPopup(self) -> None:
        """Open the list."""
        self._renew()
        super().showPopup()


def _nothing_against(_chosen: Mapping[str, Any]) -> Against:
    return {}


def _grey(box: QComboBox, why: Mapping[Any, str], tip: str) -> None:
    """Grey out values of a list, or all of it, each with the reason in its tooltip."""
    box.setEnabled(not why.get(None))
    box.setToolTip(why.get(None) or tip)
    able = Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEnabled
    model = box.model()
    for row in range(box.count()):
        reason = why.get(box.itemData(row), "")
        item = model.item(row)
        item.setFlags(Qt.ItemFlag.NoItemFlags if reason else able)
        item.setToolTip(reason)


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
