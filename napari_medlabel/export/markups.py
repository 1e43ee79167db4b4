"""Landmarks and measurements as Slicer Markups (.mrk.json), schema 1.0.3, in LPS or RAS mm."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.geometry.axes import flip_lps_ras
from napari_medlabel.io.landmarks.drawn import LONG_AXIS, SHORT_AXIS, axis_note
from napari_medlabel.io.landmarks.found import Frame
from napari_medlabel.io.landmarks.markups import OURS
from napari_medlabel.measure.lines import Value
from napari_medlabel.model.landmark_words import described
from napari_medlabel.model.landmarks import Landmark, LandmarkSet, definition_of
from napari_medlabel.model.measurements import Kind, Measurement, MeasurementSet

Document = dict[str, Any]
Values = Mapping[str, Sequence[Value]]

_SCHEMA: Final = (
    "https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/Markups/"
    "Resources/Schema/markups-schema-v1.0.3.json#"
)
_ORIENTATION: Final = [-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0]
_TYPES: Final[dict[Kind, str]] = {
    "line": "Line",
    "angle": "Angle",
    "curve": "Curve",
    "closed-curve": "ClosedCurve",
    "ellipse": "ClosedCurve",
    "box": "ClosedCurve",
    "plane": "Plane",
    "cuboid": "ROI",
}
_NOT_SLICERS: Final = ("ellipse", "box", "plane", "cuboid")
"""Kinds whose own points stand under our key: Slicer knows them otherwise, or not at all."""


def to_markups(
    marks: LandmarkSet,
    measured: MeasurementSet | None = None,
    *,
    values: Values | None = None,
    frame: Frame = "LPS",
    like: Any = None,
) -> Document:
    """Return a Slicer Markups document.

    Parameters
    ----------
    marks : LandmarkSet
        Become one point list. What is not placed has ``"positionStatus": "undefined"`` and no
        position; why, stands in its description.
    measured : MeasurementSet, optional
        Become a markup each; a bidirectional measurement two lines.
    values : mapping, optional
        For each measurement's name its numbers, as `napari_medlabel.measure.lines.values_of`
        returned them.
    frame : str
        The axes of the file's numbers.
    like : object, optional
        The document that this one goes back to: of its point list, its points and its markups
        of other kinds all is kept that is not said anew.
    """
    old = _markups_of(like)
    lists = [one for one in old if one.get("type") == "Fiducial"]
    written = [_point_list(marks, frame, lists)]
    for one in measured or ():
        written += _measured(one, (values or {}).get(one.name, ()), frame, old)
    known = {"Fiducial", *_TYPES.values()}
    written += [dict(one) for one in old if one.get("type") not in known]
    top = dict(like) if isinstance(like, Mapping) else {}
    return {**top, "@schema": _SCHEMA, "markups": written}


def measurements_to_markups(
    measured: MeasurementSet,
    values: Values | None = None,
    *,
    frame: Frame = "LPS",
    like: Any = None,
) -> Document:
    """Return a Markups document with measurements and no point list; see `to_markups`."""
    document = to_markups(LandmarkSet(), measured, values=values, frame=frame, like=like)
    document["markups"] = [one for one in document["markups"] if one["type"] != "Fiducial"]
    return document


def _markups_of(like: Any) -> list[Mapping[str, Any]]:
    if not isinstance(like, Mapping) or not isinstance(like.get("markups"), list):
        return []
    return [one for one in like["markups"] if isinstance(one, Mapping)]


def _point_list(
    marks: LandmarkSet, frame: Frame, lists: Sequence[Mapping[str, Any]]
) -> Document:
    first = lists[0] if lists else {}
    old_points: dict[str, Mapping[str, Any]] = {}
    for point in (p for one in lists for p in one.get("controlPoints", ())):
        old_points.setdefault(str(point.get("label", "")), point)
    return {
        "type": "Fiducial",
        "coordinateSystem": frame,
        "coordinateUnits": "mm",
        "locked": False,
        "fixedNumberOfControlPoints": False,
        "labelFormat": "%N-%d",
        **{key: value for key, value in first.items() if key not in _NEW},
        "lastUsedControlPointNumber": len(marks),
        "controlPoints": _with_own_ids(
            _landmark(mark, number, frame, old_points.get(mark.name, {}))
            for number, mark in enumerate(marks, 1)
        ),
        "measurements": first.get("measurements", []),
    }


_NEW: Final = (
    "type",
    "coordinateSystem",
    "coordinateUnits",
    "controlPoints",
    "lastUsedControlPointNumber",
    "measurements",
)


def _landmark(mark: Landmark, number: int, frame: Frame, old: Mapping[str, Any]) -> Document:
    point = _control_point(number, mark.name, old)
    point |= {
        "description": described(mark),
        "locked": mark.locked,
        "positionStatus": "defined" if mark.is_placed else "undefined",
    }
    if mark.point_ras is not None:
        point["position"] = _place(mark.point_ras, frame)
    told = {key: value for key, value in definition_of(mark).items() if key != "description"}
    if told:
        point[OURS] = told
    return point


def _control_point(number: int, label: str, old: Mapping[str, Any]) -> Document:
    kept = {key: value for key, value in old.items() if key not in ("position", OURS)}
    return {
        "id": str(number),
        "label": label,
        "description": "",
        "associatedNodeID": "",
        "orientation": _ORIENTATION,
        "selected": True,
        "locked": False,
        "visibility": True,
        "positionStatus": "defined",
        **kept,
    }


def _measured(
    one: Measurement, values: Sequence[Value], frame: Frame, old: Sequence[Mapping[str, Any]]
) -> list[Document]:
    if one.kind != "bidirectional":
        note = axis_note(one.name, pair=False) if one.kind == "line" else {}
        return [_markup(one, values, frame, old, note)]
    ends = one.long_first.points_ras
    return [
        _markup(
            Measurement(one.name + axis, "line", points, one.description, locked=one.locked),
            [Value("length", v.value, v.unit) for v in values if f" ({v.name})" == axis],
            frame,
            old,
            axis_note(one.name + axis, pair=True),
        )
        for axis, points in ((LONG_AXIS, ends[:2]), (SHORT_AXIS, ends[2:]))
    ]


def _markup(
    one: Measurement,
    values: Sequence[Value],
    frame: Frame,
    old: Sequence[Mapping[str, Any]],
    note: Document,
) -> Document:
    kind = _TYPES[one.kind]
    same = [m for m in old if m.get("type") == kind and m.get("name") == one.name]
    # An axis and a line may have one name; what was noted beside them tells them apart.
    before = next((m for m in same if note and m.get(OURS) == note), same[0] if same else {})
    markup: Document = {
        "type": kind,
        "name": one.name,
        "coordinateSystem": frame,
        "coordinateUnits": "mm",
        "fixedNumberOfControlPoints": False,
        "labelFormat": "%N-%d",
        **{key: value for key, value in before.items() if key not in (*_NEW, OURS, "name")},
        "locked": one.locked,
        "controlPoints": _control_points(one, frame, before),
        "measurements": [_number(value) for value in values],
    }
    markup["lastUsedControlPointNumber"] = len(markup["controlPoints"])
    if one.description or "description" in before:
        markup["description"] = one.description
    if one.kind in ("plane", "cuboid"):
        markup |= _frame_keys(one, frame)
    if note:
        markup[OURS] = note
    if one.kind in _NOT_SLICERS:
        markup[OURS] = {
            "kind": one.kind,
            "points": [_place(point, frame) for point in one.points_ras],
        }
    return markup


def _control_points(
    one: Measurement, frame: Frame, before: Mapping[str, Any]
) -> list[Document]:
    points = one.array[:1] if one.kind in ("plane", "cuboid") else one.outline_ras()
    old = list(before.get("controlPoints", ()))
    same = old if len(old) == len(points) else [{}] * len(points)
    return _with_own_ids(
        {
            **_control_point(number, str(number), kept),
            "positionStatus": "defined",
            "position": _place(point, frame),
        }
        for number, (point, kept) in enumerate(zip(points, same, strict=True), 1)
    )


def _with_own_ids(points: Iterable[Document]) -> list[Document]:
    """Return control points, each with an id of its own: the first keeps a shared one."""
    listed = list(points)
    known = {str(point["id"]) for point in listed}
    free = (str(n) for n in itertools.count(1) if str(n) not in known)
    given: set[str] = set()
    for point in listed:
        if str(point["id"]) in given:
            point["id"] = next(free)
        given.add(str(point["id"]))
    return listed


def _frame_keys(one: Measurement, frame: Frame) -> Document:
    """Return centre, orientation and size: how Slicer says where a plane or a region lies."""
    half = one.array[1:] - one.array[0]
    length = np.linalg.norm(half, axis=1)
    axes = half / length[:, None]
    size = [*(2.0 * length).tolist()]
    if one.kind == "plane":
        normal = np.cross(axes[0], axes[1])
        axes = np.vstack([axes, normal / np.linalg.norm(normal)])
        size.append(0.0)
    turned = flip_lps_ras(axes) if frame == "LPS" else axes
    keys: Document = {
        "center": _place(one.points_ras[0], frame),
        "orientation": turned.T.ravel().tolist(),
        "size": size,
    }
    if one.kind == "plane":
        keys |= {
            "planeType": "pointNormal",
            "sizeMode": "absolute",
            "normal": turned[2].tolist(),
        }
    else:
        keys |= {"roiType": "Box", "insideOut": False}
    return keys


def _number(value: Value) -> Document:
    return {
        "name": value.name,
        "enabled": True,
        "value": value.value,
        "units": value.unit,
        "printFormat": "%-#4.4g%s",
    }


def _place(point_ras: npt.ArrayLike, frame: Frame) -> list[float]:
    array = np.asarray(point_ras, dtype=np.float64)
    return [float(v) for v in (flip_lps_ras(array) if frame == "LPS" else array)]
