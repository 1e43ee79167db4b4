"""Kinds of faults as buttons that stay down: any number of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QPushButton, QVBoxLayout, QWidget

from napari_medlabel.widgets.rows import Rows

TAG_WORDS: Final[Mapping[str, str]] = {
    "boundary": "Boundary",
    "missed": "Missed",
    "extra": "Too much",
    "wrong-label": "Wrong label",
    "side": "Wrong side",
    "landmark": "Landmark",
    "answer": "Answer",
    "other": "Other",
}
"""Every tag of the review in words."""
REASON_WORDS: Final[Mapping[str, str]] = {
    "CORRECTION": "Correction",
    "QA_FEEDBACK": "Quality control",
    "PROTOCOL": "Protocol",
    "WRONG_PATIENT": "Wrong patient",
    "CONSENT_WITHDRAWN": "Consent withdrawn",
    "OTHER": "Other",
}
"""Every code of a reason in words."""


class TagRow(QWidget):
    """Shows the tags, and which are chosen."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.buttons: dict[str, QPushButton] = {}
        for tag, words in TAG_WORDS.items():
            button = self.buttons[tag] = QPushButton(words)
            button.setCheckable(True)
            button.setStyleSheet(
                "QPushButton { padding: 3px 2px; }"
                " QPushButton:checked { background: #8a6100; color: white; font-weight: bold; }"
            )
            button.setToolTip(f"What is wrong: {words.lower()}")
            button.clicked.connect(lambda _on=False: self.changed.emit())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(Rows(*self.buttons.values()))

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags that are chosen."""
        return tuple(tag for tag, button in self.buttons.items() if button.isChecked())

    def show_tags(self, tags: Iterable[str]) -> None:
        """Choose tags, and no others."""
        chosen = set(tags)
        for tag, button in self.buttons.items():
            button.setChecked(tag in chosen)


def tag_words(tags: Iterable[str]) -> str:
    """Return tags in words, in a row."""
    return ", ".join(TAG_WORDS[tag].lower() for tag in tags)
