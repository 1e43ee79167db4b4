"""MITK point sets (.mps): numbered points in LPS mm, without names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from xml.etree import ElementTree as ET

import numpy as np

from napari_medlabel.errors import InputError
from napari_medlabel.geometry.axes import FloatArray
from napari_medlabel.io.landmarks.found import Notes, OwnNames, Reading, note_origins, to_ras
from napari_medlabel.model.landmarks import Landmark, LandmarkSet
from napari_medlabel.model.measurements import MeasurementSet

_AXES: Final = ("x", "y", "z")


def read_mps(data: bytes, *, template: LandmarkSet | None = None) -> Reading:
    """Read a point set.

    Parameters
    ----------
    data : bytes
        The file, XML.
    template : LandmarkSet, optional
        Gives names: point number n is its landmark n, counted from 0.

    Returns
    -------
    Reading
        Positions in RAS mm, through the geometry of the file. Only the first time step.

    Raises
    ------
    InputError
        When it is not such a file, or has more than one time step or point set.

    Notes
    -----
    Form: MITK, Modules/Core/src/IO/mitkPointSetReaderService.cpp: points are in the geometry's
    own axes, IndexToWorld and Offset lead to the world (LPS mm).
    """
    root = _parse(data)
    notes = Notes()
    sets = root.findall("point_set")
    if len(sets) != 1 or len(sets[0].findall("time_series")) > 1:
        raise InputError(
            "One point set with one time step is expected; the file has none or several.",
            hint="Save a single point set in MITK.",
        )
    steps = sets[0].findall("time_series")
    holder = steps[0] if steps else sets[0]
    if template is None:
        notes.add("MITK point sets hold no names: the points are numbered.")
    names = OwnNames(Notes())
    given = [mark.name for mark in template or ()]
    try:
        matrix, offset = _geometry(holder)
        marks = []
        for number, values in _points(holder):
            fallback = f"Point {number + 1}"
            name = given[number] if 0 <= number < len(given) else fallback
            with np.errstate(invalid="ignore", over="ignore"):  # refused just below
                world = matrix @ values + offset
            marks.append(Landmark(names.own(name, fallback), to_ras(world, "LPS")))
    except (ValueError, TypeError, AttributeError) as err:
        raise _no_mps() from err
    note_origins(marks, notes)
    found = LandmarkSet(tuple(marks))
    if template is not None:
        found = found.merged_into(template)
    return Reading("mps", "LPS", found, MeasurementSet(), notes=notes.all())


def _parse(data: bytes) -> ET.Element:
    # Point sets have no DTD; entities are how a small file becomes a large one.
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise _no_mps()
    try:
        # MITK's own example writers begin with an empty line, which XML does not allow.
        root = ET.fromstring(data.strip())  # noqa: S314 - see above
    except (ET.ParseError, ValueError, LookupError) as err:
        raise _no_mps() from err
    if root.tag != "point_set_file":
        raise _no_mps()
    return root


def _points(holder: ET.Element) -> Iterator[tuple[int, FloatArray]]:
    for order, point in enumerate(holder.findall("point")):
        number = point.findtext("id")
        values = np.array([float(point.findtext(axis) or "") for axis in _AXES])
        yield (order if number is None else int(number)), values


def _geometry(holder: ET.Element) -> tuple[FloatArray, FloatArray]:
    """Return matrix (3, 3) and offset (3,) in mm; the identity where the file has none."""
    geometry = holder.find("Geometry3D")
    matrix, offset = np.eye(3), np.zeros(3)
    if geometry is None:
        return matrix, offset
    turn, shift = geometry.find("IndexToWorld"), geometry.find("Offset")
    if turn is not None:
        cells = [
            turn.attrib.get(f"m_{row}_{column}", "") for row in range(3) for column in range(3)
        ]
        matrix = np.array([float(cell) for cell in cells]).reshape(3, 3)
    if shift is not None:
        offset = np.array([float(shift.attrib.get(axis, "")) for axis in _AXES])
    return matrix, offset


def _no_mps() -> InputError:
    return InputError(
        "This is not an MITK point set: expected XML with points of three numbers.",
        hint="Save the point set again in MITK as .mps.",
    )
