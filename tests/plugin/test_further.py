"""The axis of further volumes: an axis more on the image, none on labels and points."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from napari.components import ViewerModel

from napari_medlabel.geometry.axes import ORIENTATIONS
from napari_medlabel.model.volume import FurtherAxis, Volume
from napari_medlabel.plugin.binding import Binding
from napari_medlabel.plugin.display import Display
from napari_medlabel.plugin.further import axis_geometry, volume_words
from napari_medlabel.plugin.layers import volume_to_layer
from napari_medlabel.plugin.orientation import VIEWS
from napari_medlabel.session.case import Session

Open = Callable[[Volume], Session]


def axis(name: str, unit: str, values: tuple[float, ...]) -> FurtherAxis:
    return FurtherAxis(name, unit, values, np.zeros((1, 1, 1, len(values)), np.uint8))


@pytest.mark.parametrize(
    ("further", "expected"),
    [
        (axis("time", "s", (1.0, 3.0, 5.0)), (2.0, 1.0, "s")),
        (axis("echo", "ms", (4.5, 9.0, 13.5)), (4.5, 4.5, "ms")),
        (axis("time", "s", (0.0, 1.0, 7.0)), (1.0, 0.0, "pixel")),
        (axis("time", "s", (5.0, 3.0, 1.0)), (1.0, 0.0, "pixel")),
        (axis("time", "s", (5.0,)), (1.0, 0.0, "pixel")),
        (axis("time", "s", (0.0, float("nan"))), (1.0, 0.0, "pixel")),
        (axis("b-value", "s/mm2", (0.0, 500.0, 1000.0)), (1.0, 0.0, "pixel")),
    ],
)
def test_the_axis_is_in_its_unit_only_where_the_steps_are_equal(
    further: FurtherAxis, expected: tuple[float, float, str]
) -> None:
    assert axis_geometry(further) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("further", "words"),
    [
        (axis("time", "s", (0.0, 3.0, 6.0)), "volume 3 of 3: 6.0 s"),
        (axis("echo", "ms", (2.0, 4.0, 7.38)), "volume 3 of 3: echo 7.38 ms"),
        (axis("b-value", "s/mm2", (0, 0, 1000)), "volume 3 of 3: b-value 1000 s/mm²"),
        (axis("volume", "", (0, 1, 2)), "volume 3 of 3"),
        (axis("phase", "", (0, 1, 2)), "volume 3 of 3: phase 2"),
        (axis("time", "s", (0, 1, float("nan"))), "volume 3 of 3"),
    ],
)
def test_the_volume_is_said_in_words(further: FurtherAxis, words: str) -> None:
    assert volume_words(further, 2) == words


def test_labels_and_points_stay_three_dimensional_under_the_slider(
    scan_of_times: Callable[..., Volume], open_volume: Open, viewer: ViewerModel
) -> None:
    session = open_volume(scan_of_times())
    bound = Binding(session, viewer)
    assert [layer.ndim for layer in viewer.layers] == [4, 3, 3]
    assert viewer.dims.axis_labels == ("time", "S", "P", "L")
    assert [str(u) for u in bound.image.units] == ["second"] + ["millimeter"] * 3
    assert viewer.dims.current_step == (0, 7, 9, 11), "the first volume, in the middle"
    assert viewer.layers.extent.units is not None, "napari would show no millimetres"
    assert np.allclose(bound.image.scale, [2, 1.5, 1.2, 1])
    viewer.dims.set_current_step(0, 3)
    assert bound.volume_number == 3
    bound.labels.mode = "paint"
    bound.labels.paint((2, 5, 5), 1)
    assert session.history.undo_name == "Paint"
    viewer.dims.set_current_step(0, 1)
    assert session.labels.voxel_counts()[1] > 0
    bound.labels.undo()
    assert not session.labels.array.any()
    bound.detach()


@given(codes=st.sampled_from(ORIENTATIONS), t=st.integers(0, 4))
def test_every_volume_lies_under_the_same_voxels(
    codes: str, t: int, scan_of_times: Callable[..., Volume]
) -> None:
    volume = scan_of_times(codes)
    data, keywords, _ = volume_to_layer(volume, "sha256:aa", (0.0, 1.0))
    assert np.shares_memory(data, volume.further.array)
    assert np.array_equal(data[t], Display.of(volume).show(volume.further.array[..., t]))
    assert "affine" not in keywords
    assert min(keywords["scale"]) > 0


def test_lazy_volumes_pass_through_unread(
    scan_of_times: Callable[..., Volume], open_volume: Open, viewer: ViewerModel
) -> None:
    import dask.array as da

    read: list[object] = []

    def lazily(array: Any) -> Any:
        def block(part: np.ndarray, block_info: Any = None) -> np.ndarray:
            read.append(block_info)
            return part

        chunks = (*array.shape[:3], 1)
        return da.from_array(array, chunks=chunks).map_blocks(block, dtype=array.dtype)

    session = open_volume(scan_of_times("PIR", lazily))
    read.clear()
    bound = Binding(session, viewer)
    assert isinstance(bound.image.data, da.Array)
    assert len(read) <= 4, "only what is shown is read"
    viewer.dims.set_current_step(0, 4)
    expected = bound.display.show(np.asarray(session.volume.further.array)[..., 4])
    assert np.array_equal(np.asarray(bound.image.data[4]), expected)
    bound.detach()


def test_no_view_runs_along_time(
    scan_of_times: Callable[..., Volume], open_volume: Open, viewer: ViewerModel
) -> None:
    bound = Binding(open_volume(scan_of_times()), viewer)
    for _ in range(7):
        viewer.dims.roll()
        assert 0 not in viewer.dims.displayed
        assert all(bound.orientation.letters.values())
    viewer.dims.transpose()
    viewer.dims.order = (3, 2, 1, 0)
    assert viewer.dims.order[0] == 0
    bound.detach()


def test_planes_and_landmarks_of_several_volumes_are_those_of_one(
    scan_of_times: Callable[..., Volume], open_volume: Open, viewer: ViewerModel
) -> None:
    bound = Binding(open_volume(scan_of_times("RAS")), viewer)
    viewer.dims.set_current_step(0, 2)
    bound.points.add([4, 3, 2])
    (mark,) = bound.session.landmarks.placed
    for plane, order in VIEWS.items():
        bound.orientation.show_plane(plane)
        assert viewer.dims.order == (0, *(a + 1 for a in order))
        viewer.dims.set_current_step(1, 0)
        bound.go_to(mark.name)
        assert viewer.dims.current_step == (2, 4, 3, 2), "the volume stays"
        world = np.array(bound.display.translate) + np.array([4, 3, 2]) * bound.display.scale
        shown = [world[a - 1] for a in viewer.dims.displayed]
        assert np.allclose(viewer.scene.camera.center[-2:], shown)
    bound.orientation.show_plane("3D")
    assert viewer.dims.displayed == (2, 1, 3)
    assert bound.orientation.letters["right"] == "L"
    bound.detach()


def test_the_slab_of_faded_landmarks_is_not_a_slab_of_times(
    scan_of_times: Callable[..., Volume], open_volume: Open, viewer: ViewerModel
) -> None:
    bound = Binding(open_volume(scan_of_times()), viewer)
    assert viewer.dims.thickness[0] == 0
    assert min(viewer.dims.thickness[1:]) >= 2.5
    bound.detach()


def test_a_scan_of_one_volume_has_no_further_axis(
    gappy_scan: Volume, open_volume: Open, viewer: ViewerModel
) -> None:
    bound = Binding(open_volume(gappy_scan), viewer)
    assert viewer.dims.ndim == 3
    assert bound.volume_number == 0
    bound.detach()
