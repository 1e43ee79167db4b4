"""Wait until the file system of a folder is on its disk, and not for all other disks too."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path


def sync_disk_of(folder: Path) -> None:
    """Wait until everything written to the file system of a folder is on the disk.

    Linux has `syncfs(2)` for it; elsewhere `os.sync` waits for all disks, and where a
    system has neither nothing happens.

    Parameters
    ----------
    folder : Path
        Any folder of the file system.

    Raises
    ------
    OSError
        When the disk could not take what was written.
    """
    if not sys.platform.startswith("linux") or not _synced(folder):
        sync = getattr(os, "sync", None)
        if sync is not None:
            sync()


def sync_disks_of(places: Iterable[Path]) -> None:
    """Do so once for each file system on which some files or folders lie or will lie."""
    folders = {}
    for place in places:
        folder = next(path for path in (place, *place.absolute().parents) if path.is_dir())
        folders[folder.stat().st_dev] = folder
    for folder in folders.values():
        sync_disk_of(folder)


def _synced(folder: Path) -> bool:
    """Ask the C library; False where it does not know the call."""
    import ctypes

    syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if syncfs is None:
        return False
    handle = os.open(folder, os.O_RDONLY)
    try:
        if syncfs(handle):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
    finally:
        os.close(handle)
    return True
