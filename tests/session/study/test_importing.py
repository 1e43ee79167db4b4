"""Imports into one's own open reading: in the ontology's words, on its grid, or refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_medlabel.errors import GeometryError, InputError, RefusedError
from napari_medlabel.export.coco import ANNOTATIONS, SliceCase, save_coco
from napari_medlabel.export.seg_nrrd import save_seg_nrrd
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.io.nifti.write import write_mask_nifti
from napari_medlabel.model.labelmap import Code, Label, LabelMap, LabelScheme
from napari_medlabel.session.study import working
from napari_medlabel.session.study.importing import Imported, import_marks
from napari_medlabel.session.study.submitting import open_work
from tests.session.study.exporting.leaving_study import LABELS
from tests.session.study.small_study import SmallStudy, add_plain_case, make_study

PLACE = Affine(np.diag([2.0, 2.0, 3.0, 1.0]))
LIVER = Code("SCT", "10200004", "Liver")
SPLEEN = Code("SCT", "78961009", "Spleen")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallStudy]:
    found = make_study(tmp_path_factory.mktemp("in"), cases=1, ontology=LABELS)
    working.start(found.seat("r01"), found.cases[0], "A")
    yield found
    found.close()


def array(value: int, shape: tuple[int, int, int] = (10, 8, 6)) -> np.ndarray:
    found = np.zeros(shape[::-1], np.uint8).T
    found[1:3, 2:5, 1:3] = value
    return found


def plain(path: Path, value: int, place: Affine = PLACE) -> Path:
    write_mask_nifti(path, array(value), None, False, place)
    return path


def named(study: SmallStudy, path: Path, *labels: Label) -> Path:
    """Write a segmentation whose segments are called so."""
    values = array(labels[0].value)
    for n, label in enumerate(labels):
        values[5 + n, 5, 5] = label.value
    grid = study.scan().grid
    save_seg_nrrd(path, (LabelMap(grid, values, LabelScheme("Theirs", labels)),))
    return path


def take(study: SmallStudy, file: Path, **wishes: Any) -> Imported:
    return import_marks(study.seat("r01"), study.cases[0], "A", file, **wishes)


def work(study: SmallStudy) -> np.ndarray:
    return open_work(study.layout, "r01", study.cases[0], study.scan()).labelled.labels.array


def test_labels_are_known_by_name_or_by_code_whatever_their_numbers(
    study: SmallStudy, tmp_path: Path
) -> None:
    theirs = Label(9, "Milz", "#112233", SPLEEN), Label(4, "LIVER", "#445566")
    done = take(study, named(study, tmp_path / "a.seg.nrrd", *theirs), replaces=True)
    assert set(done.labels) == {"Spleen", "Liver"}
    assert work(study)[1, 2, 1] == 7
    assert work(study)[6, 5, 5] == 3
    assert done.voxels == 12 + 2


STRANGE = {
    "another word": (Label(9, "Lesion", "#112233"),),
    "a name and another's code": (Label(9, "Spleen", "#112233", LIVER),),
    "a code that says nothing": (Label(9, "x", "#112233", Code("SCT", "85756007", "Tissue")),),
}


@pytest.mark.parametrize("why", STRANGE)
def test_labels_that_are_none_of_the_ontologys_are_listed_and_refused(
    study: SmallStudy, tmp_path: Path, why: str
) -> None:
    good = Label(2, "Liver", "#445566", LIVER)
    file = named(study, tmp_path / "a.seg.nrrd", *STRANGE[why], good)
    with pytest.raises(InputError, match=r"1 of 2 labels .* number") as caught:
        take(study, file, replaces=True)
    assert not any(label.name in caught.value.message for label in STRANGE[why])


def test_numbers_without_names_mean_something_only_when_somebody_says_so(
    study: SmallStudy, tmp_path: Path
) -> None:
    file = plain(tmp_path / "a.nii.gz", 7)
    with pytest.raises(InputError, match="number 7") as caught:
        take(study, file, replaces=True)
    assert "--by-value" in caught.value.hint
    assert take(study, file, by_value=True, replaces=True).labels == ("Spleen",)
    with pytest.raises(InputError, match="number 5"):
        take(study, plain(tmp_path / "b.nii.gz", 5), by_value=True, replaces=True)


def test_a_mask_that_does_not_lie_on_the_scan_is_refused_and_changes_nothing(
    study: SmallStudy, tmp_path: Path
) -> None:
    take(study, plain(tmp_path / "first.nii.gz", 7), by_value=True, replaces=True)
    before = work(study).copy()
    beside = Affine(np.array(PLACE.matrix) + np.diag([0.0, 0, 0, 0]) + np.eye(4, k=3) * 7)
    with pytest.raises(GeometryError):
        take(study, plain(tmp_path / "a.nii.gz", 3, beside), by_value=True, replaces=True)
    assert np.array_equal(work(study), before)


def test_somebody_elses_reading_is_not_read_before_ones_own_is_submitted(
    study: SmallStudy, tmp_path: Path
) -> None:
    folder = study.layout.derivative("r02") / "sub-001" / "anat"
    folder.mkdir(parents=True)
    theirs = plain(folder / "sub-001_desc-ctv001_dseg.nii.gz", 3)
    with pytest.raises(RefusedError, match="blind"):
        take(study, theirs, by_value=True, replaces=True)
    theirs.unlink()  # a file of the same bytes would be refused as a copy of it


def test_only_ones_own_open_reading_takes_an_import(study: SmallStudy, tmp_path: Path) -> None:
    file = plain(tmp_path / "a.nii.gz", 3)
    with pytest.raises(RefusedError, match="in progress was expected"):
        import_marks(study.seat("r01"), study.cases[0], "B", file, by_value=True)
    with pytest.raises(RefusedError, match="somebody else"):
        import_marks(study.seat("r02"), study.cases[0], "A", file, by_value=True)


def test_what_was_imported_counts_as_what_a_tool_suggested(
    study: SmallStudy, tmp_path: Path
) -> None:
    take(study, plain(tmp_path / "a.nii.gz", 3), by_value=True, replaces=True)
    found = open_work(study.layout, "r01", study.cases[0], study.scan()).labelled.provenance
    assert found is not None
    assert set(np.unique(found[work(study) > 0])) == {2}


def test_masks_of_another_case_come_in_when_it_is_named_alone(
    study: SmallStudy, tmp_path: Path
) -> None:
    own, other = str(study.cases[0]), "sub-999_scan"
    scheme = LabelScheme(
        "Theirs", (Label(1, "Liver", "#445566"), Label(2, "Spleen", "#112233"))
    )
    cases = [
        SliceCase(name, (LabelMap(study.scan().grid, array(value), scheme),))
        for name, value in ((own, 1), (other, 2))
    ]
    save_coco(tmp_path / "both", cases, time=datetime(2026, 11, 23, tzinfo=UTC))
    save_coco(tmp_path / "other", cases[1:], time=datetime(2026, 11, 23, tzinfo=UTC))
    both, alone = (tmp_path / one / ANNOTATIONS for one in ("both", "other"))
    assert take(study, both, replaces=True).labels == ("Liver",)
    with pytest.raises(InputError, match="None of the 1 cases"):
        take(study, alone, replaces=True)
    done = take(study, alone, replaces=True, from_case=other)
    assert (done.labels, done.warnings) == (("Spleen",), ())


def test_a_file_that_is_called_as_another_case_is_a_doubt(
    study: SmallStudy, tmp_path: Path
) -> None:
    add_plain_case(study.layout, 7)
    other = sorted(path.stem for path in study.layout.cases.glob("*.json"))[-1]
    assert other != str(study.cases[0])
    done = take(
        study, plain(tmp_path / f"{other}_dseg.nii.gz", 3), by_value=True, replaces=True
    )
    assert "called as another case" in done.warnings[0]
    own = plain(tmp_path / f"{study.cases[0]}_dseg.nii.gz", 3)
    assert take(study, own, by_value=True, replaces=True).warnings == ()
