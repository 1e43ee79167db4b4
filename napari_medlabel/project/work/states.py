"""States of a reading and the actions between them; every other action is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from napari_medlabel.errors import RefusedError

State = Literal[
    "todo",
    "in_progress",
    "submitted",
    "in_review",
    "approved",
    "rejected",
    "corrected",
    "skipped",
    "problem",
    "stale",
    "conflict",
]
STATES: Final[tuple[State, ...]] = (
    "todo",
    "in_progress",
    "submitted",
    "in_review",
    "approved",
    "rejected",
    "corrected",
    "skipped",
    "problem",
    "stale",
    "conflict",
)
Action = Literal[
    "start",
    "release",
    "submit",
    "withdraw",
    "skip",
    "problem",
    "resume",
    "begin_review",
    "leave_review",
    "approve",
    "reject",
    "correct",
    "unlock",
    "outdate",
    "confirm",
    "collide",
    "settle",
]

TABLE: Final[Mapping[tuple[State, Action], State]] = {
    # the annotator
    ("todo", "start"): "in_progress",
    ("in_progress", "release"): "todo",
    ("in_progress", "submit"): "submitted",
    ("submitted", "withdraw"): "in_progress",
    ("rejected", "start"): "in_progress",
    ("todo", "skip"): "skipped",
    ("in_progress", "skip"): "skipped",
    ("todo", "problem"): "problem",
    ("in_progress", "problem"): "problem",
    ("submitted", "problem"): "problem",
    ("in_review", "problem"): "problem",
    ("skipped", "resume"): "todo",
    ("problem", "resume"): "todo",
    # the reviewer
    ("submitted", "begin_review"): "in_review",
    ("in_review", "leave_review"): "submitted",
    ("in_review", "approve"): "approved",
    ("in_review", "reject"): "rejected",
    ("in_review", "correct"): "corrected",
    # What a reviewer changed is approved, or not, by somebody who did not change it.
    ("corrected", "approve"): "approved",
    ("corrected", "reject"): "rejected",
    ("approved", "unlock"): "in_progress",
    # guideline, ontology or scan changed under a finished reading
    ("submitted", "outdate"): "stale",
    ("in_review", "outdate"): "stale",
    ("approved", "outdate"): "stale",
    ("corrected", "outdate"): "stale",
    ("stale", "start"): "in_progress",
    ("stale", "confirm"): "submitted",
    # two people on one slot
    **{
        (state, "collide"): "conflict"
        for state in STATES
        if state not in ("todo", "skipped", "conflict")
    },
    ("conflict", "settle"): "submitted",
    ("conflict", "resume"): "todo",
}
"""Where each action leads from each state; what is not here does not happen."""

OPEN: Final[frozenset[State]] = frozenset({"todo", "in_progress", "rejected", "stale"})
"""States in which an annotator has something to do."""
DONE: Final[frozenset[State]] = frozenset({"approved", "skipped"})
"""States in which nobody has."""

_WORDS: Final[Mapping[str, str]] = {
    "start": "begun",
    "release": "given back",
    "submit": "submitted",
    "withdraw": "taken back",
    "skip": "skipped",
    "problem": "raised as a problem",
    "resume": "taken up again",
    "begin_review": "taken into review",
    "leave_review": "given back by its reviewer",
    "approve": "approved",
    "reject": "sent back",
    "correct": "corrected by a reviewer",
    "unlock": "unlocked",
    "outdate": "marked as outdated",
    "confirm": "confirmed",
    "collide": "marked as a conflict",
    "settle": "settled",
}


def named(state: State) -> str:
    """Return a state in words."""
    return state.replace("_", " ")


def leads(state: State, action: Action) -> State | None:
    """Return where an action leads, None where it is not possible."""
    return TABLE.get((state, action))


def transition(state: State, action: Action) -> State:
    """Return the state after an action.

    Raises
    ------
    RefusedError
        When the action is not possible in that state; both are named, and what is possible.
    """
    after = leads(state, action)
    if after is None:
        possible = [_WORDS[a] for (s, a) in TABLE if s == state and a != "collide"]
        raise RefusedError(
            f"A reading that is {named(state)} cannot be {_WORDS[action]}.",
            hint=f"Now it can be {_listed(possible)}." if possible else "It is at its end.",
        )
    return after


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
