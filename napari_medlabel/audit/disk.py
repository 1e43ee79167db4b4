"""The few calls through which the log touches the disk, so that tests can make them fail."""

from __future__ import annotations

import errno
import hashlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Protocol

PRIVATE: Final = 0o600
"""Mode of what is nobody else's: keys, the memory of this computer."""

SHARED: Final = 0o640
"""Mode of what lies under the log's folder: the owner writes it, the group may read it, so that
an officer, a witness and other workstations can. It holds no identities."""

_LOCK_BYTE: Final = 1 << 30  # far behind the end: Windows would bar reading a locked byte
_BINARY: Final = getattr(os, "O_BINARY", 0)
_MOUNTS: Final = Path("/proc/self/mountinfo")
_SHARES: Final = {
    "nfs": "NFS",
    "nfs4": "NFS",
    "cifs": "SMB",
    "smb3": "SMB",
    "smbfs": "SMB",
    "9p": "9P",
    "afs": "AFS",
    "ceph": "CephFS",
}


class Clock(Protocol):
    """Two clocks: one that people set, one that nobody sets."""

    def utc_ms(self) -> int:
        """Return milliseconds since 1970, UTC."""
        ...

    def mono_ns(self) -> int:
        """Return nanoseconds since some moment; never goes back."""
        ...


class SystemClock:
    """The machine's clocks; the steady one counts sleep where the system can."""

    name: Final = "boottime" if hasattr(time, "CLOCK_BOOTTIME") else "monotonic"

    def utc_ms(self) -> int:
        """Return milliseconds since 1970, UTC."""
        return time.time_ns() // 1_000_000

    def mono_ns(self) -> int:
        """Return nanoseconds since the machine started."""
        return _steady_ns()


if hasattr(time, "CLOCK_BOOTTIME"):

    def _steady_ns() -> int:
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)

else:  # pragma: no cover - macOS and Windows

    def _steady_ns() -> int:
        return time.monotonic_ns()


def choose_sync(platform: str) -> Callable[[int], None]:
    """Return what brings a file's bytes to the disk itself on a platform.

    Parameters
    ----------
    platform : str
        As `sys.platform`.

    Returns
    -------
    callable
        ``F_FULLFSYNC`` on macOS, where fsync stops at the drive's cache; else fdatasync,
        or fsync where there is none.
    """
    if platform != "darwin":
        return getattr(os, "fdatasync", os.fsync)
    import fcntl

    full: int = getattr(fcntl, "F_FULLFSYNC", 51)

    def full_sync(fd: int) -> None:
        try:
            fcntl.fcntl(fd, full)
        except OSError as err:
            if err.errno not in {errno.ENOTSUP, errno.EINVAL, errno.ENOTTY}:
                raise
            os.fsync(fd)  # a file system that does not know the request

    return full_sync


if sys.platform == "win32":  # pragma: no cover - Windows
    import msvcrt

    def _lock(fd: int, *, wait: bool) -> None:
        os.lseek(fd, _LOCK_BYTE, os.SEEK_SET)
        msvcrt.locking(fd, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(fd: int, *, wait: bool) -> None:
        fcntl.flock(fd, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))


class Io(Protocol):
    """What the writer asks of the system. Each call may raise `OSError`."""

    def create(self, path: Path, mode: int = PRIVATE) -> int:
        """Create a file that must not exist, for appending."""
        ...

    def write(self, fd: int, data: bytes) -> int:
        """Write some of the bytes and return how many."""
        ...

    def sync(self, fd: int) -> None:
        """Return when the file's bytes are on the disk."""
        ...

    def sync_folder(self, folder: Path) -> None:
        """Return when the folder's names are on the disk."""
        ...

    def confirm(self, fd: int, path: Path) -> None:
        """Return when a path still leads to the open file; `FileNotFoundError` when not."""
        ...

    def read_back(self, fd: int) -> bytes:
        """Return all of an open file, also when no path leads to it any more."""
        ...

    def close(self, fd: int) -> None:
        """Close a descriptor."""
        ...

    def random(self, count: int) -> bytes:
        """Return random bytes fit for keys."""
        ...


class SystemIo:
    """The operating system itself."""

    def __init__(self) -> None:
        self._sync = choose_sync(sys.platform)

    def create(self, path: Path, mode: int = PRIVATE) -> int:
        """Create a file that must not exist, for appending."""
        return os.open(path, os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_RDWR | _BINARY, mode)

    def write(self, fd: int, data: bytes) -> int:
        """Write some of the bytes and return how many."""
        return os.write(fd, data)

    def sync(self, fd: int) -> None:
        """Return when the file's bytes are on the disk."""
        self._sync(fd)

    def sync_folder(self, folder: Path) -> None:
        """Return when the folder's names are on the disk (Windows has no such call)."""
        if sys.platform == "win32":  # pragma: no cover - Windows
            return
        fd = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def confirm(self, fd: int, path: Path) -> None:
        """Return when a path still leads to the open file; `FileNotFoundError` when not."""
        if not os.path.samestat(path.stat(), os.fstat(fd)):
            raise FileNotFoundError(errno.ENOENT, "another file has its name")

    def read_back(self, fd: int) -> bytes:
        """Return all of an open file, also when no path leads to it any more."""
        os.lseek(fd, 0, os.SEEK_SET)  # what is written goes to the end all the same
        with os.fdopen(fd, "rb", closefd=False) as stream:
            return stream.read()

    def close(self, fd: int) -> None:
        """Close a descriptor."""
        os.close(fd)

    def random(self, count: int) -> bytes:
        """Return random bytes fit for keys."""
        return os.urandom(count)


def write_all(io: Io, fd: int, data: bytes) -> None:
    """Write every byte, in as many calls as the system needs.

    Raises
    ------
    OSError
        Of the system; also when it takes no byte at all.
    """
    view = data
    while view:
        count = io.write(fd, view)
        if count <= 0:
            raise OSError(errno.EIO, "the system took no byte")
        view = view[count:]


def make_folders(io: Io, folder: Path, mode: int = PRIVATE) -> None:
    """Create a folder and its parents, and bring each new name to the disk.

    Parameters
    ----------
    io : Io
        The machine.
    folder : Path
        To be there afterwards.
    mode : int
        Of the files in it; who may read them may enter, too.
    """
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for new in reversed(missing):
        with suppress(FileExistsError):
            new.mkdir(mode=0o700 | (mode & 0o040 and 0o050))
        io.sync_folder(new.parent)


def write_once(io: Io, path: Path, data: bytes, mode: int = PRIVATE) -> bytes:
    """Give a file its content once and for all, and return what it holds.

    The content is written aside and linked, so that nobody ever reads half of it; whoever
    comes second reads what the first one wrote.

    Raises
    ------
    OSError
        Of the system.
    """
    make_folders(io, path.parent, mode)
    if not path.exists():
        aside = path.with_name(f"{path.name}.{io.random(8).hex()}")
        fd = io.create(aside, mode)
        try:
            try:
                write_all(io, fd, data)
                io.sync(fd)
            finally:
                io.close(fd)
            with suppress(FileExistsError):
                os.link(aside, path)
        finally:
            aside.unlink()
        io.sync_folder(path.parent)
    return path.read_bytes()


def write_over(io: Io, path: Path, data: bytes, mode: int = PRIVATE) -> None:
    """Give a file new content; whoever reads it meanwhile has the old or the new one whole.

    Raises
    ------
    OSError
        Of the system.
    """
    make_folders(io, path.parent, mode)
    aside = path.with_name(f"{path.name}.{io.random(8).hex()}")
    fd = io.create(aside, mode)
    try:
        try:
            write_all(io, fd, data)
            io.sync(fd)
        finally:
            io.close(fd)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    io.sync_folder(path.parent)


def take_lock(fd: int) -> None:
    """Lock an open file of ours; the system lets go when the process ends, however it ends."""
    _lock(fd, wait=False)


def is_locked(path: Path) -> bool:
    """Return whether a process that still lives has locked the file."""
    fd = os.open(path, os.O_RDWR | _BINARY)
    try:
        _lock(fd, wait=False)
    except (BlockingIOError, PermissionError):
        return True
    finally:
        os.close(fd)
    return False


@contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Wait until no other process is inside, and keep the others out while inside."""
    fd = os.open(path, os.O_CREAT | os.O_RDWR | _BINARY, 0o600)
    try:
        _lock(fd, wait=True)
        yield
    finally:
        os.close(fd)


def place_key(root: Path) -> str:
    """Return the name under which a log's folder is remembered: a digest, not the path."""
    real = os.path.normcase(root.resolve())
    return hashlib.sha256(os.fsencode(real)).hexdigest()[:16]


def share_kind(path: Path, mounts: Path = _MOUNTS) -> str:
    """Return what kind of network share a path lies on, or empty text for a local disk.

    A client of such a share may say "on disk" before the server's disk has it.

    Parameters
    ----------
    path : Path
        Need not be there.
    mounts : Path
        Linux's table of mounts; without one only Windows's double backslash is known.

    Raises
    ------
    OSError
        When the table is there and cannot be read.
    """
    real = path.resolve()
    if str(real).startswith("\\\\"):  # pragma: no cover - Windows
        return "SMB"
    if not mounts.exists():
        return ""
    best, kind = -1, ""
    for line in mounts.read_bytes().splitlines():
        left, _, right = line.partition(b" - ")
        point = Path(os.fsdecode(_spaces(left.split(b" ")[4])))
        if real.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), os.fsdecode(right.split(b" ")[0])
    return "FUSE" if kind.startswith("fuse.") else _SHARES.get(kind, "")


def _spaces(name: bytes) -> bytes:
    """Return a mount point as it is called; the table writes spaces and their like in octal."""
    parts = name.split(b"\\")
    return parts[0] + b"".join(bytes([int(part[:3], 8)]) + part[3:] for part in parts[1:])
