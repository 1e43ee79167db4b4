from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.measure.agreement import Agreement, compare_masks
from napari_medlabel.measure.overlap import joint_counts
from napari_medlabel.model import presets
from napari_medlabel.model.labelmap import Label, LabelMap, LabelScheme
from tests.tilted import steps

NONE = LabelScheme("none", ())


def mask(array: np.ndarray, spacing=(1.0, 1.0, 3.0), scheme: LabelScheme = NONE) -> LabelMap:
    grid = Grid(array.shape, Affine.from_spacing(spacing))
    return LabelMap(grid, np.asfortranarray(array), scheme)


def named(*names: str, start: int = 1) -> LabelScheme:
    labels = (Label(n, name, "#112233") for n, name in enumerate(names, start=start))
    return LabelScheme("names", tuple(labels))


@given(
    arrays(np.uint8, (4, 3, 3), elements=st.integers(0, 3)),
    arrays(np.uint8, (4, 3, 3), elements=st.integers(0, 3)),
)
@settings(max_examples=40)
def test_overlap_is_that_of_regions_compared_one_by_one(first, second) -> None:
    counts = joint_counts(first, second)
    for value in range(1, 5):
        a, b = first == value, second == value
        found = counts.overlap(value, value)
        assert (found.first, found.second, found.both) == (a.sum(), b.sum(), (a & b).sum())
        if a.any() or b.any():
            assert found.dice == pytest.approx(2 * (a & b).sum() / (a.sum() + b.sum()))
            assert found.jaccard == pytest.approx((a & b).sum() / (a | b).sum())
        else:
            assert found.dice is None
            assert found.jaccard is None


def test_many_values_are_counted_as_few_are() -> None:
    rng = np.random.default_rng(4)
    few = rng.integers(0, 4, (6, 5, 4)).astype(np.uint16)
    many = few * 20000
    assert dict(joint_counts(many, many).pairs) == {
        (a * 20000, b * 20000): n for (a, b), n in joint_counts(few, few).pairs.items()
    }


def test_two_masks_of_two_shapes_are_not_counted() -> None:
    with pytest.raises(GeometryError, match="one shape"):
        joint_counts(np.zeros((2, 2, 2), np.uint8), np.zeros((2, 2, 3), np.uint8))


def some_masks() -> tuple[np.ndarray, np.ndarray]:
    first = np.zeros((12, 12, 8), np.uint8)
    second = first.copy()
    first[2:8, 2:8, 2:6], second[3:9, 2:8, 2:6] = 1, 1
    first[9:11, 9:11, 1:3] = 2
    second[0, 0, 0] = 3
    return first, second


def compared(**more) -> Agreement:
    return compare_masks(*map(mask, some_masks()), by="value", **more)


def test_what_one_mask_misses_is_the_worst_score_flagged_and_in_the_mean() -> None:
    found = compare_masks(
        mask(some_masks()[0], scheme=named("A", "B", "C", "never")),
        mask(some_masks()[1], scheme=named("A", "B", "C", "never")),
    )
    a, b, c, never = found.labels
    assert [one.status for one in found.labels] == [
        "both",
        "first only",
        "second only",
        "neither",
    ]
    diagonal = float(np.linalg.norm((11, 11, 21)))
    for one in (b, c):
        assert one.is_flagged
        assert (one.dice, one.jaccard, one.nsd) == (0.0, 0.0, 0.0)
        assert (one.hd_mm, one.hd95_mm, one.assd_mm) == pytest.approx((diagonal,) * 3)
    assert (never.dice, never.nsd, never.hd_mm) == (None, None, None)
    assert (len(found.counted), found.excluded, found.flagged) == (3, 1, 2)
    assert a.dice == pytest.approx(5 / 6)
    assert found.mean("dice") == pytest.approx(5 / 18)
    assert found.mean("hd95_mm") == pytest.approx((a.hd95_mm + 2 * diagonal) / 3)
    assert b.difference_ml == pytest.approx(-8 * 0.003)
    assert c.is_tiny
    assert not a.is_tiny


def test_a_mask_agrees_with_itself() -> None:
    array, _ = some_masks()
    for convention in ("surfel", "voxel"):
        found = compare_masks(mask(array), mask(array.copy()), convention=convention)
        assert found.convention == convention
        for one in found.labels:
            assert (one.dice, one.jaccard, one.nsd) == (1.0, 1.0, pytest.approx(1.0))
            assert (one.hd_mm, one.hd95_mm, one.assd_mm) == (0.0, 0.0, 0.0)


def test_two_empty_masks_have_no_mean() -> None:
    empty = np.zeros((3, 3, 3), np.uint8)
    found = compare_masks(mask(empty), mask(empty))
    assert found.labels == ()
    assert found.mean("dice") is None


def test_spacing_is_respected_along_its_own_axis() -> None:
    first = np.zeros((9, 9, 9), np.uint8)
    second = first.copy()
    first[3:6, 3:6, 3:6] = 1
    for axis, mm in enumerate((0.5, 2.0, 4.0)):
        second[...] = np.roll(first, 1, axis)
        found = compare_masks(mask(first, (0.5, 2.0, 4.0)), mask(second, (0.5, 2.0, 4.0)))
        assert found.labels[0].hd_mm == pytest.approx(mm)


def test_labels_are_matched_by_name_whatever_their_numbers() -> None:
    first = np.zeros((6, 6, 6), np.uint8)
    first[1:4, 1:4, 1:4] = 1
    second = first * 7
    one, other = named("Liver", "Spleen"), named("spleen", " liver ", start=6)
    by_name = compare_masks(mask(first, scheme=one), mask(second, scheme=other))
    assert [(x.pair.name, x.pair.second, x.dice) for x in by_name.labels] == [
        ("Liver", 7, 1.0),
        ("Spleen", 6, None),
    ]
    by_value = compare_masks(mask(first, scheme=one), mask(second, scheme=other), by="value")
    assert [(x.status) for x in by_value.labels if not x.overlap.is_empty] == [
        "first only",
        "second only",
    ]


def test_values_without_a_name_are_compared_too() -> None:
    array = np.zeros((4, 4, 4), np.uint8)
    array[1, 1, 1] = 9
    found = compare_masks(mask(array, scheme=named("A")), mask(array, scheme=named("B")))
    assert [(x.pair.name, x.dice) for x in found.labels] == [
        ("A", None),
        ("Label 9", 1.0),
        ("B", None),
    ]


def test_other_grids_tolerances_and_conventions_are_refused(
    make_grid: Callable[..., Grid],
) -> None:
    array = np.zeros((4, 4, 4), np.uint8)
    with pytest.raises(GeometryError, match="second mask does not lie on this scan"):
        compare_masks(mask(array), mask(array, (1.0, 1.0, 2.0)))
    with pytest.raises(InputError, match="tolerance of 0 mm or more"):
        compared(tolerance_mm=-1.0)
    with pytest.raises(InputError, match="known convention"):
        compared(convention="mesh")


def test_the_work_can_be_ended() -> None:
    def stop(done: int, total: int) -> None:
        assert total == 3
        if done == 1:
            raise TimeoutError

    with pytest.raises(TimeoutError):
        compared(tick=stop)


def test_on_a_tilted_scan_surfaces_lie_as_far_apart_as_in_the_patient() -> None:
    shape, spacing = (70, 70, 70), (1.0, 1.0, 1.0)
    matrix = np.eye(4)
    matrix[:3, :3] = steps(spacing, 20.0)
    places = (np.indices(shape).reshape(3, -1).T - (35, 35, 35)) @ matrix[:3, :3].T
    # Along this way an axis at right angles would be longest: 12 mm were said.
    way = 10.0 * np.array([0.0, np.cos(np.radians(55)), -np.sin(np.radians(55))])
    grid, scheme = Grid(shape, Affine(matrix)), presets.scheme("abdomen")
    balls = [
        (np.linalg.norm(places - middle, axis=1) <= 15.0).reshape(shape).astype(np.uint8)
        for middle in (0.0, way)
    ]
    row = compare_masks(*(LabelMap(grid, ball, scheme) for ball in balls)).labels[0]
    assert row.hd_mm == pytest.approx(10.0, abs=0.7)
