"""Questions at four levels, shown when earlier answers ask for them.

An answer is kept under its question's id. A question about each slice, or about every label,
has an answer for each place: ``id@k12`` for slice k = 12, ``id@liver`` for the label ``liver``.
"""

from __future__ import annotations

import math
import re
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
AT: Final = "@"
"""Stands between a question and the place that an answer is about."""
_SLICE: Final = re.compile(r"k(0|[1-9][0-9]{0,5})")
_LABEL: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_NUMBER: Final = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")
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
        ``false``, numbers: ``3`` is ``3.0``); empty: when it is answered at all.
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
        if isinstance(answer, int | float):
            return any(read_number(one) == answer for one in self.any_of)
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
        self._require_range()

    def _require_range(self) -> None:
        """Refuse ends between which no number lies: nobody could answer."""
        ends = [end for end in (self.low, self.high) if end is not None]
        if not all(map(math.isfinite, ends)) or ends != sorted(ends):
            raise InputError(
                f"No number lies in the range of the question {self.id}.",
                hint="Give low the smaller number, or leave one of the two out.",
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

    @property
    def is_repeated(self) -> bool:
        """Whether it is asked anew at each place: on every slice, or for every label."""
        return self.level == "slice" or (self.level == "label" and not self.label)

    def key(self, place: str = "") -> str:
        """Return under which key its answer is kept.

        Parameters
        ----------
        place : str
            ``k12``, or the id of a label; ignored where it is asked once.
        """
        return f"{self.id}{AT}{place}" if place and self.is_repeated else self.id

    def takes(self, place: str) -> bool:
        """Tell whether an answer of it may be about a place; empty for the case as a whole."""
        if not place:
            return True
        form = _SLICE if self.level == "slice" else _LABEL
        return self.is_repeated and form.fullmatch(place) is not None

    def can_be(self, wanted: str) -> bool:
        """Tell whether an answer can be what a condition names."""
        if self.kind == "boolean":
            return wanted in ("true", "false")
        if self.kind == "number":
            number = read_number(wanted)
            return number is not None and self._in_range(number)
        if self.kind == "text":
            return len(wanted) <= LONGEST_TEXT
        return wanted in {one.id for one in self.choices}

    def is_known_to(self, other: Question) -> bool:
        """Tell whether another question can hang on it: its answer counts where that is asked.

        What is asked once counts everywhere. What is asked on each slice counts for questions
        about slices, what is asked of each label for questions about each label.
        """
        return not self.is_repeated or (other.is_repeated and other.level == self.level)

    def _in_range(self, number: float) -> bool:
        above = self.low is None or number >= self.low
        return above and (self.high is None or number <= self.high)


def read_number(text: str) -> float | None:
    """Return the number that a condition names; None where it is none."""
    number = float(text) if _NUMBER.fullmatch(text) else math.nan
    return number if math.isfinite(number) else None


def _is_number(answer: object) -> bool:
    plain = isinstance(answer, int | float) and not isinstance(answer, bool)
    return plain and math.isfinite(answer)  # type: ignore[arg-type]


def _all_once(given: tuple[str, ...]) -> bool:
    return len(set(given)) == len(given)


def is_slice(place: str) -> bool:
    """Tell whether the place of an answer is a slice: ``k12``."""
    return _SLICE.fullmatch(place) is not None


def answers_at(answers: Answers, place: str) -> dict[str, Answer]:
    """Return answers by question as they count at a place.

    Parameters
    ----------
    answers : mapping
        By key.
    place : str
        ``k12``, the id of a label, or empty for the case as a whole.
    """
    found = {key: value for key, value in answers.items() if AT not in key}
    ending = f"{AT}{place}"
    if place:
        found |= {
            key.removesuffix(ending): value
            for key, value in answers.items()
            if key.endswith(ending)
        }
    return found


def shown(
    questions: Sequence[Question], answers: Answers, place: str = ""
) -> tuple[Question, ...]:
    """Return the questions that these answers ask for, in order.

    A question whose condition hangs on a hidden one is hidden too, whatever was answered once.

    Parameters
    ----------
    answers : mapping
        By key.
    place : str
        Where it is asked: ``k12``, the id of a label, or empty.
    """
    there = answers_at(answers, place)
    visible: list[Question] = []
    seen: dict[str, Answer] = {}
    for question in questions:
        if question.show_if is None or question.show_if.holds(seen):
            visible.append(question)
            if question.id in there:
                seen[question.id] = there[question.id]
    return tuple(visible)


def check_answers(
    questions: Sequence[Question], answers: Mapping[str, Any]
) -> dict[str, Answer]:
    """Return answers as they are kept: of shown questions alone, each of its kind.

    Raises
    ------
    InputError
        When an answer is of no question, of a place that it is not asked for, or not of its
        kind.
    """
    known = {question.id: question for question in questions}
    checked: dict[str, Answer] = {}
    for key, value in answers.items():
        name, at, place = key.partition(AT)
        if name not in known or bool(at) != bool(place) or not known[name].takes(place):
            raise InputError(
                "There is an answer to a question that the ontology does not have.",
                hint="The ontology has changed: answer again.",
            )
        checked[key] = known[name].check(value)
    visible = {
        place: {question.id for question in shown(questions, checked, place)}
        for place in {key.partition(AT)[2] for key in checked}
    }
    return {
        key: value
        for key, value in checked.items()
        if key.partition(AT)[0] in visible[key.partition(AT)[2]]
    }


def unanswered(
    questions: Sequence[Question], answers: Answers, labels: Sequence[str] = ()
) -> tuple[Question, ...]:
    """Return the shown questions that need an answer and have none.

    One that is asked on every slice needs an answer on one slice at least. One about every
    label needs one for each of those that are there.

    Parameters
    ----------
    labels : sequence of str
        Ids of the labels of which something is drawn.
    """
    missing = [question for question, _ in missing_answers(questions, answers, labels)]
    return tuple(dict.fromkeys(missing))


def missing_answers(
    questions: Sequence[Question], answers: Answers, labels: Sequence[str] = ()
) -> tuple[tuple[Question, str], ...]:
    """Return the questions that need an answer, each with the place that it lacks it for.

    The place is empty for the case as a whole, and for a question that may be answered on any
    slice. One that other answers bring up on some slices lacks it for the first of those, as
    long as it is answered on none of them.
    """
    out: list[tuple[Question, str]] = []
    slices = _slices_answered(questions, answers)
    for question in questions:
        if not question.required:
            continue
        places: tuple[str, ...] = ("",)
        if question.level == "slice":
            places = ("", *slices)
        elif question.is_repeated and question.id not in answers:
            places = tuple(labels)
        asked = [place for place in places if question in shown(questions, answers, place)]
        missing = [place for place in asked if question.key(place) not in answers]
        if question.level == "slice":
            # Once is enough: no slice misses an answer when another has it.
            missing = missing[:1] if len(missing) == len(asked) else []
        out.extend((question, place) for place in missing)
    return tuple(out)


def _slices_answered(questions: Sequence[Question], answers: Answers) -> tuple[str, ...]:
    """Return the slices that any answer is about, in their order."""
    asked = {question.id for question in questions if question.level == "slice"}
    keys = (key.partition(AT) for key in answers)
    found = {place for name, _, place in keys if name in asked and is_slice(place)}
    return tuple(sorted(found, key=lambda place: int(place[1:])))
