"""Colours, pictures, inverted and incomplete scans in a viewer: shown as what they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.model.presets import Window
from napari_medlabel.model.volume import Volume
from napari_medlabel.plugin.binding import Binding
from napari_medlabel.plugin.display import Display
from napari_medlabel.plugin.layers import KEY, volume_to_layer
from napari_medlabel.plugin.windows import initial_window, offered_windows, sample
from napari_medlabel.session.case import Session

Open = Callable[[Volume], Session]


def test_colours_are_shown_as_they_are(
    colour_scan: Volume, open_volume: Open, viewer: ViewerModel
) -> None:
    session = open_volume(colour_scan)
    bound = Binding(session, viewer)
    assert bound.image.rgb
    assert bound.image.ndim == 3
    assert np.shares_memory(bound.image.data, colour_scan.colour)
    z, y, x = (int(v) for v in bound.display.points_zyx((3, 2, 1)))
    assert tuple(bound.image.data[z, y, x]) == (9, 200, 30)
    assert offered_windows(colour_scan) == []
    bound.set_window(Window("Any", 1, 2))
    bound.labels.mode = "paint"
    bound.labels.paint((z, y, x), 2)
    assert session.labels.array[3, 2, 1] == 2
    bound.detach()


def test_monochrome1_is_shown_inverted_and_its_values_are_as_stored(
    gappy_scan: Volume,
) -> None:
    data, keywords, _ = volume_to_layer(replace(gappy_scan, is_inverted=True), "x", (0, 1))
    assert keywords["colormap"] == "gray_r"
    assert np.array_equal(data, Display.of(gappy_scan).show(gappy_scan.array))
    assert volume_to_layer(gappy_scan, "x", (0, 1))[1]["colormap"] == "gray"


def test_pictures_are_shown_as_stored_and_without_sides(
    pictures: Volume, open_volume: Open, viewer: ViewerModel
) -> None:
    bound = Binding(open_volume(pictures), viewer)
    assert bound.image.data.shape == (4, 10, 12, 3)
    assert tuple(bound.image.data[2, 1, 5]) == (10, 20, 30)
    assert viewer.dims.axis_labels == ("picture", "down", "right")
    assert [str(u) for u in bound.labels.units] == ["pixel", "millimeter", "millimeter"]
    assert viewer.layers.extent.units is not None
    assert np.allclose(bound.labels.scale, [1, 0.4, 0.3])
    assert set(bound.orientation.letters.values()) == {""}
    assert tuple(str(o) for o in viewer.scene.camera.orientation2d) == ("down", "right")
    bound.orientation.radiological = False
    assert str(viewer.scene.camera.orientation2d[1]) == "right", "text stays readable"
    assert bound.labels.metadata[KEY]["pictures"] is True
    bound.labels.mode = "paint"
    bound.labels.brush_size = 1
    bound.labels.paint((2, 1, 5), 1)
    assert bound.session.labels.array[5, 1, 2] == 1
    bound.points.add([2, 1, 5])
    (mark,) = bound.session.landmarks.placed
    assert np.allclose(pictures.grid.affine.to_index(mark.point_ras), (5, 1, 2))
    bound.detach()


def test_a_scale_bar_stands_only_where_millimetres_are_known(
    pictures: Volume, gappy_scan: Volume
) -> None:
    unknown = Grid(pictures.grid.shape, Affine(np.eye(4)))
    assert Display(unknown).has_length
    assert not Display(unknown, pictures=True).has_length
    assert Display.of(pictures).has_length
    assert Display.of(gappy_scan).has_length


def test_a_missing_slice_is_named_where_it_is_shown(
    gappy_scan: Volume, open_volume: Open, viewer: ViewerModel
) -> None:
    bound = Binding(open_volume(gappy_scan), viewer)
    slices = gappy_scan.grid.shape[2]
    words = []
    for step in range(slices):
        viewer.dims.set_current_step(0, step)
        words.append(bound.missing.words)
        assert bound.missing.shown() == slices - 1 - step, "k runs to the feet, S to the head"
    said = {n: w for n, w in enumerate(words) if w}
    assert said == {
        slices - 1 - 4: "Slice 5: no image in the files",
        slices - 1 - 2: "Slice 3: no image in the files",
    }
    bound.orientation.show_plane("Coronal")
    assert bound.missing.words == ""
    assert bound.missing.shown() is None
    flags = np.asarray(bound.missing.layer.data)
    assert sorted(np.flatnonzero(flags.any(axis=(1, 2)))) == sorted(said)
    assert bound.missing.layer.data.strides.count(0) == 2, "one byte for each slice"
    bound.detach()
    assert "medlabel_missing" not in viewer.canvas.overlays
    bound.remove_layers()
    assert len(viewer.layers) == 0


def test_paint_on_a_missing_slice_is_possible_and_told(
    gappy_scan: Volume, open_volume: Open, viewer: ViewerModel
) -> None:
    bound = Binding(open_volume(gappy_scan), viewer)
    told: list[list[int]] = []
    bound.painted_on_missing.connect(told.append)
    z_missing = int(bound.display.points_zyx((0, 0, 2))[0])
    z_there = int(bound.display.points_zyx((0, 0, 3))[0])
    bound.labels.mode = "paint"
    bound.labels.paint((z_there, 5, 5), 1)
    assert told == []
    bound.labels.paint((z_missing, 5, 5), 1)
    assert told == [[2]]
    assert bound.session.labels.array[..., 2].any()
    bound.detach()


def test_a_scan_without_gaps_has_no_layer_for_them(
    colour_scan: Volume, open_volume: Open, viewer: ViewerModel
) -> None:
    bound = Binding(open_volume(colour_scan), viewer)
    assert bound.missing is None
    assert len(viewer.layers) == 3
    bound.detach()


def test_a_window_is_found_without_reading_every_voxel(gappy_scan: Volume) -> None:
    class Counting(np.ndarray):
        seen = 0

        def __getitem__(self, key: object) -> object:
            part = super().__getitem__(key)
            Counting.seen += np.size(part)
            return part

    large = np.zeros((300, 300, 300), np.int16).view(Counting)
    grid = replace(gappy_scan.grid, shape=large.shape)
    volume = replace(gappy_scan, grid=grid, array=large, modality="MR", missing=())
    offered_windows(volume)
    assert Counting.seen < large.size / 4
    assert sample(volume).size <= 75**3


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_no_numbers_give_no_window(gappy_scan: Volume, value: float) -> None:
    array = np.full(gappy_scan.grid.shape, value, np.float32)
    for window in offered_windows(replace(gappy_scan, array=array, modality="MR")):
        assert window.low < window.high


def test_uptake_values_are_first_shown_through_a_window_of_theirs(gappy_scan: Volume) -> None:
    array = np.full(gappy_scan.grid.shape, 2.0, np.float32)
    uptake = replace(gappy_scan, array=array, modality="PT", quantity="SUVbw g/ml", window=None)
    wanted = ["SUV 0-10", "SUV 0-5", "SUV 0-15", "Automatic", "Full"]
    assert [window.name for window in offered_windows(uptake)] == wanted
    assert volume_to_layer(uptake, "", (0.0, 10.0))[1]["colormap"] == "gray_r"
    by_surface = replace(uptake, quantity="SUVbsa cm2/ml")
    assert initial_window(by_surface).name == "Automatic"
    assert volume_to_layer(by_surface, "", (0.0, 1.0))[1]["colormap"] == "gray"
    # What the header says of rescaled values holds for them.
    own = replace(uptake, quantity="Bq/ml", window=(16000.0, 32000.0))
    assert (initial_window(own).low, initial_window(own).high) == (0.0, 32000.0)
