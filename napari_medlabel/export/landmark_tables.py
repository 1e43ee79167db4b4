"""Landmarks and measurements as tables: Slicer's CSV, BIDS-like TSV, .fcsv, and MITK .mps."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from napari_medlabel.geometry.axes import flip_lps_ras
from napari_medlabel.io.landmarks.found import Frame
from napari_medlabel.measure.lines import FROM_VOXELS, Value
from napari_medlabel.model.landmark_words import described
from napari_medlabel.model.landmarks import LandmarkSet, Point
from napari_medlabel.model.measurements import MeasurementSet

_FLAGS: Final = ("defined", "selected", "visible", "locked", "description")
_FCSV: Final = "id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,desc,associatedNodeID"
_BIDS: Final = {
    "name": "Name of the landmark",
    "x": "Position along the patient's right in mm",
    "y": "Position along the patient's front in mm",
    "z": "Position along the patient's head in mm",
    "status": "placed, uncertain, absent or unplaced",
    "uncertainty_mm": "Radius within which an uncertain landmark lies",
    "reason": "Why an absent landmark has no position",
    "inspected": "Planes in which it was looked at when it was placed",
    "description": "Definition of the landmark",
    "locked": "1 where the landmark may not be moved, else 0",
}
_MEASURED: Final = ("name", "kind", "quantity", "value", "unit", "points_lps_mm", "description")
_VOLUME: Final = "scan_volume"
# A cell that a spreadsheet would run as a formula gets an apostrophe in front.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def to_csv(marks: LandmarkSet, *, frame: Frame = "LPS") -> str:
    """Return Slicer's own table form: label, l, p, s in mm, defined, ..., description.

    Parameters
    ----------
    marks : LandmarkSet
        What is not placed has ``defined`` 0 and no numbers.
    frame : str
        ``"LPS"`` for columns l, p, s; ``"RAS"`` for r, a, s.
    """
    rows: list[Sequence[object]] = [("label", *frame.lower(), *_FLAGS)]
    for mark in marks:
        place = _cells(mark.point_ras, frame)
        flags = (int(mark.is_placed), 1, 1, int(mark.locked))
        rows.append((quoted(mark.name), *place, *flags, quoted(described(mark))))
    return _table(rows, ",")


def to_bids_tsv(marks: LandmarkSet) -> str:
    """Return a table as BIDS writes them: tabs, ``n/a`` for nothing, x, y, z in RAS mm.

    Its sidecar, `bids_sidecar`, says the axes; without it the table cannot be read.
    """
    rows: list[Sequence[object]] = [tuple(_BIDS)]
    for mark in marks:
        radius = "" if mark.uncertain_mm is None else repr(mark.uncertain_mm)
        cells = (
            quoted(mark.name),
            *_cells(mark.point_ras, "RAS"),
            mark.state,
            radius,
            mark.absent,
            " ".join(mark.inspected),
            quoted(mark.description),
            str(int(mark.locked)),
        )
        rows.append(tuple(cell or "n/a" for cell in cells))
    return _table(rows, "\t")


def bids_sidecar() -> dict[str, Any]:
    """Return what stands in the ``*.json`` beside a BIDS-like table."""
    told: dict[str, Any] = {
        "LandmarkCoordinateSystem": "ScanRAS",
        "LandmarkCoordinateUnits": "mm",
    }
    return told | {key: {"Description": text} for key, text in _BIDS.items()}


def to_fcsv(marks: LandmarkSet, *, frame: Frame = "LPS") -> str:
    """Return a Slicer point list (.fcsv), version 4.11, for programs that read nothing newer.

    What is not placed is left out: the format has no word for it, and other programs would take
    any number for a place.
    """
    rows: list[Sequence[object]] = []
    for number, mark in enumerate(marks, 1):
        if mark.is_placed:
            # Readers take each of these for the end of a line: \r, \x0b, \x0c, U+2028, ...
            words = (" ".join(t.splitlines()) for t in (mark.name, described(mark)))
            place = _cells(mark.point_ras, frame)
            rows.append((number, *place, 0, 0, 0, 1, 1, 1, int(mark.locked), *words, ""))
    head = f"# Markups fiducial file version = 4.11\n# CoordinateSystem = {frame}\n"
    return f"{head}# columns = {_FCSV}\n{_table(rows, ',')}"


def to_mps(marks: LandmarkSet) -> str:
    """Return an MITK point set in LPS mm; a point's id is its number in the set, from 0.

    Names are not in it, and what is not placed is left out.
    """
    placed = [
        (n, [float(v) for v in flip_lps_ras(m.point_ras)])
        for n, m in enumerate(marks)
        if m.point_ras is not None
    ]
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        "<point_set_file>",
        "  <file_version>0.1</file_version>",
        "  <point_set>",
        "    <time_series>",
        "      <time_series_id>0</time_series_id>",
        *_geometry([place for _, place in placed]),
    ]
    for number, place in placed:
        x, y, z = (repr(v) for v in place)
        lines.append(
            f"      <point><id>{number}</id><specification>0</specification>"
            f"<x>{x}</x><y>{y}</y><z>{z}</z></point>"
        )
    lines += ["    </time_series>", "  </point_set>", "</point_set_file>", ""]
    return "\n".join(lines)


def _geometry(places: Sequence[Sequence[float]]) -> list[str]:
    """Return the geometry that MITK's reader asks for: identity, and bounds."""
    cells = " ".join(
        f'm_{row}_{column}="{int(row == column)}"' for row in range(3) for column in range(3)
    )
    ends = [(min(v), max(v)) for v in zip(*places, strict=True)] or [(0.0, 0.0)] * 3
    low, high = (
        " ".join(f'{axis}="{end[n]!r}"' for axis, end in zip("xyz", ends, strict=True))
        for n in (0, 1)
    )
    return [
        '      <Geometry3D ImageGeometry="false" FrameOfReferenceID="0">',
        f'        <IndexToWorld type="Matrix3x3" {cells}/>',
        '        <Offset type="Vector3D" x="0" y="0" z="0"/>',
        "        <Bounds>",
        f'          <Min type="Vector3D" {low}/>',
        f'          <Max type="Vector3D" {high}/>',
        "        </Bounds>",
        "      </Geometry3D>",
    ]


def measurements_to_csv(
    measured: MeasurementSet, values: Mapping[str, Sequence[Value]], *, volume: str = ""
) -> str:
    """Return a table with one row for each number of each measurement.

    Parameters
    ----------
    measured : MeasurementSet
        Their points stand in LPS mm: three numbers a point, points parted by semicolons.
    values : mapping
        For each name its numbers.
    volume : str
        Of a scan of several volumes the one whose voxels were measured, as ``"5 of 12"``: it
        stands in a column of its own beside the numbers of voxels.
    """
    rows: list[Sequence[object]] = [(*_MEASURED, _VOLUME) if volume else _MEASURED]
    for one in measured:
        points = "; ".join(
            " ".join(_cells(point, "LPS")) for point in one.long_first.points_ras
        )
        rows += [
            (
                quoted(one.name),
                one.kind,
                value.name,
                repr(value.value),
                value.unit,
                quoted(points),
                quoted(one.description),
                *([volume if value.name in FROM_VOXELS else ""] if volume else ()),
            )
            for value in values.get(one.name, ())
        ]
    return _table(rows, ",")


def sidecar_bytes() -> bytes:
    """Return `bids_sidecar` as it is written."""
    return (json.dumps(bids_sidecar(), indent=2) + "\n").encode()


def quoted(cell: str) -> str:
    """Return a cell that no spreadsheet runs: with an apostrophe where it looks like one."""
    return f"'{cell}" if cell.startswith((*_FORMULA, "'")) else cell


def _cells(point_ras: Point | None, frame: Frame) -> tuple[str, str, str]:
    if point_ras is None:
        return "", "", ""
    place = flip_lps_ras(point_ras) if frame == "LPS" else point_ras
    x, y, z = (repr(float(v)) for v in place)
    return x, y, z


def _table(rows: Sequence[Sequence[object]], delimiter: str) -> str:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    for row in rows:
        # A bare \r is not quoted by this writer, and ends the line for who reads it.
        writer.writerow(
            [
                c.replace("\r\n", "\n").replace("\r", "\n") if isinstance(c, str) else c
                for c in row
            ]
        )
    return out.getvalue()
