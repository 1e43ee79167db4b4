"""Contours become voxels by the even-odd rule, and neighbours never share one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.io.marks.contours import PARTS, fill

SIZE = (11, 9)


def whole(contours: list[np.ndarray], size: tuple[int, int] = SIZE) -> np.ndarray:
    """Return one filled plane, shape (rows, columns)."""
    area = fill(contours, [0] * len(contours), size)
    out = np.zeros(size[::-1], bool)
    u, v = area.corner
    rows, columns = area.planes.shape[1:]
    out[v : v + rows, u : u + columns] = area.planes[0]
    return out


def brute(contours: list[np.ndarray], size: tuple[int, int] = SIZE) -> np.ndarray:
    """Ask for every voxel how many edges a ray crosses on its way up."""
    out = np.zeros(size[::-1], bool)
    for contour in contours:
        points = [tuple(int(n) for n in np.rint(p * PARTS)) for p in contour]
        for v in range(size[1]):
            for u in range(size[0]):
                crossings = 0
                for one, two in zip(points, points[1:] + points[:1], strict=True):
                    (u0, v0), (u1, v1) = sorted((one, two))
                    if u0 <= u * PARTS < u1:
                        at = v0 + (u * PARTS - u0) / (u1 - u0) * (v1 - v0)
                        crossings += round(at) <= v * PARTS
                out[v, u] ^= crossings % 2 == 1
    return out


numbers = st.one_of(st.integers(-3, 14).map(float), st.floats(-3, 14, width=32))
polygons = st.lists(st.tuples(numbers, numbers), min_size=3, max_size=8).map(np.array)


@given(st.lists(polygons, min_size=1, max_size=3))
def test_any_polygons_equal_the_brute_force_rule(contours: list[np.ndarray]) -> None:
    assert np.array_equal(whole(contours), brute(contours))


@given(st.floats(-1, 12), st.floats(-1, 9), st.lists(numbers, min_size=6, max_size=6))
def test_areas_that_share_a_border_share_no_voxel_and_leave_none_out(
    u: float, v: float, far: list[float]
) -> None:
    centre = (u, v)
    ring = [(-4.0, -4.0), (far[0], -4.0), (14.0, -4.0), (14.0, 14.0), (far[1], 14.0), (-4, 14)]
    ring[1] = (min(max(ring[1][0], -4.0), 14.0), -4.0)
    ring[4] = (min(max(ring[4][0], -4.0), 14.0), 14.0)
    wedges = [
        np.array([centre, ring[n], ring[(n + 1) % len(ring)]], dtype=float)
        for n in range(len(ring))
    ]
    covered = sum(whole([wedge]).astype(int) for wedge in wedges)
    assert (covered == 1).all()


def test_a_contour_inside_another_is_a_hole_and_a_keyhole_too() -> None:
    outer = np.array([(1, 1), (9, 1), (9, 8), (1, 8)], dtype=float)
    inner = np.array([(3, 3), (6, 3), (6, 6), (3, 6)], dtype=float)
    ring = whole([outer, inner])
    assert not ring[4, 4]
    assert ring[2, 2]
    assert ring.sum() == 8 * 7 - 3 * 3
    slit = np.concatenate([outer, outer[:1], inner, inner[:1], outer[:1]])
    assert np.array_equal(whole([slit]), ring)


def test_a_contour_through_centres_keeps_its_rule_whatever_the_last_decimals() -> None:
    square = np.array([(2, 2), (6, 2), (6, 5), (2, 5)], dtype=float)
    noise = np.random.default_rng(0).uniform(-1e-7, 1e-7, square.shape)
    assert np.array_equal(whole([square + noise]), whole([square]))
    assert whole([square]).sum() == 4 * 3


def test_planes_are_filled_apart_and_what_reaches_out_is_cut_off() -> None:
    square = np.array([(-5, -5), (3, -5), (3, 2), (-5, 2)], dtype=float)
    far = square + 100
    area = fill([square, far, square], [0, 1, 2], SIZE)
    assert area.planes.shape[0] == 3
    assert [int(plane.sum()) for plane in area.planes] == [6, 0, 6]
    assert fill([], [], SIZE).planes.size == 0
    assert fill([far], [0], SIZE).planes.sum() == 0


def test_the_rule_is_that_of_scikit_image_away_from_the_border() -> None:
    measure = pytest.importorskip("skimage.measure")
    turn = np.linspace(0, 2 * np.pi, 57, endpoint=False)
    shape = np.column_stack([20 + 11.3 * np.cos(turn) ** 3, 16 + 9.7 * np.sin(turn)])
    theirs = measure.grid_points_in_poly((40, 33), shape).T
    assert np.array_equal(whole([shape], (40, 33)), theirs)
