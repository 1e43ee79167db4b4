"""The history never loses a state."""

from __future__ import annotations

import tracemalloc

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.edit.history import History
from napari_medlabel.edit.patch import LandmarkChange, Patch, Step
from napari_medlabel.model.landmarks import LandmarkSet


class Board:
    """A mask that is only changed through a history."""

    def __init__(self, limit: int = 1 << 20) -> None:
        self.array = np.zeros((4, 4, 2), np.uint8)
        self.history = History(limit)

    def paint(self, value: int) -> None:
        after = self.array.copy()
        after[value % 4, value // 4 % 4, 0] = value % 7 + 1
        patch = Patch.between(self.array, after, name=f"Paint {value}")
        if patch is not None:
            patch.apply(self.array)
            self.history.add(patch)

    def walk(self, step: Step | None) -> bool:
        if isinstance(step, Patch):
            step.apply(self.array)
        return step is not None


moves_of_a_person = st.one_of(st.just(-1), st.just(-2), st.integers(0, 30))


@given(st.lists(moves_of_a_person, max_size=25))
def test_every_state_ever_shown_can_be_reached_by_undo(moves: list[int]) -> None:
    board = Board()
    seen = {board.array.tobytes()}
    for move in moves:
        if move == -1:
            board.walk(board.history.back())
        elif move == -2:
            board.walk(board.history.forward())
        else:
            board.paint(move)
        seen.add(board.array.tobytes())
    while board.walk(board.history.forward()):
        pass
    reached = {board.array.tobytes()}
    while board.walk(board.history.back()):
        reached.add(board.array.tobytes())
    assert seen <= reached
    assert not board.array.any()


def test_what_was_undone_before_a_new_edit_can_be_reached_again() -> None:
    board = Board()
    board.paint(1)
    lost = board.array.copy()
    board.walk(board.history.back())
    board.paint(2)
    board.walk(board.history.back())
    board.walk(board.history.back())
    assert np.array_equal(board.array, lost)
    board.walk(board.history.back())
    assert not board.array.any()


def test_undo_and_redo_say_what_they_would_do() -> None:
    board = Board()
    assert (board.history.undo_name, board.history.redo_name) == (None, None)
    board.paint(3)
    assert board.history.undo_name == "Paint 3"
    board.walk(board.history.back())
    assert (board.history.undo_name, board.history.redo_name) == (None, "Paint 3")
    assert board.history.back() is None
    board.walk(board.history.forward())
    assert board.history.forward() is None


def test_peek_shows_the_next_step_and_leaves_it() -> None:
    board = Board()
    assert board.history.peek(-1) is None
    board.paint(3)
    step = board.history.peek(-1)
    assert step is not None
    assert step.name == "Paint 3"
    assert board.history.peek(1) is None
    assert len(board.history) == 1


def test_memory_is_bounded_by_dropping_the_oldest_steps() -> None:
    board = Board(limit=100)
    for value in range(200):
        board.paint(value)
    assert 1 <= len(board.history) <= 100
    newest = board.array.copy()
    assert board.walk(board.history.back())
    assert not np.array_equal(board.array, newest)


def test_landmark_steps_cost_no_label_memory() -> None:
    history = History(limit_bytes=1)
    for _ in range(5):
        history.add(LandmarkChange(LandmarkSet(), LandmarkSet()))
    assert len(history) == 5


def test_what_is_held_is_counted_as_it_is() -> None:
    rng = np.random.default_rng(4)
    labels = rng.integers(0, 3, (40, 60, 60), dtype=np.uint8).T
    history = History()
    tracemalloc.start()
    try:
        before_bytes, _ = tracemalloc.get_traced_memory()
        for _ in range(300):
            i, j, k = (int(rng.integers(0, n - 12)) for n in labels.shape)
            box = slice(i, i + 9), slice(j, j + 9), slice(k, k + int(rng.integers(1, 12)))
            after = labels.T.copy().T
            after[box] = rng.integers(0, 9)
            patch = Patch.between(labels[box], after[box], start=(i, j, k), name="Paint")
            if patch is not None:
                patch.apply(labels)
                history.add(patch)
        del after, patch
        held = tracemalloc.get_traced_memory()[0] - before_bytes
    finally:
        tracemalloc.stop()
    assert abs(history.nbytes - held) < 0.2 * held


def test_five_hundred_mixed_steps_stay_far_below_the_limit() -> None:
    # An eighth of 512 x 512 x 400 along each axis: a scan's share of the limit is its volume's.
    i, j, k = np.ogrid[:64, :64, :50]
    organ = (((i - 30) / 20) ** 2 + ((j - 30) / 17) ** 2 + ((k - 25) / 20) ** 2 < 1).T
    labels = np.zeros((50, 64, 64), np.uint8).T
    start, history = labels.T.copy().T, History()
    rng = np.random.default_rng(1)
    for number in range(500):
        after = labels.T.copy().T
        if number % 20 == 0:
            after[np.roll(organ, number % 7, axis=2).T] = number % 9 + 1
        else:
            at = [int(rng.integers(0, n - 6)) for n in labels.shape]
            after[at[0] : at[0] + 6, at[1] : at[1] + 6, at[2] : at[2] + 3] = number % 9
        patch = Patch.between(labels, after)
        if patch is not None:
            patch.apply(labels)
            history.add(patch)
    assert history.dropped == 0
    assert history.nbytes < 200e6 / 64
    while (step := history.back()) is not None:
        assert isinstance(step, Patch)
        step.apply(labels)
    assert np.array_equal(labels, start)


def test_memory_shared_by_a_way_and_its_way_back_counts_once() -> None:
    board = Board()
    board.paint(1)
    board.paint(2)
    held = board.history.nbytes
    board.walk(board.history.back())
    board.walk(board.history.back())
    assert board.history.nbytes == held
    board.paint(3)
    assert len(board.history) == 5
    assert held < board.history.nbytes < 2 * held


def test_dropped_steps_are_said() -> None:
    board = Board(limit=5000)
    board.paint(1)
    assert board.history.words == "1 step, 0.0 of 0 MB"
    for value in range(2, 40):
        board.paint(value)
    history = board.history
    assert history.nbytes <= 5000
    assert history.dropped + len(history) == 39
    assert history.words.endswith(
        f"; the {history.dropped} oldest were dropped and cannot be undone"
    )
