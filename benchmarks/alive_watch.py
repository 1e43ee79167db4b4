"""Watches the Qt thread: each stretch in which it answered nothing, and where it was."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BEAT_MS = 5
LONG_S = 0.1
_LOOK_S = 0.01
_PACKAGES = ("napari_medlabel", "napari", "vispy", "numpy", "psygnal")


@dataclass
class Stall:
    """One stretch without an answer.

    Parameters
    ----------
    act : str
        What was being done.
    wall_s, cpu_s, drawing_s : float
        How long; the Qt thread's own CPU time; how much of it was spent in ``paintGL``.
    places : Counter
        Calls that were seen on the stack, from outside to inside, with how often.
    """

    act: str
    wall_s: float
    cpu_s: float
    drawing_s: float
    places: Counter[tuple[str, ...]] = field(default_factory=Counter)

    def __str__(self) -> str:
        head = (
            f"{self.act}: {self.wall_s * 1e3:.0f} ms (CPU {self.cpu_s * 1e3:.0f}, "
            f"paintGL {self.drawing_s * 1e3:.0f})"
        )
        lines = [
            f"    {count:3d} x {' > '.join(stack)}"
            for stack, count in self.places.most_common(4)
        ]
        return "\n".join([head, *lines])


class Watch:
    """A heart in the Qt thread, and a thread that looks what that does where it misses."""

    def __init__(self) -> None:
        from qtpy.QtCore import Qt, QTimer

        self.stalls: list[Stall] = []
        self.longest: dict[str, float] = {}
        self.act = ""
        self._main = threading.get_ident()
        self._seen: Counter[tuple[str, ...]] = Counter()
        self._last = (time.perf_counter(), time.thread_time())
        self._drawn = 0.0
        self._before = 0.0
        self._ends = threading.Event()
        _time_drawing(self)
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(BEAT_MS)
        self._timer.timeout.connect(self.beat)
        self._timer.start()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def beat(self) -> None:
        """Note that the Qt thread answers."""
        now, cpu = time.perf_counter(), time.thread_time()
        wall, took = now - self._last[0], cpu - self._last[1]
        if self.act:
            self.longest[self.act] = max(self.longest.get(self.act, 0.0), wall)
            if wall > LONG_S:
                drawn = self._drawn - self._before
                self.stalls.append(Stall(self.act, wall, took, drawn, self._seen))
        self._last, self._seen, self._before = (now, cpu), Counter(), self._drawn

    def add_drawing(self, seconds: float) -> None:
        """Count time in ``paintGL``."""
        self._drawn += seconds

    @contextmanager
    def during(self, act: str) -> Iterator[None]:
        """Call what happens by a name."""
        self.beat()
        self.act = act
        self.longest.setdefault(act, 0.0)
        try:
            yield
        finally:
            self.beat()
            self.act = ""

    def end(self) -> None:
        """Stop watching."""
        self._timer.stop()
        self._ends.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ends.wait(_LOOK_S):
            if time.perf_counter() - self._last[0] < 0.03:
                continue
            frame = sys._current_frames().get(self._main)  # noqa: SLF001 - no other way
            if frame is not None:
                self._seen[_stack(frame)] += 1


def _stack(frame: Any) -> tuple[str, ...]:
    """Return the calls of known packages, outermost first; long ones by their two ends."""
    found: list[str] = []
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        package = next((one for one in _PACKAGES if f"/{one}/" in str(path)), None)
        if package is not None:
            found.append(
                f"{path.parent.name}/{path.stem}:{frame.f_lineno} {frame.f_code.co_name}"
            )
        frame = frame.f_back
    found.reverse()
    return (*found[:7], "…", *found[-5:]) if len(found) > 13 else tuple(found)


def _time_drawing(watch: Watch) -> None:
    from vispy.app.backends._qt import CanvasBackendDesktop

    original = CanvasBackendDesktop.paintGL

    def timed(self: Any) -> None:
        start = time.perf_counter()
        original(self)
        watch.add_drawing(time.perf_counter() - start)

    CanvasBackendDesktop.paintGL = timed
