from __future__ import annotations

import json

import pytest

from napari_medlabel.deid.rules import generate_types

MODULES = {
    "equipment": [
        {"keyword": "Manufacturer", "type": "2", "path": []},
        {"keyword": "StationName", "type": "3", "path": []},
        {"keyword": "CodeValue", "type": "1C", "path": ["ASequence"]},
    ],
    "enhanced": [
        {"keyword": "Manufacturer", "type": "1", "path": []},
        {"keyword": "CodeValue", "type": "2", "path": ["BSequence", "ASequence"]},
    ],
    "unused": [{"keyword": "Modality", "type": "1", "path": []}],
}
IODS = {"ct": [{"key": "equipment"}, {"key": "enhanced"}, {"key": "no-attributes"}]}


def test_types_are_kept_by_module_and_by_sequence():
    document = generate_types.types(MODULES, IODS, {"1.2": "ct"})
    assert document["modules"] == [["Manufacturer", ""], ["", "Manufacturer"]]
    assert document["iods"] == {"ct": [0, 1]}
    assert document["sequences"] == {"ASequence": ["CodeValue", ""]}
    assert document["classes"] == {"1.2": "ct"}
    assert "MIT" in document["source"]


def test_the_file_is_written_where_it_is_read(tmp_path, monkeypatch):
    for name, content in {
        "module_attribute_map.json": MODULES,
        "iod_module_map.json": IODS,
        "sop_class_iod_map.json": {"1.2": "ct"},
    }.items():
        (tmp_path / name).write_text(json.dumps(content))
    monkeypatch.setattr(generate_types, "DATA", tmp_path)
    assert generate_types.main([str(tmp_path)]) == 0
    assert json.loads((tmp_path / generate_types.NAME).read_text())["iods"] == {"ct": [0, 1]}


def test_what_ships_is_what_highdicom_says():
    highdicom = pytest.importorskip("highdicom", reason="highdicom is not here")
    if highdicom.__version__ != "0.28.2":
        pytest.skip("another highdicom than the one the types come from")
    folder = generate_types.Path(highdicom.__file__).parent / "_standard"
    shipped = generate_types.DATA / generate_types.NAME
    assert shipped.read_text("utf-8") == generate_types.document(folder)
