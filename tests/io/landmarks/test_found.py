"""Names that a file's landmarks keep, and numbers that are none."""

from __future__ import annotations

import pytest

from napari_medlabel.errors import InputError
from napari_medlabel.io.landmarks.fcsv import read_fcsv
from napari_medlabel.io.landmarks.found import Notes, OwnNames
from napari_medlabel.io.landmarks.markups import read_markups
from napari_medlabel.io.landmarks.tables import read_table

HEAD = "# Markups fiducial file version = 4.11\n# CoordinateSystem = LPS\n"


def names(reading) -> list[str]:
    return [mark.name for mark in reading.landmarks]


def test_a_repeat_never_takes_the_name_of_another_point():
    table = "label,r,a,s\nA,1,2,3\nA,4,5,6\nA (2),7,8,9\n"
    assert names(read_table(table)) == ["A", "A (3)", "A (2)"]
    rows = [f"{n},1,2,3,0,0,0,1,1,0,0,{name},,\n" for n, name in enumerate(["A", "A", "A (2)"])]
    assert names(read_fcsv(HEAD + "".join(rows))) == ["A", "A (3)", "A (2)"]
    points = [
        {"label": name, "position": [1, 2, 3], "positionStatus": "defined"}
        for name in ("A", "A", "A (2)")
    ]
    markups = {"markups": [{"type": "Fiducial", "controlPoints": points}]}
    assert names(read_markups(markups)) == ["A", "A (3)", "A (2)"]


def test_a_point_without_a_name_does_not_take_one_that_comes_later():
    assert names(read_table("label,r,a,s\n,1,2,3\nPoint,4,5,6\n")) == ["Point (2)", "Point"]


def test_a_million_points_of_one_name_are_numbered_in_a_moment():
    own = OwnNames(Notes())
    last = [own.own("A", "Point") for _ in range(50_000)][-1]
    assert last == "A (50000)"


def test_a_number_with_an_underscore_is_none():
    with pytest.raises(InputError, match="is not a number"):
        read_table("label,r,a,s\nA,1_0,2,3\n")


def test_a_column_that_stands_twice_is_refused():
    for head in ("label,r,a,s,r", "label,r,a,s, R ", "label,r,a,s,Label"):
        with pytest.raises(InputError, match="a name stands twice"):
            read_table(f"{head}\nA,1,2,3,99\n")


def test_places_in_two_frames_have_to_be_the_same():
    both = "label,l,p,s,r,a\nA,1,2,3,{}\n"
    assert read_table(both.format("-1,-2")).landmarks["A"].point_ras == (-1, -2, 3)
    assert read_table(both.format(",")).landmarks["A"].point_ras == (-1, -2, 3)
    with pytest.raises(InputError, match="say different places"):
        read_table(both.format("7,8"))


def test_an_empty_point_list_is_refused_and_one_without_points_is_not():
    for text in ("", "\n\n"):
        with pytest.raises(InputError, match="holds nothing"):
            read_fcsv(text)
    assert names(read_fcsv(HEAD)) == []


def test_points_that_look_like_comments_are_told():
    row = "{},10,20,30,0,0,0,1,1,0,0,tip,,\n"
    found = read_fcsv(f"{HEAD}{row.format(1)}{row.format('#2')}# a, real, comment, here\n")
    assert names(found) == ["tip"]
    assert found.notes == (
        "1 left out: a line that begins with # is a comment, but has a position.",
    )
