"""What is doubtful about the open scan: all of it, in words, foldable."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QToolButton, QVBoxLayout, QWidget


class Doubts(QWidget):
    """Hidden where there is nothing to say; open at first, so that it is read once."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.heading = QToolButton()
        self.heading.setCheckable(True)
        self.heading.setAutoRaise(True)
        self.heading.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.heading.toggled.connect(self._fold)
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.heading)
        column.addWidget(self.words)
        self.hide()

    def show_doubts(self, doubts: Sequence[str]) -> None:
        """Show doubts, each a sentence."""
        self.setVisible(bool(doubts))
        count = "1 thing" if len(doubts) == 1 else f"{len(doubts)} things"
        self.heading.setText(f"{count} to know about this scan")
        rows = "".join(f"<li>{escape(doubt)}</li>" for doubt in doubts)
        self.words.setText(f"<ul style='margin-left: -24px'>{rows}</ul>" if rows else "")
        self.heading.setChecked(True)
        self._fold(True)

    def _fold(self, is_open: bool) -> None:
        arrow = Qt.ArrowType.DownArrow if is_open else Qt.ArrowType.RightArrow
        self.heading.setArrowType(arrow)
        self.words.setVisible(is_open)
