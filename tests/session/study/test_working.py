"""The annotator's steps, each once, whoever else is there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from napari_medlabel.audit.keys.tokens import rotate_token_key
from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.project.work.claims import claim, read_claim
from napari_medlabel.session.desk import open_desk
from napari_medlabel.session.study.assigning import assign
from napari_medlabel.session.study.listing import list_for
from napari_medlabel.session.study.seat import Seat, look, worklist
from napari_medlabel.session.study.submitting import submit
from napari_medlabel.session.study.working import (
    all_to_read,
    begin_next,
    confirm,
    mark_outdated,
    next_to_read,
    raise_problem,
    release,
    resume,
    sign_of_life,
    skip,
    start,
    take_over,
    withdraw,
)
from tests.session.study.small_study import SmallStudy, make_study


@pytest.fixture
def study(tmp_path: Path) -> Iterator[SmallStudy]:
    made = make_study(tmp_path)
    yield made
    made.close()


def later(seat: Seat, hours: float) -> Seat:
    desk = seat.desk
    return replace(seat, desk=replace(desk, now=lambda: desk.now() + timedelta(hours=hours)))


def test_beginning_claims_and_beginning_again_changes_nothing(study: SmallStudy) -> None:
    seat, (case, _) = study.seat("r01"), study.cases
    assert next_to_read(seat) == (case, "A")
    assert start(seat, case, "A").state == "in_progress"
    held = read_claim(study.layout, case, "A")
    assert held is not None
    assert held.rater == "r01"
    steps = len(seat.reader.read())
    assert start(study.again("r01"), case, "A").steps == 1
    assert len(seat.reader.read()) == steps
    assert next_to_read(seat) == (case, "A")
    assert next_to_read(study.seat("r02")) == (case, "B")
    assert study.is_sound()


def test_nobody_gets_what_somebody_else_has_or_two_readings_of_a_case(
    study: SmallStudy,
) -> None:
    case = study.cases[0]
    start(study.seat("r01"), case, "A")
    with pytest.raises(RefusedError, match="in progress, and it is somebody else's"):
        start(study.seat("r02"), case, "A")
    with pytest.raises(RefusedError, match="You have reading A of this case"):
        start(study.seat("r01"), case, "B")
    with pytest.raises(RefusedError, match="needs the role annotator"):
        start(study.seat("r04"), case, "B")
    with pytest.raises(InputError, match="no reading of that name"):
        start(study.seat("r02"), case, "C")


def test_each_who_asks_for_the_next_gets_another(study: SmallStudy) -> None:
    got = [begin_next(study.seat(code)) for code in ("r01", "r02", "r03")]
    assert got == [(study.cases[0], "A"), (study.cases[0], "B"), (study.cases[1], "A")]


def test_what_is_given_back_is_to_do_again(study: SmallStudy) -> None:
    seat, case = study.seat("r01"), study.cases[0]
    start(seat, case, "A")
    with pytest.raises(RefusedError, match="somebody else's"):
        release(study.seat("r02"), case, "A")
    assert release(seat, case, "A").state == "todo"
    assert release(seat, case, "A").steps == 2
    assert read_claim(study.layout, case, "A") is None
    assert start(study.seat("r02"), case, "A").state == "in_progress"


def test_skipping_and_problems_need_a_reason_and_are_taken_up_again(study: SmallStudy) -> None:
    seat, (case, other) = study.seat("r01"), study.cases
    with pytest.raises(InputError, match="A reason is"):
        skip(seat, case, "A", reason="because")
    assert skip(seat, case, "A", reason="PROTOCOL").state == "skipped"
    with pytest.raises(RefusedError, match="skipped cannot be begun"):
        start(seat, case, "A")
    start(seat, other, "A")
    assert raise_problem(seat, other, "A", reason="OTHER").reason == "OTHER"
    with pytest.raises(RefusedError, match="role manager"):
        resume(study.seat("r02"), other, "A")
    assert resume(seat, other, "A").state == "todo"
    assert resume(study.seat("m1"), case, "A").state == "todo"


def test_who_skipped_what_nobody_had_begun_takes_it_up_again_and_no_other_annotator(
    study: SmallStudy,
) -> None:
    seat, other, case = study.seat("r01"), study.seat("r02"), study.cases[0]
    assert skip(seat, case, "A", reason="PROTOCOL").user == ""
    with pytest.raises(RefusedError, match="role manager"):
        resume(other, case, "A")
    own = {(one.case, one.slot): one.can for one in list_for(seat).lines}
    assert own[case, "A"] == ("resume",)
    assert (case, "A") not in {(one.case, one.slot) for one in list_for(other).lines}
    assert resume(seat, case, "A").state == "todo"
    skip(other, case, "A", reason="OTHER")
    with pytest.raises(RefusedError, match="role manager"):
        resume(seat, case, "A")
    assert start(other, case, "B").user in other.users


def test_a_reviewer_raises_a_problem_about_what_was_submitted(study: SmallStudy) -> None:
    seat, case = study.seat("r01"), study.cases[0]
    start(seat, case, "A")
    submit(seat, case, "A", study.scan(), study.work(1))
    raised = raise_problem(study.seat("r04"), case, "A", reason="WRONG_PATIENT")
    assert raised.state == "problem"


def test_a_reading_is_taken_over_after_hours_without_a_sign_of_life(study: SmallStudy) -> None:
    case, other = study.cases
    start(study.seat("r01"), case, "A")
    seat = study.seat("r02")
    with pytest.raises(RefusedError, match="sign of life not long ago"):
        take_over(seat, case, "A")
    taken = take_over(later(seat, 13), case, "A")
    assert (taken.state, taken.steps) == ("in_progress", 3)
    assert take_over(seat, case, "A").steps == 3
    with pytest.raises(RefusedError, match="somebody else's"):
        release(study.seat("r01"), case, "A")
    start(study.seat("r01"), other, "A")
    study.layout.claim(other, "A").unlink()  # claims are disposable
    with pytest.raises(RefusedError, match="begun not long ago"):
        take_over(seat, other, "A")
    assert take_over(later(seat, 13), other, "A").user in seat.users
    assert study.is_sound()


def test_the_claim_of_somebody_who_never_began_blocks_nobody_for_ever(
    study: SmallStudy,
) -> None:
    """As when the program is killed between the claim and the log."""
    seat, other, case = study.seat("r01"), study.seat("r02"), study.cases[0]
    claim(study.layout, case, "A", other.claimant, seat.desk.now())
    assert next_to_read(seat) == (case, "B")
    with pytest.raises(RefusedError, match="at work on this reading"):
        start(seat, case, "A")
    assert next_to_read(later(seat, 13)) == (case, "A")
    assert start(later(seat, 13), case, "A").user in seat.users
    with pytest.raises(RefusedError, match="somebody else's"):
        start(other, case, "A")
    sign_of_life(seat, case, "A")
    with pytest.raises(RefusedError, match="at work on this reading"):
        sign_of_life(other, case, "A")


def test_a_submission_is_withdrawn_until_somebody_reviews_it(study: SmallStudy) -> None:
    seat, case = study.seat("r01"), study.cases[0]
    start(seat, case, "A")
    submit(seat, case, "A", study.scan(), study.work(1))
    with pytest.raises(RefusedError, match="somebody else's"):
        withdraw(study.seat("r02"), case, "A")
    assert withdraw(seat, case, "A").state == "in_progress"
    assert withdraw(seat, case, "A").steps == 3


def test_new_guidelines_make_readings_stale_until_they_are_confirmed(study: SmallStudy) -> None:
    seat, case = study.seat("r01"), study.cases[0]
    start(seat, case, "A")
    submit(seat, case, "A", study.scan(), study.work(1))
    manager = study.seat("m1")
    assert mark_outdated(manager) == ()
    text = study.layout.guidelines.read_text()
    study.layout.guidelines.write_text(f"{text}\nThe gall bladder is not liver.\n")
    with pytest.raises(RefusedError, match="role manager"):
        mark_outdated(seat)
    assert mark_outdated(manager) == ((case, "A"),)
    assert next_to_read(seat) == (case, "A")
    assert confirm(seat, case, "A").state == "submitted"
    assert confirm(seat, case, "A").steps == 4
    assert mark_outdated(manager) == ()


def test_assigned_cases_are_offered_to_nobody_else_and_priority_orders(
    study: SmallStudy,
) -> None:
    first, second = study.cases
    manager = study.seat("m1")
    with pytest.raises(RefusedError, match="role manager"):
        assign(study.seat("r01"), first, slot="A", to="r01")
    with pytest.raises(InputError, match="no rater of that code"):
        assign(manager, first, slot="A", to="r09")
    assign(manager, first, slot="A", to="r02")
    assign(manager, second, priority=5)
    assert all_to_read(study.seat("r01")) == ((second, "A"), (first, "B"))
    assert all_to_read(study.seat("r02")) == ((second, "A"), (first, "A"))
    with pytest.raises(RefusedError, match="assigned to somebody else"):
        start(study.seat("r01"), first, "A")
    with pytest.raises(RefusedError, match="assigned another one"):
        start(study.seat("r02"), first, "B")
    assign(manager, first, slot="A")
    assert all_to_read(study.seat("r01"))[1] == (first, "A")
    assert study.is_sound()


def test_a_case_of_which_the_log_knows_nothing_is_to_do(study: SmallStudy) -> None:
    assert worklist(study.seat("r01")).counts() == {"todo": 4}


def test_who_has_a_new_token_key_is_known_to_others_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = make_study(tmp_path, cases=2)
    start(study.seat("r01"), study.cases[0], "A")
    before = study.seat("r01").users
    study.desks.pop("r01").log.close()
    rotate_token_key(tmp_path / "pc-r01")
    seat = study.seat("r01")
    assert before < seat.users
    start(seat, study.cases[1], "A")
    (new,) = seat.users - before
    assert look(seat, study.cases[1], "A").now.user == new
    for other in ("m1", "r02"):
        assert study.seat(other).code_of(new) == "r01"
        assert [study.seat(other).code_of(one) for one in before] == ["r01"]
    assert study.seat("r02").code_of("u9-0123456789abcdef") == ""
    study.close()
    # Where a memory has had two accounts nothing is proved.
    place = "napari_medlabel.audit.writer.place.account_name"
    monkeypatch.setattr(place, lambda: "colleague")
    open_desk(study.layout.audit, state=tmp_path / "pc-r01").log.close()
    monkeypatch.undo()
    assert study.seat("r02").code_of(new) == ""
    study.close()
