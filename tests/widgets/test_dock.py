"""What the dock says of the case that is open."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.model.volume import Source, Volume
from napari_medlabel.widgets.dock import describe
from tests.tilted import steps


@pytest.mark.parametrize("tilt_deg", [0.0, 20.0])
def test_a_scan_says_once_that_it_is_tilted_and_by_how_much(tilt_deg: float) -> None:
    matrix = np.eye(4)
    matrix[:3, :3] = steps((0.8, 0.8, 5.0), tilt_deg)
    array = np.zeros((3, 5, 4), np.int16).T
    source = Source("nifti", (), ("ab" * 32,))
    volume = Volume(Grid(array.shape, Affine(matrix)), array, source, modality="CT")
    words = describe(SimpleNamespace(volume=volume))
    assert words.count("off right angles (gantry tilt)") == (tilt_deg > 0)
    assert ("20.0°" in words) == (tilt_deg > 0)
