"""Progress of long work on stderr: a bar on a terminal, a line for each tenth elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Final, TextIO

Progress = Callable[[int, int], None]
_BAR: Final = 30
_TENTH: Final = 10
_PATIENCE_S: Final = 1.0
_FRAME_S: Final = 0.05
_LONG_S: Final = 30.0
_NEW_LINE: Final = "\n"


def progress(
    what: str,
    *,
    hint: str = "",
    stream: TextIO | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Progress:
    """Return something to be called with (done, total); it says nothing in the first second.

    Parameters
    ----------
    what : str
        What is being done, for instance ``"reading"``.
    hint : str
        What could make it quicker; said once, on a line of its own, after half a minute.
    stream : TextIO, optional
        Where it goes; stderr when None.
    clock : callable
        Seconds that only grow.
    """
    out = stream or sys.stderr
    is_terminal = out.isatty()
    start, last_time, last_tenth, shown, hinted = clock(), 0.0, 0, False, not hint

    def show(done: int, total: int) -> None:
        nonlocal last_time, last_tenth, shown, hinted
        now = clock()
        share = done / total if total else 1.0
        if now - start < _PATIENCE_S and not shown:
            return
        if not hinted and share < 1 and now - start >= _LONG_S:
            hinted = True
            out.write(f"{_NEW_LINE if is_terminal else ''}{hint}\n")
            out.flush()
        if is_terminal:
            if share < 1 and now - last_time < _FRAME_S:
                return
            filled = int(_BAR * share)
            bar = "#" * filled + "." * (_BAR - filled)
            end = "\n" if share >= 1 else ""
            out.write(f"\r{what} [{bar}] {share:4.0%}{end}")
        else:
            tenth = int(_TENTH * share)
            if tenth <= last_tenth:
                return
            last_tenth = tenth
            out.write(f"{what}: {tenth * 10} %\n")
        last_time, shown = now, True
        out.flush()

    return show
