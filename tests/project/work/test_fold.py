"""The worklist folded from steps: whatever their order, and nothing lost."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.project.layout import CaseId
from napari_medlabel.project.work.fold import SlotState, fold, fold_slot
from napari_medlabel.project.work.states import STATES, Action
from napari_medlabel.project.work.steps import EVENTS, Step

SCAN = f"sha256:{'a' * 64}"
OTHER = f"sha256:{'b' * 64}"
MASKS = [f"sha256:{digit * 64}" for digit in "123456"]
ANNA, BEN, CARL = (f"u1-{digit * 16}" for digit in "abc")


def step(number: int, action: Action, user: str = ANNA, **more: object) -> Step:
    return Step(SCAN, "A", number, action, user, f"2026-11-22T12:00:{number:02d}Z", **more)


def read(user: str = ANNA, content: str = MASKS[0]) -> list[Step]:
    """Return a reading up to its submission."""
    detail = {"active_s": 60, "ontology": OTHER, "guideline": SCAN}
    return [
        step(1, "start", user),
        step(2, "submit", user, content=content, version=1, detail=detail),
    ]


def test_a_reading_goes_from_nothing_to_approved() -> None:
    steps = [*read(), step(3, "begin_review", BEN), step(4, "approve", BEN)]
    found = fold_slot(steps)
    assert (found.state, found.steps) == ("approved", 4)
    assert (found.user, found.reviewer) == (ANNA, BEN)
    assert (found.content, found.version, found.rounds) == (MASKS[0], 1, 1)
    assert (found.active_s, found.ontology, found.guideline) == (60, OTHER, SCAN)
    assert not found.rivals + found.unheard + found.gaps


def test_a_rejected_reading_comes_back_in_a_second_round() -> None:
    steps = [
        *read(),
        step(3, "begin_review", BEN),
        step(4, "reject", BEN, reason="CORRECTION"),
        step(5, "start"),
        step(6, "submit", content=MASKS[1], version=2),
    ]
    found = fold_slot(steps)
    assert (found.state, found.rounds, found.version) == ("submitted", 2, 2)


def test_a_correction_replaces_the_mask_and_waits_for_somebody_else() -> None:
    steps = [
        *read(),
        step(3, "begin_review", BEN),
        step(4, "correct", BEN, content=MASKS[1], version=2),
    ]
    found = fold_slot(steps)
    assert (found.state, found.content, found.user) == ("corrected", MASKS[1], ANNA)


def test_given_back_work_has_nobody() -> None:
    assert fold_slot([step(1, "start"), step(2, "release")]).user == ""


def test_two_who_began_at_once_are_a_conflict_and_both_masks_are_kept() -> None:
    steps = [*read(ANNA, MASKS[0]), *read(BEN, MASKS[1])]
    found = fold_slot(steps)
    assert found.state == "conflict"
    assert {r.content for r in found.rivals if r.content} == set(MASKS[:2])
    chosen = fold_slot([*steps, step(3, "settle", CARL, content=MASKS[1], version=1)])
    assert (chosen.state, chosen.content, chosen.user) == ("submitted", MASKS[1], BEN)
    assert not chosen.rivals


def test_one_of_two_that_was_not_possible_makes_no_conflict() -> None:
    found = fold_slot([step(1, "start"), step(1, "approve", BEN)])
    assert found.state == "in_progress"
    assert [s.action for s in found.unheard] == ["approve"]
    nothing = fold_slot([step(1, "approve"), step(1, "reject")])
    assert (nothing.state, len(nothing.unheard)) == ("todo", 2)


def test_the_same_step_from_two_copies_of_a_log_is_one() -> None:
    assert fold_slot([*read(), *read()]) == fold_slot(read())


def test_a_step_that_was_not_possible_changes_nothing_and_is_told() -> None:
    found = fold_slot([step(1, "start"), step(2, "approve", BEN), step(3, "submit")])
    assert found.state == "submitted"
    assert [s.action for s in found.unheard] == ["approve"]


def test_missing_numbers_are_told() -> None:
    found = fold_slot([step(1, "start"), step(4, "submit")])
    assert found.gaps == (2, 3)
    assert found.state == "submitted"


def test_clocks_order_nothing() -> None:
    late = replace(step(1, "start"), time="2031-01-01T00:00:00Z")
    early = replace(step(2, "submit"), time="1999-01-01T00:00:00Z")
    assert fold_slot([early, late]).state == "submitted"


STEPS = st.lists(
    st.builds(
        step,
        st.integers(1, 6),
        st.sampled_from(sorted(EVENTS)),
        st.sampled_from([ANNA, BEN]),
        content=st.sampled_from(["", *MASKS[:2]]),
    ),
    max_size=14,
)


@given(STEPS, st.randoms(use_true_random=False))
def test_the_order_in_which_steps_come_makes_no_difference(
    steps: list[Step], chance: random.Random
) -> None:
    shuffled = [*steps, *steps[:3]]
    chance.shuffle(shuffled)
    assert fold_slot(shuffled) == fold_slot(steps)


@given(STEPS)
def test_the_state_is_one_of_the_list_and_a_conflict_names_its_rivals(
    steps: list[Step],
) -> None:
    found = fold_slot(steps)
    assert found.state in STATES
    assert found.state != "conflict" or len(found.rivals) >= 2
    assert found.steps == max((s.number for s in steps), default=0)


def test_a_worklist_has_every_case_and_every_slot() -> None:
    cases = {SCAN: CaseId("002"), OTHER: CaseId("001")}
    extra = replace(step(1, "start"), slot="consensus")
    lost = replace(step(1, "start"), case=f"sha256:{'c' * 64}")
    found = fold(cases, [*read(), extra, lost], ("A", "B"))
    assert [str(row.case) for row in found.rows] == ["sub-001_ct", "sub-002_ct"]
    assert list(found.rows[1].slots) == ["A", "B", "consensus"]
    assert found.strangers == (lost,)
    assert found.counts() == {"todo": 3, "submitted": 1, "in_progress": 1}
    assert found.row(CaseId("002")) is found.rows[1]
    assert found.row(CaseId("009")) is None


def test_readings_under_other_rules_are_outdated_and_open_ones_are_not() -> None:
    found = fold({SCAN: CaseId("001")}, read(), ("A", "B"))
    assert found.outdated(ontology=OTHER, guideline=SCAN) == ()
    assert found.outdated(ontology=SCAN, guideline=SCAN) == ((CaseId("001"), "A"),)


@pytest.mark.parametrize("state", ["todo", "skipped"])
def test_an_untouched_slot_is_todo(state: str) -> None:
    steps = [] if state == "todo" else [step(1, "skip", reason="OTHER")]
    assert fold_slot(steps).state == state
    assert SlotState().state == "todo"


def test_a_confirmation_moves_a_reading_to_the_rules_of_today() -> None:
    now = {"ontology": SCAN, "guideline": OTHER}
    steps = [*read(), step(3, "outdate", CARL), step(4, "confirm", detail=now)]
    found = fold_slot(steps)
    assert (found.state, found.ontology, found.guideline) == ("submitted", SCAN, OTHER)


def test_what_a_reviewer_found_stands_until_the_next_round() -> None:
    fault = {"labels": [2], "tags": ["missed"], "likert": 2}
    steps = [
        *read(),
        step(3, "begin_review", BEN),
        step(4, "reject", BEN, reason="CORRECTION", detail=fault),
    ]
    found = fold_slot(steps)
    assert (found.returned, found.tags, found.likert) == ((2,), ("missed",), 2)
    assert (found.reason, found.maker) == ("CORRECTION", ANNA)
    steps += [step(5, "start"), step(6, "submit", content=MASKS[1], version=2)]
    found = fold_slot(steps)
    assert (found.returned, found.tags, found.likert) == ((), (), 0)


def test_who_corrected_a_mask_is_its_maker_and_not_its_annotator() -> None:
    steps = [
        *read(),
        step(3, "begin_review", BEN),
        step(4, "correct", BEN, content=MASKS[2], version=1),
    ]
    found = fold_slot(steps)
    assert (found.user, found.maker, found.content) == (ANNA, BEN, MASKS[2])


def test_a_submission_is_not_lost_behind_somebody_who_gave_the_reading_back() -> None:
    done = step(2, "submit", content=MASKS[0], version=1)
    found = fold_slot([step(1, "start"), step(2, "release", BEN), done])
    assert found.state == "conflict"
    assert {one.action for one in found.rivals} == {"submit", "release"}
    assert found.content == MASKS[0]


def test_giving_back_and_skipping_at_once_is_no_conflict() -> None:
    given_up = [step(1, "start"), step(2, "release"), step(2, "skip", BEN, reason="OTHER")]
    found = fold_slot(given_up)
    assert (found.state, found.rivals) == ("todo", ())
    assert len(found.unheard) == 1


def test_two_masks_that_differ_on_a_further_layer_alone_are_a_conflict() -> None:
    """One account on two copies of the folder: the first layer is the same."""
    begun = step(1, "start")
    both = [
        step(2, "submit", content=MASKS[0], version=n, sheets=(sheet,))
        for n, sheet in ((1, OTHER), (2, SCAN))
    ]
    found = fold_slot([begun, *both, both[1]])
    assert found.state == "conflict"
    assert {one.masks for one in found.rivals} == {(MASKS[0], OTHER), (MASKS[0], SCAN)}
    settled = step(3, "settle", BEN, content=MASKS[0], sheets=(SCAN,), version=2)
    found = fold_slot([begun, *both, settled])
    assert (found.state, found.masks, found.version) == ("submitted", (MASKS[0], SCAN), 2)


@pytest.mark.parametrize("kind", ["answers", "landmarks", "boxes"])
def test_what_lies_beside_equal_masks_tells_two_submissions_apart(kind: str) -> None:
    both = [
        step(2, "submit", content=MASKS[0], version=1, detail={kind: digest})
        for digest in (OTHER, SCAN)
    ]
    assert fold_slot([step(1, "start"), *both]).state == "conflict"
    assert fold_slot([step(1, "start"), both[0], both[0]]).state == "submitted"


def test_who_is_chosen_counts_where_two_submitted_the_same_mask() -> None:
    steps = [*read(ANNA), *read(BEN)]
    settled = step(3, "settle", CARL, content=MASKS[0], detail={"maker": BEN}, version=1)
    found = fold_slot([*steps, settled])
    assert (found.state, found.user, found.maker, found.version) == ("submitted", BEN, BEN, 1)
    # A log of before names the mask alone; its version is that of who is chosen.
    other = [
        *read(ANNA),
        step(1, "start", BEN),
        step(2, "submit", BEN, content=OTHER, version=4),
    ]
    found = fold_slot([*other, step(3, "settle", CARL, content=OTHER)])
    assert (found.user, found.version) == (BEN, 4)
