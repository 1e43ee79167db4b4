"""The reviewer's steps: begin, approve, send back, correct, unlock, score.

Who made a mask, or corrected it, decides nothing about it. An approved reading changes only
after somebody unlocked it, with a reason in the log.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from napari_medlabel.audit.format.kinds import TAGS
from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.project.comments import Thread, read_comments
from napari_medlabel.project.layout import CaseId
from napari_medlabel.project.work.fold import SlotState
from napari_medlabel.project.work.states import Action, named
from napari_medlabel.session.study.blind import require_may_see
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
from napari_medlabel.session.study.serving import is_test
from napari_medlabel.session.study.telling import about_all
from napari_medlabel.session.study.whole import told_whole

PASSES: Final = 4
"""Least score of a quick look that approves."""
_MOST_LABELS: Final = 64
SCORES: Final = range(1, 6)
"""From unusable to perfect."""
Sign = Callable[[Reading], object]
"""Signs what is about to be approved; what it raises keeps it from being approved."""


@dataclass(frozen=True)
class Verdict:
    """What a reviewer found.

    Parameters
    ----------
    labels : tuple of int
        Values of the labels that it is about; empty for the whole reading.
    tags : tuple of str
        Kinds of faults: ``boundary``, ``missed``, ``extra``, ``wrong-label``, ``side``,
        ``landmark``, ``answer``, ``other``.
    likert : int
        A score from 1 (unusable) to 5 (perfect); 0 for none.

    Raises
    ------
    InputError
        When a tag or the score is none.
    """

    labels: tuple[int, ...] = ()
    tags: tuple[str, ...] = ()
    likert: int = 0

    def __post_init__(self) -> None:
        if not all(TAGS.accepts(tag) for tag in self.tags):
            raise InputError(f"A tag is {TAGS.kind}.", hint="Choose one of these.")
        if self.likert and self.likert not in SCORES:
            raise InputError(
                f"A score goes from 1 to 5; got {self.likert}.",
                hint="1 is unusable, 5 is perfect.",
            )

    def detail(self) -> dict[str, object]:
        """Return it as the log takes it."""
        found: dict[str, object] = {}
        if self.labels:
            found["labels"] = sorted(set(self.labels))[:_MOST_LABELS]
        if self.tags:
            found["tags"] = sorted(set(self.tags))
        if self.likert:
            found["likert"] = self.likert
        return found


NO_WORDS: Final = Verdict()


def begin_review(seat: Seat, case: CaseId, slot: str) -> SlotState:
    """Take a submitted reading into one's review.

    Raises
    ------
    RefusedError
        When the rater is no reviewer, its author, or at work on the case, it is none of those
        that are reviewed, or its state does not allow it.
    """
    require_role(seat, "reviewer")
    if seat.settings.review_share < 1.0:
        tell_review_draw(seat, worklist(seat))
    with at_reading(seat, case, slot) as at:
        require_reviewed(seat, at)
        require_not_author(seat, at)
        require_may_see(seat, at.row, seat.code_of(at.now.maker))
        if not (at.now.state == "in_review" and at.now.reviewer in seat.users):
            take_step(seat, step_event(at, "begin_review", about(at)))
        return look(seat, case, slot).now


def leave_review(seat: Seat, case: CaseId, slot: str) -> SlotState:
    """Give a reading back undecided; a manager may do it for a reviewer who is gone.

    Raises
    ------
    RefusedError
        When it is in somebody else's review.
    """
    with at_reading(seat, case, slot) as at:
        if at.now.state != "submitted":
            event = step_event(at, "leave_review", about(at))
            if at.now.reviewer not in seat.users:
                require_role(seat, "manager")
            take_step(seat, event)
        return look(seat, case, slot).now


def approve(
    seat: Seat,
    case: CaseId,
    slot: str,
    verdict: Verdict = NO_WORDS,
    *,
    reason: str = "",
    sign: Sign | None = None,
) -> SlotState:
    """Approve a reading.

    Parameters
    ----------
    verdict : Verdict
        Labels it is about, and a score.
    reason : str
        Code of why comments stay unresolved; approval is refused without while there are any.
    sign : callable, optional
        Signs it, when all else is in order.

    Raises
    ------
    RefusedError
        When the rater made or corrected it, it is in another's review or none of those that
        are reviewed, a comment is open, or its state does not allow it.
    """
    require_role(seat, "reviewer")
    with at_reading(seat, case, slot) as at:
        require_reviewed(seat, at)
        if _is_decided(seat, at, "approved"):
            return at.now
        _require_resolved(seat, at, reason)
        return _decide(seat, at, "approve", verdict, reason, sign)


def reject(
    seat: Seat, case: CaseId, slot: str, verdict: Verdict = NO_WORDS, *, reason: str
) -> SlotState:
    """Send a reading back to its annotator, whole or some labels of it, with a reason's code.

    Raises
    ------
    RefusedError
        As `approve`.
    InputError
        When the reason is none.
    """
    require_role(seat, "reviewer")
    require_reason(reason)
    with at_reading(seat, case, slot) as at:
        require_reviewed(seat, at)
        if _is_decided(seat, at, "rejected"):
            return at.now
        return _decide(seat, at, "reject", verdict, reason)


def decide_labels(
    seat: Seat,
    case: CaseId,
    slot: str,
    verdicts: Mapping[int, Verdict | None],
    *,
    reason: str = "",
    sign: Sign | None = None,
) -> SlotState:
    """Decide label by label: all good approves, anything else sends those labels back.

    Parameters
    ----------
    verdicts : mapping of int to Verdict or None
        By value: None where the label is good, else what is wrong with it.
    reason : str
        Code; needed where something is sent back.
    sign : callable, optional
        As in `approve`.

    Raises
    ------
    RefusedError, InputError
        As `approve` and `reject`.
    """
    bad = {value: one for value, one in verdicts.items() if one is not None}
    if not bad:
        verdict = Verdict(tuple(sorted(verdicts)))
        return approve(seat, case, slot, verdict, reason=reason, sign=sign)
    tags = {tag for one in bad.values() for tag in one.tags}
    scores = [one.likert for one in bad.values() if one.likert]
    verdict = Verdict(tuple(sorted(bad)), tuple(sorted(tags)), min(scores, default=0))
    return reject(seat, case, slot, verdict, reason=reason)


def unlock(seat: Seat, case: CaseId, slot: str, *, reason: str) -> SlotState:
    """Unlock an approved reading, with a reason's code: its annotator has it again.

    Raises
    ------
    RefusedError
        When the rater is neither reviewer nor manager, or it is not approved.
    InputError
        When the reason is none.
    """
    require_role(seat, "reviewer", "manager")
    require_reason(reason)
    with at_reading(seat, case, slot) as at:
        event = step_event(at, "unlock", about(at), content=at.now.content, reason=reason)
        take_step(seat, about_all(event, at.now))
        return look(seat, case, slot).now


def open_threads(seat: Seat, case: CaseId, slot: str) -> tuple[Thread, ...]:
    """Return the threads on a reading, or on its whole case, that are not resolved."""
    comments = read_comments(seat.layout, case)
    return tuple(one for one in comments.unresolved if one.first.slot in ("", slot))


def _decide(
    seat: Seat,
    at: Reading,
    action: Action,
    verdict: Verdict,
    reason: str,
    sign: Sign | None = None,
) -> SlotState:
    detail = {**about(at), **verdict.detail()}
    if action == "approve":
        detail |= told_whole(seat, at)
    event = step_event(at, action, detail, content=at.now.content, reason=reason)
    event = about_all(event, at.now)
    require_not_author(seat, at)
    if at.now.state == "in_review":
        require_in_own_review(seat, at)
    else:
        require_may_see(seat, at.row, seat.code_of(at.now.maker))
    if sign is not None:
        sign(at)
    take_step(seat, event)
    return look(seat, at.case, at.slot).now


def about(at: Reading) -> dict[str, object]:
    """Return which round and version of a reading a step is about."""
    return {"round": at.now.rounds, "version": at.now.version}


def _is_decided(seat: Seat, at: Reading, state: str) -> bool:
    return at.now.state == state and at.now.reviewer in seat.users


def require_reviewed(seat: Seat, at: Reading) -> None:
    """Refuse a reading that tests its reader; the words do not tell in which way.

    Raises
    ------
    RefusedError
        When it is none of those that the study is made of.
    """
    if is_test(seat.settings, at.slot):
        raise RefusedError(
            "This reading is in no review: only those that the study is made of are.",
            hint="Press Review next, or take one with: medlabel project next STUDY --review",
        )


def require_not_author(seat: Seat, at: Reading) -> None:
    """Refuse who made a reading, or corrected it.

    Raises
    ------
    RefusedError
        When it is theirs.
    """
    if seat.users & {at.now.user, at.now.maker}:
        raise RefusedError(
            "You made this reading, or corrected it, and a review needs somebody else.",
            hint="Ask a colleague; yours: Review next, or medlabel project next STUDY --review",
        )


def require_in_own_review(seat: Seat, at: Reading) -> None:
    """Refuse what is not in this rater's review.

    Raises
    ------
    RefusedError
        Naming how it stands.
    """
    if at.now.state != "in_review" or at.now.reviewer not in seat.users:
        raise RefusedError(
            f"A reading in your review was expected; this one is {named(at.now.state)}"
            + (", in somebody else's." if at.now.state == "in_review" else "."),
            hint="Press Review next, or take one with: medlabel project next STUDY --review",
        )


def _require_resolved(seat: Seat, at: Reading, reason: str) -> None:
    still = open_threads(seat, at.case, at.slot)
    if still and not reason:
        count = "One comment" if len(still) == 1 else f"{len(still)} comments"
        raise RefusedError(
            f"{count} on this reading {'is' if len(still) == 1 else 'are'} not resolved.",
            hint="Resolve them, or approve with a reason.",
        )
