"""The reviewer's steps: who made a mask decides nothing about it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.project.cases.version import read_version
from napari_medlabel.project.comments import Comment, add_comment
from napari_medlabel.session.opening import open_case
from napari_medlabel.session.study.correcting import correct
from napari_medlabel.session.study.glancing import score
from napari_medlabel.session.study.opening import open_to_look, open_to_review
from napari_medlabel.session.study.reviewing import (
    Verdict,
    approve,
    begin_review,
    decide_labels,
    leave_review,
    reject,
    unlock,
)
from napari_medlabel.session.study.seat import look
from napari_medlabel.session.study.submitting import submit
from napari_medlabel.session.study.working import all_to_review, next_to_read, start
from tests.session.study.small_study import SmallStudy, make_study


@pytest.fixture
def study(tmp_path: Path) -> Iterator[SmallStudy]:
    """Give a study whose first reading r01 has submitted."""
    made = make_study(tmp_path, cases=1)
    start(made.seat("r01"), made.cases[0], "A")
    submit(made.seat("r01"), made.cases[0], "A", made.scan(), made.work(1))
    yield made
    made.close()


def test_a_reading_is_taken_and_approved_once(study: SmallStudy) -> None:
    seat, case = study.seat("r04"), study.cases[0]
    assert all_to_review(seat) == ((case, "A"),)
    with pytest.raises(RefusedError, match="submitted cannot be approved"):
        approve(seat, case, "A")
    assert begin_review(seat, case, "A").state == "in_review"
    assert begin_review(seat, case, "A").steps == 3
    assert approve(seat, case, "A", Verdict(likert=5)).likert == 5
    assert approve(study.again("r04"), case, "A").steps == 4
    assert all_to_review(study.seat("r04")) == ()
    assert study.is_sound()


def test_nobody_reviews_their_own_reading_or_another_reviewers(study: SmallStudy) -> None:
    case = study.cases[0]
    with pytest.raises(RefusedError, match="role reviewer"):
        begin_review(study.seat("r01"), case, "A")
    start(study.seat("r03"), case, "B")
    with pytest.raises(RefusedError, match="at work on"):
        begin_review(study.seat("r03"), case, "A")
    submit(study.seat("r03"), case, "B", study.scan(), study.work(2))
    with pytest.raises(RefusedError, match="You made this reading"):
        begin_review(study.seat("r03"), case, "B")
    begin_review(study.seat("r03"), case, "A")
    for do in (approve, begin_review):
        with pytest.raises(RefusedError):
            do(study.seat("r04"), case, "A")
    with pytest.raises(RefusedError, match="role manager"):
        leave_review(study.seat("r04"), case, "A")
    assert leave_review(study.seat("m1"), case, "A").state == "submitted"
    assert leave_review(study.seat("m1"), case, "A").steps == 4


def test_what_is_sent_back_says_which_labels_and_comes_again(study: SmallStudy) -> None:
    seat, case = study.seat("r04"), study.cases[0]
    begin_review(seat, case, "A")
    with pytest.raises(InputError, match="A reason is"):
        reject(seat, case, "A", reason="")
    with pytest.raises(InputError, match="A tag is"):
        Verdict(tags=("ugly",))
    fault = Verdict(tags=("boundary", "missed"), likert=2)
    now = decide_labels(seat, case, "A", {1: fault, 2: None}, reason="CORRECTION")
    assert (now.state, now.returned, now.tags) == ("rejected", (1,), ("boundary", "missed"))
    assert (now.reason, now.likert) == ("CORRECTION", 2)
    assert reject(seat, case, "A", reason="CORRECTION").steps == now.steps
    author = study.seat("r01")
    assert next_to_read(author) == (case, "A")
    with pytest.raises(RefusedError, match="somebody else's"):
        start(study.seat("r02"), case, "A")
    start(author, case, "A")
    submit(author, case, "A", study.scan(), study.work(1, 2))
    now = look(author, case, "A").now
    assert (now.rounds, now.version, now.tags, now.returned) == (2, 2, (), ())
    begin_review(seat, case, "A")
    assert decide_labels(seat, case, "A", {1: None, 2: None}).state == "approved"


def test_what_a_reviewer_corrected_waits_for_another(study: SmallStudy) -> None:
    seat, case = study.seat("r04"), study.cases[0]
    begin_review(seat, case, "A")
    opening = open_to_review(seat, case, "A")
    session = open_case(opening.paths, seat.desk, opening.wishes, fallback=study.tmp)
    assert session.labels.content_id() == look(seat, case, "A").now.content
    session.close()
    with pytest.raises(RefusedError, match="it is what was submitted"):
        correct(seat, case, "A", study.scan(), study.work(1).labelled)
    better = study.work(1, 2).labelled
    assert correct(seat, case, "A", study.scan(), better).state == "corrected"
    now = correct(study.again("r04"), case, "A", study.scan(), better)
    assert (now.steps, now.content) == (4, better.labels.content_id())
    assert now.user in study.seat("r01").users
    assert read_version(study.layout, "r04", case, 1).content == now.content
    with pytest.raises(RefusedError, match="corrected it"):
        approve(study.seat("r04"), case, "A")
    assert approve(study.seat("r03"), case, "A").state == "approved"
    shown = open_to_look(study.seat("m1"), case, "A")
    assert "medlabel-r04" in str(shown.wishes.mask)
    assert shown.title == "sub-001_ct A"


def test_an_approved_reading_is_unlocked_with_a_reason_only(study: SmallStudy) -> None:
    seat, case = study.seat("r04"), study.cases[0]
    assert score(seat, case, "A", 4).state == "approved"
    with pytest.raises(RefusedError, match="approved cannot be sent back"):
        reject(seat, case, "A", reason="CORRECTION")
    with pytest.raises(RefusedError, match="approved cannot be submitted"):
        submit(study.seat("r01"), case, "A", study.scan(), study.work(2))
    with pytest.raises(InputError, match="A reason is"):
        unlock(seat, case, "A", reason="")
    with pytest.raises(RefusedError, match="role reviewer or manager"):
        unlock(study.seat("r01"), case, "A", reason="CORRECTION")
    assert unlock(seat, case, "A", reason="CORRECTION").state == "in_progress"
    assert next_to_read(study.seat("r01")) == (case, "A")


def test_one_key_scores_and_decides(study: SmallStudy) -> None:
    seat, case = study.seat("r04"), study.cases[0]
    with pytest.raises(InputError, match="from 1 to 5"):
        score(seat, case, "A", 6)
    now = score(seat, case, "A", 3)
    assert (now.state, now.likert, now.reason) == ("rejected", 3, "QA_FEEDBACK")


def test_comments_that_are_open_hold_an_approval_back(study: SmallStudy) -> None:
    seat, case = study.seat("r04"), study.cases[0]
    said = Comment("0" * 16, "0" * 16, "r04", "A", seat.desk.time(), "Dome?", (1.0, 2.0, 3.0))
    add_comment(study.layout, case, said)
    begin_review(seat, case, "A")
    with pytest.raises(RefusedError, match="One comment on this reading is not resolved"):
        approve(seat, case, "A")
    assert approve(seat, case, "A", reason="OTHER").reason == "OTHER"
