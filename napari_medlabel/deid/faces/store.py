"""What is known of faces, instance by instance, in one file of the staging folder.

Identifiers are kept as digests. A cut is some planes, and a frame lies somewhere: masks are
made of the two when they are asked for, so a thousand slices take no more than a few numbers.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.deid.faces.cut import FaceCut
from napari_medlabel.deid.faces.doubt import Doubt

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
NAME: Final = "faces.sqlite"
_TABLES: Final = """
CREATE TABLE instance (uid BLOB PRIMARY KEY, verdict TEXT, doubt TEXT, frames INTEGER,
    rows INTEGER, columns INTEGER);
CREATE TABLE frame (uid BLOB, frame INTEGER, top INTEGER, left INTEGER, rows INTEGER,
    columns INTEGER, cut INTEGER, place BLOB, PRIMARY KEY (uid, frame, top, left));
CREATE TABLE series (verdict TEXT, doubt TEXT);
CREATE TABLE cut (id INTEGER PRIMARY KEY, planes TEXT);
"""


class Verdict(StrEnum):
    """What is known of an instance; a later one outweighs those before it."""

    NOT_A_HEAD = "not a head"
    NO_FACE = "no face in this volume"
    DONE = "face can be removed"
    UNSURE = "unsure"


_WEIGHT: Final = {verdict: number for number, verdict in enumerate(Verdict)}


@dataclass(frozen=True)
class Stored:
    """An instance and the sizes of its pixels."""

    uid: str
    frames: int
    rows: int
    columns: int


@dataclass(frozen=True, eq=False)
class Place:
    """Where one frame, or one tile of a mosaic, lies.

    Parameters
    ----------
    frame : int
        Zero-based.
    top, left, rows, columns : int
        The part of the frame, in pixels.
    matrix : ndarray, shape (4, 4)
        (column, row, 0) to RAS mm.
    """

    frame: int
    top: int
    left: int
    rows: int
    columns: int
    matrix: Floats


@dataclass(frozen=True)
class FaceStore:
    """Verdicts and masks by SOP Instance UID; can be sent to another process.

    Parameters
    ----------
    path : Path
        The file, written by `Writer`.
    """

    path: Path

    def verdict_for(self, sop_instance_uid: str) -> Verdict:
        """Return what is known of an instance; one that was never met is unsure."""
        row = self._row("SELECT verdict FROM instance WHERE uid = ?", sop_instance_uid)
        return Verdict(row[0]) if row else Verdict.UNSURE

    def doubt_for(self, sop_instance_uid: str) -> Doubt | None:
        """Return why it is unsure; None when it is not."""
        row = self._row("SELECT doubt FROM instance WHERE uid = ?", sop_instance_uid)
        if row is None:
            return Doubt.UNCOVERED
        return Doubt(row[0]) if row[0] else None

    def masks_for(self, sop_instance_uid: str) -> Bools | None:
        """Return the pixels to blank, shape (frames, rows, columns).

        Returns
        -------
        ndarray of bool or None
            None unless the verdict is ``DONE``.
        """
        wanted = "SELECT verdict, frames, rows, columns FROM instance WHERE uid = ?"
        row = self._row(wanted, sop_instance_uid)
        if row is None or row[0] != Verdict.DONE:
            return None
        masks = np.zeros(row[1:], dtype=bool)
        key = digest(sop_instance_uid)
        rows = _reader(self.path, os.getpid()).execute(
            "SELECT frame, top, left, rows, columns, place, planes FROM frame "
            "JOIN cut ON cut.id = frame.cut WHERE uid = ?",
            (key,),
        )
        for frame, top, left, height, width, place, planes in rows:
            cut = _cut(planes)
            matrix = np.frombuffer(place, dtype=np.float64).reshape(4, 4)
            mask = cut.plane_mask(matrix, 0, (width, height))
            masks[frame, top : top + height, left : left + width] |= mask
        return masks

    def counts(self) -> dict[str, int]:
        """Return how many instances there are of each verdict."""
        rows = _reader(self.path, os.getpid()).execute(
            "SELECT verdict, count(*) FROM instance GROUP BY verdict ORDER BY verdict"
        )
        return {str(verdict): int(count) for verdict, count in rows}

    def series(self) -> dict[str, int]:
        """Return how many series there are of each verdict, with the doubt where one is."""
        rows = _reader(self.path, os.getpid()).execute(
            "SELECT verdict, doubt, count(*) FROM series GROUP BY verdict, doubt "
            "ORDER BY verdict, doubt"
        )
        return {
            f"{verdict}: {doubt}" if doubt else str(verdict): int(count)
            for verdict, doubt, count in rows
        }

    def _row(self, query: str, uid: str) -> tuple[Any, ...] | None:
        found = _reader(self.path, os.getpid()).execute(query, (digest(uid),)).fetchone()
        return None if found is None else tuple(found)


def digest(text: str) -> bytes:
    """Return what stands for an identifier in the file."""
    return hashlib.sha256(text.strip(" \0").encode()).digest()


@lru_cache(maxsize=8)
def _reader(path: Path, process: int) -> sqlite3.Connection:  # noqa: ARG001 - one for each process
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)


@lru_cache(maxsize=32)
def _cut(planes: str) -> FaceCut:
    return FaceCut.from_json(json.loads(planes))


class Writer:
    """Collects verdicts and cuts.

    Parameters
    ----------
    path : Path
        The file to make; one that is there is replaced.
    """

    def __init__(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self._path = path
        self._base = sqlite3.connect(path)
        path.chmod(0o600)
        self._base.executescript(_TABLES)

    def judge(self, one: Stored, verdict: Verdict, doubt: Doubt | None = None) -> None:
        """Add a verdict; the weightiest of several about an instance stays.

        An instance that was met before with other sizes is unsure.
        """
        key = digest(one.uid)
        was = self._base.execute("SELECT * FROM instance WHERE uid = ?", (key,)).fetchone()
        if was is not None:
            if was[3:] != (one.frames, one.rows, one.columns):
                verdict, doubt = Verdict.UNSURE, Doubt.COPIES
            elif _WEIGHT[Verdict(was[1])] >= _WEIGHT[verdict]:
                return
        row = (key, verdict, doubt, one.frames, one.rows, one.columns)
        self._base.execute("INSERT OR REPLACE INTO instance VALUES (?,?,?,?,?,?)", row)

    def series(self, verdict: Verdict, doubt: Doubt | None = None) -> None:
        """Count a series, for people."""
        self._base.execute("INSERT INTO series VALUES (?,?)", (verdict, doubt))

    def cut(self, cut: FaceCut) -> int:
        """Add a cut and return its number."""
        planes = json.dumps(cut.to_json())
        number = self._base.execute("INSERT INTO cut (planes) VALUES (?)", (planes,)).lastrowid
        return int(number or 0)

    def place(self, uid: str, at: Place, cut: int) -> None:
        """Say where a frame of an instance lies and which cut it has.

        An instance with a frame in two places is unsure.
        """
        row = (digest(uid), at.frame, at.top, at.left, at.rows, at.columns, cut)
        matrix = np.ascontiguousarray(at.matrix, dtype=np.float64).tobytes()
        added = self._base.execute(
            "INSERT OR IGNORE INTO frame VALUES (?,?,?,?,?,?,?,?)", (*row, matrix)
        )
        if not added.rowcount:
            self._base.execute(
                "UPDATE instance SET verdict = ?, doubt = ? WHERE uid = ?",
                (Verdict.UNSURE, Doubt.COPIES, row[0]),
            )

    def done(self) -> FaceStore:
        """Check that every frame of what can be cut has its place, and close the file."""
        with closing(self._base) as base:
            base.execute(
                "UPDATE instance SET verdict = ?, doubt = ? WHERE verdict = ? AND frames > "
                "(SELECT count(DISTINCT frame) FROM frame WHERE frame.uid = instance.uid)",
                (Verdict.UNSURE, Doubt.UNCOVERED, Verdict.DONE),
            )
            base.commit()
        _reader.cache_clear()
        return FaceStore(self._path)
