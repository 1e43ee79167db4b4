"""Images without a position: pictures whose number counts them and means no length."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    DigitalMammographyXRayImageStorageForPresentation,
    MRImageStorage,
    SecondaryCaptureImageStorage,
    UltrasoundImageStorage,
    UltrasoundMultiFrameImageStorage,
    VLWholeSlideMicroscopyImageStorage,
)

from napari_medlabel.errors import InputError
from napari_medlabel.io.registry import find_series, read_volume
from tests.io.scans import instance, save, voxels, write_series

NO_PLACE = {
    "ImagePositionPatient": None,
    "ImageOrientationPatient": None,
    "FrameOfReferenceUID": None,
}


def picture(k, pixels, **extra):
    return instance(k, pixels, **{**NO_PLACE, "PixelSpacing": None, **extra})


@pytest.mark.parametrize(
    ("extra", "spacing", "said"),
    [
        ({"PixelSpacing": [0.3, 0.2]}, (0.2, 0.3), ""),
        ({"ImagerPixelSpacing": [0.3, 0.2]}, (0.2, 0.3), "on the detector"),
        ({"PixelAspectRatio": [2, 1]}, (1.0, 2.0), "1 mm is assumed"),
        ({}, (1.0, 1.0), "1 mm is assumed"),
    ],
)
def test_pictures_are_counted_by_instance_number_and_say_what_a_pixel_is(
    tmp_path, extra, spacing, said
):
    stored = voxels(3)
    for k, name in enumerate(("c", "a", "b")):
        ds = picture(k, stored[k], SOPClassUID=ComputedRadiographyImageStorage, **extra)
        save(ds, tmp_path / name)
    volume = read_volume(tmp_path)
    np.testing.assert_array_equal(volume.array.T, stored)
    assert volume.slices == "pictures"
    assert not volume.is_oriented
    assert volume.grid.affine.spacing_mm == pytest.approx((*spacing, 1.0))
    assert any("Pictures without a place in the patient" in text for text in volume.warnings)
    assert any(said in text for text in volume.warnings)
    assert len(volume.warnings) == 1 + bool(said)
    (info,) = find_series(tmp_path).series
    assert info.slices == "pictures"


@pytest.mark.parametrize("is_undefined", [True, False])
def test_ultrasound_is_as_large_as_its_first_region_says(tmp_path, is_undefined):
    region = pydicom.Dataset()
    region.RegionSpatialFormat = 1
    region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = 3
    region.PhysicalDeltaX, region.PhysicalDeltaY = 0.05, 0.04
    region.is_undefined_length_sequence_item = is_undefined
    ds = picture(0, voxels(1)[0], SOPClassUID=UltrasoundImageStorage)
    ds.SequenceOfUltrasoundRegions = [region]
    ds["SequenceOfUltrasoundRegions"].is_undefined_length = is_undefined
    volume = read_volume(save(ds, tmp_path / "a"))
    assert volume.grid.affine.spacing_mm == pytest.approx((0.5, 0.4, 1.0))
    assert any("first ultrasound region" in text for text in volume.warnings)


def test_a_region_in_other_units_is_not_taken_for_millimetres(tmp_path):
    region = pydicom.Dataset()
    region.PhysicalUnitsXDirection, region.PhysicalUnitsYDirection = 4, 3
    region.PhysicalDeltaX = region.PhysicalDeltaY = 0.05
    ds = picture(0, voxels(1)[0], SOPClassUID=UltrasoundImageStorage)
    ds.SequenceOfUltrasoundRegions = [region]
    volume = read_volume(save(ds, tmp_path / "a"))
    assert volume.grid.affine.spacing_mm == (1, 1, 1)


def test_the_frames_of_each_clip_are_a_series_of_their_own(tmp_path):
    stored = voxels(6, dtype=np.uint8)
    for n in range(2):
        ds = picture(n, stored[0], SOPClassUID=UltrasoundMultiFrameImageStorage, Modality="US")
        ds.NumberOfFrames = 3
        ds.PixelData = stored[3 * n : 3 * n + 3].tobytes()
        save(ds, tmp_path / f"{n}")
    survey = find_series(tmp_path)
    assert [one.grid.shape[2] for one in survey.series] == [3, 3]
    for n, one in enumerate(survey.series):
        volume = read_volume(tmp_path, series=one.key)
        np.testing.assert_array_equal(volume.array.T, stored[3 * n : 3 * n + 3])
        assert volume.source.planes == ((0, 0), (0, 1), (0, 2))


def test_pictures_of_other_size_or_colour_are_series_of_their_own(tmp_path):
    extra = {"SOPClassUID": SecondaryCaptureImageStorage}
    colours = np.random.default_rng(1).integers(0, 255, (5, 4, 3), dtype=np.uint8)
    save(picture(0, voxels(1)[0], **extra), tmp_path / "grey")
    save(picture(1, voxels(1, 6, 7)[0], **extra), tmp_path / "large")
    save(picture(2, colours, **extra), tmp_path / "colour")
    survey = find_series(tmp_path)
    assert sorted(one.grid.shape for one in survey.series) == [(4, 5, 1), (4, 5, 1), (7, 6, 1)]
    (coloured,) = [one for one in survey.series if one.colour]
    volume = read_volume(tmp_path, series=coloured.key)
    np.testing.assert_array_equal(volume.colour[:, :, 0].transpose(1, 0, 2), colours)


def test_low_values_shown_bright_are_said_and_never_turned(tmp_path):
    ds = picture(0, voxels(1)[0], PhotometricInterpretation="MONOCHROME1")
    ds.SOPClassUID = DigitalMammographyXRayImageStorageForPresentation
    volume = read_volume(save(ds, tmp_path / "a"))
    assert volume.is_inverted
    np.testing.assert_array_equal(volume.array.T, voxels(1))


def test_tiles_of_a_slide_are_said_to_be_tiles(tmp_path):
    ds = picture(0, voxels(1)[0], SOPClassUID=VLWholeSlideMicroscopyImageStorage)
    volume = read_volume(save(ds, tmp_path / "a"))
    assert any("Tiles of a whole-slide image" in text for text in volume.warnings)


def test_captures_among_the_slices_do_not_disturb_the_volume(tmp_path):
    write_series(tmp_path, voxels(3))
    save(picture(9, voxels(1)[0], SOPClassUID=SecondaryCaptureImageStorage), tmp_path / "sc")
    places, pictures = find_series(tmp_path).series
    assert (places.slices, places.grid.shape[2]) == ("places", 3)
    assert (pictures.slices, pictures.grid.shape[2]) == ("pictures", 1)


def test_a_slice_of_a_ct_that_lost_its_position_is_never_a_picture(tmp_path):
    write_series(tmp_path, voxels(3))
    save(instance(9, voxels(1)[0], **NO_PLACE), tmp_path / "lost")
    survey = find_series(tmp_path)
    assert any("Image Position (Patient)" in one.problem for one in survey.series)
    whole = next(one for one in survey.series if not one.problem)
    assert "1 file of this series cannot be read." in whole.warnings


def test_a_clip_of_a_class_that_needs_a_place_is_pictures_where_frames_have_none(tmp_path):
    stored = voxels(3)
    extra = {"Modality": "MR", "FrameTime": 40, "FrameIncrementPointer": 0x00181063}
    ds = picture(0, stored[0], SOPClassUID=MRImageStorage, **extra)
    ds.NumberOfFrames = 3
    ds.PixelData = stored.tobytes()
    volume = read_volume(save(ds, tmp_path / "a"))
    np.testing.assert_array_equal(volume.array.T, stored)
    assert volume.slices == "pictures"
    assert any("Pictures without a place in the patient" in text for text in volume.warnings)


def test_a_clip_of_more_frames_than_its_file_can_hold_is_refused(tmp_path):
    ds = picture(0, voxels(1)[0], SOPClassUID=UltrasoundMultiFrameImageStorage)
    ds.NumberOfFrames = 2_000_000_000
    with pytest.raises(InputError, match="far too small for its Number of Frames"):
        read_volume(save(ds, tmp_path / "a"))
