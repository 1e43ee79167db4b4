"""The files behind paths, by kind: folders walked, packages and indexes opened."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from napari_medlabel.errors import InputError
from napari_medlabel.io import archive
from napari_medlabel.io.dicom import directory as dicomdir
from napari_medlabel.io.dicom import reading as dicom
from napari_medlabel.io.dicom.header.walk import FIRST_BLOCK
from napari_medlabel.io.sniff import (
    OPEN_FLAGS,
    Kind,
    header_of,
    is_own_mask,
    kind_of,
    kind_of_head,
)

Progress = Callable[[int, int], None]
_CALLED_DICOM: Final = (".dcm", ".dicom", ".ima")
_OFTEN: Final = 64


@dataclass(frozen=True, repr=False)
class Files:
    """Files, sorted by kind.

    Parameters
    ----------
    dicom : DicomSurvey
        What the DICOM files among them hold.
    by_kind : mapping of str to tuple of Path
        Those of other kinds that are read, in a stable order.
    skipped : int
        Files of other kinds.
    unreadable : int
        Files that cannot be opened, and empty or cut ones that are called DICOM.
    notes : tuple of str
        What an index or a package leaves in doubt, in words.
    packages : int
        Zip files that lie in folders: they are skipped.
    """

    dicom: dicom.DicomSurvey
    by_kind: Mapping[Kind, tuple[Path, ...]]
    skipped: int
    unreadable: int
    notes: tuple[str, ...]
    packages: int = 0

    def of(self, kind: Kind) -> tuple[Path, ...]:
        """Return the files of one kind."""
        return self.by_kind.get(kind, ())


@dataclass
class _Pile:
    """What was found so far."""

    progress: Progress | None
    files: dict[str, None] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def sort_out(paths: Sequence[Path], *, progress: Progress | None = None) -> Files:
    """Find the regular files behind paths, each once, and tell their kinds.

    Each file is opened once: the headers of DICOM files are read with its first bytes.

    A folder is walked with its sub-folders; links to folders are not followed, so that a
    circle cannot catch us. A zip file is unpacked when it is given itself, not when it lies
    in a folder; so is a DICOMDIR, which stands for the files it names.

    Parameters
    ----------
    paths : sequence of Path
        Folders and files.
    progress : callable, optional
        Called now and then with files seen and files in all. What it raises ends the search.

    Raises
    ------
    InputError
        When a path does not exist, may not be read, or is a device or a pipe, or when a
        package or an index is refused.
    """
    pile = _Pile(progress)
    for path in paths:
        _collect(path, pile)
    by_kind: dict[Kind, list[Path]] = {}
    search = dicom.Search()
    skipped = unreadable = packages = 0
    for number, file in enumerate(pile.files):
        if progress is not None and number % _OFTEN == 0:
            progress(number, len(pile.files))
        try:
            kind = _look_into(file, search)
        except OSError:
            unreadable += 1
            continue
        if kind == "dicom":
            continue
        if kind is None or kind in ("zip", "dicomdir"):
            # A file called DICOM that is none may be the slice that is missing: never silent.
            lost = file.lower().endswith(_CALLED_DICOM)
            unreadable += lost
            skipped += not lost
            packages += kind == "zip" and file.lower().endswith(".zip")
        elif kind != "part":
            by_kind.setdefault(kind, []).append(Path(file))
    survey = search.survey()
    if progress is not None and pile.files:
        progress(len(pile.files), len(pile.files))
    return Files(
        survey,
        {kind: tuple(files) for kind, files in by_kind.items()},
        skipped,
        unreadable,
        tuple(pile.notes),
        packages,
    )


def _look_into(file: str, search: dicom.Search) -> Kind | None:
    """Tell a file's kind; the header of a DICOM file is read while it is open."""
    descriptor = os.open(file, OPEN_FLAGS)
    try:
        head = os.read(descriptor, FIRST_BLOCK)
        kind = kind_of_head(head, file)
        if kind == "dicom":
            search.add_open(file, descriptor, head)
    finally:
        os.close(descriptor)
    return kind


def _collect(path: Path, pile: _Pile) -> None:
    """Add the regular files behind one path."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as err:  # ValueError: a zero byte in a path
        raise InputError(
            "A path does not exist or may not be read.",
            hint="Check how it is spelled, and that the disk is connected.",
        ) from err
    if stat.S_ISDIR(mode):
        pile.files.update(dict.fromkeys(walk(path, notes=pile.notes)))
    elif stat.S_ISREG(mode):
        _collect_file(path, pile)
    else:
        raise InputError(
            "A folder or a file is expected; this is neither.",
            hint="Devices and pipes cannot be opened.",
        )


def _collect_file(path: Path, pile: _Pile) -> None:
    try:
        kind = kind_of(path)
    except OSError as err:
        raise InputError(
            "A file may not be read.",
            hint="Ask for the right to read it, or choose another one.",
        ) from err
    if kind == "zip":
        folder = archive.unpack(path, progress=pile.progress)
        pile.files.update(dict.fromkeys(walk(folder, notes=pile.notes)))
    elif kind == "dicomdir":
        named = dicomdir.read(path)
        pile.files.update(dict.fromkeys(named.files))
        pile.notes.extend(named.notes)
    else:
        pile.files[os.fspath(header_of(path) or path)] = None


def walk(folder: Path | str, *, notes: list[str] | None = None) -> Iterator[str]:
    """Yield the regular files below a folder in a stable order, without our own masks.

    Parameters
    ----------
    folder : Path or str
        Where to begin.
    notes : list of str, optional
        Receives a sentence when sub-folders may not be read.

    Raises
    ------
    InputError
        When the folder itself may not be read.
    """
    closed = 0
    todo = [os.fspath(folder)]
    while todo:
        here = todo.pop()
        try:
            with os.scandir(here) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError as err:
            if here == os.fspath(folder):
                raise InputError(
                    "A folder may not be read.",
                    hint="Ask for the right to read it, or choose another one.",
                ) from err
            closed += 1
            continue
        todo.extend(entry.path for entry in reversed(found) if _is_folder(entry))
        yield from (e.path for e in found if _is_file(e) and not is_own_mask(e.path))
    if closed and notes is not None:
        which = "1 sub-folder" if closed == 1 else f"{closed} sub-folders"
        notes.append(f"{which} may not be read: a scan may be incomplete.")


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # links in a circle
        return False
