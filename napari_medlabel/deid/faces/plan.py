"""Before a batch: find the faces of its head scans, series by series, one volume at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.deid.faces.brain_masks import BrainMasks, read_masks
from napari_medlabel.deid.faces.ct import is_hounsfield
from napari_medlabel.deid.faces.doubt import Doubt, FaceUnsure
from napari_medlabel.deid.faces.field import coarse
from napari_medlabel.deid.faces.finding import find_face
from napari_medlabel.deid.faces.none import THIN_MM, TOMOGRAPHY, is_other_part, is_trunk
from napari_medlabel.deid.faces.store import NAME, FaceStore, Place, Stored, Verdict, Writer
from napari_medlabel.deid.refusal import PARSE_ERRORS
from napari_medlabel.errors import InputError

if TYPE_CHECKING:
    from napari_medlabel.io.dicom.frames.plane import Plane
    from napari_medlabel.io.dicom.header.instance import Instance
    from napari_medlabel.io.dicom.series.series import DicomSeries
    from napari_medlabel.model.volume import Volume

Progress = Callable[[int, int], None]
_PART: Final = 0x00180015
_INSTANCE: Final = 0x00080018


def _silent(*_: object) -> None:
    return None


def plan_faces(
    files: Iterable[Path],
    staging: Path,
    *,
    brain_masks: Path | None = None,
    progress: Progress = _silent,
) -> FaceStore:
    """Look at all CT, MR and PET among some files, and write down what is to be blanked.

    Parameters
    ----------
    files : iterable of Path
        DICOM files; others are passed over. They are read only.
    staging : Path
        Folder for the store; an older store in it is replaced.
    brain_masks : Path, optional
        Folder with masks of brains as NIfTI, each on the grid of its scan.
    progress : callable
        ``(done, total)``; what it raises ends the search.

    Returns
    -------
    FaceStore
        A verdict for each image, segmentation, structure set and report among them. The
        latter three count as no heads: whose outline they hold is not looked at.

    Raises
    ------
    InputError
        When the folder of masks cannot be used.
    """
    from napari_medlabel.io.dicom.reading import find

    masks = read_masks(brain_masks)
    named = list(files)
    survey = find(named, progress=lambda done, total: progress(done, 2 * total))
    writer = Writer(staging / NAME)
    thin = _thin_places(survey.series)
    done = len(named)
    for series in survey.series:
        _judge(series, writer, masks, thin)
        done = min(done + len(series.instances), 2 * len(named))
        progress(done, 2 * len(named))
    for mark in survey.marks:
        writer.judge(Stored(_text(mark.path, _INSTANCE), 1, 0, 0), Verdict.NOT_A_HEAD)
    return writer.done()


@dataclass(frozen=True)
class _Answer:
    """What is known of one series."""

    verdict: Verdict
    doubt: Doubt | None = None
    cut: Any = None


def _judge(
    series: DicomSeries, writer: Writer, masks: BrainMasks, thin: frozenset[str]
) -> None:
    """Write down what is known of all instances of one series."""
    answer = _answer(series, masks, thin)
    writer.series(answer.verdict, answer.doubt)
    copies = [copy for copy, _ in series.duplicates]
    for one in [*series.instances, *copies]:
        writer.judge(_stored(one), answer.verdict, answer.doubt)
    if answer.cut is None or series.grid is None:
        return
    number = writer.cut(answer.cut)
    slices = series.grid.shape[2]
    for n, plane in enumerate(series.planes):
        place = _place(plane, series.grid.affine.matrix, n % slices)
        writer.place(plane.instance.sop_uid, place, number)


def _answer(series: DicomSeries, masks: BrainMasks, thin: frozenset[str]) -> _Answer:
    first = series.instances[0]
    if first.modality and first.modality not in TOMOGRAPHY:
        return _Answer(Verdict.NOT_A_HEAD)
    if all(is_other_part(_part(one)) for one in _some(series.instances)):
        return _Answer(Verdict.NOT_A_HEAD)
    if series.grid is None or series.slices != "places":
        return _Answer(Verdict.UNSURE, Doubt.NOT_A_VOLUME)
    if first.frame_of_reference in thin:
        return _Answer(Verdict.NO_FACE)
    try:
        return _looked_at(series, masks)
    except FaceUnsure as err:
        return _Answer(Verdict.UNSURE, err.doubt)


def _looked_at(series: DicomSeries, masks: BrainMasks) -> _Answer:
    from napari_medlabel.io.dicom.reading import load

    if series.missing:
        raise FaceUnsure(Doubt.MISSING_SLICES)
    try:
        volume = load(series, hashes=False)
    except (InputError, *PARSE_ERRORS) as err:
        raise FaceUnsure(Doubt.NOT_A_VOLUME) from err
    return _in_volume(volume, masks)


def _in_volume(volume: Volume, masks: BrainMasks) -> _Answer:
    if volume.colour is not None:
        raise FaceUnsure(Doubt.COLOUR)
    matrix = volume.grid.affine.matrix
    brain = masks.fitting(volume.grid)
    if brain is None and volume.modality == "CT" and shows_trunk(volume.array, matrix):
        return _Answer(Verdict.NO_FACE)
    found = find_face(volume.array, matrix, modality=volume.modality, brain=brain)
    return _Answer(Verdict.DONE, cut=found.cut)


def shows_trunk(array: npt.NDArray[Any], matrix: npt.NDArray[np.float64]) -> bool:
    """Whether a CT certainly shows no head, whatever its header says."""
    return is_hounsfield(array) and is_trunk(coarse(array, matrix))


def _some(instances: Sequence[Instance]) -> list[Instance]:
    """Return the first, the middle and the last of a series."""
    return [instances[n] for n in sorted({0, len(instances) // 2, len(instances) - 1})]


def _part(one: Instance) -> str:
    """Body Part Examined; empty when there is none that can be read."""
    return _text(one.path, _PART)


def _text(path: Path, tag: int) -> str:
    """Return one attribute of a file; empty when there is none that can be read."""
    from pydicom import dcmread

    try:
        header = dcmread(path, stop_before_pixels=True, force=True, specific_tags=[tag])
        return str(header[tag].value) if tag in header else ""
    except PARSE_ERRORS:
        return ""


def _stored(one: Instance) -> Stored:
    return Stored(one.sop_uid, max(one.frames, 1), one.rows, one.columns)


def _place(plane: Plane, matrix: npt.NDArray[np.float64], k: int) -> Place:
    """Where a plane of a volume lies: the volume's grid, at one slice."""
    at = np.array(matrix)
    at[:3, 3] = matrix[:3, 3] + k * matrix[:3, 2]
    top, left = plane.tile or (0, 0)
    return Place(plane.frame, top, left, plane.rows, plane.columns, at)


def _thin_places(series: Iterable[DicomSeries]) -> frozenset[str]:
    """Frames of reference in which all planes together reach over a few millimetres only.

    Series are not looked at one by one: a face could be put together of several.
    """
    reach: dict[str, list[float]] = {}
    for one in series:
        frame = one.instances[0].frame_of_reference
        heights = reach.setdefault(frame, [])
        if one.grid is None or one.slices != "places":
            heights.extend((-np.inf, np.inf))
        else:
            heights.extend(float(z) for z in one.grid.corners_ras()[:, 2])
    return frozenset(
        frame for frame, z in reach.items() if frame and max(z) - min(z) <= THIN_MM
    )
