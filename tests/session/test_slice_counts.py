"""Counts by words are the counts by voxels."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.session.slice_counts import count_slices


@settings(max_examples=40, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 19), st.integers(1, 9), st.integers(1, 4)),
    wide=st.booleans(),
    seed=st.integers(0, 99),
    run=st.integers(1, 40),
)
def test_words_count_as_voxels_do(
    shape: tuple[int, int, int], wide: bool, seed: int, run: int
) -> None:
    random = np.random.default_rng(seed)
    most, kind = (65535, np.uint16) if wide else (255, np.uint8)
    values = np.array([0, 1, 2, most if seed % 7 == 0 else 5], kind)
    line = np.repeat(random.choice(values, int(np.prod(shape))), run)[: int(np.prod(shape))]
    array = line.reshape(shape[::-1]).T
    counts = count_slices(array, slice(None), np.zeros((shape[2], 1), np.int64))
    for k in range(shape[2]):
        wanted = np.bincount(array[:, :, k].ravel(), minlength=counts.shape[1])
        assert np.array_equal(counts[k], wanted)


def test_only_the_slices_that_are_asked_for_are_counted() -> None:
    array = np.full((4, 5, 3), 2, np.uint8)
    known = np.full((3, 4), 7, np.int64)
    counts = count_slices(array, slice(1, 2), known)
    assert counts.tolist() == [[7] * 4, [0, 0, 20, 0], [7] * 4]
