"""Narrow: long names are cut or broken where they are shown: they make no dock wider."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from qtpy.QtCore import QEvent, QObject, QSize, Qt
from qtpy.QtGui import QFontMetrics, QHelpEvent
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QPushButton,
    QRadioButton,
    QSizePolicy,
    QToolTip,
)

if TYPE_CHECKING:
    from qtpy.QtWidgets import QAbstractButton as _Button
else:
    _Button = object  # what it is mixed into is a button

_LEAST: Final = 6
_LONGEST: Final = 20
_TAIL: Final = 8
_LEAST_PX: Final = 40
_JOINTS: Final = re.compile(r"(?<=[_/])(?=\w)")


def narrow(box: QComboBox) -> QComboBox:
    """Let a box be as narrow as the room there is, whatever the names in it; return it.

    Its tooltip says what is chosen, too.
    """
    policy = QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
    box.setSizeAdjustPolicy(policy)
    box.setMinimumContentsLength(_LEAST)
    box.installEventFilter(_Whole(box))
    return box


def shortened(name: str) -> str:
    """Return a name with its middle cut out where it is long: sides stand at either end."""
    if len(name) <= _LONGEST:
        return name
    return f"{name[: _LONGEST - _TAIL - 1].rstrip()}…{name[-_TAIL:].lstrip()}"


def breakable(name: str) -> str:
    """Return a case's name with unseen places at which a line may end, where it is long."""
    return _JOINTS.sub("\u200b", name) if len(name) > _LONGEST else name


def broken(words: str, metrics: QFontMetrics, room_px: int) -> str:
    """Return words in as many lines as it takes for none to be wider than the room there is.

    Parameters
    ----------
    words : str
        Names and sentences; a word that is wider by itself stands alone.
    metrics : QFontMetrics
        Of the font that they are shown in.
    room_px : int
        Pixels that a line may take.
    """
    lines: list[str] = []
    for word in words.split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and metrics.horizontalAdvance(longer) <= room_px:
            lines[-1] = longer
        else:
            lines.append(word)
    return "\n".join(lines)


class _Whole(QObject):
    """Says in a box's tooltip what is chosen, which may be cut in the box."""

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Show what is chosen, and what the box is for."""
        if not isinstance(event, QHelpEvent) or not isinstance(watched, QComboBox):
            return False
        lines = (one for one in (watched.currentText(), watched.toolTip()) if one)
        QToolTip.showText(event.globalPos(), "\n".join(lines), watched)
        return True


class _Narrow(_Button):
    """Shows its words as its width allows; `text` returns all of them."""

    _words = ""

    def text(self) -> str:
        """Return the words, whole."""
        return self._words

    def setText(self, text: str | None) -> None:
        """Show words; an ampersand is one, and stands for no key."""
        self._words = text or ""
        self._fit()
        self.updateGeometry()

    def resizeEvent(self, event: Any) -> None:
        """Show the words as the new width allows."""
        super().resizeEvent(event)
        self._fit()

    def _shown(self, words: str) -> str:
        raise NotImplementedError

    def _least(self) -> int:
        raise NotImplementedError

    def minimumSizeHint(self) -> QSize:
        """Be as narrow as what cannot be cut."""
        whole = super().minimumSizeHint()
        aside = whole.width() - _widest(super().text(), self.fontMetrics())
        return QSize(max(aside, 0) + self._least(), whole.height())

    def _fit(self) -> None:
        shown = self._shown(self._words).replace("&", "&&")
        if shown != super().text():
            super().setText(shown)

    def _room(self) -> int:
        """Return how many pixels there are for words."""
        around = super().sizeHint().width() - _widest(super().text(), self.fontMetrics())
        room: int = self.width() - max(around, 0)
        return room


class _Breaking(_Narrow):
    """Breaks its words into lines."""

    def _shown(self, words: str) -> str:
        return broken(words, self.fontMetrics(), self._room()) if self.isVisible() else words

    def _least(self) -> int:
        return _widest(self._words.replace(" ", "\n"), self.fontMetrics())

    def showEvent(self, event: Any) -> None:
        """Break the words by the width that there is."""
        super().showEvent(event)
        self._fit()


class BreakingRadio(_Breaking, QRadioButton):
    """A radio button whose words take several lines where they are long."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setText(words)


class BreakingCheck(_Breaking, QCheckBox):
    """A check box whose words take several lines where they are long."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setText(words)


class BreakingButton(_Breaking, QPushButton):
    """A button whose words take several lines where they are long."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setText(words)


class FittingButton(_Narrow, QPushButton):
    """A button that cuts its words where they are too long, and has them in its tooltip."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setText(words)

    def _shown(self, words: str) -> str:
        if not self.isVisible():
            return words
        cut = self.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, self._room())
        self.setToolTip(words if cut != words else "")
        return str(cut)

    def _least(self) -> int:
        return _LEAST_PX

    def showEvent(self, event: Any) -> None:
        """Cut the words by the width that there is."""
        super().showEvent(event)
        self._fit()


def _widest(text: str, metrics: QFontMetrics) -> int:
    lines = text.replace("&&", "&").split("\n")
    return max(int(metrics.horizontalAdvance(line)) for line in lines)
