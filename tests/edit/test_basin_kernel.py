"""Flooding basins in little room gives what scikit-image gives, tie by tie."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

watershed = pytest.importorskip("skimage.segmentation").watershed
flood = pytest.importorskip("napari_medlabel.edit.basin_kernel", exc_type=ImportError).flood


@given(
    st.tuples(*[st.integers(1, 12)] * 3),
    st.sampled_from([1, 3, 30, 10_000]),
    st.sampled_from([np.uint16, np.uint32]),
    st.integers(0, 2**32 - 1),
)
def test_basins_are_those_of_scikit_image_also_where_all_is_flat(
    shape: tuple[int, int, int], levels: int, kind: type, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    height = rng.integers(0, levels, shape).astype(np.float32)
    marks = np.zeros(shape, kind)
    some = rng.integers(0, marks.size, 6)
    marks.reshape(-1)[some] = rng.integers(1, 4, some.size)
    free = (rng.random(shape) < 0.8) | (marks > 0)
    wanted = watershed(height, marks.astype(np.int32), mask=free)
    starts = np.flatnonzero(marks).astype(np.int32)
    wall = np.iinfo(kind).max
    marks[~free] = wall
    flood(height.reshape(-1), marks.reshape(-1), shape, starts)
    assert (marks[~free] == wall).all()
    marks[~free] = 0
    np.testing.assert_array_equal(marks, wanted)


def test_more_wait_than_there_was_room_for() -> None:
    shape = (1, 70, 70)
    height = np.zeros(shape, np.float32)
    marks = np.zeros(shape, np.uint16)
    marks[0, ::7, ::7] = 1 + np.arange(100).reshape(10, 10)
    wanted = watershed(height, marks.astype(np.int32))
    starts = np.flatnonzero(marks).astype(np.int32)
    flood(height.reshape(-1), marks.reshape(-1), shape, starts)
    np.testing.assert_array_equal(marks, wanted)
