"""Texts that somebody typed leave when no word of them, as it stands there, may be a name."""

from __future__ import annotations

import pytest

from napari_medlabel.project.ontology.labels import OntologyLabel
from napari_medlabel.project.ontology.ontology import Ontology
from napari_medlabel.project.ontology.questions import Question
from napari_medlabel.session.study.exporting.typed import TypedWords

WORDS = TypedWords.of(
    Ontology(
        "O",
        (
            OntologyLabel("liver", 1, "Liver", "#d65f5f"),
            OntologyLabel("iris", 2, "Iris", "#0000ff"),
        ),
        questions=(Question("clear", "Mark it: is it clear, will it grow?", "study", "text"),),
    )
)


@pytest.mark.parametrize("text", [
    "patient small", "the patient is Long", "the patient is long", "seen by Small",
    "read by small", "name small", "name: Small", "Max", "Black", "Iris", "CT Long", "Small",
    "SMALL", "CT Small", "liver of Black", "Small, liver", "Small is clear", "Black Small",
    "Mark is clear", "Will is clear", "liver Will", "MR Small", "mr small", "A. Small",
    "1 mm 2 mm 0 mm 3 mm", "1 mm 2 mm 0 mm 3 mm 1 mm 9 mm 5 mm 0 mm", "12 mm 03 mm 50 mm",
    "zero one zero zero", "Erika", "12.03.1950",
])  # fmt: skip
def test_what_may_be_a_name_or_a_number_stays(text: str) -> None:
    assert not WORDS.may_leave(text)


@pytest.mark.parametrize("text", [
    "Large liver cyst, 12 mm?", "small cyst", "no lesion", "Liver is clear", "clear",
    "long lesion of the liver", "is it clear?", "12 mm, 8 mm, 30 mm", "Black lesion",
    "CT of the Liver", "lesion. Small cyst",
])  # fmt: skip
def test_words_of_a_finding_leave(text: str) -> None:
    assert WORDS.may_leave(text)
