"""Masks as plain volumes, and the tables that belong to them."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.io.marks.reading import read_marks
from napari_medlabel.model.volume import Volume
from tests.io.marks_made import scan


def write(path: Path, array: np.ndarray, affine: np.ndarray, extension: bytes = b"") -> Path:
    image = nib.Nifti1Image(array, affine)
    if extension:
        image.header.extensions.append(nib.nifti1.Nifti1Extension(0, extension))
    nib.save(image, path)
    return path


def numbers(volume: Volume) -> np.ndarray:
    return np.random.default_rng(2).integers(0, 3, volume.grid.shape).astype(np.uint8)


@pytest.mark.parametrize("name", ["mask.nii.gz", "mask.nii"])
def test_a_mask_lies_on_its_scan(name: str, tmp_path: Path) -> None:
    volume = scan()
    array = numbers(volume)
    marks = read_marks(write(tmp_path / name, array, volume.grid.affine.matrix), volume)
    assert marks.kind == "NIfTI mask"
    assert np.array_equal(marks.labels[0].array, array)
    assert [one.name for one in marks.labels[0].scheme.labels] == ["Label 1", "Label 2"]
    assert marks.warnings == ()


def test_a_mask_whose_voxels_run_the_other_way_is_turned_without_resampling(
    tmp_path: Path,
) -> None:
    volume = scan()
    array = numbers(volume)
    turned = nib.as_closest_canonical(nib.Nifti1Image(array, volume.grid.affine.matrix))
    path = tmp_path / "mask.nii.gz"
    nib.save(turned, path)
    labels = read_marks(path, volume).labels[0]
    assert np.array_equal(labels.array, array)
    assert labels.grid is volume.grid


def test_a_mask_of_a_part_is_placed_and_that_is_said(tmp_path: Path) -> None:
    volume = scan()
    array = np.ones((3, 2, 2), np.uint8)
    move = np.eye(4)
    move[:3, 3] = (4, 3, 1)
    path = write(tmp_path / "mask.nii", array, volume.grid.affine.matrix @ move)
    marks = read_marks(path, volume)
    assert marks.labels[0].array[4:7, 3:5, 1:3].all()
    assert marks.labels[0].voxel_counts() == {1: 12}
    assert "covers a part" in marks.warnings[0]


def test_a_mask_of_another_grid_is_refused(tmp_path: Path) -> None:
    volume = scan()
    moved = np.array(volume.grid.affine.matrix)
    moved[0, 3] += 0.3
    path = write(tmp_path / "mask.nii", numbers(volume), moved)
    with pytest.raises(GeometryError, match="mask does not lie on this scan"):
        read_marks(path, volume)


def test_the_header_s_own_table_names_the_labels(tmp_path: Path) -> None:
    volume = scan()
    xml = b'<LabelTable><Label Key="1" Red="1" Green="0" Blue="0">spleen</Label></LabelTable>'
    path = write(tmp_path / "mask.nii.gz", numbers(volume), volume.grid.affine.matrix, xml)
    marks = read_marks(path, volume)
    assert marks.labels[0].scheme[1].name == "spleen"
    assert marks.labels[0].scheme[2].name == "Label 2"
    assert marks.warnings == ("1 label of the mask is not in its table.",)


def test_an_extension_that_is_no_table_is_passed_over(tmp_path: Path) -> None:
    volume = scan()
    path = write(
        tmp_path / "mask.nii", numbers(volume), volume.grid.affine.matrix, b"made by Invented"
    )
    assert read_marks(path, volume).labels[0].scheme[1].name == "Label 1"


@pytest.mark.parametrize(
    ("mask", "table", "text"),
    [
        ("mask.nii.gz", "mask.label", '1 255 0 0 1 1 1 "Kidney"\n2 0 255 0 1 1 1 "Tumour"'),
        ("mask.nii.gz", "mask.txt", '1 255 0 0 1 1 1 "Kidney"\n2 0 255 0 1 1 1 "Tumour"'),
        ("sub-1_dseg.nii.gz", "sub-1_dseg.tsv", "index\tname\n1\tKidney\n2\tTumour\n"),
        ("sub-1_dseg.nii.gz", "dseg.tsv", "index\tname\n1\tKidney\n2\tTumour\n"),
        ("mask.nii", "mask.ctbl", "1 Kidney 255 0 0 255\n2 Tumour 0 255 0 255\n"),
        (
            "mask.nii",
            "mask.json",
            json.dumps({"scheme": {"name": "S", "labels": [
                {"value": 1, "name": "Kidney", "colour": "#ff0000"},
                {"value": 2, "name": "Tumour", "colour": "#00ff00"},
            ]}}),
        ),
    ],
)  # fmt: skip
def test_a_table_beside_the_mask_names_the_labels(
    mask: str, table: str, text: str, tmp_path: Path
) -> None:
    volume = scan()
    path = write(tmp_path / mask, numbers(volume), volume.grid.affine.matrix)
    (tmp_path / table).write_text(text)
    scheme = read_marks(path, volume).labels[0].scheme
    assert [one.name for one in scheme.labels] == ["Kidney", "Tumour"]


def test_a_table_given_with_the_mask_comes_before_all_others(tmp_path: Path) -> None:
    volume = scan()
    path = write(tmp_path / "mask.nii", numbers(volume), volume.grid.affine.matrix)
    (tmp_path / "mask.label").write_text('1 255 0 0 1 1 1 "Beside"')
    table = tmp_path / "given.txt"
    table.write_text("1 Given 1 2 3 0\n")
    marks = read_marks([path, table], volume)
    assert marks.labels[0].scheme[1].name == "Given"


def test_a_damaged_table_of_the_mask_s_own_name_is_refused_a_foreign_text_passed_over(
    tmp_path: Path,
) -> None:
    volume = scan()
    path = write(tmp_path / "mask.nii", numbers(volume), volume.grid.affine.matrix)
    (tmp_path / "mask.txt").write_text("notes about the case")
    assert read_marks(path, volume).labels
    (tmp_path / "mask.label").write_text("nothing")
    with pytest.raises(InputError, match="no label table"):
        read_marks(path, volume)


def test_nrrd_and_metaimage_masks_are_read_too(tmp_path: Path) -> None:
    sitk = pytest.importorskip("SimpleITK")
    volume = scan("RAS")
    array = numbers(volume)
    image = sitk.GetImageFromArray(array.T)
    lps = Affine(volume.grid.affine.matrix).lps
    image.SetSpacing(volume.grid.affine.spacing_mm)
    image.SetDirection((lps[:3, :3] / volume.grid.affine.spacing_mm).ravel())
    image.SetOrigin(lps[:3, 3])
    for name, kind in (("mask.nrrd", "NRRD mask"), ("mask.mha", "MetaImage mask")):
        sitk.WriteImage(image, str(tmp_path / name))
        marks = read_marks(tmp_path / name, volume)
        assert marks.kind == kind
        assert np.array_equal(marks.labels[0].array, array)


def test_a_scan_is_no_mask(tmp_path: Path) -> None:
    volume = scan()
    array = np.linspace(-3, 3, volume.grid.size).reshape(volume.grid.shape)
    path = write(tmp_path / "mask.nii", array, volume.grid.affine.matrix)
    with pytest.raises(InputError, match="whole numbers"):
        read_marks(path, volume)
