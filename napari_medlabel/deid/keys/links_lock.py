"""One writer at a time for a link table, on every system, or none where nothing locks."""

from __future__ import annotations

import errno
import importlib
import os
from pathlib import Path
from types import ModuleType

from napari_medlabel.errors import SaveError
from napari_medlabel.io.files import explain_os_error

_TAKEN = frozenset({errno.EWOULDBLOCK, errno.EACCES, errno.EAGAIN, errno.EDEADLK})
_BINARY = getattr(os, "O_BINARY", 0)


class WriterLock:
    """A lock that is held from construction to `release`, or to the process's end.

    The file of the lock stays: were it deleted, two processes could each lock their own.

    Parameters
    ----------
    path : Path
        The file of the lock; made when it is not there.

    Raises
    ------
    SaveError
        When another process holds it, the folder cannot be written to, or the system or
        the disk knows no locks.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._handle = os.open(path, os.O_CREAT | os.O_RDWR | _BINARY, 0o600)
        except PermissionError as err:
            raise _shut() from err
        except OSError as err:
            raise (_shut() if err.errno == errno.EROFS else explain_os_error(err)) from err
        try:
            _lock(self._handle)
        except OSError as err:
            os.close(self._handle)
            raise (_taken() if err.errno in _TAKEN else _no_locks()) from err
        except ImportError as err:
            os.close(self._handle)
            raise _no_locks() from err

    def release(self) -> None:
        """Let others write."""
        os.close(self._handle)


def _lock(handle: int) -> None:
    """Lock with what the system has: flock, or the locks of Windows."""
    posix = _module("fcntl")
    if posix is not None:
        posix.flock(handle, posix.LOCK_EX | posix.LOCK_NB)
        return
    windows = importlib.import_module("msvcrt")
    windows.locking(handle, windows.LK_NBLCK, 1)


def _module(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def _shut() -> SaveError:
    return SaveError(
        "The folder of the key cannot be written to, and patients' codes are kept in it.",
        hint="Make it writable for you, or copy the key and its table (the same name with "
        ".links) to a folder that is.",
    )


def _taken() -> SaveError:
    return SaveError(
        "Another run is giving out patient codes with this key: one at a time may.",
        hint="Wait until it ends, then start again. A table in a network folder may be in "
        "use on another computer.",
    )


def _no_locks() -> SaveError:
    return SaveError(
        "The disk with the key knows no locks, so two runs could give two patients one code.",
        hint="Move key and link table to a local disk.",
    )
