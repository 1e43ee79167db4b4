"""Shows a case layer by layer and desk by desk, each in a turn of the window's loop."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from qtpy.compat import isalive
from qtpy.QtCore import QObject, QTimer

from napari_medlabel.plugin.binding import Binding
from napari_medlabel.session.case import Session
from napari_medlabel.widgets.drawn_apart import PAUSE_MS, one_for_all

Turns = Generator[None, None, None]


def at_once(turns: Turns) -> None:
    """Do what there is to do in one turn."""
    for _ in turns:
        pass


class Showing(QObject):
    """Builds a binding in turns; one at a time.

    Parameters
    ----------
    parent : QObject
        With whom it goes.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._half: tuple[Session, Binding, Callable[[], Turns]] | None = None
        self._rest: Turns | None = None
        self._is_in_turn = False
        self._drawn = one_for_all()
        self._native: Any = None
        self._turn = QTimer(self)
        self._turn.setSingleShot(True)
        # What a turn has added is drawn before the next one, and the mouse has its say.
        self._turn.setInterval(PAUSE_MS)
        self._turn.timeout.connect(self._take_turn)

    @property
    def is_under_way(self) -> bool:
        """Whether a case is there in part."""
        return self._half is not None or self._rest is not None

    def start(
        self,
        session: Session,
        binding: Binding,
        then: Callable[[], Turns],
        native: Any = None,
    ) -> None:
        """Build what is left of a binding, then do what else there is to do.

        Parameters
        ----------
        session, binding : Session, Binding
            They are the caller's as soon as `then` was called; until then they are given up
            by `abandon`.
        then : callable
            Returns what is to be done in further turns.
        native : QWidget, optional
            What the layers are drawn on: it draws between the turns, never in one.
        """
        self._half = session, binding, then
        self._native = native
        if native is not None:
            self._drawn.add(native)
        self._turn.start()

    def _take_turn(self) -> None:
        if self._drawn.is_waiting:
            self._turn.start()
            return
        self._drawn.pause()
        self._is_in_turn = True
        try:
            goes_on = self._go_on()
        except Exception:
            self.abandon()
            raise
        finally:
            self._is_in_turn = False
        if goes_on:
            self._turn.start()
        else:
            self._let_draw()

    def _go_on(self) -> bool:
        """Do the next part; tell whether there may be more."""
        rest = self._rest
        if rest is None:
            if self._half is None:
                return False
            _, binding, then = self._half
            if next(binding.turns, self) is self:
                self._rest = then()
            return True
        self._half = None
        if next(rest, self) is self and self._rest is rest:
            self._rest = None
        return self.is_under_way

    def _let_draw(self) -> None:
        native, self._native = self._native, None
        if native is not None:
            self._drawn.remove(native)

    def abandon(self) -> None:
        """Close a case that is not wholly shown yet, and take its layers away.

        Where all layers are there it is the caller's: only what is left to do is not done.
        """
        half, self._half = self._half, None
        rest, self._rest = self._rest, None
        if isalive(self._turn):  # a window that went took its timers along
            self._turn.stop()
        self._let_draw()
        if rest is not None and not self._is_in_turn:
            rest.close()
        if half is not None:
            session, binding, _ = half
            binding.abandon()
            session.close(discard=False)
