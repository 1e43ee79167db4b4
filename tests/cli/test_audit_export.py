"""``medlabel audit export``: the files, the trace in the log, and what is refused."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from napari_medlabel.audit.writer.place import default_root, open_log
from napari_medlabel.cli import audit_export
from napari_medlabel.errors import InputError, LogError

PATIENT = "s1-" + "3b" * 16


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDLABEL_AUDIT_DIR", str(tmp_path / "audit"))
    monkeypatch.setenv("MEDLABEL_STATE_DIR", str(tmp_path / "state"))


@pytest.fixture
def log_file(tmp_path: Path) -> Path:
    with open_log() as log:
        log.append("volume.open", subject=(PATIENT,), detail={"format": "dicom", "slices": 40})
        path = log.path
    assert path.exists()
    return path


def _run(*arguments: object) -> int:
    parser = argparse.ArgumentParser()
    audit_export.add_parser(parser.add_subparsers())
    parsed = parser.parse_args(["export", *map(str, arguments)])
    code: int = parsed.run(parsed)
    return code


def _events() -> list[dict[str, object]]:
    found = []
    for path in sorted(default_root().rglob("*.jsonl")):
        found += [json.loads(line) for line in path.read_bytes().splitlines()]
    return [event for event in found if event.get("event") == "audit.export"]


def test_an_export_is_noted_with_its_digest(
    log_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = _run("-o", tmp_path / "out.csv", "--format", "csv")
    assert code in {0, 4}
    out = capsys.readouterr().out
    assert out.splitlines()[0].startswith(("GREEN. ", "AMBER. "))
    (event,) = _events()
    assert event["detail"]["format"] == "csv"  # type: ignore[index]
    assert event["detail"]["manifest"] in out  # type: ignore[index]


def test_json_is_one_document(
    log_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _run("-o", tmp_path / "out", "--format", "fhir", "--json")
    shown = json.loads(capsys.readouterr().out)
    (event,) = _events()
    assert shown["format"] == "fhir"
    assert shown["manifest"] == event["detail"]["manifest"]  # type: ignore[index]
    assert shown["events"] == event["detail"]["events"]  # type: ignore[index]
    assert shown["verdict"] in {"green", "amber"}


def test_a_bundle_has_the_report_and_a_verifier_that_runs_alone(
    log_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bag = tmp_path / "evidence"
    code = _run("-o", bag, "--format", "bundle")
    assert "README.txt says how" in capsys.readouterr().out
    assert (bag / "data/report.html").read_bytes().startswith(b"<!")
    done = subprocess.run(
        [sys.executable, "-I", str(bag / "verify.py")], check=False, capture_output=True
    )
    assert done.returncode in {code, 4}  # what this computer remembers is not in the parcel
    _run("-o", tmp_path / "bare", "--format", "bundle", "--no-report")
    assert not (tmp_path / "bare/data/report.html").exists()


def test_patient_ids_are_warned_of(
    log_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "ids.csv"
    table.write_text(f"{PATIENT},ID-WXYZ\n")
    _run("-o", tmp_path / "out.xml", "--format", "dicom", "--patients", table)
    assert b"ID-WXYZ" in (tmp_path / "out.xml").read_bytes()
    said = capsys.readouterr()
    assert "holds Patient IDs" in said.err
    assert "WXYZ" not in said.out + said.err


def test_names_and_days_are_taken_over(log_file: Path, tmp_path: Path) -> None:
    user = json.loads(log_file.read_bytes().splitlines()[0])["actor"]["user"]
    table = tmp_path / "names.csv"
    table.write_text(f"{user},Ann Other\n")
    _run("-o", tmp_path / "a.csv", "--format", "csv", "--names", table, "--bom")
    assert b"Ann Other" in (tmp_path / "a.csv").read_bytes()
    _run("-o", tmp_path / "b.csv", "--format", "csv", "--from", "2020-01-01",
         "--to", "2020-01-02")  # fmt: skip
    assert (tmp_path / "b.csv").read_bytes().count(b"\n") == 1


def test_no_log_no_export(
    log_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "elsewhere"
    default_root().rename(other)
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where folders should be")
    monkeypatch.setenv("MEDLABEL_AUDIT_DIR", str(blocked / "audit"))
    monkeypatch.setenv("MEDLABEL_STATE_DIR", str(blocked / "state"))
    with pytest.raises((LogError, InputError)):
        _run(other, "-o", tmp_path / "out.csv", "--format", "csv")
    assert not (tmp_path / "out.csv").exists()


def test_another_log_can_be_exported(log_file: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere"
    shutil.copytree(default_root(), other)
    before = len(_events())
    _run(other, "-o", tmp_path / "out.csv", "--format", "csv")
    assert len(_events()) == before + 1  # in one's own log


def test_wrong_input_is_refused_before_anything_is_written(
    log_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "taken").write_text("x")
    for arguments in (
        ("-o", tmp_path / "taken", "--format", "csv"),
        ("-o", tmp_path / "new", "--format", "csv", "--from", "yesterday"),
        ("-o", tmp_path / "new", "--format", "bundle", "--no-report", "--to", "2026-11-22"),
        (tmp_path / "nothing", "-o", tmp_path / "new", "--format", "csv"),
    ):
        with pytest.raises(InputError):
            _run(*arguments)
    assert not (tmp_path / "new").exists()
    assert _events() == []
