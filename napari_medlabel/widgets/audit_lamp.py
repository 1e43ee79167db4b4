"""The lamp: how the audit log is, in a sign, a word and a sentence; never in colour alone."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

_LOOK_MS: Final = 1000
_SIGNS: Final = {"green": "✔", "amber": "▲", "red": "✖", "": "○"}
_NAMES: Final = {
    "green": "Log written",
    "amber": "Log: see to it",
    "red": "Log stopped",
    "": "No log yet",
}
_BACKGROUND: Final = {"green": "#1f5f3b", "amber": "#7a5600", "red": "#8f2323", "": "#4a4f57"}
_SENTENCE: Final = "The log is opened with the first scan."
TO_DO: Final = {
    "green": "Nothing is to be done. 'medlabel audit verify' checks the whole log.",
    "amber": "Work goes on. Call whoever is responsible for the log if this stays.",
    "red": "Save your work: masks and landmarks are written all the same, and the log is told "
    "when it can be written again. Make room on the disk, or bring the log's folder back.",
    "": "Nothing is to be done.",
}
"""What to do, by colour."""


class AuditLamp(QFrame):
    """Shows the state of a log, and follows it from whatever thread it changes in.

    Parameters
    ----------
    log : callable
        Returns the log that is open, or None; asked once a second until there is one.
    """

    asked = Signal(str, str)
    """The person wants to know what to do: colour and words."""
    told = Signal(object)
    """The log is in another state; from any thread."""

    def __init__(self, log: Callable[[], Any], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._find = log
        self._log: Any = None
        self._hear = _hearing(self)
        self.level = ""
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        self.button = QPushButton()
        self.button.setToolTip("What is to be done?")
        self.button.clicked.connect(self._ask)
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 4, 6, 4)
        row.addWidget(self.button)
        row.addWidget(self.words, 1)
        # A signal, so that what another thread tells is shown in the window's own.
        self.told.connect(self.show_lamp)
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(self.look)
        self._timer.start()
        self._show("", _SENTENCE)
        self.look()

    def look(self) -> None:
        """Follow the log that is open now; a closed one is let go."""
        log = self._find()
        if log is not self._log:
            self.release()
            self._log = log
            changed = getattr(log, "changed", None)
            if changed is not None:
                changed.append(self._hear)
        self.show_lamp(None if log is None else log.lamp)

    def release(self) -> None:
        """Follow no log any more."""
        changed = getattr(self._log, "changed", None)
        if changed is not None and self._hear in changed:
            changed.remove(self._hear)
        self._log = None

    def show_lamp(self, lamp: Any) -> None:
        """Show a state; None for a log that is not open."""
        if lamp is None:
            self._show("", _SENTENCE)
        else:
            self._show(lamp.level, lamp.sentence)

    def _show(self, level: str, sentence: str) -> None:
        if (level, sentence) == (self.level, self.words.text()):
            return
        self.level = level
        self.words.setText(sentence)
        self.button.setText(f"{_SIGNS[level]}  {_NAMES[level]}")
        self.setAccessibleName(f"{_NAMES[level]}. {sentence}")
        self.setStyleSheet(
            f"AuditLamp {{ background: {_BACKGROUND[level]}; border-radius: 4px; }}"
            " AuditLamp QLabel { color: white; background: transparent; }"
            " AuditLamp QPushButton { color: white; background: transparent; padding: 2px 6px;"
            " border: 1px solid rgba(255, 255, 255, 120); border-radius: 3px; }"
        )

    def _ask(self) -> None:
        colour = self.level or "green"
        self.asked.emit(colour, f"{self.words.text()} {TO_DO[self.level]}")


def _hearing(lamp: AuditLamp) -> Callable[[Any], None]:
    """Return what a log may call for as long as it lives, from any thread."""
    weak = weakref.ref(lamp)

    def hear(state: Any) -> None:
        shown = weak()
        if shown is not None:
            # The log goes on when the window has gone.
            with suppress(RuntimeError):
                shown.told.emit(state)

    return hear
