"""A proposal on the canvas: where it lies, what comes solid, what goes hatched."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_medlabel.edit.scene import Proposal
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.model import presets
from napari_medlabel.model.volume import Source, Volume
from napari_medlabel.plugin.binding import Binding
from napari_medlabel.plugin.layers import KEY
from napari_medlabel.plugin.preview_layer import GOES, PreviewLayer, picture_of
from napari_medlabel.session.case import Session

WHOLE = (slice(0, 12), slice(0, 10), slice(0, 6))


def proposal(before: np.ndarray, after: np.ndarray) -> Proposal:
    return Proposal(WHOLE, before, after, "Try", (1,))


def test_only_the_box_of_the_changes_is_shown() -> None:
    before = np.zeros((12, 10, 6), np.uint8)
    after = before.copy()
    after[3:6, 2:4, 1] = 7
    picture = picture_of(proposal(before, after))
    assert picture is not None
    assert picture.box == (slice(3, 6), slice(2, 4), slice(1, 2))
    assert picture.values == (7,)
    assert (picture.shown == 1).all()
    assert picture_of(proposal(before, before)) is None


def test_what_goes_is_hatched_with_a_whole_rim_and_what_comes_is_solid() -> None:
    before = np.zeros((12, 10, 6), np.uint8)
    before[1:11, 1:9, :] = 2
    after = before.copy()
    after[1:11, 1:9, 0:5] = 0
    after[0, 0, 0] = 3
    picture = picture_of(proposal(before, after))
    assert picture is not None
    shown = np.zeros((12, 10, 6), np.uint8)
    shown[picture.box] = picture.shown
    goes = (before > 0) & (after == 0)
    stripes = (shown == GOES)[goes]
    assert 0 < stripes.sum() < stripes.size
    assert (shown[1, 1:9, 2] == GOES).all()  # the rim
    assert shown[0, 0, 0] == 1
    assert not shown[(before == after)].any()


def test_a_label_above_255_has_an_entry_of_its_own() -> None:
    before = np.zeros((12, 10, 6), np.uint16)
    after = before.copy()
    after[1, 1, 1], after[2, 1, 1] = 300, 40000
    picture = picture_of(proposal(before, after))
    assert picture is not None
    assert picture.values == (300, 40000)
    assert picture.shown.dtype == np.uint8
    assert picture.shown.ravel().tolist() == [1, 2]


@pytest.mark.parametrize("codes", ["LPS", "RAI", "PSL"])
def test_it_lies_on_its_voxels_however_the_scan_is_stored(
    make_grid: Callable[..., Grid],
    open_volume: Callable[[Volume], Session],
    viewer: ViewerModel,
    codes: str,
) -> None:
    grid = make_grid(codes)
    array = np.zeros(grid.shape[::-1], np.int16).T
    session = open_volume(Volume(grid, array, Source("nifti", (), ("ab" * 32,)), "CT"))
    session.set_scheme(presets.scheme("abdomen"))
    binding = Binding(session, viewer)
    layer = PreviewLayer(binding)
    before = session.labels.array
    after = before.copy()
    place = (4, 7, 2)
    after[place] = 2
    active = viewer.layers.selection.active
    layer.show(picture_of(proposal(before, after)))
    assert viewer.layers.selection.active is active
    assert layer.layer.metadata[KEY]["role"] == "preview"
    point = binding.display.points_zyx(np.array(place, float))
    viewer.dims.set_current_step(0, round(float(point[0])))
    world = binding.labels.data_to_world(point)
    assert layer.layer.get_value(world, world=True) == 1
    assert np.allclose(layer.layer.colormap.map(1), binding.labels.colormap.map(2), atol=0.01)
    assert not session.labels.array.any()
    shown = layer.layer
    layer.show(None)
    assert shown not in viewer.layers
    assert viewer.layers.selection.active is active
    binding.detach()
