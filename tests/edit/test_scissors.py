"""Scissors cut through all slices of a box, and only what they are about."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.edit.masking import Masking
from napari_medlabel.edit.outline import polygon
from napari_medlabel.edit.scene import Scene, slab, whole
from napari_medlabel.edit.scissors import cut
from napari_medlabel.errors import InputError

SHAPE = (8, 7, 6)
MODES = ("erase_inside", "erase_outside", "fill_inside")


def scene(seed: int = 0, masking: Masking | None = None) -> Scene:
    labels = np.random.default_rng(seed).integers(0, 4, SHAPE[::-1], dtype=np.uint8).T
    return Scene(labels, np.zeros(SHAPE[::-1], np.int16).T, (1, 1, 3), masking or Masking())


def outcome(here: Scene, *arguments, **options) -> np.ndarray:
    out = here.labels.copy()
    proposal = cut(here, *arguments, **options)
    if proposal is not None:
        out[proposal.box] = proposal.after
    return out


corner = st.tuples(st.floats(-2, 9), st.floats(-2, 9), st.floats(-2, 9))


@given(
    st.lists(corner, min_size=3, max_size=6),
    st.sampled_from((0, 1, 2)),
    st.sampled_from(MODES),
    st.sets(st.integers(1, 3)),
    st.sets(st.integers(1, 3), max_size=1),
    st.booleans(),
)
@settings(max_examples=40)
def test_each_voxel_is_what_the_rule_says(points, axis, mode, values, locked, thin) -> None:
    here = scene(len(points), Masking(locked=frozenset(locked)))
    box = slab(SHAPE, axis, 3) if thin else whole(SHAPE)
    got = outcome(here, box, points, axis, mode=mode, value=2, values=tuple(values))
    u, v = (a for a in range(3) if a != axis)
    flat = polygon((SHAPE[u], SHAPE[v]), np.array(points)[:, [u, v]])
    for at in np.ndindex(*SHAPE):
        old = int(here.labels[at])
        expected = old
        if all(s.start <= x < s.stop for s, x in zip(box, at, strict=True)):
            inside = flat[at[u], at[v]]
            if mode == "fill_inside" and inside:
                expected = 2
            elif mode != "fill_inside" and inside == (mode == "erase_inside"):
                expected = 0 if not values or old in values else old
        if old in locked or expected in locked:
            expected = old
        assert got[at] == expected, at


def test_what_scissors_cannot_do_is_refused() -> None:
    here, triangle = scene(), [(0, 0, 0), (0, 4, 0), (4, 4, 0)]
    with pytest.raises(InputError, match="erase inside, erase outside or fill inside"):
        cut(here, whole(SHAPE), triangle, 2, mode="hole")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="no label to fill with"):
        cut(here, whole(SHAPE), triangle, 2, mode="fill_inside")
    with pytest.raises(InputError, match="at least 3 corners"):
        cut(here, whole(SHAPE), triangle[:2], 2, mode="erase_inside")


def test_nothing_to_cut_is_no_proposal() -> None:
    here = scene()
    here.labels[...] = 0
    assert (
        cut(here, whole(SHAPE), [(0, 0, 0), (0, 9, 0), (9, 9, 0)], 2, mode="erase_inside")
        is None
    )


def test_other_labels_are_erased_too_when_none_may_be_overwritten_and_all_are_meant() -> None:
    here = scene(1, Masking(overwrite="none"))
    square = [(-1, -1, 0), (-1, 9, 0), (9, 9, 0), (9, -1, 0)]
    assert not outcome(here, whole(SHAPE), square, 2, mode="erase_inside").any()
