"""Axis letters and the one flip between LPS and RAS."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_medlabel.errors import GeometryError
from napari_medlabel.geometry.axes import (
    OPPOSITE,
    ORIENTATIONS,
    axis_codes,
    flip_affine_lps_ras,
    flip_lps_ras,
    nearest_axes,
    orientation_matrix,
)

POINTS = arrays(np.float64, (3, 3), elements=st.floats(-1e6, 1e6))
DIRECTION = {
    "R": (1, 0, 0),
    "L": (-1, 0, 0),
    "A": (0, 1, 0),
    "P": (0, -1, 0),
    "S": (0, 0, 1),
    "I": (0, 0, -1),
}


def test_there_are_48_orientations_and_each_uses_every_axis_once():
    assert len(set(ORIENTATIONS)) == len(ORIENTATIONS) == 48
    for codes in ORIENTATIONS:
        assert len({frozenset((letter, OPPOSITE[letter])) for letter in codes}) == 3


@pytest.mark.parametrize("codes", ORIENTATIONS)
def test_letters_become_directions_and_directions_letters(codes):
    matrix = orientation_matrix(codes)
    for axis, letter in enumerate(codes):
        np.testing.assert_array_equal(matrix[:, axis], DIRECTION[letter])
    assert axis_codes(matrix) == codes
    assert axis_codes(matrix * (0.1, 5.0, 300.0)) == codes


@pytest.mark.parametrize("codes", ORIENTATIONS)
@settings(max_examples=8, deadline=None)
@given(angle=st.floats(-0.6, 0.6), axis=st.sampled_from([0, 1, 2]))
def test_a_turn_of_less_than_45_degrees_keeps_the_letters(codes, angle, axis):
    a, b = [n for n in range(3) if n != axis]
    turn = np.eye(3)
    turn[a, a] = turn[b, b] = np.cos(angle)
    turn[a, b], turn[b, a] = -np.sin(angle), np.sin(angle)
    assert axis_codes(turn @ orientation_matrix(codes)) == codes


@given(POINTS)
def test_the_flip_is_its_own_inverse_and_turns_x_and_y_only(points):
    flipped = flip_lps_ras(points)
    np.testing.assert_array_equal(flipped, points * (-1, -1, 1))
    np.testing.assert_array_equal(flip_lps_ras(flipped), points)


def test_the_flip_writes_no_negative_zero():
    assert not np.signbit(flip_lps_ras((0.0, 0.0, 0.0))).any()
    assert not np.signbit(flip_affine_lps_ras(np.eye(4))[0, 1])


def test_the_flip_of_an_affine_flips_the_points_it_makes():
    matrix = np.array([[1, 2, 3, 4], [5, 6, 8, 8], [9, 1, 2, 3], [0, 0, 0, 1.0]])
    point = np.array([1.0, -2.0, 3.0, 1.0])
    np.testing.assert_allclose(
        (flip_affine_lps_ras(matrix) @ point)[:3], flip_lps_ras((matrix @ point)[:3])
    )


def test_nearest_axes_are_one_to_one_even_where_two_lean_the_same_way():
    steep = np.array([[1, 0.9, 0], [0, 1, 0], [0.1, 0.2, 1.0]])
    world, _ = nearest_axes(steep)
    assert sorted(world) == [0, 1, 2]


@pytest.mark.parametrize(
    "matrix", [np.zeros((3, 3)), np.diag([1.0, np.nan, 1.0]), np.diag([1.0, np.inf, 1.0])]
)
def test_axes_without_a_direction_are_refused(matrix):
    with pytest.raises(GeometryError, match="must be finite and longer than zero"):
        nearest_axes(matrix)


@pytest.mark.parametrize("codes", ["", "RA", "RRS", "RLS", "ras", "XYZ"])
def test_letters_that_are_no_orientation_are_refused(codes):
    with pytest.raises(GeometryError, match="three letters out of R/L, A/P and S/I"):
        orientation_matrix(codes)


def test_every_pair_of_orientations_has_its_own_matrix():
    for one, other in itertools.combinations(ORIENTATIONS, 2):
        assert not np.array_equal(orientation_matrix(one), orientation_matrix(other))
