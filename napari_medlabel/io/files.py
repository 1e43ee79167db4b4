"""Files: sha256, and writing that is never half done: aside, synced, checked, renamed."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

from napari_medlabel.errors import RefusedError, SaveError

_CHUNK: Final = 1 << 20
_FULL: Final = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})
_DENIED: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


def sha256_file(path: Path) -> str:
    """Return the hex SHA-256 of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


class Staging:
    """Several files that take their names together, or not at all.

    Each is written to a hidden file beside its target, synced and checked at once; an earlier
    file of that name stays untouched until `publish`. Use as a context manager: what was not
    published is removed.
    """

    def __init__(self) -> None:
        self._ready: list[tuple[Path, Path]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for aside, _target in self._ready:
            aside.unlink(missing_ok=True)

    def add(
        self,
        path: Path,
        write: Callable[[Path], None],
        *,
        check: Callable[[Path], None] | None = None,
        mode: int | None = None,
    ) -> None:
        """Write one file aside.

        Parameters
        ----------
        path : Path
            The file to end up with. Its folder must exist.
        write : callable
            Receives the path to write to, which ends in the target's name.
        check : callable, optional
            Receives the written path and raises when it is not what was meant.
        mode : int, optional
            Permission bits of the result, for instance ``0o600``.

        Raises
        ------
        SaveError
            When it cannot be written.
        """
        if path.is_dir():
            raise SaveError(
                "A file is expected where there is a folder.", hint="Choose another name."
            )
        aside = path.with_name(f".{secrets.token_hex(4)}.part.{path.name}")
        self._ready.append((aside, path))
        try:
            write(aside)
            sync_file(aside)
            if check is not None:
                check(aside)
            if mode is not None:
                aside.chmod(mode)
        except OSError as err:
            raise explain_os_error(err) from err

    def add_bytes(self, path: Path, data: bytes, *, mode: int | None = None) -> None:
        """Write bytes aside and compare them after reading back."""

        def check(written: Path) -> None:
            if written.read_bytes() != data:
                raise SaveError(
                    "The file did not read back as it was written.",
                    hint="The disk or the network drive is faulty; save somewhere else.",
                )

        self.add(path, lambda aside: _write_all(aside, data), check=check, mode=mode)

    def publish(self) -> None:
        """Give every file its name and sync the folders.

        Raises
        ------
        SaveError
            When a file cannot take its name.
        """
        try:
            for aside, path in self._ready:
                aside.replace(path)
            for folder in {path.parent for _, path in self._ready}:
                sync_folder(folder)
        except OSError as err:
            raise explain_os_error(err) from err

    def publish_new(self) -> None:
        """Give every file its name where nothing has it: what is there is never replaced.

        Raises
        ------
        RefusedError
            When a name is taken; the names that were given before it are given back.
        SaveError
            When a file cannot take its name.
        """
        given: list[Path] = []
        try:
            for aside, path in self._ready:
                _link_new(aside, path)
                given.append(path)
            for folder in {path.parent for _, path in self._ready}:
                sync_folder(folder)
        except OSError as err:
            for path in given:
                path.unlink(missing_ok=True)
            if isinstance(err, FileExistsError):
                raise RefusedError(
                    "A file of that name is there already, and it is never overwritten.",
                    hint="Somebody was faster: try again, the next free name is taken.",
                ) from err
            raise explain_os_error(err) from err
        for aside, _path in self._ready:
            aside.unlink(missing_ok=True)


def write_aside(
    path: Path,
    write: Callable[[Path], None],
    *,
    check: Callable[[Path], None] | None = None,
    mode: int | None = None,
) -> None:
    """Write one file so that it is either whole or not there; see `Staging.add`.

    Raises
    ------
    SaveError
        When it cannot be written. Nothing is left behind.
    """
    with Staging() as staging:
        staging.add(path, write, check=check, mode=mode)
        staging.publish()


def write_bytes_aside(path: Path, data: bytes, *, mode: int | None = None) -> None:
    """Write bytes with `write_aside` and compare them after reading back."""
    with Staging() as staging:
        staging.add_bytes(path, data, mode=mode)
        staging.publish()


def _link_new(aside: Path, path: Path) -> None:
    """Give a file its name; FileExistsError where that is taken, however late."""
    try:
        os.link(aside, path)
    except FileExistsError:
        raise
    except OSError:
        # Some shares know no second name for a file: there the name is taken first.
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644))
        aside.replace(path)


def _write_all(path: Path, data: bytes) -> None:
    with path.open("xb") as stream:
        stream.write(data)


def sync_file(path: Path) -> None:
    """Force a file's bytes to the disk."""
    # Windows syncs only what is open for writing.
    descriptor = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Force a folder's entries to the disk, where the system has a way to."""
    if os.name == "nt":  # pragma: no cover - folders cannot be opened there
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(path: Path) -> None:
    """Make a folder and its parents.

    Raises
    ------
    SaveError
        When that is not possible.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as err:
        raise explain_os_error(err) from err


def make_numbered_folder(parent: Path, name: str) -> Path:
    """Make and return ``name-001`` or the next free number: nothing is overwritten.

    Raises
    ------
    SaveError
        When the folder cannot be made, or there are a thousand already.
    """
    make_folder(parent)
    for number in range(1, 1000):
        folder = parent / f"{name}-{number:03d}"
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        except OSError as err:
            raise explain_os_error(err) from err
        return folder
    raise SaveError(
        "The folder holds a thousand numbered folders already.",
        hint="Remove some, or choose another folder.",
    )


def probe_writable(folder: Path) -> None:
    """Find out now, not after hours of painting, whether a folder can be written to.

    Raises
    ------
    SaveError
        When it cannot.
    """
    make_folder(folder)
    probe = folder / f".{secrets.token_hex(4)}.probe"
    try:
        with probe.open("xb") as stream:
            stream.write(b"\0")
    except OSError as err:
        raise explain_os_error(err) from err
    finally:
        probe.unlink(missing_ok=True)


def explain_os_error(err: OSError) -> SaveError:
    """Say an operating system's error in our words, without the path it carries."""
    if err.errno in _FULL:
        return SaveError(
            "The disk is full; nothing was written.",
            hint="Free some space, or choose a folder on another disk.",
        )
    if err.errno in _DENIED:
        return SaveError(
            "The folder cannot be written to: permission denied or read-only.",
            hint="Choose a folder that you may write to.",
        )
    if isinstance(err, NotADirectoryError | FileExistsError):
        return SaveError(
            "A folder is expected where there is a file.", hint="Choose another folder."
        )
    name = errno.errorcode.get(err.errno, "unknown") if err.errno else type(err).__name__
    return SaveError(
        f"The file could not be written (error {name}).",
        hint="Check the disk or the network drive, or choose another folder.",
    )
