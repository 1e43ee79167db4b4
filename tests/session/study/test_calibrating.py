"""Rounds of calibration, and what raters leave of proposals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.io.nifti.write import write_mask_nifti
from napari_medlabel.project.reading.provenance import EDITED, KEPT
from napari_medlabel.project.settings import Thresholds
from napari_medlabel.session.study.biasing import bias_report
from napari_medlabel.session.study.calibrating import begin_round, end_round, standings
from napari_medlabel.session.study.gold_keeping import add_gold, list_gold, remove_gold
from napari_medlabel.session.study.submitting import submit
from napari_medlabel.session.study.working import all_to_read, start
from tests.session.study.layered_study import (
    LESION_A,
    LESION_B,
    LIVER_A,
    TWO,
    layered,
    read_layered,
)
from tests.session.study.small_study import SmallStudy, make_study
from tests.session.study.test_scoring import truth_of


@pytest.fixture
def study(tmp_path: Path) -> Iterator[SmallStudy]:
    made = make_study(tmp_path, cases=3, readings=1, people=("m1", "r01", "r02", "r03", "r04"))
    yield made
    made.close()


def read(study: SmallStudy, code: str, number: int, place: int) -> None:
    seat = study.seat(code)
    case, slot = next(one for one in all_to_read(seat) if one[0] == study.cases[number])
    start(seat, case, slot)
    submit(seat, case, slot, study.scan(number), study.work(1, number=number, place=place))


def test_raters_of_a_round_read_its_cases_first_and_pass_or_do_not(study: SmallStudy) -> None:
    manager, (_, second, third) = study.seat("m1"), study.cases
    codes = ("r01", "r02", "r03")
    add_gold(manager, third, truth_of(study, 2))
    limits = Thresholds(hd95_mm=2.0)
    plan = begin_round(manager, [third, second], codes, limits)
    assert (plan.number, plan.is_open) == (1, True)
    assert all_to_read(study.seat("r02"))[:2] == ((third, "A"), (second, "A"))
    for code, places in (("r01", (3, 2)), ("r02", (3, 2)), ("r03", (2, 5))):
        read(study, code, 2, places[0])
        if code != "r03":
            read(study, code, 1, places[1])
    found = {one.rater: one for one in standings(manager, 1)}
    assert (found["r01"].read, found["r01"].passed) == (2, True)
    assert (found["r03"].read, found["r03"].passed) == (1, None)
    assert any("Dice 0.500" in one for one in found["r03"].reasons)
    read(study, "r03", 1, 5)
    found = {one.rater: one for one in standings(manager, 1)}
    assert [found[code].passed for code in codes] == [True, True, False]
    assert f"{second} Liver: 2 of 2 others differ" in found["r03"].reasons[1]
    with pytest.raises(InputError, match="cases of their own"):
        begin_round(manager, [second], codes)
    assert not end_round(manager, 1).is_open
    for wrong in (lambda: end_round(manager, 2), lambda: standings(manager, 2)):
        with pytest.raises(InputError, match="no round of calibration"):
            wrong()
    with pytest.raises(InputError, match="is an annotator"):
        begin_round(manager, [study.cases[0]], ["r04"])
    with pytest.raises(RefusedError, match="role manager"):
        begin_round(study.seat("r01"), [study.cases[0]], codes)
    assert study.is_sound()


def test_the_bias_report_counts_what_was_left_of_proposals(study: SmallStudy) -> None:
    with pytest.raises(InputError, match="Nothing was submitted"):
        bias_report(study.seat("m1"))
    seat = study.seat("r01")
    for number, edited in enumerate((0, 4)):
        case = study.cases[number]
        start(seat, case, "A")
        made = study.work(1, number=number)
        labels = made.labelled.labels.array
        origins = np.where(labels != 0, KEPT, 0).astype(np.uint8)
        where = np.argwhere(labels)[:edited]
        origins[tuple(where.T)] = EDITED
        labelled = replace(made.labelled, provenance=origins)
        submit(seat, case, "A", study.scan(number), replace(made, labelled=labelled))
    read(study, "r02", 2, 2)
    one, two = bias_report(study.seat("m1"))
    assert (one.rater, one.masks, one.proposed, one.untouched) == ("r01", 2, 2, 1)
    assert (one.kept, one.edited, one.share) == (12, 4, 0.75)
    assert (two.rater, two.masks, two.unknown, two.share) == ("r02", 0, 1, None)
    with pytest.raises(RefusedError, match="role manager"):
        bias_report(seat)


def test_labels_on_two_layers_are_scored_and_calibrated(tmp_path: Path) -> None:
    study = make_study(tmp_path, cases=1, people=("m1", "r01", "r02"), ontology=TWO)
    case, manager = study.cases[0], study.seat("m1")
    truth = layered(study, LIVER_A, LESION_A).labelled
    paths = []
    for number, labels in enumerate((truth.labels, truth.sheets[1].labels)):
        paths.append(tmp_path / f"truth{number}.nii.gz")
        write_mask_nifti(paths[-1], labels.array, None, False, labels.grid.affine)
    with pytest.raises(InputError, match="a mask for each layer of the ontology: 0, 1"):
        add_gold(manager, case, paths[0])
    with pytest.raises(InputError, match="does not have on layer 1: 1"):
        add_gold(manager, case, paths[0], sheets={1: paths[0]})
    assert not study.layout.gold.exists()
    add_gold(manager, case, paths[0], sheets={1: paths[1]})
    begin_round(manager, [case], ["r01", "r02"], Thresholds(hd95_mm=2.0))
    read_layered(study, "r01", "A", LIVER_A, LESION_A)
    read_layered(study, "r02", "B", LIVER_A, LESION_B)
    (gold,) = list_gold(study.seat("m1"))
    assert (gold.is_sound, gold.has_landmarks, gold.passed, gold.failed) == (True, False, 1, 1)
    found = {one.rater: one for one in standings(study.seat("m1"), 1)}
    assert found["r01"].passed
    assert found["r02"].reasons == (f"{case} Lesion: Dice 0.500 is below 0.85.",)
    remove_gold(study.seat("m1"), case)
    assert sorted(path.name for path in study.layout.gold.iterdir()) == ["gold.json"]
    # Without a truth they are compared with one another, on both layers.
    found = {one.rater: one.reasons for one in standings(study.seat("m1"), 1)}
    said = f"{case} Lesion: 1 of 1 others differ by more than is allowed."
    assert found == {"r01": (said,), "r02": (said,)}
    assert study.is_sound()
