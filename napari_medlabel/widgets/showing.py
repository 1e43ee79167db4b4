"""Shows a case layer by layer, each in a turn of the window's loop."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QObject, QTimer

from napari_medlabel.plugin.binding import Binding
from napari_medlabel.session.case import Session


class Showing(QObject):
    """Builds a binding in turns; one at a time.

    Parameters
    ----------
    parent : QObject
        With whom it goes.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._half: tuple[Session, Binding, Callable[[], object]] | None = None
        self._turn = QTimer(self)
        self._turn.setSingleShot(True)
        self._turn.setInterval(0)
        self._turn.timeout.connect(self._take_turn)

    @property
    def is_under_way(self) -> bool:
        """Whether a case is there in part."""
        return self._half is not None

    def start(self, session: Session, binding: Binding, done: Callable[[], object]) -> None:
        """Build what is left of a binding, then say so."""
        self._half = session, binding, done
        self._turn.start()

    def _take_turn(self) -> None:
        if self._half is None:
            return
        _, binding, done = self._half
        try:
            goes_on = next(binding.turns, self) is not self
        except Exception:
            self.abandon()
            raise
        if goes_on:
            self._turn.start()
            return
        self._half = None
        done()

    def abandon(self) -> None:
        """Close a case that is not wholly shown yet, and take its layers away."""
        half, self._half = self._half, None
        if half is not None:
            self._turn.stop()
            session, binding, _ = half
            binding.abandon()
            session.close(discard=False)
