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
from napari_medlabel.measure.labels import label_change
from napari_medlabel.model.boxes import BoxSet
from napari_medlabel.model.volume import Volume
from napari_medlabel.project.cases.version import (
    Pins,
    next_version,
    read_boxes,
    read_labels,
    read_landmarks,
    read_version,
)
from napari_medlabel.project.cases.versions import Labelled, write_version
from napari_medlabel.project.comments import Thread, read_comments
from napari_medlabel.project.layout import CaseId
from napari_medlabel.project.ontology.document import read_ontology
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
    take_step_with_files,
    worklist,
)
from napari_medlabel.session.study.submitting import find_same, with_sheets
from napari_medlabel.session.study.working import rules_now

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
        When the rater is no reviewer, its author, or at work on the case, or its state does
        not allow it.
    """
    require_role(seat, "reviewer")
    if seat.settings.review_share < 1.0:
        tell_review_draw(seat, worklist(seat))
    with at_reading(seat, case, slot) as at:
        require_not_author(seat, at)
        require_may_see(seat, at.row, seat.code_of(at.now.maker))
        if not (at.now.state == "in_review" and at.now.reviewer in seat.users):
            take_step(seat, step_event(at, "begin_review", _about(at)))
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
            event = step_event(at, "leave_review", _about(at))
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
        When the rater made or corrected it, it is in another's review, a comment is open, or
        its state does not allow it.
    """
    require_role(seat, "reviewer")
    with at_reading(seat, case, slot) as at:
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


def correct(seat: Seat, case: CaseId, slot: str, scan: Volume, labelled: Labelled) -> SlotState:
    """Put a corrected mask in the place of the annotator's; somebody else approves it.

    It is a version in the reviewer's own data set; the annotator's stays.

    Parameters
    ----------
    scan : Volume
        The study's scan, read with its hashes.
    labelled : Labelled
        The corrected work.

    Raises
    ------
    RefusedError
        As `approve`; and when nothing differs from what was submitted.
    SaveError, LogError
        As `submitting.submit`.
    """
    require_role(seat, "reviewer")
    pins = Pins(*rules_now(seat))
    ontology = read_ontology(seat.layout.ontology)
    with at_reading(seat, case, slot) as at:
        if _is_corrected(seat, at, labelled):
            return at.now
        _require_in_own_review(seat, at)
        labels = _corrected(seat, at, scan, labelled)
        same = find_same(seat, case, labelled, pins)
        number = (
            next_version(seat.layout, seat.rater.code, case) if same is None else same.number
        )
        detail = {**_about(at), "labels": labels, "version": number}
        content = labelled.labels.content_id()
        event = with_sheets(step_event(at, "correct", detail, content=content), labelled)

        def write() -> None:
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
            )

        if same is None:
            take_step_with_files(seat, at, event, number, write)
        else:
            take_step(seat, event)
        return look(seat, case, slot).now


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
        event = step_event(at, "unlock", _about(at), content=at.now.content, reason=reason)
        take_step(seat, event)
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
    detail = {**_about(at), **verdict.detail()}
    event = step_event(at, action, detail, content=at.now.content, reason=reason)
    require_not_author(seat, at)
    if at.now.state == "in_review":
        _require_in_own_review(seat, at)
    else:
        require_may_see(seat, at.row, seat.code_of(at.now.maker))
    if sign is not None:
        sign(at)
    take_step(seat, event)
    return look(seat, at.case, at.slot).now


def _is_corrected(seat: Seat, at: Reading, labelled: Labelled) -> bool:
    if at.now.state != "corrected" or at.now.content != labelled.labels.content_id():
        return False
    version = read_version(seat.layout, seat.code_of(at.now.maker), at.case, at.now.version)
    return version.sheets == {n: one.labels.content_id() for n, one in labelled.sheets.items()}


def _corrected(seat: Seat, at: Reading, scan: Volume, labelled: Labelled) -> list[int]:
    """Return the values of labels that a correction changes."""
    maker = seat.code_of(at.now.maker)
    before = read_version(seat.layout, maker, at.case, at.now.version)
    values: set[int] = set()
    further = {layer: one.labels for layer, one in labelled.sheets.items()}
    for layer, now in {0: labelled.labels, **further}.items():
        first = read_labels(seat.layout, before, scan.grid, now.scheme, layer)
        values |= set(label_change(first.array, now.array).labels)
    boxes = read_boxes(seat.layout, before, scan.grid) or BoxSet()
    if (
        not values
        and read_landmarks(seat.layout, before) == labelled.landmarks
        and boxes == (labelled.boxes or BoxSet())
    ):
        raise RefusedError(
            "A correction was expected, and it is what was submitted.",
            hint="Approve it, or send it back.",
        )
    return sorted(values)[:_MOST_LABELS]


def _about(at: Reading) -> dict[str, object]:
    return {"round": at.now.rounds, "version": at.now.version}


def _is_decided(seat: Seat, at: Reading, state: str) -> bool:
    return at.now.state == state and at.now.reviewer in seat.users


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


def _require_in_own_review(seat: Seat, at: Reading) -> None:
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
