"""Images that lie in a series and are none of its slices are series of their own."""

from __future__ import annotations

import numpy as np
import pytest

from napari_medlabel.io.registry import find_series, read_volume
from tests.io.scans import instance, save, voxels, worst_corner_mm

AXIAL = ["ORIGINAL", "PRIMARY", "AXIAL"]
ONE = "1 image of this series has another {}: it is listed as a series of its own."


def write(folder, heights, extra_of, count=8):
    """Write slices at 0, 3, 6 ... mm and further images at the heights given."""
    stored = voxels(count + len(heights))
    for n, z in enumerate([3.0 * k for k in range(count)] + list(heights)):
        extra = {"ImageType": AXIAL, "SliceThickness": 3, **(extra_of if n >= count else {})}
        save(instance(n, stored[n], position=(0, 0, z), **extra), folder / f"{n:02d}")
    return stored


@pytest.mark.parametrize(
    ("height", "extra", "named"),
    [
        (24, {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, "Image Type"),
        (-3, {"ImageType": ["DERIVED", "SECONDARY", "MIP"]}, "Image Type"),
        (9, {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, "Image Type"),
        (24, {"ImageType": ["DERIVED", "SECONDARY", "OTHER"]}, "Image Type"),
        (9, {"ImageType": ["DERIVED", "SECONDARY", "OTHER"]}, "Image Type"),
        (24, {"SliceThickness": 10}, "Slice Thickness"),
    ],
)
def test_a_lone_image_of_another_kind_is_no_slice(tmp_path, height, extra, named):
    stored = write(tmp_path, [height], extra)
    survey = find_series(tmp_path)
    assert [one.grid.shape[2] for one in survey.series] == [8, 1]
    volume = read_volume(tmp_path, series=survey.series[0].key)
    np.testing.assert_array_equal(volume.array.T, stored[:8])
    assert volume.missing == ()
    assert ONE.format(named) in volume.warnings
    alone = read_volume(tmp_path, series=survey.series[1].key)
    np.testing.assert_array_equal(alone.array.T, stored[8:])
    assert worst_corner_mm(alone) < 1e-4
    told = f"Set apart from a series whose images have another {named}."
    assert alone.warnings[0] == told


def test_a_localizer_that_would_fill_a_gap_leaves_it_blank(tmp_path):
    stored = voxels(12)
    for k in range(12):
        kind = [*AXIAL[:2], "LOCALIZER"] if k == 5 else AXIAL
        save(instance(k, stored[k], position=(0, 0, 3 * k), ImageType=kind), tmp_path / f"{k}")
    first, second = find_series(tmp_path).series
    assert (first.grid.shape[2], first.missing) == (12, (5,))
    assert second.grid.shape[2] == 1


def test_slices_of_another_type_that_fill_places_of_their_own_stay_and_are_said(tmp_path):
    stored = voxels(12)
    for k in range(12):
        kind = ["DERIVED", *AXIAL[1:]] if k == 5 else AXIAL
        ds = instance(k, stored[k], position=(0, 0, 3 * k), ImageType=kind)
        save(ds, tmp_path / f"{k:02d}")
    volume = read_volume(tmp_path)
    np.testing.assert_array_equal(volume.array.T, stored)
    said = "1 slice has another Image Type or Slice Thickness than the others."
    assert volume.warnings == (said,)


def test_a_series_whose_type_varies_often_is_not_shattered(tmp_path):
    stored = voxels(12)
    for k in range(12):
        kind = [*AXIAL, "NORM"] if k % 3 == 0 else AXIAL
        ds = instance(k, stored[k], position=(0, 0, 3 * k), ImageType=kind, SliceThickness=3)
        save(ds, tmp_path / f"{k:02d}")
    volume = read_volume(tmp_path)
    np.testing.assert_array_equal(volume.array.T, stored)
    assert volume.warnings == ()


def test_thickness_that_varies_a_little_means_nothing(tmp_path):
    write(tmp_path, [24], {"SliceThickness": 3.75})
    volume = read_volume(tmp_path)
    assert volume.grid.shape[2] == 9
    assert volume.warnings == ()
