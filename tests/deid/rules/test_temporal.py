from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.deid.keys.pseudonyms import Pseudonyms
from napari_medlabel.deid.rules.temporal import (
    FEWEST_DAYS,
    MOST_DAYS,
    capped_age,
    days_back,
    is_offset,
    is_valid,
    shifted,
)


@pytest.mark.parametrize(
    ("vr", "before", "after"),
    [
        ("DA", "20240229", "20230125"),
        ("DA", "2024.02.29", "20230125"),
        ("DA", "20240101", "20221127"),
        ("DA", "", ""),
        ("DA", "20230229", None),
        ("DA", "00010105", None),
        ("DA", "Quincy", None),
        ("DT", "2024", "2022"),
        ("DT", "202402", "202212"),
        ("DT", "20240229", "20230125"),
        ("DT", "2024022923", "2023012523"),
        ("DT", "20240229235960", "20230125235960"),
        ("DT", "20240229101112.123456+0100", "20230125101112.123456+0100"),
        ("DT", "20240229-0500", "20230125-0500"),
        ("DT", "2024-0500", "2022-0500"),
        ("DT", "20240229-9900", None),
        ("DT", "2024022925", None),
        ("DT", "20240230", None),
        ("TM", "235959.5", "235959.5"),
        ("TM", "23:59:59", "23:59:59"),
        ("TM", "25", None),
    ],
)
def test_a_date_moves_in_its_own_precision(vr, before, after):
    assert shifted(vr, before, 400) == after


@given(st.dates(date(1900, 1, 1)), st.dates(date(1900, 1, 1)), st.integers(366, 3652))
def test_intervals_stay(first, second, days):
    one, other = (
        datetime.strptime(str(shifted("DA", f"{d:%Y%m%d}", days)), "%Y%m%d")  # noqa: DTZ007
        for d in (first, second)
    )
    assert other - one == timedelta(days=(second - first).days)


@given(st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 31)))  # noqa: DTZ001
def test_date_with_time_moves_like_its_date(moment):
    both = shifted("DT", f"{moment:%Y%m%d%H%M%S.%f}", 1000)
    apart = shifted("DA", f"{moment:%Y%m%d}", 1000)
    assert both == f"{apart}{moment:%H%M%S.%f}"


def test_days_are_a_patients_own_and_keyed(pseudonyms):
    days = {days_back(pseudonyms, "", f"P{number}") for number in range(400)}
    assert len(days) > 350
    assert all(FEWEST_DAYS <= number <= MOST_DAYS for number in days)
    assert days_back(pseudonyms, "", "P1") == days_back(pseudonyms, "", " P1 ")
    assert days_back(pseudonyms, "A", "P1") != days_back(pseudonyms, "", "P1")
    assert days_back(Pseudonyms(bytes(32)), "", "P1") != days_back(pseudonyms, "", "P1")
    assert days_back(pseudonyms, "a\x1fb", "c") != days_back(pseudonyms, "a", "b\x1fc")


def test_the_days_of_a_patient_are_those_of_earlier_versions(pseudonyms):
    code = pseudonyms.code("days-back", "A\x1fP1", length=12)
    number = int.from_bytes(code.encode("ascii"), "big") % (MOST_DAYS - FEWEST_DAYS + 1)
    assert days_back(pseudonyms, "A", "P1") == FEWEST_DAYS + number


@pytest.mark.parametrize(
    ("age", "after"),
    [
        ("089Y", "089Y"),
        ("090Y", "090Y"),
        ("091Y", "090Y"),
        ("104Y", "090Y"),
        ("999M", "999M"),
        ("92", None),
        ("", None),
    ],
)
def test_ages_over_89_are_one_category(age, after):
    assert capped_age(age) == after


def test_offsets_and_ages_have_a_form():
    assert is_offset("-0330")
    assert not is_offset("+2500")
    assert is_valid("AS", "042Y")
    assert not is_valid("AS", "42Y")
