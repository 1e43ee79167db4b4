"""``medlabel audit code`` and ``timestamp``: a code for paper, kept, drawn and stamped."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from napari_medlabel.audit.anchors import timestamp
from napari_medlabel.audit.anchors.code import check_code, code_file, read_code
from napari_medlabel.audit.check.verify import verify_log
from napari_medlabel.audit.writer.place import default_root, default_state, open_log
from napari_medlabel.cli import audit, audit_timestamp
from napari_medlabel.errors import InputError

_MOMENT = datetime(2026, 11, 22, 10, 10, 32, tzinfo=UTC)


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDLABEL_AUDIT_DIR", str(tmp_path / "audit"))
    monkeypatch.setenv("MEDLABEL_STATE_DIR", str(tmp_path / "state"))


@pytest.fixture
def log_file() -> Path:
    with open_log() as log:
        log.append("override.stop")
    return log.path


def _run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    audit.add_parser(parser.add_subparsers())
    parsed = parser.parse_args(["audit", *arguments])
    code: int = parsed.run(parsed)
    return code


def _events(name: str) -> list[dict[str, Any]]:
    found = []
    for path in sorted((default_root() / "writers").rglob("*.jsonl")):
        found += [json.loads(line) for line in path.read_bytes().splitlines()]
    return [one for one in found if one.get("event") == name]


def test_a_code_is_printed_first_and_kept_beside_the_log(
    log_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run("code") == 0
    code, sentence = capsys.readouterr().out.splitlines()
    assert (default_root() / code_file(read_code(code))).exists()
    assert sentence.split(".")[0] in {"GREEN", "AMBER"}
    report = verify_log(default_root(), state=default_state())
    assert check_code(code, default_root(), report.sessions) is None


def test_a_code_leaves_its_event_with_the_digest_of_its_list(
    log_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run("code", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    (event,) = _events("audit.report")
    assert event["detail"]["code"] == shown["listing"]
    assert shown["sessions"] == 1
    assert len(read_code(shown["code"])) == 32


def test_a_code_is_drawn_where_that_is_asked_for(
    log_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drawn = tmp_path / "code.svg"
    assert _run("code", "--qr", str(drawn)) == 0
    assert drawn.read_text().startswith("<svg")
    with pytest.raises(InputError, match="exists already"):
        _run("code", "--qr", str(drawn))


def test_a_red_log_gets_no_code(log_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = bytearray(log_file.read_bytes())
    data[100] ^= 1
    log_file.write_bytes(data)
    assert _run("code") == 5
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("RED. ")
    assert not (default_root() / "codes").exists()


def test_a_code_of_a_site_names_the_site(
    log_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from napari_medlabel.audit.keys import site

    named = site.SignedSite(site.Site("ward-3", 1, 0), bytes(32), "sha256:" + "00" * 32)
    monkeypatch.setattr(site, "read_site", lambda root: named)
    _run("code")
    (kept,) = (default_root() / "codes").iterdir()
    assert kept.read_bytes().splitlines()[1] == b"ward-3"


@pytest.fixture
def code(log_file: Path, capsys: pytest.CaptureFixture[str]) -> str:
    assert _run("code") == 0
    return capsys.readouterr().out.splitlines()[0]


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch) -> None:
    """An authority whose answers are its words; real tokens are tried beside the engine."""

    def claimed(data: bytes, listing: bytes) -> datetime:
        assert listing.startswith(b"medlabel-heads/v1\n")
        if data != b"token":
            raise InputError("something else came")
        return _MOMENT

    monkeypatch.setattr(timestamp, "request_for", lambda listing: b"request")
    monkeypatch.setattr(timestamp, "ask", lambda url, request: b"token")
    monkeypatch.setattr(timestamp, "claimed_at", claimed)
    monkeypatch.setattr(timestamp, "stamped_at", lambda data, listing, ca: _MOMENT)


def _stamp(code: str) -> Path:
    return timestamp.stamp_path(default_root(), read_code(code))


def test_an_authority_on_the_network_stamps_a_code(
    code: str, authority: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run("timestamp", code, "--tsa", "http://tsa.example") == 0
    out = capsys.readouterr().out
    assert out.startswith("stamped 2026-11-22T10:10:32+00:00")
    assert "not checked" in out
    assert _stamp(code).read_bytes() == b"token"
    event = _events("anchor.observe")[-1]
    assert event["detail"] == {"heads": [], "source": "tsa"}


def test_a_new_stamp_is_checked_when_certificates_are_given(
    code: str, authority: None, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = ("--tsa", "http://tsa.example", "--ca", "ca.pem", "--json")
    assert _run("timestamp", code, *wanted) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown == {"time": "2026-11-22T10:10:32+00:00", "checked": True}


def test_a_request_can_be_carried_there_and_the_answer_back(
    code: str, authority: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request, answer = tmp_path / "code.tsq", tmp_path / "code.tsr"
    assert _run("timestamp", code, "--request", str(request)) == 0
    assert request.read_bytes() == b"request"
    with pytest.raises(InputError, match="exists already"):
        _run("timestamp", code, "--request", str(request))
    answer.write_bytes(b"token")
    assert _run("timestamp", code, "--attach", str(answer)) == 0
    assert _stamp(code).exists()


def test_a_kept_stamp_is_checked_later(
    code: str, authority: None, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InputError, match="no stamp"):
        _run("timestamp", code, "--check", "--ca", "ca.pem")
    _run("timestamp", code, "--tsa", "http://tsa.example")
    with pytest.raises(InputError, match="none was given"):
        _run("timestamp", code, "--check")
    capsys.readouterr()
    assert _run("timestamp", code, "--check", "--ca", "ca.pem") == 0
    assert capsys.readouterr().out == "stamped 2026-11-22T10:10:32+00:00\n"


def test_an_answer_that_cannot_be_read_is_said(code: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="FileNotFoundError"):
        audit_timestamp._read(tmp_path / "none.tsr")


def test_a_mistyped_code_is_not_stamped(code: str) -> None:
    with pytest.raises(InputError, match="mistyped"):
        _run("timestamp", code[:-1] + "U", "--tsa", "http://tsa.example")
