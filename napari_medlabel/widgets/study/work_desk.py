"""The work on a study: worklist, next case, the reading in hand, what is submitted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from qtpy.compat import isalive
from qtpy.QtCore import QObject, QTimer, Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_medlabel.errors import MedlabelError, RefusedError
from napari_medlabel.project.layout import CaseId
from napari_medlabel.project.work.notes import WorkNotes
from napari_medlabel.session.study.lettering import own_name
from napari_medlabel.session.study.listing import Line, Listing, list_for, state_of_log
from napari_medlabel.session.study.reviewing import begin_review
from napari_medlabel.session.study.seat import Seat
from napari_medlabel.session.study.working import (
    all_to_review,
    begin_next,
    confirm,
    raise_problem,
    release,
    resume,
    skip,
    start,
    take_over,
    withdraw,
)
from napari_medlabel.widgets.background import Background
from napari_medlabel.widgets.notice import Notice
from napari_medlabel.widgets.study.complaints_panel import ComplaintsPanel
from napari_medlabel.widgets.study.notes_keeper import NotesKeeper
from napari_medlabel.widgets.study.reading_bar import ReadingBar
from napari_medlabel.widgets.study.sheet_desk import SheetDesk
from napari_medlabel.widgets.study.submit_desk import SubmitDesk
from napari_medlabel.widgets.study.worklist_panel import WorklistPanel

_REFRESH_MS: Final = 10_000
_PLAIN: Final[Mapping[str, Callable[[Seat, CaseId, str], object]]] = {
    "release": release,
    "withdraw": withdraw,
    "confirm": confirm,
    "take_over": take_over,
    "resume": resume,
}
_OPENED: Final = {"open": "work", "review": "review", "look": "look", "settle": "adjudicate"}
_DONE: Final = {
    "release": "is given back",
    "withdraw": "is taken back: open it to go on",
    "confirm": "is confirmed",
    "take_over": "is yours now: it begins anew",
    "resume": "is to do again",
    "skip": "is skipped",
    "problem": "is raised as a problem",
}


class WorkDesk(QObject):
    """One of the desks of a study.

    Parameters
    ----------
    study : StudyDesk
        The study it serves.

    Attributes
    ----------
    keeper : NotesKeeper
        Notes, clock and signs of life of the reading in hand.
    sheets : SheetDesk
        Which layer of it is open.
    submitting : SubmitDesk
        What happens between Submit and the list.
    """

    notes_changed = Signal()
    """The notes beside the open work are others: answers, absent labels, or a reading opened
    or closed. Time and slices alone do not tell."""
    question_wanted = Signal(str)
    """A complaint about a question was clicked; its id."""

    def __init__(self, study: Any) -> None:
        super().__init__(study)
        self.study = study
        self.panel = QWidget()
        self.list = WorklistPanel()
        self.bar = ReadingBar()
        self.complaints = ComplaintsPanel()
        self.notice = Notice()
        column = QVBoxLayout(self.panel)
        column.setContentsMargins(0, 0, 0, 0)
        for part in (self.bar, self.notice, self.complaints, self.list):
            column.addWidget(part)
        self.panel.hide()
        self.listing: Listing | None = None
        self._known: object = None
        self._again = False
        self._reader, self._doer = Background(self), Background(self)
        self._timer = QTimer(self)
        self._timer.setInterval(_REFRESH_MS)
        self._timer.timeout.connect(self._on_time)
        self.keeper = NotesKeeper(self)
        self.sheets = SheetDesk(self)
        self.submitting = SubmitDesk(self)
        self._connect()

    def _connect(self) -> None:
        self.study.study_opened.connect(self._on_study)
        self.study.study_closed.connect(self._on_left)
        self.study.reading_opened.connect(self._on_reading)
        self.study.reading_closed.connect(self._on_closed)
        self.study.worklist_changed.connect(self.refresh)
        self.list.next_requested.connect(self.begin_next)
        self.list.review_requested.connect(self.review_next)
        self.list.step_requested.connect(self.step)
        self.list.refresh_requested.connect(self.refresh)
        self.list.strategy_changed.connect(lambda _strategy: self.refresh())
        self.list.leave_requested.connect(self.study.close_study)
        self.bar.list_requested.connect(self.back)
        self.bar.out_requested.connect(self.leave_reading)
        self.keeper.notes_changed.connect(self.notes_changed)
        self.keeper.told.connect(
            lambda seconds, runs: self.bar.show_clock(seconds, is_running=runs)
        )

    # -- notes ---------------------------------------------------------------------------

    @property
    def notes(self) -> WorkNotes | None:
        """Notes beside the open work, as they are to be written; None where none is open."""
        return self.keeper.notes

    def put_answers(self, answers: Mapping[str, Any]) -> None:
        """Take the answers to the study's questions, all of them; checked by who asks."""
        self.keeper.put(answers=dict(answers))

    def put_absent(self, absent: Collection[str]) -> None:
        """Take the ids of all labels of which the annotator says that there is nothing."""
        self.keeper.put(absent=frozenset(absent))

    # -- study and reading ---------------------------------------------------------------

    def _on_study(self, _seat: Seat) -> None:
        self.notice.clear()
        self._show_reading(None)
        self.study.dock.start.setVisible(False)
        self.panel.show()
        self._timer.start()
        self.refresh()

    def _on_left(self) -> None:
        self._timer.stop()
        self.listing, self._known = None, None
        self.panel.hide()
        self.study.dock.start.setVisible(self.study.dock.session is None)

    def _on_reading(self, reading: Any) -> None:
        self.notice.clear()
        self._show_reading(reading)
        self.keeper.reading_opened(reading)

    def _on_closed(self) -> None:
        self.keeper.reading_closed()
        self._show_reading(None)
        self._known = None
        self.refresh()

    def _show_reading(self, reading: Any) -> None:
        """Fold the list into one line while a reading is open."""
        self.list.setVisible(reading is None)
        self.bar.setVisible(reading is not None)
        self.complaints.hide()
        if reading is not None:
            self.bar.show_reading(reading.title, reading.purpose)

    def back(self) -> None:
        """Close the open reading, asking once about unsaved work; it stays one's own."""
        self.study.dock.desk.close_case()

    # -- the list ------------------------------------------------------------------------

    def refresh(self, *, force: bool = True) -> None:
        """Fold the list anew in the background; a timer does so where the log has grown."""
        seat: Seat | None = self.study.seat
        if seat is None or (self.study.reading is not None and not force):
            return
        if self._reader.is_busy:
            self._again |= force
            return
        known, strategy = None if force else self._known, self.list.strategy

        def work() -> tuple[object, Listing] | None:
            state = state_of_log(seat)
            return None if state == known else (state, list_for(seat, strategy))

        def done(found: tuple[object, Listing] | None) -> None:
            if seat is self.study.seat and found is not None:
                self._known, self.listing = found
                self.list.notice.clear()
                self.list.show_listing(found[1])
            self._once_more()

        self._reader.run(work, done, self._not_read)

    def _on_time(self) -> None:
        self.refresh(force=False)

    def _once_more(self) -> None:
        again, self._again = self._again, False
        if again:
            self.refresh()

    def _not_read(self, err: MedlabelError) -> None:
        if self.study.seat is not None:
            self.list.notice.say("red", f"{err.message}\n{err.hint}".strip())
        self._once_more()

    # -- steps ---------------------------------------------------------------------------

    @property
    def is_busy(self) -> bool:
        """Whether a step is under way."""
        return self._doer.is_busy

    def act(
        self,
        work: Callable[[], Any],
        done: Callable[[Any], object],
        refused: Callable[[], object] | None = None,
    ) -> bool:
        """Take a step in the background; return whether it began. A refusal shows."""
        if self._doer.is_busy or self.study.seat is None:
            return False
        self.list.set_busy(True)

        def well(found: Any) -> None:
            self.list.set_busy(False)
            done(found)
            self.study.worklist_changed.emit()

        def failed(err: MedlabelError) -> None:
            self.list.set_busy(False)
            self.study.dock.show_error(err)
            if refused is not None:
                refused()
            self.study.worklist_changed.emit()

        self._doer.run(work, well, failed)
        return True

    def begin_next(self, strategy: str = "") -> None:
        """Begin the next reading and open it."""
        seat: Any = self.study.seat
        by: Any = strategy or self.list.strategy
        self.act(lambda: begin_next(seat, by), lambda found: self._open("work", found))

    def review_next(self) -> None:
        """Take the next reading into review and open it."""
        seat = self.study.seat

        def work() -> tuple[CaseId, str] | None:
            for case, slot in all_to_review(seat):
                try:
                    begin_review(seat, case, slot)
                except RefusedError:  # another reviewer was faster
                    continue
                return case, slot
            return None

        self.act(work, lambda found: self._open("review", found))

    def _open(self, purpose: str, found: tuple[CaseId, str] | None) -> None:
        if found is None:
            self.notice.say("green", "Nothing is left for you.", {"OK": self.notice.clear})
            return
        self.notice.clear()
        self.study.open_reading(purpose, *found)

    def raise_problem(self, reason: str) -> None:
        """Save the open reading and raise it as a problem, with a reason's code."""
        self.leave_reading("problem", reason)

    def leave_reading(self, step: str, reason: str = "") -> None:
        """Save the open reading, then skip it, give it back or raise it as a problem."""
        reading = self.study.reading
        if reading is None or reading.purpose != "work" or self.is_busy:
            return
        case, slot = reading.case, reading.slot

        def saved(well: bool) -> None:
            if well and reading is self.study.reading:
                self._take(step, case, slot, reason, self.study.dock.desk.put_away)

        if not self.study.dock.desk.save_then(saved):
            self.say_busy()

    def step(self, step: str, line: Line, reason: str = "") -> None:
        """Do something with a reading of the list; see `listing.Can`."""
        seat, case, slot = self.study.seat, line.case, line.slot
        if step in _OPENED:
            before = {"open": start, "review": begin_review}.get(step)
            self.act(
                lambda: None if before is None else before(seat, case, slot),
                lambda _now: self._open(_OPENED[step], (case, slot)),
            )
            return
        self._take(step, case, slot, reason, lambda: None)

    def _take(
        self, step: str, case: CaseId, slot: str, reason: str, then: Callable[[], object]
    ) -> None:
        seat: Any = self.study.seat

        def work() -> object:
            if step == "skip":
                return skip(seat, case, slot, reason=reason)
            if step == "problem":
                return raise_problem(seat, case, slot, reason=reason)
            return _PLAIN[step](seat, case, slot)

        def done(_now: object) -> None:
            then()
            self.say(f"{own_name(seat, case, slot)} {_DONE[step]}.")

        self.act(work, done)

    def say(self, words: str, **actions: Callable[[], object]) -> None:
        """Say what came of a step, with buttons for what comes next."""
        buttons = {name.replace("_", " "): do for name, do in actions.items()}
        self.notice.say("green", words, {**buttons, "OK": self.notice.clear})

    def say_busy(self) -> None:
        """Say that something else is to end first."""
        words = "The program is saving or opening something: try again in a moment."
        self.notice.say("amber", words, {"OK": self.notice.clear})

    def release(self) -> None:
        """Write what is to be kept, when the window goes; no widget may be left."""
        if isalive(self._timer):
            self._timer.stop()
        self.keeper.release()
