"""ANALYZE 7.5: values and sizes are read, sides are never claimed."""

from __future__ import annotations

import struct

import nibabel as nib
import numpy as np
import pytest

from napari_medlabel.errors import InputError
from napari_medlabel.io.nifti import reading as nifti
from napari_medlabel.io.registry import read_mask

ARRAY = np.arange(120, dtype=np.int16).reshape(4, 5, 6)


def saved(folder, array=ARRAY, kind=nib.AnalyzeImage, order="<", **changes):
    header = kind.header_class(endianness=order)
    header.set_data_dtype(array.dtype)
    out = kind(array, np.diag([2.0, 3.0, 4.0, 1.0]), header)
    nib.save(out, folder / "a.img")
    data = bytearray((folder / "a.hdr").read_bytes())
    for name, (offset, form, *values) in changes.items():
        assert name
        struct.pack_into(order + form, data, offset, *values)
    (folder / "a.hdr").write_bytes(data)
    return folder / "a.img"


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("dtype", ["u1", "i2", "i4", "f4", "f8", "c8"])
def test_values_and_sizes_are_read_and_sides_left_open(tmp_path, order, dtype):
    array = ARRAY.astype(dtype)
    volume = nifti.load(saved(tmp_path, array, order=order))
    np.testing.assert_array_equal(volume.array, np.abs(array))
    assert volume.grid.affine.spacing_mm == (2, 3, 4)
    assert not volume.is_oriented
    assert volume.source.format == "analyze"
    assert [file.name for file in volume.source.files] == ["a.hdr", "a.img"]
    assert any("ANALYZE" in text for text in volume.warnings)
    assert "Orientation unknown: left and right cannot be told." in volume.warnings


def test_what_spm_wrote_is_said(tmp_path):
    path = saved(tmp_path, slope=(112, "f", 0.5), origin=(253, "5h", 3, 2, 1, 0, 0))
    volume = nifti.load(path)
    np.testing.assert_array_equal(volume.array, ARRAY * 0.5)
    assert any("origin that SPM wrote" in text for text in volume.warnings)
    assert any("scale factor that SPM wrote" in text for text in volume.warnings)


def test_its_mask_lies_on_it_and_claims_no_side_either(tmp_path):
    volume = nifti.load(saved(tmp_path))
    mask = (ARRAY % 4).astype(np.uint8)
    source = volume.source
    nifti.write_mask_nifti(
        tmp_path / "m.nii.gz", mask, source.header, source.big_endian, volume.grid.affine
    )
    np.testing.assert_array_equal(read_mask(tmp_path / "m.nii.gz", volume.grid), mask)
    header = nib.load(tmp_path / "m.nii.gz").header
    assert (int(header["sform_code"]), int(header["qform_code"])) == (0, 0)


def test_several_volumes_are_only_counted(tmp_path):
    array = np.stack([ARRAY, ARRAY + 1], axis=-1)
    volume = nifti.load(saved(tmp_path, array))
    assert volume.further.name == "volume"
    np.testing.assert_array_equal(volume.further.array, array)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ((70, "2h", 128, 24), "holds colours"),
        ((70, "2h", 1, 1), "data type is not one"),
        ((70, "2h", 2, 16), "bits per voxel disagree"),
        ((40, "h", 0), "number of dimensions is not one of 1 to 7"),
        ((42, "h", -4), "size zero or less"),
        ((42, "h", 30000), "cannot hold as many voxels"),
        ((80, "f", 0.0), "no lengths"),
        ((80, "f", float("nan")), "no lengths"),
        ((108, "f", -3.0), "begin outside of the file"),
        ((108, "f", 1e5), "cannot hold as many voxels"),
        ((0, "i", 999), "not the bytes of one"),
    ],
)
def test_a_header_that_lies_is_refused(tmp_path, change, message):
    with pytest.raises(InputError, match=message) as caught:
        nifti.load(saved(tmp_path, change=change))
    assert caught.value.hint


def test_another_unit_is_doubted(tmp_path):
    volume = nifti.load(saved(tmp_path, units=(56, "4s", b"inch")))
    assert any("unit of length is unknown" in text for text in volume.warnings)
