"""Bounding boxes: whole voxels, their size, and what moving and pulling makes of them."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.model.boxes import Box3D, BoxSet, moved, resized
from napari_medlabel.project.cases.boxes import decode_boxes, encode_boxes
from napari_medlabel.session.boxing import box_around

BOX = Box3D(1, "lesion", (2, 3, 1), (6, 5, 4))


def test_size_and_middle_are_those_of_the_voxels_faces(make_grid: Callable[..., Grid]) -> None:
    grid = make_grid("LPS", shape=(10, 8, 6), spacing=(2.0, 1.5, 3.0))
    assert BOX.size_mm(grid) == pytest.approx((8.0, 3.0, 9.0))
    assert BOX.volume_mm3(grid) == pytest.approx(216.0)
    assert BOX.centre_ras(grid) == pytest.approx(tuple(grid.affine.apply((3.5, 3.5, 2.0))))


@pytest.mark.parametrize(
    "bad",
    [
        {"start": (2, 2, 2), "stop": (2, 3, 3)},
        {"start": (-1, 0, 0), "stop": (1, 1, 1)},
        {"start": (0.5, 0, 0), "stop": (1, 1, 1)},
        {"id": 0},
        {"kind": "Lesion 1"},
    ],
)
def test_what_is_no_box_is_refused(bad: dict) -> None:
    with pytest.raises(InputError):
        Box3D(**{"id": 1, "kind": "a", "start": (0, 0, 0), "stop": (1, 1, 1)} | bad)


@given(
    by=st.tuples(*[st.integers(-20, 20)] * 3),
    axis=st.integers(0, 2),
    far=st.booleans(),
    to=st.integers(-5, 20),
)
@settings(max_examples=40, deadline=None)
def test_a_box_stays_in_the_scan_and_keeps_a_voxel(
    by: tuple[int, int, int], axis: int, far: bool, to: int
) -> None:
    shape = (10, 8, 6)
    there = moved(BOX, by, shape)
    assert there.is_within(shape)
    assert there.shape == BOX.shape
    pulled = resized(BOX, axis, far, to, shape)
    assert pulled.is_within(shape)
    others = [a for a in range(3) if a != axis]
    assert all(pulled.shape[a] == BOX.shape[a] for a in others)


def test_a_file_comes_back_and_that_of_another_grid_does_not(
    make_grid: Callable[..., Grid],
) -> None:
    grid = make_grid("RAS", shape=(10, 8, 6))
    boxes = BoxSet((BOX, Box3D(4, "liver", (0, 0, 0), (10, 8, 6), 1)))
    data = encode_boxes(boxes, grid)
    assert decode_boxes(data, grid) == boxes
    assert boxes.next_id == 5
    with pytest.raises(GeometryError, match="another grid"):
        decode_boxes(data, make_grid("RAS", shape=(10, 8, 7)))
    told = json.loads(data)
    told["boxes"][0]["stop"][0] = 11
    with pytest.raises(GeometryError, match="another grid"):
        decode_boxes(json.dumps(told).encode(), grid)
    for broken in (b"{", b"[]", b'{"medlabel": "boxes", "v": 2}'):
        with pytest.raises(InputError, match="this is none"):
            decode_boxes(broken, grid)


def test_a_box_is_put_around_the_part_that_is_pointed_at() -> None:
    labels = np.zeros((6, 8, 10), np.uint8).T
    labels[1:3, 1:4, 1:2] = 2
    labels[6:9, 5:7, 3:5] = 2
    labels[4, 4, 4] = 1
    assert box_around(labels, 2) == ((6, 5, 3), (9, 7, 5))
    assert box_around(labels, 2, (1, 2, 1)) == ((1, 1, 1), (3, 4, 2))
    assert box_around(labels, 2, (4, 4, 4)) == ((6, 5, 3), (9, 7, 5))
    for value in (0, 3):
        with pytest.raises(InputError, match="no box around"):
            box_around(labels, value)
