from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_medlabel.errors import GeometryError, InputError, RefusedError
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.model.labelmap import Label, LabelMap, LabelScheme
from napari_medlabel.project.agreement.consensus import RULES, agree_on
from napari_medlabel.project.agreement.cropping import cropped, union_box

SCHEME = LabelScheme("Two", (Label(1, "One", "#112233"), Label(2, "Two", "#445566")))


def mask(array: np.ndarray, spacing=(1.0, 1.5, 3.0)) -> LabelMap:
    grid = Grid(array.shape, Affine.from_spacing(spacing, (3.0, -4.0, 5.0)))
    return LabelMap(grid, np.asfortranarray(array.astype(np.uint8)), SCHEME)


def readings(*many: np.ndarray) -> dict[str, LabelMap]:
    return {f"r{n:02d}": mask(one) for n, one in enumerate(many, start=1)}


def balls(n: int, value: int = 1) -> list[np.ndarray]:
    rng = np.random.default_rng(4)
    i, j, k = np.ogrid[:20, :16, :8]
    out = []
    for _ in range(n):
        c = np.array([10.0, 8.0, 4.0]) + rng.normal(0, 0.4, 3)
        away = (i - c[0]) ** 2 + (1.5 * (j - c[1])) ** 2 + (3 * (k - c[2])) ** 2
        out.append(np.where(away < 36, value, 0))
    return out


small = arrays(np.uint8, (3, 2, 2), elements=st.integers(0, 2))


@given(st.lists(small, min_size=3, max_size=5))
@settings(max_examples=40, deadline=None)
def test_majority_is_what_counting_says_voxel_by_voxel(many) -> None:
    found = agree_on(readings(*many), "majority")
    for at in np.ndindex(many[0].shape):
        votes = Counter(int(one[at]) for one in many).most_common()
        is_tie = len(votes) > 1 and votes[0][1] == votes[1][1]
        assert found.unresolved[at] == is_tie
        assert found.labels.array[at] == (0 if is_tie else votes[0][0])


@given(st.lists(small, min_size=2, max_size=4))
@settings(max_examples=40, deadline=None)
def test_union_and_intersection_are_what_sets_say(many) -> None:
    union, both = (agree_on(readings(*many), rule) for rule in ("union", "intersection"))
    for at in np.ndindex(many[0].shape):
        given_here = {int(one[at]) for one in many}
        labels = given_here - {0}
        assert union.unresolved[at] == (len(labels) > 1)
        assert union.labels.array[at] == (min(labels) if len(labels) == 1 else 0)
        assert both.labels.array[at] == (min(given_here) if len(given_here) == 1 else 0)
    assert not both.open_voxels


@given(st.lists(small, min_size=3, max_size=4), st.permutations(range(4)))
@settings(max_examples=25, deadline=None)
def test_no_rule_depends_on_the_order_of_readings(many, order) -> None:
    turned = [many[n] for n in order if n < len(many)]
    for rule in RULES:
        one, other = agree_on(readings(*many), rule), agree_on(readings(*turned), rule)
        if rule == "staple":
            # Sums in another order: a probability of one half may round to either side.
            differ = one.labels.array != other.labels.array
            assert differ.sum() <= (one.unresolved | other.unresolved).sum()
            continue
        assert np.array_equal(one.labels.array, other.labels.array), rule
        assert np.array_equal(one.unresolved, other.unresolved), rule


@pytest.mark.parametrize("rule", RULES)
def test_readings_that_agree_are_the_consensus(rule) -> None:
    one = balls(1)[0]
    one[0, 0, 0] = 2
    found = agree_on(readings(one, one, one), rule)
    assert np.array_equal(found.labels.array, one)
    assert not found.open_voxels
    assert found.words[0]


def test_staple_is_that_of_simpleitk_on_the_same_box() -> None:
    import SimpleITK as sitk  # noqa: N813

    many = balls(5)
    found = agree_on(readings(*many), "staple")
    box = union_box(many, (1.0, 1.5, 3.0), 10.0)
    images = [sitk.GetImageFromArray(one[box].T.astype(np.uint8)) for one in many]
    tool = sitk.STAPLEImageFilter()
    theirs = sitk.GetArrayFromImage(tool.Execute(images)).T > 0.5
    assert np.array_equal(found.labels.array[box] == 1, theirs)
    assert [one.sensitivity for one in found.performance] == pytest.approx(
        list(tool.GetSensitivity())
    )
    assert "10 mm" in found.words[0]
    assert "majority" in found.words[2]


def test_majority_is_that_of_simpleitk() -> None:
    import SimpleITK as sitk  # noqa: N813

    many = [
        one + two for one, two in zip(balls(3), np.roll(balls(3, 2), 2, axis=1), strict=True)
    ]
    many = [np.minimum(one, 2) for one in many]
    images = [sitk.GetImageFromArray(one.T.astype(np.uint8)) for one in many]
    theirs = sitk.GetArrayFromImage(sitk.LabelVoting(images, 255)).T
    found = agree_on(readings(*many), "majority")
    assert np.array_equal(theirs == 255, found.unresolved)
    assert np.array_equal(np.where(theirs == 255, 0, theirs), found.labels.array)


def test_the_mean_distance_of_two_flat_ends_lies_between_them() -> None:
    many = []
    for end in (4, 8, 12):
        one = np.zeros((20, 12, 6))
        one[2:end, 2:10, 1:5] = 1
        many.append(one)
    found = agree_on(readings(*many), "distance").labels.array
    assert found[5, 6, 2] == 1
    assert found[9, 6, 2] == 0


def test_a_tie_stays_unresolved_and_is_counted() -> None:
    one, two, three = (np.zeros((3, 2, 2)) for _ in range(3))
    one[0, 0, 0], two[0, 0, 0] = 1, 2
    found = agree_on(readings(one, two, three), "majority")
    assert found.open_voxels == 1
    assert found.labels.array[0, 0, 0] == 0


def test_two_readings_are_never_voted_on() -> None:
    two = readings(*balls(2))
    for rule in ("majority", "staple", "distance"):
        with pytest.raises(RefusedError, match="adjudicated, never voted"):
            agree_on(two, rule)
    assert agree_on(two, "union").labels.array.any()


def test_one_reading_no_rule_and_another_grid_are_refused() -> None:
    one = balls(1)[0]
    with pytest.raises(InputError, match="At least 2"):
        agree_on(readings(one), "union")
    with pytest.raises(InputError, match="no such rule"):
        agree_on(readings(one, one), "best")
    with pytest.raises(GeometryError, match="reading does not lie"):
        agree_on({"r01": mask(one), "r02": mask(one, (1.0, 1.0, 3.0))}, "union")


def test_empty_readings_make_an_empty_consensus() -> None:
    nothing = np.zeros((3, 2, 2))
    for rule in RULES:
        found = agree_on(readings(nothing, nothing, nothing), rule)
        assert not found.labels.array.any()
        assert "empty" in found.words[-1]


def test_a_crop_lies_where_it_lay() -> None:
    whole = mask(balls(1)[0])
    box = union_box([whole.array], whole.grid.affine.spacing_mm)
    part = cropped(whole, box)
    start = [one.start for one in box]
    assert np.allclose(part.grid.affine.apply([0, 0, 0]), whole.grid.affine.apply(start))
    assert part.voxel_counts() == whole.voxel_counts()
