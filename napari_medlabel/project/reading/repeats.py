"""The same case again after some days: how steady one rater is, with no second one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from napari_medlabel.errors import InputError
from napari_medlabel.measure.surface import Convention
from napari_medlabel.project.agreement.table import Reading, Table, compare_readings
from napari_medlabel.project.layout import CaseId
from napari_medlabel.project.reading.gold import rater_rng

AGAIN = " again"


@dataclass(frozen=True)
class Done:
    """A case that a rater has submitted.

    Parameters
    ----------
    case : CaseId
        Which.
    rater : str
        Code.
    day : date
        When, in UTC.
    """

    case: CaseId
    rater: str
    day: date


@dataclass(frozen=True)
class Repeat:
    """A case to be served again.

    Parameters
    ----------
    case : CaseId
        Which.
    rater : str
        To whom: the same again.
    since : date
        Day of the first reading.
    is_flipped : bool
        Whether it is shown with left and right exchanged, so that it is not known again. Only
        the display is: what is painted lies on the scan as ever.
    """

    case: CaseId
    rater: str
    since: date
    is_flipped: bool


def repeats_due(
    done: Sequence[Done],
    *,
    days: int,
    today: date,
    seed: int,
    share: float = 0.1,
    flip: bool = False,
    served: Collection[tuple[str, CaseId]] = (),
) -> tuple[Repeat, ...]:
    """Return which cases are to be served again today, by rater and case.

    Whether a case is repeated is drawn once, from the seed, the rater and the case: it does not
    depend on when one asks.

    Parameters
    ----------
    done : sequence of Done
        What was submitted; of several by one rater the first counts.
    days : int
        How long a rater shall have forgotten it; 0 for no repeats.
    today : date
        In UTC.
    seed : int
        Of the study.
    share : float
        Share of cases that are repeated, 0 to 1.
    flip : bool
        Whether half of them are shown with left and right exchanged.
    served : collection of (str, CaseId)
        Repeats that were served already, by rater and case.

    Raises
    ------
    InputError
        When the share or the days are none.
    """
    if days < 0 or not 0.0 <= share <= 1.0:
        raise InputError(
            "Cases are repeated after 0 days or more, a share from 0 to 1 of them.",
            hint="Change repeat_days in project.json; 0 is for no repeats.",
        )
    if days == 0:
        return ()
    first: dict[tuple[str, CaseId], date] = {}
    for one in done:
        key = (one.rater, one.case)
        first[key] = min(one.day, first.get(key, one.day))
    out = []
    for (rater, case), day in sorted(first.items()):
        rng = rater_rng(seed, f"{rater} {case}")
        is_drawn, is_flipped = rng.random() < share, bool(rng.random() < 0.5)
        if is_drawn and day + timedelta(days=days) <= today and (rater, case) not in served:
            out.append(Repeat(case, rater, day, flip and is_flipped))
    return tuple(out)


def intra_rater(
    case: CaseId,
    first: Reading,
    second: Reading,
    *,
    tolerance_mm: float = 2.0,
    convention: Convention = "surfel",
) -> Table:
    """Compare two readings of a case by one rater; the second is called ``"r01 again"``.

    Raises
    ------
    InputError
        When they are by two raters.
    GeometryError
        When they lie on two grids.
    """
    if first.rater != second.rater:
        raise InputError(
            "The steadiness of a rater is that of two readings by one person.",
            hint="Use the table of all pairs for several raters.",
        )
    again = replace(second, rater=second.rater + AGAIN)
    return compare_readings(
        str(case), [first, again], tolerance_mm=tolerance_mm, convention=convention
    )
