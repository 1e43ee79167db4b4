"""Run lengths: packed as the COCO tools pack them, and never past their picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_medlabel.errors import InputError
from napari_medlabel.io.marks.coco_rle import from_counts, pack, to_counts, unpack


@given(mask=arrays(np.bool_, st.tuples(st.integers(1, 9), st.integers(1, 9))))
@settings(max_examples=40)
def test_a_mask_comes_back_plain_and_packed(mask: np.ndarray) -> None:
    counts = to_counts(mask)
    assert counts[1:] == [n for n in counts[1:] if n > 0]
    assert np.array_equal(from_counts(counts, *mask.shape), mask)
    assert unpack(pack(counts)) == counts


@given(counts=st.lists(st.integers(0, 1 << 40), max_size=8))
@settings(max_examples=40)
def test_any_counts_come_back_from_letters(counts: list[int]) -> None:
    assert unpack(pack(counts)) == counts


def test_letters_are_those_of_the_coco_tools() -> None:
    # pycocotools 2.0.11: encode(numpy.asfortranarray(mask))["counts"] of these masks.
    mask = np.zeros((6, 5), np.uint8)  # rows, columns
    mask[1:4, 2:5], mask[5, 0] = 1, 1
    assert pack(to_counts(mask.T.astype(bool))) == PYCOCOTOOLS[0]
    rows, columns = np.mgrid[:50, :70]
    disc = (rows - 20) ** 2 + (columns - 33) ** 2 < 300
    assert pack(to_counts(disc.T)) == PYCOCOTOOLS[1]


@pytest.mark.parametrize(
    "counts",
    [[3], [13], [-1, 13], [6, 7, 1], [[6], [6]]],
    ids=["short", "long", "-", "+", "2d"],
)
def test_counts_that_do_not_fill_the_picture_are_refused(counts: list[int]) -> None:
    with pytest.raises(InputError, match="run lengths"):
        from_counts(counts, 4, 3)


@pytest.mark.parametrize("letters", ["é", "/", "P", "PPP", "o" * 40])
def test_letters_that_are_none_or_cut_off_are_refused(letters: str) -> None:
    with pytest.raises(InputError, match="run lengths"):
        unpack(letters)


PYCOCOTOOLS = (
    "5172L000O",
    "ai07X16K4L4M2N2N2N2O0O2O0O2O000O2O000000000001N10001N101N101N2N2N2N3L4L5JXm0",
)
