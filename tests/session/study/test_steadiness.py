"""A rater's second reading of a case beside the first: steadiness, for who may see it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from napari_medlabel.cli.main import main
from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.session.study.comparing import compare_study, for_eyes_of
from napari_medlabel.session.study.serving import work_folder
from napari_medlabel.session.study.steadiness import compare_repeats
from napari_medlabel.session.study.submitting import submit
from napari_medlabel.session.study.working import begin_next, start
from tests.session.study.layered_study import TWO, layered
from tests.session.study.small_study import SmallStudy, make_study
from tests.session.study.test_serving import change

LIVER, AGAIN, LESION = (
    (slice(2, 4), slice(2, 4), slice(1, 3)),
    (slice(2, 4), slice(2, 4), slice(1, 4)),
    (slice(2, 4), slice(2, 4), slice(1, 3)),
)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallStudy]:
    """A study of one reading a case; two of three raters have read their case again."""
    made = make_study(
        tmp_path_factory.mktemp("steady"), cases=3, readings=1, ontology=TWO,
        people=("m1", "r01", "r02", "r04"),
    )  # fmt: skip
    change(made, repeat_days=14, repeat_share=1.0)
    for who, number, again in (("r01", 0, AGAIN), ("r02", 1, LIVER)):
        seat, case = made.seat(who), made.cases[number]
        start(seat, case, "A")
        submit(seat, case, "A", made.scan(number), layered(made, LIVER, LESION, number))
        now = datetime.now(UTC) + timedelta(days=15)
        then = replace(seat, desk=replace(seat.desk, now=lambda now=now: now))
        assert begin_next(then) == (case, "B")
        folder = work_folder(made.layout, who, case, "B", seat.settings.slots)
        assert folder.name == "reading-B"
        submit(then, case, "B", made.scan(number), layered(made, again, LESION, number))
    yield made
    made.close()


def test_both_readings_are_compared_on_every_layer(study: SmallStudy) -> None:
    found = compare_repeats(study.seat("m1"))
    rows = {(row.case, row.value): row for row in found.table.rows}
    liver, lesion = (rows[str(study.cases[0]), value] for value in (1, 7))
    assert (liver.first, liver.second) == ("r01", "r01 again")
    assert liver.dice == pytest.approx(2 * 8 / (8 + 12))
    assert liver.second_ml == pytest.approx(1.5 * liver.first_ml)
    assert lesion.dice == rows[str(study.cases[1]), 1].dice == 1.0
    assert (found.cases, dict(found.left_out)) == (3, {"that nobody has read twice": 1})
    with pytest.raises(InputError, match="two readings"):
        compare_study(study.seat("m1"))  # a repeat is no second rater


def test_a_comparison_of_raters_counts_second_readings_from_the_log(tmp_path: Path) -> None:
    made = make_study(tmp_path, cases=1, readings=2, ontology=TWO)
    change(made, repeat_days=14, repeat_share=1.0)
    case, work = made.cases[0], layered(made, LIVER, LESION, 0)
    for who, slot in (("r01", "A"), ("r02", "B")):
        start(made.seat(who), case, slot)
        submit(made.seat(who), case, slot, made.scan(0), work)
    # The rules ask for repeats, and nobody has read one yet.
    assert compare_study(made.seat("m1")).repeats == 0
    seat = made.seat("r01")
    then = datetime.now(UTC) + timedelta(days=15)
    later = replace(seat, desk=replace(seat.desk, now=lambda: then))
    assert begin_next(later) == (case, "C")
    submit(later, case, "C", made.scan(0), layered(made, AGAIN, LESION, 0))
    found = compare_study(made.seat("m1"))
    assert (found.repeats, found.table.raters) == (1, ("r01", "r02"))
    made.close()


def test_who_is_who_is_for_managers(study: SmallStudy) -> None:
    seat = study.seat("r04")
    found = for_eyes_of(seat, compare_repeats(seat))
    assert set(found.table.raters) == {"R1", "R1 again", "R2", "R2 again"}
    for row in found.table.rows:
        assert row.second == f"{row.first} again"
    with pytest.raises(RefusedError, match="needs the role"):
        compare_repeats(study.seat("r01"))


def test_a_study_without_repeats_says_how_they_come(tmp_path: Path) -> None:
    made = make_study(tmp_path, cases=1)
    with pytest.raises(InputError, match="read a case of this study twice") as refused:
        compare_repeats(made.seat("m1"))
    assert "repeat_days" in str(refused.value.hint)
    made.close()


def test_the_command_tells_it(
    study: SmallStudy, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    study.close()
    monkeypatch.setenv("MEDLABEL_STATE_DIR", str(study.tmp / "pc-m1"))
    words = ["project", "agree", str(study.layout.root), "--again"]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "the same rater again:" in said
    assert "2 of 3 cases, 2 raters." in said
    assert main([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {one["name"] for one in told["same_rater_again"]} >= {"Liver", "Lesion"}
    assert main([*words, "--now"]) == 2
    assert "without --now" in capsys.readouterr().err
