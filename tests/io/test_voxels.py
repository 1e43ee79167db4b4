"""What all formats ask of voxels: sound places, room, and one brightness of colours."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.io.voxels import (
    as_labels,
    brightness,
    require_no_bomb,
    require_promise,
    smallest_exact,
    sound_affine,
    turned,
)


@given(arrays(np.uint8, (2, 3, 4, 3)))
def test_brightness_is_the_luma_of_rec_601(colour):
    exact = colour @ np.array([0.299, 0.587, 0.114])
    found = brightness(colour)
    assert found.dtype == np.uint8
    assert np.abs(found - exact).max() <= 0.5 + 1e-9
    grey = np.repeat(colour[..., :1], 3, axis=-1)
    np.testing.assert_array_equal(brightness(grey), grey[..., 0])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e9, -1e300])
@pytest.mark.parametrize("place", [(0, 0), (1, 3)])
def test_a_matrix_that_is_no_millimetres_is_refused(value, place):
    matrix = np.eye(4)
    matrix[place] = value
    with pytest.raises(GeometryError, match="not finite, or its numbers are no millimetres"):
        sound_affine(matrix)


def test_a_sound_matrix_is_kept_or_turned():
    matrix = np.diag([2.0, 3.0, 4.0, 1.0])
    np.testing.assert_array_equal(sound_affine(matrix).matrix, matrix)
    lps = sound_affine(matrix, is_lps=True)
    np.testing.assert_array_equal(lps.matrix, np.diag([-2.0, -3.0, 4.0, 1.0]))


def test_bombs_and_promises():
    require_no_bomb(600 << 20, 6 << 20)
    require_no_bomb(400 << 20, 1)
    with pytest.raises(InputError, match=r"0\.629 GB, more than 500 times its size"):
        require_no_bomb(600 << 20, 1 << 20)
    require_promise(1000, 1, 1000)
    with pytest.raises(InputError, match="cannot hold as many voxels"):
        require_promise(1001, 1, 1000)


@given(arrays(np.int64, 5, elements=st.integers(-(2**63), 2**63 - 1)))
def test_whole_numbers_keep_their_values_in_the_smallest_type(values):
    small, doubts = smallest_exact(values)
    assert doubts == ()
    np.testing.assert_array_equal(small.astype(np.int64), values)
    if small.dtype.itemsize > 1:
        half = np.dtype(f"{small.dtype.kind}{small.dtype.itemsize // 2}")
        assert (values.astype(half).astype(np.int64) != values).any()


@given(arrays(np.uint16, 5))
def test_labels_become_bytes_where_they_fit(values):
    labels = as_labels(values.astype(np.float32))
    np.testing.assert_array_equal(labels, values)
    assert labels.dtype == (np.uint16 if values.max() > 255 else np.uint8)


def test_what_float32_cannot_reach_stays_float64():
    far = np.array([1e300, -2.0, np.inf, np.nan])
    kept, doubts = smallest_exact(far)
    assert kept.dtype == np.float64
    np.testing.assert_array_equal(kept, far)
    assert doubts == ()
    near, _ = smallest_exact(np.array([1e30, np.inf]))
    assert near.dtype == np.float32


@pytest.mark.parametrize(
    ("axis", "column", "said"),
    [
        (2, (0.0, 0.3, 1.0), "The slices are tilted by 16.7 degrees (gantry tilt)"),
        (1, (0.3, 1.0, 0.0), "The rows and columns are sheared by 16.7 degrees"),
    ],
)
def test_only_a_tilted_slice_direction_is_called_gantry_tilt(axis, column, said):
    matrix = np.eye(4)
    matrix[:3, axis] = column
    assert turned(Affine(matrix))[0].startswith(said)
