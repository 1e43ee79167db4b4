"""Slicer's .fcsv point lists, from Slicer 3 (without a version) to 5."""

from __future__ import annotations

import csv
import io
import re
from typing import Final

from napari_medlabel.errors import InputError
from napari_medlabel.io.landmarks.found import (
    Frame,
    Notes,
    OwnNames,
    Reading,
    flag,
    frame_of,
    note_origins,
    to_ras,
)
from napari_medlabel.model.landmark_words import understood
from napari_medlabel.model.landmarks import Landmark, LandmarkSet
from napari_medlabel.model.measurements import MeasurementSet

_HEADER: Final = re.compile(
    r"#\s*(version|markups fiducial file version|coordinatesystem|"
    r"columns)\s*=\s*(.*)",
    re.IGNORECASE,
)
_POINT: Final = re.compile(
    r"\s*#[^,]*(,\s*[-+]?\d*\.?\d+(e[-+]?\d+)?\s*){3}(,|$)", re.IGNORECASE
)
_COLUMNS: Final = (
    "id",
    "x",
    "y",
    "z",
    "ow",
    "ox",
    "oy",
    "oz",
    "vis",
    "sel",
    "lock",
    "label",
    "desc",
    "associatedNodeID",
)
_SLICER_3: Final = ("label", "x", "y", "z", "sel", "vis")
_STATUS_AT: Final = 14
"""Slicer 5 writes two more cells than it names; the first is the status, 2 for defined."""


def read_fcsv(text: str, *, frame: Frame | None = None) -> Reading:
    """Read a point list.

    Parameters
    ----------
    text : str
        The file.
    frame : str or None
        ``"LPS"`` or ``"RAS"``, used where the file does not say it; RAS when None, as in Slicer
        before it wrote the line.

    Returns
    -------
    Reading
        Its notes say what was assumed.

    Raises
    ------
    InputError
        When it is not such a file, is empty, or names another coordinate system.

    Notes
    -----
    Form: Slicer, Modules/Loadable/Markups/MRML/vtkMRMLMarkupsFiducialStorageNode.cxx.
    """
    notes = Notes()
    head, lines = _split(text, notes)
    if not head and not any(line.strip() for line in lines):
        raise InputError(
            "This is not a Slicer point list: the file holds nothing.",
            hint="Choose another file.",
        )
    said = head.get("coordinatesystem")
    own = frame_of(said) if said is not None else (frame or "RAS")
    if said is None and frame is None:
        notes.add(
            "The file does not say its coordinate system; read as RAS, as older Slicer "
            "meant it."
        )
    has_version = "version" in head
    if not has_version:
        notes.add("The file names no version; read in the form of Slicer 3.")
    columns = _columns(head.get("columns"), has_version=has_version)
    try:
        rows = [cells for cells in csv.reader(io.StringIO("\n".join(lines))) if cells]
        names = OwnNames(notes, (_label(cells, columns) for cells in rows))
        marks = tuple(_mark(cells, columns, own, names, notes) for cells in rows)
    except (ValueError, TypeError, KeyError, csv.Error) as err:
        raise InputError(
            "This is not a Slicer point list: a line has no position of three numbers.",
            hint="Save the point list again in 3D Slicer, best as .mrk.json.",
        ) from err
    note_origins(marks, notes)
    return Reading("fcsv", own, LandmarkSet(marks), MeasurementSet(), notes.all())


def _split(text: str, notes: Notes) -> tuple[dict[str, str], list[str]]:
    head: dict[str, str] = {}
    lines = []
    # Other signs that Python takes for ends of lines stand in other programs' descriptions.
    for line in re.split(r"\r\n|\r|\n", text):
        if not line.lstrip().startswith("#"):
            lines.append(line)
        elif (found := _HEADER.match(line.strip())) is not None:
            key = found[1].lower()
            head["version" if key.endswith("version") else key] = found[2].strip()
        elif _POINT.match(line) is not None:
            notes.add(
                "{} left out: a line that begins with # is a comment, but has a position."
            )
    return head, lines


def _columns(said: str | None, *, has_version: bool) -> tuple[str, ...]:
    if said:
        columns = tuple(cell.strip().strip(")") for cell in said.split(","))
        if {"x", "y", "z"} <= set(columns):
            return columns
    return _COLUMNS if has_version else _SLICER_3


def _label(cells: list[str], columns: tuple[str, ...]) -> str:
    return dict(zip(columns, cells, strict=False)).get("label", "").strip()


def _mark(
    cells: list[str], columns: tuple[str, ...], frame: Frame, names: OwnNames, notes: Notes
) -> Landmark:
    row = dict(zip(columns, cells, strict=False))
    name = names.own(_label(cells, columns), row.get("id", "").strip() or "Point")
    more = cells[_STATUS_AT] if len(cells) > _STATUS_AT and columns == _COLUMNS else "2"
    point = None
    if more.strip() in ("0", "1", "3"):
        notes.add("{} not placed: the file marks the position as not defined.")
    else:
        point = to_ras((row["x"], row["y"], row["z"]), frame)
    mark = Landmark(name, point, locked=flag(row, "lock", default=False))
    return understood(mark, row.get("desc", "").strip())
