"""Placing landmarks: the next one is named before the click, and every act can be undone."""

from __future__ import annotations

import numpy as np
import pytest

from napari_medlabel.errors import InputError
from napari_medlabel.model.landmarks import Landmark, LandmarkSet
from napari_medlabel.session.case import Session
from napari_medlabel.session.marking import Marking

P, Q = (1.0, 2.0, 3.0), (4.0, 5.0, 6.0)


@pytest.fixture
def marking(session: Session) -> Marking:
    session.set_landmarks(LandmarkSet(tuple(Landmark(name) for name in "abcd")))
    return session.marking


def name_of(marking: Marking) -> str | None:
    return None if marking.current is None else marking.current.name


def marks(marking: Marking) -> LandmarkSet:
    return marking._session.landmarks


def test_a_click_is_a_draft_until_it_is_committed(marking: Marking) -> None:
    steps = len(marking._session.history)
    assert name_of(marking) == "a"
    assert marking.click(P, "axial") == "a"
    assert marking.click(Q, "sagittal") == "a"
    assert marks(marking).placed == ()
    assert len(marking._session.history) == steps
    marking.look("coronal")
    assert marking.commit() == "a"
    assert marks(marking)["a"].point_ras == Q
    assert marks(marking)["a"].inspected == ("axial", "coronal", "sagittal")
    assert (name_of(marking), marking.draft) == ("b", None)
    assert marking.progress == (1, 4)
    assert len(marking._session.history) == steps + 1


def test_a_draft_can_be_given_up(marking: Marking) -> None:
    assert marking.commit() is None
    marking.click(P)
    marking.cancel()
    assert marking.draft is None
    marking.click(P)
    marking.aim("c")
    assert marking.draft is None
    marking.look("axial")
    assert marking.commit() is None
    assert marks(marking).placed == ()


def test_quick_mode_places_and_goes_on(marking: Marking) -> None:
    marking.mode = "quick"
    assert [marking.click(P, "axial") for _ in range(4)] == ["a", "b", "c", "d"]
    assert marks(marking)["d"].inspected == ("axial",)
    assert marking.current is None
    with pytest.raises(InputError, match="All landmarks are placed"):
        marking.click(P)


def test_going_on_from_the_middle_skips_what_is_done(marking: Marking) -> None:
    marking.mode = "quick"
    marking.aim("c")
    assert marking.click(P) == "c"
    assert name_of(marking) == "d"
    marking.click(P)
    assert name_of(marking) == "a"
    marking.aim("b")
    marking.click(P)
    assert name_of(marking) == "a"


def test_free_mode_stays_where_it_aims_and_makes_new_ones(marking: Marking) -> None:
    marking.mode = "free"
    assert marking.current is None
    assert marking.click(P) == "Point 5"
    assert marking.click(Q) == "Point 6"
    marking.aim("b")
    marking.click(P)
    assert marking.click(Q) == "b"
    assert marks(marking)["b"].point_ras == Q
    with pytest.raises(InputError, match="no landmark of that name"):
        marking.aim("z")


def test_skipping_needs_a_reason_and_counts_as_done(marking: Marking) -> None:
    assert marking.skip("resected") == "a"
    assert marks(marking)["a"].absent == "resected"
    assert name_of(marking) == "b"
    for _ in range(3):
        marking.skip("outside-field")
    assert marking.skip("artefact") is None
    assert marking.progress == (4, 4)
    marking.aim("a")
    with pytest.raises(InputError, match="one of four reasons"):
        marking.skip("lost")


def test_doubt_clear_and_lock(marking: Marking) -> None:
    with pytest.raises(InputError, match="has a position"):
        marking.doubt("a", 3.0)
    marking.mode = "quick"
    marking.click(P)
    marking.doubt("a", 3.0)
    assert marks(marking)["a"].state == "uncertain"
    marking.doubt("a", None)
    assert marks(marking)["a"].state == "placed"
    marking.lock("a")
    for act in (
        lambda: marking.clear("a"),
        lambda: marking.doubt("a", 1.0),
        lambda: (marking.aim("a"), marking.click(Q)),
        lambda: (marking.aim("a"), marking.nudge_mm(1, 0, 0)),
        lambda: (marking.aim("a"), marking.skip("artefact")),
    ):
        with pytest.raises(InputError, match="locked"):
            act()
    marking.lock("a", locked=False)
    marking.clear("a")
    assert marks(marking)["a"].is_open
    marking.skip("artefact")
    marking.lock_all()
    assert [m.locked for m in marks(marking)] == [True, False, False, False]


def test_a_nudge_moves_the_draft_and_then_the_landmark(marking: Marking) -> None:
    assert marking.nudge_mm(1, 0, 0) is None
    marking.click(P)
    assert marking.nudge_mm(0.5, 0, -1) == (1.5, 2.0, 2.0)
    marking.commit()
    assert marks(marking)["a"].point_ras == (1.5, 2.0, 2.0)
    # Placed, and no longer aimed at: a key does not move it by accident.
    assert marking.nudge_mm(1, 0, 0) is None
    marking.aim("a")
    marking.doubt("a", 2.0)
    before = np.array(marks(marking)["a"].point_ras)
    after = np.array(marking.nudge_voxels(0, 0, 1))
    affine = marking._session.volume.grid.affine
    np.testing.assert_allclose(
        affine.to_index(after) - affine.to_index(before), (0, 0, 1), atol=1e-9
    )
    assert marks(marking)["a"].uncertain_mm == 2.0


def test_every_act_is_one_step_that_undo_takes_back(marking: Marking) -> None:
    session = marking._session
    states = [session.landmarks]
    marking.mode = "quick"
    for act in (
        lambda: marking.click(P, "axial"),
        lambda: marking.skip("artefact"),
        lambda: marking.doubt("a", 2.0),
        lambda: (marking.aim("a"), marking.nudge_mm(1, 0, 0)),
        lambda: marking.lock("a"),
        marking.lock_all,
    ):
        act()
        states.append(session.landmarks)
    assert len(session.history) == len(states)
    for state in reversed(states[:-1]):
        session.undo()
        assert session.landmarks == state
    for state in states[1:]:
        session.redo()
        assert session.landmarks == state


def test_undo_goes_back_to_the_landmark_that_is_open_again(marking: Marking) -> None:
    marking.mode = "quick"
    marking.click(P)
    marking.click(P)
    assert name_of(marking) == "c"
    marking._session.undo()
    assert name_of(marking) == "b"


def test_aim_and_draft_end_with_their_landmark(marking: Marking) -> None:
    marking.aim("b")
    marking.click(P)
    marking._session.set_landmarks(LandmarkSet((Landmark("x"),)))
    assert (name_of(marking), marking.draft) == ("x", None)


def test_one_can_walk_the_list_both_ways(marking: Marking) -> None:
    walked = []
    for step in (1, 1, -1, -1, -1):
        marking.aim_next(step)
        walked.append(name_of(marking))
    assert walked == ["b", "c", "b", "a", "d"]
    marking.mode = "free"
    marking.aim_next(-1)
    assert name_of(marking) == "d"
    marking._session.set_landmarks(LandmarkSet())
    marking.aim_next()
    assert marking.current is None


def test_everybody_hears_of_a_change(marking: Marking) -> None:
    heard: list[int] = []
    marking.changed.connect(lambda: heard.append(1))
    for act in (
        lambda: marking.click(P),
        lambda: marking.look("axial"),
        marking.commit,
        lambda: setattr(marking, "mode", "quick"),
    ):
        before = len(heard)
        act()
        assert len(heard) > before
