"""Many cases in one table: volumes, landmarks, boxes and answers, units in the headers."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from napari_medlabel.errors import InputError
from napari_medlabel.export.landmark_tables import quoted
from napari_medlabel.export.naming import require_token
from napari_medlabel.export.read_back import require_new
from napari_medlabel.io.files import write_bytes_aside
from napari_medlabel.measure.labels import volumes_ml
from napari_medlabel.model.boxes import BoxSet
from napari_medlabel.model.labelmap import Code, LabelMap
from napari_medlabel.model.landmarks import LandmarkSet
from napari_medlabel.model.volume import Slices

Record = dict[str, Any]
_NO_LANDMARKS: Final = LandmarkSet()
_NO_BOXES: Final = BoxSet()


@dataclass(frozen=True, eq=False)
class TableCase:
    """One case of a table.

    Parameters
    ----------
    name : str
        Letters, digits, dash and underscore; never a patient's name.
    layers : tuple of LabelMap
        Its masks; may be empty.
    landmarks : LandmarkSet
        Its landmarks, in RAS mm.
    slices : str
        The scan's: where they are ``"pictures"`` there are no volumes in ml.
    further : mapping of str to str
        Further columns, for instance ``{"rater": "r01", "version": "2"}``; the same keys for
        all cases.
    boxes : BoxSet
        Its boxes, on the grid of its masks.
    answers : tuple of (str, str, object)
        Its answers: question, place (``k12``, a label's id, or empty), answer.
    """

    name: str
    layers: tuple[LabelMap, ...] = ()
    landmarks: LandmarkSet = _NO_LANDMARKS
    slices: Slices = "places"
    further: Mapping[str, str] = field(default_factory=dict)
    boxes: BoxSet = _NO_BOXES
    answers: tuple[tuple[str, str, object], ...] = ()


def volume_records(cases: Iterable[TableCase]) -> list[Record]:
    """Return a record for each case and label, also for labels that no voxel has.

    Parameters
    ----------
    cases : iterable of TableCase
        Taken one after the other.

    Raises
    ------
    InputError
        When a case's name is no token, or a column of its own has the name of another.
    """
    records: list[Record] = []
    for case in cases:
        head = _head(case)
        for layer in case.layers:
            counts = layer.voxel_counts()
            volumes = volumes_ml(counts, layer.grid) if case.slices == "places" else {}
            for label in layer.scheme.with_unnamed(counts).labels:
                voxels = counts.get(label.value, 0)
                nothing = 0.0 if case.slices == "places" else None
                records.append(
                    head
                    | {
                        "value": label.value,
                        "name": label.name,
                        "code": _code(label.code),
                        "voxels": voxels,
                        "volume (ml)": volumes.get(label.value) if voxels else nothing,
                    }
                )
    return records


def landmark_records(cases: Iterable[TableCase]) -> list[Record]:
    """Return a record for each case and landmark, placed or not.

    Parameters
    ----------
    cases : iterable of TableCase
        Taken one after the other.

    Raises
    ------
    InputError
        As `volume_records`.
    """
    records: list[Record] = []
    for case in cases:
        head = _head(case)
        for mark in case.landmarks:
            x, y, z = (None, None, None) if mark.point_ras is None else mark.point_ras
            records.append(
                head
                | {
                    "landmark": mark.name,
                    "code": _code(mark.code),
                    "x (mm RAS)": x,
                    "y (mm RAS)": y,
                    "z (mm RAS)": z,
                    "state": mark.state,
                    "uncertainty (mm)": mark.uncertain_mm,
                    "reason": mark.absent or None,
                }
            )
    return records


def box_records(cases: Iterable[TableCase]) -> list[Record]:
    """Return a record for each case and box: voxels, the last one inside, and mm.

    Parameters
    ----------
    cases : iterable of TableCase
        Taken one after the other; those with boxes have a mask.

    Raises
    ------
    InputError
        As `volume_records`.
    """
    records: list[Record] = []
    for case in cases:
        head = _head(case)
        for box in case.boxes:
            grid = case.layers[0].grid
            row = head | {"box": box.id, "kind": box.kind, "value": box.value or None}
            for axis, first, after in zip("ijk", box.start, box.stop, strict=True):
                row |= {f"first {axis}": first, f"last {axis}": after - 1}
            is_place = case.slices == "places"
            sizes = box.size_mm(grid) if is_place else (None,) * 3
            centre = box.centre_ras(grid) if is_place else (None,) * 3
            row |= {f"{axis} (mm)": mm for axis, mm in zip("ijk", sizes, strict=True)}
            row |= {f"{axis} (mm RAS)": mm for axis, mm in zip("xyz", centre, strict=True)}
            row["volume (ml)"] = box.volume_mm3(grid) / 1000.0 if is_place else None
            records.append(row)
    return records


def answer_records(cases: Iterable[TableCase]) -> list[Record]:
    """Return a record for each case and answer; of several choices with spaces between them.

    Parameters
    ----------
    cases : iterable of TableCase
        Taken one after the other.

    Raises
    ------
    InputError
        As `volume_records`.
    """
    return [
        _head(case) | {"question": question, "place": place or None, "answer": _answer(given)}
        for case in cases
        for question, place, given in case.answers
    ]


def _answer(given: object) -> object:
    """Return an answer as a cell: ``yes`` or ``no``, ids of choices, a number."""
    if isinstance(given, bool):
        return "yes" if given else "no"
    return " ".join(map(str, given)) if isinstance(given, list | tuple) else given


def save_records(path: Path, records: list[Record]) -> None:
    """Write records as CSV, where no spreadsheet runs a cell; nothing is overwritten.

    Parameters
    ----------
    path : Path
        A ``.csv`` file that does not exist.
    records : list of dict
        All with the same keys.

    Raises
    ------
    InputError
        When there are none, their keys differ, or the name ends otherwise.
    SaveError
        When the file exists or cannot be written.
    """
    if path.suffix.lower() != ".csv":
        raise InputError("A table is a .csv file.", hint="For example: volumes.csv")
    if not records or any(list(one) != list(records[0]) for one in records):
        raise InputError(
            "A table has rows, all with the same columns.",
            hint="Give every case the same further columns.",
        )
    require_new(path)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([_cell(key) for key in records[0]])
    writer.writerows([_cell(value) for value in one.values()] for one in records)
    write_bytes_aside(path, out.getvalue().encode())


_OWN: Final = frozenset(
    {"case", "value", "name", "landmark", "code", "state", "reason", "box", "kind"}
    | {"question", "place", "answer"}
)


def _head(case: TableCase) -> Record:
    require_token(case.name, "case")
    if _OWN & set(case.further):
        raise InputError(
            "A further column has the name of one of the table's own.",
            hint=f"Choose another than: {', '.join(sorted(_OWN))}.",
        )
    return {"case": case.name, **case.further}


def _code(code: Code | None) -> str | None:
    return None if code is None else f"{code.scheme}:{code.value}"


def _cell(value: Any) -> str:
    """Return a cell: numbers with all their digits, words that no spreadsheet runs."""
    if value is None:
        return ""
    return quoted(value) if isinstance(value, str) else repr(value)
