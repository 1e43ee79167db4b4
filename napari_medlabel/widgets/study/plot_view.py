"""A plot on the screen, as large as there is room; its dots are cases that can be clicked."""

from __future__ import annotations

from typing import Any, Final

from qtpy.QtCore import QByteArray, QEvent, QPointF, QRectF, Qt, Signal
from qtpy.QtGui import QPainter
from qtpy.QtSvg import QSvgRenderer
from qtpy.QtWidgets import QSizePolicy, QToolTip, QWidget

from napari_medlabel.project.agreement.plots import WIDTH, Drawing, Spot

_REACH_PX: Final = 9.0


class PlotView(QWidget):
    """Draws a plot; knows neither napari nor the session."""

    case_clicked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._drawing: Drawing | None = None
        self._renderer = QSvgRenderer(self)
        self.setMouseTracking(True)
        self.setMinimumHeight(240)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def show_drawing(self, drawing: Drawing | None, title: str = "") -> None:
        """Show a plot in place of the one before; None for none."""
        self._drawing = drawing
        if drawing is not None:
            self._renderer.load(QByteArray(drawing.svg.encode()))
        self.setAccessibleName(title)
        self.update()

    def place_of(self, spot: Spot) -> QPointF:
        """Return where a dot is drawn, in pixels of this widget."""
        at = self._place()
        scale = at.width() / WIDTH
        return QPointF(at.left() + spot.x * scale, at.top() + spot.y * scale)

    def spot_at(self, point: QPointF) -> Spot | None:
        """Return the dot nearest to a place, within reach; None where there is none."""
        spots = () if self._drawing is None else self._drawing.spots
        near = [
            ((self.place_of(spot) - point).manhattanLength(), n) for n, spot in enumerate(spots)
        ]
        found = min(near, default=(_REACH_PX + 1, -1))
        return spots[found[1]] if found[0] <= _REACH_PX else None

    def _place(self) -> QRectF:
        height = 1.0 if self._drawing is None else self._drawing.height
        scale = min(self.width() / WIDTH, self.height() / height, 1.6)
        return QRectF((self.width() - WIDTH * scale) / 2, 0.0, WIDTH * scale, height * scale)

    def paintEvent(self, _event: Any) -> None:
        """Draw it."""
        if self._drawing is not None:
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._renderer.render(painter, self._place())
            painter.end()

    def mousePressEvent(self, event: Any) -> None:
        """Choose a case."""
        spot = self.spot_at(event.position())
        if spot is not None:
            self.case_clicked.emit(spot.case)

    def event(self, event: Any) -> bool:
        """Say which case lies under the mouse."""
        kind = event.type()
        if kind == QEvent.Type.ToolTip:
            spot = self.spot_at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), "" if spot is None else spot.words, self)
            return True
        if kind == QEvent.Type.MouseMove:
            hand = Qt.CursorShape.PointingHandCursor
            over = self.spot_at(event.position()) is not None
            self.setCursor(hand if over else Qt.CursorShape.ArrowCursor)
        return bool(super().event(event))
