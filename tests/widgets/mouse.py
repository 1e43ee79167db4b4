"""Moves of the mouse that only the widget meant can get."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication, QWidget


def move(target: QWidget, spot: QPoint, held: Qt.MouseButton = Qt.MouseButton.NoButton) -> None:
    """Tell a widget that the mouse is over `spot`, in its own pixels, a button held or not.

    `QTest.mouseMove` moves the screen's one pointer: all test processes share it, another
    window may lie above, and a pointer already there tells nobody anything.
    """
    event = QMouseEvent(
        QEvent.Type.MouseMove,
        QPointF(spot),
        QPointF(target.mapToGlobal(spot)),
        Qt.MouseButton.NoButton,
        held,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(target, event)
