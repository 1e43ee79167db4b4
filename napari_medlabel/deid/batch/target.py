"""The target of an export: a new or empty folder apart from its source, and files in it."""

from __future__ import annotations

import os
from pathlib import Path

from napari_medlabel.deid.batch.staging import Staging, disk_error, is_staging, moved_by
from napari_medlabel.errors import InputError, SaveError


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
            found = list(target.iterdir())
            ours = [path for path in found if is_staging(path, target)]
            moved = frozenset[str]().union(*(moved_by(Staging(path)) for path in ours))
            empty = all(path in ours or path.name in moved for path in found)
        except OSError as err:
            raise disk_error("looked into", err) from err
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
    """Refuse a key, a log or mappings in the source or the target.

    Raises
    ------
    InputError
        With what to choose instead.
    """
    place = looked_up(path)
    for folder in (source.resolve(), target.resolve()):
        if folder == place or folder in place.parents:
            raise InputError(
                "Key, audit log and mappings must lie outside the source and the target.",
                hint="Choose another place for --key, --audit or --mappings: who gets the "
                "target must not get them.",
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
        raise disk_error("made", err) from err
    try:
        with stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        same = path.read_bytes() == content
    except OSError as err:
        path.unlink(missing_ok=True)
        raise disk_error("written", err) from err
    if not same:
        path.unlink()
        raise SaveError(
            "A file of the target did not read back as it was written.",
            hint="The disk may be failing; choose another target.",
        )
