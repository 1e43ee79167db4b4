"""Validation: each thing that can be wrong with a study is found and named; nothing else is."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel.audit.writer.place import default_state
from napari_medlabel.errors import InputError
from napari_medlabel.io.files import sha256_file
from napari_medlabel.io.nifti.write import write_mask_nifti
from napari_medlabel.project.cases.participants import to_tsv
from napari_medlabel.project.cases.record import read_record
from napari_medlabel.project.checks.logbook import Told, check_log
from napari_medlabel.project.checks.validate import StudyReport, validate
from napari_medlabel.project.layout import CaseId, Layout
from napari_medlabel.project.ontology.document import write_ontology
from napari_medlabel.session.desk import open_desk
from tests.project.small_study import ONTOLOGY, PINS, add, make_study, scan_of, submit

ONE, TWO = CaseId("001"), CaseId("002")
AT_MASK = "derivatives/medlabel-r02/sub-001/anat/sub-001_desc-ctv001_dseg"
UNLOGGED = {"not in the log", "orphan", "rules", "log"}


@pytest.fixture
def study(tmp_path: Path) -> Layout:
    layout = make_study(tmp_path / "study")
    add(layout, "001", seed=1)
    add(layout, "002", seed=2)
    submit(layout, ONE)
    return layout


def found(layout: Layout) -> set[tuple[str, str]]:
    """Return rules and places of what was found, the missing log left out."""
    report = validate(layout)
    return {(one.rule, one.where) for one in report.findings if one.rule not in UNLOGGED}


def sidecar(layout: Layout, change: Callable[[dict], object]) -> None:
    path = layout.root / f"{AT_MASK}.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def record(layout: Layout, case: CaseId, **changes: object) -> None:
    path = layout.case_file(case)
    path.write_bytes(replace(read_record(path), **changes).to_bytes())


def split(layout: Layout, one: str, other: str) -> None:
    rows = {"001": {"split": one}, "002": {"split": other}}
    layout.participants.write_bytes(to_tsv(rows))


def repaint(layout: Layout, value: int) -> None:
    """Write another mask and let the sidecar tell its bytes."""

    scan = scan_of(layout, ONE)
    path = layout.root / f"{AT_MASK}.nii.gz"
    path.unlink()
    array = np.full(scan.grid.shape[::-1], value, np.uint8).T
    write_mask_nifti(path, array, scan.source.header, False, scan.grid.affine)
    name = f"{AT_MASK}.nii.gz"
    sidecar(layout, lambda d: d["study"]["files"].update({name: f"sha256:{sha256_file(path)}"}))


def shift(layout: Layout) -> None:
    """Put the mask of case 1 onto another grid, with a sidecar that agrees."""
    from napari_medlabel.geometry.affine import Affine

    scan = scan_of(layout, ONE)
    path = layout.root / f"{AT_MASK}.nii.gz"
    path.unlink()
    moved = scan.grid.affine.matrix.copy()
    moved[2, 3] += 1
    array = np.zeros(scan.grid.shape[::-1], np.uint8).T
    write_mask_nifti(path, array, None, False, Affine(moved))
    name = f"{AT_MASK}.nii.gz"
    sidecar(layout, lambda d: d["study"]["files"].update({name: f"sha256:{sha256_file(path)}"}))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


SCAN1, SCAN2 = "sub-001/anat/sub-001_ct.nii.gz", "sub-002/anat/sub-002_ct.nii.gz"
FAULTS: dict[str, tuple[Callable[[Layout], object], set[tuple[str, str]]]] = {
    "nothing": (lambda s: None, set()),
    "a scan is missing": (
        lambda s: s.scan(TWO).unlink(),
        {("missing", SCAN2)},
    ),
    "a scan has changed": (
        lambda s: shutil.copyfile(s.scan(ONE), s.scan(TWO)),
        {("hash", SCAN2)},
    ),
    "a sidecar says more than adding writes": (
        lambda s: s.scan(TWO).with_name("sub-002_ct.json").write_text('{"Comment": "Muster"}'),
        {("sidecar", "sub-002/anat/sub-002_ct.json")},
    ),
    "a sidecar was changed": (
        lambda s: (record(s, TWO, sidecar=f"sha256:{'1' * 64}"),
                   s.scan(TWO).with_name("sub-002_ct.json").write_text("{}")),
        {("sidecar", "sub-002/anat/sub-002_ct.json")},
    ),
    "a scan is cut off": (
        lambda s: s.scan(TWO).write_bytes(b"\x1f\x8b"),
        {("hash", SCAN2), ("unreadable", SCAN2)},
    ),
    "a record tells of another grid": (
        lambda s: record(s, TWO, spacing_mm=(1.0, 1.0, 1.0)),
        {("geometry", SCAN2)},
    ),
    "a record is damaged": (
        lambda s: cut(s.case_file(TWO)) or s.case_file(TWO).write_text("{"),
        {("record", "medlabel/cases/sub-002_ct.json"), ("stranger", SCAN2),
         ("participants", "participants.tsv")},
    ),
    "a record lies under another name": (
        lambda s: shutil.copyfile(s.case_file(TWO), s.cases / "sub-003_ct.json"),
        {("record", "medlabel/cases/sub-003_ct.json")},
    ),
    "a scan came in past adding": (
        lambda s: shutil.copyfile(s.scan(ONE), s.scan(ONE).with_name("sub-001_pet.nii.gz")),
        {("stranger", "sub-001/anat/sub-001_pet.nii.gz")},
    ),
    "the report of the de-identification is gone": (
        lambda s: record(s, TWO, manifest=f"sha256:{'1' * 64}"),
        {("manifest", SCAN2)},
    ),
    "two cases have the same voxels": (
        lambda s: record(s, TWO, pixels=read_record(s.case_file(ONE)).pixels),
        {("duplicate", "sub-002_ct")},
    ),
    "one patient in two codes": (
        lambda s: record(s, TWO, subject=read_record(s.case_file(ONE)).subject),
        {("two codes", "sub-002")},
    ),
    "one patient in two codes, by the link": (
        lambda s: record(s, ONE, link="L") or record(s, TWO, link="L"),
        {("two codes", "sub-002")},
    ),
    "one patient in two splits": (
        lambda s: (record(s, TWO, subject=read_record(s.case_file(ONE)).subject),
                   split(s, "train", "test")),
        {("two codes", "sub-002"), ("split leak", "participants.tsv")},
    ),
    "one scan in two splits": (
        lambda s: (record(s, TWO, pixels=read_record(s.case_file(ONE)).pixels),
                   split(s, "train", "test")),
        {("duplicate", "sub-002_ct"), ("split leak", "participants.tsv")},
    ),
    "two patients in two splits": (lambda s: split(s, "train", "test"), set()),
    "a patient without a split": (
        lambda s: split(s, "train", "n/a"),
        {("split", "participants.tsv")},
    ),
    "a patient without a line": (
        lambda s: s.participants.write_bytes(to_tsv({"001": {}, "009": {}})),
        {("participants", "participants.tsv")},
    ),
    "participants.tsv is none": (
        lambda s: s.participants.write_text("Erika Muster\n"),
        {("participants", "participants.tsv")},
    ),
    "a mask has changed": (
        lambda s: cut(s.root / f"{AT_MASK}.nii.gz"),
        {("hash", f"{AT_MASK}.nii.gz")},
    ),
    "a mask is missing": (
        lambda s: (s.root / f"{AT_MASK}.nii.gz").unlink(),
        {("missing", f"{AT_MASK}.nii.gz"), ("files", f"{AT_MASK}.json")},
    ),
    "a version without a sidecar": (
        lambda s: (s.root / f"{AT_MASK}.json").unlink(),
        {("unfinished", f"{AT_MASK}.json")},
    ),
    "a sidecar of another version": (
        lambda s: sidecar(s, lambda d: d["study"].update(version=2)),
        {("sidecar", f"{AT_MASK}.json")},
    ),
    "a file more than the sidecar tells of": (
        lambda s: s.version("r02", ONE, 1, "answers.json").write_text("{}"),
        {("files", f"{AT_MASK}.json")},
    ),
    "a version of a case that is not there": (
        lambda s: (s.case_file(ONE).unlink(), s.scan(ONE).unlink()),
        {("case", f"{AT_MASK}.json"), ("participants", "participants.tsv")},
    ),
    "another mask than the sidecar tells of": (
        lambda s: repaint(s, 1),
        {("content", f"{AT_MASK}.nii.gz")},
    ),
    "values that nobody defined": (
        lambda s: repaint(s, 7),
        {("content", f"{AT_MASK}.nii.gz"), ("scheme", f"{AT_MASK}.nii.gz")},
    ),
    "a mask on another grid": (shift, {("geometry", f"{AT_MASK}.nii.gz")}),
    "a label that is not in the ontology any more": (
        lambda s: write_ontology(s.ontology, replace(ONTOLOGY, labels=ONTOLOGY.labels[1:])),
        {("scheme", f"{AT_MASK}.nii.gz")},
    ),
    "a data set of nobody": (
        lambda s: submit(s, ONE, "r09"),
        {("rater", "derivatives/medlabel-r09")},
    ),
    "a file that is called otherwise": (
        lambda s: (s.derivative("r02") / "Muster Erika.nii.gz").write_bytes(b""),
        {("name", "derivatives/medlabel-r02/(...)")},
    ),
    "a file in the root": (
        lambda s: (s.root / "Muster Erika 1952.docx").write_bytes(b""),
        {("name", "")},
    ),
    "a file beside a scan": (
        lambda s: (s.scan(ONE).parent / "MUSTER.nii.gz").write_bytes(b""),
        {("name", "sub-001/anat"), ("stranger", "sub-001/anat/(...)")},
    ),
    "a copy of a synchronising client": (
        lambda s: (s.own / "project (Erika Muster's conflicted copy).json").write_text("{}"),
        {("conflicted copy", "medlabel")},
    ),
    "a second download beside the guidelines": (
        lambda s: (s.guidelines.parent / "guidelines (1).md").write_text("# Old"),
        {("conflicted copy", "medlabel/guidelines")},
    ),
    "guidelines that show what is not there": (
        lambda s: s.guidelines.write_text("![](muster.png)"),
        {("guidelines", "medlabel/guidelines/guidelines.md")},
    ),
    "no guidelines": (
        lambda s: s.guidelines.unlink(),
        {("guidelines", "medlabel/guidelines/guidelines.md")},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_exactly_what_is_wrong_is_found_and_no_stranger_is_named(
    study: Layout, name: str
) -> None:
    do, expected = FAULTS[name]
    do(study)
    assert found(study) == expected
    told = json.dumps(validate(study).to_json())
    assert "uster" not in told
    assert "MUSTER" not in told
    assert str(study.root) not in told


def test_open_work_and_hidden_files_are_nobodys_business(study: Layout) -> None:
    work = study.work("r02", ONE)
    work.mkdir()
    (work / "mask.nii.gz").write_bytes(b"")
    (study.root / ".git").mkdir()
    (study.originals / "anything").mkdir(parents=True)
    assert found(study) == set()


def test_without_a_log_a_study_is_in_error(study: Layout) -> None:
    report = validate(study)
    assert report.log is None
    assert report.exit_code == 2
    assert {one.rule for one in report.findings} == UNLOGGED
    assert (report.cases, report.versions) == (2, 1)


def test_the_log_is_held_against_cases_and_versions(study: Layout) -> None:
    records = [read_record(path) for path in sorted(study.cases.iterdir())]
    desk = open_desk(study.audit)
    for one in records:
        detail = {"case": one.content, "slots": 1}
        desk.log.append("study.case", subject=(one.subject,), detail=detail)
    told = {"setting": "project", "new": f"sha256:{sha256_file(study.project)}"}
    desk.log.append("study.rules", detail=told)
    desk.log.close()
    report = validate(study, state=default_state())
    rules = {(one.level, one.rule) for one in report.findings}
    assert rules == {("warning", "orphan"), ("warning", "rules")}
    assert report.exit_code == 4
    study.case_file(TWO).unlink()
    study.scan(TWO).unlink()
    report = validate(study, state=default_state())
    assert ("error", "lost") in {(one.level, one.rule) for one in report.findings}
    assert report.exit_code == 2


def test_a_red_log_is_worse_than_any_error(study: Layout) -> None:
    desk = open_desk(study.audit)
    desk.log.append("study.case", detail={"case": PINS.ontology, "slots": 1})
    desk.log.close()
    path = next(study.audit.glob("writers/**/*.jsonl"))
    path.write_bytes(path.read_bytes().replace(b'"slots":1', b'"slots":2'))
    study.scan(ONE).unlink()
    report = validate(study, state=default_state())
    assert report.errors
    assert report.exit_code == 5


def test_a_submitted_version_that_is_gone_is_an_error(study: Layout) -> None:
    told = Told()
    told.take("", 1, {
        "event": "review.submit", "detail": {"slot": "A"},
        "object": [{"id": PINS.ontology, "role": "new"}],
    })  # fmt: skip
    findings = list(check_log(told, [], {}, {}))
    assert [(one.level, one.rule) for one in findings] == [("error", "lost")]


def test_a_report_without_findings_and_a_green_log_is_in_order() -> None:
    class Green:
        class verdict:  # noqa: N801 - stands for an attribute
            exit_code = 0
            value = "green"

    assert StudyReport((), Green(), 1, 1).exit_code == 0  # type: ignore[arg-type]


def test_what_is_no_study_cannot_be_validated(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"project\.json cannot be read"):
        validate(Layout(tmp_path))
