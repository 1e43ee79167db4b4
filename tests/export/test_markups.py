"""What is written as Markups comes back: exactly, in both systems, with what is unknown."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.export.markups import measurements_to_markups, to_markups
from napari_medlabel.io.landmarks.markups import read_markups
from napari_medlabel.measure.lines import values_of
from napari_medlabel.model.labelmap import Code
from napari_medlabel.model.landmarks import Landmark, LandmarkSet
from napari_medlabel.model.measurements import Measurement, MeasurementSet

COORDINATE = st.floats(-500, 500)
POINT = st.tuples(COORDINATE, COORDINATE, COORDINATE)
MARKS = LandmarkSet(
    (
        Landmark("Tip", (1, 2, 3), "end", acronym="T", laterality="left", plane="axial"),
        Landmark("Doubt", (4, 5, 6), uncertain_mm=2.5, inspected=("axial", "sagittal")),
        Landmark("Gone", None, "was here", absent="resected", code=Code("SCT", "1", "Gone")),
        Landmark("Later", example="bright", picture="later.png"),
        Landmark("Fixed", (0.1, 0.2, 0.3), locked=True),
    )
)
MEASURED = MeasurementSet(
    (
        Measurement("L", "line", ((0.1, 0.2, 0.3), (1, 2, 3)), "note"),
        Measurement("A", "angle", ((0, 0, 1), (0, 0, 0), (0.3, 0, 0))),
        Measurement("B", "bidirectional", ((0, 0, 0), (9, 0, 0), (3, -1.1, 0), (3, 4.7, 0))),
        Measurement("C", "curve", ((0, 0, 0), (1, 1, 0), (2, 0, 1))),
        Measurement("D", "closed-curve", ((0, 0, 0), (1, 1, 0), (2, 0, 1)), locked=True),
        Measurement("E", "ellipse", ((5, 5, 5), (8.3, 5, 5), (5, 7.7, 5))),
        Measurement("F", "box", ((5, 5, 5), (8.3, 5, 5), (5, 7.7, 5))),
        Measurement("G", "plane", ((5, 5, 5), (8.3, 5, 5), (5, 7.7, 5))),
        Measurement("H", "cuboid", ((5, 5, 5), (8.3, 5, 5), (5, 7.7, 5), (5.5, 5, 9))),
    )
)


@pytest.mark.parametrize("frame", ["LPS", "RAS"])
def test_flags_definitions_and_measurements_come_back_exactly(frame):
    text = json.dumps(to_markups(MARKS, MEASURED, frame=frame), allow_nan=False)
    found = read_markups(json.loads(text))
    assert found.landmarks == MARKS
    assert found.measurements == MEASURED
    assert found.frame == frame
    assert found.notes == ()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.none() | POINT, max_size=5), st.sampled_from(["LPS", "RAS"]))
def test_positions_come_back_to_the_last_bit(points, frame):
    marks = LandmarkSet(tuple(Landmark(str(n), p) for n, p in enumerate(points)))
    document = json.loads(json.dumps(to_markups(marks, frame=frame)))
    assert read_markups(document).landmarks == marks


def test_every_point_has_a_status_and_a_missing_one_no_position():
    (told,) = to_markups(MARKS)["markups"]
    points = told["controlPoints"]
    assert [p["positionStatus"] for p in points] == [
        "defined",
        "defined",
        "undefined",
        "undefined",
        "defined",
    ]
    assert ["position" in p for p in points] == [True, True, False, False, True]
    assert points[2]["description"] == "was here [absent: resected]"


def test_what_slicer_drops_is_understood_from_the_words():
    document = to_markups(MARKS, MEASURED)
    for markup in document["markups"]:
        markup.pop("medlabel", None)
        for point in markup["controlPoints"]:
            point.pop("medlabel", None)
    found = read_markups(document)
    assert [m.state for m in found.landmarks] == [m.state for m in MARKS]
    assert found.landmarks["Doubt"] == MARKS["Doubt"]
    kinds = [m.kind for m in found.measurements]
    assert kinds[2:] == ["bidirectional", "curve", "closed-curve"] + ["closed-curve"] * 2 + [
        "plane",
        "cuboid",
    ]
    np.testing.assert_allclose(found.measurements["G"].array, MEASURED["G"].array, atol=1e-12)


def test_points_that_another_program_moved_win():
    document = to_markups(LandmarkSet(), MEASURED)
    ellipse = next(m for m in document["markups"] if m.get("name") == "E")
    ellipse["controlPoints"][0]["position"][0] += 1.0
    short = next(m for m in document["markups"] if m.get("name") == "B (short axis)")
    short["controlPoints"][0]["position"][0] += 1.0
    found = read_markups(document).measurements
    assert found["E"].kind == "closed-curve"
    assert found["E"].points_ras[0] == pytest.approx((7.3, 5, 5))
    assert [m.kind for m in found if m.name.startswith("B")] == ["line", "line"]


def test_what_is_not_understood_is_kept():
    first = to_markups(MARKS, MEASURED)
    first["coordinateNote"] = "mine"
    first["markups"][0]["display"] = {"color": [1, 0, 0]}
    first["markups"][0]["controlPoints"][0]["selected"] = False
    first["markups"][0]["controlPoints"][0]["rater"] = "7"
    first["markups"][1]["display"] = {"opacity": 0.5}
    first["markups"].append({"type": "Spiral", "turns": 3})
    moved = MARKS.with_point("Tip", (9, 9, 9))
    again = to_markups(moved, MEASURED, like=first)
    assert again["coordinateNote"] == "mine"
    points, line = again["markups"][:2]
    assert points["display"] == {"color": [1, 0, 0]}
    assert points["controlPoints"][0]["rater"] == "7"
    assert not points["controlPoints"][0]["selected"]
    assert points["controlPoints"][0]["position"] == [-9, -9, 9]
    assert line["display"] == {"opacity": 0.5}
    assert again["markups"][-1] == {"type": "Spiral", "turns": 3}
    assert read_markups(again).landmarks == moved


PAIR = Measurement("X", "bidirectional", ((0, 0, 0), (30, 0, 0), (10, -5, 0), (10, 5, 0)))
LINE = Measurement("X (long axis)", "line", ((0, 0, 0), (0, 33, 0)))
ACROSS = Measurement("X (short axis)", "line", ((-2, 8, 0), (2, 8, 0)))


@pytest.mark.parametrize("order", [(PAIR, LINE), (LINE, PAIR), (LINE, PAIR, ACROSS)])
def test_a_line_called_like_an_axis_is_no_part_of_a_measurement(order):
    measured = MeasurementSet(order)
    document = to_markups(LandmarkSet(), measured)
    assert read_markups(document).measurements == measured
    again = to_markups(LandmarkSet(), measured, like=document)
    assert read_markups(again).measurements == measured


def test_two_lines_that_were_never_one_measurement_stay_two():
    measured = MeasurementSet((LINE, ACROSS))
    document = to_markups(LandmarkSet(), measured)
    assert read_markups(document).measurements == measured
    for markup in document["markups"]:
        markup.pop("medlabel", None)
    (joined,) = read_markups(document).measurements
    assert (joined.name, joined.kind) == ("X", "bidirectional")


@pytest.mark.parametrize("order", [(PAIR, LINE), (LINE, PAIR)])
def test_names_that_stand_twice_join_no_lines_without_our_note(order):
    document = to_markups(LandmarkSet(), MeasurementSet(order))
    for markup in document["markups"]:
        markup.pop("medlabel", None)
    found = read_markups(document)
    assert [one.kind for one in found.measurements] == ["line"] * 3
    assert "stands more than once" in " ".join(found.notes)


def test_a_pair_that_was_copied_with_its_note_stays_lines():
    document = to_markups(LandmarkSet(), MeasurementSet((PAIR,)))
    document["markups"] += document["markups"][1:]
    assert {one.kind for one in read_markups(document).measurements} == {"line"}


def test_an_axis_and_a_line_of_its_name_keep_what_each_has():
    measured = MeasurementSet((PAIR, LINE))
    first = to_markups(LandmarkSet(), measured)
    for number, markup in enumerate(first["markups"]):
        markup["display"] = {"opacity": number / 10}
    again = to_markups(LandmarkSet(), MeasurementSet((LINE, PAIR)), like=first)
    told = [(m["name"], m["display"]["opacity"]) for m in again["markups"][1:]]
    assert told == [("X (long axis)", 0.3), ("X (long axis)", 0.1), ("X (short axis)", 0.2)]


def test_points_of_several_lists_have_ids_of_their_own():
    lists = [
        {
            "type": "Fiducial",
            "coordinateSystem": "LPS",
            "controlPoints": [
                {"id": number, "label": label + number, "position": [1, 2, 3]}
                for number in ("1", "2")
            ],
        }
        for label in "ab"
    ]
    like = {"@schema": "markups-schema-v1.0.3", "markups": lists}
    found = read_markups(like).landmarks
    (told,) = to_markups(found.with_point("New", (1, 1, 1)), like=like)["markups"]
    ids = [point["id"] for point in told["controlPoints"]]
    assert ids == ["1", "2", "3", "4", "5"]
    line = {"type": "Line", "name": "L", "controlPoints": [{"id": "7"}, {"id": "7"}]}
    drawn = MeasurementSet((Measurement("L", "line", ((0, 0, 0), (1, 2, 3))),))
    written = to_markups(found, drawn, like={"markups": [line]})["markups"][1]
    assert [point["id"] for point in written["controlPoints"]] == ["7", "1"]


def test_an_old_position_does_not_survive_in_a_point_that_was_taken_away():
    first = to_markups(MARKS)
    (told,) = to_markups(MARKS.with_point("Tip", None), like=first)["markups"]
    assert "position" not in told["controlPoints"][0]
    assert told["controlPoints"][0]["positionStatus"] == "undefined"


def test_numbers_stand_beside_what_they_measure():
    values = {one.name: values_of(one) for one in MEASURED}
    document = measurements_to_markups(MEASURED, values)
    told = {m["name"]: m["measurements"] for m in document["markups"]}
    assert told["L"][0]["units"] == "mm"
    assert told["B (long axis)"][0]["value"] == 9.0
    assert told["B (short axis)"][0]["value"] == pytest.approx(5.8)
    assert [n["name"] for n in told["E"]] == ["area"]


def test_planes_and_regions_say_what_slicer_asks_for():
    document = measurements_to_markups(MEASURED)
    plane, region = document["markups"][-2:]
    assert plane["size"] == pytest.approx([6.6, 5.4, 0])
    np.testing.assert_allclose(plane["normal"], (0, 0, 1), atol=1e-12)
    assert region["center"] == [-5, -5, 5]
    axes = np.array(region["orientation"]).reshape(3, 3)
    np.testing.assert_allclose(np.linalg.norm(axes, axis=0), 1)


def test_the_longer_axis_is_written_as_the_long_one():
    ends = ((0, 0, 0), (10, 0, 0), (5, -10, 0), (5, 10, 0))
    one = Measurement("T", "bidirectional", ends)
    written = measurements_to_markups(MeasurementSet((one,)), {"T": values_of(one)})["markups"]
    assert [(m["name"], m["measurements"][0]["value"]) for m in written] == [
        ("T (long axis)", 20.0),
        ("T (short axis)", 10.0),
    ]
    assert read_markups(written and {"markups": written}).measurements["T"] == one.long_first
