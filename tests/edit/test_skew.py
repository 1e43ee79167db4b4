"""Voxel steps that are not at right angles: heights, neighbours and what is said of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.edit.between import fill_between
from napari_medlabel.edit.holes import fill_holes
from napari_medlabel.edit.islands import remove_small
from napari_medlabel.edit.propagate import propagate
from napari_medlabel.edit.refine import refine
from napari_medlabel.edit.scene import Proposal, Scene, slab, whole
from napari_medlabel.edit.skew import (
    approximately,
    heights_mm,
    is_tilted,
    neighbours,
    off_by_mm,
)
from napari_medlabel.edit.smooth import smooth_jointly
from napari_medlabel.edit.threshold import Likeness, local_threshold
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


# -- what tools say and measure on a tilted scan -----------------------------------------

SPACING = (1.0, 1.0, 2.0)
APPROXIMATE = "not at right angles (tilt 30 degrees): distances across slices are approximate"


def a_scan(tilted: bool) -> Scene:
    """Return a bright block that is labelled on two slices, with a hole on one of them."""
    labels = np.zeros((16, 16, 12), np.uint8)
    image = np.zeros(labels.shape, np.int16)
    image[4:12, 4:12, 2:9] = 100
    labels[4:12, 4:12, [3, 7]] = 1
    labels[7, 7, 3] = 0
    labels[1, 1, 10] = 1
    return Scene(labels, image, SPACING, skew_mm=steps(SPACING, 30.0) if tilted else None)


TOOLS: dict[str, Callable[[Scene], Proposal | None]] = {
    "refine": lambda scene: refine(scene, whole(scene.shape), (1,), band_mm=4.0),
    "between": lambda scene: fill_between(scene, whole(scene.shape), 2, (1,), snap_mm=3.0),
    "propagate": lambda scene: propagate(scene, 2, 7, 8, (1,), reach_mm=3.0),
    "threshold": lambda scene: local_threshold(
        scene,
        whole(scene.shape),
        (8, 8, 5),
        2,
        radius_mm=6.0,
        like=Likeness(50, 150, neck_mm=3),
    ),
    "jointly": lambda scene: smooth_jointly(scene, whole(scene.shape), (1,), sigma_mm=1.5),
}


@pytest.mark.parametrize("tool", TOOLS)
def test_a_tool_that_measures_along_leaning_axes_says_by_how_much_it_may_be_off(
    tool: str,
) -> None:
    for tilted in (False, True):
        proposal = TOOLS[tool](a_scan(tilted))
        assert proposal is not None
        assert (APPROXIMATE in proposal.words) == tilted


def test_parts_and_holes_are_told_by_their_true_volume() -> None:
    """A voxel has 2 mm3 at right angles, and 1.73 mm3 under a tilt of 30 degrees."""
    for tilted in (False, True):
        scene = a_scan(tilted)
        small = remove_small(scene, whole(scene.shape), (1,), smallest_mm3=1.9)
        assert (small is not None) == tilted
        flat = slab(scene.shape, 2, 3)
        hole = fill_holes(scene, flat, (1,), largest_mm3=1.9)
        assert (hole is not None) == tilted
        if small is not None:
            assert "1.7 mm3" in small.words
