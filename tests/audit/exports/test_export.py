"""An export is whole or not there, and only after the log has said that it is."""

from __future__ import annotations

import json
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from napari_medlabel.audit.exports.bundle import Packing
from napari_medlabel.audit.exports.csv_rows import BOM
from napari_medlabel.audit.exports.dicom_xml import Naming
from napari_medlabel.audit.exports.entries import Period
from napari_medlabel.audit.exports.export import FORMATS, Source, Written, export_log
from napari_medlabel.audit.exports.sinks import Wish, suffix_says_table
from napari_medlabel.errors import InputError, LogError, SaveError
from tests.audit.bench import Bench
from tests.audit.exports import trusted
from tests.audit.exports.samples import PATIENT, USER
from tests.audit.exports.test_bag import check


@pytest.fixture
def log(bench: Bench) -> Bench:
    trusted.write_log(bench)
    return bench


def export(
    log: Bench, target: Path, kind: Any, wish: Wish | None = None, **more: Any
) -> Written:
    given: dict[str, Any] = {
        "wish": wish or Wish(),
        "packing": Packing(log.clock.utc),
        "announce": lambda written: None,
    }
    return export_log(Source(log.root, log.state), target, kind, **{**given, **more})


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_is_written_and_its_digest_is_known_before(
    log: Bench, tmp_path: Path, kind: str
) -> None:
    target, seen = tmp_path / "out", list[Written]()

    def announce(written: Written) -> None:
        assert not target.exists()
        seen.append(written)

    written = export(log, target, kind, announce=announce)
    assert seen == [written]
    assert written.events == 30
    listed = target / "tagmanifest-sha256.txt" if target.is_dir() else target
    assert written.manifest == f"sha256:{sha256(listed.read_bytes()).hexdigest()}"
    assert [path.name for path in tmp_path.iterdir() if ".part." in path.name] == []


@pytest.mark.parametrize("kind", FORMATS)
def test_what_the_log_does_not_say_is_not_there(log: Bench, tmp_path: Path, kind: str) -> None:
    def refuse(_written: Written) -> None:
        raise LogError("no log", hint="")

    before = set(tmp_path.iterdir())
    with pytest.raises(LogError):
        export(log, tmp_path / "out", kind, announce=refuse)
    assert set(tmp_path.iterdir()) == before


def test_a_bundle_named_zip_is_one_file(log: Bench, tmp_path: Path) -> None:
    target = tmp_path / "evidence.zip"
    written = export(log, target, "bundle")
    with zipfile.ZipFile(target) as archive:
        archive.extractall(tmp_path / "out")
    check(tmp_path / "out" / "evidence")
    listed = (tmp_path / "out" / "evidence" / "tagmanifest-sha256.txt").read_bytes()
    assert written.manifest == f"sha256:{sha256(listed).hexdigest()}"


def test_a_name_that_is_taken_is_refused(log: Bench, tmp_path: Path) -> None:
    for name in ("file", "folder", "link"):
        target = tmp_path / name
        if name == "file":
            target.write_text("mine")
        elif name == "folder":
            target.mkdir()
        else:
            target.symlink_to(tmp_path / "nowhere")
        with pytest.raises(InputError, match="something is there"):
            export(log, target, "csv")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_folder_that_is_missing_is_refused(log: Bench, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is none"):
        export(log, tmp_path / "none" / "out.csv", "csv")


def test_a_disk_that_fails_leaves_nothing(
    log: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_path: Path) -> None:
        raise OSError(28, "no space")

    monkeypatch.setattr("napari_medlabel.audit.exports.export.sync_file", full)
    before = set(tmp_path.iterdir())
    for kind in ("csv", "bundle"):
        with pytest.raises(SaveError):
            export(log, tmp_path / "out", kind)
    assert set(tmp_path.iterdir()) == before


def test_a_period_keeps_only_its_days(log: Bench, tmp_path: Path) -> None:
    written = export(log, tmp_path / "out", "ocsf", Wish(Period("2026-11-23")))
    assert written.events == 0
    assert (tmp_path / "out").read_bytes() == b""


@pytest.mark.parametrize(
    ("kind", "wish", "words"),
    [
        ("bundle", Wish(Period("2026-11-22")), "whole log"),
        ("bundle", Wish(naming=Naming(users={USER: "A"})), "Names of users"),
        ("art30", Wish(naming=Naming(users={USER: "A"})), "Names of users"),
        ("csv", Wish(naming=Naming(patients={PATIENT: "1"})), "Patient IDs"),
    ],
)
def test_an_option_that_the_format_cannot_keep_is_refused(
    log: Bench, tmp_path: Path, kind: str, wish: Wish, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        export(log, tmp_path / "out", kind, wish)


def test_names_and_ids_go_where_they_are_wanted(log: Bench, tmp_path: Path) -> None:
    naming = Naming(users={log.actor.user: "Ann Other"})
    for kind in ("csv", "fhir", "ocsf", "dicom"):
        export(log, tmp_path / kind, kind, Wish(naming=naming))
        assert b"Ann Other" in (tmp_path / kind).read_bytes()
    both = Naming(patients={PATIENT: "ID-4711"})
    export(log, tmp_path / "ids", "dicom", Wish(naming=both))
    assert b"ID-4711" in (tmp_path / "ids").read_bytes()


def test_tables_begin_with_a_mark_where_that_is_wanted(log: Bench, tmp_path: Path) -> None:
    export(log, tmp_path / "a", "csv", Wish(bom=True))
    assert (tmp_path / "a").read_bytes().startswith(BOM + b"time,")
    export(log, tmp_path / "b.csv", "art30", Wish(bom=True, as_table=True))
    assert (tmp_path / "b.csv").read_bytes().startswith(BOM + b"Art. 30")
    export(log, tmp_path / "c", "art30", Wish(bom=True))
    assert (tmp_path / "c").read_bytes().startswith(b"<!DOCTYPE html>")
    assert suffix_says_table(Path("x.CSV"))


def test_the_sheet_knows_the_rules_of_the_site(log: Bench, tmp_path: Path) -> None:
    export(log, tmp_path / "a", "art30")
    assert b"2190 days" in (tmp_path / "a").read_bytes()
    (log.root / "site.json").write_bytes(b"{}")
    export(log, tmp_path / "b", "art30")
    assert b"2190 days" not in (tmp_path / "b").read_bytes()
    assert b"red. " in (tmp_path / "b").read_bytes()
    plain = Bench(tmp_path / "plain")
    plain.session()
    export(plain, tmp_path / "c", "art30")
    assert b"2190 days" not in (tmp_path / "c").read_bytes()


def test_lines_of_json_are_json(log: Bench, tmp_path: Path) -> None:
    for kind in ("fhir", "ocsf"):
        export(log, tmp_path / kind, kind)
        lines = (tmp_path / kind).read_bytes().splitlines()
        assert len(lines) >= 30
        assert all(json.loads(line) for line in lines)
