"""DICOM files -> series -> Volume.

Headers are walked fast (`io.dicom_walk`, odd ones by `io.dicom_odd`), grouped, sorted into
volumes and placed (`io.dicom_series`), and pixels are read in one pass (`io.dicom_pixels`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy.typing as npt

from napari_medlabel.errors import InputError
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.dicom.frames.plane import Plane
from napari_medlabel.io.dicom.header import odd as dicom_odd
from napari_medlabel.io.dicom.header.elements import OddFileError
from napari_medlabel.io.dicom.header.instance import SIGNED, SOP_CLASS, Instance, text
from napari_medlabel.io.dicom.header.walk import Memory, walk, walk_open
from napari_medlabel.io.dicom.pixels import lazy as dicom_lazy
from napari_medlabel.io.dicom.pixels.coding import GREY, coding_of
from napari_medlabel.io.dicom.pixels.fill import Filled, fill
from napari_medlabel.io.dicom.series.check import missing_of
from napari_medlabel.io.dicom.series.copies import pixel_digest
from napari_medlabel.io.dicom.series.group import is_image
from napari_medlabel.io.dicom.series.series import DicomSeries, arrange
from napari_medlabel.model.volume import FurtherAxis, Source, Volume

Progress = Callable[[int, int], None]
_TOLD_EVERY: Final = 50
_STORAGE: Final = b"1.2.840.10008.5.1.4.1.1."
_MARKS: Final = {
    _STORAGE + b"66.4": "segmentation",
    _STORAGE + b"66.7": "segmentation",
    _STORAGE + b"481.3": "structure set",
}
_REPORTS: Final = _STORAGE + b"88."


@dataclass(frozen=True, repr=False)
class MarkFile:
    """A file that marks something in a scan.

    Parameters
    ----------
    path : Path
        The file.
    kind : str
        ``"segmentation"``, ``"structure set"`` or ``"report"``.
    """

    path: Path
    kind: str

    def __repr__(self) -> str:
        return f"MarkFile({self.kind})"


@dataclass(frozen=True)
class DicomSurvey:
    """What a set of files holds.

    Parameters
    ----------
    series : tuple of DicomSeries
        In a stable order.
    marks : tuple of MarkFile
        Segmentations, structure sets and reports, in the order of the files.
    skipped : int
        Other DICOM objects that are no images: plans, presentation states, indexes.
    unreadable : int
        Files that look like DICOM and cannot be read.
    """

    series: tuple[DicomSeries, ...]
    marks: tuple[MarkFile, ...]
    skipped: int
    unreadable: int


class Search:
    """Collects headers one by one, for those who open files anyway; `find` is made of it."""

    def __init__(self) -> None:
        self._images: list[Instance] = []
        self._marks: list[MarkFile] = []
        self._skipped = self._unreadable = 0
        self._memory: Memory = {}

    def add(self, path: Path) -> None:
        """Read the header of a file that looks like DICOM."""
        try:
            self._sort(path, read_instance(path, self._memory))
        except OSError:
            self._unreadable += 1

    def add_open(self, file: str, descriptor: int, head: bytes) -> None:
        """Read the header of such a file that is open.

        Parameters
        ----------
        file : str
            Its path.
        descriptor : int
            Of the open file; it stays open.
        head : bytes
            Its first `io.dicom_walk.FIRST_BLOCK` bytes, fewer where it is shorter.
        """
        status = os.fstat(descriptor)
        try:
            one: Instance | None = walk_open(
                file, descriptor, head, status.st_size, self._memory
            )
        except (OddFileError, OSError):
            self.add(Path(file))
        else:
            self._sort(file, one if one is not None and one.fields else None)

    def _sort(self, file: str | Path, one: Instance | None) -> None:
        if one is None:
            self._unreadable += 1
            return
        kind = _mark_kind(one.fields.get(SOP_CLASS, b""))
        if kind is not None:
            self._marks.append(MarkFile(Path(file), kind))
        elif is_image(one.fields, has_pixels=one.has_pixels):
            self._images.append(one)
        else:
            self._skipped += 1

    def survey(self) -> DicomSurvey:
        """Arrange the images that were collected."""
        series = tuple(arrange(self._images))
        return DicomSurvey(series, tuple(self._marks), self._skipped, self._unreadable)


def find(files: Sequence[Path], *, progress: Progress | None = None) -> DicomSurvey:
    """Read the headers of files that look like DICOM, and arrange the images among them.

    Parameters
    ----------
    files : sequence of Path
        Regular files.
    progress : callable, optional
        Called at least every hundred files with how many are done and how many there are.
        What it raises ends the search.
    """
    search = Search()
    for done, path in enumerate(files):
        if progress is not None and done % _TOLD_EVERY == 0:
            progress(done, len(files))
        search.add(path)
    survey = search.survey()
    if progress is not None and files:
        progress(len(files), len(files))
    return survey


def read_instance(path: Path, memory: Memory | None = None) -> Instance | None:
    """Read one header; None when it cannot be understood.

    Parameters
    ----------
    path : Path
        The file.
    memory : dict, optional
        See `io.dicom_walk.walk`.

    Raises
    ------
    OSError
        When it cannot be opened, or is a pipe or a device.
    """
    try:
        one = walk(path, memory)
    except OddFileError:
        return dicom_odd.read_header(path)
    return one if one.fields else None


@lru_cache(maxsize=256)
def _mark_kind(sop_class: bytes) -> str | None:
    raw = sop_class.rstrip(b"\0 ")
    return "report" if raw.startswith(_REPORTS) else _MARKS.get(raw)


def load(
    series: DicomSeries,
    *,
    progress: Progress | None = None,
    hashes: bool = True,
    values: str = "rescaled",
    preview: Callable[[Volume], None] | None = None,
) -> Volume:
    """Read the voxels of a series.

    Parameters
    ----------
    series : DicomSeries
        As `find` returned it.
    progress : callable, optional
        Called with slices done and slices in all. What it raises ends the reading.
    hashes : bool
        Whether to compute the SHA-256 of each file.
    values : str
        What stored values are turned into; see `io.dicom_values`.
    preview : callable, optional
        Called once, in this thread, as soon as the middle slice is in place, with a volume
        whose array is still being filled.

    Raises
    ------
    InputError
        When it cannot be read whole.
    """
    grid = series.grid
    if series.refusal is not None or grid is None:
        raise series.refusal or InputError(
            "The series has no geometry.", hint="Export the series again from its source."
        )
    _require_equal(series.duplicates)
    _require_signs(series.planes)

    slices, missing = grid.shape[2], series.missing
    is_lazy = dicom_lazy.is_lazy(series.planes, series.volumes, slices)
    further = None
    if is_lazy:
        further = dicom_lazy.lazy_volumes(
            series.planes, volumes=series.volumes, slices=slices, missing=missing, values=values
        )
    at_once = 1 if is_lazy else series.volumes

    def show(array: npt.NDArray[Any]) -> None:
        if preview is not None:
            early = Filled(array, None, (), (), "")
            preview(_volume(series, grid, early, further, values))

    filled = fill(
        series.planes[: len(series.planes) // series.volumes * at_once],
        volumes=at_once,
        slices=slices,
        missing=missing,
        progress=progress,
        hashes=hashes and not is_lazy,
        values=values,
        preview=None if preview is None else show,
    )
    if is_lazy and hashes:
        digests = dicom_lazy.hash_files(series.instances, progress=progress)
        filled = replace(filled, sha256=digests)
    return _volume(series, grid, filled, further, values)


def _volume(series: DicomSeries, grid: Grid, filled: Filled, lazy: Any, values: str) -> Volume:
    first = series.planes[0]
    further, array = None, filled.array[0].T
    if series.axis is not None:
        volumes = filled.array.transpose(3, 2, 1, 0) if lazy is None else lazy
        array = array.astype(volumes.dtype, copy=False)
        further = FurtherAxis(*series.axis, volumes)
    return Volume(
        grid,
        array,
        _source(series, filled.sha256, grid.shape[2]),
        modality=first.instance.modality,
        warnings=series.warnings + filled.warnings,
        window=_window(series.planes, values),
        is_oriented=series.slices == "places",
        further=further,
        colour=None if filled.colour is None else filled.colour.transpose(2, 1, 0, 3),
        missing=series.missing,
        is_inverted=first.instance.photometric == "MONOCHROME1",
        quantity=filled.quantity,
        slices=series.slices,
    )


def _window(planes: Sequence[Plane], values: str) -> tuple[float, float] | None:
    """Return centre and width in the values that are read; None where none is known for them.

    The header's window is one of rescaled values (PS3.3 C.11.2.1.2). Stored ones have it too,
    where one rescale leads from them to those; of others nothing is known.
    """
    first = planes[0]
    if values == "rescaled" or first.window is None:
        return first.window
    scales = {(one.slope, one.intercept) for one in planes}
    is_table = any(one.instance.has_modality_lut for one in planes)
    if values != "stored" or is_table or len(scales) > 1 or not first.slope:
        return None
    centre, width = first.window
    return (centre - first.intercept) / first.slope, width / abs(first.slope)


def _source(series: DicomSeries, digests: tuple[str, ...], slices: int) -> Source:
    numbers = {id(one): n for n, one in enumerate(series.instances)}
    missing = set(series.missing)
    planes: list[tuple[int, int]] = []
    uids: list[str] = []
    present = iter(series.planes)
    for _ in range(series.volumes):
        for k in range(slices):
            if k in missing:
                planes.append((-1, -1))
                uids.append("")
                continue
            plane = next(present)
            planes.append((numbers[id(plane.instance)], plane.frame))
            uids.append(plane.instance.sop_uid)
    first = series.instances[0]
    return Source(
        format="dicom",
        files=tuple(one.path for one in series.instances),
        sha256=digests,
        series_uid=first.series_uid or None,
        sop_instance_uids=tuple(uids),
        patient_id=_name(first, first.patient_id),
        issuer=_name(first, first.issuer),
        planes=tuple(planes),
    )


def _require_equal(duplicates: Sequence[tuple[Instance, Instance]]) -> None:
    """Refuse copies that are not copies: one of the two images would vanish."""
    for copy, kept in duplicates:
        if pixel_digest(copy) != pixel_digest(kept):
            raise InputError(
                "Two files claim to be the same image (SOP Instance UID) at the same position, "
                "and their pixels differ.",
                hint="Keep the right one of the two and move the other one away.",
            )


def _require_signs(planes: Sequence[Plane]) -> None:
    """Refuse values that could be positive or negative, where the header does not say which."""
    doubted = []
    for plane in planes:
        if SIGNED in missing_of(plane.instance):
            coding = coding_of(plane.instance)
            if coding.samples == 1 and coding.photometric in GREY and coding.stored > 1:
                doubted.append(plane)
    for start in range(0, len(doubted), _TOLD_EVERY):
        some = doubted[start : start + _TOLD_EVERY]
        stored = fill(
            some, volumes=1, slices=len(some), progress=None, hashes=False, values="stored"
        ).array
        lowest = min(coding_of(plane.instance).stored for plane in some)
        if int(stored.max()) >= 1 << lowest - 1:
            raise InputError(
                "Pixel Representation is missing, and some values could be positive or "
                "negative.",
                hint="Export the series again from its source.",
            )


def _name(one: Instance, raw: bytes) -> str | None:
    """Decode an identifier by the file's character set."""
    if not raw:
        return None
    if raw.isascii() and b"\x1b" not in raw:
        return raw.decode("ascii")
    from pydicom.charset import convert_encodings, decode_bytes

    encodings = convert_encodings(text(one.charset).split("\\"))
    return str(decode_bytes(raw, encodings, set()))
