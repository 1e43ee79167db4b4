"""Slicer's .fcsv lists of all ages."""

from __future__ import annotations

import pytest

from napari_medlabel.errors import InputError
from napari_medlabel.io.landmarks.fcsv import read_fcsv

COLUMNS = "# columns = id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,desc,associatedNodeID\n"
ROW = "vtkMRMLMarkupsFiducialNode_0,1.5,-2,3,0,0,0,1,1,1,0,F-1,,vtkMRMLScalarVolumeNode1\n"


def head(version: str, system: str | None) -> str:
    line = "" if system is None else f"# CoordinateSystem = {system}\n"
    return f"# Markups fiducial file version = {version}\n{line}{COLUMNS}"


@pytest.mark.parametrize(
    ("version", "system", "expected"),
    [
        ("4.6", "0", (1.5, -2.0, 3.0)),
        ("4.10", "1", (-1.5, 2.0, 3.0)),
        ("4.11", "LPS", (-1.5, 2.0, 3.0)),
        ("4.11", "RAS", (1.5, -2.0, 3.0)),
        ("5.6", "lps", (-1.5, 2.0, 3.0)),
    ],
)
def test_both_systems_of_all_versions_are_read(version, system, expected):
    found = read_fcsv(head(version, system) + ROW)
    assert found.landmarks["F-1"].point_ras == expected
    assert found.notes == ()


def test_a_list_without_a_system_is_ras_and_says_so():
    found = read_fcsv(head("4.0", None) + ROW)
    assert found.landmarks["F-1"].point_ras == (1.5, -2.0, 3.0)
    assert "does not say its coordinate system" in found.notes[0]
    said = read_fcsv(head("4.0", None) + ROW, frame="LPS")
    assert said.landmarks["F-1"].point_ras == (-1.5, 2.0, 3.0)
    assert said.notes == ()


def test_another_system_is_refused():
    with pytest.raises(InputError, match="another coordinate system"):
        read_fcsv(head("4.6", "2") + ROW)


def test_a_list_of_slicer_3_has_the_name_first():
    found = read_fcsv("#label,x,y,z,sel,vis\nL1,1,2,3,1,1\n\nL2,4,5,6,1,0\n")
    assert [(m.name, m.point_ras) for m in found.landmarks] == [
        ("L1", (1, 2, 3)),
        ("L2", (4, 5, 6)),
    ]
    assert "form of Slicer 3" in found.notes[1]


def test_quoted_commas_and_quotes_belong_to_the_name():
    row = 'id,1,2,3,0,0,0,1,1,1,1,"Hilum, ""upper""","a, b",\n'
    (mark,) = read_fcsv(head("4.11", "RAS") + row).landmarks
    assert (mark.name, mark.description, mark.locked) == ('Hilum, "upper"', "a, b", True)


def test_what_slicer_5_calls_undefined_is_not_placed():
    rows = "1,0,0,0,0,0,0,1,1,1,0,a,,,0,0\n2,4,5,6,0,0,0,1,1,1,0,b,,,2,0\n"
    found = read_fcsv(head("5.2", "LPS") + rows)
    assert [m.point_ras for m in found.landmarks] == [None, (-4, -5, 6)]
    assert "not defined" in found.notes[0]


def test_columns_in_another_order_are_followed():
    text = "# Markups fiducial file version = 4.11\n# coordinateSystem = 0\n"
    text += "# columns = label,x,y,z,desc\nTumour,1,2,3,middle\n"
    (mark,) = read_fcsv(text).landmarks
    assert (mark.name, mark.point_ras, mark.description) == ("Tumour", (1, 2, 3), "middle")


def test_names_that_stand_twice_or_not_at_all_are_told():
    rows = "1,1,2,3,0,0,0,1,1,1,0,F,,\n2,4,5,6,0,0,0,1,1,1,0,F,,\n3,7,8,9,0,0,0,1,1,1,0,,,\n"
    found = read_fcsv(head("4.11", "RAS") + rows)
    assert [m.name for m in found.landmarks] == ["F", "F (2)", "3"]
    assert len(found.notes) == 2


def test_a_line_ends_only_where_files_end_lines():
    rows = "1,1,2,3,0,0,0,1,1,1,0,a,top\u2028of\x0cit,\r2,4,5,6,0,0,0,1,1,1,0,b,,\r\n"
    found = read_fcsv(head("4.11", "RAS") + rows)
    assert [m.name for m in found.landmarks] == ["a", "b"]
    assert found.landmarks["a"].description == "top\u2028of\x0cit"


def test_a_point_at_the_origin_is_doubted():
    found = read_fcsv(head("4.11", "RAS") + "1,0,0,0,0,0,0,1,1,1,0,a,,\n")
    assert "exactly (0, 0, 0)" in found.notes[0]


@pytest.mark.parametrize(
    "row", ["1,2\n", "1,a,b,c,0,0,0,1,1,1,0,a,,\n", "1,nan,2,3,,,,,,,,a,,\n"]
)
def test_lines_without_a_position_are_refused(row):
    with pytest.raises(InputError, match="no position of three numbers"):
        read_fcsv(head("4.11", "RAS") + row)
