"""Voxel steps that are not at right angles: heights, neighbours and what is said of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.edit.skew import (
    approximately,
    heights_mm,
    is_tilted,
    neighbours,
    off_by_mm,
)
from tests.tilted import STEPS, steps


def test_slices_lie_apart_by_less_than_a_step_where_it_leans() -> None:
    assert heights_mm((0.8, 0.8, 5.0), None) == (0.8, 0.8, 5.0)
    i, j, k = heights_mm((0.8, 0.8, 5.0), steps((0.8, 0.8, 5.0), 20.0))
    assert (i, j, k) == pytest.approx((0.8, 0.8 * np.cos(np.radians(20)), 4.698), abs=1e-3)


@settings(max_examples=60, deadline=None)
@given(STEPS, st.tuples(*[st.integers(-6, 6)] * 3))
def test_from_any_voxel_a_step_to_a_neighbour_comes_nearer(matrix, offset) -> None:
    if not any(offset):
        return
    far = np.linalg.norm(matrix @ offset)
    nearest = min(np.linalg.norm(matrix @ np.subtract(offset, n)) for n in neighbours(matrix))
    assert nearest < far


def test_on_a_square_grid_the_neighbours_share_a_face_or_tie_with_those_that_do() -> None:
    found = neighbours(np.diag([1.0, 2.0]))
    assert {(1, 0), (-1, 0), (0, 1), (0, -1)} <= set(found)


@settings(max_examples=60, deadline=None)
@given(STEPS, st.tuples(*[st.floats(-5, 5)] * 3))
def test_the_bound_on_a_distance_holds(matrix, offset) -> None:
    said = float(np.linalg.norm(np.array(offset) * np.linalg.norm(matrix, axis=0)))
    true = float(np.linalg.norm(matrix @ offset))
    assert abs(said - true) <= off_by_mm(matrix, said) + 1e-9


def test_only_a_tilt_that_matters_is_said() -> None:
    tilted = steps((0.8, 0.8, 5.0), 20.0)
    assert approximately(None, 20.0) == approximately(steps((1, 1, 2), 0.1), 20.0) == ""
    said = approximately(tilted, 20.0)
    assert "not at right angles (tilt 20 degrees)" in said
    assert "approximate, up to 3.8 mm off." in said
    # In one slice of a tilted scan axes are at right angles.
    assert approximately(tilted, 20.0, (True, True, False)) == ""
    assert approximately(tilted, 20.0, (False, True, True))
    assert is_tilted(tilted)
    assert not is_tilted(None)
