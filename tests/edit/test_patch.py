"""Patches hold exactly what changed and can be taken back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.edit.patch import LandmarkChange, Patch
from napari_medlabel.errors import InputError
from napari_medlabel.model.landmarks import Landmark, LandmarkSet


def labels(seed: int, shape: tuple[int, int, int] = (7, 6, 5)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 3, shape[::-1], dtype=np.uint8).T


@given(st.integers(0, 999), st.integers(0, 999))
def test_applying_and_taking_back_returns_the_same_bytes(first: int, second: int) -> None:
    before, after = labels(first), labels(second)
    patch = Patch.between(before, after)
    state = before.copy()
    if patch is None:
        assert np.array_equal(before, after)
        return
    patch.apply(state)
    assert np.array_equal(state, after)
    patch.inverse().apply(state)
    assert np.array_equal(state, before)


def test_no_change_is_no_patch() -> None:
    assert Patch.between(labels(1), labels(1)) is None


def test_the_box_is_the_tightest_one() -> None:
    before = np.zeros((9, 8, 7), np.uint8)
    after = before.copy()
    after[2, 3, 4] = after[5, 3, 6] = 1
    patch = Patch.between(before, after, start=(10, 20, 30))
    assert patch is not None
    assert patch.start == (12, 23, 34)
    assert patch.shape == (4, 1, 3)
    assert patch.voxels_changed == 2


def test_large_boxes_are_compressed() -> None:
    before = np.zeros((128, 128, 8), np.uint8)
    patch = Patch.between(before, np.ones_like(before))
    assert patch is not None
    assert patch.nbytes < before.nbytes // 50
    assert np.array_equal(patch.after, np.ones_like(before))


def test_a_patch_refuses_another_state() -> None:
    before, after = np.zeros((3, 3, 3), np.uint8), np.ones((3, 3, 3), np.uint8)
    patch = Patch.between(before, after)
    assert patch is not None
    other = np.full((3, 3, 3), 2, np.uint8)
    with pytest.raises(InputError, match="not in the state"):
        patch.apply(other)
    assert np.all(other == 2)


def test_two_shapes_are_refused() -> None:
    with pytest.raises(InputError, match="have one shape"):
        Patch.between(np.zeros((2, 2, 2), np.uint8), np.zeros((2, 2, 3), np.uint8))


def test_a_landmark_change_is_taken_back() -> None:
    one = LandmarkSet((Landmark("A", (1, 2, 3)),))
    change = LandmarkChange(LandmarkSet(), one)
    assert change.inverse().after == LandmarkSet()
    assert change.inverse().inverse() == change


def test_two_types_are_refused() -> None:
    with pytest.raises(InputError, match=r"one type; got .* uint8 and .* uint16"):
        Patch.between(np.zeros((2, 2, 2), np.uint8), np.ones((2, 2, 2), np.uint16))


@given(
    st.integers(0, 99),
    st.sampled_from(((40, 30, 200), (300, 9, 7), (1500, 900, 3), (5, 4, 1))),
    st.sampled_from((np.uint8, np.uint16)),
    st.booleans(),
)
@settings(max_examples=15)
def test_many_pieces_are_put_together_again(seed, shape, dtype, is_c) -> None:
    rng = np.random.default_rng(seed)
    before = rng.integers(0, 4, shape[::-1]).astype(dtype).T
    after = before.T.copy().T
    low = [int(rng.integers(0, n)) for n in shape]
    part = tuple(
        slice(a, a + 1 + int(rng.integers(0, n))) for a, n in zip(low, shape, strict=True)
    )
    after[part] = 9
    if is_c:
        before, after = np.ascontiguousarray(before), np.ascontiguousarray(after)
    patch = Patch.between(before, after)
    assert patch is not None
    assert np.array_equal(patch.before, before[patch.box])
    assert np.array_equal(patch.after, after[patch.box])
    assert patch.voxels_changed == np.count_nonzero(before != after)
    state, twin = before.copy(), before.copy()
    patch.apply(state)
    patch.follow(twin)
    assert np.array_equal(state, after)
    assert np.array_equal(twin, after)
    assert patch.inverse().starts_from(state)
    patch.inverse().apply(state, twin, starts=True)
    assert np.array_equal(state, before)
    assert np.array_equal(twin, before)
    state[part] = 8
    with pytest.raises(InputError, match="not in the state"):
        patch.apply(state)


def test_slices_that_did_not_change_are_held_once() -> None:
    noise = np.random.default_rng(0).integers(0, 200, (24, 512, 512), dtype=np.uint8).T
    few, many = noise.T.copy().T, noise.T.copy().T
    few[[0, -1], [0, -1], [0, -1]] = 255
    many[[0, -1], [0, -1]] = 255
    first, second = Patch.between(noise, few), Patch.between(noise, many)
    assert first is not None
    assert second is not None
    assert first.shape == second.shape == (512, 512, 24)
    assert first.nbytes < 0.75 * second.nbytes
