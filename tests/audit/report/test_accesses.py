"""Accesses: each explanation has its word, and what nothing explains comes first."""

from __future__ import annotations

import pytest

from napari_medlabel.audit.report.accesses import ASSIGNED, BEFORE, KNOWN, SUBMITTED, Accesses
from napari_medlabel.audit.report.deeds import AccessFact
from napari_medlabel.audit.report.facts import Hours
from napari_medlabel.audit.report.seen import Line
from tests.audit.report.lines import ANNA, BEN, OTHER, PATIENT, at, digest, line

OPEN = {"detail": {"format": "dicom"}}
SAVE = {"detail": {"labels": [1], "voxels_added": 1, "voxels_removed": 0}}
TO = {"detail": {"destination": "folder"}}


def _facts(*lines: Line, hours: Hours | None = None) -> list[AccessFact]:
    gathered = Accesses(hours or Hours())
    for one in lines:
        assert one.event in Accesses.events
        gathered.take(one)
    return gathered.facts()


def test_an_opening_that_nothing_explains_is_unexplained() -> None:
    (fact,) = _facts(line("volume.open", at(9), number=5, **OPEN))
    assert fact == AccessFact(
        at(9), ANNA, "volume.open", PATIENT, 0, "", False, fact.file, 5, "annotator"
    )


def test_an_assignment_explains() -> None:
    detail = {"format": "dicom", "assignment": digest(1)}
    (fact,) = _facts(line("volume.open", at(9), detail=detail))
    assert fact.explained == ASSIGNED


@pytest.mark.parametrize(
    ("event", "more", "words"),
    [
        ("mask.save", SAVE, "the user saved a mask of it that day"),
        ("landmark.save", {"detail": {"count": 1}}, "the user saved landmarks of it that day"),
        ("review.submit", {}, "the user submitted it that day"),
        ("review.approve", {}, "the user reviewed it that day"),
        ("export.done", TO, "the user exported it that day"),
    ],
)
def test_the_users_own_work_on_the_same_day_explains(
    event: str, more: dict[str, object], words: str
) -> None:
    facts = _facts(line("volume.open", at(9), **OPEN), line(event, at(17), **more))
    assert [fact.explained for fact in facts] == [words]


def test_work_on_another_patient_does_not_explain() -> None:
    (fact,) = _facts(
        line("volume.open", at(9), **OPEN), line("mask.save", at(10), subject=OTHER, **SAVE)
    )
    assert not fact.explained


def test_work_of_another_user_does_not_explain() -> None:
    (fact,) = _facts(
        line("volume.open", at(9), **OPEN), line("mask.save", at(10), user=BEN, **SAVE)
    )
    assert not fact.explained


def test_work_on_a_later_day_does_not_explain() -> None:
    (fact,) = _facts(
        line("volume.open", at(9), **OPEN), line("mask.save", at(9, day=1), **SAVE)
    )
    assert not fact.explained


def test_work_that_failed_does_not_explain() -> None:
    run = {"detail": {"profile": "basic", "profile_hash": digest(1), "files": 0}, "outcome": 8}
    (fact,) = _facts(line("volume.open", at(9), **OPEN), line("deid.run", at(9), **run))
    assert not fact.explained


def test_the_day_is_that_of_the_sites_clocks() -> None:
    lines = (line("volume.open", at(23), **OPEN), line("mask.save", at(1, day=1), **SAVE))
    hours = Hours(utc_offset_minutes=120)
    assert _facts(*lines)[0].explained == ""
    assert _facts(*lines, hours=hours)[0].explained == "the user saved a mask of it that day"


def test_earlier_work_explains() -> None:
    (fact,) = _facts(
        line("mask.save", at(9), **SAVE), line("volume.open", at(9, day=9), **OPEN)
    )
    assert fact.explained == BEFORE


def test_an_earlier_explained_opening_explains_and_an_unexplained_one_does_not() -> None:
    assigned = {"format": "dicom", "assignment": digest(1)}
    facts = _facts(
        line("volume.open", at(8), **OPEN),
        line("volume.open", at(9), detail=assigned, number=3),
        line("volume.open", at(9, day=2), **OPEN),
    )
    by_time = sorted(facts, key=lambda fact: fact.at_ms)
    assert [fact.explained for fact in by_time] == ["", ASSIGNED, KNOWN]


def test_a_reviewer_opens_what_a_colleague_submitted() -> None:
    (fact,) = _facts(
        line("review.submit", at(8)),
        line("volume.open", at(9), user=BEN, role="reviewer", **OPEN),
    )
    assert fact.explained == SUBMITTED


@pytest.mark.parametrize(
    ("user", "role", "between"),
    [(BEN, "annotator", ""), (BEN, "reviewer", "review.approve")],
)
def test_a_submission_explains_neither_others_nor_what_is_over(
    user: str, role: str, between: str
) -> None:
    lines = [
        line("review.submit", at(8)),
        line("volume.open", at(9), user=user, role=role, **OPEN),
    ]
    if between:
        lines.insert(1, line(between, at(8, 30), user="u1-" + "c" * 16, role="reviewer"))
    (fact,) = _facts(*lines)
    assert not fact.explained


def test_ones_own_submission_does_not_wait_for_oneself_before_it_is_made() -> None:
    (fact,) = _facts(
        line("volume.open", at(9), role="reviewer", **OPEN),
        line("review.submit", at(8, day=1), user=BEN),
    )
    assert not fact.explained


def test_identities_looked_up_are_never_explained() -> None:
    assert [fact.explained for fact in _facts(
        line("mask.save", at(8), **SAVE),
        line("volume.open", at(9), **OPEN),
        line("reid.lookup", at(10)),
        line("reid.export", at(11), subject=(), detail={"cases": 2}),
    )] == ["", "", "the user saved a mask of it that day"]  # fmt: skip


def test_a_preview_counts_only_with_values() -> None:
    detail = {"profile": "basic", "profile_hash": digest(1), "files": 1}
    facts = _facts(
        line("deid.preview", at(9), detail=detail),
        line("deid.preview", at(10), detail={**detail, "values_shown": True}),
    )
    assert [fact.at_ms for fact in facts] == [at(10)]


def test_each_patient_of_an_event_is_an_access() -> None:
    facts = _facts(line("reid.lookup", at(9), subject=(PATIENT, OTHER)))
    assert [fact.subject for fact in facts] == [PATIENT, OTHER]


@pytest.mark.parametrize(
    ("moment", "off"),
    [
        (at(6, 59), True),
        (at(7), False),
        (at(18, 59), False),
        (at(19), True),
        (at(12, day=4), False),
        (at(12, day=5), True),
        (at(12, day=6), True),
    ],
)
def test_off_hours_are_those_outside_work(moment: int, off: bool) -> None:
    (fact,) = _facts(line("volume.open", moment, **OPEN))
    assert fact.off_hours is off


def test_off_hours_follow_the_offset() -> None:
    (fact,) = _facts(line("volume.open", at(6), **OPEN), hours=Hours(utc_offset_minutes=60))
    assert not fact.off_hours


def test_unexplained_come_first_then_off_hours_then_time() -> None:
    work = line("mask.save", at(12), **SAVE)
    opened = [
        line("volume.open", at(9), number=1, **OPEN),
        line("volume.open", at(5), number=2, **OPEN),
        line("volume.open", at(9), number=3, subject=OTHER, **OPEN),
        line("volume.open", at(22), number=4, subject=OTHER, **OPEN),
    ]
    assert [fact.line for fact in _facts(work, *opened)] == [4, 3, 2, 1]
