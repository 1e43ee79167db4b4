"""Zip files: unpacked to a private folder that goes when the program ends.

A package from elsewhere may be a trap: names that climb out of the folder, a few bytes that
unpack to terabytes, packages within packages. Everything is checked before a byte is written.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import os
import shutil
import stat
import tempfile
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import IO, Final

from napari_medlabel.errors import InputError
from napari_medlabel.io.sniff import HEAD_BYTES, kind_of_head

Progress = Callable[[int, int], None]
_MOST_MEMBERS: Final = 200_000
_PEEKED: Final = 20
_SHARE_OF_DISK: Final = 0.9
_LARGEST_RATIO: Final = 1032  # what deflate can at most
_CHUNK: Final = 1 << 20
_PREFIX: Final = "medlabel-zip-"
_ENCRYPTED: Final = 1
_AGAIN: Final = "Unpack it with another program and open the folder."
_DAMAGED: Final = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError)

_LOCK: Final = threading.Lock()
_UNPACKED: Final[dict[tuple[str, int, int], Path]] = {}


def unpack(path: Path, *, progress: Progress | None = None) -> Path:
    """Unpack a zip file, once for each run of the program, and return the folder.

    The folder may be read by this user only (mode 0700). It stays until the program ends,
    because voxels may be read from it later, and is removed then.

    Parameters
    ----------
    path : Path
        The zip file.
    progress : callable, optional
        Called with bytes unpacked and bytes in all. What it raises ends the unpacking.

    Raises
    ------
    InputError
        When it is damaged, encrypted, holds another package, names files outside of itself,
        or unpacks to more than it can honestly hold or than the disk has room for.
    """
    with _LOCK:
        try:
            known = path.stat()
            key = (os.path.abspath(path), known.st_size, known.st_mtime_ns)  # noqa: PTH100
            if key not in _UNPACKED:
                _UNPACKED[key] = _unpack(path, progress)
        except OSError as err:
            raise InputError(
                "The zip file could not be unpacked: the system refused to read or write.",
                hint="Check the disk that holds temporary files, and that you may read the "
                "package.",
            ) from err
        return _UNPACKED[key]


def holds_medical(path: Path) -> bool:
    """Tell cheaply, by the first members, whether a zip file holds scans."""
    try:
        with zipfile.ZipFile(path) as package:
            members = (one for one in package.infolist() if not one.is_dir())
            for one in itertools.islice(members, _PEEKED):
                with package.open(one) as stream:
                    if kind_of_head(stream.read(HEAD_BYTES), one.filename) is not None:
                        return True
    except (*_DAMAGED, RuntimeError, OSError):
        return False
    return False


def remove_unpacked() -> None:
    """Remove every folder that `unpack` made; done by itself when the program ends."""
    with _LOCK:
        for folder in _UNPACKED.values():
            shutil.rmtree(folder, ignore_errors=True)
        _UNPACKED.clear()


atexit.register(remove_unpacked)


def _unpack(path: Path, progress: Progress | None) -> Path:
    try:
        with zipfile.ZipFile(path) as package:
            members = [one for one in package.infolist() if not one.is_dir()]
            _require_honest(members, path.stat().st_size)
            _remove_left_behind()
            folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
            try:
                _require_room(members, folder)
                _write_all(package, members, folder, progress)
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
    except _DAMAGED as err:
        raise InputError(
            "The zip file is damaged or packed in a way that is not known.", hint=_AGAIN
        ) from err
    except RuntimeError as err:  # zipfile's word for a password
        raise _encrypted() from err
    return folder


def _require_honest(members: Sequence[zipfile.ZipInfo], size: int) -> None:
    """Refuse what is a trap or a riddle, by the list of contents alone."""
    if len(members) > _MOST_MEMBERS:
        raise InputError(
            f"The zip file holds {len(members)} files; at most {_MOST_MEMBERS} are unpacked.",
            hint=_AGAIN,
        )
    if any(one.flag_bits & _ENCRYPTED for one in members):
        raise _encrypted()
    outside = sum(not _is_inside(one.filename) for one in members)
    if outside:
        raise InputError(
            f"{outside} of {len(members)} names in the zip file lead out of it: nothing was "
            "unpacked.",
            hint="Do not trust this package; ask its sender for another one.",
        )
    if len({one.filename for one in members}) < len(members):
        raise InputError("Several files in the zip file share one name.", hint=_AGAIN)
    if any(one.filename.lower().endswith(".zip") for one in members):
        raise InputError(
            "The zip file holds another zip file; only one level is unpacked.", hint=_AGAIN
        )
    whole, packed = (
        sum(getattr(m, n) for m in members) for n in ("file_size", "compress_size")
    )
    # What lies on top of each other in the file is counted twice: the oldest bomb.
    if whole > size * _LARGEST_RATIO or packed > size:
        raise InputError(
            f"The zip file of {size} bytes says that it unpacks to {whole}: no honest package "
            "does.",
            hint="Do not trust this package; ask its sender for another one.",
        )


def _encrypted() -> InputError:
    return InputError(
        "The zip file is encrypted.",
        hint="Unpack it with its password in another program and open the folder.",
    )


def _is_inside(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    has_drive = ":" in (name if os.name == "nt" else parts[0][1:2])
    return bool(parts[0]) and ".." not in parts and not has_drive


def _require_room(members: Sequence[zipfile.ZipInfo], folder: Path) -> None:
    needed = sum(one.file_size for one in members)
    if needed > _SHARE_OF_DISK * shutil.disk_usage(folder).free:
        raise InputError(
            f"The zip file unpacks to {needed / 1e9:.3g} GB; the disk for temporary files has "
            "no room for it.",
            hint="Free some space, or unpack it on another disk and open the folder.",
        )


def _write_all(
    package: zipfile.ZipFile,
    members: Sequence[zipfile.ZipInfo],
    folder: Path,
    progress: Progress | None,
) -> None:
    whole, done = sum(one.file_size for one in members), 0
    for one in members:
        if stat.S_ISLNK(one.external_attr >> 16):
            continue  # a link may lead anywhere
        target = folder / PurePosixPath(one.filename.replace("\\", "/"))
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with package.open(one) as packed, target.open("xb") as stream:
            for block in _blocks(packed):
                stream.write(block)
                done += len(block)
                if progress is not None:
                    progress(done, whole)


def _blocks(stream: IO[bytes]) -> Iterator[bytes]:
    return iter(lambda: stream.read(_CHUNK), b"")


def _remove_left_behind() -> None:
    """Remove what runs that were killed left: scans must not stay in a temporary folder."""
    if os.name == "nt":  # pragma: no cover - there, asking for a process ends it
        return
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*-*"):
        number = folder.name[len(_PREFIX) :].partition("-")[0]
        with contextlib.suppress(OSError):
            is_ours = folder.lstat().st_uid == os.getuid()
            if is_ours and number.isdecimal() and not _runs(int(number)):
                shutil.rmtree(folder, ignore_errors=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass
    return True
