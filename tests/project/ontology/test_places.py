"""Questions that are asked on each slice and for each label; landmarks of several templates."""

from __future__ import annotations

import pytest

from napari_medlabel.errors import InputError
from napari_medlabel.model.landmarks import Landmark, LandmarkSet
from napari_medlabel.project.ontology.ontology import Ontology, Template
from napari_medlabel.project.ontology.questions import (
    Condition,
    Question,
    check_answers,
    missing_answers,
    shown,
    unanswered,
)

GOOD = Question("good", "Good?", "study", "boolean")
ARTEFACT = Question("artefact", "Artefact?", "slice", "boolean", required=True)
STRONG = Question(
    "strong", "Strong?", "slice", "boolean", show_if=Condition("artefact", ("true",))
)
SIZE = Question("size", "Size?", "label", "number", required=True)
LIVER = Question("fat", "Fatty?", "label", "boolean", label="liver")
ASKED = (GOOD, ARTEFACT, STRONG, SIZE, LIVER)


def test_each_place_has_its_own_answer_and_its_own_conditions() -> None:
    answers = {"artefact@k3": True, "artefact@k4": False, "strong@k3": False, "fat": True}
    assert STRONG in shown(ASKED, answers, "k3")
    assert STRONG not in shown(ASKED, answers, "k4")
    assert check_answers(ASKED, answers | {"strong@k4": True}) == answers


@pytest.mark.parametrize(
    "key",
    ["artefact@3", "artefact@liver", "size@k 1", "good@k1", "fat@spleen", "size@", "x@k1"],
)
def test_an_answer_about_a_place_that_is_not_asked_about_is_refused(key: str) -> None:
    with pytest.raises(InputError, match="does not have"):
        check_answers(ASKED, {key: True})


def test_a_required_question_needs_one_slice_and_each_label_that_is_there() -> None:
    assert missing_answers(ASKED, {}, ["liver", "spleen"]) == (
        (ARTEFACT, ""),
        (SIZE, "liver"),
        (SIZE, "spleen"),
    )
    some = {"artefact@k0": False, "size@liver": 1.0}
    assert missing_answers(ASKED, some, ["liver", "spleen"]) == ((SIZE, "spleen"),)
    assert unanswered(ASKED, some | {"size": 2.0}, ["liver", "spleen"]) == ()


def test_all_templates_are_placed_one_after_the_other() -> None:
    top, other = Landmark("Top"), Landmark("Top", description="The other one.")
    ontology = Ontology(
        "T",
        (),
        (
            Template("a", "First", LandmarkSet((top, Landmark("Base")))),
            Template("b", "Same", LandmarkSet((top,))),
            Template("c", "Skull", LandmarkSet((other, Landmark("Nasion")))),
        ),
    )
    names = [mark.name for mark in ontology.landmarks]
    assert names == ["Top", "Base", "Skull: Top", "Nasion"]
