"""A reviewer's corrections: on every layer, put together, compared, and submitted as one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from napari_medlabel.errors import RefusedError
from napari_medlabel.export.landmarks import load_landmarks
from napari_medlabel.export.mask import load_mask
from napari_medlabel.measure.labels import label_change
from napari_medlabel.model.landmarks import LandmarkSet
from napari_medlabel.model.volume import Volume
from napari_medlabel.project.cases.version import (
    Pins,
    next_version,
    read_landmarks,
    read_version,
)
from napari_medlabel.project.cases.versions import Labelled, write_version
from napari_medlabel.project.layout import CaseId
from napari_medlabel.project.ontology.document import read_ontology
from napari_medlabel.project.work.fold import SlotState
from napari_medlabel.session.boxing import open_boxes
from napari_medlabel.session.case import MASK_FILE
from napari_medlabel.session.study.delivering import take_step_with_files
from napari_medlabel.session.study.reviewing import (
    about,
    require_in_own_review,
    require_reviewed,
)
from napari_medlabel.session.study.same_work import (
    find_same,
    has_same_beside,
    has_same_work,
)
from napari_medlabel.session.study.seat import (
    Reading,
    Seat,
    at_reading,
    look,
    require_role,
    step_event,
    take_step,
)
from napari_medlabel.session.study.sheets import sheet_folder
from napari_medlabel.session.study.submitted import labels_on, with_sheet
from napari_medlabel.session.study.telling import beside, with_sheets
from napari_medlabel.session.study.whole import told_same, told_whole, with_whole
from napari_medlabel.session.study.working import rules_now
from napari_medlabel.session.trailing import read_origins

_MOST_LABELS = 64
_LANDMARKS = "landmarks.mrk.json"


def correct(seat: Seat, case: CaseId, slot: str, scan: Volume, labelled: Labelled) -> SlotState:
    """Put corrected work in the place of the annotator's; somebody else approves it.

    It is a version in the reviewer's own data set; the annotator's stays.

    Parameters
    ----------
    scan : Volume
        The study's scan, read with its hashes.
    labelled : Labelled
        The corrected work, the masks of all layers.

    Raises
    ------
    RefusedError
        As `reviewing.approve`; and when nothing differs from what was submitted.
    SaveError, LogError
        As `submitting.submit`.
    """
    require_role(seat, "reviewer")
    pins = Pins(*rules_now(seat))
    ontology = read_ontology(seat.layout.ontology)
    with at_reading(seat, case, slot) as at:
        require_reviewed(seat, at)
        if _is_corrected(seat, at, labelled):
            return at.now
        require_in_own_review(seat, at)
        labels = _corrected(seat, at, scan, labelled)
        told_whole(seat, at)  # what is corrected is what was submitted
        same = told_same(at.steps, seat, find_same(seat, case, labelled, pins))
        number = (
            next_version(seat.layout, seat.rater.code, case) if same is None else same.number
        )
        detail = {**about(at), "labels": labels, "version": number, **beside(labelled)}
        content = labelled.labels.content_id()
        event = with_sheets(step_event(at, "correct", detail, content=content), labelled)

        def write(announce: Callable[[str], object]) -> None:
            write_version(
                seat.layout,
                seat.rater.code,
                case,
                number,
                labelled,
                scan=scan,
                ontology=ontology,
                pins=pins,
                time=seat.desk.time(),
                announce=announce,
            )

        if same is None:
            take_step_with_files(seat, at, event, number, write)
        else:
            take_step(seat, with_whole(seat, event, same))
        return look(seat, case, slot).now


def with_saved(work: Labelled, folder: Path, sheet: int) -> Labelled:
    """Return work with what its reviewer has saved on the layers that are not open.

    What was drawn on a layer is saved before another is opened, so nothing of it is missing.

    Parameters
    ----------
    work : Labelled
        As it was submitted.
    folder : Path
        Of the open layer's work.
    sheet : int
        The open layer; landmarks are those of the first.

    Raises
    ------
    InputError, GeometryError
        When something there cannot be read, or lies on another grid.
    """
    first, grid = folder.parent if sheet else folder, work.labels.grid
    for layer in sorted({0, *work.sheets} - {sheet}):
        place = sheet_folder(first, layer)
        if not (place / MASK_FILE).is_file():
            continue
        before = labels_on(work, layer)
        labels = load_mask(place / MASK_FILE, grid, scheme=before.scheme)
        if label_change(before.array, labels.array).labels:
            origins, _ = read_origins(place, grid, labels.content_id())
            work = with_sheet(work, layer, labels, origins)
    if sheet and (first / _LANDMARKS).is_file():
        marks = load_landmarks(first / _LANDMARKS)
        if marks_differ(work.landmarks, marks):
            work = replace(work, landmarks=marks)
    if sheet and (boxes := open_boxes(first, grid)) is not None:
        work = replace(work, boxes=boxes)
    return work


def marks_differ(before: LandmarkSet | None, now: LandmarkSet | None) -> bool:
    """Tell whether landmarks were placed, moved or taken away; open ones do not count."""
    told = [
        {
            (mark.name, mark.point_ras, mark.state, mark.uncertain_mm)
            for mark in marks or LandmarkSet()
            if not mark.is_open
        }
        for marks in (before, now)
    ]
    return told[0] != told[1]


def changed_labels(before: Labelled, now: Labelled) -> frozenset[int]:
    """Return the values of labels whose voxels differ, on any layer.

    Raises
    ------
    InputError
        When what was submitted lacks a layer.
    """
    values: set[int] = set()
    for layer in (0, *now.sheets):
        first, second = labels_on(before, layer), labels_on(now, layer)
        if first is not second:
            values |= set(label_change(first.array, second.array).labels)
    return frozenset(values)


def _is_corrected(seat: Seat, at: Reading, labelled: Labelled) -> bool:
    if at.now.state != "corrected" or at.now.content != labelled.labels.content_id():
        return False
    version = read_version(seat.layout, seat.code_of(at.now.maker), at.case, at.now.version)
    return has_same_work(seat.layout, version, labelled)


def _corrected(seat: Seat, at: Reading, scan: Volume, labelled: Labelled) -> list[int]:
    """Return the values of labels that a correction changes."""
    from napari_medlabel.session.study.readings import masks_of

    maker = seat.code_of(at.now.maker)
    before = read_version(seat.layout, maker, at.case, at.now.version)
    masks = masks_of(seat.layout, before, scan.grid)
    values: set[int] = set()
    further = {layer: one.labels for layer, one in labelled.sheets.items()}
    for layer, now in {0: labelled.labels, **further}.items():
        if layer not in masks:  # made before the ontology had labels there
            values |= set(now.voxel_counts())
        else:
            values |= set(label_change(masks[layer].array, now.array).labels)
    if (
        not values
        and not marks_differ(read_landmarks(seat.layout, before), labelled.landmarks)
        and has_same_beside(seat.layout, before, labelled)
    ):
        raise RefusedError(
            "A correction was expected, and it is what was submitted.",
            hint="Approve it, or send it back.",
        )
    return sorted(values)[:_MOST_LABELS]
