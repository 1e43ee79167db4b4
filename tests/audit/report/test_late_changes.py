"""Changes after approval: which case they belong to, why, and whether approved again."""

from __future__ import annotations

from napari_medlabel.audit.report.deeds import LateChange
from napari_medlabel.audit.report.late_changes import LateChanges
from napari_medlabel.audit.report.seen import Line
from tests.audit.report.lines import (
    ANNA,
    BEN,
    CASE,
    OTHER,
    PATIENT,
    at,
    digest,
    line,
    mask,
)

SECOND = digest(0xCA5E)


def _save(at_ms: int, old: int, new: int, **more: object) -> Line:
    detail = {"labels": [1], "voxels_added": 18, "voxels_removed": 7}
    detail |= more.pop("detail", {})  # type: ignore[arg-type]
    objects = (mask(old, "old"), mask(new))
    return line("mask.save", at_ms, objects=objects, detail=detail, **more)


def _approve(at_ms: int, *masks: int, case: str = "", **more: object) -> Line:
    detail = {"case": case} if case else {}
    objects = tuple(mask(one, "source") for one in masks)
    return line("review.approve", at_ms, user=BEN, objects=objects, detail=detail, **more)


def _facts(*lines: Line) -> list[LateChange]:
    gathered = LateChanges()
    for one in lines:
        assert one.event in LateChanges.events
        gathered.take(one)
    return gathered.facts()


def test_a_save_after_approval_is_late() -> None:
    (fact,) = _facts(
        _save(at(8), 1, 2),
        _approve(at(9), 2, case=CASE),
        _save(at(10), 2, 3, reason="QA_FEEDBACK", number=9),
    )
    assert fact == LateChange(
        at_ms=at(10),
        user=ANNA,
        subject=PATIENT,
        case=CASE,
        before=None,
        after=None,
        voxels_added=18,
        voxels_removed=7,
        dice_milli=None,
        reason="QA_FEEDBACK",
        reapproved=False,
        old=digest(2),
        new=digest(3),
        approved_ms=at(9),
        file=fact.file,
        line=9,
    )


def test_saves_before_approval_are_not() -> None:
    assert _facts(_save(at(8), 1, 2), _approve(at(9), 2)) == []


def test_sessions_of_several_computers_are_put_in_order() -> None:
    assert len(_facts(_save(at(10), 2, 3), _approve(at(9), 2))) == 1


def test_approving_again_clears_what_was_late() -> None:
    facts = _facts(
        _approve(at(9), 2, case=CASE),
        _save(at(10), 2, 3),
        _save(at(11), 3, 4),
        _approve(at(12), 4, case=CASE),
        _save(at(13), 4, 5),
    )
    assert [fact.reapproved for fact in facts] == [True, True, False]


def test_approving_another_case_of_the_patient_clears_nothing() -> None:
    (fact,) = _facts(
        _approve(at(9), 2, case=CASE), _save(at(10), 2, 3), _approve(at(12), 3, case=SECOND)
    )
    assert not fact.reapproved


def test_a_change_of_another_case_is_not_late() -> None:
    assert not _facts(_approve(at(9), case=CASE), _save(at(10), 2, 3, detail={"case": SECOND}))


def test_without_a_case_the_masks_tell() -> None:
    assert not _facts(_save(at(8), 7, 8), _approve(at(9), 2), _save(at(10), 8, 9))
    assert len(_facts(_approve(at(9), 2), _save(at(10), 2, 3), _save(at(11), 3, 4))) == 2


def test_an_unknown_mask_may_be_the_approved_one_changed_elsewhere() -> None:
    assert len(_facts(_approve(at(9), 2), _save(at(10), 55, 56))) == 1


def test_a_new_mask_beside_the_approved_one_is_not_late() -> None:
    created = line("mask.create", at(10), objects=(mask(8),), detail={"voxels": 3})
    assert not _facts(_approve(at(9), 2), created)


def test_where_neither_case_nor_mask_tells_it_is_late() -> None:
    assert len(_facts(_approve(at(9)), _save(at(10), 2, 3))) == 1


def test_a_change_of_another_patient_is_not_late() -> None:
    assert not _facts(_approve(at(9), 2), _save(at(10), 2, 3, subject=OTHER))


def test_landmarks_deleting_and_restoring_count() -> None:
    facts = _facts(
        _approve(at(9), 2),
        line(
            "landmark.save",
            at(10),
            objects=(mask(5, "old", "landmarks"), mask(6, "new", "landmarks")),
            detail={"count": 4},
        ),
        line("mask.delete", at(11), objects=(mask(2, "old"),), detail={"voxels": 40}),
        line("mask.restore", at(12), objects=(mask(2),), detail={"version": 1}),
    )
    assert [fact.event for fact in facts] == ["landmark.save", "mask.delete", "mask.restore"]
    assert (facts[0].old, facts[0].new) == (digest(5), digest(6))
    assert facts[1].voxels_removed == 40


def test_a_change_that_no_tool_announced_counts_with_versions_alone() -> None:
    detail = {"labels": [1], "voxels_added": 1, "voxels_removed": 0}
    facts = _facts(
        _approve(at(9), 2),
        line("edit.unattributed", at(10), detail=detail),
        line("edit.unattributed", at(11), detail=detail, objects=(mask(2, "old"), mask(3))),
    )
    assert [fact.at_ms for fact in facts] == [at(11)]


def test_an_unlocking_gives_its_reason() -> None:
    facts = _facts(
        _approve(at(9), 2, case=CASE),
        line("review.unlock", at(10), detail={"case": SECOND}, reason="OTHER"),
        _save(at(11), 2, 3),
        line("review.unlock", at(12), detail={"case": CASE}, reason="QA_FEEDBACK"),
        _save(at(13), 3, 4),
        _save(at(14), 4, 5, reason="CORRECTION"),
    )
    assert [fact.reason for fact in facts] == ["", "QA_FEEDBACK", "CORRECTION"]


def test_without_cases_an_approval_of_the_same_masks_is_one_again() -> None:
    lines = [_approve(at(9), 2), _save(at(10), 2, 3)]
    (cleared,) = _facts(*lines, _approve(at(11), 3))
    (kept,) = _facts(*lines, _approve(at(11), 77))
    assert (cleared.reapproved, kept.reapproved) == (True, False)
