"""Boxes that all readings have, at the mean of their faces; the others are counted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.model.boxes import Box3D, BoxSet
from napari_medlabel.project.agreement.boxes import agreed_boxes, iou

SHAPE = (12, 12, 8)
ONE = Box3D(1, "lesion", (0, 0, 0), (4, 4, 4))


@st.composite
def boxes(draw: st.DrawFn) -> BoxSet:
    found = []
    for number in range(1, draw(st.integers(0, 4)) + 1):
        start = tuple(draw(st.integers(0, n - 2)) for n in SHAPE)
        stop = tuple(draw(st.integers(a + 1, n)) for a, n in zip(start, SHAPE, strict=True))
        found.append(Box3D(number, draw(st.sampled_from(("lesion", "node"))), start, stop))
    return BoxSet(tuple(found))


def drawn(box: Box3D) -> np.ndarray:
    array = np.zeros(SHAPE, bool)
    array[box.slices] = True
    return array


@given(boxes(), boxes())
@settings(max_examples=40, deadline=None)
def test_overlap_is_that_of_the_voxels_and_agreement_knows_no_order(
    first: BoxSet, second: BoxSet
) -> None:
    for a in first:
        for b in second:
            both, either = drawn(a) & drawn(b), drawn(a) | drawn(b)
            assert iou(a, b) == pytest.approx(both.sum() / either.sum())
    one, _ = agreed_boxes({"A": first, "B": second})
    other, _ = agreed_boxes({"A": second, "B": first})
    for box in one or ():
        assert box.is_within(SHAPE)
        assert any(a.kind == box.kind and iou(a, box) > 0 for a in first)
    assert len(one or ()) == len(other or ())
    same, words = agreed_boxes({"A": first, "B": first})
    assert [b.slices for b in same or ()] == [b.slices for b in first]
    assert bool(words) == bool(first.boxes)


def test_what_all_have_is_averaged_to_whole_voxels_and_the_rest_is_told() -> None:
    second = BoxSet(
        (Box3D(7, "node", (0, 0, 0), (4, 4, 4)), Box3D(9, "lesion", (0, 0, 1), (4, 4, 5)))
    )
    far = Box3D(2, "lesion", (8, 8, 0), (10, 10, 2))
    found, words = agreed_boxes({"A": BoxSet((ONE, far)), "B": second})
    assert found == BoxSet((Box3D(1, "lesion", (0, 0, 1), (4, 4, 5)),)), "halves go up"
    assert words[0].endswith("faces: 1. Left out are 1 of A, 1 of B.")
    assert agreed_boxes({"A": BoxSet((ONE,)), "B": None})[0] is None
    assert agreed_boxes({"A": None, "B": BoxSet()}) == (None, ())


def test_of_three_readings_all_must_overlap_one_another() -> None:
    low, high = (
        Box3D(1, "lesion", (0, 0, 0), (3, 4, 4)),
        Box3D(1, "lesion", (2, 0, 0), (6, 4, 4)),
    )
    middle = Box3D(1, "lesion", (0, 0, 0), (4, 4, 4))
    assert agreed_boxes({"A": BoxSet((middle,)), "B": BoxSet((low,)), "C": BoxSet((ONE,))})[0]
    assert not agreed_boxes(
        {"A": BoxSet((middle,)), "B": BoxSet((low,)), "C": BoxSet((high,))}
    )[0]


def test_a_box_about_another_label_is_another_box() -> None:
    other = Box3D(1, "lesion", ONE.start, ONE.stop, 2)
    assert agreed_boxes({"A": BoxSet((ONE,)), "B": BoxSet((other,))})[0] is None
