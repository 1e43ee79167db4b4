"""The documents of a release are made at once, and every statement is in one of them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from napari_medlabel.errors import InputError
from napari_medlabel.project.release.documents import KEYS, documents
from napari_medlabel.project.release.intact import check_manifest
from napari_medlabel.project.release.manifest import make_manifest, write_manifest
from tests.project.release.released import bare, pins, whole


def test_all_documents_are_made_and_are_the_same_again():
    made = documents(whole(), (), ())
    assert set(made) == {"facts.json", "DATASHEET.md", "CLAIM.md", "croissant.json"}
    assert made == documents(whole(), (), ())
    assert json.loads(made["facts.json"])["cases"] == 4


@pytest.mark.parametrize("key", KEYS)
def test_every_statement_stands_in_a_document(key):
    made = documents(replace(bare(), stated={key: "Something."}), (), ())
    del made["facts.json"]
    assert any(b"Something." in document for document in made.values())


def test_statements_that_no_document_asks_for_are_refused_unrepeated():
    stated = dict.fromkeys((*KEYS, "Miller"), "x")
    with pytest.raises(InputError, match="1 of the statements") as err:
        documents(replace(bare(), stated=stated), (), ())
    assert "Miller" not in err.value.message + err.value.hint


def test_patients_of_a_split_are_named_in_no_document():
    for document in documents(whole(), (), ()).values():
        assert b"sub-001" not in document


def test_documents_are_named_in_the_manifest_of_their_release(tmp_path):
    for name, data in documents(whole(), (), ()).items():
        (tmp_path / name).write_bytes(data)
    made = "2026-11-22T12:00:00.000Z"
    write_manifest(tmp_path, make_manifest(tmp_path, name="one", made=made, pins=pins()))
    assert [one.rule for one in check_manifest(tmp_path)] == ["unsigned"]
    (tmp_path / "CLAIM.md").write_bytes(b"# Other\n")
    assert [one.rule for one in check_manifest(tmp_path)] == ["changed", "unsigned"]
