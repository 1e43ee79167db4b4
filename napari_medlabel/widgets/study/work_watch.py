"""What is noted of open work by itself: time without pauses, slices that were on the screen."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from qtpy.QtCore import QEvent, QObject, Qt, Signal
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QWidget

from napari_medlabel.plugin.sight.beside import BesideView
from napari_medlabel.project.work.clock import CaseClock

_SLICES: Final = 2  # voxel axis k: the slices that a scan has
_MOVES: Final = frozenset(
    {
        QEvent.Type.KeyPress,
        QEvent.Type.MouseButtonPress,
        QEvent.Type.MouseButtonRelease,
        QEvent.Type.MouseButtonDblClick,
        QEvent.Type.Wheel,
        QEvent.Type.TabletPress,
        QEvent.Type.TabletRelease,
    }
)


class WorkWatch(QObject):
    """Follows the work on one reading, from its opening to `detach`.

    Strokes, scrolls, keys and clicks in the views are moves; the mouse that only passes over
    is none. A slice counts as shown when a view that can be seen shows it whole.

    Parameters
    ----------
    reading : OpenReading
        What is open.
    dock : MedlabelDock
        Where it is open.
    idle_s : float
        After so many seconds without a move the clock stops.
    parent : QObject
        Who owns it.
    monotonic : callable
        Seconds that never jump.
    """

    moved = Signal()
    """Somebody works."""

    def __init__(
        self,
        reading: Any,
        dock: Any,
        idle_s: float,
        parent: QObject,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(parent)
        self._now = monotonic
        self._session, self._binding = reading.session, reading.binding
        self._sight = dock.sight_desk
        self._views = dock.sight_desk.views
        self.clock = CaseClock(idle_s)
        self.shown: set[int] = set()
        self._watched: list[QWidget] = []
        self._session.history_changed.connect(self.move)
        self._session.bench.painted.connect(self.move)
        self._binding.viewer.dims.events.current_step.connect(self._on_scrolled)
        self._binding.viewer.dims.events.order.connect(self.look)
        if self._views is not None:
            self._views.moved.connect(self._on_moved)
        app = QGuiApplication.instance()
        if isinstance(app, QGuiApplication):
            app.applicationStateChanged.connect(self._on_application)
        self.look()

    def detach(self) -> None:
        """Let go of the case; the clock stands."""
        self.leave()
        self._session.history_changed.disconnect(self.move)
        self._session.bench.painted.disconnect(self.move)
        self._binding.viewer.dims.events.current_step.disconnect(self._on_scrolled)
        self._binding.viewer.dims.events.order.disconnect(self.look)
        if self._views is not None:
            self._views.moved.disconnect(self._on_moved)
        app = QGuiApplication.instance()
        if isinstance(app, QGuiApplication):
            app.applicationStateChanged.disconnect(self._on_application)
        for widget in self._watched:
            widget.removeEventFilter(self)
        self._watched.clear()

    # -- the clock -----------------------------------------------------------------------

    @property
    def active_s(self) -> float:
        """Seconds of work since it was opened."""
        return self.clock.active_s(self._now())

    @property
    def is_running(self) -> bool:
        """Whether the clock counts now."""
        return self.clock.is_running(self._now())

    def move(self, _what: object = None) -> None:
        """Note a sign of work."""
        self.clock = self.clock.moved(self._now())
        self.moved.emit()

    def leave(self) -> None:
        """Stop the clock until the next move."""
        self.clock = self.clock.left(self._now())

    def _on_application(self, state: Qt.ApplicationState) -> None:
        if state != Qt.ApplicationState.ApplicationActive:
            self.leave()

    def eventFilter(self, _watched: QObject | None, event: QEvent | None) -> bool:
        """See keys, clicks and the wheel in a view; all go on to it."""
        if event is not None and event.type() in _MOVES:
            self.move()
        return False

    # -- slices --------------------------------------------------------------------------

    def _on_scrolled(self, _event: object = None) -> None:
        self.move()
        self.look()

    def _on_moved(self) -> None:
        self.move()
        self.look()

    def look(self, _event: object = None) -> None:
        """Note the slice that is on the screen now, and watch views that are new."""
        views, display = self._views, self._binding.display
        if views is None:
            return
        k = views.cross.voxel_ijk[_SLICES]
        for view in views.all:
            canvas = self._watch(view)
            across = -1 if isinstance(view, BesideView) else view.axis
            is_seen = self._sight.ortho is None or (canvas is not None and canvas.isVisible())
            if across >= 0 and is_seen and display.order[across] == _SLICES:
                self.shown.add(k)

    def _watch(self, view: Any) -> QWidget | None:
        """Return the widget that a view is drawn in, None without one."""
        ortho = self._sight.ortho
        canvas = None if ortho is None else ortho.made_canvas_of(view)
        inner = getattr(getattr(canvas, "canvas", None), "native", None)
        if isinstance(inner, QWidget) and inner not in self._watched:
            inner.installEventFilter(self)
            inner.destroyed.connect(self._forget(inner))
            self._watched.append(inner)
        return canvas if isinstance(canvas, QWidget) else None

    def _forget(self, widget: QWidget) -> Callable[..., None]:
        def forget(_gone: object = None) -> None:
            self._watched = [one for one in self._watched if one is not widget]

        return forget
