"""The annotator's steps: begin, give back, skip, raise a problem, take over, take up again.

Each does nothing where it has happened already: what a killed process began is done once.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.project.guidelines import read_guidelines
from napari_medlabel.project.layout import CaseId, require_there
from napari_medlabel.project.ontology.document import ontology_digest, read_ontology
from napari_medlabel.project.work import claims
from napari_medlabel.project.work.assignment import read_assignment
from napari_medlabel.project.work.choosing import (
    Chooser,
    Strategy,
    next_case,
    to_read,
    to_review,
)
from napari_medlabel.project.work.fold import SlotState
from napari_medlabel.project.work.states import Action, State, leads, named, transition
from napari_medlabel.session.study.blind import has_seen, require_unread
from napari_medlabel.session.study.drawing import tell_review_draw
from napari_medlabel.session.study.seat import (
    Reading,
    Seat,
    at_reading,
    look,
    require_reason,
    require_role,
    step_event,
    take_step,
    worklist,
)
from napari_medlabel.session.study.serving import require_assigned, served


def chooser(seat: Seat, strategy: Strategy = "order") -> Chooser:
    """Return what a rater's next case hangs on: assignment, claims of others, blindness."""
    list_now = worklist(seat)
    taken = set()
    for row in list_now.rows:
        for slot, now in row.slots.items():
            if now.state == "todo" and slot != "consensus":
                held = claims.holder(seat.layout, row.case, slot)
                if (
                    held is not None
                    and held.rater != seat.rater.code
                    and not held.is_expired(seat.desk.now(), seat.settings.claim_hours)
                ):
                    taken.add((str(row.case), slot))
    beside = served(seat, list_now, steps := seat.reader.read())
    seen = {
        row.case
        for row in list_now.rows
        if has_seen(seat, row.case, tuple(s for s in steps if s.case == row.content))
    }
    return Chooser(
        seat.rater.code,
        seat.users,
        seat.settings.seed,
        strategy,
        read_assignment(seat.layout),
        taken,
        seen,
        beside,
    )


def next_to_read(seat: Seat, strategy: Strategy = "order") -> tuple[CaseId, str] | None:
    """Return the case and slot that this rater should read next, None where nothing is left.

    Raises
    ------
    RefusedError
        When they are no annotator.
    """
    require_role(seat, "annotator")
    return next_case(worklist(seat), chooser(seat, strategy))


def all_to_read(seat: Seat, strategy: Strategy = "order") -> tuple[tuple[CaseId, str], ...]:
    """Return everything this rater may read, in the order it is offered."""
    require_role(seat, "annotator")
    return to_read(worklist(seat), chooser(seat, strategy))


def all_to_review(seat: Seat, strategy: Strategy = "order") -> tuple[tuple[CaseId, str], ...]:
    """Return the readings that wait for this reviewer, those drawn by `review_share` alone.

    Who lists them first tells the log of the draw.

    Raises
    ------
    RefusedError
        When they are no reviewer.
    LogError
        When there is a draw to tell of, and the log cannot be written.
    """
    require_role(seat, "reviewer")
    share, listed = seat.settings.review_share, worklist(seat)
    tell_review_draw(seat, listed)
    return to_review(listed, chooser(seat, strategy), share=share)


def begin_next(seat: Seat, strategy: Strategy = "order") -> tuple[CaseId, str] | None:
    """Begin the next reading, and return it; of several who ask at once each gets another."""
    passed: set[tuple[CaseId, str]] = set()
    while True:
        left = [one for one in all_to_read(seat, strategy) if one not in passed]
        if not left:
            return None
        try:
            start(seat, *left[0])
        except RefusedError:  # somebody else was faster
            passed.add(left[0])
        else:
            return left[0]


def start(seat: Seat, case: CaseId, slot: str) -> SlotState:
    """Begin a reading, or take up again what is one's own; the claim is made first.

    Raises
    ------
    RefusedError
        When the rater is no annotator or not blind, somebody else has it, or its state does
        not allow it.
    LogError, SaveError
        When claim or log cannot be written.
    """
    require_role(seat, "annotator")
    with at_reading(seat, case, slot) as at:
        if at.now.state == "in_progress":
            require_own(seat, at)
            _claim(seat, at)
            return at.now
        event = step_event(at, "start")
        if at.now.state != "todo":
            require_own(seat, at)
        else:
            require_unread(seat, at)
            require_assigned(seat, at)
        _claim(seat, at)
        take_step(seat, event)
        return look(seat, case, slot).now


def release(seat: Seat, case: CaseId, slot: str) -> SlotState:
    """Give a begun reading back; what was saved stays in one's own folder.

    Raises
    ------
    RefusedError
        When it is somebody else's, or its state does not allow it.
    """
    return _step_of_own(seat, case, slot, "release", "todo")


def withdraw(seat: Seat, case: CaseId, slot: str) -> SlotState:
    """Take back a submission that nobody reviews yet.

    Raises
    ------
    RefusedError
        As `release`.
    """
    require_role(seat, "annotator")
    with at_reading(seat, case, slot) as at:
        require_own(seat, at)
        if at.now.state != "in_progress":
            event = step_event(at, "withdraw")
            _claim(seat, at)
            take_step(seat, event)
        return look(seat, case, slot).now


def skip(seat: Seat, case: CaseId, slot: str, *, reason: str) -> SlotState:
    """Skip a reading, with a reason's code.

    Raises
    ------
    InputError
        When the reason is none.
    RefusedError
        As `release`.
    """
    return _step_of_own(seat, case, slot, "skip", "skipped", reason=require_reason(reason))


def raise_problem(seat: Seat, case: CaseId, slot: str, *, reason: str) -> SlotState:
    """Raise a problem, with a reason's code; a manager settles it.

    Raises
    ------
    InputError
        When the reason is none.
    RefusedError
        When it is another annotator's, or its state does not allow it.
    """
    require_reason(reason)
    if "reviewer" not in seat.rater.roles:
        return _step_of_own(seat, case, slot, "problem", "problem", reason=reason)
    with at_reading(seat, case, slot) as at:
        if at.now.state in ("todo", "in_progress"):
            require_own(seat, at)
        if at.now.state != "problem":
            take_step(seat, step_event(at, "problem", reason=reason))
            claims.give_back(seat.layout, case, slot, seat.claimant)
        return look(seat, case, slot).now


def resume(seat: Seat, case: CaseId, slot: str) -> SlotState:
    """Put a skipped, problematic or conflicting reading back to what is to do.

    Raises
    ------
    RefusedError
        When it is not `SlotState.owner`'s nor a manager's; a conflict needs an adjudicator.
    """
    with at_reading(seat, case, slot) as at:
        if at.now.state == "conflict":
            require_role(seat, "adjudicator", "manager")
        elif at.now.owner not in seat.users:
            require_role(seat, "manager")
        if at.now.state != "todo":
            take_step(seat, step_event(at, "resume"))
        return look(seat, case, slot).now


def confirm(seat: Seat, case: CaseId, slot: str) -> SlotState:
    """Say that an outdated reading is right under the rules of today, too.

    Raises
    ------
    RefusedError
        When it is another's, or not outdated.
    """
    require_role(seat, "annotator")
    with at_reading(seat, case, slot) as at:
        require_own(seat, at)
        now = dict(zip(("ontology", "guideline"), rules := rules_now(seat), strict=True))
        if at.now.state != "submitted" or (at.now.ontology, at.now.guideline) != rules:
            take_step(seat, step_event(at, "confirm", now))
        return look(seat, case, slot).now


def take_over(seat: Seat, case: CaseId, slot: str) -> SlotState:
    """Take a begun reading from somebody who has given no sign of life for long.

    Their files stay theirs: the reading begins anew, blind.

    Raises
    ------
    RefusedError
        When its holder was alive not long ago, or the rater is not blind.
    """
    require_role(seat, "annotator")
    with at_reading(seat, case, slot) as at:
        if at.now.user in seat.users and at.now.state == "in_progress":
            return at.now
        transition(at.now.state, "release")
        require_unread(seat, at)
        hours = seat.settings.claim_hours
        held = claims.read_claim(seat.layout, case, slot)
        if held is None:
            _require_old(at, seat.desk.now(), hours)
        if held is None or held.rater != seat.rater.code:
            claims.take_over(
                seat.layout, case, slot, seat.claimant, seat.desk.now(), hours=hours
            )
            _tell_claim(seat, at, "study.takeover")
        take_step(seat, step_event(at, "release"))
        take_step(seat, step_event(look(seat, case, slot), "start"))
        return look(seat, case, slot).now


def sign_of_life(seat: Seat, case: CaseId, slot: str) -> None:
    """Keep the claim of a reading alive; a window calls this every some minutes.

    Raises
    ------
    RefusedError, SaveError
        When somebody else has taken it over, or the study's folder has gone.
    """
    claims.claim(require_there(seat.layout), case, slot, seat.claimant, seat.desk.now())


def mark_outdated(seat: Seat) -> tuple[tuple[CaseId, str], ...]:
    """Mark finished readings that were made under other rules than today's, and return them.

    Raises
    ------
    RefusedError
        When the rater is no manager.
    """
    require_role(seat, "manager")
    ontology, guideline = rules_now(seat)
    marked = []
    for case, slot in worklist(seat).outdated(ontology=ontology, guideline=guideline):
        with at_reading(seat, case, slot) as at:
            pinned = (at.now.ontology, at.now.guideline)
            # Somebody may have taken it back, or submitted it anew, since the list was made.
            if leads(at.now.state, "outdate") is None or pinned == (ontology, guideline):
                continue
            because = "ontology" if at.now.ontology != ontology else "guideline"
            new = ontology if because == "ontology" else guideline
            take_step(seat, step_event(at, "outdate", {"because": because, "new": new}))
            marked.append((case, slot))
    return tuple(marked)


def rules_now(seat: Seat) -> tuple[str, str]:
    """Return the digests of the study's ontology and guidelines as they are now."""
    ontology = ontology_digest(read_ontology(seat.layout.ontology))
    return ontology, read_guidelines(seat.layout.guidelines).digest


def require_own(seat: Seat, at: Reading) -> None:
    """Refuse who is not the annotator of a reading.

    Raises
    ------
    RefusedError
        When it is somebody else's, or nobody's.
    """
    if at.now.user and at.now.user not in seat.users:
        raise RefusedError(
            f"This reading is {named(at.now.state)}, and it is somebody else's.",
            hint="Choose another of the list. Where its holder is gone for long: Take over, or "
            "medlabel project claim STUDY CASE --take-over",
        )


def slot_of(seat: Seat, case: CaseId) -> str:
    """Return the one reading of a case that is this rater's.

    Raises
    ------
    InputError
        When they have none of it.
    """
    row = look(seat, case, seat.settings.slots[0]).row
    for slot, now in row.slots.items():
        if now.user in seat.users and slot != "consensus":
            return slot
    raise InputError(
        f"None of the readings of {case} is yours.",
        hint="Begin one with Next case, or: medlabel project claim STUDY CASE",
    )


def _step_of_own(
    seat: Seat, case: CaseId, slot: str, action: Action, after: State, reason: str = ""
) -> SlotState:
    require_role(seat, "annotator")
    with at_reading(seat, case, slot) as at:
        if at.now.state != after:
            event = step_event(at, action, reason=reason)
            require_own(seat, at)
            take_step(seat, event)
        claims.give_back(seat.layout, case, slot, seat.claimant)
        return look(seat, case, slot).now


def _claim(seat: Seat, at: Reading) -> None:
    """Claim a reading, and tell the log where it is a new claim; a dead one is no hindrance."""
    now, hours = seat.desk.now(), seat.settings.claim_hours
    held = claims.read_claim(seat.layout, at.case, at.slot)
    if held is not None and held.rater != seat.rater.code and held.is_expired(now, hours):
        claims.take_over(seat.layout, at.case, at.slot, seat.claimant, now, hours=hours)
        _tell_claim(seat, at, "study.takeover")
        return
    claims.claim(seat.layout, at.case, at.slot, seat.claimant, now)
    if held is None:
        _tell_claim(seat, at, "study.claim")


def _tell_claim(seat: Seat, at: Reading, event: str) -> None:
    work = {"case": at.record.content, "slot": at.slot, "step": at.now.steps + 1}
    detail = {**work, "hours": round(seat.settings.claim_hours)}
    seat.desk.log.append(event, subject=(at.record.subject,), detail=detail)


def _require_old(at: Reading, now: datetime, hours: float) -> None:
    """Refuse to take over what was begun not long ago, where its claim is lost."""
    try:
        since = datetime.fromisoformat(at.now.since)
    except ValueError as err:
        raise InputError(
            "The log has a time that is none.", hint="Check it: medlabel audit verify"
        ) from err
    if now - since <= timedelta(hours=hours):
        raise RefusedError(
            "This reading was begun not long ago.",
            hint=f"It can be taken over after {hours:g} hours without a sign of life.",
        )
