"""Level tracing finds the connected region of like intensity; outlines give regions back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from napari_medlabel.edit import slice_loops
from napari_medlabel.edit.outline import polygon
from napari_medlabel.edit.tracing import level_trace, outline_of
from napari_medlabel.errors import InputError

regions = hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, max_side=8))
slices = hnp.arrays(np.int16, (7, 6), elements=st.integers(0, 4))


def flooded(image: np.ndarray, u: int, v: int, tolerance: float) -> np.ndarray:
    """One pixel at a time."""
    level = np.median(image[max(u - 1, 0) : u + 2, max(v - 1, 0) : v + 2])
    region = np.zeros(image.shape, bool)
    region[u, v] = True
    todo = [(u, v)]
    while todo:
        a, b = todo.pop()
        for c, d in ((a - 1, b), (a + 1, b), (a, b - 1), (a, b + 1)):
            if not (0 <= c < image.shape[0] and 0 <= d < image.shape[1]) or region[c, d]:
                continue
            if abs(image[c, d] - level) <= tolerance:
                region[c, d] = True
                todo.append((c, d))
    return region


@given(slices, st.integers(0, 6), st.integers(0, 5), st.sampled_from((0, 0.5, 1, 2)))
@settings(max_examples=40)
def test_it_is_the_region_that_a_walk_finds(image, u, v, tolerance) -> None:
    slice_loops.wait()
    walked = flooded(image, u, v, tolerance)
    found = level_trace(image, (u + 0.3, v - 0.3), tolerance=tolerance, filled=False)
    assert np.array_equal(found, walked)
    filled = level_trace(image.T, (v, u), tolerance=tolerance)
    assert np.array_equal(filled, ndimage.binary_fill_holes(walked).T)


@given(slices, st.integers(0, 6), st.integers(0, 5))
@settings(max_examples=20)
def test_without_numba_it_is_the_same(image, u, v) -> None:
    slice_loops.wait()
    fast = level_trace(image, (u, v), tolerance=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slice_loops, "ready", lambda: None)
        assert np.array_equal(level_trace(image, (u, v), tolerance=1), fast)


def test_a_place_outside_and_a_negative_tolerance_are_refused() -> None:
    with pytest.raises(InputError, match="outside of the slice"):
        level_trace(np.zeros((4, 4)), (4, 0), tolerance=1)
    with pytest.raises(InputError, match="not below 0; got -1"):
        level_trace(np.zeros((4, 4)), (1, 1), tolerance=-1)


@given(regions)
@settings(max_examples=40)
def test_outlines_give_the_region_back(region) -> None:
    again = np.zeros_like(region)
    for outline in outline_of(region):
        assert not (outline == np.floor(outline)).any()
        steps = np.diff(np.vstack((outline, outline[:1])), axis=0)
        assert ((steps != 0).sum(axis=1) == 1).all()
        again ^= polygon(region.shape, outline)
    assert np.array_equal(again, region)


@given(regions)
@settings(max_examples=20)
def test_there_is_one_outline_for_each_part_and_each_hole(region) -> None:
    _, parts = ndimage.label(region)
    # A hole is connected by corners where a region is by edges.
    _, free = ndimage.label(np.pad(~region, 1, constant_values=True), np.ones((3, 3)))
    assert len(outline_of(region)) == parts + free - 1


def test_a_region_of_one_pixel_has_four_corners() -> None:
    region = np.zeros((5, 5), bool)
    region[2, 3] = True
    (outline,) = outline_of(region)
    assert {tuple(at) for at in outline} == {(1.5, 2.5), (1.5, 3.5), (2.5, 2.5), (2.5, 3.5)}
