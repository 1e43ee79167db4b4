"""Guidelines beside the label in hand, and the study's questions and boxes."""

from __future__ import annotations

from typing import Any, Final

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QInputDialog, QPushButton, QWidget

from napari_medlabel.errors import MedlabelError
from napari_medlabel.plugin.binding import Binding
from napari_medlabel.project.ontology.document import read_ontology
from napari_medlabel.project.ontology.ontology import Ontology
from napari_medlabel.session.study.seat import Seat
from napari_medlabel.widgets.study.box_desk import BoxDesk
from napari_medlabel.widgets.study.guideline_dock import GuidelineDock
from napari_medlabel.widgets.study.questions import Questions
from napari_medlabel.widgets.study.worklist_panel import REASONS

KEYS: Final = ("F9", "Alt-G")
"""The first of them that is free shows and hides the guidelines."""


class GuideDesk(QObject):
    """One of the desks of a study.

    Parameters
    ----------
    study : StudyDesk
        The study it serves.
    """

    problem_requested = Signal(str)
    """A decision tree ended in raising a problem: why, as a reason's code."""

    def __init__(self, study: Any) -> None:
        super().__init__(study)
        self.study = study
        self.guidelines = GuidelineDock(study)
        self.questions = Questions(study)
        self.boxes = BoxDesk(study)
        self.ontology: Ontology | None = None
        self._binding: Binding | None = None
        self.button = QPushButton("Guidelines")
        self.button.setToolTip("Show or hide the guidelines of this study")
        self.button.clicked.connect(self.guidelines.toggle)
        study.work.list.layout().addWidget(self.button)
        study.work.bar.guide_button.clicked.connect(self.guidelines.toggle)
        study.study_opened.connect(self._on_study)
        study.study_closed.connect(self._on_left)
        study.reading_opened.connect(self._on_reading)
        study.reading_closed.connect(self._on_closed)
        study.work.notes_changed.connect(self.questions.notes_changed)
        study.work.question_wanted.connect(self.questions.point_out)
        self.questions.label_reached.connect(self.choose_label)
        self.questions.problem_reached.connect(self.ask_for_problem)

    @property
    def pages(self) -> tuple[tuple[str, QWidget], ...]:
        """Its pages among those of an open case, with their titles."""
        return ("Questions", self.questions.page), ("Boxes", self.boxes.panel)

    # -- the study -----------------------------------------------------------------------

    def _on_study(self, seat: Seat) -> None:
        self.guidelines.study_opened(seat)

    def _on_left(self) -> None:
        self.guidelines.study_closed()
        self.ontology = None

    def _on_reading(self, reading: Any) -> None:
        seat = self.study.seat
        try:
            self.ontology = read_ontology(seat.layout.ontology)
        except MedlabelError as err:
            self.study.dock.show_error(err)
            return
        self.guidelines.look_again(seat)
        binding = self._binding = reading.binding
        key = next((key for key in KEYS if binding.keys.is_free(key)), "")
        if key:
            binding.keys.bind(
                key, "Show or hide the guidelines", self.guidelines.toggle, group="Study"
            )
        self.study.work.bar.show_guide_key(key)
        self.guidelines.serve(binding.keys)
        if reading.purpose != "adjudicate":  # answers and boxes of nobody's reading
            self.questions.reading_opened(reading, self.ontology)
            self.boxes.reading_opened(reading, self.ontology)
        binding.labels.events.selected_label.connect(self._show_label)
        for event in (
            binding.viewer.dims.events.current_step,
            binding.viewer.dims.events.order,
        ):
            event.connect(self._show_slice)
        self._show_label()
        self._show_slice()

    def _on_closed(self) -> None:
        binding, self._binding = self._binding, None
        if binding is None:
            return
        self.guidelines.serve(None)
        self.questions.reading_closed()
        self.boxes.reading_closed()
        binding.labels.events.selected_label.disconnect(self._show_label)
        for event in (
            binding.viewer.dims.events.current_step,
            binding.viewer.dims.events.order,
        ):
            event.disconnect(self._show_slice)
        self.guidelines.show_label(None)

    # -- what is in hand -----------------------------------------------------------------

    def _show_label(self, _event: object = None) -> None:
        binding, ontology = self._binding, self.ontology
        if binding is None or ontology is None:
            return
        value = int(binding.labels.selected_label)
        label = next((one for one in ontology.labels if one.value == value), None)
        self.guidelines.show_label(label, binding.session.volume.quantity)
        self.questions.show_label("" if label is None else label.id)

    def _show_slice(self, _event: object = None) -> None:
        if self._binding is not None:
            self.questions.show_slice(slice_shown(self._binding))

    def choose_label(self, key: str) -> None:
        """Take the label that a decision tree ended in into the hand, by its id."""
        ontology = self.ontology
        label = (
            next((one for one in ontology.labels if one.id == key), None) if ontology else None
        )
        if label is not None:
            self.study.dock.segment_desk.choose_label(label.value)

    def ask_for_problem(self) -> None:
        """Ask for the reason of a problem, and let it be raised."""
        reason = ask_reason(self.study.dock.window())
        if reason:
            self.problem_requested.emit(reason)


def ask_reason(parent: QWidget) -> str:
    """Ask why a problem is raised; return the reason's code, empty for none after all."""
    words, is_sure = QInputDialog.getItem(
        parent,
        "Raise a problem",
        "The reading is saved, closed, and waits for the study's manager. Why?",
        list(REASONS.values()),
        0,
        False,
    )
    return next((code for code, own in REASONS.items() if own == words), "") if is_sure else ""


def slice_shown(binding: Binding) -> int | None:
    """Return the acquired slice k on the screen; None in another plane and in 3D."""
    dims, display = binding.viewer.dims, binding.display
    before = dims.ndim - 3
    if before < 0 or before + display.order.index(2) in dims.displayed:
        return None
    step = [float(n) for n in dims.current_step[before:]]
    return round(float(display.index_ijk(step)[2]))
