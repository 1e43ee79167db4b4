"""A whole story from real work: open, save, approve, change, and what the facts say of it."""

from __future__ import annotations

import numpy as np

from napari_medlabel.audit.report.case_events import case_events
from napari_medlabel.audit.report.facts import Facts
from napari_medlabel.audit.report.gather import facts_of
from napari_medlabel.session.case import Session
from napari_medlabel.session.saving import save

NOW_MS = 1_795_384_937_363


def _paint(session: Session, box: tuple[slice, slice, slice], value: int) -> None:
    shape = tuple(part.stop - part.start for part in box)
    session.edit(box, np.full(shape, value, np.uint8), name="Square")
    save(session)


def _facts(session: Session) -> Facts:
    desk = session.desk
    return facts_of(desk.audit_root, state=desk.state, now_ms=NOW_MS)


def test_a_mask_changed_after_approval_is_told_with_counts_overlap_and_picture(
    session: Session,
) -> None:
    desk, subject = session.desk, (session.place.subject,)
    _paint(session, (slice(1, 5), slice(2, 6), slice(0, 1)), 1)
    desk.log.append("review.approve", subject=subject, detail={"case": session.place.case})
    _paint(session, (slice(1, 3), slice(2, 6), slice(0, 1)), 0)
    _paint(session, (slice(7, 8), slice(2, 6), slice(1, 2)), 2)
    first, second = _facts(session).late_changes
    assert (first.event, first.case) == ("mask.save", session.place.case)
    assert (first.before, first.after) == (16, 8)
    assert (first.voxels_added, first.voxels_removed) == (0, 8)
    assert first.dice_milli == 2000 * 8 // 24
    assert len(first.thumbnails) == 1
    assert not first.reapproved
    assert (second.before, second.after, second.dice_milli) == (8, 12, 2000 * 8 // 20)
    assert len(second.thumbnails) == 1  # the present mask is kept beside the log too


def test_ones_own_work_explains_the_opening_and_the_case_is_told_in_words(
    session: Session,
) -> None:
    _paint(session, (slice(1, 5), slice(2, 6), slice(0, 1)), 1)
    (access,) = _facts(session).accesses
    assert access.explained == "the user saved a mask of it that day"
    words = [one.words for one in case_events(session.desk.audit_root, session.place.subject)]
    assert words[-1].startswith("Scan opened: ")
    assert any(one.startswith("Mask ") and "16 voxels" in one for one in words)
