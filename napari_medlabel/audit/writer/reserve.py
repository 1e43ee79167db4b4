"""Room on the disk that is kept for the log's last words, and how much is left for the rest."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final

from napari_medlabel.audit.disk import SHARED, Io, make_folders, write_all
from napari_medlabel.audit.format.layout import WRITERS

RESERVE_BYTES: Final = 1 << 20
"""Bytes that are kept."""

LOW: Final = 0.05
"""Share of the disk below which people are warned."""

_NAME: Final = ".reserve"


def reserve_file(folder: Path, writer: str) -> Path:
    """Return the file that keeps a writer's room in a folder."""
    return folder / WRITERS / writer / _NAME


def keep_reserve(io: Io, folder: Path, writer: str, size: int = RESERVE_BYTES) -> None:
    """Keep room for a writer's last words, unless it is kept already.

    Parameters
    ----------
    io : Io
        The machine.
    folder : Path
        Of the log, or of the spool.
    writer : str
        Whose room.
    size : int
        Bytes to keep.

    Raises
    ------
    OSError
        When there is no room; nothing is left behind then.
    """
    path = reserve_file(folder, writer)
    if path.exists():
        return
    make_folders(io, path.parent, SHARED)
    try:
        fd = io.create(path)
    except FileExistsError:
        return  # another program of this writer was quicker
    try:
        _fill(io, fd, size)
    except OSError:
        path.unlink(missing_ok=True)
        raise
    finally:
        io.close(fd)


def _fill(io: Io, fd: int, size: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(fd, 0, size)
    else:  # pragma: no cover - macOS and Windows
        write_all(io, fd, bytes(size))
    io.sync(fd)


def release_reserve(folder: Path, writer: str) -> None:
    """Give the room free, since it is needed now."""
    with suppress(OSError):  # the write that needs it says what is wrong
        reserve_file(folder, writer).unlink(missing_ok=True)


def is_low(folder: Path) -> bool:
    """Return whether less than 5 % of a folder's disk is free.

    Raises
    ------
    OSError
        Of the system.
    """
    usage = shutil.disk_usage(folder)
    return usage.free < LOW * usage.total
