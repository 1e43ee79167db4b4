"""The list of patients."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.errors import InputError
from napari_medlabel.project.cases.participants import (
    read_participants,
    sex_and_age,
    splits,
    to_tsv,
    with_patient,
)


def test_columns_of_others_stay_and_known_facts_are_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "participants.tsv"
    path.write_text("participant_id\tsex\tsplit\nsub-001\tF\ttrain\nsub-002\tn/a\tn/a\n")
    rows = with_patient(read_participants(path), "002", {"sex": "M", "age": "44"})
    rows = with_patient(rows, "001", {"sex": "O", "age": "61"})
    rows = with_patient(rows, "003", {})
    path.write_bytes(to_tsv(rows))
    assert path.read_text() == (
        "participant_id\tsex\tage\tsplit\n"
        "sub-001\tF\t61\ttrain\nsub-002\tM\t44\tn/a\nsub-003\tn/a\tn/a\tn/a\n"
    )
    assert splits(read_participants(path)) == {"001": "train"}


@pytest.mark.parametrize(
    ("age", "years"),
    [("063Y", "63"), ("018M", "1"), ("040W", "0"), ("300D", "0"), ("097Y", "89")],
)
def test_an_age_is_in_years_and_the_oldest_are_one(age: str, years: str) -> None:
    assert sex_and_age("", age) == {"age": years}


@given(st.text(max_size=12), st.text(max_size=12))
def test_nothing_but_letters_of_the_list_and_numbers_comes_through(sex: str, age: str) -> None:
    cells = sex_and_age(sex, age)
    assert cells.get("sex", "F") in ("F", "M", "O")
    assert cells.get("age", "0").isdecimal()


@pytest.mark.parametrize(
    "text",
    ["", "name\nsub-1\n", "participant_id\tsex\nsub-1\n", "participant_id\nMuster\n",
     "participant_id\nsub-1\nsub-1\n", "participant_id\ta\ta\n"],
)  # fmt: skip
def test_another_table_is_refused_without_repeating_it(tmp_path: Path, text: str) -> None:
    path = tmp_path / "participants.tsv"
    path.write_text(text)
    with pytest.raises(InputError, match="no table of patients") as err:
        read_participants(path)
    assert "Muster" not in err.value.message
