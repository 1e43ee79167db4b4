"""The target folder: written aside under another name, and only ever there as a whole."""

from __future__ import annotations

import importlib
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from napari_medlabel.errors import InputError, SaveError
from napari_medlabel.io.files import sync_folder

_SUFFIX = ".partial"
_LONGEST_NAME = 40  # of the target's name in the hidden folder's, which has a limit as well
_HINT = "Free some space, or choose a target folder that you can write to."


def check_target(source: Path, target: Path) -> None:
    """Refuse a target that holds something, or that lies in the source or around it.

    Raises
    ------
    InputError
        With what to choose instead.
    """
    inside, outside = looked_up(target), looked_up(source)
    if inside == outside or inside in outside.parents or outside in inside.parents:
        raise InputError(
            "The target folder must lie outside the source, and the source outside of it.",
            hint="Choose a new folder somewhere else.",
        )
    if target.is_dir():
        try:
            empty = all(_unfinished(path, target) for path in target.iterdir())
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


def check_apart(path: Path, source: Path, target: Path) -> None:
    """Refuse a key or a log in the source or the target.

    Raises
    ------
    InputError
        With what to choose instead.
    """
    place = looked_up(path)
    for folder in (source.resolve(), target.resolve()):
        if folder == place or folder in place.parents:
            raise InputError(
                "The key and the audit log must lie outside the source and the target.",
                hint="Choose another place for --key or --audit: who gets the target must "
                "not get the key.",
            )


def looked_up(path: Path) -> Path:
    """Return a path without links, whether it exists or not.

    Raises
    ------
    InputError
        When the system cannot look it up: too long, a loop of links, or shut.
    """
    try:
        path.exists()
        return path.resolve()
    except (OSError, RuntimeError) as err:
        why = getattr(err, "strerror", None) or "links that lead in a circle"
        raise InputError(
            f"A path on the command line could not be looked up ({why}).",
            hint="Check the paths; choose a shorter one.",
        ) from err


def remove_leftovers(target: Path) -> int:
    """Remove what killed runs to the same target left, and return how many there were.

    A folder whose run still goes on is locked, and stays. So does any where the system or
    the disk knows no locks.
    """
    removed = 0
    for folder in (target, target.parent):
        for path in _listed(folder):
            handle = _lock(path) if _unfinished(path, target) else None
            if handle is None:
                continue
            try:
                shutil.rmtree(path, ignore_errors=True)
                removed += not path.exists()
            finally:
                os.close(handle)
    return removed


@contextmanager
def staged(target: Path) -> Iterator[Path]:
    """Return a hidden folder to write into; gone afterwards, whatever was published.

    It lies beside a target that does not exist yet, and inside one that does: that may be
    a mounted disk, a link, or a folder in one where nothing can be made. Folders above the
    target that had to be made go as well when nothing is published.

    Raises
    ------
    SaveError
        When the folder cannot be made.
    """
    made = _missing_parents(target)
    holder = target if target.is_dir() else target.parent
    folder = holder / f"{_prefix(target)}{os.getpid()}{_SUFFIX}"
    try:
        holder.mkdir(parents=True, exist_ok=True)
        folder.mkdir()
    except OSError as err:
        _remove_empty(made)
        raise SaveError(_said("made", err), hint=_HINT) from err
    handle = _lock(folder)
    try:
        yield folder
    finally:
        if folder.exists():
            shutil.rmtree(folder, ignore_errors=True)
        if handle is not None:
            os.close(handle)
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


def publish(staging: Path, target: Path, *, last: str = "") -> None:
    """Put the staged folder in the target's place, in one step.

    Where it was staged inside the target, its entries are moved one by one, and taken out
    again when one cannot be.

    Parameters
    ----------
    staging, target : Path
        From `staged`.
    last : str
        Name of the entry that is moved last: where it is, all is.

    Raises
    ------
    SaveError
        When the target has come to hold something, or cannot be replaced.
    """
    try:
        for folder, _, _ in os.walk(staging):
            sync_folder(Path(folder))
        if staging.parent != target:
            staging.rename(target)
            sync_folder(target.parent)
            return
        if any(path != staging for path in target.iterdir()):
            raise FileExistsError(17, "it has come to hold something")
        try:
            for path in sorted(staging.iterdir(), key=lambda path: path.name == last):
                path.rename(target / path.name)
            sync_folder(target)
        except OSError:
            withdraw(staging, target)
            raise
    except OSError as err:
        raise SaveError(_said("put in place", err), hint=_HINT) from err


def withdraw(staging: Path, target: Path) -> None:
    """Remove what was published and must not stay; a target that was there before stays."""
    if staging.parent != target:
        shutil.rmtree(target, ignore_errors=True)
        return
    for path in target.iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()


def _prefix(target: Path) -> str:
    return f".{target.name[:_LONGEST_NAME]}."


def _unfinished(path: Path, target: Path) -> bool:
    """Whether a folder is one that a run to this target staged its files in."""
    pattern = re.escape(_prefix(target)) + r"[0-9]+" + re.escape(_SUFFIX)
    return re.fullmatch(pattern, path.name) is not None and path.is_dir()


def _listed(folder: Path) -> Iterable[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _lock(folder: Path) -> int | None:
    """Lock a folder for as long as this process lives; None where another has it."""
    locks = _locks()
    if locks is None:
        return None
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return None
    try:
        locks.flock(handle, locks.LOCK_EX | locks.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


def _locks() -> ModuleType | None:
    """Return the module of POSIX locks; None where the system has none."""
    try:
        return importlib.import_module("fcntl")
    except ImportError:
        return None


def _missing_parents(target: Path) -> list[Path]:
    """Return the folders above the target that do not exist, innermost first."""
    return [folder for folder in target.parents if not folder.exists()]


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _said(what: str, err: OSError) -> str:
    return f"The target folder or a file in it could not be {what} ({err.strerror})."
