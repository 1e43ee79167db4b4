"""Who made a mask of a case is told by steps; clocks of two computers end nothing."""

from __future__ import annotations

import pytest

from napari_medlabel.project.work.authors import authors
from napari_medlabel.project.work.states import Action
from napari_medlabel.project.work.steps import Save, Step

HOURS = ("11:30", "12:30")


def at(hour: str) -> str:
    return f"2026-11-23T{hour}:00.000Z"


def step(number: int, action: Action, user: str, hour: str, content: str = "") -> Step:
    return Step("case", "A", number, action, user, at(hour), content)


SAVED = Save("case", "r03", at("12:05"))
BEGUN = step(1, "start", "r03", "12:00")


@pytest.mark.parametrize("hour", HOURS)
def test_who_saved_before_another_took_over_is_an_author_whatever_the_other_s_clock_says(
    hour: str,
) -> None:
    taken = (step(2, "start", "r02", hour), step(3, "submit", "r02", hour, "sha256:x"))
    assert authors((BEGUN, *taken), [SAVED]) == {"r02", "r03"}
    assert authors((BEGUN, *taken)) == {"r02"}


@pytest.mark.parametrize(
    ("hour", "found"), [("12:04", set()), ("12:05", {"r03"}), ("12:06", {"r03"})]
)
def test_what_is_saved_after_one_s_own_word_that_ended_a_reading_is_no_reading(
    hour: str, found: set[str]
) -> None:
    assert authors((BEGUN, step(2, "release", "r03", hour)), [SAVED]) == found


def test_what_others_save_and_what_is_saved_of_other_cases_makes_no_author() -> None:
    others = [Save("case", "r04", at("12:05")), Save("other", "r03", at("12:05"))]
    assert authors((BEGUN,), others) == frozenset()
    assert authors((BEGUN,), [SAVED]) == {"r03"}
