"""Otsu's method finds the best of all partings."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.filters import threshold_otsu

from napari_medlabel.edit.otsu import otsu
from napari_medlabel.errors import InputError


def variance_within(data: np.ndarray, borders: tuple[float, ...]) -> float:
    parts = np.digitize(data, borders)
    return sum(
        float(((data[parts == p] - data[parts == p].mean()) ** 2).sum()) for p in set(parts)
    )


@given(
    st.lists(st.integers(-30, 60), min_size=5, max_size=40).filter(lambda d: len(set(d)) > 4),
    st.integers(2, 4),
)
@settings(max_examples=30)
def test_no_other_parting_has_less_variance(data, classes) -> None:
    values = np.array(data, np.int16)
    found = otsu(values, classes)
    assert len(found) == classes - 1
    assert list(found) == sorted(found)
    present = np.unique(values)
    gaps = (present[1:] + present[:-1]) / 2
    best = min(variance_within(values, borders) for borders in combinations(gaps, classes - 1))
    assert variance_within(values, found) == pytest.approx(best, rel=1e-9, abs=1e-9)


def test_two_classes_are_those_of_scikit_image() -> None:
    rng = np.random.default_rng(3)
    image = np.concatenate([rng.normal(-80, 20, 4000), rng.normal(60, 30, 3000)])
    whole_numbers = image.astype(np.int16)
    (ours,) = otsu(whole_numbers.reshape(70, 100))
    assert np.array_equal(whole_numbers > ours, whole_numbers > threshold_otsu(whole_numbers))
    (ours,) = otsu(image.astype(np.float32))
    assert ours == pytest.approx(threshold_otsu(image, nbins=4096), abs=0.5)


def test_sixteen_bits_are_parted_by_their_own_values() -> None:
    image = np.concatenate(
        [np.arange(0, 300), np.arange(40000, 40300), np.arange(65000, 65535)]
    )
    first, second = otsu(image.astype(np.uint16), 3)
    assert (first, second) == ((299 + 40000) / 2, (40299 + 65000) / 2)


def test_what_cannot_be_parted_is_refused() -> None:
    with pytest.raises(InputError, match="2 to 8 classes; got 1"):
        otsu(np.arange(9), 1)
    with pytest.raises(InputError, match="as many intensities; there are 1 here"):
        otsu(np.zeros(9))
    with pytest.raises(InputError, match="there are 0 here"):
        otsu(np.full(9, np.nan))
