"""Gold cases and repeats come in between, and nothing tells them from the rest."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.project.cases.version import read_version
from napari_medlabel.project.settings import read_settings, write_settings
from napari_medlabel.project.work.claims import read_claim
from napari_medlabel.session.opening import open_case
from napari_medlabel.session.saving import save
from napari_medlabel.session.steps_back import versions_in
from napari_medlabel.session.study.blind import require_may_open
from napari_medlabel.session.study.correcting import correct
from napari_medlabel.session.study.drawing import draw_sample
from napari_medlabel.session.study.folders import close_folder, is_closed
from napari_medlabel.session.study.glancing import score, score_at_a_glance
from napari_medlabel.session.study.gold_keeping import add_gold
from napari_medlabel.session.study.listing import list_for
from napari_medlabel.session.study.opening import open_to_look, open_to_work
from napari_medlabel.session.study.readings import first_readings, ready_readings
from napari_medlabel.session.study.reviewing import approve, begin_review, reject
from napari_medlabel.session.study.seat import Seat, at_reading, look, worklist
from napari_medlabel.session.study.submitting import open_work, submit
from napari_medlabel.session.study.working import (
    all_to_read,
    all_to_review,
    begin_next,
    next_to_read,
    start,
)
from tests.session.study.small_study import SmallStudy, make_study
from tests.session.study.test_scoring import told, truth_of


@pytest.fixture
def study(tmp_path: Path) -> Iterator[SmallStudy]:
    people = ("m1", "r01", "r02", "r03", "r04")
    made = make_study(tmp_path, cases=3, readings=1, people=people)
    yield made
    made.close()


def change(study: SmallStudy, **what: object) -> None:
    path = study.layout.project
    write_settings(path, replace(read_settings(path), **what))


def later(seat: Seat, days: int) -> Seat:
    """Return the seat as it is some days later."""
    now = datetime.now(UTC) + timedelta(days=days)
    return replace(seat, desk=replace(seat.desk, now=lambda: now))


def test_each_rater_gets_gold_cases_though_others_have_read_them(study: SmallStudy) -> None:
    gold = study.cases[0]
    add_gold(study.seat("m1"), gold, truth_of(study))
    change(study, gold_share=0.5)
    for code, slot in (("r01", "A"), ("r02", "B"), ("r03", "C")):
        seat = study.seat(code)
        reads = all_to_read(seat)
        assert (gold, slot) in reads
        lines = {(one.case, one.slot): one for one in list_for(seat).lines}
        served = lines[gold, slot]
        assert (served.state, served.kind, served.can[0]) == ("todo", "read", "open")
        start(seat, gold, slot)
        folder = open_to_work(seat, gold, slot).wishes.folder
        assert folder is not None
        submit(seat, gold, slot, study.scan(), study.work(1, place=3))
    assert [one["passed"] for one in told(study)] == [True] * 3
    assert all(case != gold for case, _ in all_to_read(study.seat("r01")))
    reviewer = study.seat("r04")
    assert [slot for case, slot in all_to_review(reviewer) if case == gold] == ["A"]
    row = look(study.seat("m1"), gold, "A").row
    grid = study.scan().grid
    assert [one.slot for one in ready_readings(study.seat("m1"), row, grid)] == ["A"]
    assert [one.slot for one in first_readings(study.seat("m1"), row, grid)] == ["A"]
    with pytest.raises(InputError, match="no reading of that name"):
        look(study.seat("r01"), study.cases[1], "B")
    with pytest.raises(InputError, match="no reading of that name"):
        look(study.seat("r01"), gold, "E")
    assert study.is_sound()


def test_a_test_of_a_reader_is_in_no_sample_and_no_reviewer_decides_on_it(
    study: SmallStudy,
) -> None:
    gold = study.cases[0]
    add_gold(study.seat("m1"), gold, truth_of(study))
    change(study, gold_share=0.5)
    for code, slot in (("r01", "A"), ("r02", "B")):
        start(study.seat(code), gold, slot)
        submit(study.seat(code), gold, slot, study.scan(), study.work(1, place=3))
    seat, labelled = study.seat("r04"), study.work(1, place=2).labelled
    assert draw_sample(seat).readings == ((gold, "A"),)
    doors: tuple[Callable[[], object], ...] = (
        lambda: score_at_a_glance(seat, gold, "B", 2),
        lambda: score(seat, gold, "B", 5),
        lambda: begin_review(seat, gold, "B"),
        lambda: approve(seat, gold, "B"),
        lambda: reject(seat, gold, "B", reason="QA_FEEDBACK"),
        lambda: correct(seat, gold, "B", study.scan(), labelled),
    )
    for door in doors:
        with pytest.raises(RefusedError, match="This reading is in no review") as refused:
            door()
        assert "gold" not in str(refused.value)
    assert look(seat, gold, "B").now.state == "submitted"
    assert not told(study, "study.score")
    score_at_a_glance(study.seat("r04"), gold, "A", 5)
    assert draw_sample(study.seat("r04")).statement().checked == 1
    assert study.is_sound()


def test_a_list_without_tests_is_as_it_was(study: SmallStudy) -> None:
    add_gold(study.seat("m1"), study.cases[0], truth_of(study))
    assert all_to_read(study.seat("r01")) == tuple((case, "A") for case in study.cases)


def paint_and_submit(study: SmallStudy, seat: Seat) -> None:
    """Read the first case as the window does, and submit what is on the disk."""
    case, scan = study.cases[0], study.scan()
    start(seat, case, "A")
    opening = open_to_work(seat, case, "A")
    session = open_case(opening.paths, seat.desk, opening.wishes, fallback=study.tmp)
    session.labels.array[:] = study.work(1).labelled.labels.array
    session.absorb(name="Paint")
    save(session)
    session.close()
    work = open_work(study.layout, "r01", case, scan, "A")
    submission = study.work(1)
    labelled = replace(submission.labelled, provenance=work.labelled.provenance)
    submit(seat, case, "A", scan, replace(submission, labelled=labelled))


def test_what_the_session_followed_is_submitted_and_told(study: SmallStudy) -> None:
    paint_and_submit(study, study.seat("r01"))
    (said,) = told(study, "review.submit")
    assert (said["human"], said["assisted_kept"]) == (8, 0)


def test_a_case_comes_again_after_its_days_and_is_read_anew(study: SmallStudy) -> None:
    change(study, repeat_days=14, repeat_share=1.0)
    case, scan = study.cases[0], study.scan()
    seat = study.seat("r01")
    paint_and_submit(study, seat)
    assert (case, "B") not in all_to_read(seat)
    with pytest.raises(InputError, match="no reading of that name"):
        start(later(seat, 13), case, "B")
    assert all_to_read(later(study.seat("r02"), 15))[0] == (study.cases[1], "A")
    then = later(seat, 15)
    assert next_to_read(then) == (case, "B")
    assert begin_next(then) == (case, "B")
    folder = open_to_work(then, case, "B").wishes.folder
    assert folder is not None
    assert folder.name == "reading-B"
    require_may_open(seat.desk, folder)
    with pytest.raises(InputError, match="Nothing is saved"):
        open_work(study.layout, "r01", case, scan, "B")
    with pytest.raises(RefusedError, match="an earlier reading of a case"):
        open_to_look(then, case, "A")
    first = study.layout.version("r01", case, 1, "dseg.nii.gz")
    with pytest.raises(RefusedError, match="an earlier reading of a case"):
        require_may_open(seat.desk, first)
    again = open_case(
        (study.layout.scan(case),),
        seat.desk,
        open_to_work(then, case, "B").wishes,
        fallback=study.tmp,
    )
    assert not again.labels.array.any()
    assert versions_in(again) == ()
    again.edit((slice(0, 1),) * 3, np.ones((1, 1, 1), np.uint8), name="Dot")
    save(again)
    assert len(versions_in(again)) == 1
    again.close()
    submit(then, case, "B", scan, study.work(1, place=3))
    assert read_version(study.layout, "r01", case, 2).number == 2
    assert (study.layout.work("r01", case) / "mask.nii.gz").stat().st_mode & 0o222 == 0
    require_may_open(seat.desk, first)
    assert next_to_read(later(seat, 40)) == (study.cases[1], "A")
    assert worklist(seat).row(case).slots["B"].state == "submitted"
    assert study.is_sound()


def test_a_repeat_whose_submission_was_broken_off_is_closed_and_swept(
    study: SmallStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(study, repeat_days=14, repeat_share=1.0)
    case, seat = study.cases[0], study.seat("r01")
    paint_and_submit(study, seat)
    then = later(seat, 15)
    begin_next(then)
    folder = open_to_work(then, case, "B").wishes.folder
    assert folder is not None
    left = folder / ".0123abcd.part.mask.nii.gz"
    left.write_bytes(b"x")
    os.utime(left, (1, 1))
    close_folder(study.layout.work("r01", case))
    assert not is_closed(folder)  # it is another reading's

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr("napari_medlabel.session.study.submitting.claims.give_back", killed)
        with pytest.raises(KeyboardInterrupt):
            submit(then, case, "B", study.scan(), study.work(1, place=3))
    assert read_claim(study.layout, case, "B") is not None
    assert not is_closed(folder)
    with at_reading(then, case, "A"):
        assert read_claim(study.layout, case, "B") is None
    assert is_closed(folder)
    assert not left.exists()
    assert study.is_sound()
