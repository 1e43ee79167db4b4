"""The folder of open work: writable while a reading is at work on, read-only afterwards."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from napari_medlabel.audit.faults import error_name
from napari_medlabel.errors import SaveError
from napari_medlabel.io.files import make_folder

OTHER: Final = "reading-"
"""Begins the folder of another reading of the same case, below that of the study's own."""
_WRITE: Final = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


def close_folder(folder: Path) -> None:
    """Take the right to write away, from a folder and its files; nothing where there is none.

    Another reading's folder below it stays as it is, here and in `open_folder`.

    An administrator may write all the same: the program opens submitted work to look only.

    Raises
    ------
    SaveError
        When the rights cannot be changed.
    """
    if folder.is_dir():
        _change(folder, can_write=False)


def open_folder(folder: Path) -> Path:
    """Give the right to write back to its owner, or make the folder, and return it.

    Raises
    ------
    SaveError
        When it cannot be made, or its rights cannot be changed.
    """
    if folder.is_dir():
        _change(folder, can_write=True)
    else:
        make_folder(folder)
    return folder


@contextmanager
def open_for_entry(folder: Path) -> Iterator[None]:
    """Let a folder take a new entry, though it and its files stay closed otherwise.

    Raises
    ------
    SaveError
        When it cannot be made, or its rights cannot be changed.
    """
    make_folder(folder)
    mode = folder.stat().st_mode
    try:
        folder.chmod(mode | stat.S_IWUSR)
    except OSError as err:
        raise _refused(err) from err
    try:
        yield
    finally:
        folder.chmod(mode)


def is_closed(folder: Path) -> bool:
    """Tell whether a folder is there and nobody has the right to write to it."""
    return folder.is_dir() and not folder.stat().st_mode & _WRITE


def _change(folder: Path, *, can_write: bool) -> None:
    below = (path for path in folder.rglob("*") if not path.is_symlink())
    paths = [folder, *(path for path in below if not _is_of_another(path, folder))]
    try:
        for path in paths if can_write else reversed(paths):
            mode = path.stat().st_mode
            path.chmod(mode | stat.S_IWUSR if can_write else mode & ~_WRITE)
    except OSError as err:
        raise _refused(err) from err


def _is_of_another(path: Path, folder: Path) -> bool:
    return path.relative_to(folder).parts[0].startswith(OTHER)


def _refused(err: OSError) -> SaveError:
    return SaveError(
        f"The rights of the work's folder cannot be changed ({error_name(err)}).",
        hint="Check who owns the folder of your data set in the study.",
    )
