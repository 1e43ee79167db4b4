"""Voxels that a consensus left without an answer are told by a release, and counted."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel.io.nifti.reading import load, read_labels_nifti
from napari_medlabel.io.nifti.write import write_mask_nifti
from napari_medlabel.project.release.chain import CHAIN, parse_chain
from napari_medlabel.project.release.facts_read import read_facts
from napari_medlabel.project.release.making import Making
from napari_medlabel.project.release.manifest import (
    MANIFEST,
    make_manifest,
    read_manifest,
    write_manifest,
)
from napari_medlabel.session.study.agreeing import reach
from napari_medlabel.session.study.exporting.wish import ExportWish
from napari_medlabel.session.study.release_check import check_release
from napari_medlabel.session.study.release_page import page_of
from napari_medlabel.session.study.release_papers import Telling
from napari_medlabel.session.study.releasing import Released, ReleaseWish, make_release
from napari_medlabel.session.study.reviewing import approve, begin_review
from napari_medlabel.session.study.submitting import submit
from napari_medlabel.session.study.working import start
from tests.session.study.release_study import add_as_cleaned
from tests.session.study.small_study import SmallStudy, make_study

BOTH = np.s_[3:4, 2:4, 1:3]
"""Where one reader saw a liver and the other a spleen: 4 voxels."""
CASE = "sub-001_ct"


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> SmallStudy:
    made = make_study(tmp_path_factory.mktemp("unresolved"), cases=2)
    for number, case in enumerate(made.cases):
        add_as_cleaned(made, case)
        for code, slot in (("r01", "A"), ("r02", "B")):
            start(made.seat(code), case, slot)
            work = made.work(1, number=number)
            if code == "r02" and number == 0:
                work.labelled.labels.array[BOTH] = 2
                work = replace(work, notes=replace(work.notes, absent=frozenset()))
            submit(made.seat(code), case, slot, made.scan(number), work)
            begin_review(made.seat("r04"), case, slot)
            approve(made.seat("r04"), case, slot)
    reach(made.seat("m1"), made.cases[0], "union", made.scan(0))
    reach(made.seat("m1"), made.cases[1], "intersection", made.scan(1))
    return made


@pytest.fixture(scope="module")
def done(study) -> Released:
    asked = ReleaseWish(
        "2026-11",
        study.tmp / "2026-11",
        Telling(shares=None),
        ExportWish(("nifti", "nnunet", "csv")),
        "PROTOCOL",
    )
    return make_release(study.seat("m1"), asked)


@pytest.fixture
def copy(done, tmp_path) -> Path:
    folder = tmp_path / "copy"
    shutil.copytree(done.folder, folder)
    for path in folder.rglob("*"):
        if path.is_file():
            path.chmod(0o644)
    return folder


def rules(folder: Path, study: SmallStudy | None = None) -> set[tuple[str, str, str]]:
    """Return what a forger could not make good: not of receipt, signature and log."""
    found = check_release(folder, layout=study and study.layout).findings
    kept = {"receipt", "unsigned", "kept", "log"}
    return {(one.level, one.rule, one.where) for one in found if one.rule not in kept}


def resign(folder: Path) -> None:
    before = read_manifest(folder)
    (folder / MANIFEST).unlink()
    told = {"name": before.name, "made": before.made, "pins": before.pins}
    write_manifest(folder, make_manifest(folder, heads=before.heads, **told))


def test_the_mask_of_voxels_without_an_answer_leaves_with_the_labels(study, done):
    chain = parse_chain((done.folder / CHAIN).read_bytes())
    first, second = chain.cases
    assert (first.unresolved_voxels, second.unresolved_voxels) == (4, 0)
    assert first.files["unresolved"].endswith("sub-001_desc-ctv001unresolved_mask.nii.gz")
    assert "unresolved" not in second.files
    array, grid = read_labels_nifti(done.folder / first.files["unresolved"])
    labels, own = read_labels_nifti(done.folder / first.files["mask"])
    wanted = np.zeros(array.shape, np.uint8)
    wanted[BOTH] = 1
    assert np.array_equal(array, wanted)
    assert np.array_equal(grid.affine.matrix, own.affine.matrix)
    assert not labels[BOTH].any()
    assert rules(done.folder, study) == set()
    report = check_release(done.folder)
    assert report.unresolved == "4 voxels of 1 case have no answer"
    assert report.unresolved.encode() in page_of(report, "Fine.")


def test_sidecar_facts_and_documents_tell_how_many_and_by_which_rule(done):
    folder = done.folder
    facts = read_facts((folder / "facts.json").read_bytes(), {})
    assert facts.making == Making(
        {"intersection": 1, "union": 1}, {"2": 2}, unresolved={CASE: 4}, settled={"rule": 2}
    )
    (sidecar,) = folder.glob("derivatives/*/sub-001/anat/*_dseg.json")
    assert json.loads(sidecar.read_bytes())["unresolved"]["voxels"] == {"unresolved": 4}
    machine = json.loads((folder / "croissant.json").read_bytes())
    texts = [(folder / name).read_text() for name in ("DATASHEET.md", "CLAIM.md")]
    for text in (*texts, machine["rai:dataAnnotationProtocol"]):
        assert "intersection of readings 1; union of readings 1." in text
        assert "4 voxels of 1 scan have no answer" in text
        assert "adjudicat" not in text


def test_further_formats_say_the_same_of_them_as_the_release(done):
    tables = [path.read_text() for path in done.folder.glob("exports/csv/*.csv")]
    assert any("unresolved_voxels" in one for one in tables)
    (path,) = done.folder.glob("exports/nnunet/**/labelsTr/*sub-001*")
    array, _ = read_labels_nifti(path)
    ignored = array == array.max()  # nnU-Net: the highest value is left out of the loss
    assert ignored[BOTH].all()
    assert ignored.sum() == 4


def test_voxels_without_an_answer_that_no_mask_tells_are_amber(copy):
    chain = parse_chain((copy / CHAIN).read_bytes())
    first, second = chain.cases
    (copy / first.files["unresolved"]).unlink()
    files = {kind: path for kind, path in first.files.items() if kind != "unresolved"}
    cases = (replace(first, files=files), second)
    (copy / CHAIN).write_bytes(replace(chain, cases=cases).to_bytes())
    resign(copy)
    assert rules(copy) == {("warning", "agreed", CASE)}


def test_a_changed_mask_of_voxels_without_an_answer_is_found_even_when_it_is_signed(copy):
    name = parse_chain((copy / CHAIN).read_bytes()).cases[0].files["unresolved"]
    affine = load(copy / name).grid.affine
    (copy / name).unlink()
    write_mask_nifti(copy / name, np.zeros((10, 8, 6), np.uint8), None, False, affine)
    assert ("error", "changed", name) in rules(copy)
    resign(copy)
    assert rules(copy) == {("error", "file", CASE)}


def test_a_chain_that_tells_of_none_is_found_with_the_study(copy, study):
    chain = parse_chain((copy / CHAIN).read_bytes())
    first, second = chain.cases
    (copy / first.files["unresolved"]).unlink()
    files = {kind: path for kind, path in first.files.items() if kind != "unresolved"}
    cases = (replace(first, files=files, unresolved={}), second)
    (copy / CHAIN).write_bytes(replace(chain, cases=cases).to_bytes())
    resign(copy)
    assert rules(copy) == {("error", "facts", "facts.json")}
    assert ("error", "agreed", CASE) in rules(copy, study)
