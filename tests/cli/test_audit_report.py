"""``medlabel audit report``: one file, never over another, its event names what it is."""

from __future__ import annotations

import argparse
import base64
import gzip
import io
import json
import re
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from napari_medlabel.audit.anchors.code import check_code
from napari_medlabel.audit.check.verify import verify_log
from napari_medlabel.audit.exports.bundle import Packing
from napari_medlabel.audit.exports.export import Source, export_log
from napari_medlabel.audit.exports.sinks import Wish
from napari_medlabel.audit.keys.signatures import SigningKey
from napari_medlabel.audit.keys.site import Officer, Policy, Site, site_document
from napari_medlabel.audit.writer.place import default_root, default_state, open_log
from napari_medlabel.cli import audit, audit_downloads
from napari_medlabel.errors import InputError, SaveError


def _run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    audit.add_parser(parser.add_subparsers())
    parsed = parser.parse_args(["audit", "report", *arguments])
    code: int = parsed.run(parsed)
    return code


def _events(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []

    def seen(file: str, line: int, record: Any) -> None:
        if record["event"] == name:
            found.append(record)

    verify_log(default_root(), state=None, seen=seen)
    return found


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """Write a small log, and say where its page shall be."""
    with open_log() as log:
        log.append("volume.open", subject=("s1-" + "3b" * 16,), detail={"format": "dicom"})
    return tmp_path / "report.html"


def test_the_page_is_written_with_its_code_and_its_event(
    page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run("-o", str(page)) == 4
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("AMBER. ")
    assert page.read_bytes().startswith(b"<!doctype html>")
    (event,) = _events("audit.report")
    assert event["detail"]["report"] == f"sha256:{sha256(page.read_bytes()).hexdigest()}"
    assert event["detail"]["verdict"] == "amber"
    assert event["detail"]["from_ms"] <= event["detail"]["to_ms"]
    code = out[1].removeprefix("Code for paper: ")
    report = verify_log(default_root(), state=None)
    assert check_code(code, default_root(), report.sessions) is None
    assert out[2] == (
        "0 left the program; 1 of 1 accesses are unexplained; 0 changes after approval; "
        "0 failures."
    )


def test_json_is_one_document(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _run(str(default_root()), "-o", str(page), "--json")
    shown = json.loads(capsys.readouterr().out)
    assert shown["verdict"] == "amber"
    assert shown["report"] == f"sha256:{sha256(page.read_bytes()).hexdigest()}"
    assert shown["code"].count("-") == 8
    assert (shown["accesses"], shown["unexplained"], shown["review_overdue"]) == (1, 1, False)


def test_nothing_is_overwritten_without_a_word(page: Path) -> None:
    page.write_text("mine")
    with pytest.raises(InputError, match="exists already"):
        _run("-o", str(page))
    assert page.read_text() == "mine"
    assert _run("-o", str(page), "--force") == 4
    assert page.read_text() != "mine"


def test_a_folder_is_no_file_even_by_force(page: Path) -> None:
    page.mkdir()
    with pytest.raises(InputError, match="exists already"):
        _run("-o", str(page), "--force")


def test_an_altered_log_is_red_has_a_page_and_no_code(
    page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (path,) = (default_root() / "writers").rglob("*.jsonl")
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    assert _run("-o", str(page)) == 5
    out = capsys.readouterr().out
    assert out.startswith("RED. ")
    assert "Code for paper" not in out
    assert page.is_file()
    assert not (default_root() / "codes").exists()


@pytest.mark.parametrize(
    ("days", "offset", "first", "last"),
    [
        (("--from", "2026-11-01"), 0, 1793491200000, 253402300799999),
        (("--to", "2026-11-01"), 0, 0, 1793577599999),
        (("--from", "2026-11-01", "--to", "2026-11-01"), 60, 1793487600000, 1793573999999),
        (("--from", "0001-01-01"), 0, 0, 253402300799999),
    ],
)
def test_days_are_those_of_the_sites_clocks(
    page: Path, days: tuple[str, ...], offset: int, first: int, last: int
) -> None:
    if offset:
        key = SigningKey(bytes(32))
        policy = Policy(utc_offset_minutes=offset)
        site = Site("ward", 1, 1, officers=(Officer(key.public),), policy=policy)
        (default_root() / "site.json").write_bytes(site_document(site, key))
    _run("-o", str(page), *days)
    detail = _events("audit.report")[0]["detail"]
    assert (detail["from_ms"], detail["to_ms"]) == (first, last)


def test_the_first_day_comes_first(page: Path) -> None:
    with pytest.raises(InputError, match="must not come after"):
        _run("-o", str(page), "--from", "2026-11-02", "--to", "2026-11-01")
    assert not page.exists()


def test_a_day_that_does_not_exist_is_refused(
    page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        _run("-o", str(page), "--from", "2026-02-30")
    assert "a day such as 2026-11-01 was expected" in capsys.readouterr().err


def test_names_are_in_the_page_and_nowhere_else(page: Path, tmp_path: Path) -> None:
    user = _events("volume.open")[0]["actor"]["user"]
    table = tmp_path / "names.csv"
    table.write_text(f"{user},Anna Musterfrau\n")
    _run("-o", str(page), "--names", str(table))
    assert b"Anna Musterfrau" in page.read_bytes()
    assert page.stat().st_mode & 0o077 == 0
    for place in (default_root(), default_state()):
        assert not any(
            b"Musterfrau" in path.read_bytes() for path in place.rglob("*") if path.is_file()
        )


def test_a_list_that_cannot_be_kept_is_said_and_the_page_is_there(
    page: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from napari_medlabel.audit.anchors import code

    def refuse(*_: object) -> None:
        raise SaveError("No room.", hint="Make room.")

    monkeypatch.setattr(code, "keep_code", refuse)
    assert _run("-o", str(page)) == 4
    assert "could not be kept beside the log" in capsys.readouterr().err
    assert page.is_file()


def test_an_overdue_review_is_said(
    page: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from napari_medlabel.audit.disk import SystemClock

    monkeypatch.setattr(SystemClock, "utc_ms", lambda self: 4_000_000_000_000)
    _run("-o", str(page))
    assert "The review of the log is overdue." in capsys.readouterr().out


def _inside(page: Path) -> dict[str, bytes]:
    found = re.findall(rb'id="download-([a-z0-9]+)">([^<]*)<', page.read_bytes())
    return {kind.decode(): gzip.decompress(base64.b64decode(data)) for kind, data in found}


def _exported(kind: str, target: Path) -> bytes:
    export_log(
        Source(default_root(), default_state()),
        target,
        kind,  # type: ignore[arg-type]
        wish=Wish(),
        packing=Packing(0),
        announce=lambda _written: None,
    )
    return target.read_bytes()


def test_the_page_holds_what_the_export_would_write(page: Path, tmp_path: Path) -> None:
    wanted = {
        kind: _exported(kind, tmp_path / f"log.{kind}")
        for kind in ("fhir", "dicom", "ocsf", "art30")
    }
    _run("-o", str(page))
    inside = _inside(page)
    bundle = inside.pop("bundle")
    assert inside == wanted
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        names = archive.namelist()
    assert "audit-evidence/verify.py" in names
    assert "audit-evidence/data/report.html" not in names


def test_files_can_be_left_out_and_a_long_log_leaves_them_out(
    page: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _run("-o", str(page), "--downloads", "none")
    assert _inside(page) == {}
    assert b"medlabel audit export --format bundle -o FILE.zip" in page.read_bytes()
    monkeypatch.setattr(audit_downloads, "MOST_EVENTS", 2)
    _run("-o", str(page), "--force")
    assert _inside(page) == {}
    _run("-o", str(page), "--force", "--downloads", "all")
    assert set(_inside(page)) == {"bundle", "fhir", "dicom", "ocsf", "art30"}


def test_names_are_not_in_the_files_of_the_page(page: Path, tmp_path: Path) -> None:
    user = _events("volume.open")[0]["actor"]["user"]
    table = tmp_path / "names.csv"
    table.write_text(f"{user},Anna Musterfrau\n")
    _run("-o", str(page), "--names", str(table))
    inside = _inside(page)
    assert user.encode() in inside["fhir"]
    assert not any(b"Musterfrau" in data for data in inside.values())
