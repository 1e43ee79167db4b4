"""The cut: planes around a brain, and the voxels beyond them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.deid.faces.cut import AROUND, EARS, FRONT, FaceCut, cut_around, directions
from tests.deid.head_phantom import turned

BALL = directions(range(0, 360, 20), range(-80, 81, 20)) * (65.0, 82.0, 60.0)


def test_directions_are_unit_vectors_that_point_where_they_say() -> None:
    np.testing.assert_allclose(directions([0], [0]), [[0, 1, 0]], atol=1e-12)
    np.testing.assert_allclose(directions([90], [0]), [[1, 0, 0]], atol=1e-12)
    np.testing.assert_allclose(directions([0], [90]), [[0, 0, 1]], atol=1e-12)
    for several in (FRONT, EARS, AROUND):
        np.testing.assert_allclose(np.linalg.norm(several, axis=1), 1)


@pytest.mark.parametrize("ghosts", [False, True])
def test_no_point_of_the_brain_is_taken_nor_any_between_them(ghosts: bool) -> None:
    cut = cut_around(BALL, ghosts=ghosts)
    rng = np.random.default_rng(1)
    shares = rng.dirichlet(np.ones(len(BALL)), 500)
    assert not cut.takes(BALL).any()
    assert not cut.takes(shares @ BALL).any()


def test_what_lies_ahead_and_beside_is_taken_and_what_lies_behind_stays() -> None:
    cut = cut_around(BALL, ghosts=False)
    assert cut.takes([(0, 100, -40), (0, 85, -110), (30, 85, -20), (95, -10, -10)]).all()
    assert not cut.takes([(0, -20, -100), (0, -110, 0), (0, 0, 110)]).any()


def test_the_air_behind_the_head_is_taken_only_where_ghosts_may_be() -> None:
    assert cut_around(BALL, ghosts=True).takes([(0, -130, 0), (0, 0, 120)]).all()


def test_a_stem_moves_the_middle_forward_so_that_it_stays() -> None:
    stem = [(0.0, 15.0, -100.0)]
    assert cut_around(BALL, ghosts=False).takes(stem).all()
    kept = cut_around(BALL, ghosts=False, stem_ras=stem)
    assert not kept.takes(stem).any()
    assert kept.middle_mm == 23.0


@settings(max_examples=40, deadline=None)
@given(
    st.tuples(*[st.floats(-180, 180)] * 3),
    st.tuples(*[st.floats(0.4, 6)] * 3),
    st.floats(-0.3, 0.3),
    st.booleans(),
)
def test_a_slices_mask_is_what_its_points_say_on_any_grid(
    degrees: tuple[float, float, float],
    spacing: tuple[float, float, float],
    shear: float,
    ghosts: bool,
) -> None:
    cut = cut_around(BALL, ghosts=ghosts)
    matrix = np.eye(4)
    matrix[:3, :3] = turned(degrees) @ np.diag(spacing)
    matrix[:3, 2] += shear * matrix[:3, 1]
    matrix[:3, 3] = -matrix[:3, :3] @ (20, 15, 3)
    shape = (40, 30, 6)
    mask = cut.volume_mask(matrix, shape)
    points = np.moveaxis(np.indices(shape), 0, -1) @ matrix[:3, :3].T + matrix[:3, 3]
    planes = np.concatenate([cut.front, cut.around, [[0, 1, 0, cut.middle_mm]]])
    distance = np.abs(points @ planes[:, :3].T - planes[:, 3]).min(axis=-1)
    clear = distance > 1e-6
    np.testing.assert_array_equal(mask[clear], cut.takes(points)[clear])


def test_planes_along_the_rows_take_whole_rows() -> None:
    cut = FaceCut(np.array([[0.0, 1, 0, 2.5]]), np.empty((0, 4)), 0.0)
    mask = cut.plane_mask(np.eye(4), 0, (3, 5))
    np.testing.assert_array_equal(mask, np.arange(5)[:, None] * np.ones(3) > 2.5)


def test_what_is_left_has_flat_sides_that_do_not_depend_on_the_skin() -> None:
    cut = cut_around(BALL, ghosts=False)
    again = cut_around(BALL, ghosts=False)
    assert len(cut.front) == len(FRONT)
    np.testing.assert_array_equal(cut.front, again.front)


def test_numbers_written_and_read_give_the_same_cut() -> None:
    for cut in (cut_around(BALL, ghosts=True), FaceCut(np.empty((0, 4)), np.empty((0, 4)), 1)):
        read = FaceCut.from_json(cut.to_json())
        np.testing.assert_array_equal(read.front, cut.front)
        np.testing.assert_array_equal(read.around, cut.around)
        assert read.middle_mm == cut.middle_mm
