from __future__ import annotations

import re
import time

import pytest

from napari_medlabel.deid.rules.bounded_pattern import LONGEST_VALUE, is_bounded


@pytest.mark.parametrize(
    "pattern",
    [
        "seq[0-9]{1,3}",
        "Arm (A|B)",
        "T[12] .*",
        ".*spine.*",
        "(?:A|B|CD){1,4}",
        "(?i)t1_(?=x)x+",
        "(?>ab)c*+",
        r"(a)?(?(1)b|c)",
        r"(a)\1{3}",
        "[A-Z]{300}",
    ],
)
def test_what_a_site_would_write_is_allowed(pattern):
    assert is_bounded(pattern)


@pytest.mark.parametrize(
    "pattern",
    ["(.*.*.*)*x", "(a+)+b", "(a|aa)*b", ".*.*.*x", "a?" * 30 + "a{30}", "(a*){40}"],
)
def test_what_would_search_without_end_is_refused(pattern):
    assert not is_bounded(pattern)


def test_the_slowest_that_is_allowed_ends_soon():
    assert is_bounded(".*.*x")
    began = time.perf_counter()
    assert re.fullmatch(".*.*x", "a" * LONGEST_VALUE) is None
    assert time.perf_counter() - began < 2.0
