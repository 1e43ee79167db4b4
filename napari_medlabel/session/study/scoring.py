"""Scoring a submitted reading of a gold case against the truth, once, with its event."""

from __future__ import annotations

from napari_medlabel.audit.format.event import Event
from napari_medlabel.errors import InputError
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.project.cases.version import read_labels, read_landmarks, read_version
from napari_medlabel.project.layout import CaseId
from napari_medlabel.project.ontology.document import read_ontology
from napari_medlabel.project.reading.gold import GoldScore, read_truth, score, truth_files
from napari_medlabel.session.study.seat import Seat, at_reading, take_step


def is_gold(seat: Seat, case: CaseId) -> bool:
    """Tell whether the study has the truth of a case; nothing in a list shows it."""
    return truth_files(seat.layout, case)[0].is_file()


def score_submitted(seat: Seat, case: CaseId, slot: str, grid: Grid) -> GoldScore:
    """Score what was submitted, and tell the log whether it passed.

    Call it after a submission of a gold case. It may be called for one's own reading alone, or
    by a manager: the score says much about the truth.

    Parameters
    ----------
    grid : Grid
        Of the case's scan.

    Raises
    ------
    InputError
        When there is no truth, or nothing submitted by this rater.
    GeometryError
        When the truth lies on another grid.
    LogError
        When the log cannot be written: then nobody is told the score.
    """
    layout, scheme = seat.layout, read_ontology(seat.layout.ontology).scheme()
    with at_reading(seat, case, slot) as at:
        now = at.now
        rater = seat.code_of(now.user)
        may = now.user in seat.users or "manager" in seat.rater.roles
        if not now.rounds or not rater or not may:
            raise InputError(
                "Only a reading that was submitted is scored, for its reader or a manager.",
                hint="Submit it first: medlabel project submit STUDY CASE",
            )
        truth, marks = read_truth(layout, case, grid, scheme)
        submits = [
            step
            for step in at.steps
            if step.slot == slot and step.action == "submit" and step.user == now.user
        ]
        last = max(submits, key=lambda step: step.number)
        version = read_version(layout, rater, case, last.version)
        found = score(
            read_labels(layout, version, grid, scheme),
            truth,
            seat.settings.thresholds,
            marks=(read_landmarks(layout, version), marks),
        )
        work = {"case": at.record.content, "slot": slot, "step": now.steps}
        detail = {**work, "passed": found.passed, **found.detail()}
        take_step(seat, Event("study.gold", (at.record.subject,), (), detail))
    return found
