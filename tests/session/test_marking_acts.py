"""Whatever was done before: the landmark that is named is what the next click changes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.errors import InputError
from napari_medlabel.model.landmarks import Landmark, LandmarkSet
from napari_medlabel.session.case import Session

START: Final = LandmarkSet(
    (Landmark("a"), Landmark("b", None, "Tip"), Landmark("c", locked=True), Landmark("d"))
)
TEMPLATE: Final = LandmarkSet(
    (Landmark("d"), Landmark("b", None, "Another tip"), Landmark("e"))
)
NAMES: Final = st.sampled_from(["a", "b", "c", "d", "e", "Point 5"])
Act = Callable[[Session], object]


def load(session: Session, name: str) -> None:
    given = LandmarkSet((Landmark(name, (3.0, 3.0, 3.0)),))
    session.set_landmarks(given.merged_into(session.landmarks), name="Load landmarks")


def change_template(session: Session) -> None:
    kept = LandmarkSet(tuple(mark for mark in session.landmarks if not mark.is_open))
    session.set_landmarks(kept.merged_into(TEMPLATE), name="Change template")


def named(name: str, act: Callable[[Session, str], object]) -> Act:
    return lambda session: act(session, name)


QUIET: Final = st.sampled_from(
    [
        lambda s: s.undo(),
        lambda s: s.redo(),
        lambda s: s.marking.aim(None),
        lambda s: s.marking.aim_next(1),
        lambda s: s.marking.aim_next(-1),
        lambda s: s.marking.cancel(),
        lambda s: s.marking.look("coronal"),
        lambda s: s.marking.nudge_voxels(1, 0, 0),
        lambda s: s.marking.lock_all(),
        lambda s: s.set_landmarks(LandmarkSet()),
        lambda s: setattr(s.marking, "mode", "quick"),
        lambda s: setattr(s.marking, "mode", "free"),
        change_template,
    ]
)
NAMED: Final = st.builds(
    named,
    NAMES,
    st.sampled_from(
        [
            lambda s, name: s.marking.aim(name),
            lambda s, name: s.marking.clear(name),
            lambda s, name: s.marking.lock(name),
            lambda s, name: s.marking.lock(name, locked=False),
            lambda s, name: s.marking.doubt(name, 2.0),
            lambda s, name: s.set_landmarks(s.landmarks.without(name)),
            lambda s, name: s.place_landmark(name, (7.0, 7.0, 7.0)),
            load,
        ]
    ),
)
TOLD: Final = ("click", "enter", "absent", "sequential")
ACTS: Final = st.lists(st.sampled_from(TOLD) | QUIET | NAMED, max_size=25)


def changed(before: LandmarkSet, after: LandmarkSet) -> set[str]:
    """Return the names of which something was changed, added or removed."""
    return {mark.name for mark in set(before.landmarks) ^ set(after.landmarks)}


def do_as_told(session: Session, act: str, number: int) -> None:
    """Click, press Enter or say absent; only what was named before may change."""
    marking, before = session.marking, session.landmarks
    shown, draft = marking.current, marking.draft
    try:
        if act == "click":
            name = marking.click((float(number), 1.0, 2.0), "axial")
            assert shown is None or name == shown.name
            assert shown is not None or name not in before
        elif act == "enter":
            assert marking.commit() == (None if draft is None or shown is None else shown.name)
        else:
            assert marking.skip("resected") == (None if shown is None else shown.name)
            assert marking.draft is None
    except InputError:
        assert session.landmarks == before
        return
    only = {None if shown is None else shown.name}
    if act == "click" and shown is None:
        only = {name}
    assert changed(before, session.landmarks) <= only
    if act == "enter" and draft is not None:
        assert session.landmarks[draft.name].point_ras == draft.point_ras


@settings(max_examples=250, deadline=None)
@given(acts=ACTS)
def test_only_the_landmark_that_is_named_changes_by_a_click_enter_or_absent(
    session: Session, acts: list[str | Act]
) -> None:
    marking = session.marking
    session.set_landmarks(START)
    session.history.clear()
    marking.aim(None)
    marking.mode = "sequential"
    for number, act in enumerate(acts):
        if act == "sequential":
            marking.mode = "sequential"
        elif isinstance(act, str):
            do_as_told(session, act, number)
        else:
            with suppress(InputError):  # locked, not there, not placed: nothing to do
                act(session)
        draft, shown = marking.draft, marking.current
        if draft is not None:
            assert shown is not None
            assert shown.name == draft.name
            assert not shown.locked
    assert marking.progress[1] == len(session.landmarks)


@pytest.mark.parametrize("act", ["skip", "undo"])
def test_a_click_after_absent_or_undo_is_for_the_landmark_named_then(
    session: Session, act: str
) -> None:
    session.set_landmarks(START)
    marking = session.marking
    marking.click((1.0, 2.0, 3.0))
    marking.commit()
    marking.click((4.0, 5.0, 6.0))
    if act == "skip":
        marking.skip("artefact")
    else:
        session.undo()
    do_as_told(session, "click", 9)
    do_as_told(session, "enter", 9)
