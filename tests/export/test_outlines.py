"""Contours along voxel edges: what they enclose is what went in, for every kind of shape."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_medlabel.export.outlines import Outline, outlines
from napari_medlabel.io.marks.contours import fill

MASKS = arrays(np.bool_, st.tuples(*(st.integers(1, n) for n in (2, 7, 8))))


def filled(found: Sequence[Outline], shape: tuple[int, ...]) -> np.ndarray:
    out = np.zeros(shape, bool)
    if not found:
        return out
    area = fill(
        [one.corners - 0.5 for one in found], [one.plane for one in found], shape[:0:-1]
    )
    planes, rows, columns = area.planes.shape
    u, v = area.corner
    out[:planes, v : v + rows, u : u + columns] = area.planes
    return out


def signed_area(corners: np.ndarray) -> float:
    u, v = corners[:, 0], corners[:, 1]
    return float((u * np.roll(v, -1) - np.roll(u, -1) * v).sum() / 2)


def winding(found: Sequence[Outline], shape: tuple[int, ...]) -> np.ndarray:
    """Fill by the winding rule: count the vertical edges to the left of each centre, signed."""
    out = np.zeros(shape, int)
    for one in found:
        for (u, v), (u2, v2) in zip(one.corners, np.roll(one.corners, -1, 0), strict=True):
            if u == u2:
                out[one.plane, min(v, v2) : max(v, v2), u:] += 1 if v > v2 else -1
    return out


@given(mask=MASKS, holes=st.sampled_from(["keyhole", "separate"]))
@settings(max_examples=40)
def test_filled_again_by_either_rule_the_same_voxels_come_back(
    mask: np.ndarray, holes: str
) -> None:
    found = outlines(mask, holes=holes)
    assert np.array_equal(filled(found, mask.shape), mask)
    assert np.array_equal(winding(found, mask.shape), mask.astype(int))
    # The area is the voxels' own: holes run the other way round.
    assert sum(signed_area(one.corners) for one in found) == mask.sum()


@given(mask=MASKS)
@settings(max_examples=30)
def test_keyholes_leave_one_contour_for_each_connected_part(mask: np.ndarray) -> None:
    from scipy.ndimage import label

    found = outlines(mask)
    parts = sum(label(plane)[1] for plane in mask)
    assert len(found) == parts
    assert not any(one.is_hole for one in found)
    steps = [one.corners - np.roll(one.corners, 1, 0) for one in found]
    # Every edge runs along voxel edges, never through a voxel.
    assert all(((step == 0).sum(axis=1) >= 1).all() for step in steps)


def test_a_box_has_four_corners_half_a_voxel_out_and_a_hole_in_it_four_more() -> None:
    mask = np.zeros((1, 6, 7), bool)
    mask[0, 1:5, 2:6] = True
    (box,) = outlines(mask, first_plane=3)
    assert box.plane == 3
    assert sorted(map(tuple, box.corners)) == [(2, 1), (2, 5), (6, 1), (6, 5)]
    mask[0, 2, 3] = False
    outer, hole = sorted(outlines(mask, holes="separate"), key=lambda one: one.is_hole)
    assert (len(outer.corners), len(hole.corners), hole.is_hole) == (4, 4, True)
    (keyed,) = outlines(mask)
    assert len(keyed.corners) == 4 + 4 + 3


def test_nothing_has_no_outline() -> None:
    assert outlines(np.zeros((2, 3, 4), bool)) == []


@pytest.mark.parametrize("rings", [1, 2, 3])
def test_rings_in_rings_come_back(rings: int) -> None:
    size = 4 * rings + 3
    mask = np.zeros((1, size, size), bool)
    for n in range(2 * rings):
        mask[0, n : size - n, n : size - n] = n % 2 == 0
    assert np.array_equal(filled(outlines(mask), mask.shape), mask)
