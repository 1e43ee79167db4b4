"""Another file's voxel order: every flip and exchange, and nothing else."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.errors import GeometryError
from napari_medlabel.export.like import turn_onto, turn_volume
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.model.volume import FurtherAxis, Source, Volume

OBLIQUE = np.array(
    [[-0.68, 0.19, 0.3, 91.0], [0.1, 0.66, -1.2, -37.0], [-0.15, 0.2, 2.7, 12.5], [0, 0, 0, 1]]
)
TURNS = [
    (order, flips)
    for order in itertools.permutations(range(3))
    for flips in itertools.product((False, True), repeat=3)
]


def volume(shape=(3, 4, 5), **more):
    array = np.arange(np.prod(shape), dtype=np.int16).reshape(shape[::-1]).T
    return Volume(Grid(shape, Affine(OBLIQUE)), array, Source("dicom", ()), **more)


def turned(grid, order, flips):
    """The same voxels in another order: the truth, point by point."""
    matrix = np.zeros((4, 4))
    matrix[3, 3] = 1
    for axis, (source, flip) in enumerate(zip(order, flips, strict=True)):
        matrix[source, axis] = -1 if flip else 1
        matrix[source, 3] = grid.shape[source] - 1 if flip else 0
    return Grid(tuple(grid.shape[a] for a in order), grid.affine @ matrix)


@pytest.mark.parametrize(("order", "flips"), TURNS)
def test_each_voxel_stays_where_it_is(order, flips):
    scan = volume()
    result = turn_volume(scan, turned(scan.grid, order, flips))
    for index in np.ndindex(result.grid.shape):
        back = np.rint(scan.grid.affine.to_index(result.grid.affine.apply(index))).astype(int)
        assert result.array[index] == scan.array[tuple(back)]


def test_several_volumes_and_colours_are_turned_alike():
    scan = volume()
    all_of_them = np.stack([scan.array, scan.array + 100], axis=-1)
    colour = np.stack([scan.array.astype(np.uint8)] * 3, axis=-1)
    scan = volume(further=FurtherAxis("time", "s", (0, 1), all_of_them), colour=colour)
    result = turn_volume(scan, turned(scan.grid, (2, 0, 1), (True, False, True)))
    np.testing.assert_array_equal(result.further.array[..., 1], result.array + 100)
    np.testing.assert_array_equal(result.colour[..., 2], result.array.astype(np.uint8))


def test_missing_slices_are_counted_from_the_other_end_when_flipped():
    scan = volume(missing=(1,))
    assert turn_volume(scan, turned(scan.grid, (1, 0, 2), (False,) * 3)).missing == (1,)
    flipped = turned(scan.grid, (0, 1, 2), (False, False, True))
    assert turn_volume(scan, flipped).missing == (3,)
    assert turn_volume(scan, turned(scan.grid, (2, 1, 0), (False,) * 3)).missing == ()


@given(st.floats(-0.5, 0.5), st.integers(0, 2))
def test_a_grid_beside_the_volume_is_refused_beyond_a_hundredth_of_a_voxel(shift, axis):
    scan = volume()
    matrix = np.eye(4)
    matrix[axis, 3] = shift
    other = Grid(scan.grid.shape, scan.grid.affine @ matrix)
    if abs(shift) < 0.0099:
        turn_onto(scan.grid, other)
    elif abs(shift) > 0.0101:
        with pytest.raises(GeometryError, match="voxels beside the volume's"):
            turn_onto(scan.grid, other)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (Grid((3, 4, 5), Affine.from_spacing((2, 1, 1))), "lie otherwise"),
        (Grid((3, 4, 6), Affine(OBLIQUE)), "has 3 x 4 x 6 voxels, the volume 3 x 4 x 5"),
    ],
)
def test_other_axes_spacings_and_shapes_are_refused(other, message):
    with pytest.raises(GeometryError, match=message) as caught:
        turn_onto(volume().grid, other)
    assert caught.value.hint


def test_pictures_without_a_place_are_refused():
    scan = volume(slices="pictures", is_oriented=False)
    with pytest.raises(GeometryError, match="no place in the patient"):
        turn_volume(scan, scan.grid)
