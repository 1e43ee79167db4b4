"""Files that repeat another one's pixels under another name."""

from __future__ import annotations

import numpy as np
import pytest

from napari_medlabel.errors import InputError
from napari_medlabel.io.registry import read_volume
from tests.io.scans import ROOT, instance, save, voxels, write_series


def again(folder, pixels, k, **extra):
    position = (-10.0, 20.0, 30.0 + 2.5 * k)
    ds = instance(k, pixels, position=position, **extra)
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"{ROOT}77"
    return save(ds, folder / "again.dcm")


def test_an_equal_copy_under_another_uid_is_left_out_and_said(tmp_path):
    stored = voxels(5)
    write_series(tmp_path, stored)
    again(tmp_path, stored[2], 2)
    volume = read_volume(tmp_path)
    np.testing.assert_array_equal(volume.array.T, stored)
    assert volume.warnings == ("1 file repeated another one and was left out.",)


@pytest.mark.parametrize(
    ("pixels", "extra"), [(9 + voxels(5)[2], {}), (voxels(5)[2], {"RescaleIntercept": 5})]
)
def test_another_image_at_the_same_position_refuses_the_scan(tmp_path, pixels, extra):
    write_series(tmp_path, voxels(5))
    again(tmp_path, pixels, 2, **extra)
    with pytest.raises(InputError, match="1 of 5 positions hold"):
        read_volume(tmp_path)
