"""Run a module in a process that kills itself before one of its changes to files.

``python -m tests.study.killing COUNT DAYS MODULE ARGUMENTS``: before change number COUNT the
process gets SIGKILL, and the program is told that it is so many days later. A change is a file
that is opened to write, written to, synced, linked, renamed, removed, or given other rights.
Of what is to be written then, half is. With COUNT 0 nothing is killed.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from typing import Any

_CHANGES = frozenset(
    {"os.rename", "os.remove", "os.link", "os.mkdir", "os.rmdir", "os.chmod", "os.truncate"}
)
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Counter:
    """Counts changes, and ends the process before the last.

    Parameters
    ----------
    last : int
        Which one; 0 for none.
    base : str
        Folder in which changes count.
    """

    def __init__(self, last: int, base: str) -> None:
        self.last, self.base, self.count = last, base, 0
        self._lock = threading.Lock()

    def is_last(self) -> bool:
        with self._lock:
            self.count += 1
            return self.count == self.last

    def step(self) -> None:
        if self.is_last():
            os.kill(os.getpid(), signal.SIGKILL)

    def hear(self, event: str, args: tuple[Any, ...]) -> None:
        if event == "open":
            path, _mode, flags = args
            if isinstance(path, str) and path.startswith(self.base) and flags & _WRITES:
                self.step()
        elif event in _CHANGES and str(args[0]).startswith(self.base):
            self.step()


def count_descriptors(counter: Counter) -> None:
    """Let what goes through descriptors count, too: the interpreter tells nobody of it."""
    write: Callable[..., int] = os.write
    sync: Callable[..., None] = os.fsync

    def counted_write(fd: int, data: bytes) -> int:
        if fd > 2 and counter.is_last():
            write(fd, bytes(data)[: len(data) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        return write(fd, data)

    def counted_sync(fd: int) -> None:
        counter.step()
        sync(fd)

    os.write, os.fsync = counted_write, counted_sync  # type: ignore[assignment]


def be_later(days: int) -> None:
    """Put the clock of this process forward, where the program asks what time it is.

    It asks in two places: for the log, and for a desk. How old a file is goes by the true
    clock, as the file system's does.
    """
    from napari_medlabel.audit.disk import SystemClock
    from napari_medlabel.session import desk

    ahead, utc_ms = timedelta(days=days), SystemClock.utc_ms

    class Later(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + ahead

    SystemClock.utc_ms = lambda self: utc_ms(self) + int(ahead.total_seconds()) * 1000  # type: ignore[method-assign]
    desk.datetime = Later  # type: ignore[misc]


def run(last: int, days: int, module: str, words: list[str]) -> None:
    """Run a module as ``python -m`` does, to be killed and told the time as is said."""
    if last:
        counter = Counter(last, os.environ["MEDLABEL_STUDY_BASE"])
        compiled = os.environ.get("PYTHONPYCACHEPREFIX", "-")

        def hear(event: str, args: tuple[Any, ...]) -> None:
            if not (args and isinstance(args[0], str) and args[0].startswith(compiled)):
                counter.hear(event, args)

        sys.addaudithook(hear)
        count_descriptors(counter)
    if days:
        be_later(days)
    sys.argv = [module, *words]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    run(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:])
