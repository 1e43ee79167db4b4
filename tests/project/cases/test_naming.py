"""Names of new cases: codes that name nobody, one code for one patient, no name twice."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.project.cases.naming import (
    KINDS,
    choose_subject,
    free_case,
    kind_of,
    require_code,
    require_kind,
)
from napari_medlabel.project.layout import CaseId
from tests.project.cases.test_record import RECORD

KNOWN = (
    replace(RECORD, case=CaseId("001"), link="A", key="k1"),
    replace(RECORD, case=CaseId("002"), link="B", key="k1"),
    replace(RECORD, case=CaseId("p07")),
)


@pytest.mark.parametrize("code", ["001", "1", "p07", "abcd1234"])
def test_short_codes_with_digits_are_codes(code: str) -> None:
    assert require_code(code, "patient") == code


@pytest.mark.parametrize(
    "code", ["", "muster", "MUSTER1", "12345", "20261122", "EX-4711", "a b", "1a", "é1"]
)
def test_names_dates_and_hospital_numbers_are_no_codes_and_not_repeated(code: str) -> None:
    with pytest.raises(InputError, match="up to four letters") as err:
        require_code(code, "patient")
    assert not code or code not in f"{err.value.message} {err.value.hint}"


def test_a_patient_keeps_the_code_and_a_new_one_gets_the_next_number() -> None:
    assert choose_subject(KNOWN, link="B", key="k1") == "002"
    assert choose_subject(KNOWN, link="C", key="k1") == "003"
    assert choose_subject(KNOWN, link="", key="k1") == "003"
    assert choose_subject((), link="A", key="k1") == "001"
    assert choose_subject(KNOWN, link="C", key="k1", wanted="p07") == "p07"
    assert choose_subject(KNOWN, link="", key="k9", wanted="001") == "001"


@pytest.mark.parametrize(
    ("link", "key", "wanted", "words"),
    [
        ("A", "k2", "", "linked by the project key"),
        ("A", "k1", "009", "is sub-001 in the study already"),
        ("C", "k1", "002", "is another patient"),
    ],
)
def test_two_codes_for_one_patient_are_refused(
    link: str, key: str, wanted: str, words: str
) -> None:
    with pytest.raises(RefusedError, match=words):
        choose_subject(KNOWN, link=link, key=key, wanted=wanted)


@given(st.integers(1, 12))
def test_no_name_is_given_twice(count: int) -> None:
    taken: list[CaseId] = []
    for _ in range(count):
        taken.append(free_case(taken, "001", "", "ct"))
    assert len(set(taken)) == count
    assert taken[0] == CaseId("001")
    assert [one.run for one in taken[1:]] == list(range(2, count + 1))


def test_a_kind_is_one_of_a_closed_list() -> None:
    assert kind_of("CT") == "ct"
    assert kind_of("SOMETHING") == "scan"
    assert require_kind("T1w") in KINDS
    with pytest.raises(InputError, match="no such kind"):
        require_kind("Muster")
