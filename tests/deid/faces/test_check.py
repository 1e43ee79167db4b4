"""What is checked before and after a face is removed."""

from __future__ import annotations

import numpy as np
import pytest

from napari_medlabel.deid.faces.check import (
    Surface,
    front_of,
    is_upright,
    nose_of,
    require_whole,
    surface_of,
)
from napari_medlabel.deid.faces.ct import head_of
from napari_medlabel.deid.faces.cut import FaceCut, cut_around
from napari_medlabel.deid.faces.doubt import Doubt, FaceUnsure
from napari_medlabel.deid.faces.field import coarse
from tests.deid.head_phantom import grid_around, scanned


@pytest.fixture(scope="module")
def looked():
    scan = scanned(*grid_around())
    field = coarse(scan.hu, scan.matrix)
    return field, head_of(field)


def test_the_nose_is_where_it_was_put(looked) -> None:
    field, found = looked
    nose = nose_of(field, found.body, found.brain)
    assert abs(nose.x_mm) < 4
    assert 118 < nose.y_mm < 128
    assert -52 < nose.z_mm < -32


def test_the_surface_goes_with_the_cut_and_stays_without(looked) -> None:
    field, found = looked
    cut = cut_around(field.points(found.brain), ghosts=False)
    gone = surface_of(field, found.body, found.brain, cut)
    gone.require_gone()
    nothing = FaceCut(np.empty((0, 4)), np.empty((0, 4)), 0.0)
    kept = surface_of(field, found.body, found.brain, nothing)
    assert kept == Surface(0.0, 0.0)
    with pytest.raises(FaceUnsure):
        kept.require_gone()


def test_a_thin_skin_taken_alone_is_not_enough() -> None:
    with pytest.raises(FaceUnsure):
        Surface(1.0, 0.5).require_gone()


def test_a_surface_that_is_not_there_has_not_gone(looked) -> None:
    field, found = looked
    cut = cut_around(field.points(found.brain), ghosts=False)
    assert surface_of(field, np.zeros_like(found.body), found.brain, cut).skin == 0
    upper = found.body.copy()
    upper[:, :, : field.index(-25.0, 2)] = False
    assert surface_of(field, upper, found.brain, cut).deep == 1.0


def test_lines_of_sight_end_at_the_foremost_voxel(looked) -> None:
    field, found = looked
    front = front_of(found.body, field)
    assert np.nanmax(front) == pytest.approx(nose_of(field, found.body, found.brain).y_mm)
    assert np.isnan(front[0, -1])


def test_a_brain_is_upright_when_its_front_is_the_higher_end() -> None:
    scan = scanned(*grid_around((3.0, 3.0, 3.0)))
    assert is_upright(scan.brain)
    assert not is_upright(scan.brain[:, ::-1])


def test_a_brain_at_the_upper_edge_is_not_whole() -> None:
    field = coarse(np.zeros((20, 20, 20)), np.diag([2.5, 2.5, 2.5, 1.0]))
    brain = np.zeros(field.values.shape, dtype=bool)
    brain[4:16, 4:16, 0:16] = True
    require_whole(field, brain)
    brain[:, :, 16:] = True
    with pytest.raises(FaceUnsure) as caught:
        require_whole(field, brain)
    assert caught.value.doubt == Doubt.BRAIN_CUT
