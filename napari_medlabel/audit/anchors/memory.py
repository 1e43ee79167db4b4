"""What this computer remembers of its logs' ends, apart from the logs themselves.

No chain and no signature shows that the end of a log was cut off. Whoever remembers how
long it was can tell. Each running session keeps one file of heads, locked while it lives:

    <state>/heads/<place>/<session>.jsonl

A line follows each acknowledgement. It is brought to the disk at most once a second (and
at close), not every time: that would double the cost of an event. So after a power cut the
memory may lag by the events of one second; after a crash of the program it does not lag.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from napari_medlabel.audit.disk import Clock, Io, is_locked, make_folders, write_all
from napari_medlabel.audit.format import canonical
from napari_medlabel.audit.format.schema import COUNT, ERROR_NAME, FLAG, ORIGIN, ROOT, group
from napari_medlabel.audit.format.seal import Head, from_base64, to_base64

_SYNC_EVERY_NS: Final = 1_000_000_000
_FIRST: Final = group("first line", {"origin": ORIGIN})
_LINE: Final = group(
    "head", {"bytes": COUNT, "closed": FLAG, "failed": ERROR_NAME, "root": ROOT, "size": COUNT}
)


@dataclass(frozen=True, slots=True)
class Remembered:
    """The last that is remembered of one session.

    Parameters
    ----------
    head : Head
        After its last acknowledgement; size 0 where there was none.
    length : int
        Bytes of the session's file at that moment.
    closed : bool
        Whether the session said good-bye.
    failed : str
        Why the file could not be written on, or empty.
    place : str
        `place_key` of the log's folder.
    live : bool
        Whether the process that writes it still runs.
    path : Path
        Where this is remembered.
    """

    head: Head
    length: int
    closed: bool
    failed: str
    place: str
    live: bool
    path: Path

    @property
    def session(self) -> str:
        """Last part of the origin; sorts by time."""
        return self.head.origin.rsplit("/", 1)[1]


class HeadMemory:
    """The memory of one running session.

    Parameters
    ----------
    path : Path
        File to be created; its folder is made when missing.
    origin : str
        Of the session.
    clock, io : Clock, Io
        The machine.

    Raises
    ------
    OSError
        Of the system.
    """

    def __init__(self, path: Path, origin: str, clock: Clock, io: Io) -> None:
        self.path = path
        self._clock = clock
        self._io = io
        make_folders(io, path.parent)
        self._fd = io.create(path)
        try:
            write_all(io, self._fd, canonical.encode({"origin": origin}) + b"\n")
            io.sync(self._fd)
            io.sync_folder(path.parent)
        except OSError:
            io.close(self._fd)
            raise
        self._synced_ns = clock.mono_ns()

    @property
    def fd(self) -> int:
        """Open descriptor, to be locked."""
        return self._fd

    def keep(self, head: Head, length: int, *, closed: bool = False, failed: str = "") -> None:
        """Remember a head.

        Parameters
        ----------
        head : Head
            After the last acknowledged write.
        length : int
            Bytes of the session's file.
        closed : bool
            Whether this is the last one.
        failed : str
            Name of the error that stopped the file and that no session has told of yet,
            or empty.

        Raises
        ------
        OSError
            Of the system.
        """
        flag, root = "true" if closed else "false", to_base64(head.root)
        line = (  # canonical, without the cost of asking whether it is
            f'{{"bytes":{length},"closed":{flag},"failed":"{failed}","root":"{root}",'
            f'"size":{head.size}}}\n'
        )
        write_all(self._io, self._fd, line.encode("ascii"))
        now_ns = self._clock.mono_ns()
        if closed or failed or now_ns - self._synced_ns >= _SYNC_EVERY_NS:
            self._io.sync(self._fd)
            self._synced_ns = now_ns

    def move(self, folder: Path) -> None:
        """Go on in another folder under the same name.

        Raises
        ------
        OSError
            Of the system; the file is where it was then.
        """
        make_folders(self._io, folder)
        self.path = self.path.replace(folder / self.path.name)
        self._io.sync_folder(folder)

    def release(self) -> None:
        """Close the file, which also lets go of its lock."""
        self._io.close(self._fd)


def _last_line(lines: list[bytes]) -> Mapping[str, Any] | None:
    """Return the last line that was written whole."""
    for raw in reversed(lines):
        with suppress(canonical.CanonicalError):
            value = canonical.decode(raw)
            if _LINE.accepts(value):
                return value  # type: ignore[return-value]
    return None


def _read(path: Path) -> Remembered | None:
    live = is_locked(path)  # asked first: what was written before the end is then all there
    lines = path.read_bytes().split(b"\n")[:-1]
    try:
        first: Any = canonical.decode(lines[0]) if lines else None
    except canonical.CanonicalError:
        return None
    if not _FIRST.accepts(first):
        return None  # the program died before the first line was down: nothing was promised
    nothing = Remembered(
        Head(first["origin"], 0, bytes(32)), 0, False, "", path.parent.name, live, path
    )
    last = _last_line(lines[1:])
    if last is None:
        return nothing
    return replace(
        nothing,
        head=Head(first["origin"], last["size"], from_base64(last["root"], 32)),
        length=last["bytes"],
        closed=last["closed"],
        failed=last["failed"],
    )


def recall(state: Path) -> list[Remembered]:
    """Return what is remembered of every session that no later session has taken over.

    Parameters
    ----------
    state : Path
        Folder of this computer's own memory.

    Returns
    -------
    list of Remembered
        By session, oldest first.

    Raises
    ------
    OSError
        Of the system.
    """
    found = []
    for path in sorted((state / "heads").glob("*/*.jsonl")):
        with suppress(FileNotFoundError):  # another process took it over meanwhile
            entry = _read(path)
            if entry is not None:
                found.append(entry)
    return sorted(found, key=lambda entry: entry.session)


def forget(entry: Remembered) -> None:
    """Drop a memory that a later, remembered session now holds in its signed lines."""
    with suppress(FileNotFoundError):
        entry.path.unlink()
