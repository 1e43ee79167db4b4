"""The rules that every edit obeys, against a voxel by voxel oracle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_medlabel.edit.masking import Masking
from napari_medlabel.errors import InputError

VALUES = st.frozensets(st.integers(1, 4), max_size=3)
SHAPE = (4, 3, 3)


@st.composite
def maskings(draw: st.DrawFn) -> Masking:
    segments = draw(VALUES)
    area = draw(
        st.sampled_from(("everywhere", "inside", "outside") if segments else ("everywhere",))
    )
    low, high = sorted((draw(st.integers(-5, 5)), draw(st.integers(-5, 5))))
    return Masking(
        area,
        segments,
        draw(st.sampled_from((None, low))),
        draw(st.sampled_from((None, high))),
        draw(st.sampled_from(("all", "visible", "none"))),
        draw(VALUES),
        draw(VALUES),
    )


def labels(dtype: type = np.uint8) -> st.SearchStrategy[np.ndarray]:
    return hnp.arrays(dtype, SHAPE, elements=st.integers(0, 4))


def may_change(rules: Masking, old: int, new: int, value: float, about: set[int]) -> bool:
    """Say it again, one voxel at a time and in the words of the documentation."""
    if old in rules.locked or new in rules.locked:
        return False
    if rules.area == "inside" and old not in rules.segments:
        return False
    if rules.area == "outside" and old in rules.segments:
        return False
    if rules.low is not None and value < rules.low:
        return False
    if rules.high is not None and value > rules.high:
        return False
    if old == 0 or old in about or rules.overwrite == "all":
        return True
    return rules.overwrite == "visible" and old not in rules.hidden


@settings(deadline=None, max_examples=60)
@given(
    maskings(),
    labels(),
    labels(),
    hnp.arrays(np.int16, SHAPE, elements=st.integers(-6, 6)),
    st.frozensets(st.integers(1, 4)),
)
def test_clamping_agrees_with_the_rules_voxel_by_voxel(
    rules: Masking,
    before: np.ndarray,
    after: np.ndarray,
    image: np.ndarray,
    about: frozenset[int],
) -> None:
    got = rules.clamp(before, after, image, about)
    for place in np.ndindex(*SHAPE):
        old, new = int(before[place]), int(after[place])
        allowed = may_change(rules, old, new, float(image[place]), set(about))
        assert got[place] == (new if allowed else old)


@settings(deadline=None, max_examples=20)
@given(maskings(), labels(np.uint16), labels(np.uint16))
def test_clamping_writes_into_neither_of_its_arrays(
    rules: Masking, before: np.ndarray, after: np.ndarray
) -> None:
    kept = before.copy(), after.copy()
    out = rules.clamp(before, after, before.astype(np.int16), (1,))
    out[...] = 9
    assert np.array_equal(before, kept[0])
    assert np.array_equal(after, kept[1])
    assert out.dtype == before.dtype


def test_open_rules_let_everything_change() -> None:
    before, after = np.zeros(SHAPE, np.uint8), np.ones(SHAPE, np.uint8)
    assert Masking().is_open
    assert np.array_equal(Masking().clamp(before, after, before), after)


@pytest.mark.parametrize(
    "rules",
    [
        Masking("inside", frozenset({1})),
        Masking(low=1.0),
        Masking(high=1.0),
        Masking(overwrite="visible"),
        Masking(overwrite="none"),
        Masking(locked=frozenset({1})),
    ],
)
def test_rules_that_forbid_something_are_not_open(rules: Masking) -> None:
    assert not rules.is_open


def test_a_locked_segment_is_not_painted_through() -> None:
    before = np.array([0, 1, 2], np.uint8).reshape(3, 1, 1)
    after = np.full((3, 1, 1), 3, np.uint8)
    got = Masking(locked=frozenset({1})).clamp(before, after, before, (3,))
    assert got.ravel().tolist() == [3, 1, 3]


def test_a_locked_segment_gains_nothing_either() -> None:
    before, after = np.zeros((2, 1, 1), np.uint8), np.full((2, 1, 1), 3, np.uint8)
    got = Masking(locked=frozenset({3})).clamp(before, after, before, (3,))
    assert not got.any()


def test_an_eraser_takes_its_own_label_where_no_other_may_be_overwritten() -> None:
    before = np.array([1, 2], np.uint8).reshape(2, 1, 1)
    after = np.zeros((2, 1, 1), np.uint8)
    got = Masking(overwrite="none").clamp(before, after, before, (1,))
    assert got.ravel().tolist() == [0, 2]


def test_hidden_labels_are_safe_when_only_visible_ones_may_be_overwritten() -> None:
    before = np.array([1, 2], np.uint8).reshape(2, 1, 1)
    after = np.full((2, 1, 1), 3, np.uint8)
    rules = Masking(overwrite="visible", hidden=frozenset({2}))
    assert rules.clamp(before, after, before, (3,)).ravel().tolist() == [3, 2]


def test_values_that_the_type_cannot_hold_bind_nothing() -> None:
    before = np.ones((1, 1, 1), np.uint8)
    far = frozenset({300})
    rules = Masking("outside", far, overwrite="visible", hidden=far, locked=far)
    assert rules.clamp(before, before + 1, before, (300,)).item() == 2


def test_an_empty_range_is_refused() -> None:
    with pytest.raises(InputError, match="lower end below the upper end"):
        Masking(low=2.0, high=1.0)


def test_an_area_without_a_segment_is_refused() -> None:
    with pytest.raises(InputError, match="none was chosen"):
        Masking("inside")
