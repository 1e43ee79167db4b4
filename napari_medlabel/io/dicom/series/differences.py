"""What sets apart images that lie in one place: echo, b-value, time and the like.

What multi-frame files say of their frames stands in `Plane.order`; of single-frame files the
attributes are looked up here, those of vendors only where the standard's do not suffice.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from napari_medlabel.io.dicom.frames.order import UNITS
from napari_medlabel.io.dicom.frames.plane import Plane
from napari_medlabel.io.dicom.header import odd as dicom_odd
from napari_medlabel.io.dicom.header.instance import (
    ACQUISITION_DATE,
    ACQUISITION_MOMENT,
    ACQUISITION_NUMBER,
    ACQUISITION_TIME,
    B_VALUE,
    CONTENT_DATE,
    CONTENT_TIME,
    CREATOR_19,
    ECHO_NUMBER,
    ECHO_TIME,
    FLIP_ANGLE,
    GRADIENT,
    INSTANCE_NUMBER,
    INVERSION_TIME,
    SIEMENS_B_VALUE,
    TEMPORAL_POSITION,
    TRIGGER_TIME,
    Instance,
    numbers,
    text,
)

_PHILIPS_CREATOR: Final = 0x20010010
_PHILIPS_B_VALUE: Final = 0x20011003
_PHILIPS_TYPE_CREATOR: Final = 0x20050010
_PHILIPS_TYPE: Final = 0x20051011
_GE_CREATOR: Final = 0x00430010
_GE_TYPE: Final = 0x0043102F
_GE_B_VALUE: Final = 0x00431039
_UIH_CREATOR: Final = 0x00650010
_UIH_B_VALUE: Final = 0x00651009
_FRAME_TIME: Final = 0x00541300
_RESOLUTION: Final = 0x00200110
_MIDNIGHT: Final = (
    "Times lie over half a day apart on one date: they are taken to pass midnight."
)
_VENDORS: Final[Mapping[int, bytes]] = {
    _GE_CREATOR: b"LO",
    _GE_TYPE: b"IS",
    _GE_B_VALUE: b"IS",
    _FRAME_TIME: b"DS",
    _UIH_CREATOR: b"LO",
    _UIH_B_VALUE: b"FD",
    _PHILIPS_CREATOR: b"LO",
    _PHILIPS_B_VALUE: b"DS",
    _PHILIPS_TYPE_CREATOR: b"LO",
    _PHILIPS_TYPE: b"CS",
}
_GE_TYPES: Final = ("magnitude", "phase", "real", "imaginary")
_GE_B_OFFSET: Final = 1e9  # added by some of its software to every b-value
_DAY_S: Final = 86400.0

Values = tuple[float, ...]


@dataclass(frozen=True)
class Difference:
    """One thing in which images may differ.

    Parameters
    ----------
    name, unit : str
        As in `model.volume.FurtherAxis`.
    values : tuple of float
        One for each image.
    is_exact : bool
        Whether images of one volume have one value; False for times and counts, whose order
        alone says something.
    are_positions : bool
        Whether they are Temporal Position Identifiers, which count volumes that exist
        elsewhere too.
    doubt : str
        What must be said where it is used.
    """

    name: str
    unit: str
    values: Values
    is_exact: bool = True
    are_positions: bool = False
    doubt: str = ""


def stated(planes: Sequence[Plane]) -> list[Difference]:
    """List what multi-frame files and standard attributes say, most important first."""
    orders = [dict(plane.order) for plane in planes]
    named: list[tuple[str, Callable[[Instance], float | None]]] = [
        ("echo", lambda one: one.number(ECHO_TIME)),
        ("inversion", lambda one: one.number(INVERSION_TIME)),
        ("flip angle", lambda one: one.number(FLIP_ANGLE)),
        ("b-value", _b_value),
        ("trigger", lambda one: one.number(TRIGGER_TIME)),
    ]
    found = [
        _difference(name, [order.get(name) for order in orders])
        for name in UNITS
        if any(name in order for order in orders)
    ]
    own = [plane.instance for plane in planes]
    found += [_difference(name, [get(one) for one in own]) for name, get in named]
    found.append(_difference("echo", [one.number(ECHO_NUMBER) for one in own], unit=""))
    found.append(_difference("direction", _directions(own)))
    position = _difference("time", [one.number(TEMPORAL_POSITION) for one in own], unit="")
    found.append(position and replace(position, are_positions=True))
    found.append(_difference("time", [one.number(ACQUISITION_NUMBER) for one in own], unit=""))
    return [one for one in found if one is not None and len(set(one.values)) > 1]


def happened(planes: Sequence[Plane]) -> list[Difference]:
    """List times and counts that rise from volume to volume, most important first."""
    own = [plane.instance for plane in planes]
    counts = [
        _difference("trigger", [one.number(TRIGGER_TIME) for one in own]),
        _difference("time", [dict(plane.order).get("time") for plane in planes]),
        _past_midnight(acquired(planes)),
        _difference("time", [one.number(ACQUISITION_NUMBER) for one in own], unit=""),
        _past_midnight(
            _difference("time", [_moment(one, CONTENT_DATE, CONTENT_TIME) for one in own])
        ),
        _difference("volume", [one.number(INSTANCE_NUMBER) for one in own]),
        _difference("volume", [dict(plane.order).get("volume") for plane in planes]),
    ]
    return [one for one in counts if one is not None and len(set(one.values)) > 1]


def acquired(planes: Sequence[Plane]) -> Difference | None:
    """Return when each single-frame file was acquired, None where one does not say so."""
    return _difference("time", [_acquired(one.instance) for one in planes])


def resolution_s(plane: Plane) -> float | None:
    """Return Temporal Resolution, the time between two temporal positions."""
    raw = dicom_odd.read_more(plane.instance.path, {_RESOLUTION: b"DS"})
    milliseconds = _one(raw, _RESOLUTION)
    return milliseconds / 1000 if milliseconds is not None and milliseconds > 0 else None


def vendors(planes: Sequence[Plane]) -> tuple[list[str], list[Difference]]:
    """Look up what vendors say of single-frame files: kinds of image, and differences."""
    files = {id(plane.instance): plane.instance for plane in planes}
    by_file = {key: _more(one) for key, one in files.items()}
    more = [by_file[id(plane.instance)] for plane in planes]
    kinds = [_kind(fields) for fields in more]
    found = [
        _difference("b-value", [_vendors_b_value(fields) for fields in more]),
        _difference("time", [_one(fields, _FRAME_TIME) for fields in more], scale=1e-3),
    ]
    return kinds, [one for one in found if one is not None and len(set(one.values)) > 1]


def _difference(
    name: str, values: Sequence[float | None], *, unit: str | None = None, scale: float = 1.0
) -> Difference | None:
    """Make a difference of values that every image has; None where one has none."""
    known = tuple(value * scale for value in values if value is not None)
    if len(known) != len(values):
        return None
    return Difference(name, UNITS.get(name, "") if unit is None else unit, known)


def _past_midnight(one: Difference | None) -> Difference | None:
    """Let times of one day run on, where more than half of the day lies between them."""
    if one is None or max(one.values) - min(one.values) <= _DAY_S / 2:
        return one
    if len({value // _DAY_S for value in one.values}) > 1:
        return one
    levels = sorted(set(one.values))
    gap, last = max((b - a, a) for a, b in pairwise(levels))
    if gap <= _DAY_S / 2:
        return one
    values = tuple(value + _DAY_S * (value <= last) for value in one.values)
    return replace(one, values=values, doubt=_MIDNIGHT)


def _b_value(one: Instance) -> float | None:
    raw = one.fields.get(B_VALUE, b"")
    if len(raw) == 8:
        return float(struct.unpack("<d", raw)[0])
    if text(one.fields.get(CREATOR_19, b"")).startswith("SIEMENS"):
        return one.number(SIEMENS_B_VALUE)
    return None


def _directions(own: Sequence[Instance]) -> list[float | None]:
    """Give gradient directions numbers, in the order in which images were counted."""
    if not any(GRADIENT in one.fields for one in own):
        return [None] * len(own)
    counted = sorted(
        range(len(own)), key=lambda n: (own[n].number(INSTANCE_NUMBER) or 0.0, own[n].file)
    )
    seen: dict[bytes, float] = {}
    for n in counted:
        raw = own[n].fields.get(GRADIENT, b"")
        seen.setdefault(raw, float(len(seen)))
    return [seen[one.fields.get(GRADIENT, b"")] for one in own]


def _acquired(one: Instance) -> float | None:
    whole = text(one.fields.get(ACQUISITION_MOMENT, b""))
    if len(whole) >= 14:
        return _seconds(whole[:8], whole[8:])
    return _moment(one, ACQUISITION_DATE, ACQUISITION_TIME)


def _moment(one: Instance, date: int, time: int) -> float | None:
    return _seconds(text(one.fields.get(date, b"")), text(one.fields.get(time, b"")))


def _seconds(date: str, time: str) -> float | None:
    """Return seconds of a DA and a TM value, PS3.5 6.2; days count from some day on."""
    time = time.replace(":", "").split("+")[0].split("-")[0]
    parts = (time[:2], time[2:4] or "0", time[4:] or "0")
    try:
        hours, minutes, seconds = (float(part) for part in parts)
    except ValueError:
        return None
    days = 0.0
    if len(date) == 8 and date.isdecimal():
        from datetime import date as day

        try:
            days = float(day(int(date[:4]), int(date[4:6]), int(date[6:])).toordinal())
        except ValueError:
            days = 0.0
    return days * _DAY_S + hours * 3600 + minutes * 60 + seconds


def _more(one: Instance) -> Mapping[int, bytes]:
    return dicom_odd.read_more(one.path, _VENDORS) if one.frames <= 1 else {}


def _one(fields: Mapping[int, bytes], tag: int) -> float | None:
    values = numbers(fields.get(tag, b""))
    return values[0] if values else None


def _has_creator(fields: Mapping[int, bytes], tag: int, start: str) -> bool:
    return text(fields.get(tag, b"")).upper().startswith(start)


def _vendors_b_value(fields: Mapping[int, bytes]) -> float | None:
    if _has_creator(fields, _PHILIPS_CREATOR, "PHILIPS"):
        return _one(fields, _PHILIPS_B_VALUE)
    if _has_creator(fields, _GE_CREATOR, "GEMS"):
        value = _one(fields, _GE_B_VALUE)
        return value if value is None else value % _GE_B_OFFSET
    raw = fields.get(_UIH_B_VALUE, b"")
    if _has_creator(fields, _UIH_CREATOR, "IMAGE PRIVATE") and len(raw) == 8:
        return float(struct.unpack("<d", raw)[0])
    return None


def _kind(fields: Mapping[int, bytes]) -> str:
    if _has_creator(fields, _GE_CREATOR, "GEMS"):
        value = _one(fields, _GE_TYPE)
        if value is not None and 0 <= value < len(_GE_TYPES):
            return _GE_TYPES[int(value)]
    if _has_creator(fields, _PHILIPS_TYPE_CREATOR, "PHILIPS"):
        return text(fields.get(_PHILIPS_TYPE, b"")).lower()
    return ""
