"""A gold case is scored at once after its submission, for who read it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from napari_medlabel.errors import InputError
from napari_medlabel.io.nifti.write import write_mask_nifti
from napari_medlabel.project.reading.gold import truth_files
from napari_medlabel.session.study.scoring import is_gold, score_submitted
from napari_medlabel.session.study.submitting import submit
from napari_medlabel.session.study.working import start
from tests.session.study.small_study import SmallStudy, make_study


@pytest.fixture
def study(tmp_path: Path) -> Iterator[SmallStudy]:
    made = make_study(tmp_path, cases=1, people=("m1", "r01", "r02"))
    start(made.seat("r01"), made.cases[0], "A")
    yield made
    made.close()


def test_a_submitted_gold_case_is_scored_and_logged(study: SmallStudy) -> None:
    case, scan = study.cases[0], study.scan()
    seat = study.seat("r01")
    assert not is_gold(seat, case)
    path, _ = truth_files(study.layout, case)
    path.parent.mkdir(parents=True)
    truth = study.work(1, place=3).labelled.labels
    write_mask_nifti(path, truth.array, None, False, truth.grid.affine)
    assert is_gold(seat, case)
    with pytest.raises(InputError, match="that was submitted"):
        score_submitted(seat, case, "A", scan.grid)
    submit(seat, case, "A", scan, study.work(1, place=2))
    found = score_submitted(seat, case, "A", scan.grid)
    assert not found.passed
    assert "Liver: Dice 0.500 is below 0.85." in found.reasons()
    with pytest.raises(InputError, match="its reader or a manager"):
        score_submitted(study.seat("r02"), case, "A", scan.grid)
    assert score_submitted(study.seat("m1"), case, "A", scan.grid) == found
    paths = study.layout.audit.glob("writers/*/*/*/*.jsonl")
    lines = [json.loads(one) for at in paths for one in at.read_text().splitlines()]
    told = [one["detail"] for one in lines if one.get("event") == "study.gold"]
    assert [(one["passed"], one["dice_milli"], one["step"]) for one in told] == [
        (False, 500, 2)
    ] * 2
    assert study.is_sound()
