"""Placing landmarks: the next one is named before the click, and every act can be undone."""

from __future__ import annotations

from collections.abc import Callable

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


def inside(marking: Marking, *ijk: float) -> tuple[float, ...]:
    """Return the RAS mm of a voxel."""
    return tuple(marking._session.volume.grid.affine.apply(np.array(ijk, float)))


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
    x, y, z = inside(marking, 3, 4, 2)
    marking.click((x, y, z))
    assert marking.nudge_mm(0.5, 0, -1) == (x + 0.5, y, z - 1)
    marking.commit()
    assert marks(marking)["a"].point_ras == (x + 0.5, y, z - 1)
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


@pytest.mark.parametrize("is_placed", [False, True])
def test_a_nudge_ends_at_the_edge_of_the_scan(marking: Marking, is_placed: bool) -> None:
    grid = marking._session.volume.grid
    marking.aim("a")
    marking.click(inside(marking, 1, 1, 1))
    if is_placed:
        marking.commit()
        marking.aim("a")
    for step, end in ((-1, -0.5), (1, None)):
        for axis in range(3):
            for _ in range(max(grid.shape) + 2):
                at = marking.nudge_voxels(*(step * (n == axis) for n in range(3)))
            for _ in range(3):
                assert marking.nudge_voxels(*(step * (n == axis) for n in range(3))) == at
            last = grid.shape[axis] - 0.5 if end is None else end
            assert grid.affine.to_index(np.array(at))[axis] == pytest.approx(last, abs=1e-5)
            index = grid.affine.to_index(np.array(at))
            assert ((index >= -0.5) & (index < np.array(grid.shape) - 0.5)).all()
    marking.nudge_mm(1e4, -1e4, 1e4)
    index = grid.affine.to_index(np.array(marking.draft.point_ras if marking.draft
                                          else marks(marking)["a"].point_ras))  # fmt: skip
    assert ((index >= -0.5) & (index < np.array(grid.shape) - 0.5)).all()


def test_a_landmark_outside_of_the_scan_is_nudged_towards_it_only(marking: Marking) -> None:
    session = marking._session
    session.place_landmark("a", inside(marking, -4, 1, 1))
    marking.aim("a")
    assert marking.nudge_voxels(-1, 0, 0) == marks(marking)["a"].point_ras
    np.testing.assert_allclose(marks(marking)["a"].point_ras, inside(marking, -4, 1, 1))
    np.testing.assert_allclose(marking.nudge_voxels(1, 0, 0), inside(marking, -3, 1, 1))


def test_saying_absent_gives_the_draft_up_and_the_next_click_is_for_the_next(
    marking: Marking,
) -> None:
    marking.click(P, "axial")
    assert marking.skip("not-identifiable") == "a"
    assert (name_of(marking), marking.draft) == ("b", None)
    assert marking.commit() is None
    assert marks(marking)["a"].absent == "not-identifiable"
    assert marking.click(Q) == "b"
    marking.commit()
    assert [m.name for m in marks(marking).placed] == ["b"]
    marking.aim("a")
    marking.click(P)
    marking.skip("not-identifiable")  # as before: no step, and no draft either
    assert marking.draft is None


def test_with_a_draft_the_landmark_shown_is_the_drafts(marking: Marking) -> None:
    session = marking._session
    marking.click(P)
    marking.commit()
    marking.click(P)
    session.undo()  # "a" is open again
    assert name_of(marking) == "b"
    assert marking.click(Q) == "b"
    marking.aim_next()
    assert (name_of(marking), marking.draft) == ("c", None)


def test_clearing_a_landmark_takes_its_draft_and_no_other(marking: Marking) -> None:
    marking.click(P)
    marking.clear("c")
    assert marking.draft is not None
    marking.clear("a")
    assert marking.draft is None
    assert name_of(marking) == "a"


def test_a_refused_absence_or_placing_leaves_the_draft(
    marking: Marking, monkeypatch: pytest.MonkeyPatch
) -> None:
    marking.click(P)
    with pytest.raises(InputError, match="one of four reasons"):
        marking.skip("lost")
    assert marking.draft is not None

    def refuse(_marks: LandmarkSet, *, name: str) -> None:
        raise InputError(f"{name}: not here.", hint="")

    monkeypatch.setattr(marking._session, "set_landmarks", refuse)
    with pytest.raises(InputError, match="not here"):
        marking.commit()
    assert marking.draft is not None


@pytest.mark.parametrize(
    "act",
    [
        lambda s: s.set_landmarks(s.landmarks.with_mark(Landmark("a", locked=True))),
        lambda s: s.set_landmarks(s.landmarks.with_mark(Landmark("a", absent="resected"))),
        lambda s: s.set_landmarks(s.landmarks.with_mark(Landmark("a", None, "Elsewhere"))),
        lambda s: s.set_landmarks(s.landmarks.without("a")),
        lambda s: s.place_landmark("a", Q),
    ],
)
def test_a_draft_ends_when_its_landmark_changes_otherwise(
    marking: Marking, act: Callable[[Session], object]
) -> None:
    marking.click(P)
    act(marking._session)
    assert marking.draft is None
    expected = marks(marking)
    assert marking.commit() is None
    assert marks(marking) == expected


def test_undo_and_redo_of_its_landmark_end_a_draft(marking: Marking) -> None:
    marking.click(P)
    marking.commit()
    for walk in (marking._session.undo, marking._session.redo):
        marking.aim("a")
        marking.click(Q)
        walk()
        assert marking.draft is None
    assert marks(marking)["a"].point_ras == P


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
