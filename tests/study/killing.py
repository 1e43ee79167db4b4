"""Run a module in a process that kills itself before one of its changes to files.

``python -m tests.study.killing COUNT MODULE ARGUMENTS``: before change number COUNT the
process gets SIGKILL. A change is a file that is opened to write, written to, synced, linked,
renamed, removed, or given other rights. Of what is to be written then, half is. With COUNT 0
nothing is killed, and the number of changes stands at the end of standard error.
"""

from __future__ import annotations

import atexit
import os
import runpy
import signal
import sys
import threading
from collections.abc import Callable
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


def main() -> None:
    """Run what the command line says."""
    _, last, module, *words = sys.argv
    counter = Counter(int(last), os.environ["MEDLABEL_STUDY_BASE"])
    compiled = os.environ.get("PYTHONPYCACHEPREFIX", "-")

    def hear(event: str, args: tuple[Any, ...]) -> None:
        if not (args and isinstance(args[0], str) and args[0].startswith(compiled)):
            counter.hear(event, args)

    sys.addaudithook(hear)
    count_descriptors(counter)
    if not counter.last:
        atexit.register(lambda: sys.stderr.write(f"{counter.count}\n"))
    sys.argv = [module, *words]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
