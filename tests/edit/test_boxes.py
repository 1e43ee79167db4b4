"""Sums with boxes."""

from __future__ import annotations

import numpy as np

from napari_medlabel.edit.boxes import clipped, crop_of, hull, is_empty, seen_from, shifted

OUTER = (slice(2, 9), slice(3, 5), slice(0, 4))
INNER = (slice(1, 3), slice(0, 2), slice(2, 3))


def test_a_box_is_shifted_into_another_and_seen_from_it_again() -> None:
    assert shifted(INNER, OUTER) == (slice(3, 5), slice(3, 5), slice(2, 3))
    assert seen_from(OUTER, shifted(INNER, OUTER)) == INNER


def test_a_hull_holds_all_boxes() -> None:
    assert hull([OUTER, INNER]) == (slice(1, 9), slice(0, 5), slice(0, 4))


def test_what_lies_on_either_side_of_a_box_is_clipped_to_nothing() -> None:
    for far in (slice(-9, -3), slice(20, 30)):
        part = clipped((far, slice(3, 5), slice(0, 4)), OUTER)
        assert is_empty(part)
        assert 2 <= part[0].start <= part[0].stop <= 9
    assert not is_empty(clipped(INNER, OUTER)[:1] + OUTER[1:])


def test_a_crop_is_a_copy_in_the_order_of_memory() -> None:
    labels = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    crop = crop_of(labels, (slice(0, 2), slice(1, 3), slice(0, 4)))
    assert crop.T.flags.c_contiguous
    crop[...] = 0
    assert labels[1, 2, 3] == 23
