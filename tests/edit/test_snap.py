"""Landmarks snap to the extremum or the edge near them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_medlabel.edit.snap import snap_to_edge, snap_to_extremum
from napari_medlabel.errors import InputError

SHAPE = (8, 7, 6)
points = st.tuples(st.floats(0, 7), st.floats(0, 6), st.floats(0, 5))
spacings = st.tuples(*[st.sampled_from((0.5, 1.0, 3.0))] * 3)


@given(
    hnp.arrays(np.int16, SHAPE, elements=st.integers(-5, 5)),
    points,
    st.floats(0.1, 6),
    spacings,
    st.sampled_from(("max", "min")),
)
@settings(max_examples=40)
def test_it_is_the_nearest_of_the_most_extreme_voxels(image, point, radius, mm, kind) -> None:
    best = None
    for at in np.ndindex(*SHAPE):
        far = float(np.linalg.norm((np.array(at) - point) * mm))
        under = at == tuple(int(np.floor(x + 0.5)) for x in point)
        if far <= radius or under:
            value = int(image[at]) if kind == "max" else -int(image[at])
            best = max(best, (value, -far)) if best else (value, -far)
    found = snap_to_extremum(image, point, kind=kind, radius_mm=radius, spacing_mm=mm)
    voxels = [np.floor(found + 0.5), np.ceil(found - 0.5)]
    sign = 1 if kind == "max" else -1
    assert any(
        int(image[tuple(v.astype(int))]) * sign == best[0]
        and np.linalg.norm((v - point) * mm) == pytest.approx(-best[1])
        for v in voxels
    )


@pytest.mark.parametrize("kind", ["max", "min"])
def test_the_top_of_a_blob_is_found_between_voxels(kind) -> None:
    i, j, k = np.mgrid[:21, :21, :21]
    top = np.array((10.3, 9.8, 10.4))
    blob = np.exp(-((i - top[0]) ** 2 + (j - top[1]) ** 2 + (k - top[2]) ** 2) / 18)
    image = blob if kind == "max" else -blob
    found = snap_to_extremum(image, (8, 8, 8), kind=kind, radius_mm=6, spacing_mm=(1, 1, 1))
    assert found == pytest.approx(top, abs=0.05)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.7, 0.7, 1.5)])
def test_an_edge_is_found_between_voxels(axis, spacing) -> None:
    at = np.mgrid[:24, :24, :24][axis]
    # A border at 12.3 with partial volume: the voxel there holds both sides.
    image = 100 * np.clip(at - 12.3 + 0.5, 0, 1)
    start = np.full(3, 11.0)
    start[axis] = 10.2
    found = snap_to_edge(image, start, radius_mm=5, spacing_mm=spacing)
    assert found[axis] == pytest.approx(12.3, abs=0.15)
    others = [a for a in range(3) if a != axis]
    assert found[others] == pytest.approx(start[others], abs=0.01)


def test_in_a_flat_image_a_point_stays() -> None:
    image = np.full(SHAPE, 7.0)
    point = (3.2, 4.1, 2.9)
    assert snap_to_edge(image, point, radius_mm=3, spacing_mm=(1, 1, 1)) == pytest.approx(point)
    one_slice = np.zeros((9, 9, 1))
    one_slice[5:] = 10
    found = snap_to_edge(one_slice, (3, 4, 0), radius_mm=4, spacing_mm=(1, 1, 5))
    assert found == pytest.approx((4.5, 4, 0), abs=0.51)


def test_points_outside_and_unknown_kinds_are_refused() -> None:
    with pytest.raises(InputError, match="outside of the scan"):
        snap_to_edge(np.zeros(SHAPE), (9, 0, 0), radius_mm=3, spacing_mm=(1, 1, 1))
    with pytest.raises(InputError, match="outside of the scan"):
        snap_to_extremum(
            np.zeros(SHAPE), (np.nan, 0, 0), kind="max", radius_mm=3, spacing_mm=(1, 1, 1)
        )
    with pytest.raises(InputError, match="max or min"):
        snap_to_extremum(
            np.zeros(SHAPE), (1, 1, 1), kind="middle", radius_mm=3, spacing_mm=(1, 1, 1)
        )
