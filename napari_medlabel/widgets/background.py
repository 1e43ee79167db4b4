"""The background: one piece of long work at a time, off the Qt thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Final

from qtpy.compat import isalive
from qtpy.QtCore import QObject, Signal

from napari_medlabel.errors import MedlabelError

_TELL_S: Final = 0.05
_PATIENCE_S: Final = 5.0


class CancelledError(Exception):
    """The person does not want it any more."""


Outcome = tuple[Any, MedlabelError | CancelledError | None]


class Background(QObject):
    """Runs work in a thread; answers come back in the thread of the window."""

    progressed = Signal(int, int)
    """Done and total, now and then."""
    reported = Signal(object)
    """What the work reported before its end."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._worker: Any = None
        self._cancelled = False
        self._told = 0.0
        self._seen = threading.Event()
        self._waiting: list[Callable[[], object]] = []

    @property
    def is_busy(self) -> bool:
        """Whether something is under way."""
        return self._worker is not None

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
        from napari.qt.threading import create_worker

        self._cancelled = False

        def guarded() -> Outcome:
            try:
                return work(), None
            except (MedlabelError, CancelledError) as err:
                return None, err

        def answer(outcome: Outcome) -> None:
            self._worker = None
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

        self._worker = create_worker(guarded)
        self._worker.returned.connect(answer)
        self._worker.errored.connect(lambda _err: self._forget())
        self._worker.start()

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
            self.progressed.emit(done, total)

    def report(self, what: object) -> None:
        """Hand something over before the end, and wait until it was seen; in the work's thread.

        The wait is short: the rest of the work would otherwise take the processor from the
        window, and what was to be early would come last.

        Raises
        ------
        CancelledError
            When the person does not want it any more.
        """
        self._seen.clear()
        self.reported.emit(what)
        patience = time.monotonic() + _PATIENCE_S
        while not self._seen.wait(_TELL_S) and time.monotonic() < patience:
            if self._cancelled:
                raise CancelledError

    def seen(self) -> None:
        """Let the work go on after `report`."""
        self._seen.set()

    def _go_on(self) -> None:
        while self._waiting and self._worker is None:
            self._waiting.pop(0)()

    def _forget(self) -> None:
        self._worker = None
        if isalive(self):
            self._go_on()
