"""Another ontology for a study: free while nothing is drawn, of the same meaning after."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from napari_medlabel.errors import RefusedError
from napari_medlabel.project.ontology.document import read_ontology, to_json
from napari_medlabel.project.ontology.labels import OntologyLabel
from napari_medlabel.project.ontology.ontology import Ontology
from napari_medlabel.session.study.ontologies import set_ontology, taken_in
from napari_medlabel.session.study.working import start
from tests.session.study.small_study import SPLEEN, make_study

OTHER = Ontology("Other", (OntologyLabel("gut", 1, "Gut", "#d65f5f"), SPLEEN))
MOVED = Ontology("Moved", (OntologyLabel("liver", 5, "Liver", "#d65f5f"), SPLEEN))


@pytest.mark.parametrize("after", [OTHER, MOVED], ids=["value", "id"])
def test_any_ontology_fits_until_somebody_begins(tmp_path: Path, after: Ontology) -> None:
    study = make_study(tmp_path, cases=1, people=("m1", "r01"))
    seat = study.seat("m1")
    assert seat.layout.ontology.is_file()
    before = read_ontology(seat.layout.ontology)
    set_ontology(seat, after)
    assert read_ontology(seat.layout.ontology) == after
    set_ontology(seat, before)
    start(study.seat("r01"), study.cases[0], "A")
    with pytest.raises(RefusedError, match="work on its cases has begun"):
        set_ontology(study.seat("m1"), after)
    assert read_ontology(seat.layout.ontology) == before
    study.close()


def test_a_mask_of_a_truth_holds_the_meaning_of_values(tmp_path: Path) -> None:
    study = make_study(tmp_path, cases=1, people=("m1",))
    seat = study.seat("m1")
    seat.layout.gold.mkdir(parents=True)
    (seat.layout.gold / "truth.nii.gz").write_bytes(b"A mask.")
    with pytest.raises(RefusedError, match="masks may hold it"):
        set_ontology(seat, OTHER)
    study.close()


def test_a_whole_ontology_tells_changed_codes(tmp_path: Path) -> None:
    path = tmp_path / "whole.json"
    data = to_json(OTHER)
    data["labels"][1]["coding"] = {
        "category": {"scheme": "SCT", "value": "123037004", "meaning": "Anatomical Structure"},
        "type": {"scheme": "SCT", "value": "78961009", "meaning": "Spleen"},
    }
    path.write_text(json.dumps(data), encoding="utf-8")
    taken = taken_in(OTHER, path)
    assert taken.said == ("Other codes than before: Spleen.",)
    assert taken.ontology.labels[0] == OTHER.labels[0]
