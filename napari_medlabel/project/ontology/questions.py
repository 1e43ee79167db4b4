"""Questions at four levels, shown when earlier answers ask for them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from napari_medlabel.errors import InputError
from napari_medlabel.project.ontology.labels import require_id

Level = Literal["study", "series", "slice", "label"]
Kind = Literal["boolean", "choice", "multiple", "number", "text"]
LEVELS: Final = ("study", "series", "slice", "label")
KINDS: Final = ("boolean", "choice", "multiple", "number", "text")
LONGEST_TEXT: Final = 2000
Answer = bool | str | float | tuple[str, ...]
Answers = Mapping[str, Answer]


@dataclass(frozen=True)
class Choice:
    """One answer to choose.

    Parameters
    ----------
    id : str
        Never changes.
    name : str
        What is shown.
    """

    id: str
    name: str

    def __post_init__(self) -> None:
        require_id(self.id, "choice")


@dataclass(frozen=True)
class Condition:
    """When a question is shown.

    Parameters
    ----------
    question : str
        Id of an earlier question.
    any_of : tuple of str
        It is shown when the answer is, or holds, one of these (ids of choices, ``true`` or
        ``false``); empty: when it is answered at all.
    """

    question: str
    any_of: tuple[str, ...] = ()

    def holds(self, answers: Answers) -> bool:
        """Tell whether it holds."""
        if self.question not in answers:
            return False
        answer = answers[self.question]
        if not self.any_of:
            return True
        if isinstance(answer, bool):
            return str(answer).lower() in self.any_of
        given = answer if isinstance(answer, tuple) else (str(answer),)
        return any(one in self.any_of for one in given)


@dataclass(frozen=True)
class Question:
    """One question.

    Parameters
    ----------
    id : str
        Never changes.
    text : str
        What is asked.
    level : str
        What it is about: ``study``, ``series``, ``slice`` or ``label``.
    kind : str
        ``boolean``, ``choice``, ``multiple``, ``number`` or ``text``.
    choices : tuple of Choice
        For ``choice`` and ``multiple``.
    label : str
        Id of the label it is about, at label level; empty for every label.
    required : bool
        Whether a submission needs an answer when it is shown.
    low, high : float or None
        Ends of a number, both inside.
    unit : str
        Of a number, in UCUM: ``mm``.
    show_if : Condition or None
        When it is shown; always when None.
    hint : str
        Words beside it.

    Raises
    ------
    InputError
        When a part is not valid.
    """

    id: str
    text: str
    level: Level
    kind: Kind
    choices: tuple[Choice, ...] = ()
    label: str = ""
    required: bool = False
    low: float | None = None
    high: float | None = None
    unit: str = ""
    show_if: Condition | None = None
    hint: str = ""

    def __post_init__(self) -> None:
        require_id(self.id, "question")
        if self.level not in LEVELS or self.kind not in KINDS or not self.text.strip():
            raise InputError(
                f"A question has a text, a level of {', '.join(LEVELS)} and a kind of "
                f"{', '.join(KINDS)}.",
                hint="See docs/reference/ontology.md.",
            )
        chosen = self.kind in ("choice", "multiple")
        if chosen != bool(self.choices):
            raise InputError(
                "Questions of the kinds choice and multiple have choices, others none.",
                hint="List what can be chosen, or change the kind.",
            )
        if len({one.id for one in self.choices}) != len(self.choices):
            raise InputError(
                "Each choice of a question has its own id; one stands twice.",
                hint="Change one of the two.",
            )
        if self.label and self.level != "label":
            raise InputError(
                "Only a question at label level is about a label.",
                hint="Set its level to label, or take the label away.",
            )

    def check(self, answer: object) -> Answer:
        """Return an answer when it is one.

        Raises
        ------
        InputError
            When it is none; the answer itself is not repeated.
        """
        if self.kind == "boolean" and isinstance(answer, bool):
            return answer
        if self.kind == "text" and isinstance(answer, str) and len(answer) <= LONGEST_TEXT:
            return answer
        if self.kind == "number" and _is_number(answer) and self._in_range(float(answer)):  # type: ignore[arg-type]
            return float(answer)  # type: ignore[arg-type]
        known = {one.id for one in self.choices}
        if self.kind == "choice" and isinstance(answer, str) and answer in known:
            return answer
        if self.kind == "multiple" and isinstance(answer, Sequence):
            given = tuple(str(one) for one in answer)
            if not isinstance(answer, str) and set(given) <= known and _all_once(given):
                return given
        raise InputError(
            f"The answer to the question {self.id} is not of its kind, {self.kind}.",
            hint="Choose from what is offered; numbers have their range, texts "
            f"{LONGEST_TEXT} signs.",
        )

    def _in_range(self, number: float) -> bool:
        above = self.low is None or number >= self.low
        return above and (self.high is None or number <= self.high)


def _is_number(answer: object) -> bool:
    plain = isinstance(answer, int | float) and not isinstance(answer, bool)
    return plain and math.isfinite(answer)  # type: ignore[arg-type]


def _all_once(given: tuple[str, ...]) -> bool:
    return len(set(given)) == len(given)


def shown(questions: Sequence[Question], answers: Answers) -> tuple[Question, ...]:
    """Return the questions that these answers ask for, in order.

    A question whose condition hangs on a hidden one is hidden too, whatever was answered once.
    """
    visible: list[Question] = []
    seen: dict[str, Answer] = {}
    for question in questions:
        if question.show_if is None or question.show_if.holds(seen):
            visible.append(question)
            if question.id in answers:
                seen[question.id] = answers[question.id]
    return tuple(visible)


def check_answers(
    questions: Sequence[Question], answers: Mapping[str, Any]
) -> dict[str, Answer]:
    """Return answers as they are kept: of shown questions alone, each of its kind.

    Raises
    ------
    InputError
        When an answer is of no question, or not of its kind.
    """
    known = {question.id: question for question in questions}
    unknown = set(answers) - set(known)
    if unknown:
        raise InputError(
            "There is an answer to a question that the ontology does not have.",
            hint="The ontology has changed: answer again.",
        )
    checked = {key: known[key].check(value) for key, value in answers.items()}
    visible = {question.id for question in shown(questions, checked)}
    return {key: value for key, value in checked.items() if key in visible}


def unanswered(questions: Sequence[Question], answers: Answers) -> tuple[Question, ...]:
    """Return the shown questions that need an answer and have none."""
    return tuple(q for q in shown(questions, answers) if q.required and q.id not in answers)
