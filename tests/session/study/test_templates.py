"""What a study begins with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from napari_medlabel.errors import InputError
from napari_medlabel.model import presets
from napari_medlabel.project.ontology.document import from_json, to_json, write_ontology
from napari_medlabel.project.ontology.exchange import to_dseg_tsv, to_terminology
from napari_medlabel.session.study.templates import find_ontology, guidelines_for


@pytest.mark.parametrize("name", sorted(presets.schemes()))
def test_each_preset_is_an_ontology_with_the_same_labels(name: str) -> None:
    ontology = find_ontology(name)
    scheme = presets.scheme(name)
    assert ontology.scheme().values == scheme.values
    assert [one.name for one in ontology.labels] == [one.name for one in scheme.labels]
    assert from_json(to_json(ontology)) == ontology


def test_landmark_templates_come_with_it(tmp_path: Path) -> None:
    path = tmp_path / "marks.json"
    path.write_text(json.dumps({"landmarks": [{"name": "Dome"}]}))
    ontology = find_ontology("abdomen", ["afids-32", "abdomen", str(path), str(path)])
    ids = [one.id for one in ontology.templates]
    assert ids == ["afids_32", "abdomen", "landmarks", "landmarks_2"]
    assert "- afids-32: 32" in guidelines_for("Livers", ontology)


def test_files_of_four_kinds_are_understood(tmp_path: Path) -> None:
    ontology = find_ontology("abdomen")
    files = {name: tmp_path / name for name in ("o.json", "t.json", "s.json", "dseg.tsv")}
    write_ontology(files["o.json"], ontology)
    files["t.json"].write_text(to_terminology(ontology))
    files["s.json"].write_text(json.dumps(presets.scheme("abdomen").to_json()))
    files["dseg.tsv"].write_text(to_dseg_tsv(ontology))
    assert find_ontology(str(files["o.json"])) == ontology
    for path in files.values():
        assert len(find_ontology(str(path)).labels) == len(ontology.labels)


def test_what_is_no_ontology_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no label scheme of that name"):
        find_ontology("livers")
    path = tmp_path / "o.json"
    path.write_text("{")
    with pytest.raises(InputError, match="is not JSON"):
        find_ontology(str(path))
    path.write_text("[]")
    with pytest.raises(InputError, match="not a study's ontology"):
        find_ontology(str(path))
