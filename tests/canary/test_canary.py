"""No identity in any byte that is written: every feature and every fault, then a search."""

from __future__ import annotations

import base64
import gzip
import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel.cli.main import main
from napari_medlabel.errors import MedlabelError
from napari_medlabel.secret import passphrase
from napari_medlabel.session.desk import open_desk
from napari_medlabel.session.opening import Wishes, open_case
from napari_medlabel.session.saving import save
from tests.canary.marks import Study, make_study
from tests.canary.traces import traces

STUDIES = int(os.environ.get("MEDLABEL_CANARIES", "1"))


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own for all that a run may write; keys under passphrases open at once."""
    monkeypatch.setattr(passphrase, "MEMORY_KIB", 64)
    monkeypatch.setattr(passphrase, "ITERATIONS", 1)
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "TMPDIR"):
        folder = tmp_path / "world" / name.lower()
        folder.mkdir(parents=True)
        monkeypatch.setenv(name, str(folder))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setenv("MEDLABEL_AUDIT_DIR", str(tmp_path / "world" / "audit"))
    monkeypatch.setenv("MEDLABEL_STATE_DIR", str(tmp_path / "world" / "state"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "world" / "data"))
    return tmp_path / "world"


@pytest.fixture
def say(world: Path, capfd: pytest.CaptureFixture[str]) -> Callable[..., int]:
    """Run a command and keep what it said among the files that are searched."""
    count = iter(range(10_000))

    def run(*arguments: object) -> int:
        code = main([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        (world / f"said-{next(count)}.txt").write_text(out + err)
        return code

    return run


def annotate(study: Study, out: Path) -> None:
    """Open a study as the window does, paint, place, save twice, and crash once."""
    with_log = open_desk()
    series = next(
        path for path in study.folder.iterdir() if path.is_dir() and path.name != "broken"
    )
    try:
        session = open_case([series], with_log, Wishes(folder=out), fallback=out)
        box = (slice(2, 6), slice(2, 6), slice(0, 2))
        session.edit(box, np.ones((4, 4, 2), np.uint8), name="Brush")
        session.place_landmark(session.landmarks.landmarks[0].name, (1.0, 2.0, 3.0))
        save(session)
        session.labels.array[8, 8, 1] = 1  # past the session, as from a console
        save(session)
        session.edit(box, np.full((4, 4, 2), 2, np.uint8), name="Brush")
        session.keeper.sweep()
    finally:
        with_log.log.close()


def refused(study: Study) -> list[str]:
    """Open what cannot be opened; return the words."""
    said = []
    desk = open_desk()
    try:
        for path in sorted((study.folder / "broken").iterdir()):
            try:
                open_case([path], desk, Wishes(), fallback=path.parent)
            except MedlabelError as err:
                said.append(f"{err.message} {err.hint} {err!r}")
    finally:
        desk.log.close()
    return said


def commands(study: Study, out: Path, key: Path, say: Callable[..., int]) -> dict[str, int]:
    """Run every command on a study that can run on it; return what each exited with."""
    nifti = next(study.folder.glob("*.nii.gz"))
    series = next(
        path for path in study.folder.iterdir() if path.is_dir() and path.name != "broken"
    )
    return {
        "info": say("info", study.folder),
        "info json": say("info", study.folder, "--json"),
        "info broken": say("info", study.folder / "broken"),
        "info missing": say("info", study.folder / "not-there"),
        "convert": say("convert", series, out / "converted.nii.gz"),
        "convert again": say("convert", series, out / "converted.nii.gz"),
        "convert nifti": say("convert", nifti, out / "plain.nii.gz"),
        "deid": say("deid", study.folder, out / "clean", "--key", key),
        "deid dry": say("deid", study.folder, out / "not-made", "--key", key, "--dry-run"),
        "deid again": say("deid", study.folder, out / "clean", "--key", key),
        "scan": say("scan", out / "clean"),
    }


def looks_at_the_log(
    study: Study, out: Path, say: Callable[..., int], root: Path, pipe: Callable[[str], None]
) -> None:
    """Run every command about the log and about what it says of this study."""
    mask = out / "case" / "mask.nii.gz"
    for arguments in (
        ("audit", "verify", root),
        ("audit", "verify", root, "--json", "--objects"),
        ("audit", "show", root),
        ("audit", "show", root, "--json"),
        ("audit", "demo", root),
        ("audit", "report", root, "-o", out / "report.html"),
        ("audit", "report", root, "-o", out / "report.html"),
        ("audit", "code", root),
        ("audit", "receipt", out / "converted.nii.gz.audit_receipt.json", root),
        ("mask", "history", mask),
        ("mask", "history", mask, "--json"),
        ("mask", "restore", mask, "--version", "1", "--reason", "CORRECTION"),
        ("mask", "restore", mask, "--version", "99", "--reason", "CORRECTION"),
        ("sign", "verify", mask),
        *(
            ("audit", "export", root, "-o", out / f"log.{kind}", "--format", kind)
            for kind in ("bundle", "csv", "fhir", "dicom", "ocsf", "art30")
        ),
    ):
        assert say(*arguments) in {0, 2, 4}, arguments
    pipe(study.patient_id)
    assert say("audit", "who", root) in {0, 4}
    pipe(study.patient_id)
    assert say("audit", "who", root, "--json") in {0, 4}


def as_an_officer(
    say: Callable[..., int], world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Make keys, a site, a witness; sign nothing yet."""
    words = world / "passphrase"
    words.write_text("correct horse battery\n")
    words.chmod(0o600)
    monkeypatch.setenv("MEDLABEL_INSTALL_PASSPHRASE_FILE", str(words))
    secret = ("--passphrase-file", words)
    assert say("audit", "key", "create", *secret) == 0
    writer = (world / "state" / "writer").read_text().strip()
    assert say("audit", "site", "init", "ward-3", *secret) == 0
    say("audit", "site", "trust", writer, "--code", "WRONG-CODE", *secret)
    key = world / "witness.pem"
    assert say("audit", "witness", "--name", "share", "--new-key", "--key", key) == 0
    assert say("audit", "witness", "--name", "share", "--key", key) == 0
    assert say("audit", "site", "show") == 0


@pytest.mark.slow
@pytest.mark.timeout(0 if STUDIES > 20 else 180)
def test_no_identity_is_in_any_byte_that_is_written(
    tmp_path: Path, world: Path, say: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    scans = tmp_path / "scans"
    studies = [make_study(scans, seed) for seed in range(STUDIES)]
    as_an_officer(say, world, monkeypatch)

    def pipe(text: str) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(text + "\n"))

    for number, study in enumerate(studies):
        out = world / f"out-{number}"
        out.mkdir()
        annotate(study, out / "case")
        (world / f"refused-{number}.txt").write_text("\n".join(refused(study)))
        codes = commands(study, out, world / "project.key", say)
        assert codes["convert"] == codes["info"] == 0, codes
        assert codes["info missing"] == codes["convert again"] == 2, codes
        looks_at_the_log(study, out, say, world / "audit", pipe)
    # Faults: a log that cannot be written, a target that cannot, a scan that goes away.
    (world / "no-folder").write_text("")
    monkeypatch.setenv("MEDLABEL_AUDIT_DIR", str(world / "no-folder" / "audit"))
    monkeypatch.setenv("MEDLABEL_STATE_DIR", str(world / "no-folder" / "state"))
    assert commands(studies[0], world / "no-folder", world / "other.key", say)["convert"] != 0
    marks = frozenset().union(*(study.marks for study in studies))
    assert traces(scans, marks) != []  # the search does find them where they are
    assert traces(tmp_path, marks, but=[scans]) == []


def _zipped(mark: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inside.txt", mark * 9)
    return stream.getvalue()


@pytest.mark.parametrize(
    "hide",
    [
        lambda mark: mark.encode(),
        lambda mark: mark.lower().encode(),
        lambda mark: mark.encode("utf-16-le"),
        lambda mark: mark.encode().hex().encode(),
        lambda mark: gzip.compress(b"x" * 99 + mark.encode()),
        lambda mark: base64.b64encode(
            bytes(400) + gzip.compress(mark.encode())[:0] + mark.encode()
        ),
        lambda mark: base64.b64encode(gzip.compress(os.urandom(400) + mark.encode())),
        _zipped,
    ],
    ids=["plain", "lower", "utf-16", "hex", "gzip", "base64", "base64-gzip", "zip"],
)
def test_the_search_finds_a_mark_however_it_is_packed(
    tmp_path: Path, hide: Callable[[str], bytes]
) -> None:
    (tmp_path / "file").write_bytes(hide("QZJXKVWBP"))
    assert traces(tmp_path, ["QZJXKVWBP"]) == ["content file"]
    assert traces(tmp_path, ["QZJXKVWBX"]) == []


def test_the_search_finds_a_mark_in_a_name(tmp_path: Path) -> None:
    (tmp_path / "a-qzjxkvwbp").mkdir()
    assert traces(tmp_path, ["QZJXKVWBP"]) == ["name a-qzjxkvwbp"]
