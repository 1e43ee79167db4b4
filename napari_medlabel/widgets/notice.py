"""A notice: a coloured box with a sentence, and buttons where something can be done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

COLOURS: Final = {"green": "#2e7d4f", "amber": "#8a6100", "red": "#a12c2c"}


class Notice(QFrame):
    """Hidden until there is something to say."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.text = QLabel()
        self.text.setWordWrap(True)
        # Sentences may name what a file names: that is never markup.
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self._buttons = QHBoxLayout()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.addWidget(self.text)
        layout.addLayout(self._buttons)
        self.hide()

    def say(
        self, colour: str, sentence: str, actions: dict[str, Callable[[], object]] | None = None
    ) -> None:
        """Show a sentence.

        Parameters
        ----------
        colour : str
            green, amber or red.
        sentence : str
            What the person should know.
        actions : dict of str to callable, optional
            Buttons and what they do.
        """
        self.clear()
        self.setStyleSheet(
            f"Notice {{ background: {COLOURS[colour]}; border-radius: 4px; }}"
            " Notice QLabel { color: white; background: transparent; }"
        )
        self.text.setText(sentence)
        for name, action in (actions or {}).items():
            button = QPushButton(name)
            button.clicked.connect(lambda _=False, act=action: act())
            self._buttons.addWidget(button)
        self.show()

    def clear(self) -> None:
        """Say nothing."""
        while (item := self._buttons.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.setParent(None)
                widget.deleteLater()
        self.text.clear()
        self.hide()
