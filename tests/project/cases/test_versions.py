"""Versions of a rater's work: whole, exact, never overwritten."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.errors import GeometryError, InputError, RefusedError, SaveError
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.model.landmarks import Landmark, LandmarkSet
from napari_medlabel.project.cases import versions
from napari_medlabel.project.cases.version import (
    ORIGINS,
    file_of,
    read_answers,
    read_labels,
    read_landmarks,
    read_provenance,
    read_version,
    whole_versions,
)
from napari_medlabel.project.cases.versions import Labelled, next_version, write_version
from napari_medlabel.project.layout import CaseId, Layout
from tests.project.small_study import (
    NOON,
    ONTOLOGY,
    PINS,
    add,
    labels_on,
    make_study,
    scan_of,
    submit,
)

CASE = CaseId("001")


@pytest.fixture
def study(tmp_path: Path) -> Layout:
    layout = make_study(tmp_path / "study")
    add(layout)
    return layout


def names(layout: Layout) -> list[str]:
    return sorted(path.name for path in layout.derivative("r02").rglob("*") if path.is_file())


def test_a_version_reads_back_in_all_its_parts(study: Layout) -> None:
    scan = scan_of(study, CASE)
    labels = labels_on(scan, 2)
    origin = labels.array.copy()
    marks = LandmarkSet((Landmark("Dome", (1.0, 2.5, -3.0)),))
    labelled = Labelled(labels, marks, {"q1": True}, origin)
    written = write_version(
        study, "r02", CASE, 1, labelled, scan=scan, ontology=ONTOLOGY, pins=PINS, time=NOON
    )
    found = read_version(study, "r02", CASE, 1)
    assert found == written
    assert found.pins == PINS
    assert found.content == labels.content_id()
    assert all(name.startswith("derivatives/medlabel-r02/sub-001/") for name in found.files)
    back = read_labels(study, found, scan.grid, ONTOLOGY.scheme())
    assert np.array_equal(back.array, labels.array)
    assert [mark.point_ras for mark in read_landmarks(study, found)] == [(1.0, 2.5, -3.0)]
    assert read_answers(study, found) == {"q1": True}
    assert np.array_equal(read_provenance(study, found, scan.grid), origin)


def test_a_foreign_reader_finds_the_mask_on_exactly_the_scans_grid(study: Layout) -> None:
    submit(study, CASE)
    scan = nib.load(study.scan(CASE))
    mask = nib.load(study.version("r02", CASE, 1, "dseg.nii.gz"))
    assert np.array_equal(mask.affine, scan.affine)
    assert mask.shape == scan.shape
    assert int(np.asarray(mask.dataobj).sum()) == 8


def test_what_was_not_made_is_not_there(study: Layout) -> None:
    found = submit(study, CASE)
    assert read_landmarks(study, found) is None
    assert read_answers(study, found) == {}
    assert read_provenance(study, found, scan_of(study, CASE).grid) is None
    assert len(found.files) == 1


def test_each_rater_has_a_data_set_of_their_own_that_says_what_it_is(study: Layout) -> None:
    submit(study, CASE)
    submit(study, CASE, "consensus")
    for rater in ("r02", "consensus"):
        folder = study.derivative(rater)
        document = json.loads((folder / "dataset_description.json").read_text())
        assert document["DatasetType"] == "derivative"
        assert (folder / "dseg.tsv").read_text().splitlines()[2].startswith("1\tLiver\tliver")
    sidecar = json.loads(study.version("r02", CASE, 1, "dseg.json").read_text())
    assert sidecar["Sources"] == ["bids:raw:sub-001/anat/sub-001_ct.nii.gz"]
    assert sidecar["study"]["ontology"] == PINS.ontology
    assert str(study.root) not in study.version("r02", CASE, 1, "dseg.json").read_text()


def test_the_label_table_follows_the_ontology_and_the_readme_is_the_raters(
    study: Layout,
) -> None:
    submit(study, CASE)
    folder = study.derivative("r02")
    (folder / "README.md").write_text("mine")
    (folder / "dseg.tsv").write_text("old")
    submit(study, CASE, number=2)
    assert (folder / "README.md").read_text() == "mine"
    assert "Liver" in (folder / "dseg.tsv").read_text()


def test_numbers_go_on_past_versions_that_were_never_whole(study: Layout) -> None:
    assert next_version(study, "r02", CASE) == 1
    submit(study, CASE)
    orphan = study.version("r02", CASE, 4, "dseg.nii.gz")
    orphan.write_bytes(b"")
    other = replace(CASE, suffix="T1w")
    study.version("r02", other, 9, "dseg.json").write_bytes(b"")
    assert next_version(study, "r02", CASE) == 5
    assert whole_versions(study, "r02", CASE) == (1,)
    assert next_version(study, "r03", CASE) == 1


def test_a_version_is_never_overwritten(study: Layout) -> None:
    submit(study, CASE)
    written = submit(study, CASE, number=2)
    before = {name: (study.root / name).read_bytes() for name in written.files}
    with pytest.raises(RefusedError, match="version 2 of this case by this rater already"):
        submit(study, CASE, number=2)
    assert {name: (study.root / name).read_bytes() for name in before} == before


def test_who_comes_second_in_the_same_moment_takes_nothing(
    study: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = versions._stage
    mask = study.version("r02", CASE, 1, "dseg.nii.gz")

    def late(*args: object) -> object:
        mask.write_bytes(b"the first")
        return real(*args)

    monkeypatch.setattr(versions, "_stage", late)
    with pytest.raises(RefusedError, match="never overwritten"):
        submit(study, CASE)
    assert mask.read_bytes() == b"the first"
    assert [name for name in names(study) if "_desc-" in name] == [mask.name]


def test_a_disk_that_fails_leaves_nothing_of_a_version(
    study: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "no space")

    monkeypatch.setattr(versions, "write_mask_nifti", full)
    with pytest.raises(SaveError, match="disk is full"):
        submit(study, CASE)
    assert not [name for name in names(study) if "sub-001" in name]


def test_a_mask_of_another_grid_or_scan_is_refused(study: Layout) -> None:
    scan = scan_of(study, CASE)
    shifted = scan.grid.affine.matrix.copy()
    shifted[0, 3] += 0.5
    grid = Grid(scan.grid.shape, Affine(shifted))
    labelled = Labelled(LabelMap.empty(grid, ONTOLOGY.scheme()))
    with pytest.raises(GeometryError, match="corners lie"):
        write_version(
            study, "r02", CASE, 1, labelled, scan=scan, ontology=ONTOLOGY, pins=PINS, time=NOON
        )
    other = add(study, "002", seed=2)
    with pytest.raises(InputError, match="not the study's scan of sub-001_ct"):
        write_version(
            study, "r02", CASE, 1, Labelled(labels_on(scan)),
            scan=scan_of(study, other), ontology=ONTOLOGY, pins=PINS, time=NOON,
        )  # fmt: skip


def test_values_and_origins_that_nobody_defined_are_refused(study: Layout) -> None:
    scan = scan_of(study, CASE)
    odd = labels_on(scan, 9)
    with pytest.raises(InputError, match="does not have: 9"):
        write_version(
            study, "r02", CASE, 1, Labelled(odd),
            scan=scan, ontology=ONTOLOGY, pins=PINS, time=NOON,
        )  # fmt: skip
    labelled = Labelled(
        labels_on(scan), provenance=np.full(scan.grid.shape, len(ORIGINS), np.uint8)
    )
    with pytest.raises(InputError, match="provenance map"):
        write_version(
            study, "r02", CASE, 1, labelled,
            scan=scan, ontology=ONTOLOGY, pins=PINS, time=NOON,
        )  # fmt: skip


def test_a_name_is_no_raters_code(study: Layout) -> None:
    with pytest.raises(InputError, match="by a code such as r01"):
        next_version(study, "Erika Muster", CASE)


def test_a_file_that_was_changed_is_not_read(study: Layout) -> None:
    found = submit(study, CASE)
    other = submit(study, CASE, number=2)
    mask = study.version("r02", CASE, 1, "dseg.nii.gz")
    mask.write_bytes(mask.read_bytes() + b"\0")
    grid = scan_of(study, CASE).grid
    with pytest.raises(InputError, match="not the one that was submitted"):
        read_labels(study, found, grid, ONTOLOGY.scheme())
    mask.unlink()
    with pytest.raises(InputError, match="not there as a whole"):
        read_labels(study, found, grid, ONTOLOGY.scheme())
    second = study.version("r02", CASE, 2, "dseg.json")
    second.rename(study.version("r02", CASE, 3, "dseg.json"))
    with pytest.raises(InputError, match="not there as a whole"):
        read_version(study, "r02", CASE, 3)
    assert other.number == 2


@given(
    st.builds(
        CaseId,
        st.from_regex(r"[A-Za-z0-9]{1,6}", fullmatch=True),
        st.sampled_from(["", "01", "b2"]),
        st.integers(0, 20),
        st.sampled_from(["ct", "T1w", "v1", "ctv001"]),
    ),
    st.integers(1, 2000),
    st.sampled_from(["dseg.nii.gz", "dseg.json", "prov.nii.gz", "answers.json"]),
)
@settings(max_examples=40)
def test_the_name_of_a_version_tells_case_number_and_kind(
    case: CaseId, number: int, kind: str
) -> None:
    path = Layout(Path("x")).version("r02", case, number, kind)
    assert file_of(path.name) == (str(case), number, kind)
