from __future__ import annotations

import json
from pathlib import Path

import pytest

from napari_medlabel.deid.rules import generate_tables

STANDARD = Path(__file__).parents[4] / "shared" / "standard"


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


def test_a_content_item_becomes_a_rule_with_its_options():
    row = ["Study Date", "111060", "DCM", "DATE", "N", "Y", "X/D", *[""] * 4, "K", "C", ""]
    document = generate_tables.structured_content({"edition": "x", "rows": [row]})
    cells = {"retain-dates": "K", "shift-dates": "C"}
    assert document["rules"] == [["111060", "DCM", "DATE", "Study Date", "X/D", cells]]


def test_a_private_attribute_becomes_a_rule():
    row = ["(01e1,xx2a)", "MAKER", "CS", "1-n", "What it means"]
    document = generate_tables.safe_private({"edition": "x", "rows": [row]})
    assert document["rules"] == [["01E1", "2A", "MAKER", "CS", "1-n", "What it means"]]


def test_the_files_are_written_where_they_are_read(tmp_path, monkeypatch):
    table = {"edition": "2026c", "rows": [["A", "(0008,0020)", "N", "Y", "Z", *[""] * 10]]}
    empty = {"edition": "2026c", "rows": []}
    for name, document in {
        "table_E.1-1_2026c.json": table,
        "table_E.3.4-1_2026c.json": empty,
        "table_E.3.10-1_2026c.json": empty,
        "CID7050.json": {"codes": [{"value": "113100", "meaning": "Basic"}]},
        "anatomic_regions.json": {"KNEE": [], "ARM": []},
    }.items():
        (tmp_path / name).write_text(json.dumps(document))
    monkeypatch.setattr(generate_tables, "DATA", tmp_path)
    assert generate_tables.main([str(tmp_path)]) == 0
    assert json.loads((tmp_path / "basic_2026c.json").read_text())["rules"][0][2] == "Z"
    assert json.loads((tmp_path / "body_parts.json").read_text()) == ["ARM", "KNEE"]
    assert json.loads((tmp_path / "methods.json").read_text()) == {"113100": "Basic"}
    assert json.loads((tmp_path / "safe_private_2026c.json").read_text())["rules"] == []
