"""Thumbnails: upright, in proportion, windowed; whatever the storage."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.axes import ORIENTATIONS, orientation_matrix
from napari_medlabel.io.thumbnail import LARGEST, Picture, draw, upright


def affine_of(codes):
    matrix = np.eye(4)
    matrix[:3, :3] = orientation_matrix(codes)
    return Affine(matrix)


@pytest.mark.parametrize("codes", ORIENTATIONS)
def test_every_orientation_is_held_upright(codes):
    """Mark the corner that is most to the patient's left, back and feet."""
    matrix = orientation_matrix(codes)
    towards = np.array([-1.0, -1.0, -1.0]) @ matrix[:, :2]  # of i and j
    slice_ji = np.zeros((4, 4))
    slice_ji[3 if towards[1] > 0 else 0, 3 if towards[0] > 0 else 0] = 1
    # On the right is left or back, below is back or feet.
    assert upright(slice_ji, affine_of(codes))[3, 3] == 1


def test_proportions_follow_the_spacing():
    tall = draw(Picture(np.zeros((10, 40)), None, (1.0, 8.0)))
    assert tall.shape == (LARGEST, LARGEST // 2)
    assert draw(Picture(np.zeros((1, 9000)), None, (1.0, 1.0))).shape == (1, LARGEST)


def test_the_window_says_what_is_dark_and_bright():
    values = np.array([[-100.0, 0.0, 100.0, 200.0]])
    picture = Picture(values, None, (1.0, 1.0), (50.0, 100.0))
    assert sorted(set(draw(picture).ravel())) == [0, 255]
    inverted = Picture(values, None, (1.0, 1.0), (50.0, 100.0), is_inverted=True)
    np.testing.assert_array_equal(draw(inverted), 255 - draw(picture))


def test_shrinking_averages():
    board = np.indices((512, 512)).sum(axis=0) % 2 * 100.0
    grey = draw(Picture(board, None, (1.0, 1.0), (50.0, 100.0)))
    assert set(grey.ravel()) <= {127, 128}


@given(
    arrays(np.float32, (5, 7), elements=st.floats(width=32)),
    st.tuples(st.floats(0.01, 100), st.floats(0.01, 100)),
)
def test_any_values_give_a_small_grey_picture(values, spacing):
    with np.errstate(all="ignore"):
        grey = draw(Picture(values, None, spacing))
    assert grey.dtype == np.uint8
    assert max(grey.shape) <= LARGEST
    assert min(grey.shape) >= 1
