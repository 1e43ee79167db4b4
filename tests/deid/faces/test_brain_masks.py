"""Masks of brains in a folder, matched by grid."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from napari_medlabel.deid.faces.brain_masks import NO_MASKS, read_masks
from napari_medlabel.deid.faces.doubt import Doubt, FaceUnsure
from napari_medlabel.errors import InputError
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.grid import Grid

AFFINE = np.diag([1.0, 2.0, 3.0, 1.0])
AFFINE[:3, 3] = (-5, 4, 9)
MASK = np.zeros((4, 5, 6), dtype=np.uint8)
MASK[1, 2, 3] = 7
GRID = Grid((4, 5, 6), Affine(AFFINE))


def saved(path: Path, array: np.ndarray = MASK, affine: np.ndarray = AFFINE) -> Path:
    nib.save(nib.Nifti1Image(array, affine), path)
    return path


def test_a_mask_is_found_by_its_grid_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "any").mkdir()
    saved(tmp_path / "any" / "name.nii.gz")
    saved(tmp_path / "b.nii", MASK[1:], AFFINE)
    found = read_masks(tmp_path).fitting(GRID)
    assert found is not None
    np.testing.assert_array_equal(found, MASK != 0)


def test_a_mask_stored_the_other_way_round_fits_too(tmp_path: Path) -> None:
    image = nib.Nifti1Image(MASK, AFFINE)
    nib.save(image.as_reoriented([[2, -1], [0, 1], [1, -1]]), tmp_path / "turned.nii.gz")
    found = read_masks(tmp_path).fitting(GRID)
    assert found is not None
    np.testing.assert_array_equal(found, MASK != 0)


def test_a_stripped_scan_is_a_mask(tmp_path: Path) -> None:
    stripped = np.where(MASK > 0, 0.5, np.nan).astype(np.float32)
    saved(tmp_path / "stripped.nii", stripped)
    found = read_masks(tmp_path).fitting(GRID)
    assert found is not None
    assert found.sum() == 1


@pytest.mark.parametrize("apart_mm", [0.005, 0.02])
def test_a_mask_a_hair_away_does_not_fit(tmp_path: Path, apart_mm: float) -> None:
    moved = AFFINE.copy()
    moved[0, 3] += apart_mm
    saved(tmp_path / "m.nii", MASK, moved)
    assert (read_masks(tmp_path).fitting(GRID) is not None) == (apart_mm < 0.01)


def test_without_a_folder_there_are_no_masks() -> None:
    assert read_masks(None) == NO_MASKS
    assert NO_MASKS.fitting(GRID) is None


def test_two_masks_on_one_grid_are_a_doubt(tmp_path: Path) -> None:
    saved(tmp_path / "a.nii")
    saved(tmp_path / "b.nii")
    with pytest.raises(FaceUnsure) as caught:
        read_masks(tmp_path).fitting(GRID)
    assert caught.value.doubt == Doubt.MASKS_DIFFER


def test_no_folder_and_an_empty_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none of that name"):
        read_masks(tmp_path / "missing")
    with pytest.raises(InputError, match="holds no NIfTI file"):
        read_masks(tmp_path)


def test_a_file_that_is_no_mask_is_refused_by_its_number(tmp_path: Path) -> None:
    saved(tmp_path / "a.nii")
    (tmp_path / "b.nii").write_bytes(b"no image")
    with pytest.raises(InputError, match="Mask 2 of 2 is not"):
        read_masks(tmp_path)
    saved(tmp_path / "b.nii", np.zeros((4, 5, 6, 2), dtype=np.uint8))
    with pytest.raises(InputError, match="Mask 2 of 2 is not"):
        read_masks(tmp_path)
