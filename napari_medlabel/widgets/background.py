"""The background: one piece of long work at a time, off the Qt thread."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import Any, Final

from qtpy.compat import isalive
from qtpy.QtCore import QObject, QThreadPool, Signal

from napari_medlabel.errors import MedlabelError

_TELL_S: Final = 0.05
_PATIENCE_S: Final = 5.0


class CancelledError(Exception):
    """The person does not want it any more."""


Outcome = tuple[Any, MedlabelError | CancelledError | None]


class _Relay(QObject):
    """Carries words from a thread to the window's; it belongs to no window.

    A thread that emits a signal of an object which the window takes down at that moment reads
    memory that is free. This one lives for as long as a thread may speak.
    """

    progressed = Signal(int, int)
    reported = Signal(object)
    ended = Signal(object, object)
    """Who is to hear of it, and what."""


class Background(QObject):
    """Runs work in a thread; answers come back in the thread of the window."""

    progressed = Signal(int, int)
    """Done and total, now and then."""
    reported = Signal(object)
    """What the work reported before its end."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._is_busy = False
        self._cancelled = False
        self._told = 0.0
        self._seen = threading.Event()
        self._waiting: list[Callable[[], object]] = []
        self._relay = _Relay()
        self._relay.progressed.connect(self.progressed)
        self._relay.reported.connect(self.reported)
        self._relay.ended.connect(_tell)

    @property
    def is_busy(self) -> bool:
        """Whether something is under way."""
        return self._is_busy

    def run(
        self,
        work: Callable[[], Any],
        done: Callable[[Any], object],
        failed: Callable[[MedlabelError], object],
        cancelled: Callable[[], object] | None = None,
    ) -> None:
        """Do something long.

        Parameters
        ----------
        work : callable
            Runs in a thread; touches no layer and no widget. It may call `tell` and `report`.
        done : callable
            Gets its result.
        failed : callable
            Gets its error, when it is one of ours. Other errors are napari's to show.
        cancelled : callable, optional
            Called instead when `cancel` ended it.
        """
        self._cancelled = False
        relay = self._relay

        def answer(outcome: Outcome) -> None:
            self._is_busy = False
            if not isalive(self):
                return  # the window went meanwhile, and all that could show it
            value, err = outcome
            if isinstance(err, MedlabelError):
                failed(err)
            elif err is None and not (self._cancelled and cancelled is not None):
                done(value)
            elif cancelled is not None:
                cancelled()
            self._go_on()

        def guarded() -> None:
            try:
                found: Outcome = work(), None
            except (MedlabelError, CancelledError) as err:
                found = None, err
            except Exception as err:  # noqa: BLE001 - it is shown by who shows all
                relay.ended.emit(self._broke, err)
                return
            relay.ended.emit(answer, found)

        self._is_busy = True
        pool = QThreadPool.globalInstance()
        # Not napari's worker: two at once leave Python's filter of warnings as one had set it,
        # and warnings of all threads then go to a worker that is no more.
        pool.start(guarded)

    def when_free(self, do: Callable[[], object]) -> None:
        """Do something as soon as nothing is under way: at once, or in its turn."""
        self._waiting.append(do)
        self._go_on()

    def cancel(self) -> None:
        """End the work at its next sign of progress."""
        self._cancelled = True

    def tell(self, done: int, total: int) -> None:
        """Say how far the work is; called in its thread.

        Raises
        ------
        CancelledError
            When the person does not want it any more.
        """
        if self._cancelled:
            raise CancelledError
        now = time.monotonic()
        if now - self._told > _TELL_S or done >= total:
            self._told = now
            self._relay.progressed.emit(done, total)

    def report(self, what: object) -> None:
        """Hand something over before the end, and wait until it was seen; in the work's thread.

        The wait is short: the rest of the work would otherwise take the processor from the
        window, and what was to be early would come last.

        Raises
        ------
        CancelledError
            When the person does not want it any more, or the window has gone.
        """
        self._seen.clear()
        self._relay.reported.emit(what)
        patience = time.monotonic() + _PATIENCE_S
        while not self._seen.wait(_TELL_S) and time.monotonic() < patience:
            if self._cancelled or not isalive(self):
                raise CancelledError

    def seen(self) -> None:
        """Let the work go on after `report`."""
        self._seen.set()

    def _go_on(self) -> None:
        while self._waiting and not self._is_busy:
            self._waiting.pop(0)()

    def _broke(self, err: Exception) -> None:
        """Show an error that is none of ours: napari has its own way for those."""
        self._is_busy = False
        if isalive(self):
            self._go_on()
        sys.excepthook(type(err), err, err.__traceback__)


def _tell(hear: Callable[[Any], object], what: object) -> None:
    """Pass on what a thread says, in the thread of the window."""
    hear(what)
