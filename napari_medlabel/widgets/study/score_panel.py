"""Quick looks: one key for each reading of a random sample, and what the sample says."""

from __future__ import annotations

from functools import partial
from typing import Final

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

SCORES: Final = (
    (4, "Good as it is"),
    (3, "Small faults"),
    (2, "Large faults"),
    (1, "Unusable"),
    (0, "Bad image"),
)
"""Score, which is its key too, and what it means. Below 4 is a fault; 0 says nothing."""


class QuickStart(QWidget):
    """Asks how many readings are to be drawn; stands below the list of the study.

    Parameters
    ----------
    usual : int
        How many are offered.
    """

    start_requested = Signal(int)

    def __init__(self, usual: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.count = QSpinBox()
        self.count.setRange(1, 9999)
        self.count.setValue(usual)
        self.count.setSuffix(" readings")
        self.count.setToolTip(
            f"How many are drawn at random: {usual} without a fault show, with 95 % "
            "confidence, that fewer than 5 % of all are faulty"
        )
        self.button = QPushButton("Quick looks")
        self.button.setToolTip("Score finished readings by one key each: 4 to 1, 0 bad image")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.button, 1)
        row.addWidget(self.count, 1)
        self.button.clicked.connect(lambda: self.start_requested.emit(self.count.value()))


class ScorePanel(QWidget):
    """Shows where one is in a sample and asks for a score; knows no session."""

    scored = Signal(int)
    stop_requested = Signal()
    skip_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title, self.words = QLabel(), QLabel()
        self.title.setStyleSheet("font-weight: bold")
        for label in (self.title, self.words):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        self.bar = QProgressBar()
        self.bar.setFormat("%v of %m")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.title)
        column.addWidget(self.bar)
        self.buttons: dict[int, QPushButton] = {}
        for score, words in SCORES:
            button = self.buttons[score] = QPushButton(f"{score}   {words}")
            button.setStyleSheet("text-align: left; padding: 5px 10px;")
            button.setToolTip(_tip(score))
            button.clicked.connect(partial(self._on_clicked, score))
            column.addWidget(button)
        self.skip_button, self.stop_button = QPushButton("Later"), QPushButton("Stop")
        self.skip_button.setToolTip("Leave this one, and go to the next")
        self.stop_button.setToolTip("End the quick looks; what is scored counts")
        row = QHBoxLayout()
        row.addWidget(self.skip_button)
        row.addWidget(self.stop_button)
        column.addLayout(row)
        column.addWidget(self.words)
        self.skip_button.clicked.connect(self.skip_requested)
        self.stop_button.clicked.connect(self.stop_requested)

    def _on_clicked(self, score: int, _on: bool = False) -> None:
        self.scored.emit(score)

    def show_place(self, title: str, done: int, total: int, words: str) -> None:
        """Show which reading it is, how far the sample is, and what it says so far."""
        self.title.setText(title)
        self.bar.setRange(0, max(total, 1))
        self.bar.setValue(done)
        self.words.setText(words)
        self.show_busy(False)

    def show_busy(self, busy: bool) -> None:
        """Take no score while the last one is written and the next case opens."""
        for button in (*self.buttons.values(), self.skip_button, self.stop_button):
            button.setEnabled(not busy)


def _tip(score: int) -> str:
    if score == 0:
        return f"Key {score}: nobody can judge this; a manager looks at it"
    if score == SCORES[0][0]:
        return f"Key {score}: approves what waits for review"
    return f"Key {score}: counts as faulty, and sends back what waits for review"
