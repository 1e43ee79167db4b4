"""A study in the window: who sits at it, which of its readings is open, and for what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QWidget

from napari_medlabel.errors import MedlabelError
from napari_medlabel.plugin.binding import Binding
from napari_medlabel.plugin.workplace import WORKPLACE
from napari_medlabel.project.layout import CaseId, find_study
from napari_medlabel.session.case import Session
from napari_medlabel.session.desk import Desk, open_desk
from napari_medlabel.session.study.opening import (
    Opening,
    open_to_look,
    open_to_review,
    open_to_work,
)
from napari_medlabel.session.study.seat import Seat, sit_down
from napari_medlabel.widgets.study.compare_desk import CompareDesk
from napari_medlabel.widgets.study.guide_desk import GuideDesk
from napari_medlabel.widgets.study.review_desk import ReviewDesk
from napari_medlabel.widgets.study.work_desk import WorkDesk

Purpose = Literal["work", "review", "look"]
_OPEN: Final[Mapping[Purpose, Callable[[Seat, CaseId, str], Opening]]] = {
    "work": open_to_work,
    "review": open_to_review,
    "look": open_to_look,
}


@dataclass(frozen=True)
class OpenReading:
    """A reading of the study that is on the screen.

    Parameters
    ----------
    case : CaseId
        Which case.
    slot : str
        ``A`` to ``H``, or ``consensus``.
    purpose : str
        ``work``, ``review`` or ``look``.
    title : str
        Case and slot: it names nobody.
    session : Session
        The open case.
    binding : Binding
        Its layers in napari.
    """

    case: CaseId
    slot: str
    purpose: Purpose
    title: str
    session: Session
    binding: Binding


class StudyDesk(QObject):
    """One of the desks of the dock; the desks of a study's work hang on it.

    Parameters
    ----------
    dock : MedlabelDock
        Whose desk it is.

    Attributes
    ----------
    seat : Seat or None
        Who sits at which study.
    reading : OpenReading or None
        What of it is open; None too where a scan from elsewhere is open.
    """

    study_opened = Signal(object)
    """A `Seat`."""
    study_closed = Signal()
    reading_opened = Signal(object)
    """An `OpenReading`."""
    reading_closed = Signal()
    worklist_changed = Signal()
    """Somebody at this window took a step: lists are to be folded anew."""

    def __init__(self, dock: Any) -> None:
        super().__init__(dock)
        self.dock = dock
        self.seat: Seat | None = None
        self.reading: OpenReading | None = None
        self._pending: tuple[CaseId, str, Purpose, Opening] | None = None
        self.work = WorkDesk(self)
        self.guide = GuideDesk(self)
        self.review = ReviewDesk(self)
        self.compare = CompareDesk(self)

    @property
    def panel(self) -> QWidget:
        """What stands above an open case: the study, its worklist, the reading in hand."""
        return self.work.panel

    @property
    def pages(self) -> tuple[tuple[str, QWidget], ...]:
        """Pages among those of an open case, with their titles; hidden until needed."""
        return (*self.guide.pages, *self.review.pages, *self.compare.pages)

    # -- the study -----------------------------------------------------------------------

    def open_study(self, folder: Path) -> bool:
        """Sit down at a study; return whether it went well, else the dock says why not."""
        desk: Desk | None = None
        try:
            layout = find_study(folder)
            desk = open_desk(layout.audit, heartbeat=True, ask=WORKPLACE.ask)
            desk.log.append("user.identify", detail={"method": "os-login"})
            seat = sit_down(desk, layout)
        except MedlabelError as err:
            if desk is not None:
                desk.log.close()
            self.dock.show_error(err)
            return False
        self.close_study()
        self.seat = seat
        self.study_opened.emit(seat)
        return True

    def close_study(self) -> None:
        """Get up from the study; the open reading is closed first, and saved as ever."""
        seat, self.seat = self.seat, None
        if seat is None:
            return
        if self.reading is not None:
            self.dock.desk.close_case()
        self.study_closed.emit()
        seat.desk.log.close()

    # -- a reading -----------------------------------------------------------------------

    def open_reading(self, purpose: Purpose, case: CaseId, slot: str) -> bool:
        """Open a reading in the background; return whether it may be, else the dock says."""
        if self.seat is None:
            return False
        try:
            opening = _OPEN[purpose](self.seat, case, slot)
        except MedlabelError as err:
            self.dock.show_error(err)
            return False
        self._pending = (case, slot, purpose, opening)
        self.dock.desk.opening.open_wished(list(opening.paths), opening.wishes, self.seat.desk)
        return True

    def case_opened(self, session: Session, binding: Binding) -> None:
        """Begin to serve a case that has just been shown, where it is a reading."""
        pending, self._pending = self._pending, None
        if pending is None or self.seat is None or session.desk is not self.seat.desk:
            return
        case, slot, purpose, opening = pending
        self.reading = OpenReading(case, slot, purpose, opening.title, session, binding)
        self.reading_opened.emit(self.reading)

    def case_closed(self) -> None:
        """Let go of the reading; its session and layers are still there."""
        if self.reading is not None:
            self.reading_closed.emit()
            self.reading = None

    def release(self) -> None:
        """End the study's session in its log, when the window goes."""
        seat, self.seat = self.seat, None
        if seat is not None:
            with suppress(MedlabelError):
                seat.desk.log.close()
