from __future__ import annotations

import json
from dataclasses import asdict
from functools import cache
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.measure.agreement import compare_masks
from napari_medlabel.model.labelmap import Label, LabelMap, LabelScheme
from napari_medlabel.model.landmarks import Landmark, LandmarkSet
from napari_medlabel.project.agreement.landmarks import agreed_landmarks
from napari_medlabel.project.agreement.report import (
    ITEMS,
    MISSING,
    Facts,
    plots,
    summarise,
    write_report,
)
from napari_medlabel.project.agreement.table import (
    Reading,
    compare_readings,
    joined,
    per_case,
)
from napari_medlabel.project.settings import Settings

SCHEME = LabelScheme(
    "Three",
    (
        Label(1, "Liver", "#112233"),
        Label(2, "Tumour", "#445566"),
        Label(3, "Cyst", "#778899"),
    ),
)
SPACING = (1.0, 1.5, 3.0)


def mask(array: np.ndarray) -> LabelMap:
    grid = Grid(array.shape, Affine.from_spacing(SPACING, (3.0, -4.0, 5.0)))
    return LabelMap(grid, np.asfortranarray(array.astype(np.uint8)), SCHEME)


def liver(seed: int, size: float = 6.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    i, j, k = np.ogrid[:26, :20, :10]
    c = np.array([13.0, 10.0, 5.0]) + rng.normal(0, 0.6, 3)
    r = size + rng.normal(0, 0.4)
    away = (i - c[0]) ** 2 + (1.5 * (j - c[1])) ** 2 + (3 * (k - c[2])) ** 2
    return np.where(away < r**2, 1, 0)


def marks(**places: tuple[float, float, float] | None) -> LandmarkSet:
    return LandmarkSet(tuple(Landmark(name, point) for name, point in places.items()))


@cache
def study(cases: int = 5):
    tables = []
    answers = {}
    for n in range(cases):
        readings = []
        for at, rater in enumerate(("r01", "r02", "r03")):
            array = liver(10 * n + at, 5.0 + 0.6 * n)
            if not (n == 0 and at == 1):
                array[1:4, 1:4, 1:3] = 2
            points = marks(AC=(0.0, float(at), 0.0), PC=None if at else (1.0, 1.0, 1.0))
            readings.append(Reading(rater, mask(array), points))
        case = f"sub-{n:03d}_ct"
        tables.append(compare_readings(case, readings, consensus=readings[0]))
        answers[case] = {
            one.rater: {"clear": (n + at) % 3 > 0, "grade": float(n)}
            for at, one in enumerate(readings)
        }
    return joined(tables), answers


@cache
def whole_summary():
    return summarise(*study(), seed=4)


small = arrays(np.uint8, (5, 4, 3), elements=st.integers(0, 3))


@given(small, small, st.sampled_from(["surfel", "voxel"]))
@settings(max_examples=40, deadline=None)
def test_a_crop_gives_the_numbers_of_the_whole_scan(a, b, convention) -> None:
    whole = compare_masks(mask(a), mask(b), convention=convention, by="value")
    found = compare_readings(
        "c", [Reading("r01", mask(a)), Reading("r02", mask(b))], convention=convention
    )
    assert len(found.rows) == len(whole.labels)
    for row, label in zip(found.rows, whole.labels, strict=True):
        assert (row.value, row.status) == (label.pair.first, label.status)
        assert (row.first_ml, row.second_ml) == pytest.approx(label.volumes_ml)
        for measure in ("dice", "nsd", "hd95_mm", "assd_mm"):
            ours, theirs = getattr(row, measure), getattr(label, measure)
            assert ours == (None if theirs is None else pytest.approx(theirs)), measure


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_surfaces_are_those_of_deepminds_surface_distance() -> None:
    import surface_distance

    a, b = liver(1), liver(2, 7.0)
    found = compare_readings("c", [Reading("r01", mask(a)), Reading("r02", mask(b))])
    row = found.rows[0]
    apart = surface_distance.compute_surface_distances(a == 1, b == 1, SPACING)
    hd95 = surface_distance.compute_robust_hausdorff(apart, 95)
    nsd = surface_distance.compute_surface_dice_at_tolerance(apart, 2.0)
    assert row.hd95_mm == pytest.approx(hd95)
    assert row.nsd == pytest.approx(nsd)
    assert "DeepMind" in found.rules[0]


def test_dice_and_volumes_are_those_of_simpleitk() -> None:
    import SimpleITK as sitk  # noqa: N813

    a, b = liver(1), liver(2, 7.0)
    row = compare_readings("c", [Reading("r01", mask(a)), Reading("r02", mask(b))]).rows[0]
    images = [sitk.GetImageFromArray(one.T.astype(np.uint8)) for one in (a, b)]
    tool = sitk.LabelOverlapMeasuresImageFilter()
    tool.Execute(*images)
    assert row.dice == pytest.approx(tool.GetDiceCoefficient(1))
    assert row.difference_ml == pytest.approx(((b == 1).sum() - (a == 1).sum()) * 4.5 / 1000)


def test_all_pairs_and_each_against_the_consensus_are_there() -> None:
    table, _ = study(1)
    pairs = {(row.first, row.second) for row in table.rows}
    assert pairs == {
        ("r01", "r02"), ("r01", "r03"), ("r02", "r03"),
        ("r01", "consensus"), ("r02", "consensus"), ("r03", "consensus"),
    }  # fmt: skip
    assert table.raters == ("r01", "r02", "r03")
    assert len(table.pairs()) == len(table.against_consensus()) == 9


def test_what_one_rater_missed_stays_in_the_means_with_the_scans_diagonal() -> None:
    a = liver(1)
    b = a.copy()
    b[1:4, 1:4, 1:3] = 2
    table = compare_readings("c", [Reading("r01", mask(a)), Reading("r02", mask(b))])
    tumour = next(row for row in table.rows if row.value == 2)
    far = np.linalg.norm((np.array(a.shape) - 1) * SPACING)
    assert (tumour.dice, tumour.nsd) == (0.0, 0.0)
    assert tumour.hd95_mm == pytest.approx(far)
    assert tumour.is_flagged
    assert per_case([tumour], "dice") == {"c": 0.0}
    assert "so many: 1." in table.rules[2]  # the cyst that nobody has
    assert "so many: 1." in table.rules[3]


def test_landmarks_are_compared_by_name_and_missing_ones_are_counted() -> None:
    one = Reading("r01", mask(liver(1)), marks(A=(0.0, 0.0, 0.0), B=(1.0, 1.0, 1.0)))
    two = Reading("r02", mask(liver(1)), marks(A=(3.0, 4.0, 0.0), C=None))
    found = {row.name: row for row in compare_readings("c", [one, two]).marks}
    assert found["A"].mm == pytest.approx(5.0)
    assert (found["B"].mm, found["B"].missing) == (None, ("r02",))
    assert "C" not in found


def test_another_grid_or_a_single_reading_is_refused() -> None:
    one = Reading("r01", mask(liver(1)))
    with pytest.raises(InputError, match="At least 2"):
        compare_readings("c", [one])
    with pytest.raises(GeometryError):
        compare_readings("c", [one, Reading("r02", mask(liver(1)[:-1]))])


def test_empty_readings_are_compared_without_a_number() -> None:
    nothing = mask(np.zeros((3, 3, 3)))
    table = compare_readings("c", [Reading("r01", nothing), Reading("r02", nothing)])
    assert not any(row.is_counted for row in table.rows)
    summary = summarise(table, {}, seed=1)
    assert all(not one.figures for one in summary.between)
    assert plots(summary) == {}


def test_a_summary_has_means_intervals_volumes_landmarks_and_answers() -> None:
    table, answers = study()
    found = whole_summary()
    one = found.between[0]
    dice = one.figures["dice"]
    rows = [row for row in table.pairs() if row.value == 1]
    assert dice.mean == pytest.approx(np.mean([row.dice for row in rows]))
    assert dice.interval.low <= dice.mean <= dice.interval.high
    assert (one.pairs, one.icc_cases, dice.cases) == (15, 5, 5)
    assert 0.5 < one.icc <= 1.0
    assert found.between[1].flagged == 2
    assert [(v.first, v.second) for v in found.volumes if v.value == 1] == [
        ("r01", "r02"), ("r01", "r03"), ("r02", "r03"),
    ]  # fmt: skip
    first = next(v for v in found.volumes if v.value == 1)
    own = [row for row in rows if (row.first, row.second) == ("r01", "r02")]
    assert first.found.bias == pytest.approx(np.mean([row.difference_ml for row in own]))
    marked = {mark.name: mark for mark in found.marks}
    assert marked["AC"].figure.mean == pytest.approx(4 / 3)
    assert marked["PC"].figure is None
    names = {one.question: [c.name for c in one.coefficients] for one in found.answers}
    assert names["clear"][-2:] == ["Fleiss' kappa", "Krippendorff's alpha (nominal)"]
    assert names["grade"] == ["Krippendorff's alpha (interval)"]
    assert summarise(table, answers, seed=4) == found
    assert json.dumps([asdict(one) for one in found.between])


def test_volumes_have_one_sign_in_table_report_and_plot_the_second_rater_less_the_first():
    small, large = np.zeros((9, 9, 9)), np.zeros((9, 9, 9))
    small[2:4, 2:4, 2:4], large[2:6, 2:6, 2:6] = 1, 1
    one, two = Reading("r01", mask(small)), Reading("r02", mask(large))
    # In the second case the slots were drawn the other way.
    table = joined([compare_readings("c1", [one, two]), compare_readings("c2", [two, one])])
    more = (64 - 8) * 0.0045
    own = [row.difference_ml for row in table.rows if row.value == 1]
    assert own == pytest.approx([more, more])
    found = summarise(table, {}, seed=1)
    assert found.between[0].figures["difference_ml"].mean == pytest.approx(more)
    assert found.volumes[0].found.bias == pytest.approx(more)
    report = write_report(found, Facts(Settings("S"), "p", 2), {})
    assert "| r02 less r01 | 2 | 0.25 " in report
    assert "the second less the first of two raters by the order of their codes" in report
    assert "Liver: r02 less r01, 2 cases" in plots(found)["volume-1-r01-r02"]


def test_a_report_has_all_items_and_says_what_nobody_stated() -> None:
    table, _ = study()
    found = whole_summary()
    drawn = plots(found)
    files = {name: f"{name}.svg" for name in drawn}
    facts = Facts(
        Settings("Livers", readings=3),
        "napari-medlabel 1",
        7,
        {"with less than two readings": 2},
        stated={"subjects": "Adults with a CT of the liver."},
    )
    text = write_report(found, facts, files)
    assert len(ITEMS) == 15
    for number, (_, asks) in enumerate(ITEMS, start=1):
        assert f"## {number}. {asks}" in text
    assert text.count(MISSING) == 5
    assert "must still state: 4, 5, 6, 12, 14." in text
    assert "Adults with a CT of the liver." in text
    assert "2 with less than two readings" in text
    assert "by bootstrap over cases, 2000 draws each" in text
    assert "BCa (bias-corrected and accelerated)" in text
    for rule in table.rules:
        assert rule in text
    for file in files.values():
        assert f"({file})" in text


def test_plots_are_drawings_that_hold_every_case_within_the_page() -> None:
    drawn = plots(whole_summary())
    assert {"dice", "volume-1-r01-r02"} <= set(drawn)
    ns = "{http://www.w3.org/2000/svg}"
    for svg in drawn.values():
        root = ET.fromstring(svg)  # noqa: S314 - our own
        width, height = float(root.get("width")), float(root.get("height"))
        for circle in root.iter(f"{ns}circle"):
            assert 0 <= float(circle.get("cx")) <= width
            assert 0 <= float(circle.get("cy")) <= height
    whole = ET.fromstring(drawn["volume-1-r01-r02"])  # noqa: S314 - our own
    assert len(list(whole.iter(f"{ns}circle"))) == 5


def test_landmarks_become_their_mean_only_where_all_are_near() -> None:
    sets = [marks(A=(0.0, 0.0, 0.0), B=(0.0, 0.0, 0.0), C=(5.0, 5.0, 5.0)),
            marks(A=(2.0, 0.0, 0.0), B=(20.0, 0.0, 0.0), C=None)]  # fmt: skip
    found, words = agreed_landmarks(sets, 3.0)
    assert found["A"].point_ras == (1.0, 0.0, 0.0)
    assert found["B"].point_ras is None
    assert found["C"].point_ras is None
    assert "2 of 3" in words[0]
    assert agreed_landmarks([None, None], 3.0) == (None, ())
