"""Files -> planes -> series: grouped, sorted into volumes, placed, and each slice checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final, Literal

import numpy as np

from napari_medlabel.errors import InputError
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io import dicom_picture
from napari_medlabel.io.dicom_coding import PALETTE, coding_of, is_native
from napari_medlabel.io.dicom_enhanced import planes_of as frames_of
from napari_medlabel.io.dicom_enhanced import wants_enhanced
from napari_medlabel.io.dicom_header import (
    COLUMNS,
    COMPONENT,
    EXPLICIT,
    FRAME_OF_REFERENCE,
    FRAMES,
    IMAGE_TYPE,
    MODALITY,
    ORIENTATION,
    PATIENT_ID,
    PHOTOMETRIC,
    POSITION,
    ROWS,
    SAMPLES,
    SERIES,
    SERIES_NUMBER,
    SOP_CLASS,
    SPACING,
    Instance,
    text,
)
from napari_medlabel.io.dicom_mosaic import planes_of as tiles_of
from napari_medlabel.io.dicom_mosaic import wants_mosaic
from napari_medlabel.io.dicom_place import MOST_PARTS, Part, place, slots_of, stations
from napari_medlabel.io.dicom_plane import Plane, plane_of
from napari_medlabel.io.dicom_stack import Axis, Pile, separate

_SAME_ORIENTATION: Final = 1e-3
_SAME_SPACING: Final = 1e-3
_ORTHONORMAL: Final = 1e-3
_AGAIN: Final = "Export the series again from its source."
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
_CODED_AGAIN: Final = "The same images as in another series, coded in another way."
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


@dataclass(frozen=True, repr=False)
class DicomSeries:
    """One series, or the part of one that lies on one grid.

    Parameters
    ----------
    instances : tuple of Instance
        Its files, each once, in the order of the planes.
    duplicates : tuple of pair of Instance
        Each dropped file with the one it repeats, to be compared when pixels are read.
    grid : Grid or None
        None when it cannot be read.
    warnings : tuple of str
        Doubts in words.
    refusal : InputError or None
        Why it cannot be read.
    planes : tuple of Plane
        Volume after volume, each in slice order, without the missing slices; () when it cannot
        be read.
    volumes : int
        How many volumes lie on the grid.
    axis : tuple of name, unit and values, or None
        What they differ in.
    missing : tuple of int
        Slices (k) that no file holds.
    slices : str
        ``"places"``, or ``"pictures"`` where k only counts images.
    """

    instances: tuple[Instance, ...]
    duplicates: tuple[tuple[Instance, Instance], ...]
    grid: Grid | None
    warnings: tuple[str, ...]
    refusal: InputError | None
    planes: tuple[Plane, ...] = field(default=())
    volumes: int = 1
    axis: Axis | None = None
    missing: tuple[int, ...] = ()
    slices: Literal["places", "pictures"] = "places"

    def __repr__(self) -> str:
        return f"DicomSeries({len(self.instances)} files, {self.volumes} volumes)"


def is_image(instance: Instance) -> bool:
    """Tell whether it is an image rather than a report, plan, segmentation or index."""
    return _is_image_class(instance.sop_class) and (
        instance.has_pixels or instance.rows > 0 or POSITION in instance.fields
    )


@lru_cache(maxsize=256)
def _is_image_class(sop_class: str) -> bool:
    # Segmentations, registrations, fiducials, surfaces; DICOMDIR.
    return not sop_class.startswith(("1.2.840.10008.5.1.4.1.1.66.", "1.2.840.10008.1.3.10"))


def arrange(instances: Iterable[Instance]) -> list[DicomSeries]:
    """Group images into series, and find the grid of each, in a stable order."""
    alike: dict[tuple[object, ...], list[Instance]] = {}
    for one in instances:
        get = one.fields.get
        key = (*map(get, _ALIKE), POSITION in one.fields, one.has_pixels)
        alike.setdefault(key, []).append(one)
    planes: list[Plane] = []
    failed: list[DicomSeries] = []
    for several in alike.values():
        for found in map(_ways_of(several[0]), several):
            if isinstance(found, DicomSeries):
                failed.append(found)
            else:
                planes.extend(found)
    keyed = [(_rank(group[0].instance), n, group) for n, group in enumerate(_group(planes))]
    rows = [(rank, n, one) for rank, n, group in keyed for one in _arrange_group(group)]
    rows += [
        (_rank(one.instances[0]), len(keyed) + n, one) for n, one in enumerate(_joined(failed))
    ]
    rows.sort(key=lambda row: row[:2])
    return _with_losses([one for _, _, one in rows])


def _rank(one: Instance) -> tuple[object, ...]:
    return one.series_number, one.series_uid, one.patient_id


def _ways_of(first: Instance) -> Callable[[Instance], tuple[Plane, ...] | DicomSeries]:
    """Choose how to find the planes of a file, by what it has in common with others."""
    for wants, planes_of in ((wants_enhanced, frames_of), (wants_mosaic, tiles_of)):
        if wants(first):
            return lambda one, planes_of=planes_of: _tried(planes_of, one)  # type: ignore[misc]
    if first.frames > 1:
        return _as_pictures
    kind = _kind(first)
    return lambda one: (plane_of(one, kind),)


def _tried(
    planes_of: Callable[[Instance], tuple[Plane, ...]], one: Instance
) -> tuple[Plane, ...] | DicomSeries:
    try:
        return planes_of(one)
    except InputError as err:
        return _refused((one,), err)


def _as_pictures(one: Instance) -> tuple[Plane, ...] | DicomSeries:
    """Return the frames of a clip: whatever position it has cannot be that of all of them."""
    if one.frames > min(_MOST_FRAMES, one.size * 8):
        doubt = "The file is far too small for its Number of Frames."
        return _refused((one,), InputError(doubt, hint=_AGAIN))
    first = replace(plane_of(one), position_lps=None, orientation_lps=None)
    return tuple(replace(first, frame=n) for n in range(one.frames))


def _kind(first: Instance) -> tuple[str, ...]:
    """Tell phase, real and imaginary images from magnitude, PS3.3 C.8.3.1.1.1, C.8.13.3.1."""
    if first.modality != "MR":
        return ()
    component = text(first.fields.get(COMPONENT, b""))
    values = [component, *first.image_type.upper().split("\\")[2:4]]
    return tuple(dict.fromkeys(_COMPONENTS[one] for one in values if one in _COMPONENTS))[:1]


def _group(planes: Sequence[Plane]) -> list[list[Plane]]:
    """Split planes by series, patient, frame of reference, matrix, samples, kind, direction."""
    groups: dict[tuple[object, ...], list[list[Plane]]] = {}
    keys: dict[tuple[object, ...], tuple[object, ...]] = {}
    last: tuple[object, list[Plane]] | None = None
    for one in planes:
        get = one.instance.fields.get
        raw = (*map(get, _ALIKE), one.rows, one.columns, one.kind, one.position_lps is None)
        key = keys.get(raw)
        if key is None:
            key = keys[raw] = _group_key(one)
        told = (raw, one.orientation_lps, one.spacing_mm)
        if last is not None and last[0] == told and key[-1] is None:
            last[1].append(one)
            continue
        if key[-1] is not None:
            key = (*key, one.instance.path)
        turned = groups.setdefault(key, [])
        for alike in turned:
            if _same_place(alike[0], one):
                alike.append(one)
                break
        else:
            alike = [one]
            turned.append(alike)
        last = (told, alike)
    return [alike for turned in groups.values() for alike in turned]


def _group_key(one: Plane) -> tuple[object, ...]:
    """Return what images of one volume have in common; the last entry says: one file alone."""
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
        "clip" if picture and own.frames > 1 else None,
    )


def _same_place(one: Plane, other: Plane) -> bool:
    return _close(one.orientation_lps, other.orientation_lps, _SAME_ORIENTATION) and _close(
        one.spacing_mm, other.spacing_mm, _SAME_SPACING * min(one.spacing_mm or (1.0,))
    )


def _close(
    one: Sequence[float] | None, other: Sequence[float] | None, tolerance: float
) -> bool:
    if one is other:
        return True
    if one is None or other is None:
        return False
    return all(abs(a - b) <= tolerance for a, b in zip(one, other, strict=True))


def _arrange_group(group: Sequence[Plane]) -> list[DicomSeries]:
    """Sort one group into volumes, check them, and build their grids."""
    by_name = sorted(group, key=lambda one: (one.instance.path, one.frame, one.tile or ()))
    first, *others = _by_coding(by_name)
    return _arrange_alike(first, ()) + [
        one for other in others for one in _arrange_alike(other, (_CODED_AGAIN,))
    ]


def _by_coding(planes: Sequence[Plane]) -> list[list[Plane]]:
    """Set images apart that repeat others in another coding: they may have lost something."""
    first: dict[tuple[object, ...], tuple[object, ...]] = {}
    layers: dict[tuple[object, ...], list[Plane]] = {}
    main: list[Plane] = []
    for one in planes:
        coded = _coded(one.instance)
        key = (one.instance.sop_uid, one.frame, one.tile, one.position_lps)
        if not one.instance.sop_uid or first.setdefault(key, coded) == coded:
            main.append(one)
        else:
            layers.setdefault(coded, []).append(one)
    return [main, *layers.values()]


def _coded(one: Instance) -> tuple[object, ...]:
    syntax = EXPLICIT if one.is_native else one.transfer_syntax
    return syntax, one.allocated, one.stored, one.signed, one.photometric


def _arrange_alike(by_name: Sequence[Plane], doubts: tuple[str, ...]) -> list[DicomSeries]:
    warnings = list(doubts)
    try:
        kept, duplicates = _without_duplicates(by_name, warnings)
        if dicom_picture.is_picture(kept[0]):
            return [_pictures(kept, duplicates, warnings)]
        _require_geometry(kept)
        found = [
            one
            for members in stations(kept)
            for one in _volumes([kept[n] for n in members], duplicates, warnings)
        ]
    except InputError as err:
        return [_refused(_instances(by_name), err, tuple(warnings))]
    if len(found) <= MOST_PARTS:
        return found
    return [
        _refused(
            _instances(by_name),
            InputError(
                f"The series falls into {len(found)} parts that do not lie on one grid; at "
                f"most {MOST_PARTS} are listed.",
                hint="Split the series into volumes.",
            ),
        )
    ]


def _volumes(
    planes: Sequence[Plane],
    duplicates: tuple[tuple[Instance, Instance], ...],
    warnings: Sequence[str],
) -> list[DicomSeries]:
    return [
        _series_of(pile, part, duplicates, warnings)
        for pile in separate(planes, slots_of(planes))
        for part in place(pile.planes, pile.volumes)
    ]


def _series_of(
    pile: Pile,
    part: Part,
    duplicates: tuple[tuple[Instance, Instance], ...],
    warnings: Sequence[str],
) -> DicomSeries:
    places = len(pile.planes) // pile.volumes
    planes = tuple(
        pile.planes[t * places + k] for t in range(pile.volumes) for k in part.chosen
    )
    return DicomSeries(
        instances=_instances(planes),
        duplicates=duplicates,
        grid=part.grid,
        warnings=(*warnings, *pile.warnings, *part.warnings),
        refusal=None,
        planes=planes,
        volumes=pile.volumes,
        axis=pile.axis,
        missing=part.missing,
    )


def _pictures(
    kept: Sequence[Plane],
    duplicates: tuple[tuple[Instance, Instance], ...],
    warnings: Sequence[str],
) -> DicomSeries:
    _require_pixels(kept)
    planes = tuple(dicom_picture.in_order(kept))
    grid, doubts = dicom_picture.grid_of(planes)
    return DicomSeries(
        instances=_instances(planes),
        duplicates=duplicates,
        grid=grid,
        warnings=(*warnings, *doubts),
        refusal=None,
        planes=planes,
        slices="pictures",
    )


def _instances(planes: Iterable[Plane]) -> tuple[Instance, ...]:
    return tuple({id(one.instance): one.instance for one in planes}.values())


def _refused(
    instances: tuple[Instance, ...], err: InputError, warnings: tuple[str, ...] = ()
) -> DicomSeries:
    return DicomSeries(instances, (), None, warnings, err)


def _joined(failed: Sequence[DicomSeries]) -> list[DicomSeries]:
    """Put files of one series that fail for one reason together."""
    groups: dict[tuple[object, ...], list[DicomSeries]] = {}
    for one in failed:
        reason = "" if one.refusal is None else one.refusal.message
        groups.setdefault((*_rank(one.instances[0]), reason), []).append(one)
    return [
        replace(several[0], instances=tuple(own for one in several for own in one.instances))
        for several in groups.values()
    ]


def _with_losses(found: Sequence[DicomSeries]) -> list[DicomSeries]:
    """Say in what can be read of a series that files of it cannot."""
    lost: dict[tuple[object, ...], int] = {}
    for one in found:
        if one.refusal is not None:
            key = _rank(one.instances[0])
            lost[key] = lost.get(key, 0) + len(one.instances)
    told: list[DicomSeries] = []
    for one in found:
        number = lost.get(_rank(one.instances[0]), 0)
        if number and one.refusal is None:
            doubt = f"{_count(number, 'file')} of this series cannot be read."
            told.append(replace(one, warnings=(*one.warnings, doubt)))
        else:
            told.append(one)
    return told


def _without_duplicates(
    planes: Sequence[Plane], warnings: list[str]
) -> tuple[list[Plane], tuple[tuple[Instance, Instance], ...]]:
    """Drop copies: the same SOPInstanceUID and frame at the same position."""
    kept: dict[tuple[object, ...], Plane] = {}
    copies: dict[int, tuple[Instance, Instance]] = {}
    for number, one in enumerate(planes):
        uid = one.instance.sop_uid or number
        key = (uid, one.frame, one.tile, one.position_lps)
        if key in kept:
            copies[id(one.instance)] = (one.instance, kept[key].instance)
        else:
            kept[key] = one
    if copies:
        warnings.append(f"{_count(len(copies), 'file')} repeated another one and was left out.")
    own = _instances(kept.values())
    if len({one.sop_uid for one in own}) < len(own):
        warnings.append("Several images share one SOP Instance UID, or have none.")
    return list(kept.values()), tuple(copies.values())


def _require_geometry(planes: Sequence[Plane]) -> None:
    for number, one in enumerate(planes, start=1):
        if None in (one.position_lps, one.orientation_lps, one.spacing_mm):
            _refuse_missing(one, _where(planes, number))
    orientation = np.array([one.orientation_lps for one in planes])
    spacing = np.array([one.spacing_mm for one in planes])
    row, column = orientation[:, :3], orientation[:, 3:]
    bent = (abs((row * row).sum(1) - 1) > 2 * _ORTHONORMAL) | (
        abs((column * column).sum(1) - 1) > 2 * _ORTHONORMAL
    )
    bent |= abs((row * column).sum(1)) > _ORTHONORMAL
    if bent.any():
        raise InputError(
            "Rows and columns are expected at right angles and of length one; Image "
            f"Orientation (Patient) is not, in {_where(planes, int(np.argmax(bent)) + 1)}.",
            hint=_AGAIN,
        )
    flat = spacing.min(axis=1) <= 0
    if flat.any():
        raise InputError(
            "Pixel Spacing must be greater than zero; it is not, in "
            f"{_where(planes, int(np.argmax(flat)) + 1)}.",
            hint=_AGAIN,
        )
    _require_pixels(planes)


def _where(planes: Sequence[Plane], number: int) -> str:
    one = planes[number - 1]
    own = _instances(planes)
    file = next(n for n, held in enumerate(own, start=1) if held is one.instance)
    where = f"file {file} of {len(own)}"
    return where if one.instance.frames <= 1 else f"frame {one.frame + 1} of {where}"


def _refuse_missing(one: Plane, where: str) -> None:
    missing = [
        name
        for name, value in (
            ("Image Position (Patient)", one.position_lps),
            ("Image Orientation (Patient)", one.orientation_lps),
            ("Pixel Spacing", one.spacing_mm),
        )
        if value is None
    ]
    faults = [fault for fault in one.instance.faults if fault.startswith(tuple(missing))]
    if faults:
        raise InputError(f"In {where} {faults[0]}.", hint=_AGAIN)
    raise InputError(
        f"Where the image lies is unknown: {' and '.join(missing)} missing in {where}.",
        hint="Only images with a position in the patient can be opened as a volume; "
        "export the series again, with its geometry.",
    )


def _require_pixels(planes: Sequence[Plane]) -> None:
    own = _instances(planes)
    for number, one in enumerate(own, start=1):
        where = f"file {number} of {len(own)}"
        if one.rows < 1 or one.columns < 1:
            raise InputError(f"Rows or Columns missing or zero in {where}.", hint=_AGAIN)
        if not one.has_pixels:
            raise InputError(
                f"The series is damaged: {where} has no pixel data.",
                hint="The file was cut off or stripped; copy or export the series again.",
            )
        if one.faults:
            raise InputError(f"In {where} {one.faults[0]}.", hint=_AGAIN)
        coding = coding_of(one)
        needed = (coding.frame_bits * max(one.frames, 1) + 7) // 8
        if is_native(coding) and (
            one.pixel_length < needed
            or (one.pixel_offset is not None and one.pixel_offset + needed > one.size)
        ):
            raise InputError(
                f"The series is damaged: the pixel data in {where} is shorter than its rows "
                "and columns need.",
                hint="The file was cut off; copy or export the series again.",
            )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
