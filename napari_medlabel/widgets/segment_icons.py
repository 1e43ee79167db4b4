"""The small pictures of the segment table: eye, padlock, states. Drawn, so none is missing."""

from __future__ import annotations

from functools import cache

from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap

_SIZE = 32  # drawn twice as large as shown: sharp on fine screens
_INK = {True: "#d6dadd", False: "#25282b"}
_FAINT = {True: "#c2c8cd", False: "#4a4f54"}
"""By whether the window is dark: 3 to 1 and more on a chosen row, too."""
_SHUT = {True: "#f5b942", False: "#7a4a00"}


def swatch(colour: str) -> QIcon:
    """Return a square of a colour ``#rrggbb``."""
    picture = QPixmap(14, 14)
    picture.fill(QColor(colour))
    made = QIcon(picture)
    # The true colour also in the row that is chosen: Qt would tint it.
    made.addPixmap(picture, QIcon.Mode.Selected)
    return made


@cache
def eye(is_open: bool, is_dark: bool = True) -> QIcon:
    """Return an open eye, or a closed one, for a dark window or a light one."""
    picture, painter = _begin((_INK if is_open else _FAINT)[is_dark])
    lid = QPainterPath(QPointF(3, 16))
    if is_open:
        lid.quadTo(16, 2, 29, 16)
        lid.quadTo(16, 30, 3, 16)
        painter.drawPath(lid)
        painter.setBrush(QColor(_INK[is_dark]))
        painter.drawEllipse(QPointF(16, 16), 4.0, 4.0)
    else:
        lid.quadTo(16, 27, 29, 16)
        painter.drawPath(lid)
        for x, y in ((8, 25), (16, 28), (24, 25)):
            painter.drawLine(QPointF(x, y - 4), QPointF(x, y))
    return _end(picture, painter)


@cache
def padlock(is_closed: bool, is_dark: bool = True) -> QIcon:
    """Return a closed padlock, or an open one, for a dark window or a light one."""
    picture, painter = _begin((_SHUT if is_closed else _FAINT)[is_dark])
    shackle = QRectF(10, 4, 12, 18) if is_closed else QRectF(16, 4, 12, 18)
    painter.drawArc(shackle, 0, 180 * 16)
    painter.setBrush(painter.pen().color() if is_closed else Qt.BrushStyle.NoBrush)
    painter.drawRect(QRectF(7, 14, 18, 13))
    return _end(picture, painter)


@cache
def progress(name: str, is_dark: bool = True) -> QIcon:
    """Return the sign of a state: a ring, half a disc, a tick, a flag. Shapes, not colours."""
    picture, painter = _begin((_FAINT if name == "not started" else _INK)[is_dark])
    if name == "completed":
        painter.drawPolyline([QPointF(6, 17), QPointF(13, 24), QPointF(27, 8)])
    elif name == "flagged":
        painter.drawLine(QPointF(9, 4), QPointF(9, 29))
        painter.setBrush(QColor("#d55e00"))
        painter.drawPolygon([QPointF(9, 5), QPointF(26, 10), QPointF(9, 16)])
    else:
        ring = QRectF(6, 6, 20, 20)
        painter.drawEllipse(ring)
        if name == "in progress":
            painter.setBrush(QColor(_INK[is_dark]))
            painter.drawPie(ring, 90 * 16, 180 * 16)
    return _end(picture, painter)


def _begin(colour: str) -> tuple[QPixmap, QPainter]:
    picture = QPixmap(_SIZE, _SIZE)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(colour), 2.6))
    return picture, painter


def _end(picture: QPixmap, painter: QPainter) -> QIcon:
    painter.end()
    made = QIcon(picture)
    # Not paler in the row that is chosen.
    made.addPixmap(picture, QIcon.Mode.Selected)
    return made
