"""What is under review, as it was submitted, against what its reviewer made on every layer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from napari_medlabel.errors import RefusedError
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.measure.labels import label_change
from napari_medlabel.model.boxes import BoxSet
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.model.landmarks import LandmarkSet
from napari_medlabel.project.cases.versions import Labelled
from napari_medlabel.project.layout import CaseId
from napari_medlabel.project.ontology.document import read_ontology
from napari_medlabel.project.reading.provenance import Map
from napari_medlabel.project.work.fold import SlotState
from napari_medlabel.session.study.correcting import changed_labels, marks_differ, with_saved
from napari_medlabel.session.study.seat import Seat, look
from napari_medlabel.session.study.submitted import labels_on, submitted_work, with_sheet
from napari_medlabel.widgets.study.review_rows import WHOLE, ReviewRow


@dataclass(frozen=True, eq=False)
class Under:
    """What is under review, as it was submitted.

    Parameters
    ----------
    now : SlotState
        How it stands.
    is_own : bool
        Whether who sits here made it.
    work : Labelled or None
        All that was submitted; None where nothing is to be corrected.
    elsewhere : frozenset of int
        Labels that the reviewer has corrected on layers that are not open.
    others : tuple of ReviewRow
        Labels of the layers that are not open, as the reviewer has them.
    """

    now: SlotState
    is_own: bool
    work: Labelled | None = None
    elsewhere: frozenset[int] = frozenset()
    others: tuple[ReviewRow, ...] = ()


@dataclass(frozen=True, eq=False)
class Shown:
    """What its reviewer has on the screen.

    Parameters
    ----------
    sheet : int
        The layer that is open.
    folder : Path
        Where it is saved.
    array : ndarray, shape (i, j, k)
        Its labels.
    landmarks : LandmarkSet or None
        None where another layer than the first is open.
    boxes : BoxSet or None
        None where they could not be read.
    origins : ndarray of uint8, shape (i, j, k), or None
        Where its voxels come from.
    """

    sheet: int
    folder: Path
    array: Any
    landmarks: LandmarkSet | None
    boxes: BoxSet | None
    origins: Map | None = None


def look_under(seat: Seat, reading: Any, grid: Grid | None) -> Under:
    """Return what is under review; without a grid only how it stands.

    Raises
    ------
    InputError, GeometryError, RefusedError
        As `submitted_work`.
    """
    case: CaseId = reading.case
    at = look(seat, case, reading.slot)
    is_own = bool(seat.users & {at.now.user, at.now.maker})
    if grid is None or not at.now.version:
        return Under(at.now, is_own)
    work = submitted_work(seat, case, reading.slot, grid)
    if reading.sheet:
        labels_on(work, reading.sheet)  # refused where nothing was submitted on that layer
    kept = with_saved(work, reading.session.place.folder, reading.sheet)
    elsewhere = changed_labels(work, kept)
    if kept.landmarks is not work.landmarks or (kept.boxes or BoxSet()) != (
        work.boxes or BoxSet()
    ):
        elsewhere |= {WHOLE}
    rows = _rows(seat, kept, reading)
    return Under(at.now, is_own, work, elsewhere, rows)


def _rows(seat: Seat, kept: Labelled, reading: Any) -> tuple[ReviewRow, ...]:
    """Return the labels of the layers that are not open."""
    volume = reading.session.volume
    voxel_ml = volume.grid.affine.voxel_ml if volume.slices == "places" else None
    rows = []
    masks = {0: kept.labels, **{layer: one.labels for layer, one in kept.sheets.items()}}
    for label in read_ontology(seat.layout.ontology).labels:
        if label.layer == reading.sheet or label.layer not in masks:
            continue
        voxels = masks[label.layer].voxel_counts().get(label.value, 0)
        ml = None if voxel_ml is None else voxels * voxel_ml
        rows.append(ReviewRow(label.value, label.name, label.colour, voxels, ml))
    return tuple(rows)


def shown_of(reading: Any, *, copies: bool = False) -> Shown:
    """Return what is on the screen; to be called where it cannot change meanwhile.

    Parameters
    ----------
    copies : bool
        Whether the labels are to stay as they are now; else they are only to be compared.
    """
    session = reading.session
    array, origins = session.labels.array, None
    if copies:
        session.reconcile()
        array = session.labels.array.T.copy().T
        origins = None if session.trail is None else session.trail.trail.map()
    marks = None if reading.sheet else session.landmarks
    boxes = session.boxing.boxes if session.boxing.is_open else None
    return Shown(reading.sheet, session.place.folder, array, marks, boxes, origins)


def has_moved(submitted: Labelled | None, shown: Shown) -> bool:
    """Tell whether landmarks or boxes are others than those that were submitted."""
    if submitted is None:
        return False
    boxes = submitted.boxes or BoxSet()
    if shown.boxes is not None and shown.boxes != boxes:
        return True
    return shown.landmarks is not None and marks_differ(submitted.landmarks, shown.landmarks)


def labels_changed(submitted: Labelled, shown: Shown) -> frozenset[int]:
    """Return the values of labels that are others on the layer that is open."""
    before = labels_on(submitted, shown.sheet)
    return frozenset(label_change(before.array, shown.array).labels)


def corrected_work(submitted: Labelled, shown: Shown) -> Labelled:
    """Return what was submitted with all that its reviewer made of it, on every layer.

    Raises
    ------
    InputError, GeometryError
        As `with_saved`.
    """
    work = with_saved(submitted, shown.folder, shown.sheet)
    before = labels_on(work, shown.sheet)
    labels = LabelMap(before.grid, shown.array, before.scheme)
    work = with_sheet(work, shown.sheet, labels, shown.origins)
    if shown.landmarks is not None and marks_differ(work.landmarks, shown.landmarks):
        work = replace(work, landmarks=shown.landmarks)
    if shown.boxes is not None and shown.boxes != (work.boxes or BoxSet()):
        work = replace(work, boxes=shown.boxes)
    return work


def require_same(submitted: Labelled, shown: Shown) -> None:
    """Refuse to approve what was submitted while the reviewer has made something else.

    Raises
    ------
    RefusedError
        Whatever layer it is on.
    """
    kept = with_saved(submitted, shown.folder, shown.sheet)
    is_moved = has_moved(submitted, shown) or kept.landmarks is not submitted.landmarks
    if is_moved or labels_changed(submitted, shown) or changed_labels(submitted, kept):
        raise RefusedError(
            "You changed the mask, and what was submitted would be approved without that.",
            hint="Submit your corrections with Correct, or undo them and approve.",
        )
