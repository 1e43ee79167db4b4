"""Slicer Markups (.mrk.json), schema 1.0.0 to 1.0.3: point lists, and what was measured."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from napari_medlabel.errors import InputError
from napari_medlabel.io.landmarks.drawn import measurement_of, pairs_joined
from napari_medlabel.io.landmarks.found import (
    Frame,
    Notes,
    OwnNames,
    Reading,
    frame_of,
    note_origins,
    to_ras,
)
from napari_medlabel.model.landmark_words import understood
from napari_medlabel.model.landmarks import Landmark, LandmarkSet, defined_landmark
from napari_medlabel.model.measurements import Measurement, MeasurementSet

OURS: Final = "medlabel"
"""The key of a point or a markup under which stands what Slicer has no place for. Its schema
allows further keys; Slicer drops them when it saves."""

_VERSION: Final = re.compile(r"v(\d+)\.(\d+)\.(\d+)")


def parse_json(text: str) -> Any:
    """Return a JSON document.

    Raises
    ------
    InputError
        When it is none.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as err:
        raise InputError(
            "The landmarks file is not valid JSON.",
            hint="Save the point list again in 3D Slicer as .mrk.json.",
        ) from err


def read_markups(document: Any) -> Reading:
    """Read a Markups document.

    Parameters
    ----------
    document : object
        As `parse_json` returned it.

    Returns
    -------
    Reading
        All point lists as one, in RAS mm, and lines, angles, curves, planes and regions.

    Raises
    ------
    InputError
        When it is not such a document, its units are not mm, or its axes neither LPS nor RAS.
    """
    notes = Notes()
    try:
        markups: list[Mapping[str, Any]] = list(document["markups"])
        _note_version(document, notes)
        names = OwnNames(
            notes,
            (
                str(point.get("label") or "")
                for markup in markups
                if markup["type"] == "Fiducial"
                for point in markup["controlPoints"]
            ),
        )
        marks: list[Landmark] = []
        drawn: list[tuple[Measurement, Mapping[str, Any]]] = []
        frames: list[Frame] = []
        for markup in markups:
            frame = _frame(markup, notes)
            if markup["type"] == "Fiducial":
                frames.insert(0, frame)
                marks += [
                    _landmark(point, frame, names, notes) for point in markup["controlPoints"]
                ]
            else:
                frames.append(frame)
                one = measurement_of(markup, frame, _told(markup), notes)
                drawn += [] if one is None else [(one, _told(markup))]
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as err:
        raise InputError(
            "This is not a Slicer Markups file: expected a list 'markups' with control points.",
            hint="Save the point list again in 3D Slicer as .mrk.json.",
        ) from err
    lists = sum(markup["type"] == "Fiducial" for markup in markups)
    if lists > 1:
        notes.add(f"The file holds {lists} point lists; they are read as one.")
    note_origins(marks, notes)
    whole = pairs_joined([one for one, _ in drawn], [told for _, told in drawn])
    own = OwnNames(notes, (one.name for one in whole))
    measured = tuple(replace(one, name=own.own(one.name, "Measurement")) for one in whole)
    return Reading(
        "mrk.json",
        frames[0] if frames else "LPS",
        LandmarkSet(tuple(marks)),
        MeasurementSet(measured),
        notes.all(),
        document,
    )


def _note_version(document: Mapping[str, Any], notes: Notes) -> None:
    version = _VERSION.search(str(document.get("@schema", "")))
    if version is None:
        notes.add("The file names no version of its schema; read as 1.0.3.")
    elif tuple(map(int, version.groups())) > (1, 0, 3):
        notes.add("The file is of a newer schema than 1.0.3; what is new in it is not read.")


def _frame(markup: Mapping[str, Any], notes: Notes) -> Frame:
    units = markup.get("coordinateUnits", "mm")
    if isinstance(units, list):
        units = units[0]  # a UCUM triplet: code, scheme, meaning
    if units != "mm":
        raise InputError(
            "Landmarks are in millimetres; the file has other units.",
            hint="Set the units to mm in 3D Slicer and save again.",
        )
    said = markup.get("coordinateSystem")
    if said is None:
        notes.add("{} without a coordinate system: read as LPS, as the schema says.")
    return frame_of("LPS" if said is None else said)


def _told(thing: Mapping[str, Any]) -> Mapping[str, Any]:
    told = thing.get(OURS)
    return told if isinstance(told, Mapping) else {}


def _landmark(
    point: Mapping[str, Any], frame: Frame, names: OwnNames, notes: Notes
) -> Landmark:
    status = point.get("positionStatus")
    if status is None:
        # Written by a program: older Slicer itself takes such a point as not placed.
        notes.add("{} without a position status: taken as placed where there is a position.")
        status = "defined" if point.get("position") is not None else "undefined"
    position = None
    if status == "defined":
        position = to_ras(point["position"], frame)
    elif status == "preview":
        notes.add("{} only a preview in the file: left unplaced.")
    name = names.own(str(point.get("label") or ""), f"Point {point.get('id') or ''}".strip())
    mark = Landmark(name, position, locked=bool(point.get("locked", False)))
    told = _told(point)
    if told:
        mark = mark.defined_as(defined_landmark({**told, "name": name}))
    mark = understood(mark, str(point.get("description") or ""))
    if status == "missing" and not mark.absent:
        notes.add("{} marked as missing without a reason: read as not identifiable.")
        mark = replace(mark, absent="not-identifiable")
    return mark
