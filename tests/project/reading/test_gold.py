from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.nifti.write import write_mask_nifti
from napari_medlabel.model.labelmap import Label, LabelMap, LabelScheme
from napari_medlabel.model.landmarks import Landmark, LandmarkSet
from napari_medlabel.project.agreement.table import Reading, compare_readings
from napari_medlabel.project.layout import CaseId, Layout
from napari_medlabel.project.ontology.labels import OntologyLabel
from napari_medlabel.project.ontology.ontology import Ontology
from napari_medlabel.project.reading.calibration import Round, round_rows
from napari_medlabel.project.reading.gold import (
    Truth,
    files_of_truth,
    gold_cases,
    read_truth,
    score,
    score_sheets,
    truth_files,
    truth_mask,
)
from napari_medlabel.project.reading.mixing import mixed
from napari_medlabel.project.reading.repeats import Done, intra_rater, repeats_due
from napari_medlabel.project.settings import Thresholds

SCHEME = LabelScheme("Two", (Label(1, "Liver", "#112233"), Label(2, "Tumour", "#445566")))
LESION = OntologyLabel("lesion", 7, "Lesion", "#0072b2", layer=1)
TWO_LAYERS = Ontology("Two", (OntologyLabel("liver", 1, "Liver", "#112233"), LESION))
LIMITS = Thresholds(dice=0.9, hd95_mm=2.0, volume_ml=0.5, landmark_mm=3.0)


def mask(array: np.ndarray) -> LabelMap:
    grid = Grid(array.shape, Affine.from_spacing((1.0, 1.0, 2.0)))
    return LabelMap(grid, np.asfortranarray(array.astype(np.uint8)), SCHEME)


def block(end: int = 16, value: int = 1) -> np.ndarray:
    out = np.zeros((24, 14, 8))
    out[4:end, 2:12, 2:7] = value
    return out


def marks(**places: tuple[float, float, float]) -> LandmarkSet:
    return LandmarkSet(tuple(Landmark(name, point) for name, point in places.items()))


def case(n: int) -> CaseId:
    return CaseId(f"{n:03d}")


def test_the_truth_itself_passes() -> None:
    found = score(mask(block()), mask(block()), LIMITS)
    assert found.passed
    assert found.reasons() == ()
    assert found.detail() == {"dice_milli": 1000, "hd95_um": 0, "volume_ul": 0}


def test_each_limit_that_is_broken_is_named_with_its_number() -> None:
    found = score(mask(block(20)), mask(block()), LIMITS)
    assert not found.passed
    said = " ".join(found.reasons())
    assert "Liver: Dice 0.857 is below 0.9." in said
    assert "Liver: HD95 4.0 mm is above 2 mm." in said
    assert "Liver: its volume is +0.4 ml off" not in said
    assert found.detail()["volume_ul"] == 400


def test_a_missed_and_an_invented_label_fail_whatever_the_limits() -> None:
    loose = Thresholds(0.0, 1e6, 1e6, 1e6)
    missed = score(mask(block() * 0), mask(block()), loose)
    assert missed.reasons() == ("Liver: it is in the truth and was not labelled.",)
    invented = score(mask(block()), mask(block() * 0), loose)
    assert "the truth has none" in invented.reasons()[0]
    assert len(score(mask(block()), mask(block()), loose).labels) == 1


def test_landmarks_pass_within_their_distance_and_fail_when_missing() -> None:
    truth = marks(AC=(0.0, 0.0, 0.0), PC=(0.0, -25.0, 0.0), apex=(9.0, 9.0, 9.0))
    own = marks(AC=(0.0, 3.0, 0.0), PC=(0.0, -29.0, 0.0), more=(1.0, 1.0, 1.0))
    found = score(mask(block()), mask(block()), LIMITS, marks=(own, truth))
    by_name = {one.name: one for one in found.marks}
    assert by_name["AC"].passed
    assert "4.0 mm away" in by_name["PC"].reason
    assert "not placed" in by_name["apex"].reason
    assert "truth has none" in by_name["more"].reason
    assert found.detail()["landmark_um"] == 4000
    assert score(mask(block()), mask(block()), LIMITS, marks=(own, None)).passed


def test_a_reading_of_another_grid_is_refused() -> None:
    with pytest.raises(GeometryError):
        score(mask(block()[:-1]), mask(block()), LIMITS)


def test_the_truth_is_found_and_read_by_the_name_of_its_case(tmp_path) -> None:
    layout = Layout(tmp_path)
    assert gold_cases(layout) == ()
    layout.gold.mkdir(parents=True)
    truth = mask(block())
    path, _ = truth_files(layout, case(3))
    write_mask_nifti(path, truth.array, None, False, truth.grid.affine)
    assert gold_cases(layout) == (case(3),)
    read = read_truth(layout, case(3), truth.grid, TWO_LAYERS)
    assert np.array_equal(read.masks[0].array, truth.array)
    assert read.landmarks is None
    with pytest.raises(InputError, match="no truth"):
        read_truth(layout, case(4), truth.grid, TWO_LAYERS)


def test_labels_of_each_layer_are_scored_whatever_lies_over_them(tmp_path) -> None:
    layout = Layout(tmp_path)
    layout.gold.mkdir(parents=True)
    liver, lesion = mask(block()), mask(block(20, 7))
    for layer, one in ((0, liver), (1, lesion)):
        path = truth_mask(layout, case(3), layer)
        write_mask_nifti(path, one.array, None, False, one.grid.affine)
    names = [path.name for path in files_of_truth(layout, case(3))]
    assert names == ["sub-003_ct_dseg.nii.gz", "sub-003_ct_l1dseg.nii.gz"]
    assert gold_cases(layout) == (case(3),)
    truth = read_truth(layout, case(3), liver.grid, TWO_LAYERS)
    assert score_sheets(truth.masks, truth, LIMITS).passed
    worse = score_sheets({0: liver, 1: mask(block(16, 7))}, truth, LIMITS)
    assert [one.name for one in worse.labels] == ["Liver", "Lesion"]
    assert [one.passed for one in worse.labels] == [True, False]
    assert worse.detail()["dice_milli"] == 857
    missed = score_sheets({0: liver, 1: mask(block() * 0)}, truth, LIMITS)
    assert missed.reasons() == ("Lesion: it is in the truth and was not labelled.",)
    # A reading of before there were labels on that layer was not asked for them.
    assert score_sheets({0: liver}, truth, LIMITS).passed
    assert score_sheets(truth.masks, Truth({0: liver}), LIMITS).passed


@given(st.integers(0, 20), st.integers(0, 6), st.floats(0, 0.5), st.integers(0, 9))
@settings(max_examples=40, deadline=None)
def test_gold_is_mixed_in_by_seed_and_leaves_the_order_of_the_rest(n, m, share, seed) -> None:
    cases, gold = [case(i) for i in range(n)], [case(100 + i) for i in range(m)]
    found = mixed(cases, gold, share, rater="r01", seed=seed)
    assert [one for one in found if one in cases] == cases
    added = [one for one in found if one not in cases]
    assert len(set(added)) == len(added) <= m
    assert len(added) >= min(m, int(share * len(found)) - 1)
    assert len(added) <= share * len(found) + 1.1
    assert found == mixed(cases, list(reversed(gold)), share, rater="r01", seed=seed)


@given(st.integers(1, 30), st.integers(0, 6), st.floats(0.02, 0.6), st.integers(0, 9))
@settings(max_examples=40, deadline=None)
def test_who_has_begun_some_goes_on_in_the_same_list(n, m, share, seed) -> None:
    cases, gold = [case(i) for i in range(n)], [case(100 + i) for i in range(m)]
    whole = mixed(cases, gold, share, rater="r01", seed=seed)
    for begun in range(len(whole)):
        left = whole[begun:]
        again = mixed(
            [one for one in left if one in cases],
            [one for one in gold if one not in whole[:begun]],
            share,
            rater="r01",
            seed=seed,
            begun=begun,
        )
        assert again == left


def test_gold_that_is_to_be_read_anyhow_is_not_lost() -> None:
    cases = [case(i) for i in range(4)]
    found = mixed(cases, cases[:2], 0.25, rater="r01", seed=1)
    assert sorted(found) == cases
    assert mixed(cases, cases[:2], 0.0, rater="r01", seed=1) == tuple(cases)


def test_raters_get_gold_at_places_of_their_own() -> None:
    cases, gold = [case(i) for i in range(40)], [case(100 + i) for i in range(10)]
    draws = {mixed(cases, gold, 0.2, rater=rater, seed=1) for rater in ("r01", "r02", "r03")}
    assert len(draws) == 3
    with pytest.raises(InputError, match="share of gold"):
        mixed(cases, gold, 1.0, rater="r01", seed=1)


DAYS = [Done(case(n), rater, date(2026, 11, 1)) for n in range(60) for rater in ("r01", "r02")]


def test_repeats_come_after_their_days_to_whom_they_were_drawn_for() -> None:
    rules = {"days": 14, "seed": 3, "share": 0.3}
    assert repeats_due(DAYS, today=date(2026, 11, 14), **rules) == ()
    due = repeats_due(DAYS, today=date(2026, 11, 15), **rules)
    assert due == repeats_due(list(reversed(DAYS)), today=date(2026, 12, 24), **rules)
    assert 20 < len(due) < 52
    assert not any(one.is_flipped for one in due)
    first = due[0]
    left = repeats_due(
        DAYS, today=date(2026, 11, 15), served={(first.rater, first.case)}, **rules
    )
    assert left == due[1:]
    assert repeats_due(DAYS, today=date(2027, 1, 1), days=0, seed=3) == ()
    with pytest.raises(InputError, match="0 days or more"):
        repeats_due(DAYS, today=date(2027, 1, 1), days=-1, seed=3)


def test_half_of_the_repeats_are_flipped_when_asked() -> None:
    due = repeats_due(DAYS, days=1, today=date(2026, 12, 1), seed=3, share=1.0, flip=True)
    assert len(due) == len(DAYS)
    assert 40 < sum(one.is_flipped for one in due) < 80


def test_the_first_reading_counts_where_somebody_submitted_twice() -> None:
    again = [*DAYS, Done(case(0), "r01", date(2026, 11, 20))]
    due = repeats_due(again, days=14, today=date(2026, 11, 16), seed=3, share=1.0)
    assert len(due) == len(DAYS)


def test_one_rater_is_compared_with_herself() -> None:
    first, second = Reading("r01", mask(block())), Reading("r01", mask(block(15)))
    (row,) = [r for r in intra_rater(case(1), first, second).rows if r.is_counted]
    assert (row.first, row.second) == ("r01", "r01 again")
    assert row.dice == pytest.approx(22 / 23)
    with pytest.raises(InputError, match="one person"):
        intra_rater(case(1), first, Reading("r02", mask(block())))


def calibration_round(number: int, ends: tuple[int, int], guideline: str) -> Round:
    readings = [Reading(f"r{n:02d}", mask(block(end))) for n, end in enumerate(ends, start=1)]
    return Round(number, compare_readings(f"sub-{number:03d}_ct", readings), guideline)


def test_rounds_show_what_became_better_and_when_it_is_enough() -> None:
    rounds = [calibration_round(1, (16, 22), "a"), calibration_round(2, (16, 17), "b")]
    rows = {(row.number, row.name): row for row in round_rows(rounds, LIMITS, seed=1)}
    one, two = rows[1, "Liver"], rows[2, "Liver"]
    assert one.change is None
    assert two.change == pytest.approx(two.dice - one.dice)
    assert (one.is_enough, two.is_enough) == (False, True)
    assert (one.is_new_guideline, two.is_new_guideline) == (False, True)
    assert (two.cases, two.raters, two.pairs) == (1, 2, 1)
    empty = rows[1, "Tumour"]
    assert empty.dice is None
    assert not empty.is_enough
    with pytest.raises(InputError, match="cases of their own"):
        round_rows([rounds[0], rounds[0]], LIMITS, seed=1)
