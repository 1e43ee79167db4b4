"""Which reading comes next: what one began, what came back, then what is to do, in order."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from napari_medlabel.project.layout import CONSENSUS, CaseId
from napari_medlabel.project.reading.mixing import mixed
from napari_medlabel.project.sampling import is_drawn, number_of
from napari_medlabel.project.work.assignment import Assignment
from napari_medlabel.project.work.fold import CaseRow, SlotState, Worklist

Strategy = Literal["order", "random", "finish", "spread"]
STRATEGIES: Final[tuple[Strategy, ...]] = ("order", "random", "finish", "spread")
"""By name; at random; first what others have read already; first what nobody has read."""
_RANKS: Final = {"in_progress": 0, "rejected": 1, "stale": 2, "todo": 3}


LETTERS: Final = "ABCDEFGH"


@dataclass(frozen=True)
class Served:
    """What a rater is given beside the study's own readings; nothing in a list tells it.

    Parameters
    ----------
    slots : tuple of str
        The study's own readings; empty where nobody said: then all are.
    gold : tuple of CaseId
        Cases with a known truth.
    share : float
        Of gold cases in the list.
    again : tuple of CaseId
        Cases that this rater is to read a second time now.
    first : tuple of CaseId
        Cases of a round of calibration, in order.
    """

    slots: tuple[str, ...] = ()
    gold: tuple[CaseId, ...] = ()
    share: float = 0.0
    again: tuple[CaseId, ...] = ()
    first: tuple[CaseId, ...] = ()


@dataclass(frozen=True)
class Chooser:
    """Who asks what comes next.

    Parameters
    ----------
    code : str
        Of the rater.
    users : collection of str
        Tokens of the rater's accounts.
    seed : int
        Of the study.
    strategy : str
        Of `STRATEGIES`; it orders what has the same priority.
    assignment : Assignment
        Who is to read what.
    taken : collection of (str, str)
        Case and slot that somebody else has claimed.
    seen : collection of CaseId
        Cases of which the rater has seen another reading, as a reviewer: never for reading.
    served : Served
        Gold cases, repeats and rounds of calibration.
    """

    code: str
    users: Collection[str]
    seed: int = 1
    strategy: Strategy = "order"
    assignment: Assignment = field(default_factory=Assignment)
    taken: Collection[tuple[str, str]] = ()
    seen: Collection[CaseId] = ()
    served: Served = field(default_factory=Served)


def next_case(worklist: Worklist, chooser: Chooser) -> tuple[CaseId, str] | None:
    """Return the case and slot to read next, None where nothing is left.

    What the rater has begun comes first, then what was sent back, then what is outdated, then
    what nobody has begun: by priority, then by the strategy. Gold cases come in between.
    Nobody gets two readings of one case, but to see how steady they are, after some days.
    """
    return next(iter(to_read(worklist, chooser)), None)


def to_read(worklist: Worklist, chooser: Chooser) -> tuple[tuple[CaseId, str], ...]:
    """Return everything that a rater may read, in the order of `next_case`."""
    found = sorted(_candidates(worklist, chooser), key=lambda one: one[0])
    begun = [(case, slot) for rank, case, slot in found if rank[0] != _RANKS["todo"]]
    fresh = {case: slot for rank, case, slot in found if rank[0] == _RANKS["todo"]}
    served = chooser.served
    if not (served.share or served.again or served.first):
        return (*begun, *fresh.items())
    return (*begun, *_with_served(worklist, chooser, fresh))


def _with_served(
    worklist: Worklist, chooser: Chooser, fresh: dict[CaseId, str]
) -> tuple[tuple[CaseId, str], ...]:
    """Return what is to do with what is served beside it, each with its slot."""
    served, rows = chooser.served, {row.case: row for row in worklist.rows}
    slots = dict(fresh)
    own = {
        row.case
        for row in worklist.rows
        if any(now.user in chooser.users for now in row.slots.values())
    }

    def has_place(case: CaseId) -> bool:
        if case not in slots and case in rows and case not in chooser.seen:
            free = free_slot(rows[case])
            slots.update({case: free} if free else {})
        return case in slots

    again = [case for case in served.again if has_place(case)]
    first = [case for case in served.first if case not in own and has_place(case)]
    taken = {*again, *first}
    gold = [
        case
        for case in served.gold
        if served.share and case not in own and case not in taken and has_place(case)
    ]
    rest = mixed(
        [case for case in fresh if case not in taken],
        gold,
        served.share,
        rater=chooser.code,
        seed=chooser.seed,
        begun=len(own),
    )
    return tuple((case, slots[case]) for case in dict.fromkeys((*first, *again, *rest)))


def free_slot(row: CaseRow) -> str:
    """Return the first letter that no reading of a case has; empty where all have one."""
    return next((one for one in LETTERS if one not in row.slots), "")


def with_served(worklist: Worklist, reads: Sequence[tuple[CaseId, str]]) -> Worklist:
    """Return a worklist in which what is served has a line like any other reading to do."""
    more = dict(reads)
    rows = [
        replace(row, slots={**row.slots, more[row.case]: SlotState()})
        if row.case in more and more[row.case] not in row.slots
        else row
        for row in worklist.rows
    ]
    return replace(worklist, rows=tuple(rows))


def to_review(
    worklist: Worklist, chooser: Chooser, *, share: float = 1.0
) -> tuple[tuple[CaseId, str], ...]:
    """Return the readings that wait for a reviewer's decision, one's own reviews first.

    Parameters
    ----------
    share : float
        Share of submissions that are drawn for review, 0 to 1; each new round draws anew.
    """
    found = []
    for row in worklist.rows:
        if _is_reading(row, chooser):
            continue  # still blind in this case
        for slot, now in row.slots.items():
            if chooser.served.slots and slot not in (*chooser.served.slots, CONSENSUS):
                continue  # a test of the reader: no part of the study's masks
            own = now.user in chooser.users or now.maker in chooser.users
            mine = now.state == "in_review" and now.reviewer in chooser.users
            waits = now.state == "corrected" or (
                now.state == "submitted"
                and is_drawn(chooser.seed, "review", _round(row, slot, now), share)
            )
            if not own and (mine or waits):
                rank = (not mine, *_rank(row, chooser), slot)
                found.append((rank, row.case, slot))
    return tuple((case, slot) for _, case, slot in sorted(found, key=lambda one: one[0]))


def needs_review(row: CaseRow, slot: str, *, seed: int, share: float) -> bool:
    """Tell whether the present submission of a reading is drawn for review."""
    return is_drawn(seed, "review", _round(row, slot, row.slots[slot]), share)


def _candidates(
    worklist: Worklist, chooser: Chooser
) -> Iterator[tuple[tuple[object, ...], CaseId, str]]:
    for row in worklist.rows:
        own = {slot for slot, now in row.slots.items() if now.user in chooser.users}
        offered = False
        for slot, now in row.slots.items():
            if now.state not in _RANKS or slot == "consensus":
                continue
            if now.state == "todo":
                if own or offered or not _is_free(row, slot, chooser):
                    continue
                offered = True  # of several empty slots the first is as good as any
            elif slot not in own:
                continue
            rank = (_RANKS[now.state], *_rank(row, chooser), slot)
            yield rank, row.case, slot


def _is_free(row: CaseRow, slot: str, chooser: Chooser) -> bool:
    if row.case in chooser.seen or (str(row.case), slot) in chooser.taken:
        return False
    given = {name: chooser.assignment.rater(row.case, name) for name in row.slots}
    # Who is assigned another reading of the case is not offered this one.
    return given[slot] == chooser.code or (
        not given[slot] and chooser.code not in given.values()
    )


def _is_reading(row: CaseRow, chooser: Chooser) -> bool:
    return any(
        now.user in chooser.users and now.state in ("in_progress", "rejected", "stale")
        for now in row.slots.values()
    )


def _rank(row: CaseRow, chooser: Chooser) -> tuple[object, ...]:
    """Return what orders cases: priority, then the strategy, then the name."""
    begun = sum(now.state != "todo" for now in row.slots.values())
    by: dict[Strategy, float] = {
        "order": 0.0,
        "random": number_of(chooser.seed, "order", f"{chooser.code}\n{row.content}"),
        "finish": -begun,
        "spread": begun,
    }
    return -chooser.assignment.priority(row.case), by[chooser.strategy], str(row.case)


def _round(row: CaseRow, slot: str, now: SlotState) -> str:
    return f"{row.content}\n{slot}\n{now.rounds}"
