"""A DICOMDIR: which files the index of a disc names, PS3.3 F.3."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from napari_medlabel.errors import InputError
from napari_medlabel.io.dicom.quiet import failures, quietly

_IN_USE: Final = 0xFFFF
_WAYS: Final = (
    "OffsetOfTheNextDirectoryRecord",
    "OffsetOfReferencedLowerLevelDirectoryEntity",
)
_HINT: Final = "Open the folder it lies in instead: its files are then found without the index."


@dataclass(frozen=True, repr=False)
class Named:
    """What an index names.

    Parameters
    ----------
    files : tuple of str
        Files that exist, in the order of the index.
    notes : tuple of str
        What is in doubt: files that are missing or lie elsewhere, records in a circle.
    """

    files: tuple[str, ...]
    notes: tuple[str, ...]


def read(path: Path) -> Named:
    """Return the files that a DICOMDIR names.

    Every record of the list is read, wherever the offsets between records point: an index
    whose records lead in a circle still names its files. Files outside of the index's folder
    are left out, and so are records marked as not in use.

    Raises
    ------
    InputError
        When it cannot be read, or names no file that exists.
    """
    records = _records(path)
    folder = _Folder(path.parent)
    for record in records:
        if record.name:
            folder.add(record.name)
    if not folder.found:
        raise InputError(
            f"The index (DICOMDIR) names {folder.asked} files, and none of them exists."
            if folder.asked
            else "The index (DICOMDIR) names no file.",
            hint=_HINT,
        )
    notes = folder.notes()
    if _leads_in_a_circle(records):
        notes.append("The index (DICOMDIR) is damaged: its records lead in a circle.")
    return Named(tuple(folder.found), tuple(notes))


@dataclass(frozen=True)
class _Record:
    """One record: where it stands in the file, where it leads to, and the file it names."""

    here: int | None
    ways: tuple[int, ...]
    name: tuple[str, ...]


def _records(path: Path) -> list[_Record]:
    import pydicom

    try:
        with quietly():
            index = pydicom.dcmread(path, force=True)
            return [_record(one) for one in index.get("DirectoryRecordSequence") or []]
    except failures() as err:
        raise InputError("The index (DICOMDIR) cannot be read.", hint=_HINT) from err


def _record(one: Any) -> _Record:
    ways = (one.get(name) for name in _WAYS)
    value = one.get("ReferencedFileID")
    is_used = int(one.get("RecordInUseFlag", _IN_USE) or 0) == _IN_USE
    name = (value,) if isinstance(value, str) else tuple(str(part) for part in value or ())
    return _Record(
        getattr(one, "seq_item_tell", None),
        tuple(int(way) for way in ways if way),
        name if is_used and any(name) else (),
    )


class _Folder:
    """Finds named files below the folder of an index, whatever the case of their letters."""

    def __init__(self, root: Path) -> None:
        self._root = os.fspath(root)
        self._real = os.path.realpath(root)
        self._listed: dict[str, dict[str, str]] = {}
        self.found: dict[str, None] = {}
        self.asked = 0
        self._missing = 0
        self._outside = 0

    def add(self, parts: Sequence[str]) -> None:
        """Look for one file."""
        self.asked += 1
        climbs = any(part in ("", ".", "..") or set(part) & set("/\\\0:") for part in parts)
        if climbs:
            self._outside += 1
            return
        path = self._root
        for part in parts:
            name = self._names(path).get(part.lower())
            if name is None:
                self._missing += 1
                return
            path = os.path.join(path, name)  # noqa: PTH118 - text, for speed
        if os.path.commonpath([os.path.realpath(path), self._real]) != self._real:
            self._outside += 1
        elif os.path.isfile(path):  # noqa: PTH113
            self.found[path] = None
        else:
            self._missing += 1

    def _names(self, folder: str) -> dict[str, str]:
        """Return the names in a folder by their lower case."""
        if folder not in self._listed:
            try:
                names = os.listdir(folder)  # noqa: PTH208
            except OSError:
                names = []
            # Versions, as in "IM1;1", are how some discs are copied.
            self._listed[folder] = {n.lower().partition(";")[0]: n for n in sorted(names)}
        return self._listed[folder]

    def notes(self) -> list[str]:
        """Say what was not found."""
        notes = []
        if self._missing:
            notes.append(
                f"{_files(self._missing)} of {self.asked} that the index (DICOMDIR) names "
                f"{_do(self._missing)} not exist: the scan may be incomplete."
            )
        if self._outside:
            notes.append(
                f"{_files(self._outside)} of {self.asked} that the index (DICOMDIR) names "
                f"{_lie(self._outside)} outside of its folder and {_was(self._outside)} left "
                "out."
            )
        return notes


def _leads_in_a_circle(records: Sequence[_Record]) -> bool:
    """Tell whether following the records' offsets comes back to where it was."""
    ways = {one.here: one.ways for one in records if one.here is not None}
    inner = {way for one in records for way in one.ways}
    # In a tree, every record can be reached from one that none leads to.
    todo = [here for here in ways if here not in inner]
    seen = set(todo)
    while todo:
        new = [way for way in ways[todo.pop()] if way in ways and way not in seen]
        seen.update(new)
        todo.extend(new)
    return len(seen) < len(ways)


def _files(number: int) -> str:
    return "1 file" if number == 1 else f"{number} files"


def _do(number: int) -> str:
    return "does" if number == 1 else "do"


def _lie(number: int) -> str:
    return "lies" if number == 1 else "lie"


def _was(number: int) -> str:
    return "was" if number == 1 else "were"
