"""Which UID and Patient ID became which, as MIDI-B's validator reads it: two CSV files.

The pairs are not what should have been done but what was: a row is written only where the
new identifier stands in the written file. Rows are unique; they wait in a database on the
disk, so that memory does not grow with the number of files.
"""

from __future__ import annotations

import csv
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from napari_medlabel.deid.dicom.silence import quiet
from napari_medlabel.deid.keys.pseudonyms import Pseudonyms
from napari_medlabel.deid.rules.vocabulary import is_structural_uid
from napari_medlabel.errors import InputError, SaveError
from napari_medlabel.io.files import explain_os_error, sync_folder

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

UID_FILE: Final = "uid_mapping.csv"
PATIENT_FILE: Final = "patid_mapping.csv"
_HEAD: Final = ("id_old", "id_new")
_WAITING: Final = ".mapping.part"
_OWNER_ONLY: Final = 0o600
_PIXELS: Final = 0x7FE00008
_CACHE_KIB: Final = 8192

Pair = tuple[str, str]


@dataclass(frozen=True)
class Pairs:
    """Old and new identifiers of one file.

    Parameters
    ----------
    patients : frozenset of (str, str)
        Patient IDs; empty where the source names none.
    uids : frozenset of (str, str)
        UIDs at any depth, file meta information included. Those of the standard are left
        out; those that an option kept are their own pair.
    """

    patients: frozenset[Pair] = frozenset()
    uids: frozenset[Pair] = frozenset()

    def __repr__(self) -> str:
        return f"Pairs({len(self.patients)} patients, {len(self.uids)} uids)"


@dataclass(frozen=True)
class Counted:
    """How many rows there are.

    Parameters
    ----------
    patients, uids : int
        Of each file, without its head.
    """

    patients: int
    uids: int


def pairs_in(source: Path, output: Path, pseudonyms: Pseudonyms) -> Pairs:
    """Return what became of the identifiers of one DICOM file.

    Parameters
    ----------
    source : Path
        The file as found.
    output : Path
        What was written for it.
    pseudonyms : Pseudonyms
        With the key that was used.

    Raises
    ------
    InputError
        When one of them cannot be read.
    """
    with quiet():
        before, after = _read(source), _read(output)
        there = frozenset(_uids(after))
        uids = set()
        for old in _uids(before):
            if is_structural_uid(old):
                continue
            new = pseudonyms.uid(old)
            if new in there:
                uids.add((old, new))
            elif old in there:
                uids.add((old, old))
        old_id, new_id = _patient_id(before), _patient_id(after)
    patients = {(old_id, new_id)} if old_id and new_id else set()
    return Pairs(frozenset(patients), frozenset(uids))


class Mappings:
    """The two files in the making; nothing has its name before `finish`.

    Use as a context manager: what was not finished is removed.

    Parameters
    ----------
    folder : Path
        Where; made for the owner alone when it does not exist.

    Raises
    ------
    SaveError
        When one of the files exists already, or the folder cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._waiting = folder / _WAITING
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if any(os.path.lexists(folder / name) for name in (UID_FILE, PATIENT_FILE)):
                raise SaveError(
                    "The folder for the mappings holds a mapping already.",
                    hint="Choose a new folder with --mappings; nothing is ever overwritten.",
                )
            self._remove()  # of a run that was killed
            os.close(os.open(self._waiting, os.O_CREAT | os.O_EXCL | os.O_RDWR, _OWNER_ONLY))
        except OSError as err:
            raise explain_os_error(err) from err
        self._rows = _database(self._waiting)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._rows.close()
        self._remove()

    def add(self, pairs: Pairs) -> None:
        """Add what one file has; a row that is there already is not added again.

        Raises
        ------
        SaveError
            When the disk refuses.
        """
        self._insert("patients", pairs.patients)
        self._insert("uids", pairs.uids)

    def counted(self) -> Counted:
        """Return how many rows there will be, for the log before they are written."""
        return Counted(*(self._rows.execute(text).fetchone()[0] for text in _COUNT))

    def finish(self) -> Counted:
        """Write both files with mode 0600, sorted, and give them their names.

        Raises
        ------
        SaveError
            When they cannot be written; then neither is there.
        """
        written: list[tuple[Path, Path]] = []
        counts = {}
        try:
            for table, name in (("patients", PATIENT_FILE), ("uids", UID_FILE)):
                aside = self._folder / f".{name}.part"
                written.append((aside, self._folder / name))
                counts[table] = self._write(aside, table)
            for aside, path in written:
                aside.replace(path)
            sync_folder(self._folder)
        except (OSError, sqlite3.Error) as err:
            for aside, path in written:
                aside.unlink(missing_ok=True)
                path.unlink(missing_ok=True)
            raise _refused(err) from err
        return Counted(**counts)

    def _insert(self, table: str, rows: Iterable[Pair]) -> None:
        try:
            self._rows.executemany(_INSERT[table], rows)
        except sqlite3.Error as err:
            raise _refused(err) from err

    def _write(self, path: Path, table: str) -> int:
        path.unlink(missing_ok=True)
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _OWNER_ONLY)
        count = 0
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            rows = csv.writer(stream, lineterminator="\n")
            rows.writerow(_HEAD)
            for row in self._rows.execute(_SELECT[table]):
                rows.writerow(row)
                count += 1
            stream.flush()
            os.fsync(stream.fileno())
        return count

    def _remove(self) -> None:
        for name in (
            _WAITING,
            f"{_WAITING}-journal",
            f".{UID_FILE}.part",
            f".{PATIENT_FILE}.part",
        ):
            with suppress(FileNotFoundError):
                (self._folder / name).unlink()


_INSERT: Final = {
    "patients": "INSERT OR IGNORE INTO patients VALUES (?, ?)",
    "uids": "INSERT OR IGNORE INTO uids VALUES (?, ?)",
}
_COUNT: Final = ("SELECT count(*) FROM patients", "SELECT count(*) FROM uids")
_SELECT: Final = {
    "patients": "SELECT old, new FROM patients ORDER BY old, new",
    "uids": "SELECT old, new FROM uids ORDER BY old, new",
}


def _database(path: Path) -> sqlite3.Connection:
    """Return an empty database of rows; it need not outlive a crash."""
    rows = sqlite3.connect(path, isolation_level=None)
    rows.execute("PRAGMA journal_mode = OFF")
    rows.execute("PRAGMA synchronous = OFF")
    rows.execute("PRAGMA temp_store = FILE")
    rows.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    for table in _INSERT:
        rows.execute(
            f"CREATE TABLE {table} (old TEXT, new TEXT, PRIMARY KEY (old, new)) WITHOUT ROWID"
        )
    return rows


def _refused(err: Exception) -> SaveError:
    if isinstance(err, OSError):
        return explain_os_error(err)
    return SaveError(
        "The mappings could not be written.",
        hint="Free some space, or choose another folder with --mappings.",
    )


def _read(path: Path) -> Dataset:
    from pydicom.filereader import read_partial

    from napari_medlabel.deid.refusal import PARSE_ERRORS

    try:
        with path.open("rb") as stream:
            return read_partial(stream, stop_when=_at_pixels, force=True)
    except PARSE_ERRORS as err:
        raise InputError(
            "A DICOM file was expected and could not be read.",
            hint="It was read before: check whether the folder changed meanwhile.",
        ) from err


def _at_pixels(tag: int, _vr: str | None, _length: int) -> bool:
    return tag >= _PIXELS


def _uids(dataset: Dataset) -> Iterator[str]:
    """Yield every UID at any depth and in the file meta information, without padding."""
    from napari_medlabel.deid.refusal import PARSE_ERRORS

    stack = [dataset, *filter(None, [getattr(dataset, "file_meta", None)])]
    while stack:
        level = stack.pop()
        for tag in list(level.keys()):
            try:
                element = level[tag]
            except PARSE_ERRORS:
                continue
            if element.VR == "SQ":
                stack.extend(element.value)
            elif element.VR == "UI":
                yield from _components(element.value)


def _components(value: object) -> tuple[str, ...]:
    from napari_medlabel.deid.rules.actions import components_of

    return tuple(part for part in components_of(value) if part)


def _patient_id(dataset: Dataset) -> str:
    """Return the Patient ID as its character set reads it; empty where there is none."""
    from napari_medlabel.deid.refusal import PARSE_ERRORS

    try:
        return "\\".join(_components(dataset.get("PatientID")))
    except PARSE_ERRORS:
        return ""
