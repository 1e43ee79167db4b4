"""Readings side by side: where they differ, what is taken, and how well they agree."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from qtpy.QtCore import QObject
from qtpy.QtWidgets import QPushButton, QVBoxLayout, QWidget

from napari_medlabel.errors import MedlabelError
from napari_medlabel.plugin.difference_layer import DifferenceLayer, kind_of
from napari_medlabel.project.agreement.answers import in_words
from napari_medlabel.project.agreement.landmarks import OWN, places_of
from napari_medlabel.project.ontology.document import read_ontology
from napari_medlabel.session.study.adjudicating import Adjudicating
from napari_medlabel.session.study.agreeing import (
    ADJUDICATE,
    Reached,
    differing_answers,
    reach,
)
from napari_medlabel.session.study.disputes import Prepared, prepare, staple_of
from napari_medlabel.session.study.settled_before import SettledError
from napari_medlabel.widgets.background import Background
from napari_medlabel.widgets.notice import Notice
from napari_medlabel.widgets.progress_row import ProgressRow
from napari_medlabel.widgets.study.agreement_window import SEERS, show_agreement
from napari_medlabel.widgets.study.difference_panel import EDIT, DifferencePanel, Entry
from napari_medlabel.widgets.study.dispute_panel import Dispute, DisputePanel
from napari_medlabel.widgets.study.disputed_marks import disputed_marks
from napari_medlabel.widgets.study.why_anew import ask_why_anew

NEXT, PREVIOUS = "Alt-D", "Alt-Shift-D"
_NEXT_WORDS, _PREVIOUS_WORDS = "Next difference", "Previous difference"
_ASKED: Final = ("majority", "staple")


class CompareDesk(QObject):
    """One of the desks of a study.

    Parameters
    ----------
    study : StudyDesk
        The study it serves.

    Attributes
    ----------
    work : Adjudicating or None
        The adjudication that is open.
    """

    def __init__(self, study: Any) -> None:
        super().__init__(study)
        self.study = study
        self.work: Adjudicating | None = None
        self.layer: DifferenceLayer | None = None
        self.background = Background(self)
        self.panel = DifferencePanel()
        self.marks, self.answers = DisputePanel("Landmarks"), DisputePanel("Answers")
        self.progress, self.notice = ProgressRow(), Notice()
        self.page = QWidget()
        column = QVBoxLayout(self.page)
        column.setContentsMargins(0, 0, 0, 0)
        for part in (self.notice, self.progress, self.panel, self.marks, self.answers):
            column.addWidget(part)
        self.button = QPushButton("Agreement…")
        self.button.setToolTip(
            "How well readings agree, and the cases that wait to be settled."
        )
        self.button.hide()
        study.work.list.layout().addWidget(self.button)
        self._connect()

    def _connect(self) -> None:
        self.background.progressed.connect(self.progress.show_progress)
        self.progress.cancel_requested.connect(self.background.cancel)
        self.panel.chosen.connect(self._look_at)
        self.panel.decided.connect(self._decide)
        self.panel.taken_back.connect(self._take_back)
        self.panel.finish_requested.connect(self.finish)
        self.marks.looked_at.connect(self._look_at_mark)
        self.marks.decided.connect(
            lambda name, choice: self._try(lambda work: self._decide_mark(work, name, choice))
        )
        self.answers.decided.connect(
            lambda name, slot: self._try(lambda work: work.decide_answer(name, slot))
        )
        self.button.clicked.connect(self.show_agreement)
        self.study.study_opened.connect(
            lambda seat: self.button.setVisible(bool(SEERS & set(seat.rater.roles)))
        )
        self.study.study_closed.connect(self.button.hide)
        self.study.reading_opened.connect(self._opened)
        self.study.reading_closed.connect(self._closed)

    @property
    def pages(self) -> tuple[tuple[str, QWidget], ...]:
        """Its pages among those of an open case, with their titles."""
        return (("Compare", self.page),)

    def show_agreement(self) -> None:
        """Show how well the readings of the study agree, beside this dock."""
        if self.study.seat is not None:
            show_agreement(self.study)

    # -- the case ------------------------------------------------------------------------

    def _opened(self, reading: Any) -> None:
        if reading.purpose != ADJUDICATE:
            return
        # Nothing is drawn before it is clear what may be: readings are not there yet.
        session = reading.session
        session.bench.keep_within(_nowhere(session))
        self.notice.clear()
        self.panel.setEnabled(False)
        self.panel.show_entries((), "")
        self._bind(reading.binding.keys)
        self.study.dock.show_page(self.page, True, front=True)
        self.progress.begin("Comparing the readings …")
        seat, case, grid = self.study.seat, reading.case, session.volume.grid
        tell = self.background.tell

        def done(found: Prepared) -> None:
            self.progress.end()
            if self.study.reading is reading:
                self._begin(reading, Adjudicating(seat, case, session, found))

        self.background.run(
            lambda: prepare(seat, case, grid, tell, reading.sheet),
            done,
            self._failed,
            lambda: self._cancelled(reading),
        )

    def _bind(self, keys: Any) -> None:
        for key, words, way in ((NEXT, _NEXT_WORDS, 1), (PREVIOUS, _PREVIOUS_WORDS, -1)):
            if keys.is_free(key):
                keys.bind(key, words, partial(self.panel.step, way), group="Study")
        self.panel.name_keys(keys.key_of(_PREVIOUS_WORDS), keys.key_of(_NEXT_WORDS))

    def _begin(self, reading: Any, work: Adjudicating) -> None:
        self.work = work
        differences = work.differences
        scheme = reading.session.labels.scheme
        values = sorted({v for one in differences.found for v in one.labels})
        self.panel.begin(
            work.slots,
            sorted({kind_of(one) for one in differences.found}, key=lambda n: n or 99),
            {v: scheme[v].name for v in values},
            {choice: work.why_not(choice) for choice in _ASKED},
        )
        self.layer = DifferenceLayer(reading.binding, differences)
        work.changed.connect(self._changed)
        work.failed.connect(self.study.dock.show_error)
        self.panel.setEnabled(True)
        self._changed(())
        self.panel.step(1)

    def _closed(self) -> None:
        work, self.work = self.work, None
        layer, self.layer = self.layer, None
        self.background.cancel()
        self.study.dock.show_page(self.page, False)
        self.notice.clear()
        if layer is not None:
            layer.remove()
        if work is not None:
            work.close()

    def _cancelled(self, reading: Any) -> None:
        self.progress.end()
        if self.study.reading is reading:
            self.notice.say(
                "amber",
                "The readings were not compared: nothing can be decided yet.",
                {"Compare": lambda: self._opened(reading)},
            )

    def _failed(self, err: MedlabelError) -> None:
        self.progress.end()
        self.panel.setEnabled(self.work is not None)
        self.study.dock.show_error(err)

    def _try(self, action: Any) -> None:
        if self.work is None:
            return
        try:
            action(self.work)
        except MedlabelError as err:
            self.study.dock.show_error(err)

    # -- what is shown -------------------------------------------------------------------

    def _changed(self, _numbers: object) -> None:
        work = self.work
        if work is None:
            return
        scheme = work.session.labels.scheme
        entries = [
            Entry(
                one.number,
                kind_of(one),
                one.kind(work.slots),
                ", ".join(scheme[value].name for value in one.labels),
                one.labels,
                one.ml,
                one.mm,
                work.work.choice(one),
            )
            for one in work.differences.found
        ]
        left = work.open
        ml = sum(one.ml for one in left)
        count = len(entries)
        words = f"{count} difference{'' if count == 1 else 's'}"
        if not count:
            words = "The masks of all readings are the same"
        elif left:
            words += f", {len(left)} undecided: {ml:.3g} ml"
        else:
            words += ", all decided"
        self.panel.show_entries(entries, f"{words}.")
        self.marks.show_disputes(disputed_marks(work))
        self.answers.show_disputes(self._questions(work))
        self._draw()

    def _draw(self) -> None:
        if self.layer is not None and self.work is not None:
            entry = self.panel.in_hand
            number = None if entry is None else entry.number
            self.layer.show([one.number for one in self.work.open], number)

    def _questions(self, work: Adjudicating) -> list[Dispute]:
        ontology = read_ontology(self.study.seat.layout.ontology)
        names = {one.id: one.name for one in ontology.labels}
        out = []
        for question in differing_answers(work.readings):
            given = {one.slot: one.answers.get(question, "none") for one in work.readings}
            said = ", ".join(f"{slot}: {_said(answer)}" for slot, answer in given.items())
            text = in_words(ontology.questions, question, names)
            choices = (("", "left open"), *((slot, f"{slot}'s") for slot in given))
            chosen = work.work.answers.get(question, "")
            out.append(Dispute(question, f"{text}  {said}", choices, chosen))
        return out

    def _look_at(self, number: int) -> None:
        work, reading = self.work, self.study.reading
        if work is None or reading is None:
            return
        work.draw_in(None)
        self.panel.say("")
        reading.binding.go_to_point(work.differences.found[number].place_ras)
        self._draw()

    def _look_at_mark(self, name: str) -> None:
        reading = self.study.reading
        if self.work is None or reading is None:
            return
        sets = [one.landmarks for one in self.work.readings]
        placed = [at for at in places_of(sets, name) if at is not None]
        now = self.work.marks()
        point = now[name].point_ras if name in now else None
        if point is not None or placed:
            reading.binding.go_to_point(point or placed[0])

    # -- decisions -----------------------------------------------------------------------

    def _numbers(self, whole_label: bool) -> list[int]:
        entry, work = self.panel.in_hand, self.work
        if entry is None or work is None:
            return []
        if not whole_label:
            return [entry.number]
        alike = [one for one in work.differences.found if set(one.labels) & set(entry.values)]
        return [one.number for one in alike if not work.work.choice(one)]

    def _decide(self, choice: str, whole_label: bool) -> None:
        numbers = self._numbers(whole_label)
        if self.work is None or not numbers:
            return
        if choice == EDIT:
            self._edit(self.work, numbers[0])
        elif choice == "staple" and self.work.staple is None:
            self._compute_staple(self.work, numbers)
        else:
            self._try(lambda work: work.decide(numbers, choice))

    def _edit(self, work: Adjudicating, number: int) -> None:
        """Let the hand draw in one difference; as it stands now is the first decision."""
        self._try(lambda _work: work.keep_as_drawn(number))
        work.draw_in(number)
        self.panel.say(
            "Draw in the white outline with any tool: what you leave is the decision. "
            "Another difference ends it."
        )

    def _compute_staple(self, work: Adjudicating, numbers: list[int]) -> None:
        self.progress.begin("Computing STAPLE of all readings …")

        def done(found: Any) -> None:
            self.progress.end()
            if self.work is work:
                work.staple = found
                self._try(lambda _work: work.decide(numbers, "staple"))

        self.background.run(
            lambda: staple_of(work.readings), done, self._failed, self.progress.end
        )

    def _take_back(self, whole_label: bool) -> None:
        entry, work = self.panel.in_hand, self.work
        if entry is None or work is None:
            return
        numbers = [entry.number]
        if whole_label:
            found = work.differences.found
            numbers = [one.number for one in found if set(one.labels) & set(entry.values)]
        self._try(lambda _work: work.take_back(numbers))

    def _decide_mark(self, work: Adjudicating, name: str, choice: str) -> None:
        if choice != OWN:
            work.decide_mark(name, choice)
            return
        self._look_at_mark(name)
        self.study.dock.show_page(self.study.dock.landmark_panel, True, front=True)

    # -- the consensus -------------------------------------------------------------------

    def finish(self, reason: str = "") -> None:
        """Write the consensus in the background; what is not decided stays unresolved."""
        work, reading = self.work, self.study.reading
        if work is None or reading is None or self.background.is_busy:
            return
        work.session.reconcile()
        self.panel.setEnabled(False)
        self.progress.begin("Writing the consensus …")
        self.progress.cancel_button.setEnabled(False)

        def write() -> tuple[Reached, int]:
            scan = work.session.volume
            done = reach(work.seat, work.case, ADJUDICATE, scan, reason=reason)
            return done, work.strays()

        self.background.run(write, lambda found: self._written(work, *found), self._refused)

    def _refused(self, err: MedlabelError) -> None:
        """Ask why another consensus takes the place of a settled one, and write it then."""
        if not isinstance(err, SettledError):
            self._failed(err)
            return
        self.progress.end()
        self.panel.setEnabled(True)
        if why := ask_why_anew(self.page.window()):
            self.finish(why)

    def _written(self, work: Adjudicating, done: Reached, strays: int) -> None:
        self.progress.end()
        self.panel.setEnabled(True)
        ml = done.open_voxels * work.differences.grid.affine.voxel_ml
        said = [f"Version {done.version.number} of the consensus is written."]
        if done.open_voxels:
            said.append(f"Unresolved are {done.open_voxels} voxels, {ml:.3g} ml.")
        elsewhere = done.open - len(work.open)
        if elsewhere > 0:
            said.append(f"{elsewhere} differences on other layers are undecided.")
        if strays:
            said.append(
                f"Not in it are {strays} voxels that were changed where all readings agree."
            )
        said += [one for one in done.words if one.startswith("Boxes")]
        colour = "amber" if done.open_voxels or strays else "green"
        self.notice.say(colour, " ".join(said), {"Dismiss": self.notice.clear})
        self.study.worklist_changed.emit()


def _nowhere(session: Any) -> Any:
    import numpy as np

    return np.zeros(session.labels.array.shape[::-1], dtype=bool).T


def _said(answer: object) -> str:
    if isinstance(answer, bool):
        return "yes" if answer else "no"
    if isinstance(answer, list | tuple):
        return " + ".join(map(str, answer)) or "none"
    return str(answer)
