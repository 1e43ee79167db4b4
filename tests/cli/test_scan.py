from __future__ import annotations

import json
from pathlib import Path

import pytest

from napari_medlabel.cli.main import main


@pytest.fixture
def sidecar(tmp_path: Path) -> Path:
    path = tmp_path / "x.json"
    path.write_text('{"PatientName": "Quincy", "StationName": "CT54321"}', "utf-8")
    return path


def test_nothing_found_is_zero(tmp_path, capsys):
    (tmp_path / "x.json").write_text("{}", "utf-8")
    assert main(["scan", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "1 file searched, nothing found\n"


def test_findings_are_three_and_never_a_value(sidecar, capsys):
    assert main(["scan", str(sidecar)]) == 3
    out, err = capsys.readouterr()
    assert "identity may be in 1 of them" in out
    assert "text field of an image header: PatientName, StationName; file 1" in out
    assert "File N is the N-th line" in err
    assert "quincy" not in (out + err).lower()


def test_long_lists_are_cut(tmp_path, capsys):
    for number in range(12):
        (tmp_path / f"{number:02}.json").write_text('{"PatientName": "Quincy"}', "utf-8")
    assert main(["scan", str(tmp_path)]) == 3
    assert "file 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more" in capsys.readouterr().out


def test_json_and_options_and_a_source(sidecar, tmp_path, capsys):
    note = tmp_path / "note.txt"
    note.write_text("Quincy", "utf-8")
    words = ["scan", str(note), "--against", str(sidecar), "--json", "--option", "retain-uids"]
    assert main(words) == 3
    document = json.loads(capsys.readouterr().out)
    assert document == {
        "files": 1,
        "findings": [{"kind": "name of a person", "where": "text", "files": [1]}],
    }


def test_options_that_exclude_each_other_are_refused(sidecar, capsys):
    words = ["scan", str(sidecar), "--option", "retain-dates", "--option", "shift-dates"]
    assert main(words) == 2
    assert "exclude each other" in capsys.readouterr().err


def test_a_path_without_files_is_refused(tmp_path, capsys):
    assert main(["scan", str(tmp_path / "none")]) == 2
    assert "hint: Check the path" in capsys.readouterr().err
