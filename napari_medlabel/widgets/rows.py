"""Rows: buttons beside one another, in as many rows as it takes for all to be whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import QEvent, QSize
from qtpy.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

_GAP_PX = 2


class Rows(QWidget):
    """Arranges widgets by the width that there is, the largest font too; needs one's width."""

    def __init__(self, *widgets: QWidget, gap_px: int = _GAP_PX) -> None:
        super().__init__()
        self._gap = gap_px
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._widgets: list[QWidget] = []
        self._rows: list[tuple[int, ...]] = []
        self._lines: list[QHBoxLayout] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(gap_px)
        for widget in widgets:
            self.add(widget)

    def add(self, widget: QWidget) -> None:
        """Put a widget behind the others."""
        self._widgets.append(widget)
        widget.setParent(self)
        self.arrange(anew=True)

    def minimumSizeHint(self) -> QSize:
        """Ask for the width of the widest: the others can go below."""
        shown = self._shown()
        wide = max((self._widgets[n].sizeHint().width() for n in shown), default=0)
        return QSize(wide, super().minimumSizeHint().height())

    def resizeEvent(self, event: Any) -> None:
        """Take as many rows as the width asks for."""
        super().resizeEvent(event)
        self.arrange()

    def event(self, event: QEvent | None) -> bool:
        """Arrange anew where words or their font have changed."""
        if event is not None and event.type() == QEvent.Type.LayoutRequest:
            self.arrange()
        return bool(super().event(event))

    def arrange(self, *, anew: bool = False) -> None:
        """Put what is not hidden into rows; `anew` where a widget came or went."""
        wanted = self._wanted()
        if wanted == self._rows and not anew:
            return
        self._rows = wanted
        while len(self._lines) < len(wanted):
            line = QHBoxLayout()
            line.setSpacing(self._gap)
            self._column.addLayout(line)
            self._lines.append(line)
        for line in self._lines:
            while line.count():
                line.takeAt(0)
        for line, numbers in zip(self._lines, wanted, strict=False):
            for number in numbers:
                line.addWidget(self._widgets[number])
        self.updateGeometry()

    def _shown(self) -> Sequence[int]:
        return [n for n, one in enumerate(self._widgets) if not one.isHidden()]

    def _wanted(self) -> list[tuple[int, ...]]:
        rows: list[list[int]] = []
        left = 0
        for number in self._shown():
            wide = self._widgets[number].sizeHint().width() + self._gap
            if not rows or wide > left:
                rows.append([])
                left = self.width() + self._gap
            rows[-1].append(number)
            left -= wide
        return [tuple(row) for row in rows]
