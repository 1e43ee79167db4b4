from __future__ import annotations

import json
from pathlib import Path

import pytest

from napari_medlabel.deid import generate_tables

STANDARD = Path(__file__).parents[3] / "shared" / "standard"


def test_a_row_becomes_a_rule_with_its_options():
    row = ["Study Date", "(0008,0020)", "N", "Y", "Z", *[""] * 5, "K", "C", "", "", ""]
    private = ["Private", "(gggg,eeee) where gggg is odd", "N", "N", "X", "C", *[""] * 9]
    document = generate_tables.basic_profile({"edition": "x", "rows": [row, private]})
    assert document["rules"] == [
        ["00080020", "Study Date", "Z", {"retain-dates": "K", "shift-dates": "C"}],
        ["odd", "Private", "X", {"retain-safe-private": "C"}],
    ]


@pytest.mark.skipif(not STANDARD.is_dir(), reason="../shared/standard is not here")
def test_what_ships_is_what_the_standard_says():
    for name, text in generate_tables.documents(STANDARD).items():
        assert (generate_tables.DATA / name).read_text("utf-8") == text


def test_the_files_are_written_where_they_are_read(tmp_path, monkeypatch):
    table = {"edition": "2026c", "rows": [["A", "(0008,0020)", "N", "Y", "Z", *[""] * 10]]}
    (tmp_path / "table_E.1-1_2026c.json").write_text(json.dumps(table))
    (tmp_path / "anatomic_regions.json").write_text('{"KNEE": [], "ARM": []}')
    monkeypatch.setattr(generate_tables, "DATA", tmp_path)
    assert generate_tables.main([str(tmp_path)]) == 0
    assert json.loads((tmp_path / "basic_2026c.json").read_text())["rules"][0][2] == "Z"
    assert json.loads((tmp_path / "body_parts.json").read_text()) == ["ARM", "KNEE"]
