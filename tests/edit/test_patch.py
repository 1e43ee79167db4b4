"""Patches hold exactly what changed and can be taken back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
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
