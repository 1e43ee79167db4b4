"""Landmarks and their templates."""

from __future__ import annotations

import pytest

from napari_medlabel.errors import InputError
from napari_medlabel.model import presets
from napari_medlabel.model.landmarks import (
    Landmark,
    LandmarkSet,
    definition_of,
    template_from_json,
)

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


def test_a_landmark_has_one_of_four_states():
    placed = Landmark("a", (1, 2, 3))
    assert [
        Landmark("a").state,
        placed.state,
        Landmark("a", (1, 2, 3), uncertain_mm=2.5).state,
        Landmark("a", absent="resected").state,
    ] == ["unplaced", "placed", "uncertain", "absent"]
    assert Landmark("a").is_open
    assert not placed.is_open
    assert not Landmark("a", absent="artefact").is_open


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"absent": "lost"}, "one of four reasons"),
        ({"absent": "resected", "point_ras": (1, 2, 3)}, "absent has no position"),
        ({"uncertain_mm": 2.0}, "has a position and a radius above 0"),
        ({"uncertain_mm": 0.0, "point_ras": (1, 2, 3)}, "radius above 0"),
        ({"uncertain_mm": float("nan"), "point_ras": (1, 2, 3)}, "radius above 0"),
        ({"laterality": "up"}, "side is left, right or midline"),
        ({"plane": "oblique"}, "side is left, right or midline"),
        ({"inspected": ("oblique",)}, "planes that were looked at"),
    ],
)
def test_flags_that_contradict_are_refused(flags, message):
    with pytest.raises(InputError, match=message):
        Landmark("a", **flags)


def test_a_new_place_takes_old_flags_away_and_a_move_keeps_them():
    doubtful = Landmark("a", (1, 2, 3), "where", uncertain_mm=2.0, inspected=("axial",))
    again = doubtful.at((4, 5, 6), inspected=("sagittal", "axial"))
    assert (again.uncertain_mm, again.inspected) == (None, ("axial", "sagittal"))
    moved = doubtful.moved((4, 5, 6))
    assert (moved.point_ras, moved.uncertain_mm) == ((4, 5, 6), 2.0)
    gone = doubtful.missing("resected")
    assert (gone.point_ras, gone.uncertain_mm, gone.inspected) == (None, None, ())
    assert gone.at((1, 1, 1)).state == "placed"


def test_a_locked_landmark_stays_where_it_is():
    marks = LandmarkSet((Landmark("a", (1, 2, 3), locked=True),))
    for act in (
        lambda: marks.with_point("a", (4, 5, 6)),
        lambda: marks.with_point("a", None),
        lambda: marks["a"].missing("artefact"),
    ):
        with pytest.raises(InputError, match="locked"):
            act()


def test_an_absent_landmark_is_not_the_next_one():
    marks = LandmarkSet((Landmark("a", absent="resected"), Landmark("b")))
    assert marks.next_name == "b"


def test_merging_keeps_the_flags_and_takes_the_definition():
    template = LandmarkSet((Landmark("a", None, "here", acronym="A", plane="axial"),))
    mine = LandmarkSet((Landmark("a", (1, 2, 3), uncertain_mm=2.0, inspected=("coronal",)),))
    (merged,) = mine.merged_into(template)
    assert merged == Landmark(
        "a", (1, 2, 3), "here", "A", plane="axial", uncertain_mm=2.0, inspected=("coronal",)
    )


def test_numbered_points_get_the_templates_names_by_acronym_or_description():
    template = LandmarkSet((Landmark("R MB", acronym="RMB"), Landmark("AC"), Landmark("PC")))
    marks = LandmarkSet(
        (
            Landmark("1", (1, 1, 1), "ac"),
            Landmark("rmb", (2, 2, 2)),
            Landmark("PC", (3, 3, 3), "AC"),
            Landmark("2", (4, 4, 4), "AC"),
        )
    )
    assert [m.name for m in marks.named_as(template)] == ["AC", "R MB", "PC", "2"]


@pytest.mark.parametrize("key", presets.templates())
def test_a_point_without_a_word_gets_no_name_of_any_template(key):
    marks = LandmarkSet((Landmark("F-1", (1, 1, 1)), Landmark("F-2", (2, 2, 2), " ")))
    for template in (presets.template(key), LandmarkSet((Landmark("A"), Landmark("B")))):
        assert marks.named_as(template) == marks


def test_words_that_mean_two_landmarks_give_no_name():
    template = LandmarkSet(
        (
            Landmark("Point A", acronym="A"),
            Landmark("a"),  # what another one is called for short
            Landmark("Upper end", acronym="E"),
            Landmark("Lower end", acronym="e"),
            Landmark("Nasion", acronym="N"),
            Landmark("Inion", acronym="I"),
        )
    )
    marks = LandmarkSet(
        (
            Landmark("A", (1, 1, 1)),
            Landmark("1", (2, 2, 2), "E"),
            Landmark("2", (3, 3, 3), "e"),
            Landmark("n", (4, 4, 4), "Inion"),  # the name says one, the description another
            Landmark("i", (5, 5, 5), "inion "),
        )
    )
    assert [m.name for m in marks.named_as(template)] == ["A", "1", "2", "n", "Inion"]


def test_a_template_says_all_of_a_landmark():
    row = {
        "name": "a",
        "description": "tip",
        "acronym": "A",
        "laterality": "left",
        "plane": "axial",
        "example": "bright",
        "picture": "a.png",
        "code": {"scheme": "SCT", "value": "1", "meaning": "Tip"},
    }
    (mark,) = template_from_json({"landmarks": [row]})
    assert {"name": "a", **definition_of(mark)} == row
    with pytest.raises(InputError, match="file name without folders"):
        template_from_json({"landmarks": [{**row, "picture": "../a.png"}]})
