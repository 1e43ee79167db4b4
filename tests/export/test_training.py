"""Training sets: nnU-Net and MONAI find the same voxels in the same place."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK

from napari_medlabel.errors import GeometryError, InputError, SaveError
from napari_medlabel.export import training
from napari_medlabel.export.datalist import save_datalist
from napari_medlabel.export.nnunet import check_nnunet, save_nnunet
from napari_medlabel.export.training import TrainingCase, consecutive
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.nifti.reading import load
from napari_medlabel.io.nifti.write import write_mask_nifti
from napari_medlabel.model.labelmap import LabelMap, LabelScheme
from napari_medlabel.model.volume import FurtherAxis, Source, Volume
from tests.export.leaving import ORGANS, organs, series

Cases = Callable[..., list[TrainingCase]]


@pytest.fixture
def cases(make_grid: Callable[..., Grid]) -> Cases:
    def make(count: int = 2, channels: int = 1) -> list[TrainingCase]:
        made = []
        for n in range(count):
            grid = make_grid(("LPS", "RAI", "PIR")[n % 3], (6, 5, 4))
            rng = np.random.default_rng(n)
            scans = tuple(
                Volume(
                    grid,
                    rng.integers(-900, 900, grid.shape[::-1], np.int16).T,
                    Source("nrrd", ()),
                    "CT",
                )
                for _ in range(channels)
            )
            made.append(TrainingCase(f"case{n}", scans, organs(grid, n)))
        return made

    return make


def test_nnunet_finds_channels_and_consecutive_labels_in_the_same_place(
    cases: Cases, tmp_path: Path
) -> None:
    given = cases(3, 2)
    given[2] = replace(given[2], is_test=True)
    folder = save_nnunet(
        tmp_path, 7, "Organs", iter(given), ORGANS, channel_names=("CT", "PET")
    )
    assert folder.name == "Dataset007_Organs"
    told = json.loads((folder / "dataset.json").read_bytes())
    assert told["channel_names"] == {"0": "CT", "1": "PET"}
    assert told["labels"] == {
        "background": 0,
        "Liver": 1,
        "Right kidney": 2,
        "Nothing there": 3,
    }
    assert (told["numTraining"], told["file_ending"]) == (2, ".nii.gz")
    names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*.nii.gz"))
    assert names == [
        *(f"imagesTr/case{n}_000{c}.nii.gz" for n in (0, 1) for c in (0, 1)),
        *(f"imagesTs/case2_000{c}.nii.gz" for c in (0, 1)),
        *(f"labelsTr/case{n}.nii.gz" for n in (0, 1)),
        "labelsTs/case2.nii.gz",
    ]
    for n, case in enumerate(given[:2]):
        image = nib.load(folder / f"imagesTr/case{n}_0001.nii.gz")
        mask = nib.load(folder / f"labelsTr/case{n}.nii.gz")
        assert np.array_equal(image.affine, mask.affine)
        assert np.array_equal(np.asarray(image.dataobj), case.channels[1].array)
        stored = np.asarray(mask.dataobj)
        for value, number in ((2, 1), (5, 2)):
            assert np.array_equal(stored == number, case.labels.array == value)
        theirs = SimpleITK.ReadImage(str(folder / f"labelsTr/case{n}.nii.gz"))
        scan = SimpleITK.ReadImage(str(folder / f"imagesTr/case{n}_0000.nii.gz"))
        assert np.array_equal(SimpleITK.GetArrayFromImage(theirs), stored.T)
        for what in ("GetOrigin", "GetSpacing", "GetDirection"):
            assert np.allclose(getattr(theirs, what)(), getattr(scan, what)())
    assert check_nnunet(folder) == ()


def test_unresolved_voxels_are_ignored_and_ignore_is_the_highest(
    cases: Cases, tmp_path: Path
) -> None:
    given = cases(2)
    unresolved = np.zeros(given[0].labels.grid.shape, bool)
    unresolved[1:3, 2, 1] = True
    given[0] = replace(given[0], unresolved=unresolved)
    folder = save_nnunet(tmp_path, 1, "Organs", given, ORGANS, channel_names=("CT",))
    assert json.loads((folder / "dataset.json").read_bytes())["labels"]["ignore"] == 4
    stored = np.asarray(nib.load(folder / "labelsTr/case0.nii.gz").dataobj)
    assert np.array_equal(stored == 4, unresolved)
    assert check_nnunet(folder) == ()
    with pytest.raises(InputError, match="no word for"):
        save_datalist(tmp_path / "m", "Organs", given, ORGANS, channel_names=("CT",))


def test_a_nifti_scans_own_header_and_a_dicom_scans_place_are_kept(
    make_grid: Callable[..., Grid], tmp_path: Path
) -> None:
    grid = make_grid("ASL", (6, 5, 4))
    path = tmp_path / "scan.nii.gz"
    write_mask_nifti(path, np.ones(grid.shape[::-1], np.uint8).T, None, False, grid.affine)
    scans = (load(path), series(tmp_path / "s", oblique=True))
    given = [TrainingCase(f"c{n}", (one,), organs(one.grid)) for n, one in enumerate(scans)]
    folder = save_nnunet(tmp_path, 1, "Organs", given, ORGANS, channel_names=("CT",))
    for n, one in enumerate(scans):
        for name in (f"imagesTr/c{n}_0000.nii.gz", f"labelsTr/c{n}.nii.gz"):
            assert np.allclose(
                nib.load(folder / name).affine, one.grid.affine.matrix, atol=1e-5
            )
    assert check_nnunet(folder) == ()


def test_a_datalist_names_files_from_its_own_folder(cases: Cases, tmp_path: Path) -> None:
    given = [replace(one, fold=n) for n, one in enumerate(cases(3))]
    given[2] = replace(given[2], is_test=True, labels=None)
    assert save_datalist(tmp_path / "m", "Organs", given, ORGANS, channel_names=("CT",)) == 3
    told = json.loads((tmp_path / "m" / "dataset.json").read_bytes())
    assert told["training"] == [
        {
            "image": f"./imagesTr/case{n}.nii.gz",
            "label": f"./labelsTr/case{n}.nii.gz",
            "fold": n,
        }
        for n in (0, 1)
    ]
    assert told["test"] == [{"image": "./imagesTs/case2.nii.gz"}]
    assert told["labels"]["2"] == "Right kidney"
    assert (told["numTraining"], told["numTest"]) == (2, 1)
    for entry in told["training"]:
        image, mask = (nib.load(tmp_path / "m" / entry[k]) for k in ("image", "label"))
        assert np.array_equal(image.affine, mask.affine)
    save_datalist(tmp_path / "n", "Organs", cases(1, 2), ORGANS, channel_names=("A", "B"))
    told = json.loads((tmp_path / "n" / "dataset.json").read_bytes())
    assert told["training"][0]["image"] == [
        "./imagesTr/case0_0000.nii.gz",
        "./imagesTr/case0_0001.nii.gz",
    ]


def test_cases_that_do_not_fit_are_refused_and_leave_nothing(
    cases: Cases, make_grid: Callable[..., Grid], tmp_path: Path
) -> None:
    one = cases(1)[0]
    scan, labels = one.channels[0], one.labels
    other = make_grid("RAS", (6, 5, 4))
    nan = replace(scan, array=np.full(scan.grid.shape, np.nan, np.float32))
    axis = FurtherAxis("time", "s", (0.0, 1.0), np.zeros((*scan.grid.shape, 2), np.int16))
    strange = LabelMap(labels.grid, labels.array + 1, ORGANS)
    for case, error, words in (
        (replace(one, channels=(scan, scan)), InputError, "has 2"),
        (replace(one, labels=None), InputError, "no mask"),
        (replace(one, labels=organs(other)), GeometryError, "mask does not lie"),
        (replace(one, name="a b"), InputError, "letters, digits"),
        (replace(one, channels=(nan,)), InputError, "no finite numbers"),
        (replace(one, channels=(replace(scan, further=axis),)), InputError, "several volumes"),
        (replace(one, labels=strange), InputError, "not in the scheme"),
        (replace(one, unresolved=np.zeros((1, 1, 1), bool)), InputError, "another shape"),
    ):
        with pytest.raises(error, match=words):
            save_nnunet(tmp_path, 1, "Organs", [case], ORGANS, channel_names=("CT",))
        with pytest.raises(error, match=words):
            save_datalist(tmp_path / "m", "Organs", [case], ORGANS, channel_names=("CT",))
    with pytest.raises(InputError, match="stands twice"):
        save_nnunet(tmp_path, 1, "Organs", [one, one], ORGANS, channel_names=("CT",))
    with pytest.raises(InputError, match="no training case"):
        save_nnunet(tmp_path, 1, "Organs", [], ORGANS, channel_names=("CT",))
    with pytest.raises(InputError, match="1 to 999"):
        save_nnunet(tmp_path, 0, "Organs", [one], ORGANS, channel_names=("CT",))
    assert [p for p in tmp_path.iterdir() if not p.name.startswith("own-")] == []


def test_words_with_a_meaning_are_no_labels() -> None:
    for name in ("background", "ignore"):
        taken = LabelScheme("x", (replace(ORGANS[2], name=name),))
        with pytest.raises(InputError, match="background or ignore"):
            consecutive(taken)
    with pytest.raises(InputError, match="no labels"):
        consecutive(LabelScheme("x", ()))


def test_an_existing_set_is_never_overwritten_and_a_wrong_file_never_published(
    cases: Cases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = cases(1)
    save_nnunet(tmp_path, 1, "Organs", given, ORGANS, channel_names=("CT",))
    with pytest.raises(SaveError, match="exists already"):
        save_nnunet(tmp_path, 1, "Organs", given, ORGANS, channel_names=("CT",))
    write = training.write_mask_nifti
    monkeypatch.setattr(
        training, "write_mask_nifti", lambda p, array, *rest: write(p, array * 0, *rest)
    )
    with pytest.raises(SaveError, match="did not read back"):
        save_nnunet(tmp_path, 2, "Organs", given, ORGANS, channel_names=("CT",))
    assert not (tmp_path / "Dataset002_Organs").exists()


def test_the_checks_of_nnunet_find_every_fault_it_would(cases: Cases, tmp_path: Path) -> None:
    """One fault after the other is put into a good set; each is told."""
    folder = save_nnunet(tmp_path, 1, "Organs", cases(2), ORGANS, channel_names=("CT",))
    description = folder / "dataset.json"
    good = description.read_text()

    def told(**changes: object) -> str:
        description.write_text(json.dumps(json.loads(good) | changes))
        return " ".join(check_nnunet(folder))

    assert told() == ""
    assert "3 training cases are promised, 2" in told(numTraining=3)
    assert "not consecutive" in told(labels={"background": 0, "a": 1, "b": 2, "c": 4})
    assert "background is not 0" in told(labels={"background": 1, "a": 0, "b": 2, "c": 3})
    low = {"background": 0, "ignore": 1, "b": 2, "c": 3}
    assert "ignore is not the highest" in told(labels=low)
    assert "holds 1 values that are no label" in told(labels={"background": 0, "a": 1})
    assert "regions" in told(labels={"background": 0, "a": [1, 2]})
    assert "1 channels instead of 2" in told(channel_names={"0": "CT", "1": "PET"})
    assert "not numbered" in told(channel_names={"1": "CT"})
    assert "are objects" in told(labels=[])
    description.write_text('{"labels": {}}')
    assert "lacks channel_names, numTraining, file_ending" in check_nnunet(folder)[0]
    description.write_text("[]")
    assert "no JSON object" in check_nnunet(folder)[0]
    description.write_text("{")
    assert "damaged" in check_nnunet(folder)[0]
    description.write_text(good)
    image = nib.load(folder / "imagesTr/case0_0000.nii.gz")
    voxels = np.asarray(image.dataobj).astype(np.float32)

    def with_mask(array: np.ndarray, affine: np.ndarray) -> str:
        nib.save(
            nib.Nifti1Image(array.astype(np.uint8), affine), folder / "labelsTr/case0.nii.gz"
        )
        return " ".join(check_nnunet(folder))

    moved, wide = image.affine.copy(), image.affine @ np.diag([2.0, 1, 1, 1])
    moved[0, 3] += 1
    assert "different places" in with_mask(voxels * 0, moved)
    assert "different spacings" in with_mask(voxels * 0, wide)
    assert "different shapes" in with_mask(voxels[1:] * 0, image.affine)
    voxels[0, 0, 0] = np.nan
    nib.save(nib.Nifti1Image(voxels, image.affine), folder / "imagesTr/case0_0000.nii.gz")
    assert "no finite numbers" in with_mask(np.zeros(voxels.shape), image.affine)
    (folder / "labelsTr/case0.nii.gz").write_bytes(b"no")
    assert "cannot be read" in " ".join(check_nnunet(folder))
    (folder / "labelsTr/case0.nii.gz").unlink()
    assert "Case 1 of 2: there is no mask." in check_nnunet(folder)
