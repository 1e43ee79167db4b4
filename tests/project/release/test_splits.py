"""Splits are of whole patients, in their shares, alike in every draw of one seed."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.project.layout import CaseId
from napari_medlabel.project.release.splits import (
    SPLITS,
    Division,
    Leak,
    Shares,
    divide,
    find_leaks,
    people_of,
    require_no_leak,
)
from tests.project.release.released import record


def rng(seed: int = 7) -> np.random.Generator:
    return np.random.default_rng(seed)


def some(count: int):
    return [record(f"{number:03d}") for number in range(1, count + 1)]


def test_a_hundred_patients_are_split_as_asked_for():
    division = divide(some(100), Shares(), rng())
    assert division.counts() == {"train": 70, "val": 15, "test": 15}
    assert division.notes == ()


def test_one_seed_gives_one_division_and_another_seed_another():
    records = some(40)
    one = divide(records, Shares(), rng())
    assert divide(list(reversed(records)), Shares(), rng()) == one
    assert divide(records, Shares(), rng(8)).patients != one.patients


def test_the_division_of_a_seed_stays_what_it_was():
    found = divide(some(6), Shares(0.5, 0.25, 0.25), rng(1)).patients
    assert found == {
        "001": "val", "002": "train", "003": "train",
        "004": "val", "005": "test", "006": "train",
    }  # fmt: skip


def test_all_visits_of_a_patient_are_in_one_split():
    records = [record(f"{n:03d}", session=f"{v:02d}") for n in range(9) for v in range(3)]
    splits = divide(records, Shares(), rng()).cases(records)
    assert len(splits) == 27
    require_no_leak(records, splits)


def test_two_codes_of_one_patient_are_drawn_as_one():
    records = [
        *some(3),
        record("004", patient="001"),
        record("005", pixels="pixels sub-002_ct"),
    ]
    records += [record("006", link="aa"), record("007", link="aa")]
    assert people_of(records) == (("001", "004"), ("002", "005"), ("003",), ("006", "007"))
    for seed in range(20):
        patients = divide(records, Shares(0.4, 0.3, 0.3), rng(seed)).patients
        assert patients["001"] == patients["004"]
        assert patients["002"] == patients["005"]
        assert patients["006"] == patients["007"]


def test_codes_that_are_joined_over_a_third_are_one_patient():
    records = [record("001"), record("003"), record("002", patient="001", link="x")]
    records.append(record("004", patient="003", link="x"))
    assert people_of(records) == (("001", "002", "003", "004"),)


def test_each_stratum_has_its_share_in_each_split():
    records = some(60)
    strata = {one.case.subject: "F" if n % 3 else "M" for n, one in enumerate(records)}
    patients = divide(records, Shares(0.5, 0.25, 0.25), rng(), strata=strata).patients
    found = Counter((strata[code], split) for code, split in patients.items())
    for stratum, size in (("F", 40), ("M", 20)):
        assert abs(found[stratum, "train"] - size * 0.5) < 2
        assert abs(found[stratum, "test"] - size * 0.25) < 2


@settings(deadline=None, max_examples=40)
@given(
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=6),
    cut=st.tuples(st.integers(0, 20), st.integers(0, 20)),
    seed=st.integers(0, 2**32),
)
def test_no_split_is_a_patient_off_its_share_nor_a_stratum_two(sizes, cut, seed):
    low, high = sorted(cut)
    shares = Shares(low / 20, (high - low) / 20, (20 - high) / 20)
    strata = {}
    for name, size in enumerate(sizes):
        strata |= {f"{len(strata) + n:03d}": f"s{name}" for n in range(size)}
    records = [record(code) for code in strata]
    division = divide(records, shares, rng(seed), strata=strata)
    assert set(division.patients) == set(strata)
    for split in SPLITS:
        wanted = getattr(shares, split)
        assert abs(division.counts()[split] - wanted * len(strata)) < 1
        for name, size in enumerate(sizes):
            got = sum(
                1 for code, one in division.patients.items()
                if one == split and strata[code] == f"s{name}"
            )  # fmt: skip
            assert abs(got - wanted * size) < 2
    assert find_leaks(records, division.cases(records)) == ()


def test_few_patients_leave_splits_empty_and_the_division_says_so():
    division = divide(some(1), Shares(), rng())
    assert division.counts() == {"train": 1, "val": 0, "test": 0}
    assert [note.split()[0] for note in division.notes] == ["val", "test"]
    assert "there are 1" in division.notes[0]


def test_small_strata_are_said():
    strata = {f"{n:03d}": f"s{n}" for n in range(1, 11)}
    notes = divide(some(10), Shares(0.6, 0.2, 0.2), rng(), strata=strata).notes
    assert "train has nobody of 4 of 10 strata: they have too few patients." in notes


def test_a_share_of_nothing_makes_no_split_and_no_note():
    division = divide(some(5), Shares(1.0, 0.0, 0.0), rng())
    assert division.counts() == {"train": 5, "val": 0, "test": 0}
    assert division.notes == ()


def test_thirds_as_they_are_typed_are_thirds():
    division = divide(some(9), Shares(0.3333333, 0.3333333, 0.3333334), rng())
    assert set(division.counts().values()) == {3}


@pytest.mark.parametrize("shares", [(0.5, 0.5, 0.5), (0.7, 0.1, 0.1)])
def test_shares_that_do_not_make_one_are_refused(shares):
    with pytest.raises(InputError, match="make 1; these make"):
        Shares(*shares)


@pytest.mark.parametrize("shares", [(1.5, -0.5, 0.0), (float("nan"), 0.5, 0.5)])
def test_shares_outside_of_nothing_and_all_are_refused(shares):
    with pytest.raises(InputError, match="from 0 to 1"):
        Shares(*shares)


def test_no_cases_are_refused():
    with pytest.raises(InputError, match="no cases to split"):
        divide([], Shares(), rng())


def test_a_patient_in_two_splits_is_refused_and_the_cases_named():
    records = [record("001", session="01"), record("001", session="02"), record("002")]
    splits = {one.case: split for one, split in zip(records, SPLITS, strict=True)}
    assert find_leaks(records, splits) == (
        Leak("patient", ("sub-001_ses-01_ct", "sub-001_ses-02_ct"), ("train", "val")),
    )
    with pytest.raises(RefusedError, match=r"one patient in train and val: sub-001_ses-01_ct"):
        require_no_leak(records, splits)


def test_the_same_voxels_in_two_splits_are_refused_under_any_name():
    records = [record("001", pixels="x"), record("002", pixels="x")]
    splits = Division({"001": "train", "002": "test"}).cases(records)
    with pytest.raises(
        RefusedError, match=r"same voxels in test and train: sub-001_ct, sub-00"
    ):
        require_no_leak(records, splits)


def test_links_of_different_keys_say_nothing_of_one_another():
    records = [record("001", link="aa"), replace(record("002", link="aa"), key="k2")]
    assert people_of(records) == (("001",), ("002",))


def test_a_case_without_a_split_cannot_leak():
    records = [record("001", session="01"), record("001", session="02")]
    assert find_leaks(records, {CaseId("001", "01"): "train"}) == ()


def test_many_leaks_are_counted_beyond_ten():
    records = [record(f"{n:03d}", session=v) for n in range(12) for v in ("01", "02")]
    splits = {one.case: "train" if one.case.session == "01" else "test" for one in records}
    with pytest.raises(RefusedError, match="and 2 more"):
        require_no_leak(records, splits)
