"""Straightening: only on request, linear, missing slices stay blank, and it is said."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.errors import GeometryError
from napari_medlabel.export.straight import background_of, straight_grid, straighten
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.model.volume import FurtherAxis, Source, Volume

TILT = np.deg2rad(18.5)
TILTED = np.array(
    [
        [-0.8, 0, 0, 40.0],
        [0, -0.8 * np.cos(TILT), 0, 30.0],
        [0, -0.8 * np.sin(TILT), 2.5, -50.0],
        [0, 0, 0, 1],
    ]
)


def ramp(grid):
    """A value that is linear in the world: linear interpolation must return it exactly."""
    index = np.stack(np.meshgrid(*(range(n) for n in grid.shape), indexing="ij"), axis=-1)
    point = grid.affine.apply(index)
    return point @ (1.0, 2.0, 3.0) + 500.0


def volume(matrix=TILTED, shape=(20, 24, 9), dtype=np.float32, **more):
    grid = Grid(shape, Affine(matrix), "1.2.3")
    array = np.array(ramp(grid).T, dtype=dtype, order="C").T
    return Volume(grid, array, Source("dicom", ()), modality="MR", **more)


def test_what_a_tilted_scan_covers_keeps_its_value_and_the_rest_is_background():
    scan = volume()
    result = straighten(scan)
    assert result.grid.affine.oblique_deg == pytest.approx(0, abs=1e-6)
    assert result.grid.affine.shear_deg == pytest.approx(0, abs=1e-6)
    assert result.grid.affine.axis_codes == scan.grid.affine.axis_codes
    assert result.grid.frame_of_reference == "1.2.3"
    inside = result.array != background_of(scan)
    assert 0.5 < inside.mean() < 1
    np.testing.assert_allclose(result.array[inside], ramp(result.grid)[inside], atol=0.01)
    assert "18.5 degrees" in result.warnings[-1]
    assert "Resampled, as asked" in result.warnings[-1]


@settings(max_examples=25, deadline=None)
@given(st.floats(-0.7, 0.7), st.floats(-0.7, 0.7), st.floats(-0.3, 0.3))
def test_the_straight_grid_covers_every_corner(turn, nod, shear):
    c, s, d, e = np.cos(turn), np.sin(turn), np.cos(nod), np.sin(nod)
    rotation = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ [[1, 0, 0], [0, d, -e], [0, e, d]]
    matrix = np.eye(4)
    matrix[:3, :3] = rotation @ [[1, 0, 0], [0, 1, shear], [0, 0, 1]] * (0.9, 1.1, 3.0)
    grid = Grid((6, 7, 8), Affine(matrix))
    straight = straight_grid(grid)
    np.testing.assert_allclose(straight.affine.spacing_mm, grid.affine.spacing_mm)
    index = straight.affine.to_index(grid.corners_ras())
    assert (index > -0.01).all()
    assert (index < np.array(straight.shape) - 1 + 0.01).all()


def test_whole_numbers_stay_whole_numbers_of_the_same_type():
    result = straighten(volume(dtype=np.int16))
    assert result.array.dtype == np.int16
    inside = result.array != background_of(volume(dtype=np.int16))
    np.testing.assert_allclose(result.array[inside], ramp(result.grid)[inside], atol=1.6)


def test_missing_slices_stay_blank():
    whole, nothing = straighten(volume()), background_of(volume())
    scan = volume(missing=(4,))
    scan.array[:, :, 4] = 0
    result = straighten(scan)
    assert result.missing == ()
    differs = (result.array != whole.array) & (whole.array != nothing)
    assert differs.any()
    assert set(result.array[differs]) == {background_of(scan)}
    touched = np.abs(scan.grid.affine.to_index(indices_ras(result.grid))[..., 2] - 4) < 0.999
    assert not differs[~touched].any()


def indices_ras(grid):
    index = np.stack(np.meshgrid(*(range(n) for n in grid.shape), indexing="ij"), axis=-1)
    return grid.affine.apply(index)


def test_all_volumes_and_all_colours_are_resampled():
    scan = volume()
    further = FurtherAxis("time", "s", (0, 1), np.stack([scan.array, 2 * scan.array], axis=-1))
    result = straighten(volume(further=further))
    assert result.further.array.shape == (*result.grid.shape, 2)
    inside = result.array != background_of(scan)
    np.testing.assert_allclose(
        result.further.array[inside][:, 1], 2 * result.array[inside], rtol=1e-5
    )
    colour = np.full((*scan.grid.shape, 3), (10, 20, 30), np.uint8)
    painted = straighten(volume(colour=colour)).colour
    assert set(map(tuple, painted.reshape(-1, 3))) == {(0, 0, 0), (10, 20, 30)}


def test_the_background_is_air_in_a_ct_and_within_what_occurs_elsewhere():
    grid = Grid((2, 2, 2), Affine(np.eye(4)))
    array = np.array([-2000, 0, 1, 2, 3, 4, 5, 6], np.int16).reshape(2, 2, 2)
    source = Source("dicom", ())
    assert background_of(Volume(grid, array, source, modality="CT")) == -1000
    assert background_of(Volume(grid, array, source, modality="MR")) == 0
    assert background_of(Volume(grid, array + 3000, source, modality="MR")) == 1000


def test_a_straight_scan_is_returned_as_it_is():
    scan = volume(np.diag([-1.0, 1.0, 2.0, 1.0]))
    assert straighten(scan) is scan


@pytest.mark.parametrize(
    "scan", [volume(shape=(4, 5, 1)), volume(slices="pictures", is_oriented=False)]
)
def test_what_is_no_volume_is_refused(scan):
    with pytest.raises(GeometryError, match="nothing to straighten"):
        straighten(scan)
