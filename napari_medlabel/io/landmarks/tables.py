"""Tables of landmarks: Slicer's CSV and TSV (l, p, s or r, a, s), BIDS-like TSV (x, y, z)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from napari_medlabel.errors import InputError
from napari_medlabel.io.landmarks.found import (
    Frame,
    Notes,
    OwnNames,
    Reading,
    flag,
    note_origins,
    to_ras,
    unknown_frame,
)
from napari_medlabel.model.landmark_words import understood
from napari_medlabel.model.landmarks import ABSENCES, PLANES, Landmark, LandmarkSet
from napari_medlabel.model.measurements import MeasurementSet

_NOTHING: Final = ("", "n/a", "N/A", "NA", "nan", "NaN")
_SYSTEMS: Final[dict[str, Frame]] = {
    "scanras": "RAS",
    "ras": "RAS",
    "ras+": "RAS",
    "lps": "LPS",
    "scanlps": "LPS",
}
_SAME_MM: Final = 1e-3
_TO_MM: Final = {"mm": 1.0, "cm": 10.0, "m": 1000.0}


def read_table(
    text: str, *, frame: Frame | None = None, sidecar: Mapping[str, Any] | None = None
) -> Reading:
    """Read a table with one landmark in each row.

    Parameters
    ----------
    text : str
        The file; cells are parted by tabs, commas or semicolons.
    frame : str or None
        ``"LPS"`` or ``"RAS"`` for columns x, y, z; columns l, p, s or r, a, s say it.
    sidecar : mapping, optional
        A BIDS sidecar (``*.json`` beside the table) with ``...CoordinateSystem`` and
        ``...CoordinateUnits``.

    Returns
    -------
    Reading
        In RAS mm.

    Raises
    ------
    InputError
        When columns are missing or there twice, a number is not one, nothing says the axes or
        two sets of columns contradict each other, or the units are not mm, cm or m.
    """
    notes = Notes()
    rows = csv.DictReader(io.StringIO(text), delimiter=_delimiter(text))
    try:
        said = [str(name) for name in rows.fieldnames or ()]
    except csv.Error:
        said = []  # binary, or one endless line: no table, as is said below
    columns = {name.strip().lower(): name for name in said}
    if len(columns) < sum(bool(name.strip()) for name in said):
        raise InputError(
            "A table of landmarks has each column once; a name stands twice in the first line.",
            hint="Rename or delete one of the two columns.",
        )
    label = next((columns[key] for key in ("label", "name") if key in columns), None)
    axes, own, scale = _axes(columns, frame, sidecar, notes)
    if label is None or axes is None:
        raise InputError(
            "A table of landmarks has the columns label and l, p, s (or r, a, s).",
            hint="See docs/reference/files.md for an example.",
        )
    try:
        cells = [{key: row.get(name) for key, name in columns.items()} for row in rows]
        names = OwnNames(notes, (_name(row) for row in cells))
        marks = tuple(_mark(row, axes, own, scale, names) for row in cells)
        _refuse_two_places(cells, columns)
    except (ValueError, TypeError, csv.Error) as err:
        raise InputError(
            "A position in the table of landmarks is not a number.",
            hint="Positions are in mm with a point as decimal mark.",
        ) from err
    note_origins(marks, notes)
    return Reading("table", own, LandmarkSet(marks), MeasurementSet(), notes.all())


def _delimiter(text: str) -> str:
    first = text.partition("\n")[0]
    return max(("\t", ",", ";"), key=first.count)


def _axes(
    columns: Mapping[str, str],
    frame: Frame | None,
    sidecar: Mapping[str, Any] | None,
    notes: Notes,
) -> tuple[tuple[str, str, str] | None, Frame, float]:
    if {"l", "p", "s"} <= set(columns):
        return ("l", "p", "s"), "LPS", 1.0
    if {"r", "a", "s"} <= set(columns):
        return ("r", "a", "s"), "RAS", 1.0
    if not {"x", "y", "z"} <= set(columns):
        return None, "RAS", 1.0
    said, scale = _from_sidecar(sidecar, notes)
    own = said or frame
    if own is None:
        raise unknown_frame()
    return ("x", "y", "z"), own, scale


def _from_sidecar(
    sidecar: Mapping[str, Any] | None, notes: Notes
) -> tuple[Frame | None, float]:
    if sidecar is None:
        return None, 1.0
    told = {str(key): str(value).strip() for key, value in sidecar.items()}
    system = next((v for k, v in told.items() if k.endswith("CoordinateSystem")), None)
    unit = next((v for k, v in told.items() if k.endswith("CoordinateUnits")), None)
    if unit is None:
        notes.add("The sidecar names no unit; read as mm.")
    scale = _TO_MM.get(unit or "mm")
    if scale is None:
        raise InputError(
            "Landmarks are in millimetres; the sidecar names other units than mm, cm or m.",
            hint="Give the positions in mm.",
        )
    return (None if system is None else _SYSTEMS.get(system.lower())), scale


def _mark(
    row: Mapping[str, Any],
    axes: tuple[str, str, str],
    frame: Frame,
    scale: float,
    names: OwnNames,
) -> Landmark:
    name = names.own(_name(row), "Point")
    status = str(row.get("status") or "").strip().lower()
    point = None
    cells = [row.get(axis) for axis in axes]
    is_defined = flag(row, "defined", default=status not in ("unplaced", "absent"))
    is_blank = all(cell is None or str(cell).strip() in _NOTHING for cell in cells)
    if is_defined and not (is_blank and not str(row.get("defined") or "").strip()):
        numbers = to_ras(cells, frame)
        point = (numbers[0] * scale, numbers[1] * scale, numbers[2] * scale)
    mark = Landmark(name, point, locked=flag(row, "locked", default=False))
    text = _plain(row.get("description"))
    mark = understood(mark, "" if text in _NOTHING else text)
    return _with_columns(mark, row)


def _name(row: Mapping[str, Any]) -> str:
    return _plain(row.get("label") or row.get("name"))


def _refuse_two_places(rows: Iterable[Mapping[str, Any]], columns: Mapping[str, str]) -> None:
    """Refuse positions in l, p, s and in r, a, s that are not the same."""
    if not {"l", "p", "s", "r", "a"} <= set(columns):
        return
    for row in rows:
        left, back, right, front = (str(row.get(axis) or "").strip() for axis in "lpra")
        if any(cell in _NOTHING for cell in (left, back, right, front)):
            continue
        if abs(float(left) + float(right)) + abs(float(back) + float(front)) > _SAME_MM:
            raise InputError(
                "The columns l, p, s and r, a, s of the table say different places.",
                hint="Delete those that are wrong.",
            )


def _with_columns(mark: Landmark, row: Mapping[str, Any]) -> Landmark:
    """Return the landmark with what the BIDS-like columns say of it."""
    radius, reason = str(row.get("uncertainty_mm") or ""), str(row.get("reason") or "")
    seen = tuple(str(row.get("inspected") or "").split())
    if mark.is_placed and radius.strip() not in _NOTHING:
        mark = replace(mark, uncertain_mm=float(radius))
    absent = next((a for a in ABSENCES if a == reason.strip()), None)
    if absent is not None and not mark.is_placed:
        mark = replace(mark, absent=absent)
    planes = tuple(p for p in PLANES if p in seen)
    if mark.is_placed and planes:
        mark = replace(mark, inspected=planes)
    return mark


def _plain(cell: Any) -> str:
    """Return a cell without the apostrophe that keeps a spreadsheet from running it."""
    text = "" if cell is None else str(cell)
    return text[1:] if text.startswith("'") else text
