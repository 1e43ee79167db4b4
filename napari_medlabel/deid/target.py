"""The target folder: written aside under another name, and only ever there as a whole."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from napari_medlabel.errors import InputError, SaveError
from napari_medlabel.io.files import sync_folder

_HINT = "Free some space, or choose a target folder that you can write to."


def check_target(source: Path, target: Path) -> None:
    """Refuse a target that holds something, or that lies in the source or around it.

    Raises
    ------
    InputError
        With what to choose instead.
    """
    inside, outside = target.resolve(), source.resolve()
    if inside == outside or inside in outside.parents or outside in inside.parents:
        raise InputError(
            "The target folder must lie outside the source, and the source outside of it.",
            hint="Choose a new folder somewhere else.",
        )
    if target.is_dir():
        try:
            empty = not any(target.iterdir())
        except OSError as err:
            raise SaveError(_said("looked into", err), hint=_HINT) from err
        if empty:
            return
        raise InputError(
            "The target folder must be new or empty, and it holds files already.",
            hint="Choose a new folder; nothing is ever overwritten.",
        )
    if target.exists() or target.is_symlink():
        raise InputError(
            "The target must be a folder, and a file or a broken link has its name.",
            hint="Choose a new folder.",
        )


@contextmanager
def staged(target: Path) -> Iterator[Path]:
    """Return a folder beside the target to write into; gone afterwards unless it was published.

    Folders above the target that had to be made go as well when nothing is published.

    Raises
    ------
    SaveError
        When the folder cannot be made.
    """
    made = _missing_parents(target)
    folder = target.parent / f".{target.name}.{os.getpid()}.partial"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir()
    except OSError as err:
        _remove_empty(made)
        raise SaveError(_said("made", err), hint=_HINT) from err
    try:
        yield folder
    finally:
        if folder.exists():
            shutil.rmtree(folder, ignore_errors=True)
        if not target.exists():
            _remove_empty(made)


def write(path: Path, content: bytes) -> None:
    """Write one file, put it on the disk, and read it back.

    Raises
    ------
    SaveError
        When it exists, cannot be written or reads back as something else; no part of it
        stays.
    """
    try:
        stream = path.open("xb")
    except OSError as err:
        raise SaveError(_said("made", err), hint=_HINT) from err
    try:
        with stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        same = path.read_bytes() == content
    except OSError as err:
        path.unlink(missing_ok=True)
        raise SaveError(_said("written", err), hint=_HINT) from err
    if not same:
        path.unlink()
        raise SaveError(
            "A file of the target did not read back as it was written.",
            hint="The disk may be failing; choose another target.",
        )


def place(part: Path, staging: Path, name: tuple[str, ...]) -> None:
    """Give a written part its final place under the staging folder."""
    final = staging.joinpath(*name)
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        part.rename(final)
    except OSError as err:
        raise SaveError(_said("written", err), hint=_HINT) from err


def publish(staging: Path, target: Path) -> None:
    """Put the staged folder in the target's place, in one step.

    Raises
    ------
    SaveError
        When the target has come to hold something, or cannot be replaced.
    """
    try:
        if target.is_dir():
            target.rmdir()
        for folder, _, _ in os.walk(staging):
            sync_folder(Path(folder))
        staging.rename(target)
        sync_folder(target.parent)
    except OSError as err:
        raise SaveError(_said("put in place", err), hint=_HINT) from err


def withdraw(target: Path) -> None:
    """Remove a target that was published and must not stay."""
    shutil.rmtree(target, ignore_errors=True)


def _missing_parents(target: Path) -> list[Path]:
    """Return the folders above the target that do not exist, innermost first."""
    return [folder for folder in target.parents if not folder.exists()]


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _said(what: str, err: OSError) -> str:
    return f"The target folder or a file in it could not be {what} ({err.strerror})."
