"""The fourth square: where the cross-hair is, and the way to 3D."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget


class Fourth(QWidget):
    """Says what is at the cross-hair; knows neither napari nor the session."""

    solid_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.words = QLabel()
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        self.words.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.words.setWordWrap(True)
        self.words.setAccessibleName("At the cross-hair")
        self.hint = QLabel()
        self.hint.setWordWrap(True)
        self.solid_button = QPushButton("Segments in 3D")
        self.solid_button.setToolTip(
            "The segments and landmarks as bodies, seen from the front and never mirrored; "
            "hidden segments stay hidden."
        )
        self.solid_button.clicked.connect(self.solid_requested)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 12, 12, 12)
        column.addWidget(self.words)
        column.addWidget(self.hint)
        column.addStretch(1)
        column.addWidget(self.solid_button)

    def show_words(self, words: list[str]) -> None:
        """Show lines about the cross-hair."""
        self.words.setText("\n".join(["Cross-hair", *words]))

    def show_keys(self, rows: list[tuple[str, str]]) -> None:
        """Tell what mouse and keys do in the views to whoever rests on the hint."""
        self.hint.setText("F1: all keys")
        self.hint.setToolTip("\n".join(f"{key}: {words}" for key, words in rows))
