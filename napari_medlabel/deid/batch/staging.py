"""The hidden folder that a target is made in: published as a whole, or gone on with."""

from __future__ import annotations

import errno
import importlib
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from napari_medlabel.errors import SaveError
from napari_medlabel.io.files import sync_folder

_SUFFIX = ".partial"
_LONGEST_NAME = 40  # of the target's name in the hidden folder's, which has a limit as well


@dataclass(frozen=True)
class Staging:
    """A hidden folder to write into, beside or in the target.

    Parameters
    ----------
    folder : Path
        The hidden folder.
    """

    folder: Path

    @property
    def tree(self) -> Path:
        """What becomes the target."""
        return self.folder / "tree"

    @property
    def parts(self) -> Path:
        """Files that have no name yet."""
        return self.folder / "parts"

    @property
    def journal(self) -> Path:
        """What is finished."""
        return self.folder / "journal"

    @property
    def moving(self) -> Path:
        """Names of what is being moved into a target that was there before."""
        return self.folder / "moving"

    def place(self, part: Path, name: tuple[str, ...]) -> None:
        """Give a written part its final place, on whatever disk the part lies.

        Raises
        ------
        SaveError
            When the disk is full or fails.
        """
        final = self.tree.joinpath(*name)
        try:
            try:
                part.rename(final)
            except FileNotFoundError:
                final.parent.mkdir(parents=True, exist_ok=True)
                part.rename(final)
        except OSError as err:
            if err.errno != errno.EXDEV:
                raise disk_error("written", err) from err
            copy = self.parts / part.name
            try:
                shutil.copyfile(part, copy)
                with copy.open("rb") as stream:
                    os.fsync(stream.fileno())
                final.parent.mkdir(parents=True, exist_ok=True)
                copy.rename(final)
                part.unlink()
            except OSError as again:
                raise disk_error("written", again) from again

    def clear_parts(self) -> None:
        """Remove what has no name yet."""
        shutil.rmtree(self.parts, ignore_errors=True)
        self.parts.mkdir(exist_ok=True)


def unfinished(target: Path) -> list[Staging]:
    """Return what killed runs to the same target left.

    A folder whose run still goes on is locked and not among them. So is any where the system
    or the disk knows no locks.
    """
    found = []
    for folder in _hidden(target):
        handle = _lock(folder)
        if handle is not None:
            os.close(handle)
            found.append(Staging(folder))
    return found


def is_busy(target: Path) -> bool:
    """Whether a run to the same target still goes on, as far as locks can tell."""
    return _locks() is not None and len(unfinished(target)) < len(_hidden(target))


def remove_leftovers(target: Path, *, but: Staging | None = None) -> int:
    """Remove what killed runs to the same target left, and return how many there were."""
    removed = 0
    for staging in unfinished(target):
        handle = None if staging == but else _lock(staging.folder)
        if handle is None:
            continue
        try:
            if moved_by(staging):
                _move_back(staging, target)
            shutil.rmtree(staging.folder, ignore_errors=True)
            removed += not staging.folder.exists()
        finally:
            os.close(handle)
    return removed


@contextmanager
def staged(
    target: Path, *, again: Staging | None = None, keep: bool = False
) -> Iterator[Staging]:
    """Return a hidden folder to write into; gone afterwards, whatever was published.

    It lies beside a target that does not exist yet, and inside one that does: that may be
    a mounted disk, a link, or a folder in one where nothing can be made. Folders above the
    target that had to be made go as well when nothing is published.

    Parameters
    ----------
    target : Path
        The folder that is to be.
    again : Staging, optional
        What an earlier run left, to go on with.
    keep : bool
        Whether it stays when the work is broken off, for a later run.

    Raises
    ------
    SaveError
        When the folder cannot be made, or another run has taken it.
    """
    made = _missing_parents(target)
    staging = again or Staging(_holder(target) / f"{_prefix(target)}{os.getpid()}{_SUFFIX}")
    try:
        staging.tree.mkdir(parents=True, exist_ok=again is not None)
        staging.parts.mkdir(exist_ok=True)
    except OSError as err:
        _remove_empty(made)
        raise disk_error("made", err) from err
    handle = _lock(staging.folder)
    if again is not None:
        staging.clear_parts()
    if moved_by(staging):
        _move_back(staging, target)
    broken = True
    try:
        yield staging
        broken = False
    finally:
        if not (broken and keep) and staging.folder.exists():
            shutil.rmtree(staging.folder, ignore_errors=True)
        if handle is not None:
            os.close(handle)
        if not target.exists():
            _remove_empty(made)


def publish(staging: Staging, target: Path, *, last: str = "") -> None:
    """Put the staged tree in the target's place, in one step.

    Where it was staged inside the target, its entries are moved one by one, and taken out
    again when one cannot be.

    Parameters
    ----------
    staging, target : Staging, Path
        From `staged`.
    last : str
        Name of the entry that is moved last: where it is, all is.

    Raises
    ------
    SaveError
        When the target has come to hold something, or cannot be replaced.
    """
    try:
        for folder, _, _ in os.walk(staging.tree):
            sync_folder(Path(folder))
        if staging.folder.parent != target:
            staging.tree.rename(target)
            sync_folder(target.parent)
            return
        if any(path != staging.folder for path in target.iterdir()):
            raise FileExistsError(17, "it has come to hold something")
        names = sorted((path.name for path in staging.tree.iterdir()), key=last.__eq__)
        staging.moving.write_text("\0".join(names), "utf-8")
        try:
            for name in names:
                (staging.tree / name).rename(target / name)
            sync_folder(target)
        except OSError:
            _move_back(staging, target)
            raise
    except OSError as err:
        raise disk_error("put in place", err) from err


def withdraw(staging: Staging, target: Path) -> None:
    """Take back what was published and must not stay; a target that was there before stays."""
    if staging.folder.parent == target:
        _move_back(staging, target)
    elif target.exists() and not staging.tree.exists():
        target.rename(staging.tree)


def _move_back(staging: Staging, target: Path) -> None:
    """Take out of a target what was moved into it, when not all was or not all may stay."""
    try:
        names = staging.moving.read_text("utf-8").split("\0")
    except FileNotFoundError:
        return
    staging.tree.mkdir(exist_ok=True)
    for name in names:
        path = target / name
        if not path.exists():
            continue
        try:
            path.rename(staging.tree / name)
        except OSError:  # then it is made again another time; here it must not stay
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    staging.moving.unlink()


def moved_by(staging: Staging) -> frozenset[str]:
    """Names of what a killed run has moved into its target; none once all is there."""
    try:
        names = frozenset(staging.moving.read_text("utf-8").split("\0"))
        return names if any(staging.tree.iterdir()) else frozenset()
    except OSError:
        return frozenset()


def _holder(target: Path) -> Path:
    return target if target.is_dir() else target.parent


def _hidden(target: Path) -> list[Path]:
    """Folders that runs to this target staged, or stage, their files in."""
    folders = (target, target.parent)
    return [path for folder in folders for path in _listed(folder) if is_staging(path, target)]


def _prefix(target: Path) -> str:
    return f".{target.name[:_LONGEST_NAME]}."


def is_staging(path: Path, target: Path) -> bool:
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


def disk_error(what: str, err: OSError) -> SaveError:
    """Return what to tell when the system refuses to write.

    Parameters
    ----------
    what : str
        What could not be done, as in ``"made"``.
    err : OSError
        The system's error; its path is not told.
    """
    return SaveError(
        f"The target folder or a file in it could not be {what} ({err.strerror}).",
        hint="Free some space, or choose a target folder that you can write to.",
    )
