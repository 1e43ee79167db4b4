"""Canvases that draw one at a time, each in a turn of the window's loop of its own.

A canvas is drawn in the thread of the window. Where several are new or have another size, Qt
draws all of them before the mouse and the keys have their say, and a canvas that is resized
draws at once, in the midst of who lays it out.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from qtpy.compat import isalive
from qtpy.QtCore import QEvent, QObject, QTimer

PAUSE_MS: Final = 10
"""Between two drawings: what a hand did meanwhile comes first."""
PATIENCE_MS: Final = 100
"""For a canvas whose turn it is: one that does not draw by then lets the next one."""
_COUNT: Final = "medlabel_drawn_apart"


class DrawnApart(QObject):
    """Lets the first canvas draw at once, and each further one in its turn.

    Parameters
    ----------
    parent : QObject, optional
        With whom it goes.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._waiting: list[Any] = []
        self._called: Any = None
        self._turn = QTimer(self)
        self._turn.setSingleShot(True)
        self._turn.timeout.connect(self._take_turn)

    def add(self, native: Any) -> None:
        """Begin to order when a canvas draws.

        Parameters
        ----------
        native : QWidget
            What is drawn on: ``canvas.native`` of napari's widget.
        """
        native.setProperty(_COUNT, int(native.property(_COUNT) or 0) + 1)
        native.installEventFilter(self)

    def remove(self, native: Any) -> None:
        """Let a canvas draw whenever it likes, when as many removed as added it.

        One that waits draws soon.
        """
        if not isalive(native):
            return
        left = int(native.property(_COUNT) or 0) - 1
        native.setProperty(_COUNT, max(left, 0))
        if left > 0:
            return
        native.removeEventFilter(self)
        if native is self._called:
            self._called = None
        if native in self._waiting:
            self._waiting.remove(native)
            native.update()

    def pause(self) -> None:
        """Let nothing draw in this turn: there is enough to do in it."""
        self._turn.start(PAUSE_MS)

    @property
    def is_waiting(self) -> bool:
        """Whether a canvas has something to draw, and not drawn it yet."""
        return bool(self._waiting) or self._called is not None

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Keep a canvas from drawing while another has just drawn."""
        if event is None or event.type() != QEvent.Type.Paint:
            return False
        is_called = watched is self._called
        if is_called or not (self._turn.isActive() or self._waiting):
            self._called = None
            self._turn.start(PAUSE_MS)
            return False
        if watched not in self._waiting:
            self._waiting.append(watched)
        if not self._turn.isActive():
            self._turn.start(PAUSE_MS)
        return True

    def _take_turn(self) -> None:
        """Call the next canvas; what else is to be seen of the window comes with it."""
        self._called = None
        while self._waiting:
            native = self._waiting.pop(0)
            if not isalive(native) or not native.isVisible():
                continue  # it draws when it is shown
            self._called = native
            # Qt puts off `repaint` when a window was put together a moment ago: the drawing
            # would come later, uncalled, and wait again, and so for ever.
            native.update()
            self._turn.start(PATIENCE_MS)
            return


@cache
def one_for_all() -> DrawnApart:
    """Return the one that all share: two on one canvas would wait for each other for ever."""
    return DrawnApart()
