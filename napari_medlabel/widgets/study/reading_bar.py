"""One line about the reading that is open: which, what for, the clock, submit, back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_medlabel.widgets.narrow import breakable, narrow
from napari_medlabel.widgets.rows import Rows
from napari_medlabel.widgets.study.worklist_panel import REASONS

_PURPOSES: Final = {
    "work": "you read it",
    "review": "you review it",
    "look": "to look at",
    "adjudicate": "you settle it",
}


class ReadingBar(QWidget):
    """Shows what is open of a study; knows neither napari nor the session."""

    submit_requested = Signal()
    list_requested = Signal()
    out_requested = Signal(str, str)
    """Leave the reading: ``problem``, ``skip`` or ``release``, and a reason's code."""
    layer_chosen = Signal(int)
    """A person chose another layer of the ontology."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title, self.purpose, self.clock = QLabel(), QLabel(), QLabel()
        self.title.setStyleSheet("font-weight: bold;")
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        for words in (self.title, self.purpose):
            words.setWordWrap(True)
        self.clock.setAccessibleName("Time of work on this reading")
        self.clock.setToolTip(
            "Time of work: it stops when nothing moves, and when another program is in front."
        )
        self.submit_button = QPushButton("Submit…")
        self.list_button = QPushButton("Back to the list")
        self.guide_button = QPushButton("Guide")
        self.guide_button.setToolTip("Show or hide the guidelines")
        self.out_button = QPushButton("More")
        self.out_button.setToolTip("Raise a problem, skip it, or give it back")
        self.out_button.setAccessibleName("Other ways out of this reading")
        self.menu = QMenu(self)
        self.out_button.setMenu(self.menu)
        self._fill_menu()
        self.list_button.setToolTip("Close the scan; the reading stays yours, in progress")
        self.submit_button.clicked.connect(self.submit_requested)
        self.list_button.clicked.connect(self.list_requested)
        first = QHBoxLayout()
        first.addWidget(self.title, 1)
        first.addWidget(self.purpose)
        first.addSpacing(6)
        first.addWidget(self.clock)
        buttons = self.submit_button, self.list_button, self.guide_button, self.out_button
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 4)
        column.addLayout(first)
        column.addWidget(self._make_layers())
        column.addWidget(Rows(*buttons, gap_px=6))

    def _make_layers(self) -> QWidget:
        self.layer_row, self.layers = QWidget(), narrow(QComboBox())
        words = (
            "Labels on two layers may overlap: each layer has a mask of its own. Choosing one "
            "saves this one and opens it; the others are shown as outlines. Submit takes all."
        )
        self.layers.setToolTip(words)
        self.layers.setAccessibleName("Layer of labels")
        self.layers.activated.connect(
            lambda index: self.layer_chosen.emit(int(self.layers.itemData(index)))
        )
        row = QHBoxLayout(self.layer_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(QLabel("Layer"))
        row.addWidget(self.layers, 1)
        self.layer_row.hide()
        return self.layer_row

    def show_layers(self, names: Mapping[int, str], chosen: int) -> None:
        """Offer the layers by their labels' names; one alone is not offered."""
        self.layers.clear()
        for layer, words in names.items():
            self.layers.addItem(words, layer)
        self.choose_layer(chosen)
        self.layer_row.setVisible(len(names) > 1)

    def choose_layer(self, layer: int) -> None:
        """Show which layer is open."""
        self.layers.setCurrentIndex(self.layers.findData(layer))

    def _fill_menu(self) -> None:
        for step, words in (("problem", "Raise a problem…"), ("skip", "Skip…")):
            below = self.menu.addMenu(words)
            for code, because in REASONS.items():
                below.addAction(because, self._asking(step, code))
        self.menu.addAction("Give back", self._asking("release", ""))

    def _asking(self, step: str, code: str) -> Callable[[], None]:
        return lambda: self.out_requested.emit(step, code)

    def show_reading(self, title: str, purpose: str) -> None:
        """Show case and slot, and what it is open for."""
        self.title.setText(breakable(title))
        self.title.setToolTip(title)
        self.purpose.setText(f"· {_PURPOSES[purpose]}")
        is_work = purpose == "work"
        for part in (self.submit_button, self.out_button):
            part.setVisible(is_work)
        self.clock.setVisible(is_work)
        self.allow_submit()

    def show_guide_key(self, key: str) -> None:
        """Write on the button which key shows and hides the guidelines; empty for none."""
        self.guide_button.setText(f"Guide ({key})" if key else "Guide")

    def allow_submit(self, why_not: str = "") -> None:
        """Let the reading be submitted, or say why it cannot be now."""
        self.submit_button.setEnabled(not why_not)
        self.submit_button.setToolTip(
            why_not
            or "Save, look at the study's rules, and submit where nothing is amiss. It can be "
            "taken back until somebody reviews it."
        )

    def show_clock(self, seconds: float, *, is_running: bool) -> None:
        """Show the time of work."""
        minutes, rest = divmod(int(seconds), 60)
        hours, minutes = divmod(minutes, 60)
        time = f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
        self.clock.setText(f"{'▶' if is_running else '■'} {time}")
