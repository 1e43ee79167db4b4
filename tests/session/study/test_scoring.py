"""A gold case is scored at once after its submission, for who may know."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.io.nifti.write import write_mask_nifti
from napari_medlabel.project.reading.gold import truth_files
from napari_medlabel.project.settings import Settings, read_settings, write_settings
from napari_medlabel.session.study.gold_keeping import add_gold, list_gold, remove_gold
from napari_medlabel.session.study.scoring import is_gold, score_submitted, score_waiting
from napari_medlabel.session.study.submitting import submit
from napari_medlabel.session.study.working import start
from tests.session.study.small_study import SmallStudy, make_study


@pytest.fixture
def study(tmp_path: Path) -> Iterator[SmallStudy]:
    made = make_study(tmp_path, cases=1, people=("m1", "r01", "r02"))
    start(made.seat("r01"), made.cases[0], "A")
    yield made
    made.close()


def change(study: SmallStudy, **what: object) -> Settings:
    path = study.layout.project
    settings = replace(read_settings(path), **what)
    write_settings(path, settings)
    return settings


def truth_of(study: SmallStudy, number: int = 0) -> Path:
    labels = study.work(1, place=3, number=number).labelled.labels
    path = study.tmp / f"truth{number}.nii.gz"
    path.unlink(missing_ok=True)
    write_mask_nifti(path, labels.array, None, False, labels.grid.affine)
    return path


def told(study: SmallStudy, event: str = "study.gold") -> list[dict]:
    paths = study.layout.audit.glob("writers/*/*/*/*.jsonl")
    lines = [json.loads(one) for at in paths for one in at.read_text().splitlines()]
    return [one["detail"] for one in lines if one.get("event") == event]


def test_a_submitted_gold_case_is_scored_and_logged_once(study: SmallStudy) -> None:
    case, scan = study.cases[0], study.scan()
    seat, manager = study.seat("r01"), study.seat("m1")
    assert not is_gold(seat, case)
    add_gold(manager, case, truth_of(study))
    assert is_gold(seat, case)
    with pytest.raises(InputError, match="that was submitted"):
        score_submitted(manager, case, "A", scan.grid)
    done = submit(seat, case, "A", scan, study.work(1, place=2))
    assert done.gold is None  # the study does not tell its readers
    assert not submit(seat, case, "A", scan, study.work(1, place=2)).is_new
    assert [(one["passed"], one["dice_milli"], one["step"]) for one in told(study)] == [
        (False, 500, 2)
    ]
    with pytest.raises(InputError, match="its reader or a manager"):
        score_submitted(seat, case, "A", scan.grid)
    change(study, gold_feedback=True)
    done = submit(study.seat("r01"), case, "A", scan, study.work(1, place=2))
    assert done.gold is not None
    assert "Liver: Dice 0.500 is below 0.85." in done.gold.reasons()
    assert len(told(study)) == 1
    assert score_submitted(study.seat("m1"), case, "A", scan.grid) == done.gold
    assert score_waiting(study.seat("m1")) == ()
    (listed,) = list_gold(study.seat("m1"))
    assert (listed.is_sound, listed.passed, listed.failed) == (True, 0, 2)
    assert study.is_sound()


def test_a_truth_that_nobody_may_read_is_scored_by_a_manager(study: SmallStudy) -> None:
    case, scan, seat = study.cases[0], study.scan(), study.seat("r01")
    submit(seat, case, "A", scan, study.work(1, place=3))
    add_gold(study.seat("m1"), case, truth_of(study))
    ((found, slot, score),) = score_waiting(study.seat("m1"))
    assert (found, slot, score.passed) == (case, "A", True)
    assert score_waiting(study.seat("m1")) == ()


def test_truths_are_a_managers_and_are_believed_as_they_were_put_there(
    study: SmallStudy,
) -> None:
    case, manager = study.cases[0], study.seat("m1")
    for step in (
        lambda seat: add_gold(seat, case, truth_of(study)),
        lambda seat: remove_gold(seat, case),
        list_gold,
        score_waiting,
    ):
        with pytest.raises(RefusedError, match="role manager"):
            step(study.seat("r01"))
    with pytest.raises(InputError, match="no truth"):
        remove_gold(manager, case)
    add_gold(manager, case, truth_of(study))
    other = study.work(2).labelled.labels
    truth_files(study.layout, case)[0].unlink()
    write_mask_nifti(
        truth_files(study.layout, case)[0], other.array, None, False, other.grid.affine
    )
    assert not list_gold(manager)[0].is_sound
    done = submit(study.seat("r01"), case, "A", study.scan(), study.work(1))
    assert (done.is_new, done.gold, told(study)) == (True, None, [])
    with pytest.raises(InputError, match="not the one that a manager put there"):
        score_waiting(manager)
    remove_gold(manager, case)
    assert not any(path.exists() for path in truth_files(study.layout, case))
    rules = [one for one in told(study, "study.rules") if one["setting"] == "gold"]
    assert [("old" in one) for one in rules] == [False, True]
    assert study.is_sound()
