from __future__ import annotations

import json
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.deid.rules.descriptors import safe_text, words_of

OWN = frozenset({"Featherstone^Millicent", "Hand", "MRN5550123"})


@pytest.mark.parametrize(
    "text",
    [
        "CT Chest w/o contrast",
        "t2_tse_tra 3D",
        "AX 5 mm recon (L4-L5)",
        "T1w SAG 2.5mm",
        "HEAD/NECK",
        "ep2d diff MB4 64DIR p2",
        "anat MP2RAGE tfl3d 32ch",
        "",
    ],
)
def test_descriptions_of_safe_words_pass_as_they_are(text):
    assert safe_text(text, OWN) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("MRI BRAIN Featherstone T2_TSE", "MRI BRAIN T2 TSE"),
        ("CT of the hand", "CT of the"),
        ("seen by Dr. Long, knee pain", "seen by knee pain"),
        ("Chest 2024-02-29 10:11", "Chest"),
        ("Chest of 29 Feb 2024", "Chest of"),
        ("knee MRN5550123 left", "knee left"),
        ("abdomen 92 y", "abdomen"),
        ("call 555-1234", ""),
        ("Ädler Kopf", ""),
        ("Smith Jones O'Brien", ""),
        ("chest^abdomen", "chest abdomen"),
        ("follow-up of knee@example.com", "follow up of knee"),
    ],
)
def test_names_numbers_and_dates_go(text, left):
    assert safe_text(text, OWN) == left


def test_a_sites_own_words_pass_but_not_the_patients():
    words = frozenset({"kopfspule", "featherstone"})
    assert safe_text("Kopfspule Featherstone", OWN, words) == "Kopfspule"


def test_words_of_the_patient_are_found_in_any_case():
    assert words_of(OWN) >= {"featherstone", "millicent", "hand"}


def test_the_safe_words_are_words_and_no_common_names():
    source = files("napari_medlabel.deid") / "data" / "safe_words.json"
    words = json.loads(source.read_text("utf-8"))
    assert len(words) > 4000
    assert words == sorted(set(words))
    assert all(word.isascii() and word.isalpha() and word.islower() for word in words)
    names = "smith jones young white black brown rose grace mason king bell cook frank may"
    assert set(words).isdisjoint(names.split())


@given(st.text("ZQXJKVzqxjkv", min_size=5, max_size=12), st.sampled_from(["{}", "CT {} head"]))
def test_no_unknown_word_passes(word, around):
    assert word not in safe_text(around.format(word), frozenset())


@given(st.integers(10000, 10**12))
def test_no_long_number_passes(number):
    assert safe_text(f"chest {number} {number}mm", frozenset()) == "chest"
