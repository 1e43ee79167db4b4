"""Questions that are asked on each slice and for each label; landmarks of several templates."""

from __future__ import annotations

import pytest

from napari_medlabel.errors import InputError
from napari_medlabel.model.landmarks import Landmark, LandmarkSet
from napari_medlabel.project.ontology.labels import OntologyLabel
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


FOCAL = Question("focal", "Focal?", "slice", "boolean")
GRADE = Question(
    "grade", "Grade?", "slice", "number", required=True, low=1, high=3,
    show_if=Condition("focal", ("true",)),
)  # fmt: skip


def test_what_hangs_on_an_answer_about_a_slice_is_needed_on_such_a_slice() -> None:
    asked = (GOOD, FOCAL, GRADE)
    assert missing_answers(asked, {}) == ()
    assert missing_answers(asked, {"focal@k3": False}) == ()
    some = {"focal@k3": False, "focal@k12": True, "focal@k7": True, "grade@k3": 1.0}
    assert missing_answers(asked, some) == ((GRADE, "k7"),)
    assert missing_answers(asked, some | {"grade@k12": 2.0}) == ()


def test_what_hangs_on_a_hidden_question_about_a_slice_is_not_needed() -> None:
    sure = Question("sure", "Sure?", "slice", "boolean", show_if=Condition("good", ("true",)))
    why = Question(
        "why", "Why?", "slice", "text", required=True, show_if=Condition("sure", ("false",))
    )
    answers = {"good": True, "sure@k1": False}
    assert missing_answers((GOOD, sure, why), answers) == ((why, "k1"),)
    assert missing_answers((GOOD, sure, why), answers | {"good": False}) == ()


ONCE = Question("once", "Once?", "series", "boolean")
FIXED = Question("fixed", "Fatty?", "label", "boolean", label="liver")
EACH = Question("each", "Doubt?", "label", "boolean")


LIVERS = (OntologyLabel("liver", 1, "Liver", "#d65f5f"),)
PLACES = {"study": "", "series": "", "fixed": "", "slice": "k4", "each": "liver"}


def hanging(other: Question, kind: str) -> Question:
    level = kind if kind in ("study", "series", "slice") else "label"
    label = "liver" if kind == "fixed" else ""
    condition = Condition(other.id, ("true",))
    return Question(
        "late", "Why?", level, "text", label=label, required=True, show_if=condition
    )


@pytest.mark.parametrize("kind", PLACES)
@pytest.mark.parametrize("other", [ONCE, FIXED, FOCAL, EACH], ids=lambda one: one.id)
def test_a_question_hangs_only_on_one_that_is_answered_where_it_is_asked(
    other: Question, kind: str
) -> None:
    late = hanging(other, kind)
    fits = other in (ONCE, FIXED) or (other.id, kind) in (("focal", "slice"), ("each", "each"))
    if not fits:
        with pytest.raises(InputError, match=f"late hangs on {other.id}, which has an answer"):
            Ontology("T", LIVERS, questions=(other, late))
        return
    Ontology("T", LIVERS, questions=(other, late))
    # Whatever is taken can be asked, is needed then, and its answer is kept.
    asked, place = (other, late), PLACES[kind]
    key = other.key(place)
    assert late in shown(asked, {key: True}, place)
    (missing,) = missing_answers(asked, {key: True}, ["liver"])
    assert missing == (late, "" if kind == "slice" and other is not FOCAL else place)
    given = {key: True, late.key(place): "So."}
    assert check_answers(asked, given) == given
    assert missing_answers(asked, given, ["liver"]) == ()


NUMBER = Question("n", "How many?", "series", "number", low=0, high=10)


@pytest.mark.parametrize("wanted", ["3", "3.0", "+3", "0.3e1"])
def test_a_condition_on_a_number_compares_numbers(wanted: str) -> None:
    late = Question(
        "m", "Why?", "series", "text", required=True, show_if=Condition("n", (wanted,))
    )
    Ontology("T", (), questions=(NUMBER, late))
    for given in (3, 3.0):
        answers = check_answers((NUMBER, late), {"n": given})
        assert missing_answers((NUMBER, late), answers) == ((late, ""),)
    assert missing_answers((NUMBER, late), check_answers((NUMBER, late), {"n": 4})) == ()


@pytest.mark.parametrize(
    "wanted", ["three", "", "11", "-1", "nan", "inf", "1e999", "1_0", "true"]
)
def test_a_number_that_cannot_be_given_is_refused_in_a_condition(wanted: str) -> None:
    late = Question("m", "Why?", "series", "text", show_if=Condition("n", ("3", wanted)))
    with pytest.raises(InputError, match="m waits for an answer to n that cannot be given"):
        Ontology("T", (), questions=(NUMBER, late))


def test_a_text_that_is_too_long_to_be_given_is_refused_in_a_condition() -> None:
    words = Question("w", "What?", "series", "text")
    for wanted, fits in (("x", True), ("x" * 2001, False)):
        late = Question("m", "Why?", "series", "text", show_if=Condition("w", (wanted,)))
        if fits:
            Ontology("T", (), questions=(words, late))
            assert late in shown((words, late), {"w": wanted})
        else:
            with pytest.raises(InputError, match="cannot be given"):
                Ontology("T", (), questions=(words, late))


@pytest.mark.parametrize(
    ("low", "high"),
    [(5.0, 1.0), (float("nan"), 1.0), (0.0, float("inf")), (None, float("nan"))],
)
def test_a_range_without_a_number_is_refused(low: float | None, high: float | None) -> None:
    with pytest.raises(InputError, match="No number lies in the range of the question n"):
        Question("n", "How many?", "series", "number", low=low, high=high)
    assert Question("n", "How many?", "series", "number", low=1, high=1).check(1) == 1.0


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
