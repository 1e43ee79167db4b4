"""Labels that overlap leave in every format that can hold them; others refuse in words."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest

from napari_medlabel.export.nnunet import check_nnunet
from napari_medlabel.io.marks.reading import read_marks
from napari_medlabel.session.study.agreeing import reach
from napari_medlabel.session.study.exporting import planning
from napari_medlabel.session.study.exporting.leaving import write_export
from napari_medlabel.session.study.exporting.plan import GatesError
from napari_medlabel.session.study.exporting.planning import plan_export
from napari_medlabel.session.study.exporting.wish import ExportWish
from tests.session.study.layered_study import (
    LESION_A,
    LESION_B,
    LIVER_A,
    LIVER_B,
    make_layered,
)
from tests.session.study.small_study import SmallStudy

pytestmark = pytest.mark.usefixtures("green")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallStudy]:
    made = make_layered(tmp_path_factory.mktemp("layers"))
    reach(made.seat("m1"), made.cases[0], "union", made.scan())
    yield made
    made.close()


@pytest.fixture
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let cases leave that needed no de-identification."""
    monkeypatch.setattr(planning, "judge_origin", lambda *_: ())


def filled(shape: tuple[int, ...], value: int, *places: tuple[slice, ...]) -> np.ndarray:
    out = np.zeros(shape, np.uint8)
    for place in places:
        out[place] = value
    return out


@pytest.mark.usefixtures("_plain")
def test_all_formats_that_hold_overlapping_labels_have_every_voxel(study, tmp_path) -> None:
    seat, scan = study.seat("m1"), study.scan()
    formats = ("nifti", "seg-nrrd", "coco", "csv", "nnunet", "monai")
    wish = ExportWish(formats, by_rater=True, layer=1)
    write_export(seat, plan_export(seat, wish), tmp_path / "out")
    shape = scan.grid.shape
    liver = filled(shape, 1, LIVER_A, LIVER_B)
    lesion = filled(shape, 7, LESION_A, LESION_B)
    root = tmp_path / "out"
    for end, wanted in (
        ("desc-ct_dseg", liver),
        ("desc-ctl1_dseg", lesion),
        ("desc-ctr01_dseg", filled(shape, 1, LIVER_A)),
        ("desc-ctr02l1_dseg", filled(shape, 7, LESION_B)),
    ):
        (path,) = (root / "nifti").rglob(f"*_{end}.nii.gz")
        assert np.array_equal(np.asarray(nib.load(path).dataobj), wanted), end
        table = path.with_name(path.name.replace(".nii.gz", ".tsv")).read_text()
        assert ("Lesion" in table, "Liver" in table) == (wanted.max() == 7, wanted.max() == 1)
    (share,) = (root / "nifti").rglob("*_label-L7_*_probseg.nii.gz")
    shares = np.asarray(nib.load(share).dataobj)
    assert (shares[3:4, 2:4, 1:3] == 1).all()
    assert (shares[2:3, 2:4, 1:3] == 0.5).all()
    (unequal,) = (root / "nifti").rglob("*l1disagreement_map.nii.gz")
    assert np.count_nonzero(np.asarray(nib.load(unequal).dataobj)) == 8
    (path,) = (root / "seg-nrrd").glob("*.seg.nrrd")
    found = read_marks(path, scan)
    arrays = [one.array for one in found.labels]
    assert all(any(np.array_equal(a != 0, w != 0) for a in arrays) for w in (liver, lesion))
    (path,) = (root / "coco").glob("*.json")
    areas: dict[int, float] = {}
    for row in json.loads(path.read_text())["annotations"]:
        areas[row["category_id"]] = areas.get(row["category_id"], 0) + row["area"]
    assert areas == {1: 12, 7: 12}
    rows = list(csv.DictReader((root / "csv" / "volumes.csv").read_text().splitlines()))
    voxels = {(row["rater"], row["name"]): row["voxels"] for row in rows}
    assert voxels["r01", "Lesion"] == "8"
    assert voxels["r02", "Liver"] == "12"
    (path,) = (root / "nnunet").glob("Dataset*")
    assert check_nnunet(path) == ()
    (mask,) = (path / "labelsTr").iterdir()
    assert np.array_equal(np.asarray(nib.load(mask).dataobj) == 1, lesion == 7)
    described = json.loads((root / "export.json").read_text())
    assert (described["layer"], set(described["cases"][0]["sheets"])) == (1, {"1"})


@pytest.mark.usefixtures("_plain")
def test_formats_of_one_label_for_each_voxel_ask_for_a_layer(study, tmp_path) -> None:
    seat = study.seat("m1")
    wish = ExportWish(("nnunet", "monai"))
    with pytest.raises(GatesError, match="choose one with --layer") as caught:
        write_export(seat, plan_export(seat, wish), tmp_path / "out")
    assert {one.format for one in caught.value.findings} == {"nnunet", "monai"}
    plan = plan_export(seat, replace(wish, layer=3))
    with pytest.raises(GatesError, match="no labels on layer 3; it has: 0, 1"):
        write_export(seat, plan, tmp_path / "out")
    assert not (tmp_path / "out").exists()
