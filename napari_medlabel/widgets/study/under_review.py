"""What is under review, as it was submitted, against what is on the screen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from napari_medlabel.errors import RefusedError
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.measure.labels import label_change
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.model.landmarks import LandmarkSet
from napari_medlabel.project.cases.versions import Labelled
from napari_medlabel.project.layout import CaseId
from napari_medlabel.project.work.fold import SlotState
from napari_medlabel.session.study.seat import Seat, look
from napari_medlabel.session.study.submitted import submitted_work


@dataclass(frozen=True, eq=False)
class Under:
    """What is under review, as it was submitted.

    Parameters
    ----------
    now : SlotState
        How it stands.
    is_own : bool
        Whether who sits here made it.
    work : Labelled or None
        All that was submitted; None where nothing is to be corrected.
    """

    now: SlotState
    is_own: bool
    work: Labelled | None = None


def look_under(seat: Seat, case: CaseId, slot: str, grid: Grid | None) -> Under:
    """Return what is under review; without a grid only how it stands.

    Raises
    ------
    InputError, GeometryError, RefusedError
        As `submitted_work`.
    """
    at = look(seat, case, slot)
    is_own = bool(seat.users & {at.now.user, at.now.maker})
    if grid is None or not at.now.version:
        return Under(at.now, is_own)
    return Under(at.now, is_own, submitted_work(seat, case, slot, grid))


def has_moved(submitted: Labelled | None, reading: Any) -> bool:
    """Tell whether landmarks were moved: further layers have none, open ones do not count."""
    if submitted is None or reading.sheet:
        return False
    told = [
        {
            (mark.name, mark.point_ras, mark.state, mark.uncertain_mm)
            for mark in marks
            if not mark.is_open
        }
        for marks in (submitted.landmarks or LandmarkSet(), reading.session.landmarks)
    ]
    return told[0] != told[1]


def require_same(submitted: LabelMap, labels: Any, *, is_moved: bool) -> None:
    """Refuse to approve what was submitted while something else is on the screen."""
    if is_moved or label_change(submitted.array, labels).labels:
        raise RefusedError(
            "You changed the mask, and what was submitted would be approved without that.",
            hint="Submit your corrections with Correct, or undo them and approve.",
        )
