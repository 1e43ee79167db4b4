"""Functional groups (PS3.3 C.7.6.16) -> where each frame lies and what it shows.

A group of the frame itself goes before the one that all frames share; Legacy Converted files
keep what the old attributes said in the unassigned groups, Philips in a private one.
"""

from __future__ import annotations

import datetime as dt
import zlib
from dataclasses import dataclass
from typing import Final

from napari_medlabel.io.dicom.frames.nested import Item, Wanted

SHARED: Final = 0x52009229
PER_FRAME: Final = 0x52009230
_POSITION = 0x00209113
_POSITION_VOLUME = 0x0020930E
_ORIENTATION = 0x00209116
_ORIENTATION_VOLUME = 0x0020930F
_MEASURES = 0x00289110
_TRANSFORMATION = 0x00289145
_WINDOW = 0x00289132
_CONTENT = 0x00209111
_ECHO = 0x00189114
_TIMING = 0x00189112
_MODIFIER = 0x00189115
_DIFFUSION = 0x00189117
_DIRECTION = 0x00189076
_CARDIAC = 0x00189118
_RESPIRATORY = 0x00209253
_LABELLING = 0x00189251
_VELOCITY = 0x00189197
_METABOLITE = 0x00189152
_EXPOSURE = 0x00189325
_RECONSTRUCTION = 0x00189314
_FRAME_TYPES = (0x00189226, 0x00189329, 0x00189751, 0x00189806, 0x00409092, 0x00189504)
_DATA_TYPE = 0x00189807
"""MR, CT, PET, US, parametric map and X-ray 3D frame types."""
_REAL_WORLD = 0x00409096
_UNITS = 0x004008EA
_SHARED_UNASSIGNED = 0x00209170
_FRAME_UNASSIGNED = 0x00209171
_DIMENSIONS = 0x00209222
_PHILIPS = "PHILIPS MR IMAGING DD 005"
_SIEMENS = "SIEMENS MR SDI 02"
SIEMENS_WANTED: Final[dict[int, bytes]] = {0x002100FE: b"SQ", 0x00210075: b"CS"}
"""Where Siemens keeps the old Image Type of one frame."""

FRAMES_WANTED: Final = Wanted(
    values={
        0x00080008: b"CS",  # Image Type, of converted frames
        0x00080100: b"SH",  # Code Value, of units
        0x00089007: b"CS",  # Frame Type
        0x00089208: b"CS",  # Complex Image Component
        0x00180050: b"DS",
        0x00180060: b"DS",  # KVP
        0x00180080: b"DS",  # Repetition Time
        0x00180081: b"DS",  # Echo Time
        0x00180082: b"DS",  # Inversion Time
        0x00180088: b"DS",
        0x00181060: b"DS",  # Trigger Time
        0x00181210: b"SH",  # Convolution Kernel
        0x00181314: b"DS",  # Flip Angle
        0x00189074: b"DT",  # Frame Acquisition DateTime
        0x00189075: b"CS",  # Diffusion Directionality
        0x00189079: b"FD",  # Inversion Times
        0x00189080: b"ST",  # Metabolite Map Description
        0x00189082: b"FD",  # Effective Echo Time
        0x00189087: b"FD",  # Diffusion b-value
        0x00189089: b"FD",  # Diffusion Gradient Orientation
        0x00189090: b"FD",  # Velocity Encoding Direction
        0x00189151: b"DT",  # Frame Reference DateTime
        0x00189257: b"CS",  # ASL Context
        0x00200032: b"DS",
        0x00200037: b"DS",
        0x00200100: b"IS",  # Temporal Position Identifier
        0x00209056: b"SH",  # Stack ID
        0x00209057: b"UL",  # In-Stack Position Number
        0x00209128: b"UL",  # Temporal Position Index
        0x00209153: b"FD",  # Nominal Cardiac Trigger Delay Time
        0x00209157: b"UL",  # Dimension Index Values
        0x00209165: b"AT",  # Dimension Index Pointer
        0x00209241: b"FL",  # Nominal Percentage of Cardiac Phase
        0x00209245: b"FL",  # Nominal Percentage of Respiratory Phase
        0x00209301: b"FD",  # Image Position (Volume)
        0x00209302: b"FD",  # Image Orientation (Volume)
        0x00189808: b"CS",  # Data Type, ultrasound
        0x0020930D: b"FD",  # Temporal Position Time Offset
        0x00280030: b"DS",
        0x00281050: b"DS",
        0x00281051: b"DS",
        0x00281052: b"DS",
        0x00281053: b"DS",
        0x0008002A: b"DT",  # Acquisition DateTime
        0x00080022: b"DA",  # Acquisition Date
        0x00080023: b"DA",  # Content Date
        0x00080032: b"TM",  # Acquisition Time
        0x00080033: b"TM",  # Content Time
        0x00409210: b"SH",  # LUT Label
    },
    sequences=frozenset(
        {SHARED, PER_FRAME, _POSITION, _POSITION_VOLUME, _ORIENTATION, _ORIENTATION_VOLUME}
        | {_MEASURES, _TRANSFORMATION, _WINDOW, _CONTENT, _ECHO, _TIMING, _MODIFIER, _CARDIAC}
        | {_DIFFUSION, _DIRECTION, _RESPIRATORY, _LABELLING, _VELOCITY, _METABOLITE, _EXPOSURE}
        | {_RECONSTRUCTION, _REAL_WORLD, _UNITS, _SHARED_UNASSIGNED, _FRAME_UNASSIGNED}
        | {_DIMENSIONS, _DATA_TYPE, *_FRAME_TYPES}
    ),
    private={0x2005000F: b"SQ", 0x20050029: b"CS"},
)
_TERMS: Final = frozenset(
    {"ORIGINAL", "DERIVED", "MIXED", "ADC", "FA", "TRACEW", "TRACE", "ISOTROPIC", "TENSOR"}
    | {"WATER", "FAT", "IN_PHASE", "OPP_PHASE", "OUT_PHASE", "W", "F", "IP", "OP", "FF"}
    | {"R2_STAR", "TENSOR_B0", "B0 MAP", "B1 MAP", "FIELD_MAP", "SPECIES", "NORMAL", "UNKNOWN"}
    | {"M", "P", "R", "I", "T1", "T2", "T2_STAR", "RHO", "MTT", "RCBF", "RCBV", "RMTT", "TTP"}
    | {"REGIONAL_CBF", "SUBTRACTION", "MEAN", "MIP", "MAX_IP", "MIN_IP", "RESAMPLED", "LABEL"}
    | {"ADDITION", "DIVISION", "MASKED", "FILTERED", "MEDIAN", "VELOCITY", "FLOW", "MAGNITUDE"}
    | {"PHASE", "REAL", "IMAGINARY", "MPR", "QUANTITY", "ENERGY_PROP_WT", "CALC_BVALUE", "B0"}
    | {"ATTENUATION", "PERFUSION", "DIFFUSION", "CONTROL", "M_CONTROL", "TISSUE_INTENSITY"}
)
"""Frame type terms that a message may show; what else is written there might name somebody."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What the functional groups say about one frame; None or empty where they do not.

    ``kind`` always tells images apart, ``details`` where they differ within the file.
    ``facts`` are what may tell volumes apart, by the names of `dicom_enhanced.UNITS`;
    ``moment_s`` is when the frame was acquired, in seconds of a common clock.
    """

    position: tuple[float, ...]
    orientation: tuple[float, ...]
    is_patient: bool
    spacing: tuple[float, ...]
    thickness: float | None
    between: float | None
    slope: float | None
    intercept: float | None
    window: tuple[float, float] | None
    kind: tuple[str, ...]
    details: tuple[str, ...]
    stack: str
    facts: dict[str, float]
    direction: tuple[float, ...]
    moment_s: float | None
    dimensions: tuple[float, ...]


def frames_of(whole: Item) -> list[Frame]:
    """Return what each item of the Per-Frame Functional Groups Sequence says."""
    shared = whole.first(SHARED)
    return [_frame(_Groups(own, shared)) for own in whole.sequences.get(PER_FRAME, [])]


def says_mosaic(whole: Item) -> bool:
    """Tell whether the old image type of the first frame calls its picture a mosaic."""
    own = whole.first(PER_FRAME)
    inner = own.first(own.private(0x0021, _SIEMENS, 0xFE))
    kinds = inner.words(inner.private(0x0021, _SIEMENS, 0x75))
    return "MOSAIC" in (kind.upper() for kind in kinds)


def dimension_pointers(whole: Item) -> tuple[int, ...]:
    """Return the attributes that Dimension Index Values count, in their order."""
    rows = whole.sequences.get(_DIMENSIONS, [])
    return tuple((row.tags(0x00209165) or (0,))[0] for row in rows)


class _Groups:
    """The functional groups of one frame above those of all frames."""

    def __init__(self, own: Item, shared: Item) -> None:
        self.own = own
        self.shared = shared

    def group(self, tag: int) -> Item:
        return self.own.first(tag) if tag in self.own.sequences else self.shared.first(tag)

    def first_of(self, *places: tuple[int, int]) -> float | None:
        for group, tag in places:
            value = self.group(group).number(tag)
            if value is not None:
                return value
        return None


def _frame(groups: _Groups) -> Frame:
    position = groups.group(_POSITION).numbers(0x00200032)
    orientation = groups.group(_ORIENTATION).numbers(0x00200037)
    is_patient = bool(position) or not groups.group(_POSITION_VOLUME).values
    if not is_patient:
        position = groups.group(_POSITION_VOLUME).numbers(0x00209301)
        orientation = groups.group(_ORIENTATION_VOLUME).numbers(0x00209302)
    measures, content = groups.group(_MEASURES), groups.group(_CONTENT)
    values, window = groups.group(_TRANSFORMATION), groups.group(_WINDOW)
    if not values.values:
        values = _philips(groups)
    centre, width = window.number(0x00281050), window.number(0x00281051)
    return Frame(
        position=position,
        orientation=orientation,
        is_patient=is_patient,
        spacing=measures.numbers(0x00280030),
        thickness=measures.number(0x00180050),
        between=measures.number(0x00180088),
        slope=values.number(0x00281053),
        intercept=values.number(0x00281052),
        window=(centre, width) if centre is not None and width and width > 0 else None,
        kind=_kind(groups),
        details=_details(groups),
        stack=content.word(0x00209056),
        facts=_facts(groups),
        direction=_direction(groups),
        moment_s=_moment(groups),
        dimensions=content.numbers(0x00209157),
    )


def _kind(groups: _Groups) -> tuple[str, ...]:
    """Return words for what makes frames in one place different images."""
    unassigned = groups.group(_FRAME_UNASSIGNED)
    terms: tuple[str, ...] = unassigned.words(0x00080008)
    component = ""
    for tag in _FRAME_TYPES:
        described = groups.group(tag)
        if described.values:
            terms = described.words(0x00089007) or terms
            component = described.word(0x00089208)
            break
    return _in_words((component, *terms[:1], *terms[3:]))


def _details(groups: _Groups) -> tuple[str, ...]:
    """Return words that matter only where they differ between frames of one file."""
    mapping, diffusion = groups.group(_REAL_WORLD), groups.group(_DIFFUSION)
    isotropic = diffusion.word(0x00189075).upper() == "ISOTROPIC"
    terms = (
        groups.group(_METABOLITE).word(0x00189080),
        groups.group(_RECONSTRUCTION).word(0x00181210),
        groups.group(_DATA_TYPE).word(0x00189808),
        mapping.word(0x00409210),
        mapping.first(_UNITS).word(0x00080100),
        "ISOTROPIC" if isotropic and (diffusion.number(0x00189087) or 0) > 0 else "",
    )
    return _in_words(terms)


def _in_words(terms: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(plain(term) for term in terms if term and term.upper() != "NONE")
    )


def plain(term: str) -> str:
    """Return a term in words, or a sign for it where it is none that the standard defines."""
    if term.upper() in _TERMS:
        return term.lower().replace("_", " ")
    return f"type {zlib.crc32(term.encode()):08x}"


def _facts(groups: _Groups) -> dict[str, float]:
    """Return the numbers that tell volumes in one place apart, by name."""
    old, common = _FRAME_UNASSIGNED, _SHARED_UNASSIGNED
    found = {
        "echo": groups.first_of((_ECHO, 0x00189082), (old, 0x00180081), (common, 0x00180081)),
        "inversion": groups.first_of((_MODIFIER, 0x00189079), (old, 0x00180082)),
        "flip angle": groups.first_of((_TIMING, 0x00181314), (old, 0x00181314)),
        "repetition": groups.first_of((_TIMING, 0x00180080), (old, 0x00180080)),
        "tube voltage": groups.first_of((_EXPOSURE, 0x00180060), (old, 0x00180060)),
        "trigger": groups.first_of((_CARDIAC, 0x00209153), (old, 0x00181060)),
        "cardiac phase": groups.first_of((_CARDIAC, 0x00209241)),
        "respiratory phase": groups.first_of((_RESPIRATORY, 0x00209245)),
        "b-value": groups.first_of((_DIFFUSION, 0x00189087)),
        "temporal offset": groups.first_of((_CONTENT, 0x0020930D)),
        "temporal index": groups.first_of((_CONTENT, 0x00209128), (old, 0x00200100)),
        "labelling": _labelling(groups),
    }
    return {name: value for name, value in found.items() if value is not None}


def _labelling(groups: _Groups) -> float | None:
    """Return 1 for a labelled frame and 0 for its control, arterial spin labelling."""
    said = groups.group(_LABELLING).word(0x00189257).upper()
    if not said:
        inner = _philips(groups)
        tag = inner.private(0x2005, _PHILIPS, 0x29)
        said = inner.word(tag).upper() if tag else ""
    return {"LABEL": 1.0, "LABELED": 1.0, "CONTROL": 0.0}.get(said)


def _philips(groups: _Groups) -> Item:
    """Return the private item in which Philips repeats what a single-frame file would say."""
    return groups.own.first(groups.own.private(0x2005, _PHILIPS, 0x0F))


def _direction(groups: _Groups) -> tuple[float, ...]:
    diffusion = groups.group(_DIFFUSION).first(_DIRECTION).numbers(0x00189089)
    return diffusion or groups.group(_VELOCITY).numbers(0x00189090)


def _moment(groups: _Groups) -> float | None:
    content = groups.group(_CONTENT)
    for tag in (0x00189074, 0x00189151):
        moment = seconds(content.word(tag))
        if moment is not None:
            return moment
    return moment_of(groups.group(_FRAME_UNASSIGNED))


def moment_of(item: Item) -> float | None:
    """Return when a data set was acquired, else when its content was made, in seconds."""
    moment = seconds(item.word(0x0008002A))
    if moment is not None:
        return moment
    for date, time in ((0x00080022, 0x00080032), (0x00080023, 0x00080033)):
        moment = seconds(item.word(date), item.word(time))
        if moment is not None:
            return moment
    return None


def seconds(date: str, time: str | None = None) -> float | None:
    """Return a DT value, or a DA and a TM value, as seconds since the first day of year 1.

    Without a date that can be read the seconds of the day are returned.
    """
    digits = date.replace(".", "", 2) if time is not None else date
    clock = time.replace(":", "") if time is not None else date[8:]
    for sign in "+-":
        clock = clock.split(sign)[0]
    try:
        day = dt.date(int(digits[:4]), int(digits[4:6]), int(digits[6:8])).toordinal()
    except ValueError:
        day = 0
    whole, _, part = clock.partition(".")
    if not whole.isdigit() or len(whole) not in {2, 4, 6} or (part and not part.isdigit()):
        return None
    hours, minutes, rest = int(whole[:2]), int(whole[2:4] or 0), int(whole[4:6] or 0)
    return day * 86400.0 + hours * 3600.0 + minutes * 60.0 + rest + float(f"0.{part or 0}")
