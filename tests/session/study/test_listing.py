"""What each person sees of a study: their own readings, those open to them, no more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from napari_medlabel.session.study.agreeing import reach
from napari_medlabel.session.study.assigning import assign
from napari_medlabel.session.study.listing import HEAPS, Line, list_for, state_of_log
from napari_medlabel.session.study.seat import Seat
from napari_medlabel.session.study.submitting import submit
from napari_medlabel.session.study.working import raise_problem, skip, start
from tests.session.study.small_study import SmallStudy, make_study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallStudy]:
    """Give four cases, read twice: one submitted by r01, one begun by r02, one a problem."""
    made = make_study(tmp_path_factory.mktemp("listing"), cases=4)
    for code, number in (("r01", 0), ("r02", 1), ("r01", 2)):
        start(made.seat(code), made.cases[number], "A")
    submit(made.seat("r01"), made.cases[0], "A", made.scan(), made.work(1, 2))
    raise_problem(made.seat("r01"), made.cases[2], "A", reason="PROTOCOL")
    assign(made.seat("m1"), made.cases[3], priority=5)
    yield made
    made.close()


def lines(seat: Seat) -> dict[tuple[str, str], Line]:
    return {(line.case.subject, line.slot): line for line in list_for(seat).lines}


def test_an_annotator_sees_their_own_and_what_is_open_to_them(study: SmallStudy) -> None:
    seat = study.seat("r01")
    found = list_for(seat)
    seen = [(line.case.subject, line.slot, line.state, line.kind) for line in found.lines]
    assert seen == [
        ("004", "A", "todo", "read"),  # it comes first by its priority
        ("002", "B", "todo", "read"),
        ("001", "A", "submitted", "read"),
        ("003", "A", "problem", "read"),
    ], "A of the second case is another's: its row would tell how far they are"
    assert found.next_read == (study.cases[3], "A")
    assert found.next_review is None
    assert found.counts() == dict(zip(HEAPS, (2, 0, 1, 0, 1), strict=True))
    assert not any(line.rater for line in found.lines), "codes are for managers"
    assert found.lines[0].priority == 5
    assert found.lines[3].reason == "PROTOCOL"
    can = {line.case.subject: line.can for line in found.lines}
    assert can["004"] == ("open", "skip", "problem")
    assert can["001"] == ("look", "withdraw", "problem")


def test_a_reviewer_sees_what_waits_for_them_and_a_manager_everything(
    study: SmallStudy,
) -> None:
    reviewer = list_for(study.seat("r04"))
    assert [(line.case.subject, line.kind, line.can) for line in reviewer.lines] == [
        ("001", "review", ("review",))
    ]
    assert reviewer.next_review == (study.cases[0], "A")
    assert reviewer.counts()["submitted"] == 1
    both = lines(study.seat("r03"))
    assert both["001", "A"].kind == "review"
    assert both["001", "B"].kind == "read", "who has not reviewed yet may read instead"
    manager = list_for(study.seat("m1"))
    assert len(manager.lines) == 8
    assert {line.rater for line in manager.lines} == {"", "r01", "r02"}
    problem = next(line for line in manager.lines if line.state == "problem")
    assert problem.can == ("resume",)


def test_a_reading_whose_holder_is_gone_may_be_taken_over(study: SmallStudy) -> None:
    seat = study.seat("r01")
    assert ("002", "A") not in lines(seat)
    late = replace(seat.desk, now=lambda: seat.desk.now() + timedelta(hours=13))
    assert lines(replace(seat, desk=late))["002", "A"].can == ("take_over",)
    # Who has a reading of the case would read it twice.
    other = study.seat("r02")
    late = replace(other.desk, now=lambda: other.desk.now() + timedelta(hours=13))
    assert lines(replace(other, desk=late))["002", "A"].can[0] == "open"


def test_an_adjudicator_is_offered_what_can_be_settled_and_what_was(tmp_path: Path) -> None:
    made = make_study(tmp_path, cases=2, people=("m1", "r01", "r02"))
    seat, case = made.seat("m1"), made.cases[0]
    assert not [line for line in list_for(seat).lines if line.kind == "settle"]
    for code, slot in (("r01", "A"), ("r02", "B")):
        start(made.seat(code), case, slot)
        submit(made.seat(code), case, slot, made.scan(), made.work(1, 2))
    found = list_for(seat)
    (line,) = [line for line in found.lines if line.kind == "settle"]
    assert (line.case, line.slot, line.state, line.can) == (
        case,
        "consensus",
        "todo",
        ("settle",),
    )
    assert line == found.lines[0]
    assert sum(found.counts().values()) == 4, "readings are counted, a consensus is none"
    assert not [one for one in list_for(made.seat("r01")).lines if one.kind == "settle"]
    before = state_of_log(seat)
    reach(seat, case, "adjudicate", made.scan())
    assert state_of_log(seat) != before
    settled = [line for line in list_for(seat).lines if line.slot == "consensus"]
    assert [(line.state, line.rank, line.can) for line in settled] == [
        ("approved", -1, ("settle",))
    ]
    made.close()


def test_the_list_is_the_same_while_the_log_is(study: SmallStudy, tmp_path: Path) -> None:
    seat = study.seat("r02")
    before = state_of_log(seat)
    assert state_of_log(seat) == before
    skip(seat, study.cases[1], "A", reason="OTHER")
    assert state_of_log(seat) != before
    assert lines(seat)["002", "A"].heap == "done"
    assert not any(str(tmp_path) in name for name, _size in before)
