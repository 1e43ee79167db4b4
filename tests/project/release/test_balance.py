"""The balance counts patients and scans as they are, and says what nobody stated."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.project.layout import CaseId
from napari_medlabel.project.release.balance import (
    Cell,
    Count,
    Volume,
    age_band,
    balance_of,
    cells_of,
    published,
    require_cells,
    spacing_band,
    strata_of,
)
from tests.project.release.released import record

ROWS = {
    "001": {"sex": "F", "age": "63", "split": "train"},
    "002": {"sex": "F", "age": "67", "split": "train"},
    "003": {"sex": "M", "age": "89", "split": "test"},
    "004": {"sex": "n/a", "age": "n/a", "split": "test"},
}
RECORDS = [
    record("001", session="01"),
    record("001", session="02", spacing_mm=(0.5, 0.5, 1.0)),
    *(record(code) for code in ("002", "003", "004")),
]
SPLITS = {one.case: ROWS[one.case.subject]["split"] for one in RECORDS}


@pytest.mark.parametrize(
    ("age", "band"),
    [("0", "0-9"), ("9", "0-9"), ("63", "60-69"), ("79", "70-79"), ("80", "80+"), ("89", "80+"),
     ("n/a", "n/a"), ("", "n/a"), ("063Y", "n/a"), ("-3", "n/a"), ("٣", "n/a")],
)  # fmt: skip
def test_ages_lie_in_bands_of_ten_years(age, band):
    assert age_band(age) == band


@pytest.mark.parametrize(
    ("largest", "band"),
    [(0.5, "up to 1 mm"), (1.00000001, "up to 1 mm"), (1.25, "1 to 2 mm"), (3.0, "2 to 3 mm"),
     (5.0, "3 to 5 mm"), (7.5, "over 5 mm")],
)  # fmt: skip
def test_scans_are_counted_by_their_largest_spacing(largest, band):
    assert spacing_band((0.4, largest, 0.3)) == band


def test_patients_and_scans_are_counted_in_each_split():
    counts = balance_of(RECORDS, ROWS, SPLITS, {}).counts
    assert Count("sex", "F", "train", 2, 3) in counts
    assert Count("sex", "n/a", "test", 1, 1) in counts
    assert Count("age band", "80+", "test", 1, 1) in counts
    assert Count("modality", "CT", "train", 2, 3) in counts
    assert Count("largest spacing", "up to 1 mm", "train", 1, 1) in counts
    assert Count("largest spacing", "2 to 3 mm", "train", 2, 2) in counts


def test_what_nobody_stated_is_listed_and_not_counted():
    balance = balance_of(RECORDS, ROWS, SPLITS, {})
    assert balance.not_stated == ("site", "vendor", "label volumes")
    assert {one.column for one in balance.counts}.isdisjoint({"site", "vendor", "label"})
    assert balance.volumes == ()


def test_site_and_vendor_are_counted_where_the_table_has_them():
    rows = {code: {**row, "site": "s1", "vendor": "v2"} for code, row in ROWS.items()}
    balance = balance_of(RECORDS, rows, {}, {})
    assert Count("site", "s1", "", 4, 5) in balance.counts
    assert Count("vendor", "v2", "", 4, 5) in balance.counts


def test_labels_are_counted_where_they_occur_and_measured_where_they_were():
    volumes = {
        CaseId("001", "01"): {"liver": 1500.0, "cyst": 0.0},
        CaseId("001", "02"): {"liver": 1600.0},
        CaseId("002"): {"liver": 1900.0, "cyst": 2.0},
    }
    balance = balance_of(RECORDS, ROWS, SPLITS, volumes)
    assert Count("label", "liver", "train", 2, 3) in balance.counts
    assert Count("label", "cyst", "train", 1, 1) in balance.counts
    assert balance.volumes == (
        Volume("cyst", "train", 1, 3, 2.0, 2.0, 2.0, 2.0, 2.0),
        Volume("liver", "train", 3, 3, 1500.0, 1550.0, 1600.0, 1750.0, 1900.0),
    )
    assert balance.not_stated == ("site", "vendor")


def test_the_smallest_cell_is_of_everything_that_the_table_shows():
    balance = balance_of(RECORDS, ROWS, SPLITS, {})
    assert published(ROWS) == ("sex", "age")
    assert balance.smallest == Cell(("sex", "age"), ("F", "63"), 1)
    assert cells_of(ROWS, ("sex",)) == (
        Cell(("sex",), ("M",), 1), Cell(("sex",), ("n/a",), 1), Cell(("sex",), ("F",), 2),
    )  # fmt: skip
    assert cells_of(ROWS, ("sex", "age band"))[-1].patients == 2


def test_a_table_without_values_has_no_smallest_cell():
    balance = balance_of(RECORDS, {"001": {"sex": "n/a"}}, {}, {})
    assert balance.smallest is None
    assert "sex" in balance.not_stated


def test_patients_without_a_released_case_do_not_make_a_cell_larger():
    balance = balance_of([record("003")], ROWS, {}, {})
    assert balance.smallest == Cell(("sex", "age"), ("M", "89"), 1)


def test_too_small_cells_are_refused_without_their_values():
    with pytest.raises(
        RefusedError, match="sex, age; 4 combinations have fewer, the sm"
    ) as err:
        require_cells(ROWS, ("sex", "age"), 2)
    nothing = {code: {"sex": "n/a", "age": ""} for code in "abcdefgh"}
    require_cells(nothing, (), 8)
    with pytest.raises(RefusedError, match=r"At least 9 patients .* 8 are released"):
        require_cells(nothing, (), 9)
    assert "63" not in err.value.message
    require_cells(ROWS, ("sex", "age"), 1)


@pytest.mark.parametrize("columns", [(), ("sex", "shoe size")])
def test_columns_that_are_not_there_are_refused_without_repeating_them(columns):
    with pytest.raises(InputError, match="Columns that participants") as err:
        cells_of(ROWS, columns)
    assert "shoe" not in err.value.message


def test_strata_join_columns_and_bands():
    assert strata_of(ROWS, ("sex", "age band")) == {
        "001": "F / 60-69", "002": "F / 60-69", "003": "M / 80+", "004": "n/a / n/a",
    }  # fmt: skip


def test_the_record_is_json_and_tells_no_value_of_the_smallest_cell():
    record_ = json.loads(json.dumps(balance_of(RECORDS, ROWS, SPLITS, {}).record()))
    assert record_["smallest_cell"] == {"columns": ["sex", "age"], "patients": 1}
    assert record_["counts"][0] == {
        "column": "sex", "value": "F", "split": "train", "patients": 2, "cases": 3,
    }  # fmt: skip


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.sampled_from("FM"), st.sampled_from("123")), min_size=1))
def test_cells_are_what_counting_one_by_one_finds(people):
    rows = {f"{n:03d}": {"sex": sex, "age": age} for n, (sex, age) in enumerate(people)}
    cells = cells_of(rows, ("sex", "age"))
    assert {cell.values: cell.patients for cell in cells} == dict(Counter(people))
    assert [cell.patients for cell in cells] == sorted(cell.patients for cell in cells)
