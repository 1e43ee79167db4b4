"""NIfTI of every kind: colours, complex numbers, times, pairs, wide numbers, odd scalings."""

from __future__ import annotations

import struct

import nibabel as nib
import numpy as np
import pytest

from napari_medlabel.errors import InputError
from napari_medlabel.io.nifti import reading as nifti
from napari_medlabel.io.registry import read_mask

SHAPE = (4, 5, 6)
AFFINE = np.diag([2.0, 3.0, 4.0, 1.0])


def numbers(dtype, *shape):
    return np.arange(np.prod(shape)).reshape(shape).astype(dtype)


def saved(path, array, kind=nib.Nifti1Image, unit="unknown", order="<", **fields):
    header = kind.header_class(endianness=order)
    header.set_data_dtype(array.dtype)
    out = kind(array, AFFINE, header)
    out.header.set_xyzt_units("mm", unit)
    for name, value in fields.items():
        out.header[name] = value
    nib.save(out, path)
    return path


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".img", ".img.gz"])
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(
    "dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8", "c8", "c16"]
)
def test_every_type_and_byte_order_is_read(tmp_path, suffix, order, dtype):
    array = numbers(dtype, *SHAPE) + (1j if dtype[0] == "c" else 0)
    array = array.astype(dtype)
    kind = nib.Nifti1Pair if ".img" in suffix else nib.Nifti1Image
    path = saved(tmp_path / f"a{suffix}", array, kind, order=order)
    volume = nifti.load(path)
    assert volume.array.dtype.isnative
    expected = np.abs(array).astype("f4") if dtype[0] == "c" else array
    np.testing.assert_array_equal(volume.array, expected)
    assert ("magnitude" in " ".join(volume.warnings)) == (dtype[0] == "c")


@pytest.mark.parametrize("kind", [nib.Nifti1Pair, nib.Nifti2Pair])
@pytest.mark.parametrize("given", [".hdr", ".img"])
@pytest.mark.parametrize("packed", ["", ".gz"])
def test_a_pair_is_read_from_either_half(tmp_path, kind, given, packed):
    array = numbers("i2", *SHAPE)
    saved(tmp_path / f"a.img{packed}", array, kind)
    volume = nifti.load(tmp_path / f"a{given}{packed}")
    np.testing.assert_array_equal(volume.array, array)
    names = [file.name for file in volume.source.files]
    assert names == [f"a.hdr{packed}", f"a.img{packed}"]
    assert len(volume.source.sha256) == 2
    assert volume.source.format == "nifti"
    mask = (array % 3).astype(np.uint8)
    nifti.write_mask_nifti(
        tmp_path / "m.nii.gz", mask, volume.source.header, False, volume.grid.affine
    )
    np.testing.assert_array_equal(read_mask(tmp_path / "m.nii.gz", volume.grid), mask)


def test_half_a_pair_is_refused(tmp_path):
    saved(tmp_path / "a.img", numbers("i2", *SHAPE), nib.Nifti1Pair)
    (tmp_path / "a.img").rename(tmp_path / "b.img")
    with pytest.raises(InputError, match=r"the file with its voxels \(.img\) is missing"):
        nifti.load(tmp_path / "a.hdr")
    with pytest.raises(InputError, match=r"its header \(.hdr\) is missing"):
        nifti.load(tmp_path / "b.img")


@pytest.mark.parametrize(
    ("unit", "name", "short"),
    [
        ("sec", "time", "s"),
        ("msec", "time", "ms"),
        ("usec", "time", "us"),
        ("hz", "frequency", "Hz"),
        ("ppm", "chemical shift", "ppm"),
        ("rads", "frequency", "rad/s"),
    ],
)
def test_the_fourth_dimension_has_its_unit(tmp_path, unit, name, short):
    array = numbers("i2", *SHAPE, 3)
    fields = {"pixdim": [1, 2, 3, 4, 2.2, 1, 1, 1], "toffset": 1.0}
    path = saved(tmp_path / "a.nii.gz", array, unit=unit, **fields)
    volume = nifti.load(path)
    assert (volume.further.name, volume.further.unit) == (name, short)
    assert volume.further.values == (1.0, 3.2, 5.4)
    np.testing.assert_array_equal(volume.further.array, array)
    np.testing.assert_array_equal(volume.array, array[..., 0])
    assert nifti.inspect(path).further == (name, short, 3)


@pytest.mark.parametrize("step", [0.0, -2.0, np.nan, np.inf])
def test_volumes_without_a_step_are_only_counted(tmp_path, step):
    fields = {"pixdim": [1, 2, 3, 4, step, 1, 1, 1]}
    path = saved(tmp_path / "a.nii", numbers("i2", *SHAPE, 2), unit="sec", **fields)
    further = nifti.load(path).further
    assert (further.name, further.unit, further.values) == ("volume", "", (0.0, 1.0))


@pytest.mark.parametrize(
    ("more", "doubt"),
    [((1, 3), "Each voxel holds 3 numbers"), ((2, 3), "6 volumes in 2 further dimensions")],
)
def test_a_fifth_dimension_is_flattened_and_said(tmp_path, more, doubt):
    array = numbers("f4", *SHAPE, *more)
    volume = nifti.load(saved(tmp_path / "a.nii", array, unit="sec"))
    assert any(doubt in text for text in volume.warnings)
    assert volume.further.name == "volume"
    expected = array.reshape(*SHAPE, -1, order="F")
    np.testing.assert_array_equal(volume.further.array, expected)


@pytest.mark.parametrize("names", ["RGB", "RGBA"])
def test_colours_are_kept_and_their_brightness_is_grey(tmp_path, names):
    raw = np.random.default_rng(0).integers(0, 256, (*SHAPE, len(names)), np.uint8)
    array = raw.copy().view([(name, "u1") for name in names])[..., 0]
    path = saved(tmp_path / "a.nii", array)
    volume = nifti.load(path)
    np.testing.assert_array_equal(volume.colour, raw[..., :3])
    grey = np.rint(raw[..., :3] @ np.array([0.299, 0.587, 0.114]))
    assert np.abs(volume.array - grey).max() <= 1
    assert volume.array.dtype == np.uint8
    assert any("transparency" in text for text in volume.warnings) == (names == "RGBA")
    assert nifti.inspect(path).is_colour
    with pytest.raises(InputError, match="colours or complex numbers"):
        nifti.read_labels_nifti(path)


def test_of_several_volumes_in_colour_the_first_keeps_them(tmp_path):
    raw = np.random.default_rng(0).integers(0, 256, (*SHAPE, 2, 3), np.uint8)
    volume = nifti.load(
        saved(tmp_path / "a.nii", raw.copy().view([(name, "u1") for name in "RGB"])[..., 0])
    )
    np.testing.assert_array_equal(volume.colour, raw[..., 0, :])
    assert volume.further.array.shape == (*SHAPE, 2)
    assert any("first volume's colours" in text for text in volume.warnings)


def test_complex_numbers_are_scaled_in_both_parts(tmp_path):
    array = (numbers("f4", *SHAPE) + 2j).astype("c8")
    path = saved(tmp_path / "a.nii", array)
    data = bytearray(path.read_bytes())
    struct.pack_into("<2f", data, 112, 2.0, 3.0)
    path.write_bytes(data)
    expected = np.hypot(array.real * 2 + 3, array.imag * 2 + 3)
    np.testing.assert_allclose(nifti.load(path).array, expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("slope", "inter"), [(np.nan, 0.0), (np.nan, np.nan), (1.0, np.nan), (2.0, np.nan)]
)
def test_a_scaling_that_is_no_number_is_ignored_and_said(tmp_path, slope, inter):
    array = numbers("i2", *SHAPE)
    path = saved(tmp_path / "a.nii", array)
    data = bytearray(path.read_bytes())
    struct.pack_into("<2f", data, 112, slope, inter)
    path.write_bytes(data)
    volume = nifti.load(path)
    np.testing.assert_array_equal(volume.array, array)
    assert volume.array.dtype == np.int16
    assert any("is not a number and was ignored" in text for text in volume.warnings)


def test_128_bit_numbers_are_read_where_the_computer_has_them(tmp_path):
    path = saved(tmp_path / "a.nii", numbers("f8", *SHAPE))
    data = bytearray(path.read_bytes())
    struct.pack_into("<2h", data, 70, 1536, 128)
    wide = np.finfo(np.longdouble).nmant == 112
    values = numbers(np.longdouble if wide else "c16", *SHAPE).tobytes("F")
    path.write_bytes(bytes(data[:352]) + values)
    if wide:
        np.testing.assert_array_equal(nifti.load(path).array, numbers("f4", *SHAPE))
    else:
        with pytest.raises(InputError, match="128 bits, which this computer does not have"):
            nifti.load(path)


def test_bytes_behind_the_voxels_and_odd_extensions_do_no_harm(tmp_path):
    array = numbers("i2", *SHAPE)
    path = saved(tmp_path / "a.nii", array)
    data = bytearray(path.read_bytes())
    struct.pack_into("<f", data, 108, 400.0)
    extension = struct.pack("<4B2i", 1, 0, 0, 0, 17, 6) + bytes(36)  # no multiple of 16
    path.write_bytes(
        bytes(data[:348]) + extension + bytes(4) + bytes(data[352:]) + b"more" * 99
    )
    np.testing.assert_array_equal(nifti.load(path).array, array)


def test_a_mask_of_several_volumes_is_refused(tmp_path):
    path = saved(tmp_path / "a.nii", numbers("u1", *SHAPE, 2))
    with pytest.raises(InputError, match="the file holds 2 volumes"):
        nifti.read_labels_nifti(path)


def test_a_mask_of_a_scan_with_times_is_one_volume(tmp_path):
    volume = nifti.load(saved(tmp_path / "a.nii", numbers("i2", *SHAPE, 3), unit="sec"))
    mask = np.ones(SHAPE, np.uint8)
    nifti.write_mask_nifti(
        tmp_path / "m.nii", mask, volume.source.header, False, volume.grid.affine
    )
    assert nib.load(tmp_path / "m.nii").shape == SHAPE
    np.testing.assert_array_equal(read_mask(tmp_path / "m.nii", volume.grid), mask)
