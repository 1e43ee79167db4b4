"""The questions of an open reading: what is asked where, answered, and kept in the notes."""

from __future__ import annotations

from typing import Any, Final

from qtpy.QtCore import QObject, Signal

from napari_medlabel.errors import InputError, MedlabelError
from napari_medlabel.project.cases.version import read_answers
from napari_medlabel.project.ontology.ontology import Ontology
from napari_medlabel.project.ontology.questions import (
    AT,
    Answer,
    Question,
    check_answers,
    shown,
)
from napari_medlabel.session.study.made import version_shown
from napari_medlabel.widgets.study.question_panel import QuestionPanel
from napari_medlabel.widgets.study.tree_panel import TreePanel

_WHOLE: Final = (("study", "The case"), ("series", "This series"))


class Questions(QObject):
    """Asks what the ontology asks, of the reading that is open.

    Parameters
    ----------
    study : StudyDesk
        The study it serves.

    Attributes
    ----------
    answers : dict
        Answers by key, as they are now.
    """

    label_reached = Signal(str)
    problem_reached = Signal()

    def __init__(self, study: Any) -> None:
        super().__init__(study)
        self.study = study
        self.trees = TreePanel()
        self.trees.hide()
        self.panel = self.page = QuestionPanel(self.trees)
        self.answers: dict[str, Answer] = {}
        self._ontology: Ontology | None = None
        self._read_only = True
        self._awaits_notes = False
        self._slice: int | None = None
        self._label = ""
        self.panel.answered.connect(self.put)
        self.panel.absent_changed.connect(self._put_absent)
        self.trees.label_reached.connect(self.label_reached)
        self.trees.problem_reached.connect(self.problem_reached)

    # -- the reading ---------------------------------------------------------------------

    def reading_opened(self, reading: Any, ontology: Ontology) -> None:
        """Show the questions, with the answers that were given."""
        self._ontology = ontology
        self._read_only = reading.purpose != "work"
        self._awaits_notes = not self._read_only and self.study.work.notes is None
        self.answers, words = {}, ""
        try:
            self.answers = self._known(reading, ontology)
        except MedlabelError as err:
            words = f"{err.message} {err.hint}"
        if self._read_only and not words:
            words = "Answers as they were submitted; they are only looked at here."
        self.panel.say("The answers are being read …" if self._awaits_notes else words)
        self.trees.show_trees(ontology.trees, {one.id: one.name for one in ontology.labels})
        self.trees.set_read_only(self._read_only)
        self._show_all()
        is_asked = bool(ontology.questions or ontology.trees or ontology.labels)
        self.study.dock.show_page(self.page, is_asked)

    def reading_closed(self) -> None:
        """Let go of the reading."""
        if self._ontology is None:
            return
        self._ontology = None
        self.answers = {}
        self.study.dock.show_page(self.page, False)

    def _known(self, reading: Any, ontology: Ontology) -> dict[str, Answer]:
        """Return the answers that are there; those that the ontology has no more are left."""
        if reading.purpose == "work":
            notes = self.study.work.notes
            found = {} if notes is None else dict(notes.answers)
        else:
            seat = self.study.seat
            version = version_shown(seat, reading.case, reading.slot)
            found = {} if version is None else read_answers(seat.layout, version)
        try:
            return check_answers(ontology.questions, found)
        except InputError:
            if self._read_only:
                raise
            return _still_valid(ontology.questions, found)

    def notes_changed(self) -> None:
        """Show answers that came from elsewhere, such as notes that were read late."""
        notes = self.study.work.notes
        if self._ontology is None or self._read_only or notes is None:
            return
        if self._awaits_notes:
            self._awaits_notes = False
            self.panel.say("")
            self.answers = _still_valid(self._ontology.questions, notes.answers)
            self._show_all()
            return
        self._show_absent()
        kept = _plain(check_answers(self._ontology.questions, self.answers))
        if dict(notes.answers) != kept:
            self.answers = _still_valid(self._ontology.questions, notes.answers)
            self.show()

    def _show_all(self) -> None:
        """Show everything; it can be changed once the notes are there."""
        self._show_absent()
        self.show()
        self.panel.set_read_only(self._read_only or self._awaits_notes)

    # -- asking --------------------------------------------------------------------------

    def show_slice(self, k: int | None) -> None:
        """Ask about another slice; None where no acquired slice is on the screen."""
        if k != self._slice:
            self._slice = k
            self._show_if(any(q.level == "slice" for q in self._questions))

    def show_label(self, label: str) -> None:
        """Ask about another label, by its id; empty for none."""
        if label != self._label:
            self._label = label
            self._show_if(any(q.level == "label" for q in self._questions))

    def _show_if(self, concerned: bool) -> None:
        if concerned:
            self.show()

    @property
    def _questions(self) -> tuple[Question, ...]:
        return () if self._ontology is None else self._ontology.questions

    def show(self) -> None:
        """Show what is asked now."""
        ontology = self._ontology
        if ontology is None:
            return
        sections = []
        for level, title in _WHOLE:
            asked = [q for q in shown(self._questions, self.answers) if q.level == level]
            sections.append((title, "", asked))
        if self._slice is not None:
            at = f"k{self._slice}"
            asked = [q for q in shown(self._questions, self.answers, at) if q.level == "slice"]
            sections.append((f"Slice {self._slice + 1}", at, asked))
        sections.append(self._about_label(ontology))
        answers = {
            (question.id, at): self.answers[question.key(at)]
            for _, at, asked in sections
            for question in asked
            if question.key(at) in self.answers
        }
        self.panel.show_questions(sections, answers)

    def _about_label(self, ontology: Ontology) -> tuple[str, str, list[Question]]:
        label = next((one for one in ontology.labels if one.id == self._label), None)
        if label is None:
            return "", "", []
        asked = [
            question
            for question in shown(self._questions, self.answers, label.id)
            if question.level == "label" and question.label in ("", label.id)
        ]
        return label.name, label.id, asked

    # -- answering -----------------------------------------------------------------------

    def put(self, question: str, place: str, answer: Answer | None) -> None:
        """Take an answer; what hangs on it is asked, or asked no more."""
        known = next((one for one in self._questions if one.id == question), None)
        if known is None or self._read_only or self._awaits_notes:
            return
        key = known.key(place)
        if answer is None:
            self.answers.pop(key, None)
        else:
            self.answers[key] = answer
        # Answers to what is hidden now stay on the screen's side: a slip can be taken back.
        self.study.work.put_answers(_plain(check_answers(self._questions, self.answers)))
        self.show()

    def point_out(self, question: str) -> bool:
        """Turn to a question that needs an answer; return whether it is on the screen."""
        self.study.dock.show_page(self.page, True, front=True)
        return self.panel.point_out(question)

    def _show_absent(self) -> None:
        ontology, notes = self._ontology, self.study.work.notes
        if ontology is None:
            return
        labels = [] if self._read_only else [(one.id, one.name) for one in ontology.labels]
        self.panel.show_absent(labels, frozenset() if notes is None else notes.absent)

    def _put_absent(self, absent: frozenset[str]) -> None:
        if not (self._read_only or self._awaits_notes):
            self.study.work.put_absent(absent)


def _still_valid(questions: tuple[Question, ...], found: Any) -> dict[str, Answer]:
    """Return of some answers those that are answers to these questions."""
    known = {question.id: question for question in questions}
    kept: dict[str, Answer] = {}
    for key, value in dict(found).items():
        name, _, place = str(key).partition(AT)
        if name in known and known[name].takes(place):
            try:
                kept[key] = known[name].check(value)
            except InputError:
                continue  # of an older ontology: it is asked anew
    return kept


def _plain(answers: Any) -> dict[str, Any]:
    """Return answers as JSON gives them back."""
    return {key: list(v) if isinstance(v, tuple) else v for key, v in answers.items()}
