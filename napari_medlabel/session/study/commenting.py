"""Commenting on a reading: the text stays in the study, the log hears that there is one."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.project.comments import (
    Comment,
    Comments,
    Thread,
    add_comment,
    read_comments,
    require_harmless,
)
from napari_medlabel.project.layout import CaseId
from napari_medlabel.session.study.blind import own_slots, require_may_see
from napari_medlabel.session.study.seat import Reading, Seat, at_reading, look

_ID_BYTES = 8
Random = Callable[[int], bytes]
_SIDES: Final = (("R", "L"), ("A", "P"), ("S", "I"))


@dataclass(frozen=True)
class Remark:
    """What somebody wants to say.

    Parameters
    ----------
    text : str
        No patient, no person; may be empty where it only resolves a thread.
    at_ras : tuple of float or None
        Where, RAS mm.
    label : int
        Value of the label it is about; 0 for none.
    thread : str
        Id of the thread it answers; empty to begin one.
    resolves : bool
        Whether it closes the thread.
    tags : tuple of str
        What it is about, see `kinds.TAGS`.
    """

    text: str
    at_ras: tuple[float, float, float] | None = None
    label: int = 0
    thread: str = ""
    resolves: bool = False
    tags: tuple[str, ...] = ()


def comment(
    seat: Seat, case: CaseId, slot: str, remark: Remark, *, random: Random = secrets.token_bytes
) -> Thread:
    """Add a comment to a reading, and return its thread as it stands then.

    The log gets the digest of the comment before the file gets the comment.

    Raises
    ------
    RefusedError
        When the rater is still blind to that reading.
    InputError
        When the text holds what must not leave, or there is no such thread.
    LogError, SaveError
        When log or file cannot be written.
    """
    require_harmless(remark.text)
    with at_reading(seat, case, slot) as at:
        _require_may_know(seat, at, slot)
        threads = {one.first.id: one for one in read_comments(seat.layout, case).threads}
        if remark.thread and (
            remark.thread not in threads or threads[remark.thread].first.slot != slot
        ):
            raise InputError(
                "This reading has no such thread.", hint="Answer one of those that are shown."
            )
        before = threads[remark.thread].comments if remark.thread else ()
        key = random(_ID_BYTES).hex()
        said = Comment(
            key,
            remark.thread or key,
            seat.rater.code,
            slot,
            seat.desk.time(),
            remark.text,
            remark.at_ras,
            remark.label,
            remark.resolves,
            number=len(before),
            tags=remark.tags,
        )
        thread = Thread((*before, said))
        seat.desk.log.append(
            "study.comment",
            subject=(at.record.subject,),
            detail={
                "case": at.record.content,
                "thread": said.digest,
                "state": thread.standing,
            },
        )
        add_comment(seat.layout, case, said)
    return thread


def comments_for(seat: Seat, case: CaseId) -> Comments:
    """Return the comments on a case that this rater may know; who is blind, those on theirs."""
    at = look(seat, case, seat.settings.slots[0])
    known = [slot for slot in ("", *at.row.slots) if _may_know(seat, at, slot)]
    return read_comments(seat.layout, case).visible(known, seat.rater.code)


def slot_of_thread(seat: Seat, case: CaseId, thread: str) -> str:
    """Return which reading a thread is on, by its id.

    Raises
    ------
    InputError
        When the case has no such thread that this rater may know.
    """
    for one in comments_for(seat, case).threads:
        if one.first.id == thread:
            return one.first.slot
    raise InputError(
        "The case has no such thread that you may know.",
        hint="See them with: medlabel project comment STUDY CASE",
    )


def annotator_of(seat: Seat, case: CaseId, slot: str) -> str:
    """Return the code of whose reading it is; empty for a whole case, or nobody's."""
    return seat.code_of(look(seat, case, slot).now.user) if slot else ""


def role_of(rater: str, own: str, annotator: str) -> str:
    """Say who wrote a comment without naming anybody: ``You``, ``Annotator``, ``Reviewer``.

    Parameters
    ----------
    rater : str
        Code of who wrote it.
    own : str
        Code of who is told.
    annotator : str
        Code of whose reading it is about.
    """
    if rater == own:
        return "You"
    return "Annotator" if rater == annotator else "Reviewer"


def place_words(point_ras: tuple[float, float, float]) -> str:
    """Return a place in the patient in words: ``"R 12 A 30 S 40 mm"``."""
    said = []
    for value, (more, less) in zip(point_ras, _SIDES, strict=True):
        said.append(f"{more if value >= 0 else less} {abs(value):.0f}")
    return f"{' '.join(said)} mm"


def _may_know(seat: Seat, at: Reading, slot: str) -> bool:
    try:
        _require_may_know(seat, at, slot)
    except RefusedError:
        return False
    return True


def _require_may_know(seat: Seat, at: Reading, slot: str) -> None:
    if slot and slot not in own_slots(seat, at.row):
        require_may_see(seat, at.row, f"reading {slot}")
