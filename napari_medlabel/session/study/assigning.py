"""Saying who is to read a case and what comes first: a manager's step, in the log before."""

from __future__ import annotations

from dataclasses import replace

from napari_medlabel.audit.disk import one_at_a_time
from napari_medlabel.project.layout import CaseId
from napari_medlabel.project.work.assignment import (
    Assignment,
    assignment_file,
    read_assignment,
    write_assignment,
)
from napari_medlabel.session.study.seat import Seat, look, require_role


def assign(
    seat: Seat, case: CaseId, *, slot: str = "", to: str = "", priority: int | None = None
) -> Assignment:
    """Say who is to read a case, or how early it comes; the log hears of it first.

    Parameters
    ----------
    slot : str
        Which reading; empty for the priority alone.
    to : str
        Code of the rater; empty for anybody.
    priority : int or None
        Larger comes first; None leaves it.

    Raises
    ------
    RefusedError
        When the one who assigns is no manager.
    InputError
        When the study has no such case, reading or rater.
    """
    require_role(seat, "manager")
    if to:
        seat.settings.rater(to)
    look(seat, case, slot or seat.settings.slots[0])
    with one_at_a_time(seat.layout.own / ".project.lock"):
        before = read_assignment(seat.layout)
        raters, priorities = dict(before.raters), dict(before.priorities)
        if slot:
            raters.pop((str(case), slot), None)
            raters |= {(str(case), slot): to} if to else {}
        if priority is not None:
            priorities[str(case)] = priority
        after = replace(before, raters=raters, priorities=priorities)
        if after != before:
            detail = {"setting": "assignment", "new": after.digest}
            if assignment_file(seat.layout).exists():
                detail["old"] = before.digest
            seat.desk.log.append("study.rules", detail=detail)
            write_assignment(seat.layout, after)
    return after
