"""``medlabel demo``: the main job, from the outside."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest

from napari_medlabel import samples
from napari_medlabel.audit.anchors.receipt import check_receipt, read_receipt
from napari_medlabel.cli.main import main

pytestmark = pytest.mark.xdist_group("demo")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    out = tmp_path_factory.mktemp("demo")
    patch = pytest.MonkeyPatch()
    patch.setenv("MEDLABEL_STATE_DIR", str(out / "elsewhere"))
    written: list[str] = []
    patch.setattr(
        "builtins.print",
        lambda *a, file=None, **_: written.append(str(a[0])) if file is None else None,
    )
    try:
        assert main(["demo", "--out", str(out), "--json"]) == 0
    finally:
        patch.undo()
    assert len(written) == 1, "one JSON document and nothing else"
    return out / "run-001", json.loads(written[0])


@pytest.mark.slow
def test_organs_are_found(run: tuple[Path, dict]) -> None:
    _, facts = run
    assert len(facts["organs"]) == 7
    for organ in facts["organs"]:
        assert organ["dice"] > 0.9, organ["name"]
    for mark in facts["landmarks"]:
        assert mark["from_truth_mm"] < 6, mark["name"]
    assert facts["audit"]["verdict"] == "green"


@pytest.mark.slow
def test_the_mask_lies_on_the_de_identified_scan(run: tuple[Path, dict]) -> None:
    folder, _ = run
    mask = nib.load(folder / "export" / "labels" / "mask.nii.gz")
    files = list((folder / "export" / "scan").rglob("*.dcm"))
    slices = [pydicom.dcmread(f, stop_before_pixels=True) for f in files]
    assert mask.shape == (512, 512, len(slices))
    first = min(slices, key=lambda ds: ds.ImagePositionPatient[2])
    lps = np.array(first.ImagePositionPatient, float)
    assert np.allclose(mask.affine[:3, 3], lps * [-1, -1, 1], atol=1e-4)
    assert {ds.PatientIdentityRemoved for ds in slices} == {"YES"}


@pytest.mark.slow
def test_no_planted_identity_is_in_any_byte_that_left(run: tuple[Path, dict]) -> None:
    folder, _ = run
    rows = json.loads((samples.folder() / "identities.json").read_text(encoding="utf-8"))
    planted = {
        row["value"]
        for row in (rows if isinstance(rows, list) else rows["identities"])
        if row["file"].startswith("ct_abdomen/") and row["kind"] not in ("pixels", "date")
        # Six digits occur by chance in digests and clocks of the log.
        if len(row["value"]) > (7 if row["value"].isdigit() else 5)
    }
    assert len(planted) > 50
    leaving = [p for part in ("export", "audit", "case") for p in (folder / part).rglob("*")]
    for path in leaving:
        data = path.read_bytes() if path.is_file() else b""
        haystack = data + str(path.relative_to(folder)).encode()
        for value in planted:
            assert value.encode("latin-1", "ignore") not in haystack, path.suffix
            assert value.encode("utf-8") not in haystack, path.suffix


@pytest.mark.slow
def test_both_data_sets_that_left_carry_true_receipts(run: tuple[Path, dict]) -> None:
    folder, _ = run
    for part in ("scan", "labels"):
        data = folder / "export" / part
        receipt = read_receipt((data / "audit_receipt.json").read_bytes())
        assert check_receipt(receipt, folder / "audit", [data]) == []


def test_damaged_samples_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(samples, "damaged", lambda: ("ct_abdomen/x.dcm",))
    assert main(["demo", "--out", str(tmp_path)]) == 2
    assert "1 sample files are not as they were made" in capsys.readouterr().err


@pytest.mark.slow
def test_the_verifier_of_the_bundle_finds_nothing_altered(
    run: tuple[Path, dict], tmp_path: Path
) -> None:
    folder, _ = run
    bundle = tmp_path / "bundle"
    asked = ["audit", "export", str(folder / "audit"), "-o", str(bundle), "--format", "bundle"]
    assert main(asked) in {0, 4}
    done = subprocess.run(
        [sys.executable, "-I", "verify.py"],
        cwd=bundle,
        capture_output=True,
        text=True,
        check=False,
    )
    # Amber: nobody has confirmed the officer's key to whoever received the bundle.
    assert done.returncode == 4, done.stdout
    assert "red" not in done.stdout
