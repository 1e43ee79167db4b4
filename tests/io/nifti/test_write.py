"""Volumes out as NIfTI: values, millimetres, times and colours as they were, and no words."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.errors import GeometryError
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.axes import ORIENTATIONS, flip_lps_ras, orientation_matrix
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.nifti import reading as nifti
from napari_medlabel.io.nifti.write import write_volume_nifti
from napari_medlabel.model.volume import FurtherAxis, Source, Volume

SHAPE = (4, 5, 6)
DTYPES = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"]
DICOM = Source("dicom", ())


def numbers(dtype, *shape):
    return np.arange(np.prod(shape)).reshape(shape).astype(dtype)


def turned(codes, spacing=(0.7, 0.8, 2.5), angle=0.3, origin=(10.5, -20.25, 30.125)):
    c, s = np.cos(angle), np.sin(angle)
    matrix = np.eye(4)
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])
    matrix[:3, :3] = turn @ orientation_matrix(codes) @ np.diag(spacing)
    matrix[:3, 3] = origin
    return Affine(matrix)


def volume_of(array, affine=None, **rest):
    grid = Grid(array.shape[:3], turned("LPS") if affine is None else affine)
    return Volume(grid, array[..., 0] if array.ndim == 4 else array, DICOM, **rest)


def series(array, values=(0.0, 2.5), name="time", unit="s"):
    return volume_of(array, further=FurtherAxis(name, unit, values, array))


@pytest.mark.parametrize("codes", ORIENTATIONS)
@settings(max_examples=2, deadline=None)
@given(
    angle=st.floats(-0.7, 0.7),
    dtype=st.sampled_from(DTYPES),
    origin=st.tuples(*[st.floats(-900, 900)] * 3),
    suffix=st.sampled_from([".nii", ".nii.gz"]),
)
def test_nibabel_simpleitk_and_we_find_it_in_the_same_place(
    codes, angle, dtype, origin, suffix
):
    volume = volume_of(numbers(dtype, *SHAPE), turned(codes, angle=angle, origin=origin))
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, "a" + suffix)
        write_volume_nifti(path, volume)
        theirs = nib.load(path)
        np.testing.assert_array_equal(np.asanyarray(theirs.dataobj), volume.array)
        assert theirs.get_data_dtype() == dtype
        image = sitk.ReadImage(str(path))
        again = nifti.load(path)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), volume.array.T)
    np.testing.assert_array_equal(again.array, volume.array)
    for index in ((0, 0, 0), (3, 4, 5), (3, 0, 5)):
        truth = volume.grid.affine.apply(index)
        # a sform in float32 is good to 6e-5 mm a metre away from the origin
        np.testing.assert_allclose(again.grid.affine.apply(index), truth, atol=1e-4)
        np.testing.assert_allclose(
            nib.affines.apply_affine(theirs.affine, index), truth, atol=1e-4
        )
        lps = image.TransformIndexToPhysicalPoint(index)
        np.testing.assert_allclose(flip_lps_ras(lps), truth, atol=2e-3)
    assert int(theirs.header["sform_code"]) == int(theirs.header["qform_code"]) == 1
    assert theirs.header.get_xyzt_units() == ("mm", "sec")


def test_read_again_it_is_the_same_bit_for_bit(tmp_path):
    once, twice = tmp_path / "a.nii.gz", tmp_path / "b.nii.gz"
    write_volume_nifti(once, volume_of(numbers("i2", *SHAPE)))
    first = nifti.load(once)
    write_volume_nifti(twice, first)
    assert once.read_bytes() == twice.read_bytes()
    assert nifti.load(twice).grid.affine == first.grid.affine


def test_a_sheared_grid_has_no_qform(tmp_path):
    matrix = turned("LPS").matrix.copy()
    matrix[:3, 2] += 0.5 * matrix[:3, 1]
    write_volume_nifti(tmp_path / "a.nii", volume_of(numbers("i2", *SHAPE), Affine(matrix)))
    header = nib.load(tmp_path / "a.nii").header
    assert (int(header["qform_code"]), int(header["sform_code"])) == (0, 1)
    np.testing.assert_allclose(header.get_sform(), matrix, atol=1e-5)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize(
    ("values", "unit", "step", "unit_read"),
    [((1.0, 3.5, 6.0), "s", 2.5, "s"), ((0.0, 40.0, 80.0), "ms", 0.04, "s")],
)
def test_times_become_seconds(tmp_path, suffix, values, unit, step, unit_read):
    array = numbers("i2", *SHAPE, 3)
    path = tmp_path / f"a{suffix}"
    write_volume_nifti(path, series(array, values, unit=unit))
    theirs = nib.load(path)
    np.testing.assert_array_equal(np.asanyarray(theirs.dataobj), array)
    assert float(theirs.header["pixdim"][4]) == pytest.approx(step)
    again = nifti.load(path)
    assert (again.further.name, again.further.unit) == ("time", unit_read)
    assert again.further.values[0] == pytest.approx(values[0] * (1 if unit == "s" else 1e-3))
    np.testing.assert_array_equal(again.further.array, array)
    image = sitk.ReadImage(str(path))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), array.T)


@pytest.mark.parametrize(
    ("values", "name", "unit"),
    [((0.0, 1.0, 9.0), "time", "s"), ((0.0, 800.0, 800.0), "b-value", "s/mm2")],
)
def test_what_is_no_regular_time_is_only_counted(tmp_path, values, name, unit):
    write_volume_nifti(tmp_path / "a.nii", series(numbers("i2", *SHAPE, 3), values, name, unit))
    again = nifti.load(tmp_path / "a.nii").further
    assert (again.name, again.unit, again.values) == ("volume", "", (0.0, 1.0, 2.0))


def test_lazy_volumes_are_asked_for_one_by_one(tmp_path):
    array, asked = numbers("i2", *SHAPE, 3), []

    class Lazy:
        shape, dtype = array.shape, array.dtype

        def __getitem__(self, key):
            asked.append(key[-1])
            return array[key]

    further = FurtherAxis("time", "s", (0.0, 1.0, 2.0), Lazy())
    write_volume_nifti(tmp_path / "a.nii.gz", volume_of(array, further=further))
    assert asked == [0, 1, 2]
    np.testing.assert_array_equal(nib.load(tmp_path / "a.nii.gz").dataobj, array)


def test_colours_stay_colours(tmp_path):
    colour = np.random.default_rng(0).integers(0, 256, (*SHAPE, 3), np.uint8)
    write_volume_nifti(tmp_path / "a.nii", volume_of(numbers("u1", *SHAPE), colour=colour))
    again = nifti.load(tmp_path / "a.nii")
    np.testing.assert_array_equal(again.colour, colour)
    image = sitk.ReadImage(str(tmp_path / "a.nii"))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), colour.transpose(2, 1, 0, 3))


def test_a_nifti_source_keeps_its_header_and_loses_its_words(tmp_path):
    out = nib.Nifti1Image(numbers("i2", *SHAPE, 2), turned("PIR").matrix.astype(np.float32))
    out.header.set_qform(turned("PIR", angle=0.2).matrix, code=2)
    out.header.set_sform(out.affine, code=4)
    out.header["pixdim"][4], out.header["toffset"] = 33, 5
    out.header.set_xyzt_units("mm", "msec")
    out.header["descrip"], out.header["intent_name"] = b"Invented Name", b"Invented"
    out.header.extensions.append(nib.nifti1.Nifti1Extension(6, b"Invented Name"))
    nib.save(out, tmp_path / "a.nii")
    volume = nifti.load(tmp_path / "a.nii")
    write_volume_nifti(tmp_path / "b.nii", volume)
    assert b"Invented" not in (tmp_path / "b.nii").read_bytes()
    old, new = nib.load(tmp_path / "a.nii").header, nib.load(tmp_path / "b.nii").header
    changed = {name for name in old if old[name].tobytes() != new[name].tobytes()}
    assert changed == {"descrip", "intent_name", "vox_offset"} - (
        {"vox_offset"} if old["vox_offset"] == new["vox_offset"] else set()
    )
    np.testing.assert_array_equal(nifti.load(tmp_path / "b.nii").further.array, out.dataobj)


def test_a_big_endian_source_stays_big_endian(tmp_path):
    header = nib.Nifti1Header(endianness=">")
    out = nib.Nifti1Image(numbers(">i2", *SHAPE), turned("RAS").matrix, header)
    nib.save(out, tmp_path / "a.nii")
    write_volume_nifti(tmp_path / "b.nii", nifti.load(tmp_path / "a.nii"))
    assert (tmp_path / "b.nii").read_bytes()[:4] == b"\0\0\x01\x5c"
    np.testing.assert_array_equal(nib.load(tmp_path / "b.nii").dataobj, out.dataobj)


def test_a_volume_moved_off_its_header_gets_a_new_one(tmp_path):
    write_volume_nifti(tmp_path / "a.nii", volume_of(numbers("i2", *SHAPE)))
    volume = nifti.load(tmp_path / "a.nii")
    moved = replace(volume, grid=Grid(SHAPE, turned("RAS")))
    write_volume_nifti(tmp_path / "b.nii", moved)
    np.testing.assert_allclose(
        nib.load(tmp_path / "b.nii").affine, turned("RAS").matrix, atol=1e-5
    )


@pytest.mark.parametrize(("suffix", "stretch"), [(".nii", 0.0), (".nii.gz", 5e5)])
def test_what_nifti_1_cannot_hold_becomes_nifti_2(tmp_path, suffix, stretch):
    shape = (40000, 1, 2) if not stretch else SHAPE
    affine = turned("LPS", origin=(stretch + 0.1234, 0, 0))
    write_volume_nifti(tmp_path / f"a{suffix}", volume_of(numbers("i2", *shape), affine))
    theirs = nib.load(tmp_path / f"a{suffix}")
    assert isinstance(theirs, nib.Nifti2Image)
    np.testing.assert_allclose(theirs.affine, affine.matrix, atol=1e-9)
    np.testing.assert_array_equal(nifti.load(tmp_path / f"a{suffix}").array, theirs.dataobj)


def test_an_unknown_orientation_stays_unknown(tmp_path):
    plain = volume_of(numbers("u1", *SHAPE), Affine.from_spacing((2, 3, 4)), is_oriented=False)
    write_volume_nifti(tmp_path / "a.nii", plain)
    again = nifti.load(tmp_path / "a.nii")
    assert not again.is_oriented
    assert again.grid.affine.spacing_mm == (2, 3, 4)


def test_a_volume_from_a_pair_or_with_a_scale_is_written_whole(tmp_path):
    out = nib.Nifti1Pair(numbers("i2", *SHAPE), turned("LPS").matrix)
    out.header.set_slope_inter(0.5, -3)
    nib.save(out, tmp_path / "a.img")
    volume = nifti.load(tmp_path / "a.img")
    write_volume_nifti(tmp_path / "b.nii.gz", volume)
    again = nifti.load(tmp_path / "b.nii.gz")
    np.testing.assert_array_equal(again.array, volume.array)
    assert again.grid.affine == volume.grid.affine
    assert type(nib.load(tmp_path / "b.nii.gz")) is nib.Nifti1Image


def test_an_existing_file_is_never_written_over(tmp_path):
    for name in ("a.nii", "a.nii.gz"):
        (tmp_path / name).write_bytes(b"precious")
        with pytest.raises(FileExistsError):
            write_volume_nifti(tmp_path / name, volume_of(numbers("u1", *SHAPE)))
        assert (tmp_path / name).read_bytes() == b"precious"


def test_voxels_that_nifti_has_not_are_refused(tmp_path):
    with pytest.raises(GeometryError, match="no voxels of the type float16"):
        write_volume_nifti(tmp_path / "a.nii", volume_of(numbers("f2", *SHAPE)))
    assert not (tmp_path / "a.nii").exists()
