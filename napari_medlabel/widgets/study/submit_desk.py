"""Submitting in the window: save, look at the rules, jump to what is amiss, submit, go on."""

from __future__ import annotations

from typing import Any, Final

from qtpy.QtCore import QObject

from napari_medlabel.project.work.rules import Complaint
from napari_medlabel.session.study.submitting import (
    ComplaintsError,
    Submitted,
    open_work,
    submit,
)

_LATER: Final = (
    "What you changed while it was being submitted is not in it. It is kept: take the "
    "submission back and open the reading to have it again."
)
_UNDER_WAY: Final = "The reading is being saved, looked at and submitted."


class SubmitDesk(QObject):
    """Takes the reading in hand to its submission.

    Parameters
    ----------
    work : WorkDesk
        Whose reading it is.
    """

    def __init__(self, work: Any) -> None:
        super().__init__(work)
        self._work, self._study = work, work.study
        work.bar.submit_requested.connect(self.submit)
        panel = work.complaints
        panel.submit_requested.connect(self.submit)
        panel.again_requested.connect(self.submit)
        panel.jump_requested.connect(self.jump)
        panel.absent_requested.connect(self.say_absent)
        panel.closed.connect(panel.hide)

    def submit(self, reason: str = "") -> None:
        """Save, look at the rules, and submit where nothing is amiss, or for a reason."""
        work, reading = self._work, self._study.reading
        ready = reading is not None and reading.purpose == "work" and work.notes is not None
        if ready and work.is_busy:
            work.say_busy()
        if not ready or work.is_busy or work.keeper.is_lost or not work.keeper.write():
            return
        work.complaints.setEnabled(False)
        work.bar.allow_submit(_UNDER_WAY)
        work.bar.list_button.setEnabled(False)
        if not self._study.dock.desk.save_then(lambda well: self._saved(reading, reason, well)):
            self._give_up()
            work.say_busy()

    def _saved(self, reading: Any, reason: str, well: bool) -> None:
        work, seat = self._work, self._study.seat
        if not well or seat is None or reading is not self._study.reading:
            self._give_up()
            return
        case, slot, session = reading.case, reading.slot, reading.session
        revision = session.revision
        work.keeper.write()

        def look() -> tuple[Submitted | tuple[Complaint, ...], tuple[str, ...]]:
            scan = session.volume
            made = open_work(seat.layout, seat.rater.code, case, scan, slot)
            try:
                found = submit(
                    seat, case, slot, scan, made, reason=reason, is_open=reading.sheet
                )
            except ComplaintsError as err:
                return err.complaints, ()
            return found, made.words

        def done(got: tuple[Submitted | tuple[Complaint, ...], tuple[str, ...]]) -> None:
            found, words = got
            if not isinstance(found, Submitted):
                self._show(reading, found)
                return
            said = [outcome(reading.title, found), *words]
            if session.revision != revision:
                said.append(_LATER)
            self._submitted(reading, said)

        if not work.act(look, done, self._give_up):
            self._give_up()

    def _give_up(self) -> None:
        """Let the person go on: nothing was submitted."""
        self._work.complaints.setEnabled(True)
        self._work.bar.list_button.setEnabled(True)
        if self._study.reading is not None and not self._work.keeper.is_lost:
            self._work.bar.allow_submit()

    def _show(self, reading: Any, complaints: tuple[Complaint, ...]) -> None:
        self._give_up()
        if reading is self._study.reading:
            labels = reading.session.labels.scheme.labels
            names = {one.value: one.name for one in labels} | self._work.sheets.names
            self._work.complaints.show_complaints(complaints, names)
            self._work.complaints.show()
            self._study.dock.column.verticalScrollBar().setValue(0)

    def say_absent(self, empty: tuple[Complaint, ...]) -> None:
        """Say that there is nothing of the labels that complaints call empty; look again."""
        ontology, notes = self._study.guide.ontology, self._work.notes
        if ontology is None or notes is None:
            return
        said = {
            label.id
            for label in ontology.labels
            for one in empty
            # Labels of two layers may have one value: the name tells which.
            if label.value == one.label and one.words.startswith(f"{label.name} ")
        }
        self._work.put_absent(notes.absent | said)
        self.submit()

    def _submitted(self, reading: Any, said: list[str]) -> None:
        work = self._work
        work.complaints.setEnabled(True)
        work.bar.list_button.setEnabled(True)
        if reading is self._study.reading:
            work.keeper.forget()  # its folder is closed now
            self._study.dock.desk.put_away()
        work.say(" ".join(said), Next_case=work.begin_next)

    # -- jumping -------------------------------------------------------------------------

    def jump(self, complaint: Complaint) -> None:
        """Show the place that a complaint is about, and take its label into the hand."""
        if self._study.reading is None:
            return
        self._go_to(complaint)
        if complaint.question:  # once its slice and its label are there, for which it is asked
            self._work.question_wanted.emit(complaint.question)

    def _go_to(self, complaint: Complaint) -> None:
        reading, dock = self._study.reading, self._study.dock
        binding = reading.binding
        if complaint.layer is not None:
            self._work.sheets.choose(complaint.layer)
            return
        if self._work.sheets.show_label(complaint.label):
            return  # another click goes to the place, on the layer that opens now
        if complaint.label in reading.session.labels.scheme.values:
            dock.segment_desk.choose_label(complaint.label)
        if complaint.place_ras is None:
            return
        views = dock.sight_desk.views
        if complaint.slice is not None and not _shows_slices(views, binding):
            dock.desk.show_plane(binding.display.plane)
        if views is None:
            binding.go_to_point(complaint.place_ras)
        else:
            views.go_to_ras(complaint.place_ras)


def outcome(title: str, found: Submitted) -> str:
    """Return in words what became of a submission, and how it went where that is told.

    Parameters
    ----------
    title : str
        Case and slot.
    found : Submitted
        Its gold score is there for readers who may know it.
    """
    words = f"{title} is submitted: version {found.version.number}."
    if found.gold is None:
        return words
    if found.gold.passed:
        return f"{words} It agrees with the known answer."
    return f"{words} The known answer differs: {'; '.join(found.gold.reasons())}."


def _shows_slices(views: Any, binding: Any) -> bool:
    """Tell whether a view shows the slices that the scan has."""
    shown = [binding.orientation.plane] if views is None else [one.plane for one in views.all]
    return binding.display.plane in shown
