"""A letter does not tell a reader which of their readings is a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from napari_medlabel.project.settings import Settings, read_settings, write_settings
from napari_medlabel.project.work.status import status_of
from napari_medlabel.session.study.lettering import hides_letters, own_name, status_for
from napari_medlabel.session.study.listed import asking_rater
from napari_medlabel.session.study.listing import list_for
from napari_medlabel.session.study.opening import open_to_work
from napari_medlabel.session.study.submitting import submit
from napari_medlabel.session.study.working import start
from tests.session.study.small_study import SmallStudy, make_study


@pytest.fixture
def study(tmp_path: Path) -> Iterator[SmallStudy]:
    made = make_study(tmp_path, cases=2, readings=1, people=("m1", "r01", "r02", "r04"))
    yield made
    made.close()


def change(study: SmallStudy, **rules: object) -> Settings:
    path = study.layout.project
    settings = replace(read_settings(path), **rules)
    write_settings(path, settings)
    return settings


def test_in_a_study_that_never_tests_everybody_is_told_all_letters(study: SmallStudy) -> None:
    seat = study.seat("r01")
    assert not hides_letters(seat.layout, seat.settings, seat.rater)
    assert own_name(seat, study.cases[0], "A") == "sub-001_ct A"
    assert {line.letter for line in list_for(seat).lines} == {"A"}


@pytest.mark.parametrize("rule", [{"gold_share": 0.5}, {"repeat_days": 14}])
def test_who_may_be_tested_is_told_no_letter_of_their_own_readings(
    study: SmallStudy, rule: dict[str, object]
) -> None:
    change(study, **rule)
    seat, manager = study.seat("r01"), study.seat("m1")
    assert own_name(seat, study.cases[0], "C") == own_name(seat, study.cases[0], "A")
    assert own_name(manager, study.cases[0], "C") == "sub-001_ct C"
    assert own_name(seat, study.cases[0], "consensus") == "sub-001_ct consensus"
    start(seat, study.cases[0], "A")
    listed = list_for(study.seat("r01"))
    assert {line.letter for line in listed.lines if line.kind == "read"} == {""}
    assert listed.name_of((study.cases[0], "A")) == "sub-001_ct"
    assert open_to_work(study.seat("r01"), study.cases[0], "A").title == "sub-001_ct"
    assert "sub-001_ct A" in {line.name for line in list_for(study.seat("m1")).lines}


def test_a_reviewer_is_told_which_reading_waits_for_them(study: SmallStudy) -> None:
    change(study, gold_share=0.5, review_share=1.0)
    start(study.seat("r01"), study.cases[0], "A")
    submit(study.seat("r01"), study.cases[0], "A", study.scan(), study.work(1, place=3))
    waiting = [line for line in list_for(study.seat("r04")).lines if line.kind == "review"]
    assert [line.name for line in waiting] == ["sub-001_ct A"]


def test_a_reading_that_may_be_taken_over_has_no_letter_either(study: SmallStudy) -> None:
    change(study, repeat_days=14)
    start(study.seat("r02"), study.cases[0], "A")
    seat = study.seat("r01")
    late = replace(seat.desk, now=lambda: seat.desk.now() + timedelta(hours=13))
    listed = list_for(replace(seat, desk=late)).lines
    assert "sub-001_ct" in {one.name for one in listed if "take_over" in one.can}


def test_a_state_shows_no_test_of_others_and_ones_own_readings_alone_of_their_case(
    study: SmallStudy,
) -> None:
    first, second = study.cases
    settings = change(study, gold_share=0.5)
    for code, case in (("r01", first), ("r02", second)):
        start(study.seat(code), case, "A")
    status = status_of(study.layout, settings)
    odd = replace(status.lines[0], slot="B", rater="r02", claimed="")
    status = replace(status, lines=(*status.lines, odd))
    shown: Callable[[str], list[tuple[str, str]]] = lambda code: [  # noqa: E731
        (one.case, one.slot)
        for one in status_for(status, study.layout, settings, study.seat(code).rater).lines
    ]
    assert shown("r01") == [(str(first), ""), (str(second), "A")]
    assert sorted(shown("r02")) == [(str(first), ""), (str(second), "")]
    assert shown("r04") == [(str(first), "A"), (str(second), "A")]
    assert len(shown("m1")) == 3
    counts = status_for(status, study.layout, settings, study.seat("r01").rater).counts
    assert counts == {"in_progress": 2}


def test_an_account_is_known_without_writing_anything(
    study: SmallStudy, tmp_path: Path
) -> None:
    settings = read_settings(study.layout.project)
    seat = study.seat("r01")
    before = {p for p in tmp_path.rglob("*") if p.is_file()}
    found = asking_rater(study.layout, settings, seat.desk.state)
    assert found is not None
    assert found.code == "r01"
    assert asking_rater(study.layout, settings, tmp_path / "nobody") is None
    assert {p for p in tmp_path.rglob("*") if p.is_file()} == before
