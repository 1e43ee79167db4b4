"""Pages with their titles above them, in as many rows as it takes: none is scrolled away."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QButtonGroup,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from napari_medlabel.widgets.rows import Rows


class Pages(QWidget):
    """Shows one of several pages; what a `QTabWidget` is, whose tabs would not fit in a row."""

    current_changed = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._group = QButtonGroup(self)
        self._group.idClicked.connect(self.setCurrentIndex)
        self._stack = QStackedWidget()
        self._hidden: set[int] = set()
        self._titles = Rows()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._titles)
        column.addWidget(self._stack, 1)

    # -- what a QTabWidget does ------------------------------------------------------------

    def addTab(self, page: QWidget, title: str) -> int:
        """Add a page and return its number."""
        number, button = self.count(), QPushButton(title)
        button.setCheckable(True)
        # A title needs no more than its words; napari's theme would make it wider.
        button.setStyleSheet("QPushButton {padding: 3px 6px; min-width: 0px}")
        button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        button.setCursor(Qt.CursorShape.PointingHandCursor)
        self._group.addButton(button, number)
        # Before the page, and behind the other titles: so Tab goes, too.
        self._titles.add(button)
        if number:
            QWidget.setTabOrder(self._button(number - 1), button)
        self._stack.addWidget(page)
        self.setCurrentIndex(max(self.currentIndex(), 0))
        return number

    def count(self) -> int:
        """Return how many pages there are, hidden ones too."""
        return int(self._stack.count())

    def indexOf(self, page: QWidget) -> int:
        """Return the number of a page, -1 for none."""
        return int(self._stack.indexOf(page))

    def currentIndex(self) -> int:
        """Return the number of the page that is shown."""
        return int(self._stack.currentIndex())

    def currentWidget(self) -> QWidget | None:
        """Return the page that is shown."""
        return self._stack.currentWidget()

    def tabText(self, number: int) -> str:
        """Return the title of a page."""
        return str(self._button(number).text())

    def isTabVisible(self, number: int) -> bool:
        """Tell whether a page may be turned to."""
        return 0 <= number < self.count() and number not in self._hidden

    def setCurrentIndex(self, number: int) -> None:
        """Turn to a page."""
        if not self.isTabVisible(number):
            return
        turned = number != self.currentIndex()
        self._stack.setCurrentIndex(number)
        self._button(number).setChecked(True)
        if turned:
            self.current_changed.emit(number)

    def setTabVisible(self, number: int, on: bool) -> None:
        """Show or hide the title of a page; the first left takes the place of a hidden one."""
        if not 0 <= number < self.count() or self.isTabVisible(number) == on:
            return
        (self._hidden.discard if on else self._hidden.add)(number)
        self._button(number).setVisible(on)
        self._titles.arrange(anew=True)
        if not on and number == self.currentIndex():
            left = (one for one in range(self.count()) if one not in self._hidden)
            self.setCurrentIndex(next(left, -1))

    def _button(self, number: int) -> Any:
        return self._group.button(number)
