"""Scenes and proposals: what tools read and what they may say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_medlabel.edit.masking import Masking
from napari_medlabel.edit.scene import Proposal, Scene, around, quiet, slab, whole, widen
from napari_medlabel.errors import GeometryError, InputError
from tests.tilted import steps

SHAPE = (5, 4, 3)
MM = (1.0, 2.0, 5.0)


def scene(masking: Masking | None = None) -> Scene:
    labels = np.zeros(SHAPE[::-1], np.uint8).T
    labels[1:3, 1:3, 1] = 1
    return Scene(labels, np.arange(60).reshape(SHAPE), MM, masking or Masking())


def test_a_proposal_says_what_changes_and_keeps_what_was() -> None:
    there = scene()
    box = slab(there.shape, 2, 1)
    after = np.full((5, 4, 1), 2, np.uint8)
    found = there.propose(box, after, name="Fill", values=(2,), words="All of it.")
    assert found is not None
    assert found.changed.all()
    there.labels[...] = 9
    assert sorted(np.unique(found.before)) == [0, 1]
    assert found.words == "All of it."
    assert repr(found) == "Proposal('Fill', (5, 4, 1), human)"


def test_a_proposal_obeys_the_rules() -> None:
    there = scene(Masking(locked=frozenset({1})))
    box = whole(there.shape)
    found = there.propose(box, np.full(SHAPE, 2, np.uint8), name="Fill", values=(2,))
    assert found is not None
    assert np.count_nonzero(found.after == 1) == 4


def test_a_frozen_scene_sees_no_later_stroke() -> None:
    there = scene()
    still = there.frozen()
    there.labels[0, 0, 0] = 5
    assert still.labels[0, 0, 0] == 0
    assert still.labels.T.flags.c_contiguous
    after = still.labels.copy()
    after[4, 3, 2] = 2
    made = still.propose(whole(still.shape), after, name="Fill", values=(2,))
    assert made is not None
    assert made.onto(there.labels)[0, 0, 0] == 5


def test_nothing_new_is_no_proposal() -> None:
    there = scene()
    assert there.propose(whole(there.shape), there.labels, name="Same", values=()) is None


def test_what_was_painted_since_stays() -> None:
    before = np.zeros((3, 1, 1), np.uint8)
    after = np.array([1, 0, 0], np.uint8).reshape(3, 1, 1)
    now = np.array([0, 0, 5], np.uint8).reshape(3, 1, 1)
    box = (slice(0, 3), slice(0, 1), slice(0, 1))
    assert Proposal(box, before, after, "Draw", (1,)).onto(now).ravel().tolist() == [1, 0, 5]


def test_a_voxel_that_was_repainted_or_erased_is_not_changed() -> None:
    before = np.array([1, 1, 0, 0], np.uint8).reshape(4, 1, 1)
    after = np.array([2, 2, 2, 0], np.uint8).reshape(4, 1, 1)
    now = np.array([0, 1, 3, 4], np.uint8).reshape(4, 1, 1)
    box = (slice(0, 4), slice(0, 1), slice(0, 1))
    assert Proposal(box, before, after, "Draw", (2,)).onto(now).ravel().tolist() == [0, 2, 3, 4]


@settings(deadline=None, max_examples=40)
@given(
    hnp.arrays(np.uint8, SHAPE, elements=st.integers(0, 3)),
    st.lists(st.tuples(*[st.integers(0, n - 1) for n in SHAPE], st.integers(0, 3)), max_size=3),
)
def test_a_proposal_holds_while_its_labels_lie_where_they_lay(
    labels: np.ndarray, painted: list[tuple[int, int, int, int]]
) -> None:
    labels[0] = labels[:, :, 0] = 0  # so that the box is not the whole
    box = (slice(1, 5), slice(0, 4), slice(1, 3))
    made = Proposal(box, labels[box].copy(), labels[box].copy(), "Renumber", (1, 2))
    now = labels.copy()
    for i, j, k, value in painted:
        now[i, j, k] = value
    same = all(np.array_equal(now == value, labels == value) for value in (1, 2))
    assert made.still_holds(now) == same


def test_shapes_that_differ_are_refused() -> None:
    with pytest.raises(GeometryError, match="one shape"):
        Scene(np.zeros((2, 2, 2), np.uint8), np.zeros((2, 2, 3)), MM)


@pytest.mark.parametrize("mm", [0.0, -1.0, float("inf"), float("nan")])
def test_a_spacing_that_is_none_is_refused(mm: float) -> None:
    with pytest.raises(GeometryError, match="above 0 mm and finite"):
        Scene(np.zeros((2, 2, 2), np.uint8), np.zeros((2, 2, 2)), (1.0, mm, 1.0))


def test_a_slab_is_clipped_at_the_ends() -> None:
    assert slab(SHAPE, 2, 1) == (slice(0, 5), slice(0, 4), slice(1, 2))
    assert slab(SHAPE, 0, 0, 3)[0] == slice(0, 2)
    assert slab(SHAPE, 0, 4, 3)[0] == slice(3, 5)


@pytest.mark.parametrize(("index", "thickness"), [(-1, 1), (3, 1), (0, 0)])
def test_a_slice_outside_is_refused(index: int, thickness: int) -> None:
    with pytest.raises(InputError, match="no slice"):
        slab(SHAPE, 2, index, thickness)


@settings(deadline=None, max_examples=40)
@given(hnp.arrays(np.bool_, SHAPE))
def test_the_box_around_a_region_is_tight(region: np.ndarray) -> None:
    box = around(region)
    hits = np.argwhere(region)
    if not len(hits):
        assert box is None
        return
    assert box is not None
    assert [p.start for p in box] == hits.min(axis=0).tolist()
    assert [p.stop for p in box] == (hits.max(axis=0) + 1).tolist()


@given(st.floats(0, 20))
def test_a_margin_is_in_mm_and_stays_inside(margin_mm: float) -> None:
    box = (slice(10, 12), slice(10, 12), slice(10, 12))
    wide = widen(box, margin_mm, MM, (30, 30, 30))
    for part, mm in zip(wide, MM, strict=True):
        assert part.start == 0 or (10 - part.start) * mm >= margin_mm - 1e-6
        assert (10 - part.start - 1) * mm < margin_mm
        assert part.start >= 0
        assert part.stop <= 30


def test_telling_nobody_is_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    quiet(1, 2)
    assert capfd.readouterr() == ("", "")


def test_a_voxel_of_a_tilted_scan_is_smaller_than_the_product_of_its_edges() -> None:
    labels = np.zeros((2, 2, 2), np.uint8)
    straight = Scene(labels, labels, (0.8, 0.8, 5.0))
    assert (straight.voxel_mm3, straight.apart_mm) == (0.8 * 0.8 * 5.0, (0.8, 0.8, 5.0))
    tilted = Scene(labels, labels, (0.8, 0.8, 5.0), skew_mm=steps((0.8, 0.8, 5.0), 20.0))
    assert tilted.voxel_mm3 == pytest.approx(3.2 * np.cos(np.radians(20)))
    assert tilted.frozen().voxel_mm3 == tilted.voxel_mm3
