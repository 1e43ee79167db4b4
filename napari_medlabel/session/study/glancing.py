"""Scoring a reading by one key: to decide it, or at a glance for quality control."""

from __future__ import annotations

from napari_medlabel.audit.format.event import Event
from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.project.layout import CaseId
from napari_medlabel.project.work.fold import SlotState
from napari_medlabel.project.work.states import named
from napari_medlabel.session.study.blind import require_may_see
from napari_medlabel.session.study.drawing import BAD_IMAGE
from napari_medlabel.session.study.reviewing import (
    PASSES,
    SCORES,
    Verdict,
    approve,
    begin_review,
    open_threads,
    reject,
    require_not_author,
    require_reviewed,
)
from napari_medlabel.session.study.seat import Seat, at_reading, look, require_role, take_step
from napari_medlabel.session.study.working import raise_problem


def score(
    seat: Seat, case: CaseId, slot: str, likert: int, *, passes: int = PASSES
) -> SlotState:
    """Decide by one key: a score from 1 to 5, which approves from `passes` on.

    Raises
    ------
    RefusedError, InputError
        As `begin_review`, `approve` and `reject`.
    """
    if likert not in SCORES:
        raise InputError("A score goes from 1 to 5.", hint="1 is unusable, 5 is perfect.")
    verdict = Verdict(likert=likert)
    now = look(seat, case, slot).now
    if now.state == "submitted":
        begin_review(seat, case, slot)
    if likert >= passes:
        return approve(seat, case, slot, verdict)
    return reject(seat, case, slot, verdict, reason="QA_FEEDBACK")


def score_at_a_glance(seat: Seat, case: CaseId, slot: str, given: int) -> SlotState:
    """Score a finished reading of a sample, and decide it where it waits for that.

    What is approved already, in somebody else's review, or good with open comments, is only
    scored: a glance unlocks nothing and overrules nobody.

    Parameters
    ----------
    given : int
        1 (unusable) to 5; 0 where the image cannot be judged, which is raised as a problem.

    Raises
    ------
    RefusedError
        When the rater is no reviewer, made it, is still blind to it, nothing is finished, or
        it is none of those that are reviewed.
    InputError
        When the score is none.
    """
    if given != BAD_IMAGE and given not in SCORES:
        raise InputError("A score goes from 1 to 5, or is 0 for a bad image.", hint="Score it.")
    require_role(seat, "reviewer")
    with at_reading(seat, case, slot) as at:
        require_reviewed(seat, at)
        require_not_author(seat, at)
        require_may_see(seat, at.row, seat.code_of(at.now.maker))
        now = at.now
        if not now.version:
            raise RefusedError(
                f"A finished reading was expected; this one is {named(now.state)}.",
                hint="Score what was submitted.",
            )
        waits = now.state in ("submitted", "corrected") or (
            now.state == "in_review" and now.reviewer in seat.users
        )
        is_held = given >= PASSES and bool(open_threads(seat, case, slot))
        about = {"round": now.rounds, "version": now.version}
        detail = {"case": at.record.content, "slot": slot, "step": now.steps, "score": given}
        take_step(seat, Event("study.score", (at.record.subject,), (), {**detail, **about}))
    if not waits or is_held or (given == BAD_IMAGE and now.state == "corrected"):
        return now
    if given == BAD_IMAGE:
        return raise_problem(seat, case, slot, reason="QA_FEEDBACK")
    return score(seat, case, slot, given)
