"""Several views of one case on one cross-hair, without a window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_medlabel.geometry.grid import Grid
from napari_medlabel.model.presets import Window
from napari_medlabel.model.volume import Source, Volume
from napari_medlabel.plugin.binding import Binding
from napari_medlabel.plugin.display import PLANES
from napari_medlabel.plugin.sight.view import COLOURS, SideView
from napari_medlabel.plugin.sight.views import Views
from napari_medlabel.plugin.sight.words import mm_words
from napari_medlabel.session.case import Session

Open = Callable[[Volume], Session]


@pytest.fixture
def views(session: Session, viewer: ViewerModel) -> Views:
    bound = Binding(session, viewer)
    made = Views(session, bound)
    made.open_planes()
    yield made
    made.detach()
    bound.detach()


def side_of(views: Views, plane: str) -> SideView:
    return next(side for side in views.sides if side.plane == plane)


def slices(views: Views) -> dict[str, int]:
    return {view.plane: view.place(views.cross)[view.axis] for view in views.all}


def mm_side(views: Views, view: Any) -> str:
    part = mm_words(views.cross.point_ras)[: -len(" mm")].split("  ")
    return part[2 - view.axis]


def drawn(view: Any, layer: Any) -> np.ndarray:
    """Return the slice that a layer shows now."""
    return np.asarray(layer._slice.image.raw)


def press(view: Any, point_zyx: tuple[float, ...], **words: Any) -> SimpleNamespace:
    """Make a napari mouse event over a point of the scan."""
    cross = words.pop("views").cross
    world = [cross.world_at(axis, index) for axis, index in enumerate(point_zyx)]
    before = view.model.dims.ndim - 3
    position = (*view.model.dims.point[:before], *world)
    known = {
        "type": "mouse_press",
        "button": 1,
        "modifiers": (),
        "pos": (50, 50),
        "handled": False,
        "delta": (0.0, 0.0),
    }
    return SimpleNamespace(**{**known, "position": position, **words})


def test_views_share_every_array_and_nothing_is_copied(views: Views) -> None:
    assert [view.plane for view in views.all] == list(PLANES)
    assert all(view.words.startswith(f"{view.plane} ") for view in views.all)
    bound = views.binding
    for side in views.sides:
        assert len(side.model.layers) == len(bound.viewer.layers)
        for layer in (bound.image, bound.labels):
            twin = side.twin_of(layer)
            assert np.shares_memory(twin.data, layer.data)
            assert tuple(twin.scale) == tuple(layer.scale)
            assert twin.metadata == layer.metadata
            assert [str(unit) for unit in twin.units] == ["millimeter"] * 3
        assert side.model.dims.thickness == bound.viewer.dims.thickness[-3:]
    # One slice, whatever thickness landmarks fade over: napari's own way is the mean of it.
    for view in views.all:
        image = views.binding.image
        image = view.twin_of(image) if isinstance(view, SideView) else image
        assert str(image.projection_mode) == "none"
        at = views.cross.voxel_zyx[view.axis]
        shown = drawn(view, image)
        wanted = np.take(image.data, at, axis=view.axis)
        assert np.array_equal(shown, wanted) or np.array_equal(shown.T, wanted)


def test_scrolling_any_view_takes_the_cross_hair_and_nothing_else_along(views: Views) -> None:
    before = slices(views)
    for axis, plane in enumerate(PLANES):
        view = next(v for v in views.all if v.plane == plane)
        asked: list[str] = []
        for other in views.all:
            other.model.dims.events.current_step.connect(
                lambda _event, p=other.plane, heard=asked: heard.append(p)
            )
        view.model.dims.set_current_step(axis, 1)
        assert views.cross.voxel_zyx[axis] == 1
        assert slices(views)[plane] == 1
        assert set(asked) <= {plane}, "no other view was sliced anew"
        views.scroll(view, 1)
        assert slices(views)[plane] == 2
        assert {p: n for p, n in slices(views).items() if p not in PLANES[: axis + 1]} == {
            p: n for p, n in before.items() if p not in PLANES[: axis + 1]
        }
    views.scroll(views.first, -99)
    assert slices(views)["Axial"] == 0


def test_a_click_or_a_jump_sets_the_cross_hair_and_the_others_show_that_voxel(
    views: Views,
) -> None:
    coronal = side_of(views, "Coronal")
    stays = slices(views)["Coronal"]
    views.point_at(coronal, np.array([1.2, 99.0, 3.4]))
    assert views.cross.voxel_zyx == (1, stays, 3)
    assert slices(views) == {"Axial": 1, "Coronal": stays, "Sagittal": 3}
    for view in views.all:
        assert view.words.startswith(view.plane)
        assert mm_side(views, view) in view.words
    # A jump from outside takes all views along.
    views.session.place_landmark(
        views.session.landmarks.next_name, views.cross._display.to_ras((1, 2, 3))
    )
    placed = views.session.landmarks.placed[0].name
    heard: list[int] = []
    views.moved.connect(lambda: heard.append(1))
    views.point_at(views.first, np.array([0.0, 2.0, 9.0]))
    views.binding.go_to(placed)
    assert views.cross.voxel_zyx == (1, 2, 3)
    assert slices(views) == {"Axial": 1, "Coronal": 2, "Sagittal": 3}
    views.go_to_voxel((5, 5, 5))
    assert views.cross.voxel_ijk == (5, 5, 5)
    views.go_to_ras(views.session.landmarks[placed].point_ras)
    assert views.cross.voxel_zyx == (1, 2, 3)
    assert heard
    # What is off the canvas is brought back.
    for view in views.all:
        view.model.scene.camera.zoom = 100
        view.model.scene.camera.center = (0, 500, 500)
    views.go_to_voxel((2, 2, 2))
    for view in views.all:
        wanted = [views.cross.world[a] for a in view.across]
        assert np.allclose(view.model.scene.camera.center[-2:], wanted)
        assert not view.reveal(views.cross)


def test_turning_the_first_view_swaps_planes_and_keeps_the_cross_hair(views: Views) -> None:
    views.go_to_voxel(tuple(views.display.index_ijk((3, 7, 2)).astype(int)))
    views.show_plane("Sagittal")
    assert [view.plane for view in views.all] == ["Sagittal", "Coronal", "Axial"]
    assert views.cross.voxel_zyx == (3, 7, 2)
    assert slices(views) == {"Sagittal": 2, "Coronal": 7, "Axial": 3}
    # napari's own key that rolls the axes.
    views.binding.viewer.dims.roll()
    assert sorted(view.plane for view in views.all) == sorted(PLANES)
    views.show_plane("3D")
    assert views.first.plane == "3D"
    views.show_plane(views.sides[0].plane)
    assert sorted(view.plane for view in views.all) == sorted(PLANES)
    assert views.cross.voxel_zyx == (3, 7, 2)


def test_painting_in_any_view_is_one_step_and_is_seen_in_all(views: Views) -> None:
    session, labels = views.session, views.binding.labels
    for value, view in enumerate(views.all, 1):
        layer = view.twin_of(labels) if isinstance(view, SideView) else labels
        labels.selected_label, labels.brush_size = value, 1
        layer.mode = "paint"
        assert str(labels.mode) == "paint"
        assert layer.selected_label == value
        layer.paint(views.cross.voxel_zyx, value)
        assert session.labels.voxel_counts() == {value: 1}
        assert session.labels.array[views.cross.voxel_ijk] == value
        assert session.history.undo_name == "Paint"
        views.flush()
        for other in views.all:
            shown = other.twin_of(labels) if isinstance(other, SideView) else labels
            assert (drawn(other, shown) == value).sum() == 1, (view.plane, other.plane)
        layer.undo()
        views.flush()
        assert session.labels.voxel_counts() == {}
        for side in views.sides:
            assert not drawn(side, side.twin_of(labels)).any()
        layer.redo()
        assert session.labels.voxel_counts() == {value: 1}
        layer.undo()


def test_a_stroke_elsewhere_draws_no_other_view(views: Views) -> None:
    z, y, x = views.cross.voxel_zyx
    elsewhere = views.binding.display.index_ijk((z, y + 2, x + 2)).round().astype(int)
    here = views.cross.voxel_ijk
    stroke = views.session.bench.stroke("Brush", (1,))
    heard: list[int] = []
    views.stale.connect(lambda: heard.append(1))
    box = tuple(slice(int(n), int(n) + 1) for n in elsewhere)
    stroke.put(box, np.ones((1, 1, 1), bool), 1)
    assert heard == []
    box = tuple(slice(n, n + 1) for n in here)
    stroke.put(box, np.ones((1, 1, 1), bool), 1)
    assert heard == [1, 1]
    views.flush()
    for side in views.sides:
        assert (drawn(side, side.twin_of(views.binding.labels)) == 1).any()
    stroke.finish()


def test_looks_are_one_for_all_views(views: Views) -> None:
    bound = views.binding
    bound.set_window(Window("Narrow", 10, 20))
    bound.labels.opacity = 0.3
    bound.labels.contour = 2
    bound.points.visible = False
    colours = bound.labels.colormap
    for side in views.sides:
        assert tuple(side.twin_of(bound.image).contrast_limits) == (10, 20)
        assert side.twin_of(bound.labels).opacity == 0.3
        assert side.twin_of(bound.labels).contour == 2
        assert not side.twin_of(bound.points).visible
        assert side.twin_of(bound.labels).colormap == colours
    first, second = views.sides
    first.twin_of(bound.labels).selected_label = 3
    first.twin_of(bound.image).gamma = 0.5
    assert bound.labels.selected_label == 3
    assert second.twin_of(bound.labels).selected_label == 3
    assert second.twin_of(bound.image).gamma == 0.5
    bound.viewer.layers.selection.active = bound.points
    assert first.model.layers.selection.active is first.twin_of(bound.points)
    first.model.layers.selection.active = first.twin_of(bound.labels)
    assert bound.viewer.layers.selection.active is bound.labels


def test_landmarks_are_placed_moved_and_removed_in_any_view(views: Views) -> None:
    session, points = views.session, views.binding.points
    first, second = views.sides
    mine = first.twin_of(points)
    name = session.landmarks.next_name
    mine.add([1, 2, 3])
    views.flush()
    assert session.landmarks[name].is_placed
    assert len(second.twin_of(points).data) == 1
    assert list(mine.features["name"]) == [name]
    mine.data = np.array([[1.0, 4.0, 3.0]])
    views.flush()
    assert np.allclose(session.landmarks[name].point_ras, views.display.to_ras((1.0, 4.0, 3.0)))
    assert np.allclose(second.twin_of(points).data, [[1, 4, 3]])
    mine.remove([0])
    views.flush()
    assert not session.landmarks[name].is_placed
    assert len(second.twin_of(points).data) == 0
    session.undo()
    views.flush()
    assert len(mine.data) == 1


def test_layers_that_come_and_go_do_so_in_all_views(views: Views) -> None:
    viewer = views.binding.viewer
    geometry = views.display.geometry()
    array = np.zeros(views.display.shape, np.uint8)
    preview = viewer.add_labels(array, name="Preview", **geometry)
    outline = viewer.add_shapes(
        [np.array([[1, 1, 1], [1, 4, 4]])], shape_type="line", ndim=3, **geometry
    )
    side = views.sides[0]
    twin = side.twin_of(preview)
    assert twin.data is preview.data
    viewer.layers.move(viewer.layers.index(preview), 0)
    assert side.model.layers.index(twin) == 0
    # An array that is changed in place and drawn anew.
    preview.refresh()
    array[:, views.cross.voxel_zyx[1]] = 7
    preview.refresh()
    views.flush()
    assert (drawn(side, twin) == 7).all()
    outline.add([np.array([[2, 2, 2], [2, 5, 5]])], shape_type="line")
    views.flush()
    assert len(side.twin_of(outline).data) == 2
    viewer.layers.remove(preview)
    viewer.layers.remove(outline)
    assert twin not in side.model.layers
    viewer.add_image(np.zeros((4, 4)))
    assert len(side.model.layers) == 3, "a flat picture has no place in other planes"


def test_the_mouse_clicks_leads_scrolls_and_zooms(views: Views) -> None:
    side = side_of(views, "Sagittal")
    mouse = views._mice[id(side)]
    click = press(side, (2, 3, 4), views=views)
    gen = mouse._press(side.model, click)
    next(gen)
    assert not click.handled, "a drag is still the camera's"
    click.type = "mouse_release"
    assert next(gen, "done") == "done"
    x = views.cross.voxel_zyx[2]
    assert views.cross.voxel_zyx == (2, 3, x)
    drag = press(side, (5, 5, 4), views=views)
    gen = mouse._press(side.model, drag)
    next(gen)
    drag.type, drag.pos = "mouse_move", (90, 50)
    assert next(gen, "done") == "done"
    assert views.cross.voxel_zyx == (2, 3, x), "that was a drag"
    lead = press(side, (4, 4, 4), views=views, modifiers=("Shift",))
    gen = mouse._press(side.model, lead)
    next(gen)
    assert lead.handled
    lead.type = "mouse_move"
    lead.position = press(side, (1, 1, 4), views=views).position
    next(gen)
    assert views.cross.voxel_zyx == (1, 1, x)
    assert views.current is side
    mouse._wheel(side.model, press(side, (1, 1, 1), views=views, delta=(0.0, -2.0)))
    assert views.cross.voxel_zyx == (1, 1, x - 2)
    zoom = side.model.scene.camera.zoom
    over = press(side, (3, 3, 3), views=views, delta=(0.0, 1.0), modifiers=("Control",))
    mouse._wheel(side.model, over)
    assert side.model.scene.camera.zoom > zoom
    heard: list[Any] = []
    views.double_clicked.connect(heard.append)
    mouse._double(side.model, press(side, (1, 1, 1), views=views))
    assert heard == [side]


def test_keys_held_in_a_window_are_told_by_their_names(views: Views) -> None:
    from vispy.util.keys import CONTROL, SHIFT

    side = views.sides[0]
    mouse = views._mice[id(side)]
    lead = press(side, (4, 4, 4), views=views, modifiers=(SHIFT,))
    next(mouse._press(side.model, lead))
    assert lead.handled
    zoom = side.model.scene.camera.zoom
    over = press(side, (3, 3, 3), views=views, delta=(0.0, 1.0), modifiers=(CONTROL,))
    mouse._wheel(side.model, over)
    assert side.model.scene.camera.zoom > zoom


def test_a_tool_or_a_mode_has_the_mouse_first(views: Views) -> None:
    first, mouse = views.first, views._mice[id(views.first)]
    at = views.cross.voxel_zyx
    heard: list[Any] = []
    views.double_clicked.connect(heard.append)
    labels = views.binding.labels
    labels.mode = "paint"
    assert list(mouse._press(first.model, press(first, (1, 1, 1), views=views))) == []
    mouse._double(first.model, press(first, (1, 1, 1), views=views))
    labels.mode = "pan_zoom"
    views.binding.pointing.hand = SimpleNamespace()
    assert list(mouse._press(first.model, press(first, (1, 1, 1), views=views))) == []
    mouse._wheel(first.model, press(first, (1, 1, 1), views=views, delta=(0.0, 1.0)))
    mouse._double(first.model, press(first, (1, 1, 1), views=views))
    taken = press(first, (1, 1, 1), views=views, delta=(0.0, 1.0), handled=True)
    mouse._late_wheel(labels, taken)
    mouse._late_double(labels, taken)
    assert (views.cross.voxel_zyx, heard) == (at, [])
    left = press(first, (1, 1, 1), views=views, delta=(0.0, 1.0))
    mouse._late_wheel(labels, left)
    assert views.cross.voxel_zyx == (at[0] + 1, *at[1:])
    mouse._late_double(labels, press(first, (1, 1, 1), views=views))
    assert heard == [first]
    views.binding.pointing.hand = None
    assert not views.point_at_mouse()
    labels.mode = "paint"
    mouse._hover(first.model, press(first, (1, 2, 3), views=views))
    assert views.point_at_mouse()
    assert views.cross.voxel_zyx == (at[0] + 1, 2, 3)


def test_sides_are_right_in_every_view_and_convention(views: Views) -> None:
    def letters() -> dict[str, str]:
        return {v.plane: "".join(v.orientation.letters.values()) for v in views.all}

    # Top, bottom, left, right.
    assert letters() == {"Axial": "APRL", "Coronal": "SIRL", "Sagittal": "SIAP"}
    solid = views.open("3D")
    assert solid.plane == "3D"
    assert solid.model.scene.camera.handedness in ("left", "right")
    assert [type(layer).__name__ for layer in solid.model.layers] == ["Points"]
    assert solid.words == "3D"
    # Labels are not sent to the graphics card as a volume: that takes ten seconds.
    assert solid.twin_of(views.binding.labels) is None
    assert "".join(solid.orientation.letters.values()) == "SIRL"
    views.close(solid)
    views.set_radiological(False)
    assert letters() == {"Axial": "APLR", "Coronal": "SILR", "Sagittal": "SIAP"}
    assert set(COLOURS) == {*PLANES, "3D"}


def _lazily(array: np.ndarray) -> Any:
    import dask.array as da

    return da.from_array(array, chunks=(-1, -1, -1, 1))


@pytest.mark.parametrize("wrap", [np.asarray, _lazily])
def test_the_time_slider_drives_all_views(
    scan_of_times: Callable[..., Volume],
    open_volume: Open,
    viewer: ViewerModel,
    wrap: Callable[[Any], Any],
) -> None:
    session = open_volume(scan_of_times(wrap=wrap))
    bound = Binding(session, viewer)
    views = Views(session, bound)
    views.open_planes()
    viewer.dims.set_current_step(0, 3)
    for side in views.sides:
        assert side.model.dims.current_step[0] == 3
    first, second = views.sides
    first.model.dims.set_current_step(0, 1)
    assert bound.volume_number == 1
    assert second.model.dims.current_step[0] == 1
    light = np.argwhere(np.asarray(session.volume.further.array[..., 1]) == 1000)[0]
    views.go_to_voxel(tuple(int(v) for v in light))
    assert bound.volume_number == 1
    said: list[str] = []
    views.pointed.connect(said.append)
    for view in views.all:
        image = view.twin_of(bound.image) if isinstance(view, SideView) else bound.image
        assert (drawn(view, image) == 1000).any()
        views.say(view, (2.0, *views.cross.world))
    assert all("|   1000   |   no label" in words for words in said)
    views.say(first, None)
    assert said[-1] == ""
    views.detach()
    bound.detach()


def test_colours_work_in_all_views(
    colour_scan: Volume, open_volume: Open, viewer: ViewerModel
) -> None:
    bound = Binding(open_volume(colour_scan), viewer)
    views = Views(bound.session, bound)
    views.open_planes()
    views.go_to_voxel((3, 2, 1))
    said: list[str] = []
    views.pointed.connect(said.append)
    for view in views.all:
        image = view.twin_of(bound.image) if isinstance(view, SideView) else bound.image
        assert image.rgb
        assert (drawn(view, image).reshape(-1, 3) == (9, 200, 30)).all(axis=1).any()
        views.say(view, views.cross.world)
    assert all("RGB 9 / 200 / 30" in words for words in said)
    views.detach()
    bound.detach()


@pytest.mark.parametrize("codes", ["RAS", "SLA"])
def test_all_views_show_the_voxel_of_the_cross_hair_in_every_voxel_order(
    make_grid: Callable[..., Grid], open_volume: Open, viewer: ViewerModel, codes: str
) -> None:
    grid = make_grid(codes, shape=(9, 8, 7))
    array = np.arange(grid.size, dtype=np.uint16).reshape(grid.shape)
    source = Source("dicom", (Path("scan.dcm"),), ("ab" * 32,))
    session = open_volume(Volume(grid, array, source, modality="MR"))
    bound = Binding(session, viewer)
    views = Views(session, bound)
    views.open_planes()
    views.go_to_voxel((2, 5, 3))
    assert views.value_at_cross() == array[2, 5, 3]
    for view in views.all:
        image = view.twin_of(bound.image) if isinstance(view, SideView) else bound.image
        assert image.get_value(views.cross.world, world=True) == array[2, 5, 3]
        assert (drawn(view, image) == array[2, 5, 3]).sum() == 1
    views.detach()
    bound.detach()


def test_closing_leaves_napari_as_it_was(session: Session, viewer: ViewerModel) -> None:
    callbacks = [list(viewer.mouse_wheel_callbacks), list(viewer.mouse_double_click_callbacks)]
    bound = Binding(session, viewer)
    overlays = set(viewer.canvas.overlays)
    listening = _listeners(bound)
    views = Views(session, bound)
    views.open_planes()
    views.open("3D")
    assert len(views.sides) == 3
    views.close(views.sides[0])
    assert views.current is views.first
    views.detach()
    assert views.sides == []
    assert set(viewer.canvas.overlays) == overlays
    assert _listeners(bound) == listening
    now = [viewer.mouse_wheel_callbacks, viewer.mouse_double_click_callbacks]
    assert [set(one) for one in now] == [set(one) for one in callbacks]
    bound.labels.paint((2, 5, 5), 1)
    bound.detach()


def _listeners(bound: Binding) -> dict[str, int]:
    emitters = {
        f"{type(layer).__name__}.{name}": len(emitter.callbacks)
        for layer in bound.layers
        for name, emitter in layer.events.emitters.items()
    }
    dims = bound.viewer.dims.events
    return {
        **emitters,
        "step": len(dims.current_step.callbacks),
        "order": len(dims.order.callbacks),
        "steps": len(bound.session.step_done),
        "painted": len(bound.session.bench.painted),
    }
