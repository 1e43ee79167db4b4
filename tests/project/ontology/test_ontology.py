"""The ontology: what is valid, what is refused, and that files say the same."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path

import jsonschema
import pytest

from napari_medlabel.errors import InputError
from napari_medlabel.io.marks.label_table import parse_label_table
from napari_medlabel.model.labelmap import Code
from napari_medlabel.model.landmarks import Landmark, LandmarkSet
from napari_medlabel.project.ontology.document import (
    from_json,
    ontology_digest,
    read_ontology,
    schema,
    to_json,
    write_ontology,
)
from napari_medlabel.project.ontology.exchange import (
    from_table,
    from_terminology,
    make_id,
    to_dseg_tsv,
    to_snap,
    to_terminology,
)
from napari_medlabel.project.ontology.labels import BoxKind, Coding, OntologyLabel
from napari_medlabel.project.ontology.ontology import Ontology, Template
from napari_medlabel.project.ontology.questions import (
    Choice,
    Condition,
    Question,
    check_answers,
    shown,
    unanswered,
)
from napari_medlabel.project.ontology.trees import Node, Tree, Way

ANATOMY = Code("SCT", "123037004", "Anatomical Structure")
KIDNEY = Coding(ANATOMY, Code("SCT", "64033007", "Kidney"), Code("SCT", "7771000", "Left"))
LIVER = Coding(ANATOMY, Code("SCT", "10200004", "Liver"))
TREE = Tree(
    "edge",
    "Is this lesion?",
    (
        Node("bright", "Brighter than liver?", (Way("yes", "round"), Way("no", "label:liver"))),
        Node("round", "Round?", (Way("yes", "label:lesion"), Way("no", "problem"))),
    ),
)
QUESTIONS = (
    Question("seen", "Any lesion?", "study", "boolean", required=True),
    Question(
        "kinds",
        "Which?",
        "series",
        "multiple",
        (Choice("cyst", "Cyst"), Choice("met", "Metastasis")),
        show_if=Condition("seen", ("true",)),
    ),
    Question(
        "size", "Size?", "label", "number", label="lesion", low=0.0, high=300.0, unit="mm",
        required=True, show_if=Condition("kinds", ("met",)), hint="Longest axis.",
    ),
    Question("note", "Anything else?", "slice", "text", show_if=Condition("size")),
    Question("grade", "Grade", "study", "choice",
             (Choice("low", "Low"), Choice("high", "High"))),
)  # fmt: skip
FULL = Ontology(
    "Livers",
    (
        OntologyLabel("liver", 1, "Liver", "#d65f5f", LIVER, hu_range=(-20.0, 200.0),
                      smallest_mm3=10.0, most_parts=1, guide="Liver"),
        OntologyLabel("kidney_left", 2, "Kidney, left", "#56b4e9", KIDNEY, laterality="left"),
        OntologyLabel("lesion", 3, "Lesion", "#e69f00", layer=1),
    ),
    (Template("abdomen", "Abdomen", LandmarkSet((Landmark("Liver dome"),))),),
    (BoxKind("node", "Lymph node", "#009e73"),),
    QUESTIONS,
    (TREE,),
)  # fmt: skip


def test_an_ontology_reads_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "ontology.json"
    write_ontology(path, FULL)
    assert read_ontology(path) == FULL
    assert ontology_digest(read_ontology(path)) == ontology_digest(FULL)


def test_what_is_written_fits_the_shipped_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.validate(to_json(FULL), schema(), cls=jsonschema.Draft202012Validator)


def test_the_digest_follows_what_is_said() -> None:
    other = Ontology("Livers", FULL.labels)
    assert ontology_digest(other) != ontology_digest(FULL)


def test_labels_of_a_layer_are_a_scheme() -> None:
    assert FULL.layers == (0, 1)
    assert FULL.scheme().values == (1, 2)
    assert FULL.scheme(1)[3].name == "Lesion"
    assert FULL.label(1).most_parts == 1
    with pytest.raises(InputError, match="no label with the value 9"):
        FULL.label(9)


def _break(*path: object) -> dict:
    """Return the file with one part changed: the last of the path is the new value."""
    data = deepcopy(to_json(FULL))
    at = data
    for step in path[:-2]:
        at = at[step]
    at[path[-2]] = path[-1]
    return data


BROKEN = [
    (_break("labels", 0, "value", 0), "entry 1 of labels"),
    (_break("labels", 0, "value", 1.5), "entry 1 of labels"),
    (_break("labels", 0, "colour", "red"), "needs a colour"),
    (_break("labels", 0, "id", "Liver!"), "id of a label"),
    (_break("labels", 0, "hu_range", [5]), "wrong kind"),
    (_break("labels", 0, "hu_rage", [5, 6]), "not known"),
    (_break("labels", 0, "layer", -1), "not below 0"),
    (_break("labels", 0, "laterality", "up"), "left, right, both"),
    (_break("labels", 0, "coding", {"type": {}}), "wrong kind"),
    (_break("labels", {}), "labels is a list"),
    (_break("boxes", 0, "name", ""), "name of a box"),
    (_break("questions", 0, "kind", "guess"), "A question has a text"),
    (_break("questions", 0, "required", 1), "wrong kind"),
    (_break("questions", 1, "choices", []), "have choices, others none"),
    (_break("questions", 1, "show_if", "question", ""), "question of a condition"),
    (_break("trees", 0, "nodes", 0, "ways", []), "at least two answers"),
    (_break("templates", 0, "landmarks", [{}]), "not a landmark template"),
    (_break("name", ""), "name of the ontology"),
    (_break("v", 2), "knows 1"),
    (_break("medlabel", "project"), "not a study's ontology"),
]


@pytest.mark.parametrize(("data", "words"), BROKEN)
def test_a_broken_file_is_refused_by_name_of_the_place_and_by_the_schema(
    data: dict, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        from_json(data)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, schema(), cls=jsonschema.Draft202012Validator)


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_ontology(tmp_path / "none.json")
    with pytest.raises(InputError, match="not a study's ontology"):
        from_json([])


def test_a_range_upside_down_is_refused() -> None:
    with pytest.raises(InputError, match="lower end below the upper"):
        OntologyLabel("x", 1, "X", "#000000", hu_range=(2.0, 1.0))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"labels": (FULL.labels[0], FULL.labels[0])}, "each value stands once"),
        ({"questions": (QUESTIONS[1],)}, "not before it"),
        ({"questions": (QUESTIONS[0], QUESTIONS[0])}, "id of a question stands once"),
        ({"labels": FULL.labels[:2], "trees": ()}, "about a label that is not there"),
        ({"labels": FULL.labels[:2], "questions": ()}, "ends in a label"),
    ],
)
def test_references_to_nothing_are_refused(more: dict, words: str) -> None:
    parts = {"labels": FULL.labels, "questions": QUESTIONS, "trees": (TREE,), **more}
    with pytest.raises(InputError, match=words):
        Ontology("Livers", **parts)


def test_a_condition_that_no_answer_meets_is_refused() -> None:
    late = Question("x", "X?", "study", "text", show_if=Condition("seen", ("maybe",)))
    with pytest.raises(InputError, match="cannot be given"):
        Ontology("Livers", FULL.labels, questions=(QUESTIONS[0], late))


def test_a_question_about_a_label_stands_at_label_level() -> None:
    with pytest.raises(InputError, match="Only a question at label level"):
        Question("x", "X?", "study", "text", label="liver")


def test_a_choice_that_stands_twice_is_refused() -> None:
    with pytest.raises(InputError, match="Each choice"):
        Question("x", "X?", "study", "choice", (Choice("a", "A"), Choice("a", "B")))


# -- questions ---------------------------------------------------------------------------


def names(answers: dict) -> list[str]:
    return [question.id for question in shown(QUESTIONS, answers)]


def test_questions_show_when_earlier_answers_ask_for_them() -> None:
    assert names({}) == ["seen", "grade"]
    assert names({"seen": True}) == ["seen", "kinds", "grade"]
    full = {"seen": True, "kinds": ("met",), "size": 12.0}
    assert names(full) == ["seen", "kinds", "size", "note", "grade"]
    assert names({**full, "kinds": ("cyst",)}) == ["seen", "kinds", "grade"]


def test_an_answer_of_a_hidden_question_shows_nothing_and_is_not_kept() -> None:
    answers = {"seen": False, "kinds": ["met"], "size": 12}
    assert names(answers) == ["seen", "grade"]
    assert check_answers(QUESTIONS, answers) == {"seen": False}


def test_required_answers_are_missed_only_where_they_are_shown() -> None:
    assert [q.id for q in unanswered(QUESTIONS, {})] == ["seen"]
    found = unanswered(QUESTIONS, {"seen": True, "kinds": ("met",)})
    assert [q.id for q in found] == ["size"]
    assert unanswered(QUESTIONS, {"seen": False}) == ()


@pytest.mark.parametrize(
    ("key", "answer"),
    [
        ("seen", "yes"),
        ("seen", 1),
        ("kinds", "met"),
        ("kinds", ["other"]),
        ("kinds", ["met", "met"]),
        ("size", True),
        ("size", -1),
        ("size", 301),
        ("size", float("nan")),
        ("note", 5),
        ("note", "x" * 2001),
        ("grade", "middle"),
        ("grade", ["low"]),
    ],
)
def test_answers_of_another_kind_are_refused_without_repeating_them(
    key: str, answer: object
) -> None:
    with pytest.raises(InputError, match=f"question {key} is not of its kind") as caught:
        check_answers(QUESTIONS, {key: answer})
    assert "301" not in caught.value.message


def test_an_answer_to_no_question_is_refused() -> None:
    with pytest.raises(InputError, match="does not have"):
        check_answers(QUESTIONS, {"other": True})


# -- trees -------------------------------------------------------------------------------


def test_a_tree_leads_to_a_label_or_a_problem() -> None:
    assert TREE.decide([]) == "bright"
    assert TREE.decide(["yes"]) == "round"
    assert TREE.decide(["yes", "yes"]) == "label:lesion"
    assert TREE.decide(["yes", "no"]) == "problem"
    assert TREE.ends == {"liver", "lesion", "problem"}


@pytest.mark.parametrize("answers", [["maybe"], ["no", "yes"]])
def test_an_answer_that_a_tree_does_not_have_is_refused(answers: list[str]) -> None:
    with pytest.raises(InputError, match="no such answer"):
        TREE.decide(answers)


A_TO = (Way("x", "label:a"), Way("y", "label:b"))


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        ((), "nodes, each with its own id"),
        ((Node("a", "A?", A_TO), Node("a", "A?", A_TO)), "nodes, each with its own id"),
        ((Node("a", "A?", A_TO), Node("b", "B?", A_TO)), "reached by no answer"),
        ((Node("a", "A?", (Way("x", "a"), Way("y", "problem"))),), "in a circle"),
        ((Node("a", "A?", (Way("x", "moon"), Way("y", "problem"))),), "leads nowhere"),
    ],
)
def test_trees_that_do_not_end_are_refused(nodes: tuple, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Tree("t", "T", nodes)


# -- other programs ----------------------------------------------------------------------


def test_slicers_terminology_comes_back() -> None:
    back = from_terminology(to_terminology(FULL))
    assert [label.coding for label in back.labels] == [LIVER, KIDNEY]
    assert [label.colour for label in back.labels] == ["#d65f5f", "#56b4e9"]
    assert [label.laterality for label in back.labels] == ["", "left"]
    assert [label.id for label in back.labels] == ["liver", "kidney_left"]


def test_one_structure_in_two_categories_keeps_two_names() -> None:
    two = json.loads(to_terminology(FULL))
    rows = two["SegmentationCodes"]["Category"]
    rows.append({**rows[0], "CodeValue": "85756007"})
    names = [label.name for label in from_terminology(json.dumps(two)).labels]
    assert names == ["Liver", "Kidney, left", "Liver 2", "Kidney, left 2"]


@pytest.mark.parametrize("text", ["{", "[]", '{"SegmentationCodes": {}}', '{"a": 1}'])
def test_what_is_no_terminology_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="no terminology of Slicer"):
        from_terminology(text)


def test_itk_snap_and_bids_tables_come_back(tmp_path: Path) -> None:
    snap = parse_label_table(to_snap(FULL.scheme()))
    assert [(one.value, one.name) for one in snap.labels] == [(1, "Liver"), (2, "Kidney, left")]
    path = tmp_path / "dseg.tsv"
    path.write_text(to_dseg_tsv(FULL))
    back = from_table(path)
    assert [(one.value, one.name, one.colour) for one in back.labels] == [
        (1, "Liver", "#d65f5f"),
        (2, "Kidney, left", "#56b4e9"),
    ]
    assert back.labels[1].id == "kidney_left"


def test_a_code_of_a_table_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(
        "LabelValue,Name,Type_CodingScheme,Type_CodeValue,Type_CodeMeaning\n"
        "1,Liver,SCT,10200004,Liver\n"
    )
    (label,) = from_table(path).labels
    assert label.coding is not None
    assert label.coding.type == LIVER.type


def test_ids_are_made_of_names_and_stay_apart() -> None:
    taken: set[str] = set()
    assert [make_id(n, taken) for n in ("Left kidney", "Left Kidney!", "4th rib", "")] == [
        "left_kidney",
        "left_kidney_2",
        "label_4th_rib",
        "label",
    ]
