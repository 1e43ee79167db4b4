"""Volumes as NIfTI: where they lie, what they hold, and never over a file."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from napari_medlabel.errors import InputError, SaveError
from napari_medlabel.export.volume import (
    compare_with_file,
    pick_volume,
    require_new,
    save_volume,
)
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.nifti import write as nifti_write
from napari_medlabel.io.registry import read_volume
from napari_medlabel.model.volume import FurtherAxis, Source, Volume
from tests.io.scans import voxels, write_series

SHEARED = np.array(
    [[-0.8, 0, 0, 40.0], [0, -0.76, 0, 30], [0, -0.25, 2.5, -50], [0, 0, 0, 1.0]]
)
GRID = Grid((3, 4, 5), Affine(SHEARED))
SOURCE = Source("dicom", ())


def scan(dtype=np.int16, **more):
    array = np.arange(60, dtype=dtype).reshape(5, 4, 3).T
    return Volume(GRID, array, SOURCE, **more)


@pytest.mark.parametrize("name", ["a.nii.gz", "a.nii"])
@pytest.mark.parametrize(
    "dtype",
    [np.uint8, np.int8, np.int16, np.uint16, np.int32, np.uint32, np.float32],
)
def test_values_and_place_are_what_nibabel_reads(tmp_path, name, dtype):
    volume = scan(dtype)
    saved = save_volume(tmp_path / name, volume)
    image = nib.load(saved.path)
    np.testing.assert_array_equal(np.asanyarray(image.dataobj), volume.array)
    assert image.get_data_dtype() == np.dtype(dtype)
    np.testing.assert_allclose(image.affine, SHEARED, atol=1e-5)
    assert int(image.header["qform_code"]) == 0
    assert saved.bytes == saved.path.stat().st_size
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_several_volumes_and_one_of_them(tmp_path):
    first = scan().array
    four = np.stack([first, first + 100, first + 200], axis=-1)
    volume = scan(further=FurtherAxis("time", "s", (0.0, 2.0, 4.0), four))
    image = nib.load(save_volume(tmp_path / "all.nii.gz", volume).path)
    np.testing.assert_array_equal(np.asanyarray(image.dataobj), four)
    assert image.header.get_zooms()[3] == pytest.approx(2.0)
    image = nib.load(save_volume(tmp_path / "one.nii.gz", pick_volume(volume, 2)).path)
    np.testing.assert_array_equal(np.asanyarray(image.dataobj), first + 100)
    assert pick_volume(scan(), 1).array.shape == (3, 4, 5)
    with pytest.raises(InputError, match="There is no volume 4: the series has 3"):
        pick_volume(volume, 4)


def test_colours(tmp_path):
    colour = np.arange(180, dtype=np.uint8).reshape(3, 4, 5, 3)
    saved = save_volume(tmp_path / "rgb.nii.gz", scan(np.uint8, colour=colour))
    data = np.asanyarray(nib.load(saved.path).dataobj)
    rgb = np.stack([data[name] for name in "RGB"], axis=-1)
    np.testing.assert_array_equal(rgb, colour)


def test_a_header_made_from_dicom_names_nobody(tmp_path):
    write_series(
        tmp_path / "scan",
        voxels(3),
        SeriesDescription="INVENTED STUDY",
        StudyDescription="INVENTED",
    )
    path = save_volume(tmp_path / "a.nii", read_volume(tmp_path / "scan")).path
    header = nib.load(path).header
    for name in ("descrip", "aux_file", "intent_name", "db_name", "data_type"):
        assert bytes(header[name].item()).strip(b"\0") == b""
    assert len(header.extensions) == 0
    assert b"INVENTED" not in path.read_bytes().upper()


def test_nothing_is_overwritten_and_names_are_checked(tmp_path):
    taken = tmp_path / "a.nii.gz"
    taken.write_bytes(b"mine")
    with pytest.raises(SaveError, match="exists already"):
        save_volume(taken, scan())
    assert taken.read_bytes() == b"mine"
    (tmp_path / "link.nii").symlink_to(tmp_path / "nowhere")
    with pytest.raises(SaveError, match="exists already"):
        require_new(tmp_path / "link.nii")
    with pytest.raises(InputError, match="name given ends otherwise"):
        require_new(tmp_path / "a.mha")
    with pytest.raises(InputError, match="folder of the target does not exist"):
        require_new(tmp_path / "none" / "a.nii")


def test_what_does_not_read_back_never_takes_its_name(tmp_path, monkeypatch):
    def lie(path, volume):
        nifti_write.write_mask_nifti(
            path, np.zeros((3, 4, 5), np.uint8), None, False, GRID.affine
        )

    monkeypatch.setattr("napari_medlabel.export.volume.nifti_write.write_volume_nifti", lie)
    original = nifti_write.write_volume_nifti
    assert original is lie
    with pytest.raises(SaveError, match="did not read back as it was written: values differ"):
        save_volume(tmp_path / "a.nii.gz", scan())
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_another_place_is_another_file(tmp_path):
    path = save_volume(tmp_path / "a.nii.gz", scan()).path
    moved = SHEARED.copy()
    moved[0, 3] += 1
    other = Volume(Grid((3, 4, 5), Affine(moved)), scan().array, SOURCE)
    with pytest.raises(SaveError, match="corners lie up to 1 mm apart"):
        compare_with_file(path, other)
    path.write_bytes(b"x" * 400)
    with pytest.raises(SaveError, match="could not be read back"):
        compare_with_file(path, scan())
