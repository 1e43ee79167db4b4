"""Releasing and verifying at the command line: words, codes, and nothing written by a look."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from napari_medlabel.cli.main import main
from tests.session.study.release_study import ready_study
from tests.session.study.small_study import SmallStudy


@pytest.fixture(scope="module")
def done(tmp_path_factory) -> SmallStudy:
    study = ready_study(tmp_path_factory.mktemp("cli-release"))
    study.close()
    return study


def release(study: SmallStudy, monkeypatch, *words: str) -> int:
    """Release as the manager, whose computer this is."""
    monkeypatch.setenv("MEDLABEL_STATE_DIR", str(study.tmp / "pc-m1"))
    root = str(study.layout.root)
    return main(["project", "release", root, *words, "--unsigned", "--reason", "PROTOCOL"])


def test_a_release_is_made_and_anybody_verifies_it(done, monkeypatch, capsys, tmp_path):
    assert release(done, monkeypatch, "2026-11") == 0
    said = capsys.readouterr().out
    assert "Release 2026-11: 3 cases" in said
    assert "Nobody signed it" in said
    folder = str(done.layout.exports / "2026-11")
    page = tmp_path / "page.html"
    assert main(["verify", folder, "--html", str(page)]) == 4
    said = capsys.readouterr().out
    assert said.startswith("AMBER. ")
    assert "Nobody signed it" in said
    line = next(one for one in said.splitlines() if one.startswith("sub-003_ct"))
    assert "r01" in line
    assert "r04" in line
    assert b"sub-003_ct" in page.read_bytes()
    assert main(["verify", folder, "--study", str(done.layout.root), "--json"]) == 4
    found = json.loads(capsys.readouterr().out)
    assert found["with_study"] is True
    assert [one["rule"] for one in found["findings"]] == ["unsigned"]
    assert {mark for one in found["cases"] for mark in one["links"].values()} == {"green"}


def test_what_was_changed_is_red(done, monkeypatch, capsys):
    assert release(done, monkeypatch, "red", "--json") == 0
    assert json.loads(capsys.readouterr().out)["signed"] is False
    folder = done.layout.exports / "red"
    path = folder / "CLAIM.md"
    path.chmod(0o644)
    path.write_text("# All is well\n")
    assert main(["verify", str(folder)]) == 5
    said = capsys.readouterr().out
    assert "RED   CLAIM.md  (document)" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [(["--coarsen"], "needs a smallest group"),
     (["--keep-splits", "--shares", "0.5", "0.5", "0"], "kept or drawn"),
     (["--shares", "0.5", "0.4", "0"], "make 1")],
)  # fmt: skip
def test_options_that_contradict_are_refused(done, monkeypatch, capsys, words, said):
    assert release(done, monkeypatch, "x", *words) == 2
    assert said in capsys.readouterr().err


def test_facts_are_words_by_item(done, monkeypatch, capsys, tmp_path):
    facts = tmp_path / "facts.json"
    facts.write_text('{"weather": "fine"}')
    assert release(done, monkeypatch, "x", "--facts", str(facts)) == 2
    assert "JSON object of words by item" in capsys.readouterr().err
    facts.write_text('{"licence": "CC-BY-4.0"}')
    assert release(done, monkeypatch, "stated", "--facts", str(facts)) == 0
    sheet: Path = done.layout.exports / "stated" / "DATASHEET.md"
    assert "> CC-BY-4.0" in sheet.read_text()
