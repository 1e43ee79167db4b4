"""Files -> planes -> groups that may be one volume: alike in all but place, time and values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from napari_medlabel.errors import InputError
from napari_medlabel.io.dicom.frames.enhanced import planes_of as frames_of
from napari_medlabel.io.dicom.frames.enhanced import wants_enhanced
from napari_medlabel.io.dicom.frames.mosaic import planes_of as tiles_of
from napari_medlabel.io.dicom.frames.mosaic import wants_mosaic
from napari_medlabel.io.dicom.frames.plane import Plane, plane_of
from napari_medlabel.io.dicom.header.instance import (
    BETWEEN,
    CENTRE,
    COLUMNS,
    COMPONENT,
    EXPLICIT,
    FRAME_OF_REFERENCE,
    FRAMES,
    IMAGE_TYPE,
    INTERCEPT,
    MODALITY,
    ORIENTATION,
    PATIENT_ID,
    PHOTOMETRIC,
    POSITION,
    ROWS,
    SAMPLES,
    SERIES,
    SERIES_NUMBER,
    SLOPE,
    SOP_CLASS,
    SOP_INSTANCE,
    SPACING,
    THICKNESS,
    WIDTH,
    Instance,
    parsed,
    text,
)
from napari_medlabel.io.dicom.pixels.coding import PALETTE
from napari_medlabel.io.dicom.series import picture as dicom_picture

_SAME_ORIENTATION: Final = 1e-3
_SAME_SPACING: Final = 1e-3
_MOST_FRAMES: Final = 1_000_000
_ALIKE: Final = (
    SERIES_NUMBER,
    SERIES,
    PATIENT_ID,
    FRAME_OF_REFERENCE,
    ROWS,
    COLUMNS,
    SAMPLES,
    PHOTOMETRIC,
    ORIENTATION,
    SPACING,
    IMAGE_TYPE,
    COMPONENT,
    FRAMES,
    SOP_CLASS,
    MODALITY,
)
"""Files with the same bytes in these hold images of one kind, and are treated alike."""
_OWN: Final = (THICKNESS, BETWEEN, SLOPE, INTERCEPT, CENTRE, WIDTH)
_COMPONENTS: Final = {
    "P": "phase",
    "PHASE": "phase",
    "PHASE MAP": "phase",
    "VELOCITY MAP": "phase",
    "R": "real",
    "REAL": "real",
    "I": "imaginary",
    "IMAGINARY": "imaginary",
}
_Key = tuple[object, ...]


@dataclass(frozen=True)
class Failed:
    """A file whose planes cannot be found, and why."""

    instance: Instance
    err: InputError


def planes_of_files(instances: Iterable[Instance]) -> tuple[list[list[Plane]], list[Failed]]:
    """Return the planes of files, those of files that are alike together.

    Returns
    -------
    list of list of Plane
        Planes in one list have one series, matrix and direction where each is a whole file.
    list of Failed
        Files that hold several planes and do not say where they are.
    """
    alike: dict[_Key, list[Instance]] = {}
    for one in instances:
        get = one.fields.get
        key = (*map(get, _ALIKE), POSITION in one.fields, one.has_pixels)
        alike.setdefault(key, []).append(one)
    found: list[list[Plane]] = []
    failed: list[Failed] = []
    for several in alike.values():
        planes_of = _way_of(several[0])
        if planes_of is None:
            found.append(_single(several))
            continue
        planes: list[Plane] = []
        for one in several:
            try:
                planes.extend(planes_of(one))
            except InputError as err:
                failed.append(Failed(one, err))
        found.append(planes)
    return found, failed


def _way_of(first: Instance) -> Callable[[Instance], tuple[Plane, ...]] | None:
    """Choose how to find the planes of a file; None where it is one plane itself."""
    if wants_enhanced(first):
        return frames_of
    if wants_mosaic(first):
        return tiles_of
    return _as_pictures if first.frames > 1 else None


def _single(alike: Sequence[Instance]) -> list[Plane]:
    """Make the planes of single-frame files; what they share is parsed once."""
    first = plane_of(alike[0], _kind(alike[0]))
    own: dict[_Key, Plane] = {}
    planes = []
    for one in alike:
        raw = tuple(map(one.fields.get, _OWN))
        like = own.get(raw)
        if like is None:
            like = own[raw] = first if one is alike[0] else plane_of(one, first.kind)
        planes.append(
            Plane(
                one,
                0,
                None,
                first.rows,
                first.columns,
                parsed(one.fields.get(POSITION, b""), 3),
                first.orientation_lps,
                first.spacing_mm,
                like.thickness_mm,
                like.between_mm,
                like.slope,
                like.intercept,
                like.window,
                first.kind,
            )
        )
    return planes


def _as_pictures(one: Instance) -> tuple[Plane, ...]:
    """Return the frames of a clip: whatever position it has cannot be that of all of them."""
    if one.frames > min(_MOST_FRAMES, one.size * 8):
        raise InputError(
            "The file is far too small for its Number of Frames.",
            hint="Export the series again from its source.",
        )
    first = replace(plane_of(one), position_lps=None, orientation_lps=None)
    return tuple(replace(first, frame=n) for n in range(one.frames))


def _kind(first: Instance) -> tuple[str, ...]:
    """Tell phase, real and imaginary images from magnitude, PS3.3 C.8.3.1.1.1, C.8.13.3.1."""
    if first.modality != "MR":
        return ()
    component = text(first.fields.get(COMPONENT, b""))
    values = [component, *first.image_type.upper().split("\\")[2:4]]
    return tuple(dict.fromkeys(_COMPONENTS[one] for one in values if one in _COMPONENTS))[:1]


def group(found: Iterable[Sequence[Plane]]) -> list[list[Plane]]:
    """Split planes by series, patient, frame of reference, matrix, samples, kind, direction.

    Parameters
    ----------
    found : iterable of sequence of Plane
        As `planes_of_files` returned them.
    """
    groups: dict[_Key, list[list[Plane]]] = {}
    for planes in found:
        known: dict[_Key, list[Plane]] = {}
        for one in planes:
            own = one.instance
            told = (
                one.orientation_lps,
                one.spacing_mm,
                one.kind,
                one.position_lps is None,
                own if own.frames > 1 else None,
            )
            members = known.get(told)
            if members is None:
                turned = groups.setdefault(group_key(one), [])
                members = known[told] = _joined(turned, one)
            members.append(one)
    return [alike for turned in groups.values() for alike in turned]


def _joined(turned: list[list[Plane]], one: Plane) -> list[Plane]:
    for members in turned:
        if _same_direction(members[0], one):
            return members
    members = []
    turned.append(members)
    return members


def group_key(one: Plane) -> _Key:
    """Return what images of one volume share but direction; a clip is alone with itself."""
    own = one.instance
    picture = dicom_picture.is_picture(one)
    return (
        own.series_number,
        own.series_uid,
        own.patient_id,
        own.frame_of_reference,
        one.rows,
        one.columns,
        own.samples,
        own.photometric == PALETTE,
        one.kind,
        picture,
        dicom_picture.spacing_key(one) if picture else (),
        own.file if picture and own.frames > 1 else None,
    )


def _same_direction(one: Plane, other: Plane) -> bool:
    return _close(
        one.orientation_lps, other.orientation_lps, _SAME_ORIENTATION
    ) and have_same_spacing(one, other)


def have_same_spacing(one: Plane, other: Plane) -> bool:
    """Tell whether Pixel Spacing is the same, within a thousandth."""
    tolerance = _SAME_SPACING * min(one.spacing_mm or (1.0,))
    return _close(one.spacing_mm, other.spacing_mm, tolerance)


def _close(
    one: Sequence[float] | None, other: Sequence[float] | None, tolerance: float
) -> bool:
    if one is other:
        return True
    if one is None or other is None:
        return False
    return all(abs(a - b) <= tolerance for a, b in zip(one, other, strict=True))


def in_stable_order(planes: Iterable[Plane]) -> list[Plane]:
    """Sort planes by file name, frame and tile."""
    return sorted(planes, key=lambda one: (one.instance.file, one.frame, one.tile or ()))


def all_differ(planes: Sequence[Plane]) -> bool:
    """Tell whether no two planes claim to be the same image."""
    uids = {(one.instance.fields.get(SOP_INSTANCE, b""), one.frame, one.tile) for one in planes}
    return len(uids) == len(planes)


def by_coding(planes: Sequence[Plane]) -> list[list[Plane]]:
    """Set images apart that repeat others in another coding: they may have lost something.

    Returns
    -------
    list of list of Plane
        The first one holds each image once, copies in the same coding included.
    """
    first: dict[_Key, _Key] = {}
    layers: dict[_Key, list[Plane]] = {}
    main: list[Plane] = []
    for one in planes:
        coded = _coded(one.instance)
        key = (one.instance.sop_uid, one.frame, one.tile, one.position_lps)
        if not one.instance.sop_uid or first.setdefault(key, coded) == coded:
            main.append(one)
        else:
            layers.setdefault(coded, []).append(one)
    return [main, *layers.values()]


def _coded(one: Instance) -> _Key:
    syntax = EXPLICIT if one.is_native else one.transfer_syntax
    return syntax, one.allocated, one.stored, one.signed, one.photometric


def without_copies(
    planes: Sequence[Plane],
) -> tuple[list[Plane], tuple[tuple[Instance, Instance], ...], tuple[str, ...]]:
    """Drop copies: the same SOPInstanceUID and frame at the same position.

    Returns
    -------
    kept : list of Plane
        Without them.
    copies : tuple of pair of Instance
        Each file that was dropped, and the one that it repeats.
    warnings : tuple of str
        How many there were, and whether identifiers repeat at different places.
    """
    kept: dict[_Key, Plane] = {}
    copies: dict[int, tuple[Instance, Instance]] = {}
    warnings: list[str] = []
    for number, one in enumerate(planes):
        uid = one.instance.sop_uid or number
        key = (uid, one.frame, one.tile, one.position_lps)
        if key in kept:
            copies[id(one.instance)] = (one.instance, kept[key].instance)
        else:
            kept[key] = one
    if copies:
        warnings.append(left_out(len(copies)))
    own = unique(kept.values())
    if len({one.sop_uid for one in own}) < len(own):
        warnings.append("Several images share one SOP Instance UID, or have none.")
    return list(kept.values()), tuple(copies.values()), tuple(warnings)


def left_out(copies: int) -> str:
    """Say how many files were left out for repeating others."""
    if copies == 1:
        return "1 file repeated another one and was left out."
    return f"{copies} files repeated other ones and were left out."


def unique(planes: Iterable[Plane]) -> tuple[Instance, ...]:
    """Return the files of planes, each once."""
    return tuple({id(one.instance): one.instance for one in planes}.values())


@lru_cache(maxsize=256)
def is_image_class(sop_class: bytes) -> bool:
    """Tell whether a SOP Class UID's raw value is that of images, where they have pixels."""
    # Segmentations, registrations, fiducials, surfaces; DICOMDIR.
    return not sop_class.startswith((b"1.2.840.10008.5.1.4.1.1.66.", b"1.2.840.10008.1.3.10"))


def is_image(fields: Mapping[int, bytes], *, has_pixels: bool) -> bool:
    """Tell whether a file is an image rather than a report, plan, segmentation or index."""
    return is_image_class(fields.get(SOP_CLASS, b"")) and (
        has_pixels or POSITION in fields or any(fields.get(ROWS, b""))
    )
