"""Groups of images -> series on a grid: sorted into volumes, placed, and each slice checked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from napari_medlabel.errors import InputError
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.dicom.frames.plane import Plane
from napari_medlabel.io.dicom.header.instance import Instance
from napari_medlabel.io.dicom.series import picture as dicom_picture
from napari_medlabel.io.dicom.series.axis import Axis
from napari_medlabel.io.dicom.series.check import require_geometry, require_pixels
from napari_medlabel.io.dicom.series.complete import losses
from napari_medlabel.io.dicom.series.copies import Copies, without_twins
from napari_medlabel.io.dicom.series.group import (
    Failed,
    all_differ,
    by_coding,
    group,
    in_stable_order,
    left_out,
    planes_of_files,
    unique,
    without_copies,
)
from napari_medlabel.io.dicom.series.place import MOST_PARTS, Part, place, slots_of, stations
from napari_medlabel.io.dicom.series.siblings import sibling_doubts
from napari_medlabel.io.dicom.series.stack import Pile, by_difference, separate
from napari_medlabel.io.dicom.series.strangers import set_apart

_CODED_AGAIN: Final = "The same images as in another series, coded in another way."


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


def arrange(instances: Iterable[Instance]) -> list[DicomSeries]:
    """Group images into series, and find the grid of each, in a stable order."""
    found, failed = planes_of_files(instances)
    groups = group(found)
    rows = [
        (_rank(one[0].instance), one, doubts)
        for one, doubts in zip(groups, sibling_doubts(groups), strict=True)
    ]
    rows.sort(key=lambda row: row[0])
    arranged = [
        (rank, one) for rank, several, doubts in rows for one in _arrange_group(several, doubts)
    ]
    arranged += [(_rank(one.instances[0]), one) for one in _refused_together(failed)]
    arranged.sort(key=lambda row: row[0])
    return _with_counts(_with_losses([one for _, one in arranged]))


def _rank(one: Instance) -> tuple[float, str, bytes]:
    return one.series_number, one.series_uid, one.patient_id


def _arrange_group(planes: Sequence[Plane], doubts: tuple[str, ...]) -> list[DicomSeries]:
    """Sort one group into volumes, check them, and build their grids."""
    by_name = in_stable_order(planes)
    if all_differ(by_name):
        return _arrange_kept(by_name, (), doubts)
    first, *others = by_coding(by_name)
    return _arrange_alike(first, doubts) + [
        one for other in others for one in _arrange_alike(other, (_CODED_AGAIN, *doubts))
    ]


def _arrange_alike(by_name: Sequence[Plane], doubts: tuple[str, ...]) -> list[DicomSeries]:
    kept, copies, doubted = without_copies(by_name)
    return _arrange_kept(kept, copies, (*doubts, *doubted))


def _arrange_kept(
    kept: Sequence[Plane], copies: Copies, warnings: tuple[str, ...]
) -> list[DicomSeries]:
    try:
        if dicom_picture.is_picture(kept[0]):
            warnings = (*warnings, *require_pixels(kept))
            return [_pictures(kept, copies, warnings)]
        require_geometry(kept)
        warnings = (*warnings, *require_pixels(kept))
    except InputError as err:
        return [_refused(unique(kept), err, warnings)]
    apart = set_apart(kept)
    found = _arrange_places(apart.rest, copies, (*warnings, *apart.doubts))
    for images, doubt in zip(apart.others, apart.others_doubts, strict=True):
        found += _arrange_places(images, copies, (*warnings, doubt))
    return found


def _arrange_places(
    kept: Sequence[Plane], copies: Copies, warnings: tuple[str, ...]
) -> list[DicomSeries]:
    try:
        found = [
            one
            for members in stations(kept)
            for one in _volumes([kept[n] for n in members], copies, warnings)
        ]
    except InputError as err:
        try:
            fewer, twins = without_twins(kept)
        except InputError:
            fewer, twins = list(kept), ()
        if twins:
            return _arrange_places(fewer, copies + twins, (*warnings, left_out(len(twins))))
        return [_refused(unique(kept), err, warnings)]
    if len(found) <= MOST_PARTS:
        return found
    reason = (
        f"The series falls into {len(found)} parts that do not lie on one grid; at most "
        f"{MOST_PARTS} are listed."
    )
    refusal = InputError(reason, hint="Split the series into volumes.")
    return [_refused(unique(kept), refusal, warnings)]


def _volumes(
    planes: Sequence[Plane], copies: Copies, warnings: tuple[str, ...]
) -> list[DicomSeries]:
    return [
        _series_of(pile, part, copies, warnings)
        for several in separate(planes, slots_of(planes))
        for pile, part in _placed(several)
    ]


def _placed(pile: Pile) -> list[tuple[Pile, Part]]:
    """Place volumes; what lies at odd distances may be several stacks of different time."""
    failed: InputError | None = None
    found: list[tuple[Pile, Part]] = []
    try:
        found = [(pile, part) for part in place(pile.planes, pile.volumes)]
    except InputError as err:
        failed = err
    if len(found) == 1 or pile.volumes > 1:
        if failed is not None:
            raise failed
        return found
    for name, stacks in by_difference(pile.planes):
        doubt = f"Stack {{}} of {len(stacks)} of a series, told apart by {name}.".format
        try:
            others = [
                (replace(one, warnings=(*pile.warnings, doubt(n), *one.warnings)), part)
                for n, stack in enumerate(stacks, start=1)
                for one in separate(stack, slots_of(stack))
                for part in place(one.planes, one.volumes)
            ]
        except InputError:
            continue
        if len(others) == len(stacks) and (failed is not None or len(others) < len(found)):
            found, failed = others, None
    if failed is not None:
        raise failed
    return found


def _series_of(
    pile: Pile, part: Part, copies: Copies, warnings: tuple[str, ...]
) -> DicomSeries:
    places = len(pile.planes) // pile.volumes
    planes = tuple(
        pile.planes[t * places + k] for t in range(pile.volumes) for k in part.chosen
    )
    return DicomSeries(
        instances=unique(planes),
        duplicates=copies,
        grid=part.grid,
        warnings=(*warnings, *pile.warnings, *part.warnings),
        refusal=None,
        planes=planes,
        volumes=pile.volumes,
        axis=pile.axis,
        missing=part.missing,
    )


def _pictures(kept: Sequence[Plane], copies: Copies, warnings: tuple[str, ...]) -> DicomSeries:
    planes = tuple(dicom_picture.in_order(kept))
    grid, doubts = dicom_picture.grid_of(planes)
    return DicomSeries(
        instances=unique(planes),
        duplicates=copies,
        grid=grid,
        warnings=(*warnings, *doubts),
        refusal=None,
        planes=planes,
        slices="pictures",
    )


def _refused(
    instances: tuple[Instance, ...], err: InputError, warnings: tuple[str, ...] = ()
) -> DicomSeries:
    return DicomSeries(instances, (), None, warnings, err)


def _refused_together(failed: Sequence[Failed]) -> list[DicomSeries]:
    """Put files of one series that fail for one reason together."""
    groups: dict[tuple[object, ...], list[Failed]] = {}
    for one in failed:
        groups.setdefault((*_rank(one.instance), one.err.message), []).append(one)
    return [
        _refused(tuple(one.instance for one in several), several[0].err)
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
            files = "1 file" if number == 1 else f"{number} files"
            doubt = f"{files} of this series cannot be read."
            told.append(replace(one, warnings=(*one.warnings, doubt)))
        else:
            told.append(one)
    return told


def _with_counts(found: Sequence[DicomSeries]) -> list[DicomSeries]:
    """Say in what is read of a series that its headers count more than its files hold."""
    planes: dict[tuple[object, ...], list[Plane]] = {}
    refused = {_rank(one.instances[0]) for one in found if one.refusal is not None}
    for one in found:
        planes.setdefault(_rank(one.instances[0]), []).extend(one.planes)
    doubts = {
        key: losses(several) if several and key not in refused else ()
        for key, several in planes.items()
    }
    return [
        replace(one, warnings=(*one.warnings, *doubts[_rank(one.instances[0])]))
        for one in found
    ]
