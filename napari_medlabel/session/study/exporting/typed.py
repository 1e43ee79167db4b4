"""Answers that somebody typed: how many may leave, by words that are nobody's name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from napari_medlabel.deid.rules.descriptors import safe_text, words_of
from napari_medlabel.project.cases.version import Version, read_answers
from napari_medlabel.project.layout import Layout
from napari_medlabel.project.ontology.ontology import Ontology
from napari_medlabel.project.ontology.questions import AT, Answer, check_answers
from napari_medlabel.session.study.exporting.plan import Chosen, TypedCount
from napari_medlabel.session.study.exporting.sounds_named import may_be_named

_PLAIN: Final = str.maketrans("?!%", "   ")
"""Marks that are in sentences and in no name."""


@dataclass(frozen=True)
class TypedWords:
    """Which texts may leave.

    Parameters
    ----------
    words : frozenset of str
        Of the ontology, in lower case: its manager answers for them.
    written : frozenset of str
        Those of its names that it writes with a capital letter, as it writes them.
    """

    words: frozenset[str]
    written: frozenset[str] = frozenset()

    @classmethod
    def of(cls, ontology: Ontology) -> TypedWords:
        """Return the words that an ontology adds to those of the rules."""
        names = (
            *(label.name for label in ontology.labels),
            *(box.name for box in ontology.boxes),
            *(mark.name for mark in ontology.landmarks),
            *(choice.name for each in ontology.questions for choice in each.choices),
        )
        asked = (question.text for question in ontology.questions)
        found = words_of(frozenset((*names, *asked)))
        written = {word for name in names for word in name.split() if word[:1].isupper()}
        return cls(frozenset(word for word in found if word.isalpha()), frozenset(written))

    def may_leave(self, text: str) -> bool:
        """Whether every word of a text is known to be nobody's name.

        Known are the words that stay in descriptions of a scan, lengths and times with their
        unit, and those of the ontology; dates, other numbers and the word after a title are
        not. How they stand in the text counts too, see `may_be_named`.
        """
        plain = " ".join(text.translate(_PLAIN).split())
        if safe_text(plain, frozenset(), self.words) != plain:
            return False
        return not may_be_named(" ".join(text.split()), self.written)


def leaving_answers(
    ontology: Ontology, answers: Mapping[str, object], words: TypedWords | None
) -> Iterator[tuple[str, str, Answer]]:
    """Yield the answers that leave, as (question, place, answer).

    Parameters
    ----------
    ontology : Ontology
        Whose questions they answer.
    answers : mapping of str to object
        By question, or by question and place.
    words : TypedWords or None
        Which typed ones go; None for none of them.

    Raises
    ------
    InputError
        When one is not of its question's kind.
    """
    typed = _typed(ontology)
    for key, given in check_answers(ontology.questions, answers).items():
        name, _, place = key.partition(AT)
        if name not in typed or (words is not None and words.may_leave(str(given))):
            yield name, place, given


def count_typed(
    layout: Layout, ontology: Ontology, chosen: tuple[Chosen, ...], *, wanted: bool
) -> TypedCount:
    """Count the typed answers of all versions that leave.

    Parameters
    ----------
    layout : Layout
        The study.
    ontology : Ontology
        Its questions.
    chosen : tuple of Chosen
        What leaves, each rater's reading too where they are wanted.
    wanted : bool
        Whether typed answers are to leave.

    Raises
    ------
    InputError
        When answers are not those that were saved.
    """
    typed, words = _typed(ontology), TypedWords.of(ontology)
    go = stay = 0
    for version in _versions(chosen):
        given = check_answers(ontology.questions, read_answers(layout, version))
        for key, text in given.items():
            if key.partition(AT)[0] in typed:
                may = wanted and words.may_leave(str(text))
                go, stay = go + may, stay + (not may)
    return TypedCount(go, stay)


def _versions(chosen: tuple[Chosen, ...]) -> Iterator[Version]:
    """Yield each version that leaves once: a reading may be the one that counts."""
    for one in chosen:
        yield one.version
        yield from (each for each in one.readings if each != one.version)


def _typed(ontology: Ontology) -> frozenset[str]:
    return frozenset(one.id for one in ontology.questions if one.kind == "text")
