"""The ontology of a study: everything that can be labelled or asked, checked as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from napari_medlabel.errors import InputError
from napari_medlabel.model.labelmap import LabelScheme
from napari_medlabel.model.landmarks import Landmark, LandmarkSet
from napari_medlabel.project.ontology.labels import BoxKind, OntologyLabel, require_id
from napari_medlabel.project.ontology.questions import Question
from napari_medlabel.project.ontology.trees import PROBLEM, Tree


@dataclass(frozen=True)
class Template:
    """Landmarks to be placed, in order.

    Parameters
    ----------
    id : str
        Never changes.
    name : str
        What it is called.
    landmarks : LandmarkSet
        Without positions.
    """

    id: str
    name: str
    landmarks: LandmarkSet

    def __post_init__(self) -> None:
        require_id(self.id, "template")


@dataclass(frozen=True)
class Ontology:
    """What a study labels and asks.

    Raises
    ------
    InputError
        When an id or a value stands twice, or something refers to what is not there.
    """

    name: str
    labels: tuple[OntologyLabel, ...]
    templates: tuple[Template, ...] = ()
    boxes: tuple[BoxKind, ...] = ()
    questions: tuple[Question, ...] = ()
    trees: tuple[Tree, ...] = ()

    def __post_init__(self) -> None:
        for what, keys in (
            ("value", [label.value for label in self.labels]),
            ("name", [label.name for label in self.labels]),
            ("id", [label.id for label in self.labels]),
            ("id of a template", [one.id for one in self.templates]),
            ("id of a box", [one.id for one in self.boxes]),
            ("id of a question", [one.id for one in self.questions]),
            ("id of a tree", [one.id for one in self.trees]),
        ):
            _require_once(what, keys)
        self._check_questions()
        labels = {label.id for label in self.labels}
        for tree in self.trees:
            if not tree.ends <= labels | {PROBLEM}:
                raise InputError(
                    "A decision tree ends in a label that the ontology does not have.",
                    hint="Add the label, or let the way end elsewhere.",
                )

    def _check_questions(self) -> None:
        labels = {label.id for label in self.labels}
        before: dict[str, Question] = {}
        for question in self.questions:
            if question.label and question.label not in labels:
                raise InputError(
                    f"The question {question.id} is about a label that is not there.",
                    hint="Add the label, or leave it empty for every label.",
                )
            condition = question.show_if
            if condition is not None:
                if condition.question not in before:
                    raise InputError(
                        f"The question {question.id} hangs on one that is not before it.",
                        hint="Put the other question first.",
                    )
                _require_possible(question, before[condition.question])
            before[question.id] = question

    @property
    def layers(self) -> tuple[int, ...]:
        """The layers that labels lie on, ascending: a mask for each."""
        return tuple(sorted({label.layer for label in self.labels}))

    @property
    def landmarks(self) -> LandmarkSet:
        """All landmarks of all templates, in their order.

        What two templates define alike is one landmark. Where they mean different things by
        one name, the later has its template's name before its own.
        """
        marks: dict[str, Landmark] = {}
        for template in self.templates:
            for mark in template.landmarks:
                known = marks.get(mark.name)
                if known is not None and known != mark:
                    mark = replace(mark, name=f"{template.name}: {mark.name}")  # noqa: PLW2901
                marks.setdefault(mark.name, mark)
        return LandmarkSet(tuple(marks.values()))

    def scheme(self, layer: int = 0) -> LabelScheme:
        """Return the label scheme of a layer's masks."""
        rows = tuple(label.as_label() for label in self.labels if label.layer == layer)
        return LabelScheme(self.name, rows)

    def label(self, value: int) -> OntologyLabel:
        """Return the label of a value.

        Raises
        ------
        InputError
            When there is none.
        """
        for label in self.labels:
            if label.value == value:
                return label
        raise InputError(
            f"The ontology has no label with the value {value}.",
            hint="Use the labels of the study, or add one to its ontology.",
        )


def _require_once(what: str, keys: Sequence[object]) -> None:
    if len(set(keys)) != len(keys):
        raise InputError(
            f"In an ontology each {what} stands once; one stands twice.",
            hint="Change one of the two.",
        )


def _require_possible(question: Question, other: Question) -> None:
    """Refuse a condition that nobody could ever meet where the question is asked."""
    if not other.is_known_to(question):
        each = "slice" if other.level == "slice" else "label"
        raise InputError(
            f"The question {question.id} hangs on {other.id}, which has an answer for each "
            f"{each}: it would never be shown.",
            hint=f"Ask {question.id} for each {each} too, or let it hang on one asked once.",
        )
    condition = question.show_if
    wanted = () if condition is None else condition.any_of
    if not all(map(other.can_be, wanted)):
        raise InputError(
            f"The question {question.id} waits for an answer to {other.id} that cannot be "
            "given.",
            hint="Name choices by their ids, yes and no as true and false, numbers in their "
            "range.",
        )
