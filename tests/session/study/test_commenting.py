"""Comments on a reading: known to whom they may be, and to the log by digest alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.session.study.commenting import Remark, comment, comments_for
from napari_medlabel.session.study.reviewing import approve, begin_review
from napari_medlabel.session.study.submitting import submit
from napari_medlabel.session.study.working import start
from tests.session.study.small_study import SmallStudy, make_study


@pytest.fixture
def study(tmp_path: Path) -> Iterator[SmallStudy]:
    """Give a study in which r01 has submitted, r04 reviews, and r02 is at work."""
    made = make_study(tmp_path, cases=1)
    start(made.seat("r01"), made.cases[0], "A")
    submit(made.seat("r01"), made.cases[0], "A", made.scan(), made.work(1))
    start(made.seat("r02"), made.cases[0], "B")
    begin_review(made.seat("r04"), made.cases[0], "A")
    yield made
    made.close()


def test_a_thread_goes_between_reviewer_and_annotator(study: SmallStudy) -> None:
    case = study.cases[0]
    asked = comment(
        study.seat("r04"), case, "A", Remark("Is this dome liver?", (1.0, 2.0, 3.0), 1)
    )
    thread = asked.first.id
    assert asked.standing == "open"
    answered = comment(study.seat("r01"), case, "A", Remark("Yes.", thread=thread))
    assert answered.standing == "answered"
    with pytest.raises(RefusedError, match="not resolved"):
        approve(study.seat("r04"), case, "A")
    comment(study.seat("r04"), case, "A", Remark("", thread=thread, resolves=True))
    assert approve(study.seat("r04"), case, "A").state == "approved"
    (found,) = comments_for(study.seat("r01"), case).threads
    assert [one.rater for one in found.comments] == ["r04", "r01", "r04"]
    study.close()
    lines = b"".join(path.read_bytes() for path in study.layout.audit.rglob("*.jsonl"))
    assert lines.count(b'"event":"study.comment"') == 3
    assert found.first.digest.encode() in lines
    assert b"dome" not in lines
    assert study.is_sound()


def test_who_is_blind_knows_no_comment_on_another_reading(study: SmallStudy) -> None:
    case = study.cases[0]
    thread = comment(study.seat("r04"), case, "A", Remark("Too small.")).first.id
    assert comments_for(study.seat("r02"), case).threads == ()
    with pytest.raises(RefusedError, match="you read it blind"):
        comment(study.seat("r02"), case, "A", Remark("No.", thread=thread))
    comment(study.seat("r02"), case, "B", Remark("Motion in slice 4."))
    assert len(comments_for(study.seat("r02"), case).threads) == 1
    with pytest.raises(InputError, match="no such thread"):
        comment(study.seat("r02"), case, "B", Remark("No.", thread=thread))


def test_a_text_with_a_date_is_not_even_logged(study: SmallStudy) -> None:
    seat = study.seat("r04")
    with pytest.raises(InputError, match="something like a date"):
        comment(seat, study.cases[0], "A", Remark("as on 2019-03-04"))
    study.close()
    lines = b"".join(path.read_bytes() for path in study.layout.audit.rglob("*.jsonl"))
    assert b"study.comment" not in lines
