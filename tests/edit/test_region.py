"""Regions by threshold and by growing."""

from __future__ import annotations

import numpy as np
import pytest

from napari_medlabel.edit.region import grow, threshold
from napari_medlabel.errors import InputError


def two_rooms_and_a_door() -> np.ndarray:
    image = np.zeros((20, 20, 3), np.int16)
    image[2:9, 5:15, :] = 100
    image[11:18, 5:15, :] = 100
    image[9:11, 9, 1] = 100  # one voxel wide
    return image


def test_a_threshold_holds_both_ends() -> None:
    image = np.array([[[1, 2, 3, 4]]], np.int16)
    assert threshold(image, 2, 3).ravel().tolist() == [False, True, True, False]


def test_an_empty_range_is_refused() -> None:
    with pytest.raises(InputError, match="lower end below the upper end; got 3 to 2"):
        threshold(np.zeros((1, 1, 1)), 3, 2)


def test_growing_goes_through_a_door() -> None:
    image = two_rooms_and_a_door()
    assert grow(image, [(4, 10, 1)], 50, 150)[14, 10, 0]


def test_an_opening_closes_the_door_and_keeps_the_room() -> None:
    image = two_rooms_and_a_door()
    room = grow(image, [(4, 10, 1)], 50, 150, opening=1)
    assert not room[14, 10, 1]
    assert room[2:9, 6:14, :].all()


def test_a_limit_keeps_the_region_out() -> None:
    image = two_rooms_and_a_door()
    limit = np.ones(image.shape, bool)
    limit[9:11] = False
    assert not grow(image, [(4, 10, 1)], 50, 150, limit=limit)[14].any()


def test_a_seed_outside_the_range_grows_nothing() -> None:
    assert not grow(two_rooms_and_a_door(), [(0, 0, 0)], 50, 150).any()


@pytest.mark.parametrize("seed", [(-1, 0, 0), (20, 0, 0), (0, 0, 3)])
def test_a_seed_outside_the_scan_is_refused(seed: tuple[int, int, int]) -> None:
    with pytest.raises(InputError, match="outside the scan"):
        grow(two_rooms_and_a_door(), [seed], 0, 1)
