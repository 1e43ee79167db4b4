"""The spool: sessions written on this computer while the log's folder was gone, taken home.

A file goes home as it is: same name, same bytes. It is written aside, brought to the disk,
read back and compared before it gets its name; only then does the copy here go.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from napari_medlabel.audit.anchors.memory import Remembered, recall
from napari_medlabel.audit.disk import (
    SHARED,
    make_folders,
    one_at_a_time,
    place_key,
    share_kind,
    write_over,
)
from napari_medlabel.audit.faults import error_name, log_error
from napari_medlabel.audit.format.layout import WRITERS, session_file, writer_of
from napari_medlabel.audit.writer.log import HEADS_LOCK
from napari_medlabel.audit.writer.seat import Seat

_SHARES: Final = "shares"


@dataclass(frozen=True, slots=True)
class Upload:
    """What came of taking the spool home.

    Parameters
    ----------
    moved : tuple of str
        Session files that lie in the log's folder now, relative to it.
    differing : tuple of str
        Session files that are there with other bytes; both are kept.
    """

    moved: tuple[str, ...] = ()
    differing: tuple[str, ...] = ()


NO_UPLOAD: Final = Upload()
"""Nothing waited."""


def spooled(spool: Path) -> list[Path]:
    """Return the session files that wait in a spool, oldest first."""
    return sorted(spool.glob(f"{WRITERS}/*/*/*/*.jsonl"), key=lambda path: path.name)


def _move(seat: Seat, path: Path, entry: Remembered | None) -> bool:
    """Take one file home and return whether it lies there now with these bytes."""
    data = path.read_bytes()
    target = seat.home / path.relative_to(seat.spool)
    if not target.exists():  # nobody else can make it: its name is random, and we hold the lock
        write_over(seat.io, target, data, SHARED)
    if not _holds(target.read_bytes(), data, 0 if entry is None else entry.length):
        return False
    if entry is not None:  # the memory of it belongs to the log's folder from now on
        folder = seat.state / "heads" / place_key(seat.home)
        make_folders(seat.io, folder)
        entry.path.replace(folder / entry.path.name)
        seat.io.sync_folder(folder)
    path.unlink()
    return True


def _holds(home: bytes, spooled: bytes, length: int) -> bool:
    """Return whether a file at home says all that a file of the spool promises.

    A file that went away and was copied may be back: longer than the copy or, where the
    disk did not take the last bytes, shorter; never shorter than what was acknowledged.
    """
    if home.startswith(spooled):
        return True
    return 0 < length <= len(home) and spooled.startswith(home)


def _waiting(seat: Seat) -> Iterator[tuple[Path, Remembered | None]]:
    """Yield the session files of the spool that nobody writes any more."""
    memories = {session_file(entry.head.origin): entry for entry in recall(seat.state)}
    for path in spooled(seat.spool):
        entry = memories.get(path.relative_to(seat.spool).as_posix())
        if entry is None or not entry.live:
            yield path, entry


def take_home(seat: Seat) -> Upload:
    """Move the spool's finished sessions into the log's folder, unchanged.

    Parameters
    ----------
    seat : Seat
        Names both folders.

    Returns
    -------
    Upload
        What was moved, and what could not be since something else has its name.

    Raises
    ------
    UnwritableError
        When the log's folder does not take a file; it stays in the spool then.
    """
    if not spooled(seat.spool):
        return NO_UPLOAD
    moved: list[str] = []
    differing: list[str] = []
    try:
        with one_at_a_time(seat.state / HEADS_LOCK):
            for path, entry in _waiting(seat):
                done = moved if _move(seat, path, entry) else differing
                done.append(path.relative_to(seat.spool).as_posix())
    except OSError as err:
        raise log_error(
            "What was written on this computer could not be taken into the audit log",
            error_name(err),
        ) from err
    return Upload(tuple(moved), tuple(differing))


def require_share(seat: Seat) -> str:
    """Return the kind of network share that the log lies on, or empty text.

    A share that is not mounted leaves an empty folder behind. A log begun there would be a
    second log on the local disk, so what the folder once was is remembered.

    Raises
    ------
    UnwritableError
        When the folder was on a share before and is not now, or the system does not say.
    """
    known = seat.state / _SHARES / place_key(seat.home)
    try:
        kind = share_kind(seat.home)
        if kind and not known.exists():
            write_over(seat.io, known, kind.encode("ascii") + b"\n")
    except OSError as err:
        raise log_error("The folder of the audit log cannot be used", error_name(err)) from err
    if not kind and known.exists():
        raise log_error("The network drive of the audit log is not mounted", "OTHER")
    return kind


def require_known(seat: Seat) -> None:
    """Return unless this computer remembers sessions where no folder of this writer is now.

    A share that is not mounted, or a folder that was moved away, must not get a second log in
    its place. `medlabel audit anew` makes the folder where the log is gone for good.

    Raises
    ------
    UnwritableError
        When the log's folder is not where it was, or the memory cannot be read.
    """
    if is_remembered(seat.home, seat.state, seat.writer):
        raise log_error("The folder of the audit log is not in its place", "OTHER")


def is_remembered(home: Path, state: Path, writer: str) -> bool:
    """Tell whether this computer remembers sessions of a log where no folder of it is now.

    Parameters
    ----------
    home : Path
        Folder of the log.
    state : Path
        Folder of the memory.
    writer : str
        Who writes on this computer.

    Raises
    ------
    UnwritableError
        When the memory cannot be read.
    """
    if (home / WRITERS / writer).is_dir():
        return False
    place = place_key(home)
    try:
        return any(
            entry.head.size and entry.place == place and writer_of(entry.head.origin) == writer
            for entry in recall(state)
        )
    except OSError as err:
        raise log_error("The memory of the audit log cannot be read", error_name(err)) from err


def require_own(seat: Seat) -> None:
    """Return when the log's folder holds a folder of this writer.

    One that was deleted, renamed or unmounted is not begun anew while a program runs that
    wrote there: when it comes back, another one would be in its way.

    Raises
    ------
    UnwritableError
        When it holds none.
    """
    if not (seat.home / WRITERS / seat.writer).is_dir():
        raise log_error("The folder of the audit log is not in its place", "OTHER")


def probe(seat: Seat) -> None:
    """Write and sync a file in the log's folder and take it away again.

    Parameters
    ----------
    seat : Seat
        Names the folder.

    Raises
    ------
    OSError
        Of the system.
    UnwritableError
        As `require_share`.
    """
    require_share(seat)
    path = seat.home / WRITERS / seat.writer / ".probe"
    write_over(seat.io, path, b"\n")
    path.unlink(missing_ok=True)
