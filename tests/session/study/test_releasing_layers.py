"""Labels that overlap are reviewed, corrected, released and verified, every mask of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from napari_medlabel.audit.check.verdict import Verdict
from napari_medlabel.errors import RefusedError
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.project.cases.versions import Sheet
from napari_medlabel.session.study.agreeing import reach
from napari_medlabel.session.study.correcting import correct
from napari_medlabel.session.study.readings import masks_of, ready_readings
from napari_medlabel.session.study.release_check import check_release
from napari_medlabel.session.study.reviewing import begin_review
from napari_medlabel.session.study.seat import look
from napari_medlabel.session.study.submitted import submitted_work
from tests.session.study.layered_study import (
    LESION_A,
    LESION_B,
    LIVER_A,
    LIVER_B,
    TWO,
    is_just,
    read_layered,
)
from tests.session.study.release_study import add_as_cleaned, release
from tests.session.study.small_study import SmallStudy, make_study

CORRECTED = np.s_[2:5, 2:4, 1:3]


@pytest.fixture
def study(tmp_path: Path) -> Iterator[SmallStudy]:
    made = make_study(tmp_path, cases=1, ontology=TWO)
    add_as_cleaned(made, made.cases[0])
    read_layered(made, "r01", "A", LIVER_A, LESION_A)
    read_layered(made, "r02", "B", LIVER_B, LESION_B)
    yield made
    made.close()


def test_a_correction_of_one_layer_counts_and_a_release_has_every_mask(study) -> None:
    case, scan, seat = study.cases[0], study.scan(), study.seat("r04")
    begin_review(seat, case, "A")
    work = submitted_work(seat, case, "A", scan.grid)
    with pytest.raises(RefusedError, match="it is what was submitted"):
        correct(seat, case, "A", scan, work)
    lesion = LabelMap.empty(scan.grid, TWO.scheme(1))
    lesion.array[CORRECTED] = 7
    better = replace(work, sheets={1: Sheet(lesion)})
    now = correct(seat, case, "A", scan, better)
    assert now.state == "corrected"
    assert correct(seat, case, "A", scan, better) == now
    with pytest.raises(RefusedError):  # another one is not taken for the same
        correct(seat, case, "A", scan, work)
    readings = ready_readings(
        study.seat("m1"), look(study.seat("m1"), case, "A").row, scan.grid
    )
    assert is_just(readings[0].labels, 1, LIVER_A)
    assert is_just(readings[0].on(1).labels, 7, CORRECTED)
    done = reach(study.seat("m1"), case, "intersection", scan)
    masks = masks_of(study.layout, done.version, scan.grid)
    assert is_just(masks[0], 1, LIVER_A)
    assert is_just(masks[1], 7, LESION_B)
    made = release(study)
    found = check_release(made.folder, layout=study.layout, state=study.tmp / "pc-m1")
    assert [one for one in found.findings if one.level == "error"] == []
    assert found.verdict is not Verdict.RED
    (path,) = made.folder.rglob("*_l1dseg.nii.gz")
    assert np.array_equal(np.asarray(nib.load(path).dataobj), masks[1].array)
    assert "Lesion" in next(made.folder.glob("derivatives/*/dseg.tsv")).read_text()
    path.chmod(0o644)
    image = nib.load(path)
    swapped = np.asarray(image.dataobj).copy()
    swapped[0, 0, 0] = 7
    nib.save(nib.Nifti1Image(swapped, image.affine, image.header), path)
    words = [one.words for one in check_release(made.folder).findings]
    assert any("The mask is not the one that its chain ends in" in one for one in words)
