"""The files of a source folder, one after another in byte order, and how many there are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from napari_medlabel.deid.batch.kinds import Kind, SourceFile, described
from napari_medlabel.deid.batch.target import looked_up
from napari_medlabel.deid.report.counts import Reason, Skip
from napari_medlabel.errors import InputError

__all__ = ["Kind", "Listed", "SourceFile", "Sources", "source_files"]
_FOLDER = b"/"


@dataclass(frozen=True, slots=True)
class Listed:
    """A file of the source before anybody has opened it.

    Parameters
    ----------
    position : int
        Its place, from 1, among the regular files in byte order of their paths; 0 for what
        is no regular file.
    relative : str
        Its path under the source, with slashes; never shown.
    result : Reason, Skip or None
        Why it is not even opened; None for regular files.
    """

    position: int
    relative: str = field(repr=False)
    result: Reason | Skip | None = None


@dataclass(frozen=True)
class Sources:
    """A source folder, or one file.

    Parameters
    ----------
    root : Path
        The folder.
    only : str
        The name of the one file in it that is meant; empty when all are.
    """

    root: Path
    only: str = ""

    def __iter__(self) -> Iterator[Listed]:
        """Files in byte order of their paths; links and shut folders between them.

        No more is kept than the names in the folders on the way down, so that a source may
        hold any number of files. Links are not followed; what is no file is passed over.
        """
        if self.only:
            yield Listed(1, self.only)
            return
        position = 0
        waiting = [iter([_FOLDER])]
        path: list[bytes] = []
        while waiting:
            name = next(waiting[-1], None)
            if name is None:
                waiting.pop()
                if path:
                    path.pop()
                continue
            relative = os.fsdecode(b"".join((*path, name)))[1:]
            if name.endswith(_FOLDER):
                names = _names(self.root / relative)
                if names is None:
                    yield Listed(0, relative, Reason.FOLDER_SHUT)
                    continue
                path.append(name)
                waiting.append(iter(names))
            elif name.startswith(_FOLDER):
                yield Listed(0, os.fsdecode(b"".join((*path, name[1:])))[1:], Skip.LINK)
            else:
                position += 1
                yield Listed(position, relative)

    def count(self) -> int:
        """Return how many regular files there are."""
        return sum(1 for file in self if file.position)

    def described(self, file: Listed) -> SourceFile:
        """Return what a file is, by its content."""
        path = self.root / file.relative
        if file.result is not None:
            return SourceFile(0, path, file.relative, file.result)
        return described(file.position, path, self.root)


def source_files(source: Path) -> Sources:
    """Return the files under a folder, or the one file.

    Parameters
    ----------
    source : Path
        A folder or a file.

    Returns
    -------
    Sources
        To be gone through as often as one likes.

    Raises
    ------
    InputError
        When the source does not exist, cannot be looked up, or holds no scan that can be read.
    """
    looked_up(source)
    if source.is_file():
        files = Sources(source.parent, source.name)
    elif source.is_dir():
        files = Sources(source)
    else:
        raise InputError(
            "A source folder or file was expected and does not exist.",
            hint="Check the first argument of `medlabel deid SRC DST`.",
        )
    shut = 0
    for file in files:
        kind = files.described(file).kind
        if isinstance(kind, Kind):
            break
        shut += kind in (Reason.UNREADABLE, Reason.FOLDER_SHUT)
    else:
        if shut:
            raise InputError(
                f"Scans were expected, and {shut} files or folders of the source cannot be "
                "read.",
                hint="Get the right to read them, and run again.",
            )
        raise InputError(
            "Scans (DICOM, NIfTI, NRRD, MetaImage) were expected, none is among the "
            f"{files.count()} files found.",
            hint="Pass the folder that holds the scans; files are recognized by content.",
        )
    return files


def _names(folder: Path) -> list[bytes] | None:
    """Names in a folder as their paths sort; None where it cannot be listed.

    Folders end with a slash, links begin with one and come last.
    """
    names, links = [], []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                name = os.fsencode(entry.name)
                if entry.is_symlink():
                    links.append(_FOLDER + name)
                elif entry.is_dir(follow_symlinks=False):
                    names.append(name + _FOLDER)
                elif entry.is_file(follow_symlinks=False):
                    names.append(name)
    except OSError:
        return None
    return sorted(names) + sorted(links)
