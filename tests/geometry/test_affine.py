"""The affine: exact maps both ways, angles, and what is no affine."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.errors import GeometryError
from napari_medlabel.geometry.affine import Affine, shear_deg
from napari_medlabel.geometry.axes import ORIENTATIONS, orientation_matrix
from tests.tilted import steps

SPACING = st.tuples(*[st.floats(0.05, 20)] * 3)
POINT = st.tuples(*[st.floats(-500, 500)] * 3)


def oriented(codes, spacing=(1.0, 1.0, 1.0), origin=(0.0, 0.0, 0.0), angle=0.0):
    c, s = np.cos(angle), np.sin(angle)
    matrix = np.eye(4)
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])
    matrix[:3, :3] = turn @ orientation_matrix(codes) * spacing
    matrix[:3, 3] = origin
    return Affine(matrix)


@pytest.mark.parametrize("codes", ORIENTATIONS)
@settings(max_examples=8, deadline=None)
@given(spacing=SPACING, origin=POINT, index=POINT, angle=st.floats(-0.7, 0.7))
def test_index_to_world_and_back_is_the_same_place(codes, spacing, origin, index, angle):
    affine = oriented(codes, spacing, origin, angle)
    world = affine.apply(index)
    np.testing.assert_allclose(affine.to_index(world), index, atol=1e-6)
    assert affine.axis_codes == codes
    assert affine.spacing_mm == pytest.approx(spacing)
    assert affine.voxel_ml == pytest.approx(np.prod(spacing) / 1000)
    assert affine.oblique_deg == pytest.approx(abs(np.degrees(angle)), abs=1e-6)
    assert affine.shear_deg == pytest.approx(0, abs=1e-6)
    np.testing.assert_array_equal(affine.origin_ras, origin)


@pytest.mark.parametrize("codes", ORIENTATIONS)
def test_the_first_neighbour_lies_on_the_side_its_letter_names(codes):
    affine = oriented(codes, (2.0, 3.0, 4.0))
    sides = {"R": 0, "L": 0, "A": 1, "P": 1, "S": 2, "I": 2}
    for axis, letter in enumerate(codes):
        step = affine.apply(np.eye(3)[axis]) - affine.apply((0, 0, 0))
        sign = 1 if letter in "RAS" else -1
        assert step[sides[letter]] == sign * (2.0, 3.0, 4.0)[axis]


def test_lps_goes_in_and_comes_out():
    matrix_lps = np.diag([0.7, 0.8, 2.5, 1.0])
    matrix_lps[:3, 3] = (10, 20, 30)
    affine = Affine.from_lps(matrix_lps)
    assert affine.axis_codes == "LPS"
    np.testing.assert_array_equal(affine.origin_ras, (-10, -20, 30))
    np.testing.assert_array_equal(affine.lps, matrix_lps)


def test_spacing_and_origin_make_a_grid_along_ras():
    affine = Affine.from_spacing((1, 2, 3), (4, 5, 6))
    assert affine.axis_codes == "RAS"
    np.testing.assert_array_equal(affine.apply([(0, 0, 0), (1, 1, 1)]), [(4, 5, 6), (5, 7, 9)])


@given(degrees=st.floats(0.5, 60))
def test_shear_is_the_gantry_tilt_in_degrees(degrees):
    matrix = np.eye(4)
    matrix[1, 2] = np.tan(np.radians(degrees))
    assert Affine(matrix).shear_deg == pytest.approx(degrees, abs=1e-6)


def test_an_inner_map_is_applied_first():
    flip = np.diag([-1.0, 1, 1, 1])
    flip[0, 3] = 9
    affine = oriented("LPS", (2, 2, 2), (1, 2, 3))
    np.testing.assert_array_equal((affine @ flip).apply((0, 0, 0)), affine.apply((9, 0, 0)))


def test_equality_is_bit_for_bit_and_the_matrix_is_frozen():
    one, other = oriented("LPS"), oriented("LPS")
    assert one == other
    assert hash(one) == hash(other)
    assert one != oriented("LPI")
    assert one != Affine(one.matrix + np.pad([[1e-12]], ((0, 3), (3, 0))))
    assert one != "LPS"
    with pytest.raises(ValueError, match="read-only"):
        one.matrix[0, 0] = 5
    source = np.eye(4)
    kept = Affine(source)
    source[0, 0] = 7
    assert kept.matrix[0, 0] == 1


def _with(row, column, value):
    matrix = np.eye(4)
    matrix[row, column] = value
    return matrix


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (np.eye(3), r"shape \(4, 4\); got \(3, 3\)"),
        (_with(0, 0, np.nan), "finite and its last row is 0 0 0 1"),
        (_with(0, 3, np.inf), "finite and its last row is 0 0 0 1"),
        (_with(3, 0, 1), "finite and its last row is 0 0 0 1"),
        (_with(3, 3, 2), "finite and its last row is 0 0 0 1"),
        (_with(2, 2, 0), "span no volume"),
        (np.array([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]), "span no volume"),
    ],
)
def test_what_is_no_affine_is_refused(matrix, message):
    with pytest.raises(GeometryError, match=message) as caught:
        Affine(matrix)
    assert caught.value.hint


def test_thin_voxels_are_no_plane():
    assert Affine.from_spacing((0.001, 0.001, 100)).spacing_mm == (0.001, 0.001, 100)


def test_steps_are_given_where_they_are_not_at_right_angles():
    straight = oriented("LPS", (0.7, 0.7, 5.0), angle=0.4)
    assert straight.skew_mm is None
    matrix = np.eye(4)
    matrix[:3, :3] = steps((0.8, 0.8, 5.0), 20.0)
    tilted = Affine(matrix)
    np.testing.assert_array_equal(tilted.skew_mm, matrix[:3, :3])
    assert shear_deg(matrix[:3, :3]) == pytest.approx(20.0)
    assert shear_deg(matrix[:3, [1]]) == 0.0  # one step alone leans on nothing
