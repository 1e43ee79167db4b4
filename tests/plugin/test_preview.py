"""A scan on the canvas while it is read: the layer is on the buffer, and is adopted or goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from napari.components import ViewerModel

from napari_medlabel.model.volume import Volume
from napari_medlabel.plugin.binding import Binding
from napari_medlabel.plugin.layers import KEY
from napari_medlabel.plugin.preview import Preview
from napari_medlabel.session.case import Session

Open = Callable[[Volume], Session]


def test_the_layer_of_the_preview_becomes_the_layer_of_the_case(
    gappy_scan: Volume, open_volume: Open, viewer: ViewerModel
) -> None:
    early = replace(gappy_scan, missing=(), warnings=())
    preview = Preview(viewer, early)
    assert viewer.dims.current_step == (2, 4, 5)
    assert viewer.canvas.overlays["medlabel_right"].text == "L", "sides from the first slice on"
    gappy_scan.array[0, 0, 0] = 77
    preview.refresh()
    viewer.dims.set_current_step(0, 4)
    session = open_volume(gappy_scan)
    image = preview.adopt(session.volume, session.place.case)
    assert image is preview.layer
    assert (np.asarray(image.data) == 77).sum() == 1
    bound = Binding(session, viewer, image, keep_view=True)
    assert viewer.dims.current_step[0] == 4, "the person's slice stays"
    assert image.metadata[KEY]["case"] == session.place.case
    assert [layer.name for layer in viewer.layers].count("CT") == 1
    bound.detach()


def test_a_window_chosen_during_the_reading_stays(
    gappy_scan: Volume, open_volume: Open, viewer: ViewerModel
) -> None:
    scan = replace(gappy_scan, modality="MR")
    preview = Preview(viewer, scan)
    scan.array[...] = np.arange(scan.grid.size).reshape(scan.grid.shape)
    assert tuple(preview.adopt(scan, "x").contrast_limits) != (0, 50), "found anew when whole"
    other = Preview(viewer, scan)
    other.layer.contrast_limits = (3, 4)
    assert tuple(other.adopt(scan, "x").contrast_limits) == (3, 4)


def test_another_buffer_gets_another_layer(gappy_scan: Volume, viewer: ViewerModel) -> None:
    for late in (
        replace(gappy_scan, array=gappy_scan.array.copy()),
        replace(gappy_scan, array=gappy_scan.array.astype(np.float32)),
    ):
        preview = Preview(viewer, gappy_scan)
        assert preview.adopt(late, "x") is None
        assert len(viewer.layers) == 0


def test_volumes_in_time_and_colours_are_adopted_too(
    scan_of_times: Callable[..., Volume], colour_scan: Volume, viewer: ViewerModel
) -> None:
    for volume in (scan_of_times(), colour_scan):
        preview = Preview(viewer, replace(volume, warnings=()))
        assert preview.adopt(volume, "x") is preview.layer
        viewer.layers.clear()
    several = scan_of_times()
    preview = Preview(viewer, replace(several, further=None))
    assert preview.adopt(several, "x") is None


def test_nothing_stays_of_a_reading_that_ended(gappy_scan: Volume, viewer: ViewerModel) -> None:
    preview = Preview(viewer, gappy_scan)
    preview.remove()
    assert len(viewer.layers) == 0
    assert "medlabel_right" not in viewer.canvas.overlays
    gone = Preview(viewer, gappy_scan)
    viewer.layers.clear()
    gone.refresh()
    assert gone.adopt(gappy_scan, "x") is None
