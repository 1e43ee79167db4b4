"""The bundle holds the log byte for byte, and can be judged without the program."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from napari_medlabel.audit.exports import verify
from napari_medlabel.audit.exports.bag import Bag, FolderPlace
from napari_medlabel.audit.exports.bundle import Packing, fill_bundle, log_files, verifier
from napari_medlabel.audit.format.record import time_text
from napari_medlabel.audit.keys.install import publish_install
from napari_medlabel.audit.keys.site import User
from tests.audit.bench import Bench
from tests.audit.exports import trusted
from tests.audit.exports.test_bag import check
from tests.audit.keys.site_bench import INSTALL, WRITER, site, write_site


@pytest.fixture
def log(bench: Bench) -> Bench:
    trusted.write_log(bench)
    (bench.root / "reasons").mkdir()
    (bench.root / "reasons" / "x.bin").write_bytes(b"free text")
    return bench


def pack(bench: Bench, target: Path, page: bytes = b"") -> Path:
    digest = fill_bundle(
        Bag(FolderPlace(target)),
        bench.root,
        trusted.verify(bench),
        Packing(bench.clock.utc, page),
    )
    assert digest.startswith("sha256:")
    return target


def alone(folder: Path, *more: str) -> tuple[int, str]:
    """Run the verifier in the bundle in a clean Python."""
    done = subprocess.run(
        [sys.executable, "-I", str(folder / "verify.py"), *more],
        capture_output=True, text=True, cwd=folder.parent, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_a_bundle_is_a_bag_with_the_log_byte_for_byte(log: Bench, tmp_path: Path) -> None:
    bag = pack(log, tmp_path / "evidence", b"<!DOCTYPE html>")
    check(bag)
    for path in log_files(log.root):
        copy = bag / "data" / "log" / path.relative_to(log.root)
        assert copy.read_bytes() == path.read_bytes()
    assert (bag / "data/report.html").read_bytes() == b"<!DOCTYPE html>"
    assert not (bag / "data/log/reasons").exists()
    assert json.loads((bag / "data/verdict.json").read_text())["verdict"] == "green"


def test_its_verifier_says_green_in_a_clean_python(log: Bench, tmp_path: Path) -> None:
    bag = pack(log, tmp_path / "evidence")
    assert (bag / "verify.py").read_bytes() == verifier() == Path(verify.__file__).read_bytes()
    code, said = alone(bag, "--officer", trusted.letters())
    assert code == 0, said
    assert said.startswith("GREEN. ")


@pytest.mark.parametrize(
    "name",
    ["data/log/site.json", "README.txt", "verify.py", "data/verdict.json", "bag-info.txt"],
)
def test_a_byte_changed_after_packing_is_red(log: Bench, tmp_path: Path, name: str) -> None:
    bag = pack(log, tmp_path / "evidence")
    path = bag / name
    path.write_bytes(path.read_bytes() + b"\n")
    code, said = alone(bag, "--officer", trusted.letters())
    assert code == 5
    assert f"red   {name}: It is not as it was packed." in said


def test_a_file_gone_after_packing_is_red(log: Bench, tmp_path: Path) -> None:
    bag = pack(log, tmp_path / "evidence")
    next(bag.rglob("*.note")).unlink()
    assert alone(bag)[0] == 5


def test_a_broken_log_is_packed_as_it_is_and_both_say_so(log: Bench, tmp_path: Path) -> None:
    path = min(log.root.rglob("*.jsonl"))
    path.write_bytes(path.read_bytes().replace(b'"slices":40', b'"slices":41', 1))
    (log.root / "site.json").write_bytes(b"{}")
    bag = pack(log, tmp_path / "evidence")
    assert json.loads((bag / "data/verdict.json").read_text())["verdict"] == "red"
    assert "RED. " in (bag / "README.txt").read_text()
    assert alone(bag)[0] == 5


def test_the_readme_says_what_is_there_in_short_lines(log: Bench, tmp_path: Path) -> None:
    without = (pack(log, tmp_path / "one") / "README.txt").read_text()
    assert "GREEN. The log is complete and unaltered" in without
    assert "report.html" not in without
    assert "python verify.py" in without
    assert "2026-11-22 10:14 UTC" in without
    assert max(len(line) for line in without.splitlines()) <= 100
    assert "report.html" in (pack(log, tmp_path / "two", b"x") / "README.txt").read_text()


def test_the_public_keys_are_listed_for_people(bench: Bench, tmp_path: Path) -> None:
    trusted.write_log(bench, 1)
    public = trusted.WITNESS.public
    write_site(
        bench.root,
        site(
            witnesses=(trusted.Witness(trusted.WITNESS_NAME, public),),
            users=(User("u1-9f86d081884c7d65", b"u" * 32),),
        ),
    )
    broken = bench.root / "writers" / "wfedcba9876543210" / "install.json"
    broken.parent.mkdir()
    broken.write_bytes(b"{}")
    publish_install(bench.root, WRITER, INSTALL, time_text(bench.clock.utc))
    keys = (pack(bench, tmp_path / "bag") / "data/public-keys.txt").read_text()
    kinds = [line[:16].strip() for line in keys.splitlines()[1:]]
    assert kinds == ["officer", "witness", "workstation", "user", "asks for trust"]
    assert trusted.letters()[:9] in keys


def test_links_are_not_followed(log: Bench, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x")
    (log.root / "codes").mkdir()
    (log.root / "codes" / "A.txt").symlink_to(secret)
    assert "A.txt" not in {path.name for path in log_files(log.root)}


def test_a_workstation_that_takes_its_key_away_meanwhile_is_left_out(
    log: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_install(log.root, WRITER, INSTALL, time_text(log.clock.utc))
    monkeypatch.setattr(
        "napari_medlabel.audit.exports.bundle.read_introduction", lambda root, writer: None
    )
    keys = (pack(log, tmp_path / "bag") / "data/public-keys.txt").read_text()
    assert "asks for trust" not in keys
