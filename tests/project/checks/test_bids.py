"""The BIDS validator: asked for each data set by itself, where it is installed."""

from __future__ import annotations

import importlib.util
import json
import subprocess
from pathlib import Path

import pytest

from napari_medlabel.errors import InputError, MissingPackageError
from napari_medlabel.project.checks import bids
from napari_medlabel.project.checks.bids import check_bids
from napari_medlabel.project.layout import CaseId, Layout
from tests.project.small_study import add, make_study, submit


@pytest.fixture
def study(tmp_path: Path) -> Layout:
    layout = make_study(tmp_path / "study")
    submit(layout, add(layout))
    return layout


def answer(monkeypatch: pytest.MonkeyPatch, *issues: object) -> list[str]:
    """Let the validator say something of every data set; return the folders it is asked for."""
    asked: list[str] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        asked.append(Path(command[3]).name)
        out = json.dumps({"issues": {"issues": list(issues)}}).encode()
        return subprocess.CompletedProcess(command, 16, out, b"")

    monkeypatch.setattr(bids, "folder_of", lambda *_args, **_kwargs: Path())
    monkeypatch.setattr(subprocess, "run", run)
    return asked


def test_each_data_set_is_asked_for_and_no_stranger_is_named(
    study: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = {"code": "NOT_INCLUDED", "severity": "error", "location": "/sub-001/Muster.txt"}
    hint = {"code": "JSON_KEY_RECOMMENDED", "severity": "warning", "location": "/x.json"}
    asked = answer(monkeypatch, wrong, hint)
    found = list(check_bids(study))
    assert asked == ["study", "medlabel-r02"]
    assert [(one.level, one.where) for one in found] == [
        ("error", "sub-001/(...)"),
        ("error", "derivatives/medlabel-r02/sub-001/(...)"),
    ]


def test_an_answer_that_is_none_is_said(study: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch)
    done = subprocess.CompletedProcess([], 1, b"Erika Muster: command not found", b"")
    monkeypatch.setattr(subprocess, "run", lambda *_args, **_kwargs: done)
    with pytest.raises(InputError, match="did not answer") as err:
        list(check_bids(study))
    assert "Muster" not in f"{err.value.message}{err.value.hint}"


def test_without_the_validator_it_is_said_what_to_install(
    study: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(MissingPackageError) as err:
        list(check_bids(study))
    assert "napari-medlabel[bids]" in err.value.hint


@pytest.mark.slow
@pytest.mark.skipif(
    importlib.util.find_spec("bids_validator_deno") is None, reason="needs the extra [bids]"
)
def test_root_and_derivatives_are_valid_bids(study: Layout) -> None:
    submit(study, CaseId("001"), "consensus")
    (study.exports / "anything").mkdir(parents=True)
    assert [one for one in check_bids(study) if one.level == "error"] == []
