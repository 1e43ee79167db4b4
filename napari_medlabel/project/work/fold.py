"""The worklist, folded from the steps in the log: one log, many views, and no state beside it.

Steps of one reading are ordered by their numbers, never by clocks. Two different steps of one
number were made by people who did not know of each other: the reading is in conflict, and both
masks are kept and named until somebody settles it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Final

from napari_medlabel.project.layout import CaseId
from napari_medlabel.project.work.states import State, leads, transition
from napari_medlabel.project.work.steps import Step


@dataclass(frozen=True)
class SlotState:
    """Where one reading of a case stands.

    Parameters
    ----------
    state : str
        See `states.STATES`.
    steps : int
        Number of its last step; the next one has one more.
    user : str
        Token of the annotator; empty before anybody began.
    reviewer : str
        Token of the last who reviewed it.
    content : str
        Content id of the last submitted or corrected mask; empty before.
    sheets : tuple of str
        Content ids of its masks of further layers, by layer.
    version : int
        Its number.
    since : str
        Time of the last step, by the clock of who made it.
    by : str
        Token of who took it.
    rounds : int
        How often it was submitted.
    active_s : int
        Seconds of work that its submissions tell.
    ontology, guideline : str
        Digests it was submitted, or confirmed, under.
    maker : str
        Token of who made the mask that counts now: the annotator, or who corrected it.
    reason : str
        Code that was given with the last step; empty where none was.
    tags : tuple of str
        What the last reviewer found, see `kinds.TAGS`.
    returned : tuple of int
        Values of the labels that the last reviewer sent back.
    likert : int
        The last reviewer's score, 1 to 5; 0 for none.
    rivals : tuple of Step
        Where in conflict: the steps of which only one can count, and what came after them.
    unheard : tuple of Step
        Steps that were not possible in the state they met, and changed nothing.
    gaps : tuple of int
        Numbers that are missing: part of the log has not come yet.
    """

    state: State = "todo"
    steps: int = 0
    user: str = ""
    reviewer: str = ""
    content: str = ""
    version: int = 0
    since: str = ""
    by: str = ""
    rounds: int = 0
    active_s: int = 0
    ontology: str = ""
    guideline: str = ""
    maker: str = ""
    reason: str = ""
    tags: tuple[str, ...] = ()
    returned: tuple[int, ...] = ()
    likert: int = 0
    rivals: tuple[Step, ...] = ()
    unheard: tuple[Step, ...] = ()
    gaps: tuple[int, ...] = ()
    sheets: tuple[str, ...] = ()

    @property
    def masks(self) -> tuple[str, ...]:
        """Content ids of the masks of all layers that count now, the first layer's first."""
        return (self.content, *self.sheets) if self.content else ()

    @property
    def owner(self) -> str:
        """Token of whose it is: the annotator's, or of who skipped what nobody had begun."""
        return self.user or (self.by if self.state in ("skipped", "problem") else "")


@dataclass(frozen=True)
class CaseRow:
    """One line of the worklist.

    Parameters
    ----------
    case : CaseId
        The case.
    content : str
        Content id of its scan.
    slots : mapping of str to SlotState
        Its readings, and the consensus where it was begun.
    """

    case: CaseId
    content: str
    slots: Mapping[str, SlotState]


@dataclass(frozen=True)
class Worklist:
    """All cases of a study, by name.

    Parameters
    ----------
    rows : tuple of CaseRow
        A line for each.
    strangers : tuple of Step
        Steps on cases that the study does not have.
    """

    rows: tuple[CaseRow, ...]
    strangers: tuple[Step, ...] = ()

    def row(self, case: CaseId) -> CaseRow | None:
        """Return a case's line, None when the study does not have it."""
        return next((row for row in self.rows if row.case == case), None)

    def counts(self) -> dict[State, int]:
        """Return how many readings are in each state that occurs."""
        states = Counter(slot.state for row in self.rows for slot in row.slots.values())
        return dict(states)

    def outdated(self, *, ontology: str, guideline: str) -> tuple[tuple[CaseId, str], ...]:
        """Return finished readings (case, slot) that were made under other rules.

        Parameters
        ----------
        ontology, guideline : str
            The digests of today.
        """
        return tuple(
            (row.case, name)
            for row in self.rows
            for name, slot in row.slots.items()
            if leads(slot.state, "outdate") is not None
            and (slot.ontology, slot.guideline) != (ontology, guideline)
        )


def fold(cases: Mapping[str, CaseId], steps: Iterable[Step], slots: Sequence[str]) -> Worklist:
    """Fold steps into a worklist.

    Parameters
    ----------
    cases : mapping of str to CaseId
        Cases by the content id of their scan.
    steps : iterable of Step
        In any order, perhaps twice.
    slots : sequence of str
        The readings that each case is to have.
    """
    by_slot: dict[tuple[str, str], list[Step]] = {}
    strangers = []
    for step in steps:
        if step.case in cases:
            by_slot.setdefault((step.case, step.slot), []).append(step)
        else:
            strangers.append(step)
    rows = []
    for content, case in sorted(cases.items(), key=lambda pair: str(pair[1])):
        begun = {slot for known, slot in by_slot if known == content}
        names = [*slots, *sorted(begun - set(slots))]
        found = {name: fold_slot(by_slot.get((content, name), ())) for name in names}
        rows.append(CaseRow(case, content, found))
    return Worklist(tuple(rows), tuple(strangers))


def fold_slot(steps: Iterable[Step]) -> SlotState:
    """Fold the steps of one reading, in any order, perhaps twice."""
    now = SlotState()
    ordered = sorted(steps, key=lambda step: (step.number, step.says, step.time))
    for number, group in groupby(ordered, key=lambda step: step.number):
        # A log that came twice, over two ways, says one thing twice.
        rivals = list({step.says: step for step in group}.values())
        missing = tuple(range(now.steps + 1, number))
        now = replace(now, gaps=now.gaps + missing, steps=number)
        now = _one(now, rivals[0]) if len(rivals) == 1 else _several(now, rivals)
    return now


def _one(now: SlotState, step: Step) -> SlotState:
    after = leads(now.state, step.action)
    if after is None:
        if now.state == "conflict":
            # They went on without knowing: what they submitted is kept for who settles it.
            return replace(now, rivals=(*now.rivals, step))
        return replace(now, unheard=(*now.unheard, step))
    now = replace(now, state=after, since=step.time, by=step.user, reason=step.reason)
    return _noted(now, step)


def _several(now: SlotState, rivals: list[Step]) -> SlotState:
    """Put a reading into conflict, unless at most one of the steps was possible at all."""
    possible = [step for step in rivals if leads(now.state, step.action) is not None]
    rest = tuple(step for step in rivals if step not in possible)
    if now.state == "conflict" and not possible:
        return replace(now, rivals=(*now.rivals, *rest))
    now = replace(now, unheard=(*now.unheard, *rest))
    if not possible:
        return now
    # Where one of them made or holds something, that must not be lost behind one that did not.
    possible.sort(key=lambda step: leads(transition(now.state, step.action), "collide") is None)
    now = _one(now, possible[0])
    if len(possible) == 1:
        return now
    if leads(now.state, "collide") is None:  # given back, or skipped, twice
        return replace(now, unheard=(*now.unheard, *possible[1:]))
    state = transition(now.state, "collide")
    return replace(now, state=state, rivals=(*now.rivals, *possible))


def _noted(now: SlotState, step: Step) -> SlotState:
    """Note who and what a step tells of."""
    detail = step.detail or {}
    if step.action == "start":
        return replace(now, user=step.user)
    if step.action in ("release", "resume"):
        return replace(now, user="", rivals=())
    if step.action == "submit":
        return replace(
            now,
            user=step.user,
            maker=step.user,
            content=step.content,
            sheets=step.sheets,
            version=step.version,
            rounds=now.rounds + 1,
            active_s=now.active_s + int(detail.get("active_s", 0)),
            ontology=str(detail.get("ontology", "")),
            guideline=str(detail.get("guideline", "")),
            **_UNJUDGED,
        )
    if step.action == "confirm":
        ontology = str(detail.get("ontology", now.ontology))
        return replace(
            now, ontology=ontology, guideline=str(detail.get("guideline", now.guideline))
        )
    if step.action == "settle":
        return _settled(now, step)
    return _judged(now, step)


def _settled(now: SlotState, step: Step) -> SlotState:
    """Let one of the rivals count: the one with all the masks, and the maker, that are named.

    A log of before names the first layer's mask alone.
    """
    maker = str((step.detail or {}).get("maker", ""))
    chosen = next(
        (
            one
            for one in now.rivals
            if one.content == step.content
            and (not step.sheets or one.sheets == step.sheets)
            and maker in ("", one.user)
            and step.version in (0, one.version)
        ),
        None,
    )
    if chosen is None:
        content, version = step.content or now.content, step.version or now.version
        return replace(now, maker=now.user, content=content, version=version, rivals=())
    told = chosen.detail or {}
    return replace(
        now,
        user=chosen.user,
        maker=chosen.user,
        content=chosen.content,
        sheets=chosen.sheets,
        version=chosen.version or now.version,
        ontology=str(told.get("ontology", now.ontology)),
        guideline=str(told.get("guideline", now.guideline)),
        rivals=(),
    )


_UNJUDGED: Final[Mapping[str, Any]] = {"tags": (), "returned": (), "likert": 0}


def _judged(now: SlotState, step: Step) -> SlotState:
    """Note what a reviewer did."""
    detail = step.detail or {}
    if step.action == "begin_review":
        return replace(now, reviewer=step.user)
    if step.action in ("approve", "reject"):
        returned = detail.get("labels", ()) if step.action == "reject" else ()
        return replace(
            now,
            reviewer=step.user,
            tags=tuple(detail.get("tags", ())),
            returned=tuple(returned),
            likert=int(detail.get("likert", 0)),
        )
    if step.action == "correct":
        content, version = step.content or now.content, step.version or now.version
        maker = step.user if step.content else now.maker
        sheets = step.sheets if step.content else now.sheets
        return replace(
            now,
            reviewer=step.user,
            maker=maker,
            content=content,
            sheets=sheets,
            version=version,
        )
    return now
