"""Draws are told once and scored by anybody; a glance decides only what waits for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.project.settings import read_settings, write_settings
from napari_medlabel.session.study.commenting import Remark, comment
from napari_medlabel.session.study.drawing import draw_sample, tell_statement, usual_size
from napari_medlabel.session.study.glancing import score_at_a_glance
from napari_medlabel.session.study.seat import look
from napari_medlabel.session.study.submitting import submit
from napari_medlabel.session.study.working import all_to_review, start
from tests.session.study.small_study import SmallStudy, make_study


@pytest.fixture
def study(tmp_path: Path) -> Iterator[SmallStudy]:
    """Give a study whose first three of four cases r01 has read."""
    made = make_study(tmp_path, cases=4, readings=1, people=("m1", "r01", "r03", "r04"))
    seat = made.seat("r01")
    for number in range(3):
        start(seat, made.cases[number], "A")
        work = made.work(1, number=number)
        submit(seat, made.cases[number], "A", made.scan(number), work)
    yield made
    made.close()


def told(study: SmallStudy, event: str) -> list[dict[str, object]]:
    """Return the details of all events of a kind, once all have left."""
    study.close()
    lines = [
        json.loads(line)
        for path in study.layout.audit.glob("writers/*/*/*/*.jsonl")
        for line in path.read_text().splitlines()
    ]
    return [one["detail"] for one in lines if one.get("event") == event]


def test_a_sample_is_drawn_scored_and_says_what_it_supports(study: SmallStudy) -> None:
    seat, cases = study.seat("r04"), study.cases
    with pytest.raises(RefusedError, match="role reviewer"):
        draw_sample(study.seat("r01"))
    sample = draw_sample(seat, 2, seed=7)
    assert (len(sample.readings), sample.of, sample.left) == (2, 3, sample.readings)
    assert draw_sample(study.seat("r03"), 2, seed=7).readings == sample.readings
    assert sample.readings == draw_sample(seat, 3, seed=7).readings[:2]
    assert "Nothing was checked" in sample.words()
    first, second = sample.readings
    assert score_at_a_glance(seat, *first, 4).state == "approved"
    assert score_at_a_glance(seat, *second, 2).state == "rejected"
    now = tell_statement(seat, sample)
    assert (now.readings, now.scores) == (sample.readings, {first: 4, second: 2})
    assert now.words().startswith(
        "2 of 3 finished readings drawn, seed 7; all are scored. 1 of"
    )
    tell_statement(seat, sample)
    # What was sent back and comes again is another reading: it has no score.
    author = study.seat("r01")
    number = cases.index(second[0])
    start(author, *second)
    submit(author, *second, study.scan(number), study.work(1, number=number, place=1))
    assert draw_sample(study.seat("r04"), 2, seed=7).left == (second,)
    assert usual_size() == 59
    drawn = {"kind": "sample", "seed": 7, "drawn": 2, "of": 3}
    found = told(study, "study.draw")
    assert [found.count(one) for one in (drawn, {**drawn, "checked": 2, "faulty": 1})] == [1, 1]
    assert len(found) == 3
    assert study.is_sound()


def test_a_glance_overrules_nobody(study: SmallStudy) -> None:
    seat, (first, second, third, _) = study.seat("r04"), study.cases
    with pytest.raises(InputError, match="from 1 to 5"):
        score_at_a_glance(seat, first, "A", 6)
    with pytest.raises(RefusedError, match="this one is todo"):
        score_at_a_glance(seat, study.cases[3], "A", 4)
    with pytest.raises(RefusedError, match="role reviewer"):
        score_at_a_glance(study.seat("r01"), first, "A", 4)
    assert score_at_a_glance(seat, first, "A", 5).state == "approved"
    score_at_a_glance(study.seat("r03"), first, "A", 1)
    assert look(seat, first, "A").now.state == "approved"
    comment(seat, second, "A", Remark("Is this the dome?"))
    assert score_at_a_glance(seat, second, "A", 4).state == "submitted"
    assert score_at_a_glance(seat, third, "A", 0).state == "problem"
    sample = draw_sample(seat, seed=1)
    assert (sample.unjudged, sample.statement().checked) == (1, 2)
    # One's own score counts before that of others.
    assert sample.scores[first, "A"] == 5
    assert draw_sample(study.seat("r03"), seed=1).scores[first, "A"] == 1
    assert "1 could not be judged" in sample.words()
    assert study.is_sound()


def test_the_share_drawn_for_review_is_told_by_who_lists_it_first(study: SmallStudy) -> None:
    all_to_review(study.seat("r04"))
    path = study.layout.project
    settings = replace(read_settings(path), review_share=0.5, seed=3)
    write_settings(path, settings)
    listed = all_to_review(study.again("r04"))
    assert all_to_review(study.seat("r03")) == listed
    assert all_to_review(study.again("r04")) == listed
    assert 0 < len(listed) < 3
    (found,) = told(study, "study.draw")
    assert (found["kind"], found["seed"], found["of"]) == ("review", 3, 4)
    write_settings(path, replace(settings, seed=4))
    all_to_review(study.seat("r04"))
    assert [one["seed"] for one in told(study, "study.draw")].count(4) == 1


def test_nothing_finished_cannot_be_drawn(study: SmallStudy) -> None:
    with pytest.raises(InputError, match="whole number from 0"):
        draw_sample(study.seat("r04"), seed=-1)
    with pytest.raises(InputError, match="size of 0 or more"):
        draw_sample(study.seat("r04"), -1)
    seat = study.seat("r03")
    start(seat, study.cases[3], "A")
    submit(seat, study.cases[3], "A", study.scan(3), study.work(1, number=3))
    assert draw_sample(seat).of == 3
    for case in study.cases[:3]:
        score_at_a_glance(study.seat("r04"), case, "A", 0)
    assert draw_sample(study.again("r03")).of == 3
    assert draw_sample(study.seat("r04")).of == 4
