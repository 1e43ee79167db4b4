"""Agreement on landmarks: against sums written out, and nothing counted that is missing."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.errors import InputError
from napari_medlabel.measure.landmarks import compare, icc_2_1
from napari_medlabel.model.landmarks import Landmark, LandmarkSet

COORDINATE = st.floats(-100, 100)
POINT = st.tuples(COORDINATE, COORDINATE, COORDINATE)


def reading(**points) -> LandmarkSet:
    return LandmarkSet(tuple(Landmark(name, p) for name, p in points.items()))


def test_icc_is_that_of_the_paper() -> None:
    # Shrout and Fleiss 1979, table 2: six targets, four judges; ICC(2,1) = 0.29.
    table = [
        [9, 2, 5, 8],
        [6, 1, 3, 2],
        [8, 4, 6, 8],
        [7, 1, 2, 6],
        [10, 5, 6, 9],
        [6, 2, 4, 7],
    ]
    assert icc_2_1(np.array(table, float)) == pytest.approx(0.2898, abs=1e-4)
    assert icc_2_1(np.ones((3, 2))) is None
    assert icc_2_1(np.ones((1, 2))) is None


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.none() | POINT, min_size=3, max_size=3), min_size=1, max_size=4))
def test_distances_are_between_those_who_placed_it(rows) -> None:
    readings = {
        str(r): LandmarkSet(tuple(Landmark(f"P{n}", row[r]) for n, row in enumerate(rows)))
        for r in range(3)
    }
    result = compare(readings)
    for n, row in enumerate(rows):
        one = result[f"P{n}"]
        points = [np.array(p) for p in row if p is not None]
        assert one.placed_by == tuple(str(r) for r in range(3) if row[r] is not None)
        if len(points) < 2:
            assert one.deo_mm is one.odm_mm is one.sd_mm is None
            continue
        pairs = [np.linalg.norm(a - b) for a, b in itertools.combinations(points, 2)]
        mean = sum(points) / len(points)
        assert one.deo_mm == pytest.approx(np.mean(pairs))
        assert one.largest_mm == pytest.approx(max(pairs))
        assert one.odm_mm == pytest.approx(np.mean([np.linalg.norm(p - mean) for p in points]))
        assert one.sd_mm == pytest.approx(np.std(points, axis=0, ddof=1))


def test_what_one_person_lacks_is_no_point_at_the_origin() -> None:
    far = (500.0, 500.0, 500.0)
    result = compare({"x": reading(a=far, b=far), "y": reading(a=far, b=None)})
    assert result.deo_mm == 0.0
    assert result["b"].placed_by == ("x",)
    assert result.outliers == ()
    assert result.complete == 1
    assert result.icc is None


def test_an_outlier_is_told_with_its_distance_and_its_author() -> None:
    near, far = (0.0, 0.0, 0.0), (0.0, 30.0, 0.0)
    result = compare({"x": reading(a=near), "y": reading(a=far), "z": reading(a=near)})
    assert [(o.name, o.rater, o.mm) for o in result.outliers] == [("a", "y", 30.0)]
    two = compare({"x": reading(a=near), "y": reading(a=far)}, outlier_mm=29.0)
    assert [(o.rater, o.mm) for o in two.outliers] == [("y", 30.0)]
    assert compare({"x": reading(a=near), "y": reading(a=far)}, outlier_mm=30.0).outliers == ()


def test_readings_with_other_names_and_orders_meet_by_name() -> None:
    first = reading(a=(0, 0, 0), b=(50, 0, 0), c=None)
    second = LandmarkSet(
        (Landmark("d", (9, 9, 9)), Landmark("b", (50, 0, 3)), Landmark("a", (0, 4, 0)))
    )
    result = compare({"x": first, "y": second})
    assert [s.name for s in result.spreads] == ["a", "b", "c", "d"]
    assert result["a"].deo_mm == 4.0
    assert result["b"].deo_mm == 3.0
    assert result["c"].mean_ras is None
    assert result.deo_mm == 3.5
    with pytest.raises(InputError, match="Nobody has"):
        result["e"]


def test_icc_is_over_what_everybody_placed() -> None:
    rng = np.random.default_rng(3)
    truth = rng.uniform(-80, 80, (6, 3))
    readings = {
        who: LandmarkSet(
            tuple(
                Landmark(
                    str(n), None if (who, n) == ("y", 5) else tuple(p + rng.normal(size=3))
                )
                for n, p in enumerate(truth)
            )
        )
        for who in "xyz"
    }
    result = compare(readings)
    assert result.complete == 5
    table = np.array([[r[str(n)].point_ras for r in readings.values()] for n in range(5)])
    assert result.icc == pytest.approx([icc_2_1(table[..., axis]) for axis in range(3)])
    assert min(result.icc) > 0.99


def test_one_reading_cannot_be_compared() -> None:
    with pytest.raises(InputError, match="At least two readings"):
        compare({"x": reading(a=(0, 0, 0))})
