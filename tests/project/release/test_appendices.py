"""Documents say what the facts hold and what people stated, and nothing else."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from napari_medlabel.project.release.appendices import (
    CLAIM,
    DATASHEET,
    NOT_STATED,
    claim,
    datasheet,
    not_stated,
)
from napari_medlabel.project.release.making import Making
from napari_medlabel.project.release.splits import Division
from tests.project.release.released import bare, pins, whole


def answers(document: str) -> dict[str, str]:
    parts = re.split(r"^### (.*)\n", document, flags=re.MULTILINE)[1:]
    return {
        question: re.sub(r"^## .*", "", said, flags=re.MULTILINE).strip()
        for question, said in zip(parts[::2], parts[1::2], strict=True)
    }


@pytest.mark.parametrize(("make", "items"), [(datasheet, DATASHEET), (claim, CLAIM)])
def test_of_nothing_known_nothing_is_said(make, items):
    said = answers(make(bare()))
    assert list(said) == [item.question for item in items]
    told = {question for question, answer in said.items() if answer != NOT_STATED}
    assert told <= {"How and when is it distributed?"}


@pytest.mark.parametrize("make", [datasheet, claim])
def test_every_number_in_a_document_is_a_fact(make):
    document = make(whole())
    known = {"4", "3", "2", "1", "7", "0.5", "0.25", "0.912", "0.900", "0.930", "95", "3.500"}
    known |= {"001", "002", "0", "4.0", "2026", "11", "22", "5", "25"}
    for question, answer in answers(document).items():
        named = re.sub(
            r"sha256:[0-9a-f]{64}|SHA-256|\d+T[\d:.]+Z|napari-medlabel \S+", "", answer
        )
        rest = re.sub(r"\d+-\d+ \||hd95_mm|2 to 3 mm", "", named)
        assert set(re.findall(r"\d+(?:\.\d+)?", rest)) <= known, question


def test_the_datasheet_says_what_is_known():
    said = answers(datasheet(whole()))
    instances = said["What do the instances stand for, and how many are there?"]
    assert instances == "4 scans of 3 patients. Scans by modality: CT 4."
    labelled = said["How was it labelled, and by whom?"]
    assert labelled.startswith(
        "Released masks by how they came to be: adjudication, difference by difference 2; a "
        "single reading 1; union of readings 1. Masks by how many readings they were made of: "
        "1 reading 1, 2 readings 3. 5 differences between readings nobody decided."
    )
    missing = said["Is information missing from instances?"]
    assert missing.startswith("25 voxels of 1 scan have no answer")
    assert "Voxels by scan: sub-002_ct 25." in missing
    assert f"Ontology {pins().ontology}" in labelled
    assert "2 readings of older ontology or guidelines" in labelled
    assert "2 people submitted or corrected masks, 1 person reviewed them." in labelled
    assert "4.0 hours of work" in labelled
    assert (
        "approved 2, stale 2, todo 2" in said["Is a label or target given with each instance?"]
    )
    hidden = said["Can individuals be identified?"]
    assert "1 of 4 scans came through de-identification" in hidden
    assert "Of 3 no such report is known." in hidden
    assert "who share sex, age as participants.tsv has them is of 1 patient." in hidden
    assert "drawn with seed 7 in strata of sex." in said["Are there recommended splits?"]
    assert (
        "| Liver | dice | 0.912 | 0.900 to 0.930 (95%) | 4 |"
        in said["How far do raters agree?"]
    )
    assert "| Liver | hd95_mm | 3.500 | - | 1 |" in said["How far do raters agree?"]


def test_notes_of_a_draw_are_not_left_out():
    facts = whole()
    division = Division(facts.draw.division.patients, ("val has no patient.",))
    facts = replace(facts, draw=replace(facts.draw, division=division))
    assert "val has no patient." in claim(facts)


def test_what_the_rules_of_a_study_ask_for_is_in_no_document():
    said = datasheet(whole()) + claim(whole())
    assert "blind" not in said
    assert "settles" not in said


def test_landmarks_questions_and_missing_strata_are_said_as_they_are():
    facts = replace(whole(), templates=2, questions=5)
    facts = replace(facts, draw=replace(facts.draw, strata=()), reviewers=0, active_s=0)
    said = datasheet(facts)
    assert "Sets of landmarks: 2. Questions: 5." in said
    assert "drawn with seed 7. " in said.replace("\n", " ")
    assert "2 people submitted or corrected masks, nobody reviewed them.\n" in said


def test_a_way_that_is_not_known_is_not_told():
    said = datasheet(replace(whole(), making=Making({"": 4}, {"": 4})))
    assert "\n\nOntology sha256" in said
    assert "have no answer" not in said


def test_open_readings_alone_do_not_count_as_labels():
    facts = replace(whole(), states={"todo": 4}, labels=())
    said = answers(datasheet(facts))["Is a label or target given with each instance?"]
    assert said == NOT_STATED


def test_numbers_do_not_answer_what_only_people_know():
    said = answers(claim(whole()))
    annotators = said[
        "16. Source of the annotations; qualifications and preparation of annotators"
    ]
    assert annotators.startswith("2 people")
    assert annotators.endswith(NOT_STATED)
    assert "annotators" in not_stated(whole(), CLAIM)


def test_words_of_people_are_quoted_and_answer():
    words = "Two radiologists.\n\n# Ten years each."
    facts = replace(whole(), stated={"annotators": words, "funding": " "})
    assert "> Two radiologists.\n>\n> # Ten years each." in claim(facts)
    assert "annotators" not in not_stated(facts, CLAIM)
    assert "funding" in not_stated(facts)


def test_names_of_labels_do_not_break_a_table():
    facts = whole()
    facts = replace(facts, agreement=(replace(facts.agreement[0], label="a|b\nc"),))
    assert "| a\\|b c | dice |" in datasheet(facts)
