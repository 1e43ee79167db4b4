"""Answers about slices and labels: what one subject is, and which answers are alike."""

from __future__ import annotations

import pytest

from napari_medlabel.project.agreement.answers import by_question, in_words, is_alike
from napari_medlabel.project.agreement.gallery import gallery
from napari_medlabel.project.agreement.kappa import cohen_kappa
from napari_medlabel.project.agreement.summary import answer_summaries
from napari_medlabel.project.ontology.questions import Choice, Question
from tests.project.agreement.test_table import whole_summary

FOCAL = Question("focal", "Focal?", "slice", "boolean")
MARGIN = Question("margin", "Margin?", "label", "choice", (Choice("a", "A"), Choice("b", "B")))
ANSWERS = {
    "sub-001_ct": {
        "r01": {"clear": True, "focal@k2": True, "focal@k3": False, "margin@liver": "a"},
        "r02": {"focal@k2": True, "focal@k4": True, "margin@liver": "a", "margin@spleen": "b"},
    },
    "sub-002_ct": {
        "r01": {"clear": True, "focal@k2": False, "focal@k9": True, "margin@spleen": "a"},
        "r02": {"clear": False, "focal@k2": False, "focal@k9": False, "margin@spleen": "b"},
    },
}


def test_each_slice_is_a_subject_and_each_label_a_question() -> None:
    found = by_question(ANSWERS)
    assert list(found) == ["clear", "focal", "margin@liver", "margin@spleen"]
    assert {case: list(places) for case, places in found["focal"].items()} == {
        "sub-001_ct": ["k2", "k3", "k4"],
        "sub-002_ct": ["k2", "k9"],
    }
    assert found["margin@liver"]["sub-002_ct"] == {"": {}}, "asked of each case"
    assert found["clear"]["sub-001_ct"][""] == {"r01": True}


def test_kappas_are_over_slices_and_intervals_over_cases() -> None:
    found = {one.question: one for one in answer_summaries(ANSWERS, seed=1)}
    pairs = [("True", "True"), ("False", None), (None, "True"), ("False", "False"),
             ("True", "False")]  # fmt: skip
    focal = found["focal"].coefficients[0]
    assert focal == cohen_kappa(pairs)
    assert (focal.subjects, focal.left_out) == (3, 2)
    assert focal.value == pytest.approx(0.4)
    spleen = found["margin@spleen"].coefficients[0]
    assert (spleen.subjects, spleen.left_out) == (1, 1)
    again = {one.question: one for one in answer_summaries(ANSWERS, seed=1)}
    assert again["focal"] == found["focal"]


def test_a_plot_counts_pairs_on_one_slice_alone() -> None:
    summary = whole_summary()
    own = type(summary)(**{**vars(summary), "answers": answer_summaries(ANSWERS, seed=1)})
    drawn = {plot.name: plot for plot in gallery(own, ANSWERS)}
    assert "answers-focal" in drawn
    assert not [name for name in drawn if "k2" in name]


@pytest.mark.parametrize(
    ("first", "second", "alike"),
    [
        (["a", "b"], ["b", "a"], True),
        (("a", "b"), ["b", "a"], True),
        (["a"], ["a", "b"], False),
        (7, 7.0, True),
        (True, 1, False),
        ("7", 7, False),
        (True, True, True),
    ],
)
def test_answers_are_alike_when_they_say_the_same(first, second, alike) -> None:
    assert is_alike(first, second) is alike


def test_a_disputed_answer_says_which_slice_or_label_it_is_about() -> None:
    questions, labels = (FOCAL, MARGIN), {"liver": "Liver"}
    assert in_words(questions, "focal@k12", labels) == "Focal? (slice 13)"
    assert in_words(questions, "margin@liver", labels) == "Margin? (Liver)"
    assert in_words(questions, "margin", labels) == "Margin?"
    assert in_words((), "gone@spleen", labels) == "gone (spleen)"
