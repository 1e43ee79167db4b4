from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.measure.intensity import PERCENTS, Intensity, JointHistogram, intensities

SHAPE = (4, 3, 3)
LABELS = arrays(np.uint8, SHAPE, elements=st.integers(0, 3))
WHOLE = arrays(np.int16, SHAPE, elements=st.integers(-1024, 3071))
REAL = arrays(np.float32, SHAPE, elements=st.floats(-10, 10, width=32))


def expected(values: np.ndarray) -> Intensity:
    numbers = values.astype(np.float64)
    return Intensity(
        numbers.mean(),
        numbers.std(ddof=1) if numbers.size > 1 else 0.0,
        np.median(numbers),
        numbers.min(),
        numbers.max(),
        tuple((p, np.percentile(numbers, p)) for p in PERCENTS),
    )


def same(found: Intensity, wanted: Intensity) -> bool:
    flat = [
        (one.mean, one.sd, one.median, one.low, one.high, *(v for _, v in one.percentiles))
        for one in (found, wanted)
    ]
    return flat[0] == pytest.approx(flat[1], rel=1e-6, abs=1e-6)


@given(LABELS, st.one_of(WHOLE, REAL))
@settings(max_examples=40)
def test_each_label_has_the_statistics_that_numpy_finds(labels, image) -> None:
    found = intensities(labels, image)
    assert set(found) == set(np.unique(labels).tolist()) - {0}
    for value, one in found.items():
        assert same(one, expected(image[labels == value]))


@given(LABELS, LABELS, WHOLE, st.tuples(*(st.integers(0, n - 1) for n in SHAPE)))
@settings(max_examples=40)
def test_a_histogram_that_follows_a_box_equals_one_counted_anew(a, b, image, start) -> None:
    box = tuple(slice(s, None) for s in start)
    after = a.copy()
    after[box] = b[box]
    followed = JointHistogram.of(a, image)
    followed.update(a[box], after[box], image[box])
    anew = JointHistogram.of(after, image)
    assert followed.values == anew.values
    for value in range(5):
        assert (
            followed.voxels(value)
            == anew.voxels(value)
            == int((after == value).sum()) * (value > 0)
        )
        assert followed.intensity(value) == anew.intensity(value)


def test_what_is_not_a_number_is_left_out() -> None:
    labels = np.ones((1, 1, 3), np.uint8)
    image = np.array([1.0, np.nan, 3.0]).reshape(1, 1, 3)
    assert intensities(labels, image)[1].mean == 2.0
    assert intensities(labels, image * np.nan) == {}


def test_numbers_too_far_apart_for_bins_are_measured_exactly() -> None:
    labels = np.ones((1, 1, 2), np.uint8)
    image = np.array([0, 10**7], np.int32).reshape(1, 1, 2)
    assert intensities(labels, image)[1].median == 5e6
    with pytest.raises(InputError, match="at most 65536 values"):
        JointHistogram.of(labels, image)
    with pytest.raises(InputError, match="whole numbers"):
        JointHistogram.of(labels, image.astype(float))
    with pytest.raises(GeometryError, match="one shape"):
        intensities(labels, image[..., :1])
