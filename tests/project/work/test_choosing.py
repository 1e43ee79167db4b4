"""Which reading comes next, and for whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as quick
from hypothesis import strategies as st

from napari_medlabel.cli import project_next
from napari_medlabel.errors import InputError
from napari_medlabel.project.layout import CaseId, Layout
from napari_medlabel.project.work.assignment import (
    Assignment,
    assignment_file,
    read_assignment,
    write_assignment,
)
from napari_medlabel.project.work.choosing import (
    STRATEGIES,
    Chooser,
    next_case,
    to_read,
    to_review,
)
from napari_medlabel.project.work.fold import CaseRow, SlotState, Worklist

ANNA, BEN, CARL = (f"u1-{digit * 16}" for digit in "abc")
WHO = {"r01": ANNA, "r02": BEN, "r03": CARL}
FIRST, SECOND, THIRD = (CaseId(f"{n:03d}") for n in (1, 2, 3))


def row(case: CaseId, **slots: SlotState) -> CaseRow:
    return CaseRow(case, f"sha256:{case.subject.rjust(64, '0')}", slots)


def todo() -> dict[str, SlotState]:
    return {"A": SlotState(), "B": SlotState()}


def by(user: str, state: Any = "in_progress", **more: Any) -> SlotState:
    return SlotState(state, 1, user, **more)


def chooser(code: str = "r01", **more: Any) -> Chooser:
    return Chooser(code, {WHO[code]}, **more)


def test_what_was_begun_comes_first_then_what_was_sent_back() -> None:
    rows = (
        row(FIRST, **todo()),
        row(SECOND, A=by(ANNA, "rejected"), B=SlotState()),
        row(THIRD, A=by(BEN), B=by(ANNA)),
    )
    work = Worklist(rows)
    assert to_read(work, chooser()) == ((THIRD, "B"), (SECOND, "A"), (FIRST, "A"))
    assert next_case(work, chooser("r03")) == (FIRST, "A")
    assert next_case(Worklist(()), chooser()) is None


def test_strategies_order_what_has_the_same_priority() -> None:
    rows = (row(FIRST, **todo()), row(SECOND, A=by(BEN), B=SlotState()), row(THIRD, **todo()))
    work = Worklist(rows)

    def cases(strategy: Any, **more: Any) -> list[CaseId]:
        return [case for case, _ in to_read(work, chooser(strategy=strategy, **more))]

    assert cases("order") == [FIRST, SECOND, THIRD]
    assert cases("finish") == [SECOND, FIRST, THIRD]
    assert cases("spread") == [FIRST, THIRD, SECOND]
    assert len({tuple(cases("random", seed=seed)) for seed in range(30)}) == 6
    assert cases("random", seed=4) == cases("random", seed=4)
    first = Assignment(priorities={str(THIRD): 1})
    assert cases("order", assignment=first) == [THIRD, FIRST, SECOND]
    assert project_next._STRATEGIES == STRATEGIES


def test_claims_of_others_and_assignments_are_respected() -> None:
    work = Worklist((row(FIRST, **todo()),))
    assert to_read(work, chooser(taken={(str(FIRST), "A")})) == ((FIRST, "B"),)
    assert to_read(work, chooser(seen={FIRST})) == ()
    given_to = Assignment({(str(FIRST), "B"): "r01"})
    assert to_read(work, chooser(assignment=given_to)) == ((FIRST, "B"),)
    assert to_read(work, chooser("r02", assignment=given_to)) == ((FIRST, "A"),)


def test_reviewers_get_what_others_made_and_never_what_they_are_reading() -> None:
    done = by(ANNA, "submitted", rounds=1, maker=ANNA)
    rows = (
        row(FIRST, A=done, B=SlotState()),
        row(SECOND, A=done, B=by(CARL)),
        row(THIRD, A=by(BEN, "in_review", reviewer=CARL), B=by(ANNA, "corrected", maker=BEN)),
    )
    work = Worklist(rows)
    assert to_review(work, chooser("r03")) == ((THIRD, "A"), (FIRST, "A"), (THIRD, "B"))
    assert to_review(work, chooser("r01")) == ()
    assert to_review(work, chooser("r02")) == ((FIRST, "A"), (SECOND, "A"))
    assert to_review(work, chooser("r02"), share=0.0) == ()


def test_a_share_of_submissions_is_drawn_anew_each_round() -> None:
    cases = [CaseId(f"{n:03d}") for n in range(200)]

    def drawn(rounds: int) -> set[CaseId]:
        rows = [row(one, A=by(ANNA, "submitted", rounds=rounds)) for one in cases]
        return {case for case, _ in to_review(Worklist(tuple(rows)), chooser("r02"), share=0.3)}

    assert 35 < len(drawn(1)) < 85
    assert drawn(1) == drawn(1) != drawn(2)


SLOT = st.builds(
    SlotState,
    state=st.sampled_from(["todo", "in_progress", "rejected", "submitted", "approved"]),
    user=st.sampled_from([ANNA, BEN, CARL]),
).map(lambda slot: replace(slot, user="") if slot.state == "todo" else slot)


@quick(max_examples=40, deadline=None)
@given(
    st.lists(st.fixed_dictionaries({"A": SLOT, "B": SLOT}), max_size=5),
    st.sampled_from(["r01", "r02", "r03"]),
    st.sampled_from(STRATEGIES),
)
def test_nobody_is_offered_two_readings_or_somebody_elses(
    slots: list[Mapping[str, SlotState]], code: str, strategy: Any
) -> None:
    rows = [row(CaseId(f"{n:03d}"), **one) for n, one in enumerate(slots)]
    work, me = Worklist(tuple(rows)), WHO[code]
    found = to_read(work, chooser(code, strategy=strategy))
    for case, slot in found:
        line = work.row(case)
        assert line is not None
        now = line.slots[slot]
        assert now.user in ("", me)
        if now.state == "todo":
            assert all(other.user != me for other in line.slots.values())
            assert [one for one, _ in found].count(case) == 1


def test_an_assignment_is_written_and_read_back(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.own.mkdir()
    assert read_assignment(layout) == Assignment()
    made = Assignment({(str(FIRST), "B"): "r01"}, {str(SECOND): -2})
    write_assignment(layout, made)
    assert read_assignment(layout) == made
    assert read_assignment(layout).digest == made.digest
    assignment_file(layout).write_text("{}")
    with pytest.raises(InputError, match=r"assignment\.json cannot be read"):
        read_assignment(layout)


def test_an_assignment_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="slot from A to H"):
        Assignment({(str(FIRST), "Z"): "r01"})
    with pytest.raises(InputError, match="no second reading"):
        Assignment({(str(FIRST), "A"): "r01", (str(FIRST), "B"): "r01"})
    with pytest.raises(InputError, match="whole number"):
        Assignment(priorities={str(FIRST): True})
