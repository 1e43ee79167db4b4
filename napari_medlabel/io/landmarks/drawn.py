"""The Markups that measure: lines, angles, curves, planes and regions of a .mrk.json file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

import numpy as np

from napari_medlabel.errors import InputError
from napari_medlabel.geometry.axes import FloatArray
from napari_medlabel.io.landmarks.found import Frame, Notes, to_ras
from napari_medlabel.model.landmarks import Point
from napari_medlabel.model.measurements import Kind, Measurement

LONG_AXIS: Final = " (long axis)"
SHORT_AXIS: Final = " (short axis)"
"""Slicer has no bidirectional measurement: it is two lines that are called so."""

_KINDS: Final[dict[str, Kind]] = {
    "Line": "line",
    "Angle": "angle",
    "Curve": "curve",
    "ClosedCurve": "closed-curve",
    "Plane": "plane",
    "ROI": "cuboid",
}
_PAIR: Final = "bidirectional"
_SAME_MM: Final = 1e-6


def measurement_of(
    markup: Mapping[str, Any], frame: Frame, told: Mapping[str, Any], notes: Notes
) -> Measurement | None:
    """Read a markup that is not a point list.

    Parameters
    ----------
    markup : mapping
        From a Markups document.
    frame : str
        Its axes.
    told : mapping
        What this program noted beside it: the kind and its points, where Slicer has no such
        kind. It counts only where the markup still looks like it.
    notes : Notes
        Hears of what is left out.

    Returns
    -------
    Measurement or None
        None for a kind that is not known, or where points are missing.
    """
    kind = _KINDS.get(str(markup["type"]))
    if kind is None:
        notes.add("{} of a kind that is not known: left out.")
        return None
    name = str(markup.get("name") or "").strip() or str(markup["type"])
    points = _points(markup, kind, frame)
    text = str(markup.get("description") or "")
    is_locked = bool(markup.get("locked", False))
    seen = None
    if points is not None:
        with suppress(InputError):
            seen = Measurement(name, kind, points, text, locked=is_locked)
    if seen is None:
        notes.add("{} not finished or without extent: left out.")
        return None
    return _as_told(seen, told, frame)


def pairs_joined(
    drawn: Sequence[Measurement], told: Sequence[Mapping[str, Any]]
) -> tuple[Measurement, ...]:
    """Return the measurements; two lines that are one bidirectional measurement as one.

    Parameters
    ----------
    drawn : sequence of Measurement
        As `measurement_of` read them; names may stand twice.
    told : sequence of mapping
        For each what this program noted beside it. Lines that it noted as the two axes of one
        measurement are joined. What it noted otherwise is never joined; what has no note, as
        Slicer drops it, is where nothing but one pair of the file is called so.
    """
    known = list(zip(drawn, (note.get("kind") for note in told), strict=True))
    names = Counter(one.name for one in drawn if one.kind == "line")
    noted = [one for one, kind in known if kind == _PAIR]
    called = [one for one, kind in known if kind is None and names[one.name] == 1]
    joined: dict[int, Measurement] = {}
    gone: set[int] = set()
    for group in (noted, called):
        axes: dict[str, list[Measurement]] = {}
        for one in group:
            if one.kind == "line":
                axes.setdefault(one.name, []).append(one)
        for name, longs in axes.items():
            stem = name.removesuffix(LONG_AXIS)
            shorts = axes.get(stem + SHORT_AXIS, []) if stem != name else []
            both = _joined(stem, longs[0], shorts[0]) if shorts else None
            if both is not None and len(longs) == len(shorts) == 1:
                joined[id(longs[0])] = both
                gone.add(id(shorts[0]))
    return tuple(joined.get(id(one), one) for one in drawn if id(one) not in gone)


def axis_note(name: str, pair: bool) -> dict[str, Any]:
    """Return what is noted beside a line that is called like an axis; empty for other lines.

    Parameters
    ----------
    name : str
        What the line is called.
    pair : bool
        Whether it is an axis of a bidirectional measurement, and no line of its own.
    """
    if pair:
        return {"kind": _PAIR}
    return {"kind": "line"} if name.endswith((LONG_AXIS, SHORT_AXIS)) else {}


def _joined(stem: str, long_axis: Measurement, short_axis: Measurement) -> Measurement | None:
    try:
        return Measurement(
            stem,
            "bidirectional",
            long_axis.points_ras + short_axis.points_ras,
            long_axis.description,
            locked=long_axis.locked,
        )
    except InputError:
        return None  # somebody moved an end: no longer perpendicular, so two lines


def _as_told(seen: Measurement, told: Mapping[str, Any], frame: Frame) -> Measurement:
    """Return the kind that this program wrote, where nobody changed the points since."""
    kind: Any = told.get("kind")
    points = told.get("points")
    if not isinstance(points, list):
        return seen
    try:
        meant = Measurement(
            seen.name,
            kind,
            tuple(to_ras(values, frame) for values in points),
            seen.description,
            locked=seen.locked,
        )
    except (InputError, ValueError, TypeError, OverflowError):
        return seen
    shown, expected = seen.outline_ras(), meant.outline_ras()
    if shown.shape != expected.shape or not np.allclose(shown, expected, rtol=0, atol=_SAME_MM):
        return seen
    return meant


def _points(markup: Mapping[str, Any], kind: Kind, frame: Frame) -> tuple[Point, ...] | None:
    """Return a markup's points in RAS mm, None where some are not placed."""
    placed = [
        to_ras(point["position"], frame)
        for point in markup.get("controlPoints", ())
        if point.get("positionStatus", "defined") == "defined" and point.get("position")
    ]
    if kind == "plane":
        return _framed(markup, placed, frame, 2) or _plane_of_points(placed)
    if kind == "cuboid":
        return _framed(markup, placed, frame, 3)
    return tuple(placed)


def _framed(
    markup: Mapping[str, Any], placed: Sequence[Point], frame: Frame, axes: int
) -> tuple[Point, ...] | None:
    """Return centre and ends of the half axes from centre, orientation and size."""
    size = markup.get("size")
    if size is None:
        return None
    at = markup.get("center")
    if at is None and not placed:
        return None
    centre = np.array(to_ras(at, frame) if at is not None else placed[0])
    turn = np.array(markup.get("orientation", np.eye(3).ravel()), dtype=np.float64).reshape(
        3, 3
    )
    ends = []
    for n in range(axes):
        direction = np.array(to_ras(turn[:, n], frame))
        ends.append(centre + direction * (float(size[n]) / 2))
    return tuple(_point(p) for p in (centre, *ends))


def _plane_of_points(placed: Sequence[Point]) -> tuple[Point, ...] | None:
    """Return a plane of three points as Slicer 4.11 wrote it: origin, along x, in the plane."""
    if len(placed) < 3:
        return None
    origin, along, inside = (np.array(p) for p in placed[:3])
    u, v = along - origin, inside - origin
    length = float(np.linalg.norm(u))
    if length == 0.0:
        return None
    v = v - u * float(u @ v) / length**2
    return _point(origin), _point(origin + u), _point(origin + v)


def _point(array: FloatArray) -> Point:
    x, y, z = (float(v) for v in array)
    return x, y, z
