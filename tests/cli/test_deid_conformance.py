"""`medlabel deid --conformance` prints the statement of the chosen rules and writes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from napari_medlabel.cli.main import main
from napari_medlabel.deid.report.conformance import as_text
from napari_medlabel.deid.rules.profile import load_profile


def test_the_statement_needs_no_folders_and_makes_no_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["deid", "--conformance", "--option", "retain-dates"]) == 0
    profile = load_profile(options=["retain-dates"])
    assert capsys.readouterr().out == as_text(profile)
    assert not list(tmp_path.rglob("*.key"))
    assert main(["deid", "--conformance", "--option", "retain-dates", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"conformance": as_text(profile)}


def test_without_it_source_and_target_are_needed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["deid", "here"]) == 2
    assert "A source and a target were expected." in capsys.readouterr().err
