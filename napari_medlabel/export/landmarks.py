"""Landmarks as Slicer Markups (.mrk.json, LPS mm) and as CSV; both load again exactly."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from pathlib import Path
from typing import Any, Final

from napari_medlabel.errors import InputError
from napari_medlabel.geometry.axes import flip_lps_ras
from napari_medlabel.io.files import Staging
from napari_medlabel.model.landmarks import Landmark, LandmarkSet, Point

_SCHEMA: Final = (
    "https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/Markups/"
    "Resources/Schema/markups-schema-v1.0.3.json#"
)
_ORIENTATION: Final = [-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0]
_COLUMNS: Final = (
    "label",
    "l",
    "p",
    "s",
    "defined",
    "selected",
    "visible",
    "locked",
    "description",
)
# A cell that a spreadsheet would run as a formula gets an apostrophe in front.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def save_landmarks(path: Path, marks: LandmarkSet) -> None:
    """Write landmarks as ``*.mrk.json`` or ``*.csv``, whole or not at all.

    Parameters
    ----------
    path : Path
        Its suffix says the format.
    marks : LandmarkSet
        Landmarks without a position are written as not defined.

    Raises
    ------
    SaveError
        When it cannot be written.
    InputError
        When the suffix is another one.
    """
    with Staging() as staging:
        stage_landmarks(staging, path, marks)
        staging.publish()


def stage_landmarks(staging: Staging, path: Path, marks: LandmarkSet) -> str:
    """Write landmarks aside and return the hex SHA-256 of the file; see `save_landmarks`."""
    data = encode_landmarks(path, marks)
    staging.add_bytes(path, data)
    return hashlib.sha256(data).hexdigest()


def encode_landmarks(path: Path, marks: LandmarkSet) -> bytes:
    """Return what is written into a file of this name; see `save_landmarks`."""
    if path.name.lower().endswith(".json"):
        document = to_markups(marks)
        text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    elif path.suffix.lower() == ".csv":
        text = to_csv(marks)
    else:
        raise _unknown_suffix()
    return text.encode()


def load_landmarks(path: Path) -> LandmarkSet:
    """Read landmarks from ``*.mrk.json`` or ``*.csv``, LPS or RAS as the file says.

    Raises
    ------
    InputError
        When the file cannot be read as one of these.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as err:
        raise InputError(
            "The landmarks file cannot be read.", hint="Choose a .mrk.json or .csv file."
        ) from err
    if path.name.lower().endswith(".json"):
        return _from_markups_text(text)
    if path.suffix.lower() == ".csv":
        return from_csv(text)
    raise _unknown_suffix()


def _unknown_suffix() -> InputError:
    return InputError(
        "Landmarks are .mrk.json (Slicer Markups) or .csv; the name given ends otherwise.",
        hint="For example: landmarks.mrk.json",
    )


def to_markups(marks: LandmarkSet) -> dict[str, Any]:
    """Return a Slicer Markups document, schema 1.0.3: one point list in LPS mm."""
    points = []
    for number, mark in enumerate(marks, 1):
        point: dict[str, Any] = {
            "id": str(number),
            "label": mark.name,
            "description": mark.description,
            "associatedNodeID": "",
            "orientation": _ORIENTATION,
            "selected": True,
            "locked": False,
            "visibility": True,
            "positionStatus": "defined" if mark.is_placed else "undefined",
        }
        if mark.point_ras is not None:
            point["position"] = [float(v) for v in flip_lps_ras(mark.point_ras)]
        points.append(point)
    return {
        "@schema": _SCHEMA,
        "markups": [
            {
                "type": "Fiducial",
                "coordinateSystem": "LPS",
                "coordinateUnits": "mm",
                "locked": False,
                "fixedNumberOfControlPoints": False,
                "labelFormat": "%N-%d",
                "lastUsedControlPointNumber": len(marks),
                "controlPoints": points,
                "measurements": [],
            }
        ],
    }


def from_markups(data: Any) -> LandmarkSet:
    """Build landmarks from a Slicer Markups document.

    Raises
    ------
    InputError
        When it is not one, or its units are not mm.
    """
    try:
        lists = [m for m in data["markups"] if m["type"] == "Fiducial"]
        marks = tuple(_landmark(point, m) for m in lists for point in m["controlPoints"])
    except (KeyError, TypeError, ValueError, IndexError) as err:
        raise InputError(
            "This is not a Slicer Markups file: expected a list 'markups' with control points.",
            hint="Save the point list again in 3D Slicer as .mrk.json.",
        ) from err
    if not lists:
        raise InputError(
            "The Markups file holds no point list.",
            hint="Lines, curves and planes are not landmarks; save a point list.",
        )
    return LandmarkSet(marks)


def _landmark(point: dict[str, Any], markup: dict[str, Any]) -> Landmark:
    if markup.get("coordinateUnits", "mm") != "mm":
        raise InputError(
            "Landmarks are in millimetres; the file has other units.",
            hint="Set the units to mm in 3D Slicer and save again.",
        )
    system = markup.get("coordinateSystem", "LPS")
    # A file without a status is an old one in which every point is meant.
    status = point.get("positionStatus", "defined")
    position: Point | None = None
    if status == "defined":
        position = _point(point["position"], system)
    return Landmark(str(point["label"]), position, str(point.get("description", "")))


def _point(values: Any, system: str) -> Point:
    if system not in ("LPS", "RAS", "0", "1"):
        raise InputError(
            "Landmarks are in LPS or RAS; the file names another coordinate system.",
            hint="Save the point list again in 3D Slicer.",
        )
    x, y, z = (float(v) for v in values)
    if system in ("LPS", "1"):
        x, y, z = (float(v) for v in flip_lps_ras((x, y, z)))
    return x, y, z


def _from_markups_text(text: str) -> LandmarkSet:
    try:
        data = json.loads(text)
    except ValueError as err:
        raise InputError(
            "The landmarks file is not valid JSON.",
            hint="Save the point list again in 3D Slicer as .mrk.json.",
        ) from err
    return from_markups(data)


def to_csv(marks: LandmarkSet) -> str:
    """Return Slicer's own table form: label, l, p, s in mm, defined, ..., description."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for mark in marks:
        lps = ("", "", "")
        if mark.point_ras is not None:
            x, y, z = (repr(float(v)) for v in flip_lps_ras(mark.point_ras))
            lps = (x, y, z)
        defined = int(mark.is_placed)
        writer.writerow((_quote(mark.name), *lps, defined, 1, 1, 0, _quote(mark.description)))
    return out.getvalue()


def from_csv(text: str) -> LandmarkSet:
    """Build landmarks from Slicer's table form with columns l, p, s or r, a, s.

    Raises
    ------
    InputError
        When columns are missing or a number is not one.
    """
    rows = csv.DictReader(io.StringIO(text))
    columns = set(rows.fieldnames or ())
    system = "LPS" if {"l", "p", "s"} <= columns else "RAS"
    axes = ("l", "p", "s") if system == "LPS" else ("r", "a", "s")
    if not {"label", *axes} <= columns:
        raise InputError(
            "A table of landmarks has the columns label and l, p, s (or r, a, s).",
            hint="See docs/reference/files.md for an example.",
        )
    try:
        return LandmarkSet(tuple(_row(row, axes, system) for row in rows))
    except (ValueError, TypeError) as err:
        raise InputError(
            "A position in the table of landmarks is not a number.",
            hint="Positions are in mm with a point as decimal mark.",
        ) from err


def _row(row: dict[str, str], axes: tuple[str, ...], system: str) -> Landmark:
    point = None
    if row.get("defined", "1") not in ("0", "False", "false"):
        point = _point([row[axis] for axis in axes], system)
    return Landmark(_unquote(row["label"]), point, _unquote(row.get("description") or ""))


def _quote(cell: str) -> str:
    return f"'{cell}" if cell.startswith((*_FORMULA, "'")) else cell


def _unquote(cell: str) -> str:
    return cell[1:] if cell.startswith("'") else cell
