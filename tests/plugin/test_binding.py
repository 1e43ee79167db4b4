"""A session in a viewer: strokes in, undo out, landmarks both ways. No window needed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_medlabel.errors import InputError
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.model.presets import Window
from napari_medlabel.model.volume import Source, Volume
from napari_medlabel.plugin.binding import Binding
from napari_medlabel.plugin.layers import KEY
from napari_medlabel.plugin.orientation import VIEWS
from napari_medlabel.plugin.windows import initial_window, percentile_window
from napari_medlabel.session.case import Session


@pytest.fixture
def binding(session: Session, viewer: ViewerModel) -> Binding:
    bound = Binding(session, viewer)
    yield bound
    bound.detach()


def test_the_viewer_gets_scan_labels_and_landmarks(
    binding: Binding, viewer: ViewerModel
) -> None:
    assert [type(layer).__name__ for layer in viewer.layers] == ["Image", "Labels", "Points"]
    for layer in viewer.layers:
        assert layer.metadata[KEY]["case"] == binding.session.place.case
        assert [str(u) for u in layer.units] == ["millimeter"] * 3
        assert layer.axis_labels == ("S", "P", "L")
        assert np.allclose(np.asarray(layer.affine), np.eye(4))


def test_a_stroke_is_one_step_and_undo_goes_through_the_session(binding: Binding) -> None:
    binding.labels.mode = "paint"
    binding.labels.brush_size = 3
    binding.labels.paint((2, 5, 5), 2)
    assert binding.session.history.undo_name == "Paint"
    assert binding.session.labels.voxel_counts() == {2: 5}
    binding.labels.undo()
    assert binding.session.labels.voxel_counts() == {}
    binding.labels.redo()
    assert binding.session.labels.voxel_counts() == {2: 5}


def test_several_atoms_of_one_stroke_are_one_step(binding: Binding) -> None:
    with binding.labels.block_history():
        binding.labels.paint((2, 4, 4), 1)
        binding.labels.paint((2, 6, 6), 1)
    assert len(binding.session.history) == 1


def test_fill_erase_and_setitem_are_steps(binding: Binding) -> None:
    binding.labels.mode = "fill"
    binding.labels.fill((1, 1, 1), 4)
    binding.labels.mode = "erase"
    binding.labels.paint((1, 5, 5), 0)
    binding.labels.data_setitem((np.array([3]), np.array([3]), np.array([3])), 5)
    assert len(binding.session.history) == 3
    for _ in range(3):
        binding.labels.undo()
    assert not binding.session.labels.array.any()


def test_a_polygon_is_a_step(binding: Binding) -> None:
    binding.labels.mode = "polygon"
    binding.labels.paint_polygon([[2, 1, 1], [2, 1, 8], [2, 8, 8], [2, 8, 1]], 6)
    assert binding.session.history.undo_name == "Polygon"
    assert set(binding.session.labels.voxel_counts()) == {6}
    binding.labels.undo()
    assert not binding.session.labels.array.any()


def test_an_array_given_to_the_layer_is_taken_into_our_buffer(binding: Binding) -> None:
    binding.labels.data = np.full(binding.display.shape, 3, np.uint8)
    assert np.shares_memory(binding.labels.data, binding.session.labels.array)
    assert binding.session.labels.voxel_counts() == {3: binding.session.labels.grid.size}
    assert binding.session.unattributed[0].origin == "unattributed"
    binding.labels.undo()
    assert not binding.session.labels.array.any()


def test_napari_keeps_no_second_history(binding: Binding) -> None:
    binding.labels.paint((2, 5, 5), 2)
    assert len(binding.labels._undo_history) == 0


def test_clicked_points_get_the_next_names_in_patient_mm(binding: Binding) -> None:
    for n in range(3):
        binding.points.add([2, 3 + n, 4])
    placed = binding.session.landmarks.placed
    assert [m.name for m in placed] == ["Liver dome", "Xiphoid tip", "L1 top"]
    assert list(binding.points.features["name"]) == [m.name for m in placed]
    expected = binding.display.to_ras(np.array([2, 3, 4]))
    assert placed[0].point_ras == pytest.approx(tuple(expected))


def test_points_beyond_the_template_get_numbers(binding: Binding) -> None:
    count = len(binding.session.landmarks)
    for n in range(count + 2):
        binding.points.add([1, n % 9, 2])
    names = [m.name for m in binding.session.landmarks]
    assert names[count:] == [f"Point {count + 1}", f"Point {count + 2}"]


def test_undo_moves_and_removes_points(binding: Binding) -> None:
    binding.points.add([2, 3, 4])
    binding.points.add([2, 5, 4])
    binding.session.undo()
    assert len(binding.points.data) == 1
    assert list(binding.points.features["name"]) == ["Liver dome"]
    binding.session.redo()
    assert len(binding.points.data) == 2


def test_a_removed_point_unplaces_its_landmark(binding: Binding) -> None:
    binding.points.add([2, 3, 4])
    binding.points.add([2, 5, 4])
    binding.points.selected_data = {0}
    binding.points.remove_selected()
    assert [m.name for m in binding.session.landmarks.placed] == ["Xiphoid tip"]
    binding.points.add([3, 3, 3])
    assert binding.session.landmarks["Liver dome"].is_placed


def test_a_removed_place_takes_the_point_away(binding: Binding) -> None:
    binding.points.add([2, 3, 4])
    binding.session.place_landmark("Liver dome", None)
    assert len(binding.points.data) == 0


def test_a_labels_layer_made_on_the_scan_is_stamped(
    binding: Binding, viewer: ViewerModel
) -> None:
    made = viewer.add_labels(
        np.zeros(binding.display.shape, np.uint8), **binding.display.geometry()
    )
    assert made.metadata[KEY]["case"] == binding.session.place.case
    other = viewer.add_labels(np.zeros((3, 3, 3), np.uint8), **binding.display.geometry())
    assert KEY not in other.metadata


@pytest.mark.parametrize(
    ("plane", "letters"),
    [
        ("Axial", {"top": "A", "bottom": "P", "left": "R", "right": "L"}),
        ("Coronal", {"top": "S", "bottom": "I", "left": "R", "right": "L"}),
        ("Sagittal", {"top": "S", "bottom": "I", "left": "A", "right": "P"}),
    ],
)
def test_sides_of_each_plane(
    binding: Binding, viewer: ViewerModel, plane: str, letters: dict[str, str]
) -> None:
    viewer.dims.order = VIEWS[plane]
    assert binding.orientation.letters == letters
    viewer.dims.ndisplay = 3
    assert binding.orientation.letters == letters


def test_neurological_display_swaps_left_and_right_only(
    binding: Binding, viewer: ViewerModel
) -> None:
    binding.orientation.radiological = False
    assert binding.orientation.letters == {"top": "A", "bottom": "P", "left": "L", "right": "R"}
    viewer.dims.order = VIEWS["Sagittal"]
    assert binding.orientation.letters["left"] == "A"


@pytest.mark.parametrize("radiological", [True, False])
@pytest.mark.parametrize(
    "order", [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]
)
def test_3d_is_never_a_mirror_image(
    binding: Binding, viewer: ViewerModel, order: tuple[int, int, int], radiological: bool
) -> None:
    binding.orientation.radiological = radiological
    viewer.dims.order = order
    viewer.dims.ndisplay = 3
    even = order in {(0, 1, 2), (1, 2, 0), (2, 0, 1)}
    assert str(viewer.scene.camera.handedness) == ("left" if even else "right")


def test_sides_are_not_named_where_the_file_does_not_say(
    session: Session, viewer: ViewerModel
) -> None:
    from dataclasses import replace

    session.volume = replace(session.volume, is_oriented=False)
    bound = Binding(session, viewer)
    assert set(bound.orientation.letters.values()) == {"?"}
    bound.detach()


def test_windows_widen_the_slider(binding: Binding) -> None:
    binding.set_window(Window("Wide", -5000, 9000))
    assert tuple(binding.image.contrast_limits) == (-5000, 9000)
    assert binding.image.contrast_limits_range[1] >= 9000


def test_a_scan_without_values_still_has_a_window(session: Session) -> None:
    window = percentile_window(session.volume)
    assert window.low < window.high
    assert initial_window(session.volume) == window


def test_go_to_shows_the_slice_of_a_landmark(binding: Binding, viewer: ViewerModel) -> None:
    binding.points.add([4, 3, 2])
    viewer.dims.set_current_step(0, 0)
    binding.go_to("Liver dome")
    assert viewer.dims.current_step == (4, 3, 2)
    binding.go_to("L1 top")
    assert viewer.dims.current_step == (4, 3, 2)


def test_after_detaching_the_session_hears_nothing(
    session: Session, viewer: ViewerModel
) -> None:
    bound = Binding(session, viewer)
    bound.detach()
    bound.labels.paint((2, 5, 5), 2)
    assert len(session.history) == 0
    bound.remove_layers()
    assert len(viewer.layers) == 0


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (np.full((6, 10, 12), 300, np.int64), "values go from 0 to 300"),
        (np.full((6, 10, 12), -1, np.int32), "values go from -1"),
        (np.ones((6, 10, 11), np.uint8), "shape is"),
    ],
)
def test_an_array_that_would_change_is_refused(
    binding: Binding, given: np.ndarray, why: str
) -> None:
    binding.labels.paint((2, 5, 5), 2)
    before = binding.session.labels.array.copy()
    with pytest.raises(InputError, match=why):
        binding.labels.data = given
    assert np.array_equal(binding.session.labels.array, before)
    assert np.shares_memory(binding.labels.data, binding.session.labels.array)


def test_a_layer_of_ones_own_can_be_taken_in_as_a_step(
    binding: Binding, viewer: ViewerModel
) -> None:
    binding.labels.paint((2, 5, 5), 2)
    own = np.zeros(binding.display.shape, np.int32)
    own[4, 5, 5:9] = 4
    layer = viewer.add_labels(own, **binding.display.geometry())
    binding.take_in(layer)
    counts = binding.session.labels.voxel_counts()
    assert counts[4] == 4
    assert binding.session.history.undo_name == "Take in a layer"
    own[0, 0, 0] = 999
    with pytest.raises(InputError, match="do not fit"):
        binding.take_in(layer)


@pytest.mark.parametrize(
    ("codes", "plane"), [("LPS", "Axial"), ("LSP", "Coronal"), ("PSL", "Sagittal")]
)
def test_the_plane_of_the_slices_is_shown_first(
    codes: str,
    plane: str,
    make_grid: Callable[..., Grid],
    open_volume: Callable[[Volume], Session],
    viewer: ViewerModel,
) -> None:
    grid = make_grid(codes)
    volume = Volume(grid, np.zeros(grid.shape, np.uint8), Source("dicom", (), ("ab" * 32,)))
    bound = Binding(open_volume(volume), viewer)
    assert bound.orientation.plane == plane
    sliding = viewer.dims.not_displayed[0]
    assert bound.display.shape[sliding] == grid.shape[2]
    bound.orientation.show_plane("3D")
    assert bound.orientation.plane == "3D"
    bound.detach()


def test_a_binding_made_in_turns_is_that_made_at_once(
    session: Session, viewer: ViewerModel
) -> None:
    bound = Binding(session, viewer, at_once=False)
    counts = [len(viewer.layers), *(len(viewer.layers) for _ in bound.turns)]
    assert counts == [0, 1, 2, 3, 3], "each turn makes one layer, the last one shows a plane"
    bound.labels.mode = "paint"
    bound.labels.paint((2, 5, 5), 2)
    assert session.history.undo_name == "Paint"
    assert bound.keys is not None
    bound.detach()


@pytest.mark.parametrize("turns", [0, 1, 2, 3, 4, 5])
def test_a_binding_given_up_in_any_turn_leaves_the_viewer_as_it_was(
    session: Session, viewer: ViewerModel, turns: int
) -> None:
    before = set(viewer.canvas.overlays)
    bound = Binding(session, viewer, at_once=False)
    for _ in range(turns):
        next(bound.turns, None)
    bound.abandon()
    assert len(viewer.layers) == 0
    assert set(viewer.canvas.overlays) == before
    again = Binding(session, viewer)
    assert len(viewer.layers) == 3
    again.detach()
