"""Settling a conflict: of what was submitted twice for one reading, who says which counts."""

from __future__ import annotations

from dataclasses import replace

from napari_medlabel.audit.format.event import ObjectRef
from napari_medlabel.errors import InputError
from napari_medlabel.project.layout import CaseId
from napari_medlabel.project.work.states import transition
from napari_medlabel.project.work.steps import Step
from napari_medlabel.session.study.independence import require_independent
from napari_medlabel.session.study.seat import (
    Reading,
    Seat,
    at_reading,
    look,
    require_role,
    step_event,
    take_step,
)


def settle(seat: Seat, case: CaseId, slot: str, chosen: str) -> str:
    """Settle a conflict: of what was submitted for one reading, say what counts.

    Parameters
    ----------
    chosen : str
        Content id of a mask, on any layer, of the one that counts; or the code of who made it,
        where two have the same mask.

    Returns
    -------
    str
        The state afterwards.

    Raises
    ------
    RefusedError
        When the rater is no adjudicator or has read the case and may not settle it, or there
        is no conflict.
    InputError
        When the mask is none of the rivals', or of several of them.
    """
    require_role(seat, "adjudicator", "manager")
    with at_reading(seat, case, slot) as at:
        if _is_settled(seat, at, chosen):
            return at.now.state
        transition(at.now.state, "settle")
        require_independent(seat, at.steps)
        one = _only(seat, at, chosen)
        detail: dict[str, object] = {"chosen": _named(one, chosen), "maker": one.user}
        if one.version:
            detail["version"] = one.version
        event = step_event(at, "settle", detail, content=one.content)
        further = tuple(ObjectRef(sheet, "new", "mask") for sheet in one.sheets)
        take_step(seat, replace(event, objects=(*event.objects, *further)))
        return look(seat, case, slot).now.state


def _only(seat: Seat, at: Reading, chosen: str) -> Step:
    """Return the one rival that is meant."""
    found = {
        (one.user, one.version, *one.masks): one
        for one in at.now.rivals
        if one.content and chosen in (*one.masks, seat.code_of(one.user))
    }
    if not found:
        raise InputError(
            "The mask is none of those that were submitted for this reading.",
            hint="See them with: medlabel project status STUDY --json",
        )
    if len(found) > 1:
        raise InputError(
            f"{len(found)} of those that were submitted for this reading have that mask, or "
            "are that rater's: they differ on another layer, or beside the masks.",
            hint="Name a mask that only one of them has, on whatever layer, or whose counts "
            "by the code: medlabel project status STUDY --json",
        )
    return next(iter(found.values()))


def _named(one: Step, chosen: str) -> str:
    return chosen if chosen in one.masks else one.content


def _is_settled(seat: Seat, at: Reading, chosen: str) -> bool:
    """Tell whether the same was said before, and nothing has happened since."""
    now = at.now
    return now.state == "submitted" and chosen in (*now.masks, seat.code_of(now.maker))
