"""Flags behind a description: read back exactly, and only what is meant as one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.model.landmark_words import described, understood
from napari_medlabel.model.landmarks import ABSENCES, PLANES, Landmark

TEXTS = st.text(st.characters(exclude_characters="[]"), max_size=12)
RADII = st.none() | st.floats(1e-3, 1e3)
SEEN = st.sets(st.sampled_from(PLANES)).map(tuple)


@settings(max_examples=40, deadline=None)
@given(TEXTS, RADII, SEEN)
def test_flags_of_a_placed_landmark_come_back(text, radius, seen):
    mark = Landmark("a", (1, 2, 3), text, uncertain_mm=radius, inspected=seen)
    assert understood(Landmark("a", (1, 2, 3)), described(mark)) == mark


@pytest.mark.parametrize("reason", ABSENCES)
def test_reasons_of_an_absent_landmark_come_back(reason):
    mark = Landmark("a", None, "tip ", absent=reason)
    assert described(mark) == f"tip  [absent: {reason}]"
    assert understood(Landmark("a"), described(mark)) == mark


@pytest.mark.parametrize(
    "text",
    ["x [absent: resected]", "x [uncertain: -1 mm]", "x [uncertain: 1e999 mm]", "x [seen: up]",
     "x [uncertain: 1.2.3 mm]", "x [uncertain: two mm]", "x[seen: axial]", "[seen: ]"],
)  # fmt: skip
def test_words_that_are_no_flags_stay_words(text):
    mark = Landmark("a", (1, 2, 3))
    assert understood(mark, text) == replace(mark, description=text)


def test_flags_of_a_point_that_is_not_placed_stay_words():
    assert understood(Landmark("a"), "x [seen: axial]").description == "x [seen: axial]"
    assert understood(Landmark("a"), "x [absent: lost]").description == "x [absent: lost]"
