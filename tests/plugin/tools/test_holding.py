"""Who has the mouse: our tool or napari's, never both."""

from __future__ import annotations

from napari.components import ViewerModel
from napari.layers import Shapes

from napari_medlabel.plugin.sight.views import Views
from napari_medlabel.plugin.tools.plain_colours import prefer_plain_colours
from napari_medlabel.plugin.tools.sketch import add_aside, thinned
from tests.plugin.tools.conftest import Bench


def test_while_a_tool_is_held_napari_neither_paints_nor_moves_the_camera(bench: Bench) -> None:
    labels, camera = bench.kit.binding.labels, bench.kit.binding.viewer.scene.camera
    labels.mode = "paint"
    bench.take("brush", size_mm=7.0)
    assert str(labels.mode) == "pan_zoom"
    assert not camera.mouse_pan
    cursor = bench.kit.binding.viewer.cursor
    assert (cursor.style, cursor.size) == ("circle", 7.0)
    # Else napari draws a dark square behind the circle, over the voxel to be painted.
    assert not bench.kit.binding.viewer.canvas.overlays._brush_circle.box
    bench.holding.drop()
    assert camera.mouse_pan
    assert bench.kit.binding.pointing.hand is None


def test_what_lies_under_the_mouse_is_said_during_a_stroke_too(bench: Bench) -> None:
    views = Views(bench.session, bench.kit.binding)
    said: list[str] = []
    views.pointed.connect(said.append)
    bench.show("Axial", 5, 5, 5)
    bench.take("brush", size_mm=1.0)
    bench.mouse.press(5, 5, 5)
    bench.mouse.move(9, 5, 5)
    assert "voxel 9, 5, 5" in said[-1]
    assert said[-1].endswith("1 Liver")
    bench.mouse.move(14, 5, 5)
    assert "voxel 14, 5, 5" in said[-1]
    bench.mouse.release(14, 5, 5)
    views.detach()


def test_a_mode_of_naparis_puts_the_tool_down(bench: Bench) -> None:
    labels = bench.kit.binding.labels
    bench.take("brush")
    labels.mode = "paint"
    assert bench.holding.hand is None
    assert str(labels.mode) == "paint"
    assert labels.cursor == "circle"


def test_taking_a_tool_up_takes_the_mouse_from_landmarks(bench: Bench) -> None:
    binding = bench.kit.binding
    binding.viewer.layers.selection.active = binding.points
    binding.points.mode = "add"
    bench.take("brush", size_mm=0.2)
    bench.show("Axial", 5, 5, 5)
    assert bench.mouse.click(5, 5, 5)
    assert bench.labels[5, 5, 5] == 1
    assert len(binding.points.data) == 0


def test_another_layer_of_the_person_puts_the_tool_down_and_a_sketch_does_not(
    bench: Bench,
) -> None:
    binding = bench.kit.binding
    bench.take("outline")
    bench.show("Axial", 5, 5, 5)
    bench.mouse.click(5, 5, 5)
    bench.mouse.move(9, 9, 5)
    assert bench.holding.hand is not None
    binding.viewer.layers.selection.active = binding.points
    assert bench.holding.hand is None


def test_several_selected_layers_put_the_tool_down_for_nothing_would_paint(
    bench: Bench,
) -> None:
    binding = bench.kit.binding
    bench.take("brush")
    binding.viewer.layers.selection = {binding.labels, binding.image}
    assert bench.holding.hand is None
    assert binding.labels.mouse_pan
    assert binding.viewer.scene.camera.mouse_pan


def test_with_no_layer_selected_the_mouse_takes_the_labels_up_again(bench: Bench) -> None:
    binding = bench.kit.binding
    viewer = binding.viewer
    bench.take("brush", size_mm=0.2)
    bench.show("Axial", 5, 5, 5)
    viewer.layers.selection.clear()
    assert viewer.layers.selection.active is None
    for moved in viewer.mouse_move_callbacks:
        moved(viewer, None)
    assert viewer.layers.selection.active is binding.labels
    assert not viewer.scene.camera.mouse_pan
    bench.mouse.click(5, 5, 5)
    assert bench.labels[5, 5, 5] == 1
    bench.holding.drop()
    viewer.layers.selection.clear()
    for moved in viewer.mouse_move_callbacks:
        moved(viewer, None)
    assert viewer.layers.selection.active is None


def test_a_measurement_drawn_beside_does_not_break_a_tool(bench: Bench) -> None:
    binding = bench.kit.binding
    shapes = Shapes(ndim=3, name="Measurements")
    add_aside(binding.viewer, shapes)
    assert binding.viewer.layers.selection.active is binding.labels
    binding.viewer.layers.selection.active = shapes
    bench.take("brush", size_mm=0.2)
    bench.show("Axial", 5, 5, 5)
    bench.mouse.click(5, 5, 5)
    assert bench.labels[5, 5, 5] == 1


def test_a_tool_is_held_in_views_that_come_later_too(bench: Bench) -> None:
    binding = bench.kit.binding
    bench.take("brush", size_mm=9.0)
    other = ViewerModel()
    twin = other.add_labels(binding.labels.data, scale=binding.display.scale)
    binding.pointing.attach(other, twin)
    assert not other.scene.camera.mouse_pan
    assert (other.cursor.style, other.cursor.size) == ("circle", 9.0)
    bench.holding.drop()
    assert other.scene.camera.mouse_pan
    binding.pointing.detach(twin)
    bench.take("eraser")
    assert twin.mouse_pan


def test_space_lets_the_mouse_move_the_camera_for_a_moment(bench: Bench) -> None:
    bench.take("brush")
    bench.holding.pan(True)
    assert bench.kit.binding.viewer.scene.camera.mouse_pan
    bench.holding.pan(False)
    assert not bench.kit.binding.viewer.scene.camera.mouse_pan


def test_the_mouse_in_3d_is_left_to_the_camera(bench: Bench) -> None:
    bench.take("brush")
    bench.kit.binding.orientation.show_plane("3D")
    assert not bench.mouse.click(5, 5, 5)
    assert not bench.labels.any()


def test_a_long_line_is_thinned_for_the_screen_with_its_ends_kept() -> None:
    line = [(float(n), 0.0, 0.0) for n in range(1000)]
    thin = thinned(line, 50)
    assert len(thin) <= 50
    assert thin[0].tolist() == [0, 0, 0]
    assert thin[-1].tolist() == [999, 0, 0]


def test_labels_are_coloured_by_numpy_unless_chosen_otherwise(monkeypatch) -> None:
    from napari.settings import get_settings
    from napari.utils.colormap_backend import ColormapBackend, get_backend, set_backend

    before = get_backend()
    try:
        assert prefer_plain_colours()
        assert get_backend() == ColormapBackend.pure_python
        set_backend(ColormapBackend.numba)
        monkeypatch.setattr(get_settings().experimental, "colormap_backend", "numba")
        assert not prefer_plain_colours()
    finally:
        set_backend(before)
