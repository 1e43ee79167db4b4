"""Begins each command as a process of its own, forked from one that has the program in memory.

Most of what a short command costs is the start of an interpreter. The nursery imports the
program once, runs none of it, and forks for each command: what is begun has its own memory,
descriptors and environment, and ends as any process does, or by SIGKILL.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import pkgutil
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Final, NoReturn

from tests.study.killing import run

ROOT: Final = Path(__file__).parents[2]
LONGEST_S: Final = 300.0
_MOST: Final = 1 << 20
_OURS: Final = ("audit", "cli", "export", "io", "project", "session")
_THEIRS: Final = ("nibabel", "numpy", "pydicom", "scipy.ndimage")


@dataclass(frozen=True)
class Wish:
    """A command that is to run.

    Parameters
    ----------
    module : str
        As after ``python -m``.
    words : tuple of str
        Its arguments.
    folder : str
        Where it runs.
    environment : dict of str to str
        The whole of it.
    at_step : int
        Before which of its changes to files it is killed; 0 for none. See `killing`.
    days : int
        How many days later it is for it. See `later`.
    """

    module: str
    words: tuple[str, ...]
    folder: str
    environment: dict[str, str]
    at_step: int = 0
    days: int = 0

    def front(self) -> tuple[str, ...]:
        """Return what a process without a nursery begins with, after ``python -m``."""
        if not (self.at_step or self.days):
            return self.module, *self.words
        given = ("tests.study.killing", str(self.at_step), str(self.days))
        return *given, self.module, *self.words


@dataclass(frozen=True)
class Ended:
    """How a process ended.

    Parameters
    ----------
    code : int
        Exit code; below 0 where a signal ended it.
    out, err : str
        What it printed.
    cpu_s : float
        What it used, seconds; 0 where nobody knows.
    """

    code: int
    out: str
    err: str
    cpu_s: float = 0.0


def run_alone(wish: Wish, after_s: float = LONGEST_S) -> Ended:
    """Run a command in a new interpreter, and kill it after so many seconds."""
    with subprocess.Popen(
        [sys.executable, "-m", *wish.front()],
        cwd=wish.folder,
        env=wish.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        clock = threading.Timer(after_s, process.kill)
        clock.start()
        out, err = process.communicate()
        clock.cancel()
    return Ended(process.returncode, out, err)


class Nursery:
    """The side that asks; any thread may.

    Parameters
    ----------
    with_program : bool
        Whether the program is imported before anything forks.
    """

    def __init__(self, *, with_program: bool = True) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._line, self._lock = ours, threading.Lock()
        with theirs:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "tests.study.nursery", str(theirs.fileno())),
                    *(["--program"] if with_program else []),
                ],
                cwd=ROOT,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env={**os.environ, "PYTHONWARNINGS": "ignore", "OPENBLAS_NUM_THREADS": "1"},
            )

    def run(self, wish: Wish, after_s: float = LONGEST_S) -> Ended:
        """Run a command in a forked process, and kill it after so many seconds."""
        ours, theirs = socket.socketpair()
        with ours, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            fds = [theirs.fileno(), out.fileno(), err.fileno()]
            with theirs, self._lock:
                socket.send_fds(self._line, [json.dumps(asdict(wish)).encode()], fds)
            ours.settimeout(after_s)
            try:
                said = ours.recv(_MOST)
            except TimeoutError:
                ours.settimeout(None)
                with contextlib.suppress(OSError):  # it may just have ended by itself
                    ours.send(b"kill")
                said = ours.recv(_MOST)
            if not said:
                raise ChildProcessError("the nursery has gone")
            end = json.loads(said)
            return Ended(end["code"], _text(out), _text(err), end["cpu_s"])

    def close(self) -> None:
        """Let the nursery end."""
        self._line.close()
        self._process.wait()


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


def load() -> None:
    """Import the program, and compile what reads its log; nothing of it runs."""
    for name in _THEIRS:
        importlib.import_module(name)
    package = importlib.import_module("napari_medlabel")
    for found in pkgutil.walk_packages(package.__path__, "napari_medlabel."):
        if found.name.split(".")[1] in _OURS:
            importlib.import_module(found.name)
    gc.collect()
    gc.freeze()


class Begun:
    """A process that was forked, and who waits for its end.

    Parameters
    ----------
    pid : int
        Its number.
    waits : socket
        Says how it ended; whatever comes from there is the wish that it be killed.
    """

    def __init__(self, pid: int, waits: socket.socket) -> None:
        self.pid, self.waits = pid, waits
        self.process = os.pidfd_open(pid)

    def kill(self) -> None:
        signal.pidfd_send_signal(self.process, signal.SIGKILL)

    def tell(self) -> None:
        """Say how it ended."""
        _, status, used = os.wait4(self.pid, 0)
        code, cpu_s = os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime
        os.close(self.process)
        with self.waits:
            self.waits.send(json.dumps({"code": code, "cpu_s": cpu_s}).encode())


def serve(line: socket.socket) -> None:
    """Fork for each wish, until nobody is left to wish for anything."""
    with selectors.DefaultSelector() as selector:
        selector.register(line, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                one: Begun | None = key.data
                if one is None:
                    raw, fds, _, _ = socket.recv_fds(line, _MOST, 3)
                    if not raw:
                        return
                    one = fork(Wish(**json.loads(raw)), line, fds)
                    selector.register(one.process, selectors.EVENT_READ, one)
                    selector.register(one.waits, selectors.EVENT_READ, one)
                elif key.fileobj is one.waits:
                    selector.unregister(one.waits)
                    one.kill()
                else:
                    selector.unregister(one.process)
                    with contextlib.suppress(KeyError):  # it was killed by wish
                        selector.unregister(one.waits)
                    one.tell()
                    break  # what else was seen of it is seen no more


def fork(wish: Wish, line: socket.socket, fds: Sequence[int]) -> Begun:
    """Fork; the child never comes back."""
    pid = os.fork()
    if pid == 0:
        line.close()
        os.close(fds[0])
        become(wish, fds[1], fds[2])
    for fd in fds[1:]:
        os.close(fd)
    return Begun(pid, socket.socket(fileno=fds[0]))


def become(wish: Wish, out: int, err: int) -> NoReturn:
    """Be the process that was wished for; it ends as ``python -m`` does.

    Threads are waited for, and what is to run at the end runs; only what the interpreter frees
    one by one goes at once, as with every process that ends.
    """
    nothing = os.open(os.devnull, os.O_RDONLY)
    for place, fd in enumerate((nothing, out, err)):
        os.dup2(fd, place)
        os.close(fd)
    os.environ.clear()
    os.environ.update(wish.environment)
    os.chdir(wish.folder)
    sys.path.insert(0, wish.folder)  # as -m does
    code = 1
    try:
        run(wish.at_step, wish.days, wish.module, list(wish.words))
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
    except BaseException:  # noqa: BLE001 - as the interpreter does at its end
        traceback.print_exc()
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def main(argv: Sequence[str]) -> int:
    """Serve at the descriptor that is named."""
    with socket.socket(fileno=int(argv[0])) as line:
        if "--program" in argv:
            load()
        serve(line)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
