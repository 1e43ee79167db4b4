"""``medlabel audit reason``: the officer reads or erases a text, and the log holds."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest

from napari_medlabel.audit.check.verify import verify_log
from napari_medlabel.audit.keys.reasons import keep_reason, reason_path
from napari_medlabel.audit.keys.site import read_site
from napari_medlabel.audit.writer.place import default_root, default_state
from napari_medlabel.cli.main import main
from napari_medlabel.secret import passphrase as sealing

TEXT = "the guideline changed"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "MEMORY_KIB", 64)
    monkeypatch.setattr(sealing, "ITERATIONS", 1)


@pytest.fixture
def reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    words = tmp_path / "words"
    words.write_text("correct horse battery\n")
    words.chmod(0o600)
    monkeypatch.setenv("MEDLABEL_OFFICER_PASSPHRASE_FILE", str(words))
    assert main(["audit", "site", "init", "ward-3"]) == 0
    return lambda *arguments: main(["audit", "reason", *arguments])


@pytest.fixture
def ref(reason: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> str:
    found = read_site(default_root())
    assert found is not None
    capsys.readouterr()
    return keep_reason(default_root(), found.site, TEXT, secrets.token_bytes)


def _last() -> list[tuple[str, dict]]:
    path = sorted(default_root().rglob("*.jsonl"), key=lambda path: path.name)[-1]
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [(line["event"], line["detail"]) for line in lines if "event" in line][1:-1]


def test_the_officer_reads_it_and_that_is_noted(
    reason: Callable[..., int], ref: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert reason("show", ref) == 0
    assert capsys.readouterr().out == f"{TEXT}\n"
    assert ("audit.view", {"view": "show"}) in _last()
    assert reason("show", ref, "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"ref": ref, "text": TEXT}


def test_it_is_erased_and_the_log_still_holds(
    reason: Callable[..., int], ref: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert reason("erase", ref) == 0
    assert ("config.change", {"setting": "retention", "old": ref}) in _last()
    assert not reason_path(default_root(), ref).exists()
    assert verify_log(default_root(), state=default_state()).verdict != "red"
    for command in ("show", "erase"):
        assert reason(command, ref) == 2
        assert "was erased, or never was" in capsys.readouterr().err.replace("\n", " ")
    assert reason("erase", "../site.json") == 2


def test_who_is_no_officer_reads_nothing(
    reason: Callable[..., int],
    ref: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("MEDLABEL_STATE_DIR", str(tmp_path / "other"))
    assert reason("show", ref) == 2
    captured = capsys.readouterr()
    assert "officer's key was expected" in captured.err
    assert TEXT not in captured.out
