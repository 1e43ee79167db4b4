"""Landmarks and their templates."""

from __future__ import annotations

import pytest

from napari_medlabel.errors import InputError
from napari_medlabel.model.landmarks import Landmark, LandmarkSet, template_from_json

NASION = Landmark("Nasion", (1.0, 2.0, 3.0))
INION = Landmark("Inion", None, "back of the head")
MARKS = LandmarkSet((NASION, INION))


@pytest.mark.parametrize("name", ["", " "])
def test_a_landmark_without_a_name_is_refused(name):
    with pytest.raises(InputError, match="A landmark has no name"):
        Landmark(name)


@pytest.mark.parametrize("point", [(1.0, 2.0), (1.0, 2.0, float("nan")), (float("inf"), 0, 0)])
def test_a_position_that_is_no_point_is_refused(point):
    with pytest.raises(InputError, match="three finite numbers in mm"):
        Landmark("a", point)


def test_names_are_unique():
    with pytest.raises(InputError, match="one name stands twice"):
        LandmarkSet((NASION, Landmark("Nasion")))


def test_a_set_knows_what_is_placed_and_what_comes_next():
    assert NASION.is_placed
    assert not INION.is_placed
    assert MARKS.placed == (NASION,)
    assert MARKS.next_name == "Inion"
    assert MARKS.with_point("Inion", (0, 0, 0)).next_name is None
    assert len(MARKS) == 2
    assert list(MARKS) == [NASION, INION]
    assert "Nasion" in MARKS
    assert "nasion" not in MARKS
    assert MARKS["Inion"] is INION
    with pytest.raises(InputError, match="no landmark of that name"):
        MARKS["Bregma"]


def test_placing_moving_and_removing_make_new_sets():
    moved = MARKS.with_point("Nasion", (4, 5, 6))
    assert moved["Nasion"].point_ras == (4.0, 5.0, 6.0)
    assert MARKS["Nasion"] is NASION
    assert MARKS.with_point("Nasion", None).placed == ()
    assert [m.name for m in MARKS.with_point("New", (0, 0, 0))] == ["Nasion", "Inion", "New"]
    assert [m.name for m in MARKS.without("Nasion")] == ["Inion"]
    assert MARKS.with_point("Inion", (0, 0, 0))["Inion"].description == "back of the head"


def test_positions_merge_into_a_template_in_the_templates_order():
    template = LandmarkSet((Landmark("Bregma"), Landmark("Nasion", None, "root of the nose")))
    merged = MARKS.merged_into(template)
    assert [m.name for m in merged] == ["Bregma", "Nasion", "Inion"]
    assert merged["Nasion"] == Landmark("Nasion", (1.0, 2.0, 3.0), "root of the nose")
    assert not merged["Bregma"].is_placed


def test_a_template_is_read():
    data = {"landmarks": [{"name": "a"}, {"name": "b", "description": "where"}]}
    assert template_from_json(data) == LandmarkSet(
        (Landmark("a"), Landmark("b", None, "where"))
    )


@pytest.mark.parametrize(
    "data", [None, {}, {"landmarks": 5}, {"landmarks": [5]}, {"landmarks": [{}]}]
)
def test_data_that_is_no_template_is_refused(data):
    with pytest.raises(InputError, match="This is not a landmark template"):
        template_from_json(data)
