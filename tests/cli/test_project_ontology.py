"""An ontology in the words of other programs, into a study and out of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from napari_medlabel.cli.main import main
from napari_medlabel.model.labelmap import Code
from napari_medlabel.project.layout import Layout
from napari_medlabel.project.ontology.document import read_ontology, to_json
from napari_medlabel.project.ontology.exchange import to_dseg_tsv, to_snap, to_terminology
from napari_medlabel.project.ontology.labels import Coding, OntologyLabel
from napari_medlabel.project.ontology.ontology import Ontology
from napari_medlabel.project.settings import Rater, Settings
from napari_medlabel.session.desk import open_desk
from napari_medlabel.session.study.setting_up import init_study, prepare_study
from tests.session.study.a_study import events

ORGAN = Code("SCT", "123037004", "Anatomical Structure")
LIVER = OntologyLabel(
    "liver",
    1,
    "Liver",
    "#d65f5f",
    Coding(ORGAN, Code("SCT", "10200004", "Liver")),
    most_parts=1,
)
SPLEEN = OntologyLabel(
    "spleen", 2, "Spleen", "#5fd65f", Coding(ORGAN, Code("SCT", "78961009", "Spleen"))
)
KIDNEY = OntologyLabel(
    "kidney", 7, "Kidney", "#5f5fd6", Coding(ORGAN, Code("SCT", "64033007", "Kidney"))
)
ONTOLOGY = Ontology("Small", (LIVER, SPLEEN))


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "napari_medlabel.audit.writer.place.default_state", lambda: tmp_path / "pc"
    )
    monkeypatch.setattr("napari_medlabel.session.desk.default_state", lambda: tmp_path / "pc")


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = prepare_study(tmp_path / "study")
    desk = open_desk(layout.audit, role="researcher")
    init_study(layout, Settings("S", (Rater("m1", roles=("manager",)),)), ONTOLOGY, desk)
    desk.log.close()
    return layout


def do(*words: object) -> int:
    return main(["project", "ontology", *(str(word) for word in words)])


def told(layout: Layout) -> list[dict]:
    return [x["detail"] for x in events(layout) if x["event"] == "study.rules"][3:]


def test_labels_of_other_programs_come_in_and_rules_stay(
    layout: Layout, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = Ontology("More", (LIVER, KIDNEY))
    terms, table, snap = (tmp_path / n for n in ("a.term.json", "b.tsv", "c.txt"))
    terms.write_text(to_terminology(more), encoding="utf-8")
    table.write_text(to_dseg_tsv(more), encoding="utf-8")
    snap.write_text(to_snap(more.scheme()), encoding="utf-8")
    assert do("import", layout.root, terms) == 0
    labels = read_ontology(layout.ontology).labels
    assert [(one.id, one.value) for one in labels] == [
        ("liver", 1),
        ("spleen", 2),
        ("kidney", 3),  # a terminology has no values: the next that is free
    ]
    assert labels[0].most_parts == 1
    assert [one["setting"] for one in told(layout)] == ["ontology"]
    assert set(told(layout)[0]) == {"setting", "old", "new"}
    # The kidney has another value here, so tables that say 7 name a label twice.
    for path in (table, snap):
        assert do("import", layout.root, path) == 2
    assert "stands twice" in capsys.readouterr().err
    assert len(told(layout)) == 1


def test_a_value_never_becomes_another_label(
    layout: Layout, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = Ontology("Other", (OntologyLabel("gut", 1, "Gut", "#d65f5f"), SPLEEN))
    layout.gold.mkdir(parents=True, exist_ok=True)
    (layout.gold / "truth.nii.gz").write_bytes(b"A mask.")
    whole, table = tmp_path / "whole.json", tmp_path / "t.tsv"
    whole.write_text(json.dumps(to_json(other)), encoding="utf-8")
    table.write_text(to_dseg_tsv(other), encoding="utf-8")
    before = layout.ontology.read_bytes()
    for path in (whole, table):
        assert do("import", layout.root, path) == 3
        assert "another label" in capsys.readouterr().err
    assert layout.ontology.read_bytes() == before
    assert not told(layout)


def test_what_is_exported_comes_back_and_nothing_is_written_over(
    layout: Layout, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("o.json", "o.term.json", "o.tsv", "o.txt"):
        assert do("export", layout.root, tmp_path / name) == 0
        assert do("import", layout.root, tmp_path / name) == 0
        assert "Nothing changed" in capsys.readouterr().out
    assert do("export", layout.root, tmp_path / "o.json") == 3
    assert not told(layout)


def test_labels_of_which_codes_change_are_told_and_what_a_form_lacks(
    layout: Layout, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "t.csv"
    table.write_text(
        "LabelValue,Name,Type_CodingScheme,Type_CodeValue\n1,Liver,SCT,64033007\n",
        encoding="utf-8",
    )
    assert do("import", layout.root, table) == 0
    assert "Other codes than before: Liver." in capsys.readouterr().out
    coding = read_ontology(layout.ontology).labels[0].coding
    assert coding == KIDNEY.coding
    assert do("export", layout.root, tmp_path / "l.txt", "--json") == 0
    said = json.loads(capsys.readouterr().out)["said"]
    assert said[1:] == ["Without their code: Liver, Spleen."]
    assert do("import", layout.root, tmp_path / "l.txt", "--json") == 0
    assert json.loads(capsys.readouterr().out)["said"] == []


def test_the_mapping_is_that_of_bids_and_not_the_own_value() -> None:
    lesion = Coding(
        Code("SCT", "49755003", "Morphologically Abnormal Structure"), LIVER.coding.type
    )
    labels = (
        LIVER,
        OntologyLabel("wm", 5, "White matter, left", "#ffffff"),
        OntologyLabel("tumour", 6, "Tumour", "#ff0000", lesion),
    )
    rows = [line.split("\t") for line in to_dseg_tsv(Ontology("B", labels)).splitlines()]
    assert [row[4] for row in rows] == ["mapping", "0", "n/a", "2", "7"]


def test_a_check_names_labels_without_guidelines_and_pictures_that_are_missing(
    layout: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    assert do("check", layout.root) == 0
    layout.guidelines.write_text("# G\n\n## Liver\n\n![x](gone.png)\n", encoding="utf-8")
    capsys.readouterr()
    assert do("check", layout.root, "--json") == 2
    found = json.loads(capsys.readouterr().out)
    assert found["errors"] == ["1 pictures of the guidelines are not in their folder."]
    assert found["warnings"] == ["The guidelines have no section for Spleen."]
