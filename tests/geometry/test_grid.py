"""The grid: corners, and every single reason why two grids are not the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.errors import GeometryError
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.axes import ORIENTATIONS, orientation_matrix
from napari_medlabel.geometry.grid import SAME_PLACE_MM, Grid

SHAPE = (4, 5, 6)


def grid(shape=SHAPE, spacing=(1.0, 2.0, 3.0), origin=(0.0, 0.0, 0.0), frame="1.2"):
    return Grid(shape, Affine.from_spacing(spacing, origin), frame)


def test_a_grid_is_the_same_as_itself_and_as_its_equal():
    assert grid().difference(grid()) == ""
    grid().require_same(grid(), what="mask")
    assert grid() == grid()


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (grid(shape=(4, 5, 7)), "4 x 5 x 6 voxels are expected, 4 x 5 x 7 came"),
        (grid(origin=(0.02, 0, 0)), "corners lie up to 0.02 mm apart"),
        (grid(spacing=(1, 2, 3.01)), "corners lie up to 0.05 mm apart"),
        (grid(frame="1.3"), "the frames of reference differ"),
    ],
)
def test_each_reason_alone_makes_another_grid(other, reason):
    assert grid().difference(other) == reason
    with pytest.raises(GeometryError, match="The mask does not lie on this scan: ") as caught:
        grid().require_same(other, what="mask")
    assert reason in caught.value.message
    assert "never resampled" in caught.value.hint


def test_a_flip_with_the_same_box_is_another_grid_and_named():
    flipped = Affine(np.array([[-1, 0, 0, 3], [0, 2, 0, 0], [0, 0, 3, 0], [0, 0, 0, 1.0]]))
    reason = grid().difference(Grid(SHAPE, flipped, "1.2"))
    assert reason == "corners lie up to 3 mm apart (axes RAS expected, LAS came)"


def test_an_unknown_frame_of_reference_is_no_difference():
    assert grid(frame=None).difference(grid()) == ""
    assert grid().difference(grid(frame=None)) == ""


def test_less_than_the_tolerance_is_the_same_place_and_more_is_not():
    assert grid().difference(grid(origin=(0.99 * SAME_PLACE_MM, 0, 0))) == ""
    assert grid().difference(grid(origin=(1.01 * SAME_PLACE_MM, 0, 0))) != ""


@pytest.mark.parametrize("codes", ORIENTATIONS)
def test_only_one_of_all_orientations_is_the_same(codes):
    matrix = np.eye(4)
    matrix[:3, :3] = orientation_matrix(codes)
    one = Grid((5, 5, 5), Affine(matrix))
    same = [
        other
        for other in ORIENTATIONS
        if not one.difference(
            Grid(
                (5, 5, 5),
                Affine(
                    np.block(
                        [
                            [orientation_matrix(other), np.zeros((3, 1))],
                            [np.zeros((1, 3)), np.ones((1, 1))],
                        ]
                    )
                ),
            )
        )
    ]
    assert same == [codes]


@given(st.tuples(*[st.integers(1, 40)] * 3))
def test_corners_are_the_centres_of_the_outermost_voxels(shape):
    corners = grid(shape=shape).corners_ras()
    assert corners.shape == (8, 3)
    np.testing.assert_array_equal(corners.min(axis=0), (0, 0, 0))
    np.testing.assert_array_equal(corners.max(axis=0), (np.array(shape) - 1) * (1, 2, 3))
    assert grid(shape=shape).size == np.prod(shape)


@pytest.mark.parametrize(
    ("index", "inside"),
    [
        ((0, 0, 0), True),
        ((-0.5, 0, 0), True),
        ((-0.51, 0, 0), False),
        ((3.49, 4.49, 5.49), True),
        ((3.5, 0, 0), False),
        ((0, 4.5, 0), False),
        ((0, 0, 5.5), False),
    ],
)
def test_a_voxel_reaches_half_a_voxel_around_its_centre(index, inside):
    assert grid().contains(index) is inside


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 6, 1), (0, 5, 6), (4, -5, 6), (4, 5, 6.5)])
def test_sizes_that_are_no_grid_are_refused(shape):
    with pytest.raises(GeometryError, match="A grid has three positive sizes"):
        grid(shape=shape)


def test_what_a_grid_says_of_itself_holds_no_identifier():
    assert repr(grid(frame="1.2.840.99")) == "Grid(4x5x6, 1x2x3 mm, RAS)"
    assert isinstance(grid(shape=(np.int64(4), 5, 6)).shape[0], int)
