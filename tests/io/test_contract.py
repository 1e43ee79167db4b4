"""What every format keeps: values, places to 1e-4 mm, 48 orientations, types, round trip."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import nibabel as nib
import numpy as np
import pytest
import SimpleITK
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.geometry.axes import ORIENTATIONS, orientation_matrix
from napari_medlabel.io.nifti.write import write_volume_nifti
from napari_medlabel.io.registry import find_series, read_volume
from tests.io.formats import KINDS, LPS_TO_RAS

SHAPE = (5, 4, 3)


def ramp(dtype="int16", shape=SHAPE):
    """Return voxels of which each has a value of its own."""
    return np.arange(np.prod(shape)).reshape(shape).astype(dtype)


def placed(codes="LPS", sizes=(0.8, 0.9, 2.5), origin=(11.5, -23.25, 41.0)):
    """Return an affine along the patient's axes, RAS mm."""
    affine = np.eye(4)
    affine[:3, :3] = orientation_matrix(codes) * np.array(sizes)
    affine[:3, 3] = origin
    return affine


def turned(angles, codes="RAS", sizes=(0.8, 0.9, 2.5), origin=(0, 0, 0)):
    """Return an affine turned about x, y and z by angles in radians."""
    rotation = np.eye(3)
    for axis, angle in enumerate(angles):
        one = np.eye(3)
        a, b = [n for n in range(3) if n != axis]
        one[a, a] = one[b, b] = np.cos(angle)
        one[a, b], one[b, a] = -np.sin(angle), np.sin(angle)
        rotation = rotation @ one
    affine = placed(codes, sizes, origin)
    affine[:3, :3] = rotation @ affine[:3, :3]
    return affine


def require_same_places(volume, array, affine, within):
    """Compare value and place of every voxel with what was written."""
    index = np.stack(np.indices(array.shape), axis=-1).reshape(-1, 3)
    world = index @ affine[:3, :3].T + affine[:3, 3]
    inverse = np.linalg.inv(volume.grid.affine.matrix)
    found = np.round(world @ inverse[:3, :3].T + inverse[:3, 3]).astype(int)
    back = found @ volume.grid.affine.matrix[:3, :3].T + volume.grid.affine.matrix[:3, 3]
    assert np.abs(back - world).max() < within
    got = volume.array[found[:, 0], found[:, 1], found[:, 2]]
    np.testing.assert_array_equal(got, array[index[:, 0], index[:, 1], index[:, 2]])


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def kind(request):
    return request.param


@pytest.mark.parametrize("codes", ORIENTATIONS)
def test_every_orientation_keeps_its_places(kind, codes, tmp_path):
    array, affine = ramp(), placed(codes)
    volume = read_volume(kind.write(tmp_path, array, affine))
    require_same_places(volume, array, affine, kind.place_mm)
    assert volume.is_oriented
    if kind.keeps_axes:
        assert volume.grid.affine.axis_codes == codes


def test_axes_and_affine_come_back_as_they_were_written(kind, tmp_path):
    # Slices of DICOM are sorted along their normal: then this order is the written one.
    codes = "PIR" if kind.keeps_axes else "LPS"
    array, affine = ramp(), placed(codes)
    volume = read_volume(kind.write(tmp_path, array, affine))
    np.testing.assert_array_equal(volume.array, array)
    np.testing.assert_allclose(volume.grid.affine.matrix, affine, atol=kind.place_mm)


def test_every_type_of_voxels_keeps_its_values(kind, tmp_path):
    for number, dtype in enumerate(kind.dtypes):
        limits = np.iinfo(dtype) if np.dtype(dtype).kind in "iu" else np.finfo(dtype)
        array = ramp(dtype)
        array[0, 0, 0], array[-1, -1, -1] = limits.min, limits.max
        folder = tmp_path / f"{number}"
        folder.mkdir()
        volume = read_volume(kind.write(folder, array, placed()))
        got = volume.array
        assert got.dtype.isnative
        assert got.dtype.kind in "iuf"
        np.testing.assert_array_equal(got, array)


def test_a_listing_says_where_it_lies_before_voxels_are_read(kind, tmp_path):
    array, affine = ramp(), placed("RPI")
    path = kind.write(tmp_path, array, affine)
    survey = find_series(path)
    assert len(survey.series) == 1
    volume = read_volume(path)
    assert survey.series[0].grid is not None
    assert survey.series[0].grid.shape == volume.grid.shape
    np.testing.assert_array_equal(
        survey.series[0].grid.affine.matrix, volume.grid.affine.matrix
    )


angles = st.tuples(*[st.floats(-0.75, 0.75)] * 3)
lengths = st.tuples(*[st.floats(0.05, 9)] * 3)
places = st.tuples(*[st.floats(-500, 500)] * 3)


@settings(max_examples=12)
@given(angles=angles, sizes=lengths, origin=places, codes=st.sampled_from(ORIENTATIONS))
def test_any_oblique_grid_keeps_its_places_and_goes_round(kind, angles, sizes, origin, codes):
    affine, array = turned(angles, codes, sizes, origin), ramp()
    with TemporaryDirectory() as name:
        path = kind.write(Path(name), array, affine)
        volume = read_volume(path)
        # Single precision in a NIfTI header is worth 6e-8 of half a metre.
        require_same_places(volume, array, affine, kind.place_mm)
        # SimpleITK does not know NIfTI-2, and what came from it goes back into it.
        require_round_trip(volume, Path(name), rotation=kind.name != "NIfTI-2")


def require_round_trip(volume, folder, *, rotation=True):
    """Write NIfTI; let nibabel and SimpleITK say what lies where."""
    target = folder / "round.nii.gz"
    write_volume_nifti(target, volume)
    seen = nib.load(target)
    np.testing.assert_array_equal(np.asarray(seen.dataobj), volume.array)
    np.testing.assert_allclose(seen.affine, volume.grid.affine.matrix, atol=1e-4)
    if rotation:
        image = SimpleITK.ReadImage(str(target))
        np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(image).T, volume.array)
        for index in ((0, 0, 0), tuple(n - 1 for n in volume.grid.shape)):
            point = LPS_TO_RAS[:3, :3] @ image.TransformIndexToPhysicalPoint(index)
            np.testing.assert_allclose(point, volume.grid.affine.apply(index), atol=1e-3)
    again = read_volume(target)
    np.testing.assert_array_equal(again.array, volume.array)
    np.testing.assert_allclose(again.grid.affine.matrix, volume.grid.affine.matrix, atol=1e-4)


@settings(max_examples=12)
@given(angles=angles, sizes=lengths, tilt=st.floats(-0.4, 0.4))
def test_a_sheared_grid_stays_sheared(kind, angles, sizes, tilt):
    affine, array = turned(angles, sizes=sizes), ramp()
    affine[:3, 2] += affine[:3, 1] * tilt
    with TemporaryDirectory() as name:
        path = kind.write(Path(name), array, affine)
        volume = read_volume(path)
        require_same_places(volume, array, affine, kind.place_mm)
        require_round_trip(volume, Path(name), rotation=False)


@pytest.mark.parametrize(("unit", "factor"), [("meter", 1e-3), ("micron", 1e3), ("mm", 1)])
def test_lengths_in_other_units_become_millimetres(unit, factor, tmp_path):
    affine = placed("RAS")
    scaled = affine.copy()
    scaled[:3] *= factor
    image = nib.Nifti1Image(ramp(), scaled)
    image.header.set_xyzt_units(unit)
    nib.save(image, tmp_path / "scan.nii")
    volume = read_volume(tmp_path / "scan.nii")
    require_same_places(volume, ramp(), affine, 1e-4)
    assert unit == "mm" or volume.warnings
