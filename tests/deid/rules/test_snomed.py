from __future__ import annotations

import pytest

from napari_medlabel.deid.rules.snomed import is_concept_id


@pytest.mark.parametrize(
    "value", ["69536005", "138875005", "10200004", "999480451000087102", "24700007"]
)
def test_published_concepts_have_a_right_check_digit(value):
    assert is_concept_id(value)


@pytest.mark.parametrize("digit", "012346789")
def test_any_other_last_digit_is_wrong(digit):
    assert not is_concept_id("6953600" + digit)


@pytest.mark.parametrize(
    "value", ["", "69563005", "069536005", "1005", "999999999", "QUINCY", "6953600\u0665"]
)
def test_other_numbers_and_words_are_no_concepts(value):
    assert not is_concept_id(value)
