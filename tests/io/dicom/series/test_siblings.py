"""Series that were split say from what."""

from __future__ import annotations

import numpy as np

from napari_medlabel.io.registry import find_series
from tests.io.scans import instance, save, voxels


def test_a_slice_of_another_pixel_spacing_is_said_where_it_is_missing(tmp_path):
    for k in range(6):
        spacing = (1.5, 1.5) if k == 2 else (0.8, 0.7)
        ds = instance(k, voxels(6)[k], position=(0, 0, 3 * k), spacing=spacing)
        save(ds, tmp_path / f"{k}")
    whole, lone = find_series(tmp_path).series
    assert whole.missing == (2,)
    assert (
        "1 image of this series has another Pixel Spacing and is listed apart: a slice that is "
        "missing here may be there."
    ) in whole.warnings
    assert "5 images have another Pixel Spacing and are listed apart." in lone.warnings


def test_images_that_turn_little_by_little_are_said_to_belong_together(tmp_path):
    for k in range(8):
        turn = np.radians(0.02 * k)
        orientation = (1, 0, 0, 0, np.cos(turn), np.sin(turn))
        ds = instance(k, voxels(8)[k], position=(0, 0, 2 * k), orientation=orientation)
        save(ds, tmp_path / f"{k}")
    series = find_series(tmp_path).series
    assert sum(one.grid.shape[2] for one in series) == 8
    assert len(series) > 1
    for one in series:
        (said,) = [text for text in one.warnings if "turned against each other" in text]
        assert f"they are listed as {len(series)} series" in said


def test_images_that_lie_across_say_nothing_of_each_other(tmp_path):
    for n, orientation in enumerate([(1, 0, 0, 0, 1, 0), (0, 1, 0, 0, 0, -1)]):
        normal = np.cross(orientation[:3], orientation[3:])
        for k in range(3):
            number = 3 * n + k
            ds = instance(number, voxels(6)[number], position=k * normal)
            ds.ImageOrientationPatient = list(orientation)
            save(ds, tmp_path / f"{number}")
    assert [one.warnings for one in find_series(tmp_path).series] == [(), ()]
