"""``medlabel audit receipt``: alone, against a log, against the data set."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from napari_medlabel.audit.format.event import Event
from napari_medlabel.audit.writer.place import default_root
from napari_medlabel.cli import audit
from napari_medlabel.errors import InputError
from napari_medlabel.io.manifest import manifest_of
from napari_medlabel.session.receipts import add_receipt
from tests.audit.bench import Bench


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDLABEL_AUDIT_DIR", str(tmp_path / "own" / "audit"))
    monkeypatch.setenv("MEDLABEL_STATE_DIR", str(tmp_path / "own" / "state"))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "ward")


@pytest.fixture
def data(bench: Bench, tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "a.dcm").write_bytes(b"a")
    manifest = manifest_of(folder)
    with bench.open() as log:
        detail = {"destination": "folder", "manifest": manifest}
        log.append_many([Event("export.done", detail=detail)])
        add_receipt(log, folder / "audit_receipt.json", manifest)
    return folder


def _run(*arguments: object) -> int:
    parser = argparse.ArgumentParser()
    audit.add_parser(parser.add_subparsers())
    parsed = parser.parse_args(["audit", "receipt", *map(str, arguments)])
    code: int = parsed.run(parsed)
    return code


def test_whoever_received_the_data_checks_it_without_a_log(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(data / "audit_receipt.json", "--data", data) == 4  # only the log binds the two
    out = capsys.readouterr().out
    assert out.startswith("AMBER. The receipt holds together.")
    assert "log       not compared" in out
    assert "data      as it left" in out
    assert not default_root().exists()


def test_against_a_log_it_is_noted_that_the_log_was_used(
    bench: Bench, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(data / "audit_receipt.json", bench.root, "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["verdict"], shown["event"], shown["findings"]) == ("green", 1, [])
    assert (shown["log_checked"], shown["data_checked"]) == (True, False)
    logged = b"".join(path.read_bytes() for path in default_root().rglob("*.jsonl"))
    assert logged.count(b'"event":"audit.verify"') == 1


def test_a_log_without_the_export_is_red(
    bench: Bench, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in bench.root.rglob("*.jsonl"):
        path.unlink()
    assert _run(data / "audit_receipt.json", bench.root) == 5
    assert "A whole session is missing" in capsys.readouterr().out
    logged = b"".join(path.read_bytes() for path in default_root().rglob("*.jsonl"))
    assert b'"verdict":"red"' in logged


def test_changed_data_are_red(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (data / "a.dcm").write_bytes(b"b")
    assert _run(data / "audit_receipt.json", "--data", data) == 5
    assert capsys.readouterr().out.startswith("RED   receipt\n")


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="FileNotFoundError"):
        _run(tmp_path / "none")
