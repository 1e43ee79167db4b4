"""Blocks of voxels find their place on a scan: exactly, or they are refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.errors import GeometryError
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.axes import ORIENTATIONS, orientation_matrix
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.marks.place import Layers, place
from napari_medlabel.model.labelmap import Label, LabelScheme

SHAPE = (9, 8, 7)


def grid_of(codes: str, shape: tuple[int, int, int] = SHAPE) -> Grid:
    matrix = np.eye(4)
    tilt = np.array([[0.96, -0.28, 0.1], [0.28, 0.96, 0.0], [0.0, 0.0, 1.0]])
    matrix[:3, :3] = tilt @ orientation_matrix(codes) * (0.7, 0.9, 2.5)
    matrix[:3, 3] = (-31.0, 17.5, 4.25)
    return Grid(shape, Affine(matrix))


spans = st.tuples(*(st.tuples(st.integers(0, n - 1), st.integers(1, n)) for n in SHAPE))


@given(
    st.sampled_from(ORIENTATIONS),
    st.permutations((0, 1, 2)),
    st.tuples(st.booleans(), st.booleans(), st.booleans()),
    spans,
    st.floats(-0.009, 0.009),
)
def test_any_block_cut_out_turned_and_flipped_comes_back_to_its_place(
    codes: str,
    order: list[int],
    flips: tuple[bool, bool, bool],
    ends: tuple[tuple[int, int], ...],
    off: float,
) -> None:
    grid = grid_of(codes)
    whole = np.random.default_rng(1).integers(0, 5, SHAPE).astype(np.uint8)
    cut = tuple(
        slice(start, min(start + many, n)) for (start, many), n in zip(ends, SHAPE, strict=True)
    )
    block = whole[cut].transpose(order)
    # Index of the block -> index of the grid.
    move = np.eye(4)
    move[:3, :3] = 0
    for axis, of_grid in enumerate(order):
        many = block.shape[axis]
        flip = flips[axis]
        move[of_grid, axis] = -1 if flip else 1
        move[of_grid, 3] = cut[of_grid].start + (many - 1 if flip else 0) + off
    block = block[tuple(slice(None, None, -1 if f else 1) for f in flips)]
    placed, is_part = place(block, Grid(block.shape, grid.affine @ move), grid, what="mask")
    expected = np.zeros(SHAPE, np.uint8)
    expected[cut] = whole[cut]
    assert np.array_equal(placed, expected)
    assert is_part == (block.size < whole.size)


@pytest.mark.parametrize(
    ("shift", "reason"),
    [
        ((0.02, 0, 0), "corners lie up to"),
        ((0.5, 0, 0), "corners lie up to"),
        ((0, 0, 3), "reaches out of it"),
    ],
)
def test_a_mask_between_the_voxels_or_beyond_the_scan_is_refused(
    shift: tuple[float, float, float], reason: str
) -> None:
    grid = grid_of("LPS")
    move = np.eye(4)
    move[:3, 3] = shift
    with pytest.raises(GeometryError, match=reason):
        place(np.ones(SHAPE, np.uint8), Grid(SHAPE, grid.affine @ move), grid, what="mask")


def test_background_beyond_the_scan_does_no_harm() -> None:
    grid = grid_of("LPS")
    block = np.zeros((11, 8, 7), np.uint8)
    block[2:11] = 3
    move = np.eye(4)
    move[0, 3] = -2
    placed, _ = place(block, Grid(block.shape, grid.affine @ move), grid, what="mask")
    assert (placed == 3).all()


def test_another_spacing_and_another_frame_of_reference_are_refused() -> None:
    grid = grid_of("LPS")
    coarse = Grid(SHAPE, grid.affine @ np.diag([2.0, 1.0, 1.0, 1.0]))
    with pytest.raises(GeometryError, match="corners"):
        place(np.ones(SHAPE, np.uint8), coarse, grid, what="mask")
    one, two = (Grid(SHAPE, grid.affine, uid) for uid in ("1.2", "1.3"))
    with pytest.raises(GeometryError, match="frames of reference differ"):
        place(np.ones(SHAPE, np.uint8), one, two, what="mask")


def test_a_class_that_overlaps_later_on_leaves_no_trace_in_the_first_layer() -> None:
    grid = grid_of("LPS")
    layers = Layers(grid, np.dtype(np.uint8))
    everywhere = (slice(0, 9), slice(0, 8))

    def on(*slices: int):
        mask = np.ones((9, 8, 1), bool)
        return lambda: iter([((*everywhere, slice(k, k + 1)), mask) for k in slices])

    layers.put(1, on(3))
    layers.put(2, on(1, 2, 3))
    layers.put(3, on(4))
    labels = tuple(Label(n, f"L{n}", "#ff0000") for n in (1, 2, 3))
    first, second = layers.label_maps(LabelScheme("x", labels))
    assert first.voxel_counts() == {1: 72, 3: 72}
    assert second.voxel_counts() == {2: 216}
