"""Which letters of readings a person is told: one's own might say that it is a test.

Gold cases, repeats and readings of a calibration have letters beyond the study's own. In a
study that may have any, who is no manager hears of their own readings without a letter, the
study's too, so that none stands out.
"""

from __future__ import annotations

from dataclasses import replace

from napari_medlabel.project.layout import CONSENSUS, CaseId, Layout
from napari_medlabel.project.reading.rounds import read_rounds
from napari_medlabel.project.settings import Rater, Settings
from napari_medlabel.project.work.status import Status, StatusLine
from napari_medlabel.session.study.seat import Seat


def hides_letters(layout: Layout, settings: Settings, rater: Rater) -> bool:
    """Tell whether a person is told no letters of their own readings.

    Raises
    ------
    InputError
        When the study's rounds of calibration cannot be read.
    """
    if "manager" in rater.roles:
        return False
    return bool(settings.gold_share or settings.repeat_days or read_rounds(layout))


def own_name(seat: Seat, case: CaseId, slot: str) -> str:
    """Return what a person is told that a reading of their own is called.

    Parameters
    ----------
    case, slot : CaseId, str
        Which reading it is.
    """
    hidden = slot != CONSENSUS and hides_letters(seat.layout, seat.settings, seat.rater)
    return str(case) if hidden else f"{case} {slot}"


def status_for(status: Status, layout: Layout, settings: Settings, rater: Rater) -> Status:
    """Return as much of a study's state as does not tell a person what tests them.

    One's own readings come without a letter, and alone of their case; others as they are, but
    those that test their readers.

    Parameters
    ----------
    status : Status
        Of the whole study.
    rater : Rater
        Who asks.
    """
    if not hides_letters(layout, settings, rater):
        return status
    mine = {one.case for one in status.lines if rater.code in (one.rater, one.claimed)}
    lines: list[StatusLine] = []
    for one in status.lines:
        is_own = rater.code in (one.rater, one.claimed) and one.slot != CONSENSUS
        if is_own:
            lines.append(replace(one, slot=""))
        elif one.case not in mine and one.slot in {*settings.slots, CONSENSUS}:
            lines.append(one)
    counts: dict[str, int] = {}
    for one in lines:
        counts[one.state] = counts.get(one.state, 0) + 1
    return replace(status, lines=tuple(lines), counts=counts)
