"""Who may settle a disagreement: by the rules of most studies nobody who has read the case.

Whether somebody has read a case is asked of the log, not of who holds it now: a reading that
was taken back, sent back or given to somebody else was theirs all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from napari_medlabel.errors import RefusedError
from napari_medlabel.project.settings import Asked, Settings
from napari_medlabel.project.work.authors import authors
from napari_medlabel.project.work.steps import Step
from napari_medlabel.session.study.seat import Seat
from napari_medlabel.session.study.setting_up import rules_in_force

HAS_READ: Final = (
    "You have read this case: by this study's rules somebody settles it who has not."
)
_HINT: Final = (
    "Leave it to another adjudicator. A manager names one: medlabel project rater STUDY CODE "
    "--roles adjudicator. Where readers are to settle, too: medlabel project rules STUDY "
    "--adjudicator reader; a release says so."
)
_OTHER_RULE: Final = (
    "You have read this case: another rule than the study's own is a choice that somebody "
    "makes who has not."
)


def require_independent(seat: Seat, steps: Iterable[Step], way: str = "adjudicate") -> Asked:
    """Refuse to let a reader of a case settle it, where the rules in force ask for another.

    Parameters
    ----------
    seat : Seat
        Who wants to.
    steps : iterable of Step
        Of the case.
    way : str
        How readings become one: by adjudication, or by a rule of consensus. The rule that the
        study has in force judges by itself: any adjudicator may start it.

    Returns
    -------
    str
        Whom the rules ask for: ``independent``, ``reader`` or ``nobody``.

    Raises
    ------
    RefusedError
        When they have read it.
    """
    asked = _rules(seat).asks_for(way)
    if asked == "independent" and has_read(seat, steps):
        words = HAS_READ if way == "adjudicate" else _OTHER_RULE
        raise RefusedError(words, hint=_HINT)
    return asked


def has_read(seat: Seat, steps: Iterable[Step]) -> bool:
    """Tell whether somebody has ever made a mask of the case that steps are about."""
    return bool(seat.users & authors(steps, seat.reader.saves()))


def why_not_independent(seat: Seat) -> Callable[[str], str]:
    """Return what tells of a case, by the content id of its scan, why one may not settle it."""
    if _rules(seat).adjudicator != "independent":
        return lambda _content: ""
    steps = [one for one in seat.reader.read() if one.user in seat.users]
    read = {one.case for one in steps if authors((one,))}
    saved = [one for one in seat.reader.saves() if one.user in seat.users]
    for case in {one.case for one in saved} - read:
        of_case = [one for one in seat.reader.read() if one.case == case]
        if seat.users & authors(of_case, (one for one in saved if one.case == case)):
            read.add(case)
    return lambda content: HAS_READ if content in read else ""


def _rules(seat: Seat) -> Settings:
    """Return the rules as the log proves them: project.json by itself makes nobody free."""
    ruled = rules_in_force(seat.layout, seat.reader)
    proven = ruled[-1].settings if ruled else None
    return proven or Settings(seat.settings.name)
