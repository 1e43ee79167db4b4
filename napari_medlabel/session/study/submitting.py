"""Submitting a reading: rules first, then files and log, once, whatever breaks in between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.export.landmarks import load_landmarks
from napari_medlabel.export.mask import load_mask
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.model.volume import Volume
from napari_medlabel.project.cases.version import (
    BOXES,
    Pins,
    Version,
    next_version,
    read_version,
)
from napari_medlabel.project.cases.versions import Labelled, Sheet, write_version
from napari_medlabel.project.layout import CaseId, Layout
from napari_medlabel.project.ontology.document import read_ontology
from napari_medlabel.project.ontology.ontology import Ontology
from napari_medlabel.project.ontology.questions import check_answers
from napari_medlabel.project.reading.gold import GoldScore
from napari_medlabel.project.settings import read_settings
from napari_medlabel.project.work import claims
from napari_medlabel.project.work.notes import WorkNotes
from napari_medlabel.project.work.rules import Complaint, check_sheets
from napari_medlabel.session.boxing import open_boxes
from napari_medlabel.session.case import MASK_FILE
from napari_medlabel.session.study.delivering import take_step_with_files
from napari_medlabel.session.study.folders import close_folder
from napari_medlabel.session.study.left_over import left_by_crash
from napari_medlabel.session.study.same_work import find_same
from napari_medlabel.session.study.scoring import score_at_once
from napari_medlabel.session.study.seat import (
    Reading,
    Seat,
    at_reading,
    require_reason,
    require_role,
    step_event,
    take_step,
)
from napari_medlabel.session.study.serving import work_folder
from napari_medlabel.session.study.sheets import notes_of_sheets, open_sheets
from napari_medlabel.session.study.telling import beside, with_sheets
from napari_medlabel.session.study.whole import told_same, with_whole
from napari_medlabel.session.study.working import require_own, rules_now
from napari_medlabel.session.trailing import read_origins

_MOST_LABELS: Final = 64
_LANDMARKS: Final = "landmarks.mrk.json"
_ORIGINS: Final = {
    "human": 1,
    "assisted_kept": 2,
    "assisted_edited": 3,
    "interpolated": 4,
}


class ComplaintsError(RefusedError):
    """A reading is not as the ontology wants it.

    Parameters
    ----------
    complaints : tuple of Complaint
        What to look at, each with its place.
    """

    def __init__(self, complaints: tuple[Complaint, ...]) -> None:
        blocking = sum(one.blocks for one in complaints)
        hint = "Look at each; what is right as it is can be submitted with a reason."
        one = len(complaints) == 1
        count = "One thing is" if one else f"{len(complaints)} things are"
        super().__init__(
            f"{count} not as the study wants: {complaints[0].words}",
            hint="Some need an answer or a drawing before it can be submitted."
            if blocking
            else hint,
        )
        self.complaints = complaints


@dataclass(frozen=True, eq=False)
class Submission:
    """What is submitted.

    Parameters
    ----------
    labelled : Labelled
        Mask, landmarks, answers, provenance.
    notes : WorkNotes
        Time, slices shown, what is absent; its answers are not read.
    words : tuple of str
        What a person should know of it before, in sentences.
    """

    labelled: Labelled
    notes: WorkNotes = field(default_factory=WorkNotes)
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Submitted:
    """What became of a submission.

    Parameters
    ----------
    version : Version
        The version.
    is_new : bool
        False where the very same was submitted before: nothing was written.
    complaints : tuple of Complaint
        What it was submitted in spite of.
    gold : GoldScore or None
        How it went against the truth, where the case has one and the study lets its readers
        know; the log has it in any case.
    """

    version: Version
    is_new: bool
    complaints: tuple[Complaint, ...] = ()
    gold: GoldScore | None = None


def open_work(
    layout: Layout, rater: str, case: CaseId, scan: Volume, slot: str = ""
) -> Submission:
    """Return the open work of a rater on a case as it lies on the disk.

    Parameters
    ----------
    scan : Volume
        The study's scan.
    slot : str
        Which reading; empty for one of the study's own.

    Raises
    ------
    InputError
        When nothing is saved, or it cannot be read.
    GeometryError
        When the mask does not lie on the scan's grid.
    """
    slots = read_settings(layout.project).slots
    folder = work_folder(layout, rater, case, slot, slots)
    scheme = read_ontology(layout.ontology).scheme()
    mask, marks = folder / MASK_FILE, folder / _LANDMARKS
    if mask.is_file():
        labels = load_mask(mask, scan.grid, scheme=scheme)
    elif any((folder / name).is_file() for name in (_LANDMARKS, "notes.json", BOXES)):
        labels = LabelMap.empty(scan.grid, scheme)
    else:
        raise InputError(
            "Nothing is saved of this reading.", hint="Open it, save it, and submit it then."
        )
    origins, words = read_origins(folder, scan.grid, labels.content_id())
    notes = notes_of_sheets(layout, folder)
    landmarks = load_landmarks(marks) if marks.is_file() else None
    boxes = open_boxes(folder, scan.grid) or None
    sheets, more = open_sheets(layout, folder, scan)
    labelled = Labelled(labels, landmarks, notes.answers or None, origins, boxes, sheets)
    return Submission(labelled, notes, tuple(one for one in (words, *more) if one))


def look_before_submit(
    seat: Seat, scan: Volume, submission: Submission
) -> tuple[Complaint, ...]:
    """Return what the study's rules have to say; see `check_before_submit`."""
    return _complaints(read_ontology(seat.layout.ontology), scan, submission)


def submit(
    seat: Seat,
    case: CaseId,
    slot: str,
    scan: Volume,
    submission: Submission,
    *,
    reason: str = "",
    is_open: int | None = None,
) -> Submitted:
    """Submit a reading; the same again, as after a crash, is recognised and done once.

    Parameters
    ----------
    scan : Volume
        The study's scan, read with its hashes.
    submission : Submission
        What is submitted.
    reason : str
        Code of why it is right in spite of complaints; they are refused without.
    is_open : int, optional
        The layer that is open in a window: what a crash left of it is offered there.

    Raises
    ------
    ComplaintsError
        When something is not as the ontology wants it, and no reason is given or would do; or
        when a crash left work of it that is not saved.
    RefusedError
        When it is another's, or its state does not allow it.
    InputError, GeometryError
        When scan, mask or answers do not fit the study.
    SaveError, LogError
        When files or log cannot be written; submitting again goes on where it broke off.
    """
    require_role(seat, "annotator")
    ontology = read_ontology(seat.layout.ontology)
    labelled = submission.labelled
    answers = check_answers(ontology.questions, labelled.answers or {})
    labelled = Labelled(
        labelled.labels,
        labelled.landmarks,
        answers or None,
        labelled.provenance,
        labelled.boxes or None,
        labelled.sheets,
    )
    submission = Submission(labelled, submission.notes)
    complaints = (
        *left_by_crash(seat, case, slot, scan, is_open),
        *_complaints(ontology, scan, submission),
    )
    if any(one.blocks for one in complaints) or (complaints and not reason):
        raise ComplaintsError(complaints)
    pins = Pins(*rules_now(seat))
    with at_reading(seat, case, slot) as at:
        require_own(seat, at)
        same = told_same(at.steps, seat, find_same(seat, case, labelled, pins))
        is_there = at.now.state == "submitted" and same is not None
        if same is not None and is_there and same.number == at.now.version:
            gold = score_at_once(seat, case, slot, scan.grid, at)
            return Submitted(same, is_new=False, complaints=complaints, gold=gold)
        number = (
            next_version(seat.layout, seat.rater.code, case) if same is None else same.number
        )
        detail = {
            **_detail(at, submission, pins),
            "version": number,
        }
        content = labelled.labels.content_id()
        given = require_reason(reason) if complaints else ""
        event = step_event(at, "submit", detail, content=content, reason=given)
        event = with_sheets(event, labelled)

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
        else:  # a crash, or a round before, left these very files
            take_step(seat, with_whole(seat, event, same))
        claims.give_back(seat.layout, case, slot, seat.claimant)
        slots = seat.settings.slots
        close_folder(work_folder(seat.layout, seat.rater.code, case, slot, slots))
    version = read_version(seat.layout, seat.rater.code, case, number)
    gold = score_at_once(seat, case, slot, scan.grid)
    return Submitted(version, is_new=True, complaints=complaints, gold=gold)


def _complaints(
    ontology: Ontology, scan: Volume, submission: Submission
) -> tuple[Complaint, ...]:
    notes, labelled = submission.notes, submission.labelled
    return check_sheets(
        ontology,
        {0: labelled.labels, **{n: one.labels for n, one in labelled.sheets.items()}},
        scan.array,
        notes.shown,
        check_answers(ontology.questions, labelled.answers or {}),
        absent=notes.absent,
        oriented=scan.is_oriented,
        missing=scan.missing,
    )


def _detail(at: Reading, submission: Submission, pins: Pins) -> dict[str, object]:
    labelled, notes = submission.labelled, submission.notes
    sheets = [Sheet(labelled.labels, labelled.provenance), *labelled.sheets.values()]
    found: dict[str, object] = {
        "round": at.now.rounds + 1,
        "labels": sorted(value for one in sheets for value in one.labels.voxel_counts())[
            :_MOST_LABELS
        ],
        "ontology": pins.ontology,
        "guideline": pins.guideline,
        "active_s": round(notes.active_s),
        "slices": labelled.labels.grid.shape[2],
    }
    if notes.shown is not None:
        found["slices_shown"] = len(notes.shown)
    found |= beside(labelled)
    maps = [one.provenance for one in sheets if one.provenance is not None]
    if maps:
        counts = np.sum([np.bincount(one.ravel(order="K"), minlength=7) for one in maps], 0)
        found |= {name: int(counts[value]) for name, value in _ORIGINS.items()}
    return found
