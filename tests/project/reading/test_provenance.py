from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.edit.history import History
from napari_medlabel.edit.patch import LandmarkChange, Patch
from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.model.labelmap import LabelMap, LabelScheme
from napari_medlabel.model.landmarks import LandmarkSet
from napari_medlabel.project.cases.version import ORIGINS
from napari_medlabel.project.reading.automation import kept_by, set_trap, spring
from napari_medlabel.project.reading.provenance import (
    ADJUDICATED,
    EDITED,
    HUMAN,
    INTERPOLATED,
    KEPT,
    NONE,
    UNRESOLVED,
    Trail,
    count_origins,
    provenance_of,
)

SHAPE = (4, 3, 2)


class Hand:
    """A mask that is painted, with its history; what the session does."""

    def __init__(self, shape=SHAPE) -> None:
        self.array = np.zeros(shape[::-1], np.uint8).T
        self.history = History()
        self.steps: list[Patch] = []

    def put(self, at, value: int, origin: str = "human") -> Hand:
        after = self.array.copy(order="K")
        after[at] = value
        patch = Patch.between(self.array, after, origin=origin)
        if patch is not None:
            self.array = after
            self.history.add(patch)
            self.steps.append(patch)
        return self

    def walk(self, step) -> None:
        if step is not None:
            step.follow(self.array)
            self.steps.append(step)

    def map(self):
        return provenance_of(self.steps, self.array.shape)


def test_the_values_are_those_of_a_version_on_the_disk() -> None:
    values = (NONE, HUMAN, KEPT, EDITED, INTERPOLATED, ADJUDICATED, UNRESOLVED)
    assert [ORIGINS[n] for n in values] == [
        "none", "human", "assisted-kept", "assisted-edited", "interpolated", "adjudicated",
        "unresolved",
    ]  # fmt: skip


def test_each_voxel_tells_who_set_it() -> None:
    hand = Hand().put((0, 0, 0), 1).put((1, 0, 0), 1, "assisted")
    found = hand.put((2, 0, 0), 1, "interpolated").put((3, 0, 0), 1, "restored").map()
    assert found[:, 0, 0].tolist() == [HUMAN, KEPT, INTERPOLATED, NONE]


def test_a_proposal_that_a_hand_changes_or_takes_away_is_an_edited_one() -> None:
    hand = Hand().put((slice(0, 3), 0, 0), 1, "assisted").put((0, 0, 0), 2).put((1, 0, 0), 0)
    assert hand.map()[:3, 0, 0].tolist() == [EDITED, EDITED, KEPT]
    counts = count_origins(hand.array, hand.map())
    assert (counts.assisted_kept, counts.assisted_edited) == (1, 2)
    assert counts.kept_share == pytest.approx(1 / 3)
    assert counts.detail()["assisted_edited"] == 2


def test_what_a_hand_drew_and_took_away_leaves_nothing() -> None:
    assert not Hand().put((0, 0, 0), 1).put((0, 0, 0), 0).map().any()


def test_a_tool_over_a_hand_is_a_tool_and_one_that_cleans_up_leaves_nothing() -> None:
    hand = Hand().put((0, 0, 0), 1).put((0, 0, 0), 2, "assisted")
    assert hand.map()[0, 0, 0] == KEPT
    assert hand.put((0, 0, 0), 0, "assisted").map()[0, 0, 0] == NONE


acts = st.lists(
    st.one_of(
        st.sampled_from(["undo", "redo"]),
        st.tuples(
            st.integers(0, 3),
            st.integers(0, 2),
            st.sampled_from(["human", "assisted", "interpolated", "unattributed"]),
        ),
    ),
    max_size=14,
)


@given(acts)
@settings(max_examples=40, deadline=None)
def test_undo_gives_the_map_back_and_redo_takes_it_again(done) -> None:
    hand = Hand()
    states: dict[bytes, list] = {}
    past, future = [hand.map()], []
    for act in done:
        if act == "undo" and len(past) > 1:
            hand.walk(hand.history.back())
            future.append(past.pop())
        elif act == "redo" and future:
            hand.walk(hand.history.forward())
            past.append(future.pop())
        elif isinstance(act, tuple):
            before = len(hand.steps)
            hand.put((act[0], 0, 0), act[1], act[2])
            if len(hand.steps) > before:
                # Undone ways join the past of a history: walked back there, they end here too.
                if future:
                    return
                past.append(hand.map())
        assert np.array_equal(hand.map(), past[-1])
        states.setdefault(hand.map().tobytes(), []).append(act)


def test_an_undone_way_that_joined_the_past_can_be_walked_again() -> None:
    hand = Hand().put((0, 0, 0), 1, "assisted").put((0, 0, 0), 2)
    edited = hand.map()
    hand.walk(hand.history.back())
    hand.put((1, 0, 0), 1)
    assert hand.map()[:2, 0, 0].tolist() == [KEPT, HUMAN]
    hand.walk(hand.history.back())  # the square
    hand.walk(hand.history.back())  # the way back
    assert np.array_equal(hand.map(), edited)


def test_a_trail_goes_on_from_a_map_and_works_in_what_cannot_be_undone() -> None:
    hand = Hand().put((0, 0, 0), 1).put((1, 0, 0), 1, "assisted").put((1, 0, 0), 2)
    start = np.zeros(SHAPE, np.uint8)
    start[3] = KEPT
    trail = Trail(SHAPE, start)
    for step in hand.steps:
        trail.follow(step)
    whole = trail.map()
    trail.settle(1)
    assert np.array_equal(trail.map(), whole)
    trail.follow(hand.steps[-1].inverse())
    assert trail.map()[:, 0, 0].tolist() == [HUMAN, KEPT, NONE, KEPT]
    assert start[0, 0, 0] == NONE


def test_landmarks_change_no_voxel() -> None:
    nothing = LandmarkSet()
    assert not provenance_of([LandmarkChange(nothing, nothing)], SHAPE).any()


def test_labels_of_unknown_origin_are_counted_as_unknown() -> None:
    hand = Hand().put((0, 0, 0), 1, "unattributed")
    assert count_origins(hand.array, hand.map()).unknown == 1
    assert count_origins(hand.array, hand.map()).kept_share is None


def test_a_map_of_another_shape_is_refused() -> None:
    with pytest.raises(GeometryError, match="mask's shape"):
        Trail(SHAPE, np.zeros((2, 2, 2), np.uint8))
    with pytest.raises(GeometryError, match="mask's shape"):
        count_origins(np.zeros(SHAPE), np.zeros((2, 2, 2), np.uint8))


def test_what_a_rater_leaves_untouched_is_reported_by_label() -> None:
    kept = Hand().put((slice(0, 2), 0, 0), 1, "assisted")
    changed = Hand().put((slice(0, 2), 0, 0), 1, "assisted").put((0, 0, 0), 2)
    rows = kept_by("r01", [(one.array, one.map()) for one in (kept, changed)])
    everything, first, second = rows
    assert (everything.masks, everything.untouched) == (2, 1)
    assert everything.counts.kept_share == pytest.approx(3 / 4)
    assert (first.value, first.counts.kept_share) == (1, 1.0)
    assert (second.value, second.counts.kept_share) == (2, 0.0)


def proposal() -> LabelMap:
    i, j, k = np.ogrid[:30, :30, :12]
    ball = (i - 15) ** 2 + (j - 15) ** 2 + (2.5 * (k - 6)) ** 2 < 100
    grid = Grid(ball.shape, Affine.from_spacing((1.0, 1.0, 2.5)))
    return LabelMap(grid, np.asfortranarray(ball.astype(np.uint8)), LabelScheme("One", ()))


@pytest.mark.parametrize("kind", ["extra", "missing"])
def test_a_trap_is_seeded_wrong_and_caught_when_put_right(kind) -> None:
    good = proposal()
    spoiled, trap = set_trap(good, 1, kind, seed=3)
    again, _ = set_trap(good, 1, kind, seed=3)
    assert np.array_equal(spoiled.array, again.array)
    wrong = spoiled.array != good.array
    assert wrong.sum() == trap.voxels.sum() >= 8
    assert (good.array[wrong] == (0 if kind == "extra" else 1)).all()
    assert not spring(trap, spoiled.array).is_caught
    assert spring(trap, spoiled.array).share == 0.0
    assert spring(trap, good.array).is_caught


def test_a_trap_needs_its_label_and_room() -> None:
    with pytest.raises(InputError, match="label that the proposal has"):
        set_trap(proposal(), 2, "extra", seed=1)
    with pytest.raises(InputError, match="no room"):
        set_trap(proposal(), 1, "missing", seed=1, size_mm=0.5)
