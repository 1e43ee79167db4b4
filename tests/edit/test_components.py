"""Connected parts, against flooding voxel by voxel and against SciPy."""

from __future__ import annotations

import itertools
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from napari_medlabel.edit import components
from napari_medlabel.edit.components import boxes_of, connected_parts
from napari_medlabel.edit.joining import join_runs, root_of
from napari_medlabel.edit.scene import around


def flooded(labels: np.ndarray, connectivity: int) -> np.ndarray:
    """Number the parts of all labels from 1, in memory order, one voxel after the other."""
    far = {6: 1, 18: 2, 26: 3}[connectivity]
    steps = [s for s in itertools.product((-1, 0, 1), repeat=3) if 0 < sum(map(abs, s)) <= far]
    out = np.zeros(labels.shape, int)
    for k, j, i in np.argwhere(labels.T):
        if out[i, j, k]:
            continue
        number, todo = out.max() + 1, [(i, j, k)]
        out[i, j, k] = number
        while todo:
            here = todo.pop()
            for step in steps:
                there = tuple(np.add(here, step))
                inside = all(0 <= at < n for at, n in zip(there, labels.shape, strict=True))
                if inside and not out[there] and labels[there] == labels[here]:
                    out[there] = number
                    todo.append(there)
    return out


def numbers(labels: np.ndarray, connectivity: int) -> np.ndarray:
    found = connected_parts(labels, connectivity=connectivity)  # type: ignore[arg-type]
    out = np.zeros(labels.shape[::-1], int).T
    every = np.ones(len(found), bool)
    box = tuple(slice(0, n) for n in labels.shape)
    found.paint(out, box, every, np.arange(1, len(found) + 1))  # type: ignore[arg-type]
    return out


random_labels = st.builds(
    lambda shape, seed, most, empty, order: np.array(
        np.random.default_rng(seed).integers(1, most + 1, shape)
        * (np.random.default_rng(seed + 1).random(shape) > empty),
        dtype=np.uint8,
        order=order,
    ),
    st.tuples(*[st.integers(1, 6)] * 3),
    st.integers(0, 999),
    st.integers(1, 3),
    st.sampled_from((0.0, 0.3, 0.6, 0.9)),
    st.sampled_from("CF"),
)


@settings(deadline=None, max_examples=40)
@given(labels=random_labels, connectivity=st.sampled_from((6, 18, 26)))
def test_parts_are_those_of_a_flood_in_memory_order(
    labels: np.ndarray, connectivity: int
) -> None:
    expected = flooded(labels, connectivity)
    assert np.array_equal(numbers(labels, connectivity), expected)
    found = connected_parts(labels, connectivity=connectivity)  # type: ignore[arg-type]
    for part in range(len(found)):
        region = expected == part + 1
        assert found.voxels[part] == region.sum()
        assert {int(found.values[part])} == set(labels[region].tolist())
        assert found.box(np.arange(len(found)) == part) == around(region)
    voxel = tuple(n // 2 for n in labels.shape)
    held = found.at(voxel)
    assert (0 if held is None else held + 1) == expected[voxel]


@settings(deadline=None, max_examples=20)
@given(labels=random_labels, connectivity=st.sampled_from((6, 18, 26)))
def test_compiled_or_not_the_parts_are_the_same(labels: np.ndarray, connectivity: int) -> None:
    plain = connected_parts(labels, connectivity=connectivity)  # type: ignore[arg-type]
    many = components._MANY
    try:
        components._MANY = 0  # type: ignore[misc]
        compiled = connected_parts(labels, connectivity=connectivity)  # type: ignore[arg-type]
    finally:
        components._MANY = many  # type: ignore[misc]
    assert np.array_equal(plain.run_part, compiled.run_part)
    assert np.array_equal(plain.voxels, compiled.voxels)


def test_the_root_of_a_run_is_the_first_that_it_was_joined_with() -> None:
    parent = np.array([0, 0, 1, 2])
    assert root_of(parent, 3) == 0
    assert parent.tolist() == [0, 0, 1, 1]  # the way is shorter now


def test_runs_join_in_plain_python_too() -> None:
    start, stop = np.array([0, 3, 6, 20]), np.array([2, 5, 9, 22])
    offsets = np.array([(5, 0)])
    joined = join_runs(start, stop, np.ones(4, int), offsets)
    assert joined.tolist() == [0, 0, 0, 1]


def test_without_numba_many_runs_are_joined_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    labels = (np.random.default_rng(3).random((9, 8, 7)) < 0.3).astype(np.uint8)
    monkeypatch.setattr(components, "_MANY", 0)
    monkeypatch.setitem(sys.modules, "napari_medlabel.edit.joining", None)
    assert np.array_equal(numbers(labels, 26), flooded(labels, 26))


def test_a_row_that_ends_at_the_far_side_does_not_touch_the_next_row() -> None:
    labels = np.zeros((4, 3, 2), np.uint8)
    labels[3, 0, 0] = labels[0, 1, 0] = 1  # neighbours in memory, not in space
    labels[3, 2, 0] = labels[0, 0, 1] = 2
    assert len(connected_parts(labels)) == 4


def test_large_pieces_are_walked_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(components, "_CHUNK", 40)
    labels = (np.random.default_rng(4).random((9, 8, 7)) < 0.6).astype(np.uint16)
    expected, _ = ndimage.label(labels.T, np.ones((3, 3, 3)))
    assert np.array_equal(numbers(labels, 26), expected.T)


def test_of_some_labels_the_others_are_background() -> None:
    labels = np.zeros((6, 1, 1), np.uint8)
    labels[:, 0, 0] = (1, 1, 2, 1, 0, 3)
    found = connected_parts(labels, (1, 3))
    assert found.values.tolist() == [1, 1, 3]
    assert found.voxels.tolist() == [2, 1, 1]
    assert repr(found) == "Parts(3 in (6, 1, 1))"


def test_no_label_has_no_part() -> None:
    found = connected_parts(np.zeros((3, 2, 2), np.uint8))
    assert len(found) == 0
    assert found.box(np.zeros(0, bool)) is None
    assert found.at((0, 0, 0)) is None
    assert not found.on_a_face().size
    assert len(connected_parts(np.zeros((0, 2, 2), np.uint8))) == 0


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_face_is_reached_along_its_axis_only(axis: int) -> None:
    labels = np.zeros((5, 5, 5), np.uint8)
    labels[2, 2, 2] = 1
    for end in (0, 4):
        at = [2, 2, 2]
        at[axis] = end
        labels[tuple(at)] = 2
    found = connected_parts(labels)
    assert found.on_a_face([axis]).tolist() == (found.values == 2).tolist()
    assert not found.on_a_face([a for a in (0, 1, 2) if a != axis]).any()


def test_boxes_are_the_tightest_and_only_of_what_is_there() -> None:
    labels = np.random.default_rng(5).integers(0, 40, (4, 6, 5)).astype(np.uint8)
    boxes = boxes_of(labels, range(1, 60))
    assert set(boxes) == set(np.unique(labels).tolist()) - {0}
    for value, box in boxes.items():
        assert box == around(labels == value)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 99), st.sampled_from((np.uint8, np.uint16)), st.integers(0, 3))
def test_all_but_a_label_are_parts_of_one_kind(seed: int, dtype: type, but: int) -> None:
    labels = np.random.default_rng(seed).integers(0, 4, (6, 5, 4)).astype(dtype)
    found = connected_parts(labels, connectivity=6, but=but)
    plain = connected_parts(labels != but, connectivity=6)
    for name in ("values", "voxels", "run_start", "run_length", "run_part"):
        assert np.array_equal(getattr(found, name), getattr(plain, name))
    some = np.arange(len(found)) % 2 == 0
    kept = found.only(some)
    assert len(kept) == len(found)
    assert kept.box(some) == found.box(some)
    assert kept.box(~some) is None
