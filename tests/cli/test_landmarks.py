"""``medlabel landmarks``: what it prints, what it writes, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from napari_medlabel.cli.main import main
from napari_medlabel.export.markups import to_markups
from napari_medlabel.model.landmarks import Landmark, LandmarkSet
from napari_medlabel.model.measurements import Measurement, MeasurementSet

MARKS = LandmarkSet(
    (
        Landmark("Left eye", (30, 0, 0), uncertain_mm=2.0),
        Landmark("Right eye", (-30, 0, 0)),
        Landmark("Nasion", None, absent="resected"),
    )
)
MEASURED = MeasurementSet((Measurement("L", "line", ((0, 0, 0), (3, 4, 0))),))


def write(path: Path, marks: LandmarkSet = MARKS) -> str:
    path.write_text(json.dumps(to_markups(marks, MEASURED)))
    return str(path)


def run(*words: object) -> int:
    return main(["landmarks", *(str(word) for word in words)])


def test_info_lists_points_measurements_and_doubts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "a.mrk.json")
    assert run("info", path) == 0
    out, err = capsys.readouterr()
    assert "uncertain within 2 mm" in out
    assert "resected" in out
    assert "L (line): length 5.00 mm" in out
    assert "Left eye lies further to the patient's right than Right eye" in err
    assert run("info", path, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["landmarks"][2] == {
        "name": "Nasion",
        "state": "absent",
        "ras_mm": None,
        "uncertain_mm": None,
        "absent": "resected",
        "locked": False,
        "inspected": [],
        "description": "",
    }
    assert told["measurements"][0]["values"] == [{"name": "length", "value": 5.0, "unit": "mm"}]
    assert len(told["doubts"]) == 1


def test_a_file_that_does_not_say_its_axes_needs_the_option(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.tsv"
    path.write_text("name\tx\ty\tz\nA\t1\t2\t3\n")
    assert run("info", path) == 2
    assert "--frame LPS" in capsys.readouterr().err
    assert run("info", path, "--frame", "LPS", "--json") == 0
    assert json.loads(capsys.readouterr().out)["landmarks"][0]["ras_mm"] == [-1, -2, 3]


def test_convert_says_what_was_written_and_what_was_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "a.mrk.json")
    assert run("convert", path, tmp_path / "b.fcsv", "--to", "RAS") == 0
    out, err = capsys.readouterr()
    assert "3 landmarks, 2 of them placed, 1 measurements" in out
    assert "Measurements are not in the file: 1." in err
    assert ",30.0,0.0,0.0," in (tmp_path / "b.fcsv").read_text()
    assert run("convert", path, tmp_path / "c.mps", "--json") == 0
    assert json.loads(capsys.readouterr().out)["placed"] == 2
    assert run("convert", path, tmp_path / "c.mps") == 2
    assert "nothing is overwritten" in capsys.readouterr().err


def test_a_template_gives_a_point_set_its_names_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "a.mrk.json")
    template = tmp_path / "t.json"
    template.write_text(json.dumps({"landmarks": [{"name": m.name} for m in MARKS]}))
    assert run("convert", path, tmp_path / "b.mps") == 0
    capsys.readouterr()
    assert run("info", tmp_path / "b.mps", "--template", template, "--json") == 0
    names = [m["name"] for m in json.loads(capsys.readouterr().out)["landmarks"] if m["ras_mm"]]
    assert names == ["Left eye", "Right eye"]


def test_convert_says_which_points_got_another_name_from_a_template(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    numbered = (Landmark("1", (1, 2, 3), "AC"), Landmark("F-1", (4, 5, 6)))
    path = write(tmp_path / "a.mrk.json", LandmarkSet(numbered))
    template = tmp_path / "t.json"
    template.write_text(json.dumps({"landmarks": [{"name": "AC"}, {"name": "PC"}]}))
    assert run("convert", path, tmp_path / "b.csv", "--template", template) == 0
    assert "Named by acronym or description: 1 -> AC." in capsys.readouterr().err
    assert "F-1,-4.0,-5.0,6.0" in (tmp_path / "b.csv").read_text()


def test_compare_tells_distances_and_mixed_up_sides(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = write(tmp_path / "a.mrk.json")
    swapped = MARKS.with_point("Left eye", (-30, 0, 1)).with_point("Right eye", (30, 0, 0))
    second = write(tmp_path / "b.mrk.json", swapped)
    assert run("compare", first, second) == 0
    out = capsys.readouterr().out
    assert "mixed up (sides), file 2" in out
    assert "outlier: " in out
    assert run("compare", first, second, "--limit", "1000") == 3
    assert "names are mixed up" in capsys.readouterr().err
    assert run("compare", first, first, "--json", "--limit", "0.1") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["deo_mm"], told["mixed_up"], told["outliers"]) == (0.0, [], [])
    assert told["landmarks"][2]["placed_by"] == []


def test_files_without_a_common_landmark_cannot_be_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = write(tmp_path / "a.mrk.json")
    other = write(tmp_path / "b.mrk.json", LandmarkSet((Landmark("x", (1, 2, 3)),)))
    assert run("compare", first, other) == 2
    assert "No landmark is placed in two" in capsys.readouterr().err
    assert run("compare", first) == 2
    assert "At least two readings" in capsys.readouterr().err
