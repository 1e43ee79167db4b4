"""People and readings of a release are counted from its chain, without what tests a reader."""

from __future__ import annotations

from dataclasses import replace

import pytest

from napari_medlabel.project.cases.version import Pins
from napari_medlabel.project.layout import CaseId
from napari_medlabel.project.release.chain import CaseChain, Chain, Link
from napari_medlabel.project.release.worked import Worked, own_slots, worked_on
from tests.project.release.released import digest, pins

MASK = digest("mask")
TODAY = {"version": 1, "ontology": pins().ontology, "guideline": pins().guideline}
ADDED = ("study.case", "m1", "", 0, "", {"slots": 1})
READ = (("study.start", "r01", "A", 1, "", {}), ("review.submit", "r01", "A", 2, MASK, TODAY))
TEST = (("study.start", "r02", "B", 1, "", {}), ("review.submit", "r02", "B", 2, MASK, {}),
        ("review.begin", "r01", "B", 3, "", {}), ("review.reject", "r01", "B", 4, "", {}),
        )  # fmt: skip
REJECTED = (("review.begin", "r03", "A", 3, "", {}), ("review.reject", "r03", "A", 4, "", {}))
APPROVED = (("study.start", "r01", "A", 5, "", {}),
            ("review.submit", "r01", "A", 6, MASK, TODAY),
            ("review.begin", "r02", "A", 7, "", {}),
            ("review.approve", "r02", "A", 8, "", {}))  # fmt: skip


def told(*lines: tuple[str, str, str, int, str, dict], slot: str = "A") -> Chain:
    links = tuple(
        Link(event, by, f"2026-11-22T12:00:{index:02d}.000Z", "o", index, b"", (), where, step,
             content, detail=detail)
        for index, (event, by, where, step, content, detail) in enumerate(lines)
    )  # fmt: skip
    scan = digest("scan")
    case = CaseChain(CaseId("001"), scan, scan, (), None, 1, slot, MASK, 1, {}, links)
    return Chain((), (case,))


def test_a_reading_that_tests_its_reader_is_counted_nowhere():
    found = worked_on(told(ADDED, *READ, *TEST), pins())
    assert found == Worked(1, 0, {"submitted": 1})


def test_everybody_who_decided_on_a_reading_reviewed_it():
    found = worked_on(told(ADDED, *READ, *REJECTED, *APPROVED), pins())
    assert found == Worked(1, 2, {"approved": 1})


def test_who_only_looked_did_not_review():
    assert worked_on(told(ADDED, *READ, REJECTED[0]), pins()).reviewers == 0


def test_who_corrected_made_a_mask_and_reviewed_one():
    corrected = ("review.correct", "r04", "A", 4, MASK, {"version": 2})
    found = worked_on(told(ADDED, *READ, REJECTED[0], corrected), pins())
    assert (found.raters, found.reviewers) == (2, 1)


def test_one_person_in_several_cases_is_one_and_unknown_ones_are_one():
    chain = told(ADDED, *READ, *REJECTED, *APPROVED)
    assert worked_on(replace(chain, cases=chain.cases * 2), pins()).raters == 1
    links = tuple(replace(one, by="") for one in chain.cases[0].links)
    nobody = replace(chain.cases[0], links=links)
    found = worked_on(replace(chain, cases=(*chain.cases, nobody)), pins())
    assert (found.raters, found.reviewers) == (2, 3)


def test_readings_of_other_rules_and_those_that_nobody_began_are_counted():
    lines = (("study.case", "m1", "", 0, "", {"slots": 3}), *READ, *TEST)
    found = worked_on(told(*lines), pins())
    assert found == Worked(2, 1, {"rejected": 1, "submitted": 1, "todo": 1}, 1)
    assert worked_on(told(ADDED, *READ), Pins("a", "b")).older_rules == 1


@pytest.mark.parametrize(
    ("lines", "slot", "expected"),
    [((ADDED,), "A", "A"), ((ADDED,), "C", "ABC"), ((), "consensus", ""),
     ((ADDED, ("study.consensus", "m1", "", 0, MASK, {"readings": 2})), "consensus", "AB")],
)  # fmt: skip
def test_readings_are_those_the_case_was_to_have_and_what_leaves(lines, slot, expected):
    assert own_slots(told(*lines, slot=slot).cases[0]) == tuple(expected)


def test_a_consensus_that_was_begun_is_a_reading_of_its_own():
    lines = (ADDED, *READ, ("study.start", "m1", "consensus", 1, "", {}))
    assert sum(worked_on(told(*lines), pins()).states.values()) == 2
