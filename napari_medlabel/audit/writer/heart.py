"""The thread that keeps a log alive while nobody writes: it beats until it is stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

TICK_S: Final = 30.0
"""How often it is asked whether something is due."""


class Heart:
    """A daemon thread that calls something again and again.

    Parameters
    ----------
    tick : callable
        Called in the thread; what it raises ends the thread.
    every_s : float
        Seconds between two calls.
    """

    def __init__(self, tick: Callable[[], object], every_s: float = TICK_S) -> None:
        self._tick = tick
        self._every_s = every_s
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="audit-heart", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stopped.wait(self._every_s):
            self._tick()

    def stop(self) -> None:
        """Return when the thread has ended; from the thread itself, at once."""
        self._stopped.set()
        if threading.current_thread() is not self._thread:
            self._thread.join()
