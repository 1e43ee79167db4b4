"""Which times and counts prove that images belong to one volume."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.io.dicom.series.proof import (
    agreed,
    by_count,
    by_time,
    is_counted,
    is_cyclic,
    is_parallel,
    is_timed,
)


def table_of(volumes, places, step=1.0, within=0.1):
    return np.arange(volumes)[:, None] * step + np.arange(places) * within


@pytest.mark.parametrize("within", [0.0, 0.1, 50.0], ids=["at once", "in turn", "by place"])
def test_volumes_that_follow_each_other_alike_at_each_place_are_parallel(within):
    assert is_parallel(table_of(5, 4, within=within))


@given(t=st.integers(0, 4), k=st.integers(0, 3))
def test_one_image_of_the_next_volume_is_not_parallel(t, k):
    table = table_of(5, 4)
    table[t:, k] += 1.0
    assert is_parallel(table) is (t == 0)


@pytest.mark.parametrize(
    ("offsets", "proven"),
    [
        ((0, 0, 0, 0), True),
        ((0.0, 0.2, 0.1, 0.3), True),
        ((0.0, 0.25, 0.5, 0.75), True),
        ((0.0, 0.5, 0.25, 0.75), False),
        ((1.0, 0.2, 0.4, 0.6), False),
        ((1, 0, 0, 0), False),
        ((0.0, 50.0, 50.1, 100.0), True),
        ((1.0, 50.0, 51.0, 100.0), False),
    ],
)
def test_times_of_a_volume_must_lie_close_together(offsets, proven):
    table = np.arange(5)[:, None] + np.array(offsets)
    assert is_parallel(table)
    assert is_timed(table) is proven


def test_cycles_of_different_length_are_phases():
    lengths = np.array([30.0, 37.0, 44.0])
    table = np.arange(4)[:, None] * lengths
    assert is_cyclic(table)
    assert not is_parallel(table)
    table[2:, 1] += 37.0
    assert not is_cyclic(table)


@pytest.mark.parametrize(
    ("first", "order", "proven"),
    [
        (1, (0, 2, 1, 3), True),
        (5, (0, 2, 1, 3), True),
        (0, (0, 2, 1, 3), True),
        (3, (0, 2, 1, 3), False),
        (3, (0, 1, 2, 3), True),
        (3, (3, 2, 1, 0), True),
        (3, (3, 0, 1, 2), False),
    ],
)
def test_numbers_must_begin_where_a_volume_begins(first, order, proven):
    table = first + np.arange(3)[:, None] * 4 + np.array(order)
    assert bool(is_counted(table.astype(float))) is proven


@given(
    volumes=st.integers(2, 5),
    places=st.integers(3, 5),
    lost=st.sets(st.integers(0, 24), min_size=1, max_size=3),
    first=st.sampled_from([0, 1, 101]),
)
def test_counting_never_mixes_volumes(volumes, places, lost, first):
    images = [n for n in range(volumes * places) if n not in lost]
    slots = np.array([n % places for n in images])
    if len(set(slots.tolist())) < places:
        return
    found = by_count([first + n for n in images], slots)
    assert found is not None
    assert all(len({images[n] // places for n in part}) == 1 for part in found)


def test_explanations_that_contradict_each_other_explain_nothing():
    assert agreed([[[0, 1], [2]], [[0], [1, 2]]]) is None
    assert agreed([[[0, 1], [2]], [[2], [1, 0]]]) == [[0, 1], [2]]
    assert agreed([]) is None


def test_times_of_one_volume_lie_closer_together_than_volumes():
    slots = np.array([0, 1, 2, 0, 2, 0, 1, 2])
    times = [0.0, 0.1, 0.2, 5.0, 5.2, 10.0, 10.1, 10.2]
    assert by_time(times, slots) == [[0, 1, 2], [3, 4], [5, 6, 7]]
    assert by_time(list(range(8)), slots) is None
