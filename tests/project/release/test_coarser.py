"""What is told of patients becomes coarser until enough share it, and no coarser."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.project.release.balance import age_band, cells_of, published
from napari_medlabel.project.release.coarser import coarsen
from napari_medlabel.project.release.facts_read import read_facts
from tests.project.release.released import whole

ROWS = {"001": {"sex": "F", "age": "61", "site": "a"}, "002": {"sex": "F", "age": "68",
        "site": "a"}, "003": {"sex": "M", "age": "62", "site": "b"}, "004": {"sex": "M",
        "age": "69", "site": "b"}}  # fmt: skip


def test_ages_become_bands_before_a_column_is_left_out():
    rows, touched = coarsen(ROWS, 2)
    assert touched == ("age",)
    assert rows["001"] == {"sex": "F", "age": "60-69", "site": "a"}
    assert ROWS["001"]["age"] == "61"
    assert age_band("60-69") == "60-69"


def test_columns_are_left_out_until_groups_are_large_enough():
    rows, touched = coarsen(ROWS, 4)
    assert touched == ("age", "site", "sex")
    assert published(rows) == ("age",)


def test_a_table_that_is_coarse_enough_stays():
    same = {code: {"sex": "F"} for code in ROWS}
    assert coarsen(same, 4) == (same, ())


def test_more_patients_than_there_are_is_refused():
    with pytest.raises(RefusedError, match="At least 5 patients"):
        coarsen(ROWS, 5)
    with pytest.raises(InputError, match="two or more"):
        coarsen(ROWS, 1)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.fixed_dictionaries(
            {"sex": st.sampled_from("FM"), "age": st.integers(0, 89).map(str),
             "site": st.sampled_from("abc"), "vendor": st.sampled_from("xy")}
        ),
        min_size=2, max_size=12,
    ),
    st.integers(2, 4),
)  # fmt: skip
def test_every_group_is_large_enough_afterwards(people, least):
    rows = {f"{number:03d}": row for number, row in enumerate(people)}
    if len(rows) < least:
        return
    found, _ = coarsen(rows, least)
    columns = published(found)
    assert not columns or cells_of(found, columns)[0].patients >= least
    assert set(found) == set(rows)


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"medlabel":"facts","v":1}'])
def test_facts_that_are_none_are_refused(data):
    with pytest.raises(InputError, match="facts of a release"):
        read_facts(data, {})


def test_facts_read_as_they_were_written():
    facts = whole()
    data = json.dumps(facts.record()).encode()
    patients = facts.draw.division.patients
    again = json.dumps(read_facts(data, patients).record()).encode()
    assert json.loads(again) == json.loads(data)
