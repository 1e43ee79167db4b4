"""A study whose labels overlap, from its beginning to a verified release, by commands alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from napari_medlabel.cli.main import main
from napari_medlabel.io.marks.reading import read_marks
from napari_medlabel.io.nifti.reading import load
from napari_medlabel.io.nifti.write import write_mask_nifti
from napari_medlabel.model.labelmap import Code
from napari_medlabel.project.layout import CaseId, Layout
from napari_medlabel.project.ontology.document import write_ontology
from napari_medlabel.project.ontology.labels import Coding, OntologyLabel
from tests.export.leaving import HEADER
from tests.io.scans import voxels, write_series
from tests.session.study.exporting.leaving_study import LABELS

LESION = OntologyLabel(
    "lesion",
    9,
    "Lesion",
    "#0072b2",
    Coding(
        Code("SCT", "49755003", "Morphologically Abnormal Structure"),
        Code("SCT", "52988006", "Lesion"),
    ),
    layer=1,
)
TWO = replace(LABELS, labels=(LABELS.labels[0], LESION), questions=(), boxes=(), templates=())
LIVER, LESION_A, LESION_B = np.s_[1:4, 1:4, 0:3], np.s_[1:3, 1:3, 0:2], np.s_[2:4, 1:3, 0:2]
BETTER = np.s_[1:4, 1:3, 0:2]
PEOPLE = {
    "r01": "annotator",
    "r02": "annotator",
    "r03": "reviewer",
    "r04": "reviewer",
}
CASE = "sub-001_ct"
HOLD_BOTH = ("nifti", "seg-nrrd", "coco", "csv", "dicom-seg", "rtstruct")
Run = Callable[..., str]


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Run a command as somebody on their own computer; return what it says."""

    def command(who: str, *words: object, code: int = 0) -> str:
        monkeypatch.setenv("MEDLABEL_STATE_DIR", str(tmp_path / f"pc-{who}"))
        found = main([str(word) for word in words])
        out, err = capsys.readouterr()
        assert found == code, out + err
        return out + err

    return command


def account(run: Run, computer: str, root: Path) -> str:
    """Return the token of whoever sits at a computer, as the program tells them."""
    said = run(computer, "project", "rater", root, "r01", "--me", code=3)
    return said.partition("token is ")[2].partition(".")[0]


def save(tmp: Path, layout: Layout, name: str, value: int, *places: tuple[slice, ...]) -> Path:
    grid = load(layout.scan(CaseId.parse(CASE))).grid
    array = np.zeros(grid.shape, np.uint8, order="F")
    for place in places:
        array[place] = value
    path = tmp / f"{name}.nii.gz"
    write_mask_nifti(path, array, None, False, grid.affine)
    return path


def test_two_layers_go_from_the_first_command_to_a_verified_release(  # noqa: PLR0915 - one story
    tmp_path: Path, run: Run
) -> None:
    root, key = tmp_path / "study", tmp_path / "key"
    layout = Layout(root)
    write_ontology(tmp_path / "ontology.json", TWO)
    write_series(tmp_path / "in", voxels(4), **HEADER)
    run("m1", "project", "init", root, "--name", "Two", "--readings", 2, "--rater", "m1",
        "--ontology", tmp_path / "ontology.json")  # fmt: skip
    for who, role in PEOPLE.items():
        token = account(run, who, root)
        run("m1", "project", "rater", root, who, "--user", token, "--roles", role)
    run("m1", "project", "rater", root, "m1", "--roles", "manager", "adjudicator", "releaser")
    run("m1", "project", "add", root, tmp_path / "in", "--key", key)

    # The truth of a case has a mask for each layer.
    liver = save(tmp_path, layout, "liver", 3, LIVER)
    first, second = (
        save(tmp_path, layout, name, 9, place)
        for name, place in (("a", LESION_A), ("b", LESION_B))
    )
    gold = ("m1", "project", "gold", root, "--add", CASE, "--mask", liver)
    assert "a mask for each layer of the ontology: 0, 1" in run(*gold, code=2)
    assert "on layer 1: 3" in run(*gold, "--layer", 1, liver, code=2)
    assert f"{CASE}: passed 0" in run(*gold, "--layer", 1, first)

    for who, lesion in (("r01", first), ("r02", second)):
        run(who, "project", "next", root, "--begin")
        run(who, "project", "import", root, CASE, liver, "--by-value")
        assert "Lesion is empty" in run(who, "project", "submit", root, CASE, code=3)
        run(who, "project", "import", root, CASE, lesion, "--by-value", "--layer", 1)
        run(who, "project", "submit", root, CASE)

    # A new computer: r01 stays r01, and judges nothing of their own with it.
    rater = ("m1", "project", "rater", root, "r01", "--user")
    old, new = account(run, "r01", root), account(run, "new", root)
    said = run(*rater, new, "--roles", "annotator", "reviewer", "adjudicator")
    assert "The account before stays r01's" in said
    assert "is, or was, rater r01's" in run(*rater[:4], "r09", "--user", old, code=3)
    assert "This account was rater r01's" in run("r01", "project", "next", root, code=3)
    review = ("project", "review", root, CASE, "--slot")
    assert "You made this reading" in run("new", *review, "A", "--begin", code=3)
    status = json.loads(run("m1", "project", "status", root, "--json"))["lines"]
    assert [one["rater"] for one in status] == ["r01", "r02"]

    told = json.loads(run("m1", "project", "gold", root, "--json"))["gold"]
    assert [(one["passed"], one["failed"], one["sound"]) for one in told] == [(1, 1, True)]
    run("m1", "project", "calibrate", root, "--begin", "--cases", CASE, "--raters", "r01",
        "r02")  # fmt: skip
    said = run("m1", "project", "calibrate", root)
    assert "r01: read 1 of 1, passed" in said
    assert "r02: read 1 of 1, not passed\n    sub-001_ct Lesion: Dice" in said

    # A correction of one layer leaves the other as it was submitted.
    better = save(tmp_path, layout, "better", 9, BETTER)
    run("r03", *review, "A", "--begin")
    run("r03", *review, "A", "--layer", 1, better, "--leave", code=2)
    assert (
        run("r03", *review, "A", "--correct", "--layer", 1, better) == f"{CASE} A: corrected\n"
    )
    run("r04", *review, "A", "--approve")
    run("r03", *review, "B", "--begin")
    run("r03", *review, "B", "--approve")

    found = json.loads(run("m1", "project", "agree", root, "--json"))
    dice = {row["name"]: row["figures"]["dice"]["mean"] for row in found["between_raters"]}
    assert dice == {"Liver": 1.0, "Lesion": pytest.approx(0.5)}
    stats = run("m1", "project", "consensus", root, CASE, "--layer", 1)
    assert "1 not decided." in stats
    run("m1", "project", "consensus", root, CASE, "--layer", 1, "--decide", "0=A")
    settle = ("project", "consensus", root, CASE, "--rule", "adjudicate")
    assert "You have read this case" in run("new", *settle, code=3)
    said = run("m1", *settle)
    assert "consensus version 1 of 2 readings" in said
    assert "0 errors" in run("m1", "project", "validate", root, code=4)

    out = tmp_path / "out"
    run("m1", "export", root, out, "--format", ",".join(HOLD_BOTH), "--reason", "PROTOCOL")
    run("m1", "export", root, tmp_path / "one", "--format", "nnunet,monai", "--layer", 1,
        "--reason", "PROTOCOL")  # fmt: skip
    scan = load(layout.scan(CaseId.parse(CASE)))
    wanted = {}
    for name, value, place in (("Liver", 3, LIVER), ("Lesion", 9, BETTER)):
        wanted[name] = np.zeros(scan.grid.shape, bool)
        wanted[name][place] = True
        layer = "l1" if value == 9 else ""
        (path,) = (out / "nifti").rglob(f"*_desc-ct{layer}_dseg.nii.gz")
        assert np.array_equal(np.asarray(nib.load(path).dataobj), wanted[name] * value)
    (path,) = (out / "dicom-seg").rglob("*.dcm")
    marks = read_marks(path, scan)
    arrays = [one.array != 0 for one in marks.labels]
    assert all(any(np.array_equal(a, w) for a in arrays) for w in wanted.values())

    run("m1", "project", "release", root, "first", "--to", tmp_path / "release", "--format",
        "dicom-seg", "rtstruct", "--unsigned", "--reason", "PROTOCOL")  # fmt: skip
    report = json.loads(
        run("m1", "verify", tmp_path / "release", "--study", root, "--json", code=4)
    )
    assert [one for one in report["findings"] if one["level"] == "error"] == []
    assert set(report["cases"][0]["links"].values()) <= {"green", "amber"}
    version = layout.version("consensus", CaseId.parse(CASE), 1, "l1dseg.nii.gz")
    version.chmod(0o600)
    version.write_bytes(better.read_bytes())
    assert "was changed after" in run("m1", "project", "validate", root, code=2)
