"""The volume: valid when built, and silent about who it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_medlabel.errors import GeometryError
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.model.volume import Source, Volume

GRID = Grid((2, 3, 4), Affine(np.eye(4)))
SOURCE = Source(
    "dicom", (Path("Invented^Name.dcm"),), series_uid="1.2.3", patient_id="INVENTED"
)


@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "i4", "f4", "f8"])
def test_native_numbers_of_the_grids_shape_are_a_volume(dtype):
    volume = Volume(GRID, np.zeros((2, 3, 4), dtype), SOURCE, "CT")
    assert volume.warnings == ()
    assert volume.window is None


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((4, 3, 2)), r"the grid's shape \(2, 3, 4\); got \(4, 3, 2\)"),
        (np.zeros((2, 3, 4), complex), "native numbers; got complex128"),
        (np.zeros((2, 3, 4), bool), "native numbers; got bool"),
        (np.zeros((2, 3, 4), ">i2"), "native numbers; got int16"),
    ],
)
def test_other_arrays_are_refused(array, message):
    with pytest.raises(GeometryError, match=message):
        Volume(GRID, array, SOURCE)


def test_what_it_says_of_itself_names_nobody():
    volume = Volume(GRID, np.zeros((2, 3, 4), np.int16), SOURCE)
    assert repr(volume) == "Volume(Grid(2x3x4, 1x1x1 mm, RAS), int16, ?)"
    assert repr(SOURCE) == "Source(dicom, 1 files)"
