"""A consensus names the readings that it was made of; another version of one is seen."""

from __future__ import annotations

import pytest

from napari_medlabel.project.work.made_of import FIELD, MadeOf, changed_since, made_of
from napari_medlabel.project.work.states import Action
from napari_medlabel.project.work.steps import Step

FIRST, SECOND = "sha256:" + "1" * 64, "sha256:" + "2" * 64
LATE, EARLY = "2026-11-23T18:00:00.000Z", "2026-11-23T06:00:00.000Z"
MADE = {"A": MadeOf("A", 2, FIRST, FIRST)}


def step(
    number: int, action: Action, content: str = "", version: int = 0, user: str = "r01"
) -> Step:
    return Step("case", "A", number, action, user, LATE, content, version)


READ = (step(1, "start"), step(2, "submit", FIRST, 1))


def test_what_its_line_says_is_read_again_and_a_line_of_before_says_nothing() -> None:
    assert made_of({FIELD: [one.detail() for one in MADE.values()]}) == MADE
    assert made_of({"rule": "union"}) == {}


@pytest.mark.parametrize("user", ["r01", "r02"])
@pytest.mark.parametrize(("content", "version"), [(SECOND, 2), (FIRST, 2)])
def test_another_version_of_a_reading_is_seen_though_its_clock_was_slow(
    content: str, version: int, user: str
) -> None:
    back = Step("case", "A", 3, "withdraw", "r01", EARLY)
    anew = Step("case", "A", 4, "submit", user, EARLY, content, version)
    assert changed_since(MADE, (*READ, back, anew), "A") == ("A",)


def test_another_s_version_of_the_same_number_and_mask_is_another() -> None:
    again = (step(3, "withdraw"), step(4, "submit", FIRST, 1, "r02"))
    assert changed_since(MADE, (*READ, *again), "A") == ("A",)


def test_an_approval_and_the_same_version_again_change_nothing() -> None:
    reviewed = (step(3, "begin_review", user="r04"), step(4, "approve", user="r04"))
    assert changed_since(MADE, (*READ, *reviewed), "A") == ()
    again = (step(3, "withdraw"), step(4, "submit", FIRST, 1))
    assert changed_since(MADE, (*READ, *again), "A") == ()


def test_a_reading_that_was_added_or_skipped_since_is_seen() -> None:
    assert changed_since(MADE, READ, "AB") == ("B",)
    assert changed_since(MADE, READ, "") == ("A",)


def test_a_rival_that_came_late_is_judged_by_what_was_settled() -> None:
    rival = step(2, "submit", SECOND, 1, "r02")
    told = {"chosen": FIRST, "maker": "r01"}
    kept = Step("case", "A", 3, "settle", "m1", EARLY, FIRST, 1, detail=told)
    assert changed_since(MADE, (*READ, rival, kept), "A") == ()
    other = Step("case", "A", 3, "settle", "m1", EARLY, SECOND, 1, detail={"maker": "r02"})
    assert changed_since(MADE, (*READ, rival, other), "A") == ("A",)
