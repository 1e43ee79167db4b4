"""Legible: colours of words and signs that can be read in a dark window and in a light one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

from qtpy.QtCore import QEvent, QObject, QTimer
from qtpy.QtGui import QColor, QFontInfo, QPalette
from qtpy.QtWidgets import QLabel, QWidget

Tint = Literal["blue", "amber", "green", "red", "faint", "mark"]
TINTS: Final[dict[Tint, tuple[str, str]]] = {
    "blue": ("#dcedff", "#083f7a"),
    "amber": ("#ffe3bd", "#5e3000"),
    "green": ("#c9f5d8", "#0b4a21"),
    "red": ("#ffe6e2", "#7a100c"),
    "faint": ("#ccd2d6", "#3d4449"),
    "mark": ("#ffd23f", "#7a4a00"),
}
"""By name, in a dark window and in a light one: 4.5 to 1 and more on whatever they lie, those
of states on a chosen row of a list, too."""
_MIDDLE: Final = 128
_REACHED: Final = ", ".join(
    f"{kind}:focus"
    for kind in (
        "QPushButton",
        "QToolButton",
        "QCheckBox",
        "QRadioButton",
        "QComboBox",
        "QLineEdit",
        "QPlainTextEdit",
        "QTextBrowser",
        "QAbstractSpinBox",
        "QSlider",
        "QTableWidget",
        "QListWidget",
    )
)


def is_dark(widget: QWidget) -> bool:
    """Tell whether a widget has light words on a dark ground."""
    return int(widget.palette().color(QPalette.ColorRole.WindowText).lightness()) >= _MIDDLE


def tint(widget: QWidget, name: Tint) -> QColor:
    """Return a colour for words on a widget."""
    dark, light = TINTS[name]
    return QColor(dark if is_dark(widget) else light)


def points_of_words(widget: QWidget) -> float:
    """Return the size of words in a widget, in points: napari's style gives it to labels."""
    words = QLabel(widget)
    words.ensurePolished()
    points: float = QFontInfo(words.font()).pointSizeF()
    words.setParent(None)
    return points


class ThemeWatch(QObject):
    """Does something when a widget has got other colours, and once it has its first.

    Parameters
    ----------
    widget : QWidget
        Whose colours are followed.
    do : callable
        What is done.
    font : bool
        Whether it is done for another size of words, too.
    """

    def __init__(
        self, widget: QWidget, do: Callable[[], object], *, font: bool = False
    ) -> None:
        super().__init__(widget)
        self._widget, self._do, self._font = widget, do, font
        self._known: tuple[int, float] | None = None
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._look)
        widget.installEventFilter(self)

    def eventFilter(self, _watched: QObject | None, event: QEvent | None) -> bool:
        """Look a moment later: colours are given piece by piece."""
        kinds = QEvent.Type.StyleChange, QEvent.Type.PaletteChange, QEvent.Type.Polish
        if event is not None and event.type() in (*kinds, QEvent.Type.Show):
            self._soon.start()
        return False

    def _look(self) -> None:
        colour = self._widget.palette().color(QPalette.ColorRole.WindowText).rgba()
        now = colour, points_of_words(self._widget) if self._font else 0.0
        if now != self._known:
            self._known = now
            self._do()


class Hints(QObject):
    """Lets the hints in empty lines be read, and the focus be seen.

    Qt shows hints half as strong as words, and napari's themes show no focus at all.

    Parameters
    ----------
    widget : QWidget
        In which the lines are.
    """

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self._widget = widget
        ThemeWatch(widget, self._show)

    def _show(self) -> None:
        faint, mark = tint(self._widget, "faint").name(), tint(self._widget, "mark").name()
        self._widget.setStyleSheet(
            f"QLineEdit, QPlainTextEdit, QTextEdit {{ placeholder-text-color: {faint}; }}"
            f" {_REACHED} {{ border: 1px solid {mark}; }}"
        )
