"""A study in the window: who sits at it, which of its readings is open, and for what."""

from __future__ import annotations

import atexit
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
from napari_medlabel.project.layout import CaseId, find_study, is_study
from napari_medlabel.session.case import Session
from napari_medlabel.session.desk import open_desk
from napari_medlabel.session.study.disputes import open_to_adjudicate
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

Purpose = Literal["work", "review", "look", "adjudicate"]
_TITLE: Final = "napari-medlabel"
_OPEN: Final[Mapping[Purpose, Callable[..., Opening]]] = {
    "work": open_to_work,
    "review": open_to_review,
    "look": open_to_look,
    "adjudicate": open_to_adjudicate,
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
        ``work``, ``review``, ``look`` or ``adjudicate``.
    title : str
        Case and slot: it names nobody.
    session : Session
        The open case.
    binding : Binding
        Its layers in napari.
    sheet : int
        Which layer of the ontology its mask is of.
    """

    case: CaseId
    slot: str
    purpose: Purpose
    title: str
    session: Session
    binding: Binding
    sheet: int = 0


def take_seat(folder: Path) -> Seat:
    """Return a seat at the study that a folder is or lies in; its log is open then.

    Raises
    ------
    InputError
        When it is no study.
    RefusedError
        When the account is not on the list of its raters.
    LogError
        When the log cannot be written.
    """
    layout = find_study(folder)
    desk = open_desk(layout.audit, heartbeat=True, ask=WORKPLACE.ask)
    try:
        desk.log.append("user.identify", detail={"method": "os-login"})
        return sit_down(desk, layout)
    except MedlabelError:
        desk.log.close()
        raise


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
        self._title = _TITLE
        self._pending: tuple[CaseId, str, Purpose, Opening, int] | None = None
        self.work = WorkDesk(self)
        self.guide = GuideDesk(self)
        self.review = ReviewDesk(self)
        self.compare = CompareDesk(self)
        self.guide.problem_requested.connect(self.work.raise_problem)

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
        try:
            seat = take_seat(folder)
        except MedlabelError as err:
            self.dock.show_error(err)
            return False
        if not self.close_study():
            _end(seat)
            return False
        self.sit(seat)
        return True

    def sit(self, seat: Seat) -> None:
        """Take a seat that `take_seat` made."""
        self.seat = seat
        # napari ends without telling plugins; the log should say that it ended well.
        atexit.register(seat.desk.log.close)
        self.dock.notice.clear()
        self.study_opened.emit(seat)

    def take(self, paths: list[Path]) -> bool:
        """Sit down where paths are the folder of a study; return whether they are."""
        if len(paths) != 1 or not is_study(paths[0]):
            return False
        self.open_study(paths[0])
        return True

    def close_study(self) -> bool:
        """Get up from the study, its open reading is closed first; return False for a no."""
        self.dock.desk.showing.abandon()
        if self.reading is not None:
            self.dock.desk.close_case()
            if self.reading is not None:  # the person wants to go on
                return False
        seat, self.seat = self.seat, None
        if seat is not None:
            self.study_closed.emit()
            _end(seat)
        return True

    # -- a reading -----------------------------------------------------------------------

    def open_reading(self, purpose: Purpose, case: CaseId, slot: str, sheet: int = 0) -> bool:
        """Open a reading in the background; return whether it may be, else the dock says.

        Parameters
        ----------
        sheet : int
            Which layer of the ontology: each has a mask of its own.
        """
        if self.seat is None or self._is_opening():
            return False
        try:
            opening = _OPEN[purpose](
                self.seat, case, slot, **({"sheet": sheet} if sheet else {})
            )
        except MedlabelError as err:
            self.dock.show_error(err)
            return False
        if self.dock.session is not None:
            self.dock.desk.close_case()
            if self.dock.session is not None:  # the person wants to go on with it
                return False
        self._pending = (case, slot, purpose, opening, sheet)
        self.dock.desk.opening.open_wished(list(opening.paths), opening.wishes, self.seat.desk)
        return True

    @property
    def is_kept(self) -> bool:
        """Whether what was done to the open reading is on the disk without being saved."""
        work = self.compare.work
        return work is not None and work.is_kept

    def _is_opening(self) -> bool:
        """Tell whether another scan is on its way: one at a time."""
        desk = self.dock.desk
        is_on_its_way = desk.background.is_busy or desk.showing.is_under_way
        return bool(is_on_its_way or desk.opening.chooser is not None)

    def case_opened(self, session: Session, binding: Binding) -> None:
        """Begin to serve a case that has just been shown, where it is a reading."""
        pending, self._pending = self._pending, None
        if pending is None or self.seat is None or session.desk is not self.seat.desk:
            return
        case, slot, purpose, opening, sheet = pending
        if session.place.folder != opening.wishes.folder:
            return
        WORKPLACE.study = self.seat
        self._title = str(self.dock.viewer.title)
        self.dock.viewer.title = f"{opening.title} - {_TITLE}"
        title = opening.title
        self.reading = OpenReading(case, slot, purpose, title, session, binding, sheet)
        self.reading_opened.emit(self.reading)

    def case_closed(self) -> None:
        """Let go of the reading; its session and layers are still there."""
        if self.reading is not None:
            self.reading_closed.emit()
            self.reading = None
            WORKPLACE.study = None
            self.dock.viewer.title = self._title

    def release(self) -> None:
        """End the study's session in its log, when the window goes."""
        self.work.release()
        seat, self.seat, self.reading = self.seat, None, None
        WORKPLACE.study = None
        if seat is not None:
            _end(seat)


def _end(seat: Seat) -> None:
    atexit.unregister(seat.desk.log.close)
    with suppress(MedlabelError):
        seat.desk.log.close()
