"""Which voxels lie in a region: against every voxel asked one by one, on any grid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.axes import ORIENTATIONS, orientation_matrix
from napari_medlabel.measure.inside import inside_polygon, region_voxels
from napari_medlabel.model.measurements import Measurement

SHAPE = (7, 6, 5)


def grid(codes: str, spacing: tuple[float, float, float], shear: float) -> Affine:
    matrix = np.eye(4)
    matrix[:3, :3] = orientation_matrix(codes) @ np.diag(spacing)
    matrix[0, 1] += shear
    matrix[:3, 3] = (12.0, -7.0, 100.0)
    return Affine(matrix)


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(ORIENTATIONS),
    st.tuples(*[st.floats(0.3, 4.0)] * 3),
    st.floats(-0.1, 0.1),
    st.sampled_from(["ellipse", "box", "cuboid"]),
    st.integers(0, 2),
    st.integers(0, 10_000),
)
def test_a_region_holds_the_voxels_whose_centres_lie_in_it(
    codes, spacing, shear, kind, axis, seed
):
    rng = np.random.default_rng(seed)
    affine = grid(codes, spacing, shear)
    image = np.arange(np.prod(SHAPE)).reshape(SHAPE[::-1]).T
    centre = rng.uniform(0, np.array(SHAPE) - 1)
    centre[axis] = round(centre[axis])
    axes = rng.uniform(-3, 3, size=(3, 3))
    flat = axes[:2] * (np.arange(3) != axis)
    if np.linalg.norm(np.cross(*flat)) < 0.2 or abs(np.linalg.det(axes)) < 0.2:
        return
    ends = axes if kind == "cuboid" else flat
    points = affine.apply(np.vstack([centre, centre + ends]))
    found, left_out = region_voxels(
        Measurement("a", kind, tuple(map(tuple, points))), image, affine
    )
    assert left_out == 0
    assert found is not None
    expected = []
    for index in np.ndindex(SHAPE):
        if kind != "cuboid" and index[axis] != centre[axis]:
            continue
        world = affine.apply(index) - points[0]
        share = np.linalg.lstsq((points[1:] - points[0]).T, world, rcond=None)[0]
        size = share @ share if kind == "ellipse" else np.abs(share).max()
        if size <= 1 + 1e-9:
            expected.append(image[index])
    assert sorted(found) == sorted(expected)


def test_a_closed_curve_holds_what_it_goes_around():
    affine = grid("LPS", (0.7, 0.7, 3.0), 0.0)
    image = np.arange(np.prod(SHAPE)).reshape(SHAPE[::-1]).T
    corners = [(0.5, 0.5, 2), (4.5, 0.5, 2), (4.5, 3.4, 2), (2.5, 1.4, 2), (0.5, 3.4, 2)]
    points = tuple(tuple(affine.apply(c)) for c in corners)
    found, _ = region_voxels(Measurement("a", "closed-curve", points), image, affine)
    assert sorted(found) == sorted(
        image[i, j, 2] for i, j in [(1, 1), (2, 1), (3, 1), (4, 1), (1, 2), (4, 2)]
    )


def test_a_region_beside_the_scan_or_across_slices_has_no_voxels():
    affine = Affine.from_spacing((1.0, 1.0, 1.0))
    image = np.zeros(SHAPE)
    beside = Measurement("a", "box", ((50, 50, 1), (51, 50, 1), (50, 51, 1)))
    assert len(region_voxels(beside, image, affine)[0]) == 0
    above = Measurement("a", "box", ((1, 1, 9), (2, 1, 9), (1, 2, 9)))
    assert region_voxels(above, image, affine) is None
    across = Measurement("a", "closed-curve", ((0, 0, 0), (3, 0, 2), (0, 3, 2)))
    assert region_voxels(across, image, affine) is None


@pytest.mark.parametrize(
    ("point", "inside"), [((1, 1), True), ((3, 1), False), ((-1, 1), False)]
)
def test_a_polygon_has_an_inside(point, inside):
    square = np.array([(0, 0), (2, 0), (2, 2), (0, 2)], float)
    assert inside_polygon(np.array([point], float), square)[0] == inside


def test_slices_that_no_file_holds_are_left_out_and_counted() -> None:
    image = np.zeros((12, 12, 8), np.int16)
    image[:] = np.arange(8)
    affine = Affine(np.eye(4))
    cuboid = Measurement("a", "cuboid", ((5, 5, 3), (7, 5, 3), (5, 7, 3), (5, 5, 5)))
    found, left_out = region_voxels(cuboid, image, affine, (0, 2, 4, 7))
    assert left_out == 2
    assert set(found) == {1, 3, 5}
    across = Measurement("a", "box", ((5, 5, 3), (5, 7, 3), (5, 5, 5)))
    found, left_out = region_voxels(across, image, affine, (2,))
    assert (left_out, set(found)) == (1, {1, 3, 4, 5})
