"""Answers of several raters, question by question: what one subject is, and what is alike.

An answer's key may name a place (see `ontology.questions`): ``focal@k12`` is about slice
k = 12, ``margin@liver`` about a label. Each slice is one more subject of its question. Each
label has a question of its own: a liver's margin is no second sample of a spleen's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from napari_medlabel.project.ontology.questions import AT, Question, is_slice

Answers = Mapping[str, Mapping[str, Mapping[str, object]]]
Subjects = dict[str, dict[str, dict[str, object]]]
RULE: Final = (
    "What is asked on each slice has each slice that somebody answered as a subject; who said "
    "nothing there is left out. Intervals draw whole cases."
)


def by_question(answers: Answers) -> dict[str, Subjects]:
    """Return answers as question -> case -> place -> rater -> answer, in order.

    Parameters
    ----------
    answers : mapping
        Case -> rater -> key -> answer.

    Returns
    -------
    dict
        A question that is asked once of each case has the place ``""`` in every case, where
        perhaps nobody answered. One about slices has those that somebody answered.
    """
    keys = {key for held in answers.values() for given in held.values() for key in given}
    found: dict[str, Subjects] = {}
    for key in sorted(keys):
        name, _, place = key.partition(AT)
        by_slice = is_slice(place)
        subjects = found.setdefault(name if by_slice else key, {})
        for case in sorted(answers):
            said = {rater: one[key] for rater, one in answers[case].items() if key in one}
            if said or not by_slice:
                subjects.setdefault(case, {})[place if by_slice else ""] = said
    return dict(sorted(found.items()))


def is_alike(first: object, second: object) -> bool:
    """Tell whether two answers say the same; of several choices the order says nothing."""
    if isinstance(first, list | tuple) and isinstance(second, list | tuple):
        return sorted(map(str, first)) == sorted(map(str, second))
    return (type(first) is type(second) and first == second) or _is_one_number(first, second)


def in_words(questions: Sequence[Question], key: str, labels: Mapping[str, str]) -> str:
    """Return what is asked, and where: ``"Focal? (slice 13)"``.

    Parameters
    ----------
    questions : sequence of Question
        Of the ontology.
    key : str
        Of an answer.
    labels : mapping of str to str
        Names of labels by id.
    """
    name, _, place = key.partition(AT)
    asked = next((one.text for one in questions if one.id == name), name)
    if not place:
        return asked
    where = f"slice {int(place[1:]) + 1}" if is_slice(place) else labels.get(place, place)
    return f"{asked} ({where})"


def _is_one_number(first: object, second: object) -> bool:
    """Tell whether both are the same number, written as 7 or as 7.0."""
    numbers = [
        one
        for one in (first, second)
        if isinstance(one, int | float) and not isinstance(one, bool)
    ]
    return len(numbers) == 2 and numbers[0] == numbers[1]
