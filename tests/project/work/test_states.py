"""The transition table, walked from end to end."""

from __future__ import annotations

from itertools import product
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.errors import RefusedError
from napari_medlabel.project.work.states import (
    DONE,
    OPEN,
    STATES,
    TABLE,
    Action,
    State,
    leads,
    named,
    transition,
)

ACTIONS = get_args(Action)


def test_the_list_of_states_is_the_type() -> None:
    assert get_args(State) == STATES
    assert set(STATES) >= OPEN | DONE


@pytest.mark.parametrize(("state", "action"), list(product(STATES, ACTIONS)))
def test_what_is_in_the_table_happens_and_all_else_is_refused_naming_both(
    state: State, action: Action
) -> None:
    if (state, action) in TABLE:
        assert transition(state, action) == TABLE[state, action]
        return
    with pytest.raises(RefusedError, match=f"that is {named(state)} cannot be") as caught:
        transition(state, action)
    assert caught.value.hint


def test_every_state_is_reached_and_is_left_or_final() -> None:
    reached, todo = {"todo"}, ["todo"]
    while todo:
        at = todo.pop()
        for (state, _), after in TABLE.items():
            if state == at and after not in reached:
                reached.add(after)
                todo.append(after)
    assert reached == set(STATES)
    assert {state for state, _ in TABLE} == set(STATES)


def test_every_action_is_used() -> None:
    assert {action for _, action in TABLE} == set(ACTIONS)


def test_nothing_is_approved_without_having_been_in_review() -> None:
    before = {state for (state, action), after in TABLE.items() if after == "approved"}
    assert before == {"in_review", "corrected"}
    assert {s for (s, _), after in TABLE.items() if after == "corrected"} == {"in_review"}


def test_a_done_reading_is_touched_only_by_unlocking_outdating_or_a_conflict() -> None:
    assert {a for s, a in TABLE if s == "approved"} == {"unlock", "outdate", "collide"}


@given(st.lists(st.sampled_from(ACTIONS), max_size=40))
def test_whatever_is_tried_the_state_stays_one_of_the_list(actions: list[Action]) -> None:
    state: State = "todo"
    for action in actions:
        after = leads(state, action)
        if after is not None:
            state = after
        assert state in STATES
