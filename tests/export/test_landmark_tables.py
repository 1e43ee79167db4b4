"""Tables, .fcsv and point sets: exact, and never a number for what is missing."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.export.landmark_tables import (
    bids_sidecar,
    measurements_to_csv,
    to_bids_tsv,
    to_csv,
    to_fcsv,
    to_mps,
)
from napari_medlabel.io.landmarks.fcsv import read_fcsv
from napari_medlabel.io.landmarks.mps import read_mps
from napari_medlabel.io.landmarks.tables import read_table
from napari_medlabel.measure.lines import values_of
from napari_medlabel.model.landmarks import Landmark, LandmarkSet
from napari_medlabel.model.measurements import Measurement, MeasurementSet

COORDINATE = st.floats(-500, 500)
PLACED = st.lists(st.tuples(COORDINATE, COORDINATE, COORDINATE), max_size=5)
MARKS = LandmarkSet(
    (
        Landmark('Hilum, "upper"', (1, 2, 3), "a, b\tc", locked=True),
        Landmark("=1+1", (4, 5, 6), uncertain_mm=2.5, inspected=("axial",)),
        Landmark("Gone", None, "x", absent="outside-field"),
        Landmark("Later"),
    )
)


def named(points) -> LandmarkSet:
    return LandmarkSet(tuple(Landmark(f"P{n}", p) for n, p in enumerate(points)))


@settings(max_examples=40, deadline=None)
@given(PLACED, st.sampled_from(["LPS", "RAS"]))
def test_positions_come_back_to_the_last_bit(points, frame):
    marks = named(points)
    assert read_table(to_csv(marks, frame=frame)).landmarks == marks
    assert read_table(to_bids_tsv(marks), sidecar=bids_sidecar()).landmarks == marks
    assert read_fcsv(to_fcsv(marks, frame=frame)).landmarks == marks
    assert read_mps(to_mps(marks).encode(), template=marks).landmarks == marks


def test_a_table_keeps_every_flag():
    assert read_table(to_csv(MARKS)).landmarks == MARKS
    back = read_table(to_bids_tsv(MARKS), sidecar=bids_sidecar()).landmarks
    assert [m.state for m in back] == ["placed", "uncertain", "absent", "unplaced"]
    assert back["=1+1"] == MARKS["=1+1"]
    assert back["Gone"] == MARKS["Gone"]


def test_what_is_missing_is_nowhere_a_number():
    assert to_csv(MARKS).splitlines()[3] == "Gone,,,,0,1,1,0,x [absent: outside-field]"
    assert to_bids_tsv(MARKS).splitlines()[3].startswith("Gone\tn/a\tn/a\tn/a\tabsent")
    assert "Gone" not in to_fcsv(MARKS)
    assert to_mps(MARKS).count("<point>") == 2
    assert "<id>2</id>" not in to_mps(MARKS)


def test_an_fcsv_list_quotes_commas_and_stays_on_one_line():
    marks = LandmarkSet((Landmark("a,b", (1, 2, 3), 'two\nlines "x"'),))
    text = to_fcsv(marks)
    assert len(text.splitlines()) == 4
    (back,) = read_fcsv(text).landmarks
    assert (back.name, back.description) == ("a,b", 'two lines "x"')


BREAKS = ["\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"]


@pytest.mark.parametrize("sign", BREAKS)
def test_what_ends_a_line_for_some_readers_does_not_part_a_row(sign):
    marks = LandmarkSet(
        (Landmark(f"A{sign}C", (1, 2, 3), f"top{sign}of it"), Landmark("PC", (4, 5, 6)))
    )
    points = [mark.point_ras for mark in marks]
    text = to_fcsv(marks)
    assert len(text.splitlines()) == 5
    (first, second) = read_fcsv(text).landmarks
    assert (first.name, first.description, second.name) == ("A C", "top of it", "PC")
    for back in (
        read_fcsv(text).landmarks,
        read_table(to_csv(marks)).landmarks,
        read_table(to_bids_tsv(marks), sidecar=bids_sidecar()).landmarks,
    ):
        assert [mark.point_ras for mark in back] == points
        assert [mark.description.split() for mark in back] == [["top", "of", "it"], []]


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=12), st.text(max_size=12))
def test_whatever_stands_in_a_description_the_points_are_read_again(name, words):
    marks = LandmarkSet((Landmark(f"A{name}.", (1, 2, 3), words), Landmark("B", (4, 5, 6))))
    for back in (
        read_fcsv(to_fcsv(marks)).landmarks,
        read_table(to_csv(marks)).landmarks,
        read_table(to_bids_tsv(marks), sidecar=bids_sidecar()).landmarks,
    ):
        assert [mark.point_ras for mark in back] == [(1, 2, 3), (4, 5, 6)]


def test_an_empty_point_set_has_bounds_all_the_same():
    assert "<Min" in to_mps(LandmarkSet())
    assert len(read_mps(to_mps(LandmarkSet()).encode()).landmarks) == 0


def test_measurements_are_rows_of_numbers():
    measured = MeasurementSet(
        (
            Measurement("=L", "line", ((0, 0, 0), (3, 4, 0))),
            Measurement("B", "bidirectional", ((0, 0, 0), (9, 0, 0), (3, 0, 0), (3, 4, 0))),
        )
    )
    values = {one.name: values_of(one) for one in measured}
    rows = list(csv.DictReader(io.StringIO(measurements_to_csv(measured, values))))
    assert [(r["name"], r["quantity"], r["value"], r["unit"]) for r in rows] == [
        ("'=L", "length", "5.0", "mm"),
        ("B", "long axis", "9.0", "mm"),
        ("B", "short axis", "4.0", "mm"),
    ]
    assert rows[0]["points_lps_mm"] == "0.0 0.0 0.0; -3.0 -4.0 0.0"


@pytest.mark.parametrize("text", [to_csv(MARKS), to_bids_tsv(MARKS), to_fcsv(MARKS)])
def test_no_cell_is_nan(text):
    assert "nan" not in text.lower()


def test_a_bids_table_says_what_is_locked():
    marks = LandmarkSet((Landmark("A", (1, 2, 3), locked=True), Landmark("B", (4, 5, 6))))
    text = to_bids_tsv(marks)
    assert text.splitlines()[0].endswith("\tlocked")
    assert read_table(text, sidecar=bids_sidecar()).landmarks == marks
    assert "locked" in bids_sidecar()


def test_the_points_of_the_longer_axis_stand_first():
    ends = ((0, 0, 0), (10, 0, 0), (5, -10, 0), (5, 10, 0))
    one = Measurement("T", "bidirectional", ends)
    text = measurements_to_csv(MeasurementSet((one,)), {"T": values_of(one)})
    long_axis, short_axis = csv.DictReader(io.StringIO(text))
    assert (long_axis["quantity"], long_axis["value"]) == ("long axis", "20.0")
    assert (short_axis["quantity"], short_axis["value"]) == ("short axis", "10.0")
    assert long_axis["points_lps_mm"].startswith("'-5.0 10.0 0.0; -5.0 -10.0 0.0; ")
