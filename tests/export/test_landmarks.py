"""Landmarks as files: LPS in Slicer's form, exact both ways."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.errors import InputError
from napari_medlabel.export.landmarks import (
    from_csv,
    from_markups,
    load_landmarks,
    save_landmarks,
    to_csv,
    to_markups,
)
from napari_medlabel.model.landmarks import Landmark, LandmarkSet

numbers = st.floats(-1e4, 1e4, allow_nan=False)
names = st.text(
    st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=20
).filter(str.strip)
marks = st.lists(
    st.tuples(
        names,
        st.none() | st.tuples(numbers, numbers, numbers),
        st.text("abc ,;\"'=+", max_size=9),
    ),
    max_size=6,
    unique_by=lambda row: row[0],
).map(lambda rows: LandmarkSet(tuple(Landmark(*row) for row in rows)))


@given(marks)
def test_markups_come_back_exactly(found: LandmarkSet) -> None:
    assert from_markups(json.loads(json.dumps(to_markups(found)))) == found


@given(marks)
def test_tables_come_back_exactly(found: LandmarkSet) -> None:
    assert from_csv(to_csv(found)) == found


def test_points_are_written_in_lps() -> None:
    (point,) = to_markups(LandmarkSet((Landmark("A", (1.5, -2.0, 3.0)),)))["markups"][0][
        "controlPoints"
    ]
    assert point["position"] == [-1.5, 2.0, 3.0]
    assert point["positionStatus"] == "defined"


def test_a_point_that_is_not_placed_has_no_position() -> None:
    (point,) = to_markups(LandmarkSet((Landmark("A"),)))["markups"][0]["controlPoints"]
    assert point["positionStatus"] == "undefined"
    assert "position" not in point


def test_ras_files_are_read_as_they_say() -> None:
    document = to_markups(LandmarkSet((Landmark("A", (1, 2, 3)),)))
    document["markups"][0]["coordinateSystem"] = "RAS"
    assert from_markups(document)["A"].point_ras == (-1.0, -2.0, 3.0)
    assert from_csv("label,r,a,s\nA,1,2,3\n")["A"].point_ras == (1.0, 2.0, 3.0)


def test_a_name_that_a_spreadsheet_would_run_is_made_harmless() -> None:
    table = to_csv(LandmarkSet((Landmark("=1+1", (0, 0, 0)),)))
    assert "'=1+1" in table
    assert "=1+1" in from_csv(table)


@pytest.mark.parametrize("name", ["marks.mrk.json", "marks.csv"])
def test_files_come_back_exactly(tmp_path: Path, name: str) -> None:
    found = LandmarkSet((Landmark("Äöü", (0.1, 0.2, 0.30000000000000004)), Landmark("B")))
    save_landmarks(tmp_path / name, found)
    assert load_landmarks(tmp_path / name) == found


@pytest.mark.parametrize("held", ["markups", "folder", "link"])
def test_a_table_takes_the_place_of_no_other_json(tmp_path: Path, held: str) -> None:
    marks = LandmarkSet((Landmark("A", (1, 2, 3)),))
    beside = tmp_path / "case.json"
    if held == "markups":
        save_landmarks(beside, marks)
    elif held == "folder":
        beside.mkdir()
    else:
        beside.symlink_to(tmp_path / "elsewhere")
    before = beside.read_bytes() if held == "markups" else None
    with pytest.raises(InputError, match="nothing is overwritten"):
        save_landmarks(tmp_path / "case.tsv", marks)
    assert not (tmp_path / "case.tsv").exists()
    assert before is None or beside.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"markups": 3}, "not a Slicer Markups file"),
        ({"markups": []}, "no point list"),
        ({"markups": [{"type": "Line", "controlPoints": []}]}, "no point list"),
        ({"markups": [{"type": "Fiducial"}]}, "not a Slicer Markups file"),
    ],
)
def test_other_documents_are_refused(change: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        from_markups(change)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("coordinateUnits", "um", "in millimetres"),
        ("coordinateSystem", "XYZ", "another coordinate system"),
    ],
)
def test_other_units_and_systems_are_refused(key: str, value: str, message: str) -> None:
    document = to_markups(LandmarkSet((Landmark("A", (1, 2, 3)),)))
    document["markups"][0][key] = value
    with pytest.raises(InputError, match=message):
        from_markups(document)


def test_tables_without_columns_or_numbers_are_refused() -> None:
    with pytest.raises(InputError, match="has the columns"):
        from_csv("place,l,p,s\nA,1,2,3\n")
    with pytest.raises(InputError, match="does not say whether"):
        from_csv("name,x,y,z\nA,1,2,3\n")
    with pytest.raises(InputError, match="not a number"):
        from_csv("label,l,p,s\nA,1,2,three\n")
    with pytest.raises(InputError, match="not a number"):
        from_csv("label,l,p,s\nA,1\n")


def test_unreadable_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        load_landmarks(tmp_path / "none.csv")
    (tmp_path / "bad.mrk.json").write_text("{")
    with pytest.raises(InputError, match="not valid JSON"):
        load_landmarks(tmp_path / "bad.mrk.json")
    (tmp_path / "a.txt").write_text("")
    with pytest.raises(InputError, match="ends otherwise"):
        load_landmarks(tmp_path / "a.txt")
    with pytest.raises(InputError, match="ends otherwise"):
        save_landmarks(tmp_path / "b.txt", LandmarkSet())
