"""What a rater is served beside the study's own readings: gold, repeats, calibration.

Such a reading has a letter beyond the study's own, so it is in no consensus and in no review.
Nothing in a list or in a state tells it from another.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Final

from napari_medlabel.errors import RefusedError
from napari_medlabel.project.layout import CONSENSUS, CaseId, Layout
from napari_medlabel.project.reading.gold import gold_cases
from napari_medlabel.project.reading.repeats import Done, repeats_due
from napari_medlabel.project.reading.rounds import read_rounds
from napari_medlabel.project.settings import Settings
from napari_medlabel.project.work.assignment import read_assignment
from napari_medlabel.project.work.choosing import Served, free_slot
from napari_medlabel.project.work.fold import CaseRow, Worklist
from napari_medlabel.project.work.states import State
from napari_medlabel.project.work.steps import Step
from napari_medlabel.session.study.folders import OTHER, open_folder, open_for_entry
from napari_medlabel.session.study.seat import Reading, Seat

_DONE: Final[frozenset[State]] = frozenset({"submitted", "in_review", "approved", "corrected"})


def is_test(settings: Settings, slot: str) -> bool:
    """Tell whether a reading tests its reader, and is none of those the study is made of."""
    return slot != CONSENSUS and slot not in settings.slots


def served(seat: Seat, now: Worklist, steps: Iterable[Step]) -> Served:
    """Return what this rater is to be served now.

    Parameters
    ----------
    now : Worklist
        As it is folded now.
    steps : iterable of Step
        Of the log.
    """
    settings = seat.settings
    share = settings.gold_share if settings.gold_share < 1.0 else 0.0
    known = {row.case for row in now.rows}
    rounds = read_rounds(seat.layout)
    first = tuple(
        case
        for one in rounds
        if one.is_open and seat.rater.code in one.raters
        for case in one.cases
        if case in known
    )
    return Served(
        settings.slots,
        tuple(case for case in gold_cases(seat.layout) if case in known) if share else (),
        share,
        _again(seat, now, steps),
        first,
    )


def may_serve(seat: Seat, row: CaseRow, slot: str, steps: tuple[Step, ...]) -> bool:
    """Tell whether a reading that nobody has begun is one that this rater may be served."""
    if slot != free_slot(row):
        return False
    found = served(seat, Worklist((row,)), steps)
    own = any(now.user in seat.users for now in row.slots.values())
    return row.case in (found.again if own else (*found.gold, *found.first))


def require_assigned(seat: Seat, at: Reading) -> None:
    """Refuse a reading that is not this rater's to begin.

    Raises
    ------
    RefusedError
        When it is assigned to somebody else, or it is beyond the study's own and not served.
    """
    if is_test(seat.settings, at.slot):
        others = {name: now for name, now in at.row.slots.items() if name != at.slot}
        row = CaseRow(at.case, at.row.content, others)
        is_theirs = may_serve(seat, row, at.slot, at.steps)
    else:
        assignment = read_assignment(seat.layout)
        to = assignment.rater(at.case, at.slot)
        rest = (assignment.rater(at.case, name) for name in at.row.slots if name != at.slot)
        is_theirs = to == seat.rater.code if to else seat.rater.code not in rest
    if not is_theirs:
        raise RefusedError(
            "This reading is assigned to somebody else, or you are assigned another one.",
            hint="See what is yours: medlabel project next STUDY",
        )


def is_again(seat: Seat, row: CaseRow, slot: str) -> bool:
    """Tell whether a reading is a second one of this rater."""
    own = [name for name, now in row.slots.items() if now.user in seat.users and now.rounds]
    return is_test(seat.settings, slot) and any(name != slot for name in own)


def work_folder(
    layout: Layout, rater: str, case: CaseId, slot: str, slots: Iterable[str]
) -> Path:
    """Return the folder of a rater's open work on a reading.

    Parameters
    ----------
    slot : str
        Which reading; empty for the study's own.
    slots : iterable of str
        The study's own readings: those beyond have folders of their own, for the same rater
        may have one of both.
    """
    folder = layout.work(rater, case)
    return folder / f"{OTHER}{slot}" if slot and slot not in slots else folder


def open_work_folder(seat: Seat, case: CaseId, slot: str) -> Path:
    """Return the folder of one's open work on a reading, writable, after making it.

    Raises
    ------
    SaveError
        When it cannot be made, or its rights cannot be changed.
    """
    folder = work_folder(seat.layout, seat.rater.code, case, slot, seat.settings.slots)
    if folder.is_dir() or folder == seat.layout.work(seat.rater.code, case):
        return open_folder(folder)
    with open_for_entry(folder.parent):
        return open_folder(folder)


def _again(seat: Seat, now: Worklist, steps: Iterable[Step]) -> tuple[CaseId, ...]:
    """Return the cases that this rater is to read a second time now."""
    settings = seat.settings
    if not settings.repeat_days:
        return ()
    ready, twice = {}, set()
    for row in now.rows:
        own = [one for slot, one in row.slots.items() if one.user in seat.users]
        if len(own) > 1:
            twice.add((seat.rater.code, row.case))
        if own and all(one.state in _DONE for one in own):
            ready[row.content] = row.case
    done = [
        Done(ready[step.case], seat.rater.code, date.fromisoformat(step.time[:10]))
        for step in steps
        if step.action == "submit" and step.user in seat.users and step.case in ready
    ]
    due = repeats_due(
        done,
        days=settings.repeat_days,
        today=seat.desk.now().date(),
        seed=settings.seed,
        share=settings.repeat_share,
        served=twice,
    )
    return tuple(one.case for one in due)
