"""The list that somebody at work in a study sees: their readings, and those open to them.

Who reads blind sees no row of another's reading; managers see all rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from napari_medlabel.project.layout import CONSENSUS, CaseId
from napari_medlabel.project.work import claims
from napari_medlabel.project.work.choosing import (
    Chooser,
    Strategy,
    to_read,
    to_review,
    with_served,
)
from napari_medlabel.project.work.fold import CaseRow, SlotState, Worklist
from napari_medlabel.project.work.states import State
from napari_medlabel.session.study.disputes import ready_among
from napari_medlabel.session.study.lettering import hides_letters
from napari_medlabel.session.study.seat import Seat, worklist
from napari_medlabel.session.study.working import chooser, rules_now

Kind = Literal["read", "review", "settle", "other"]
Can = Literal[
    "open",
    "look",
    "skip",
    "problem",
    "release",
    "withdraw",
    "confirm",
    "take_over",
    "resume",
    "review",
    "settle",
]
Heap = Literal["todo", "in_progress", "submitted", "done", "problem"]
HEAPS: Final[tuple[Heap, ...]] = ("todo", "in_progress", "submitted", "done", "problem")
_HEAP: Final[Mapping[State, Heap]] = {
    "todo": "todo",
    "rejected": "todo",
    "stale": "todo",
    "in_progress": "in_progress",
    "submitted": "submitted",
    "in_review": "submitted",
    "corrected": "submitted",
    "approved": "done",
    "skipped": "done",
    "problem": "problem",
    "conflict": "problem",
}
_OF_OWN: Final[Mapping[State, tuple[Can, ...]]] = {
    "in_progress": ("open", "skip", "problem", "release"),
    "rejected": ("open",),
    "stale": ("open", "confirm"),
    "submitted": ("look", "withdraw", "problem"),
    "in_review": ("look",),
    "corrected": ("look",),
    "approved": ("look",),
    "skipped": ("resume",),
    "problem": ("resume",),
}


@dataclass(frozen=True)
class Line:
    """One reading in the list.

    Parameters
    ----------
    case : CaseId
        The case.
    slot : str
        ``A`` to ``H``, or ``consensus``.
    state : str
        See `states.STATES`.
    kind : str
        ``read``: one's own, or open to one; ``review``: it waits for one's review; ``settle``:
        a consensus of readings that are all there, ``todo`` or ``approved``, for adjudicators;
        ``other``: a manager sees it.
    rank : int
        Place in the order in which it is offered, from 0; -1 where it is not.
    priority : int
        Larger comes first.
    can : tuple of str
        What may be done with it, the most likely first.
    outdated : bool
        Whether it was made under other rules than today's.
    reason : str
        Code that was given with its last step.
    rater : str
        Code of who reads it; for managers alone, else empty.
    why_not : str
        Why what it is for may not be done by this person; empty where it may.
    is_nameless : bool
        Whether its letter is kept from this person.
    """

    case: CaseId
    slot: str
    state: State
    kind: Kind
    rank: int = -1
    priority: int = 0
    can: tuple[Can, ...] = ()
    outdated: bool = False
    reason: str = ""
    rater: str = ""
    why_not: str = ""
    is_nameless: bool = False

    @property
    def letter(self) -> str:
        """What the person is told of which reading it is; empty where its letter is kept."""
        return "" if self.is_nameless else self.slot

    @property
    def name(self) -> str:
        """Case and letter, as the person is told."""
        return f"{self.case} {self.letter}".rstrip()

    @property
    def heap(self) -> Heap:
        """Among which of the five numbers it counts."""
        return _HEAP[self.state]


@dataclass(frozen=True)
class Listing:
    """What somebody sees of a study.

    Parameters
    ----------
    name : str
        Of the study.
    code : str
        Of who looks.
    roles : tuple of str
        What they may do.
    lines : tuple of Line
        Their own first, in the order in which they are offered.
    next_read, next_review : tuple or None
        Case and slot that come next; None where nothing is left.
    strangers : int
        Steps in the log on cases that the study does not have.
    """

    name: str
    code: str
    roles: tuple[str, ...]
    lines: tuple[Line, ...]
    next_read: tuple[CaseId, str] | None = None
    next_review: tuple[CaseId, str] | None = None
    strangers: int = 0

    def name_of(self, reading: tuple[CaseId, str]) -> str:
        """Return what the person is told that a reading is called."""
        known = {(line.case, line.slot): line.name for line in self.lines}
        return known.get(reading, f"{reading[0]} {reading[1]}")

    def counts(self) -> dict[Heap, int]:
        """Return how many readings are on each heap: one's own and those open to one.

        Who only reviews or manages counts all that they see.
        """
        own = [line for line in self.lines if line.kind == "read"]
        rest = [line for line in self.lines if line.kind != "settle"]
        found = Counter(line.heap for line in own or rest or self.lines)
        return {heap: found[heap] for heap in HEAPS}


def list_for(seat: Seat, strategy: Strategy = "order") -> Listing:
    """Return the list of who sits here, folded from the log as it is now; nothing is written.

    Parameters
    ----------
    strategy : str
        In which order readings of one priority are offered.

    Raises
    ------
    InputError
        When records, ontology or guidelines cannot be read.
    """
    now, who, roles = worklist(seat), chooser(seat, strategy), seat.rater.roles
    reads = to_read(now, who) if "annotator" in roles else ()
    now = with_served(now, reads)
    share = seat.settings.review_share
    reviews = to_review(now, who, share=share) if "reviewer" in roles else ()
    ontology, guideline = rules_now(seat)
    outdated = frozenset(now.outdated(ontology=ontology, guideline=guideline))
    hides = hides_letters(seat.layout, seat.settings, seat.rater)
    view = _View(seat, who, _places(reads), _places(reviews), outdated, hides)
    lines = [
        line
        for row in now.rows
        for slot in row.slots
        if (line := view.line(row, slot)) is not None
    ]
    if "adjudicator" in roles:
        lines = [line for line in lines if line.slot != CONSENSUS]
        lines += _to_settle(seat, now, who)
    order = {"read": 0, "review": 1, "settle": 2, "other": 3}
    lines.sort(
        key=lambda one: (
            one.rank < 0,
            order[one.kind],
            one.rank if one.rank >= 0 else 0,
            str(one.case),
            one.slot,
        )
    )
    return Listing(
        seat.settings.name,
        seat.rater.code,
        tuple(roles),
        tuple(lines),
        reads[0] if reads else None,
        reviews[0] if reviews else None,
        len(now.strangers),
    )


def state_of_log(seat: Seat) -> tuple[tuple[str, int], ...]:
    """Return names and sizes of what the list hangs on: while they are the same, so is it.

    Claims of others are among them: their signs of life do not change the sizes.
    """
    layout = seat.layout
    files = [
        layout.project,
        layout.ontology,
        layout.guidelines,
        layout.own / "assignment.json",
        *(layout.audit / "writers").rglob("*.jsonl"),
        *layout.claims.glob("*.json"),
    ]
    found = []
    for path in sorted(files):
        try:
            found.append((layout.relative(path), path.stat().st_size))
        except FileNotFoundError:
            continue  # given back in between
    cases = sum(1 for _ in layout.cases.glob("*.json"))
    return (*found, ("cases", cases))


def _to_settle(seat: Seat, listed: Worklist, who: Chooser) -> list[Line]:
    """Return a line for each case whose readings are all there; settled ones can be changed."""
    return [
        Line(
            one.case,
            CONSENSUS,
            "approved" if one.versions else "todo",
            "settle",
            -1 if one.versions or one.why_not else rank,
            who.assignment.priority(one.case),
            () if one.why_not else ("settle",),
            why_not=one.why_not,
        )
        for rank, one in enumerate(ready_among(seat, listed))
    ]


def _places(found: tuple[tuple[CaseId, str], ...]) -> dict[tuple[CaseId, str], int]:
    return {key: rank for rank, key in enumerate(found)}


@dataclass(frozen=True)
class _View:
    seat: Seat
    who: Chooser
    reads: Mapping[tuple[CaseId, str], int]
    reviews: Mapping[tuple[CaseId, str], int]
    outdated: frozenset[tuple[CaseId, str]]
    hides_letters: bool

    def line(self, row: CaseRow, slot: str) -> Line | None:
        """Return a reading's line, None where it is none of this person's business."""
        seat, now, key = self.seat, row.slots[slot], (row.case, slot)
        is_manager = "manager" in seat.rater.roles
        kind, rank = self._kind(now, key)
        can = self._can(row, slot, kind)
        if kind == "other" and not is_manager and "take_over" not in can:
            return None
        return Line(
            row.case,
            slot,
            now.state,
            kind,
            rank,
            self.who.assignment.priority(row.case),
            can,
            outdated=key in self.outdated,
            reason=now.reason,
            rater=seat.code_of(now.user) if is_manager and now.user else "",
            is_nameless=self.hides_letters and kind in ("read", "other"),
        )

    def _kind(self, now: SlotState, key: tuple[CaseId, str]) -> tuple[Kind, int]:
        if key in self.reads:
            return "read", self.reads[key]
        if key in self.reviews:
            return "review", self.reviews[key]
        is_own = now.owner in self.seat.users and "annotator" in self.seat.rater.roles
        return ("read", -1) if is_own else ("other", -1)

    def _can(self, row: CaseRow, slot: str, kind: Kind) -> tuple[Can, ...]:
        now, roles = row.slots[slot], self.seat.rater.roles
        if slot == CONSENSUS:
            return ()
        if kind == "review":
            return ("review",)
        if kind == "read":
            own = now.owner in self.seat.users
            return _OF_OWN.get(now.state, ()) if own else ("open", "skip", "problem")
        found: list[Can] = []
        if now.state == "in_progress" and self._may_take_over(row, slot):
            found.append("take_over")
        if "manager" in roles and now.state in ("skipped", "problem"):
            found.append("resume")
        return tuple(found)

    def _may_take_over(self, row: CaseRow, slot: str) -> bool:
        seat = self.seat
        own = any(now.user in seat.users for now in row.slots.values())
        if "annotator" not in seat.rater.roles or own or row.case in self.who.seen:
            return False
        held = claims.holder(seat.layout, row.case, slot)
        return held is not None and held.is_expired(seat.desk.now(), seat.settings.claim_hours)
