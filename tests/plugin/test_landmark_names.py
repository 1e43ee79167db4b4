"""Names of landmarks in views: of what lies near the slice, and none over another."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_medlabel.model.measurements import Measurement, MeasurementSet
from napari_medlabel.plugin.binding import Binding
from napari_medlabel.plugin.landmark_names import LandmarkNames
from napari_medlabel.plugin.measurement_layer import MeasurementLayers
from napari_medlabel.plugin.name_board import NameBoard
from napari_medlabel.plugin.name_layout import text_size_px
from napari_medlabel.plugin.sight.views import Views
from napari_medlabel.session.case import Session


@pytest.fixture
def views(session: Session, viewer: ViewerModel) -> Views:
    binding = Binding(session, viewer)
    made = Views(session, binding)
    yield made
    made.detach()
    binding.detach()


def place(session: Session, *voxels: tuple[float, float, float]) -> list[str]:
    marks = session.landmarks
    names = [mark.name for mark in marks][: len(voxels)]
    for name, voxel in zip(names, voxels, strict=True):
        x, y, z = session.volume.grid.affine.apply(np.array(voxel, float))
        marks = marks.with_point(name, (float(x), float(y), float(z)))
    session.set_landmarks(marks)
    return names


def test_names_of_neighbours_stand_apart_in_each_view_and_go_with_the_slice(
    session: Session, views: Views
) -> None:
    points = views.binding.points
    shown = LandmarkNames(session, views)
    assert not points.text.visible
    assert shown.layers_of(views.first) == ()
    names = place(session, (5, 5, 2), (5.2, 5, 2), (5, 5.3, 2), (5.1, 5.2, 2))
    views.go_to_voxel((5, 5, 2))
    side = views.open("Coronal")
    for view in views.all:
        layer, lines = shown.layers_of(view)
        assert sorted(layer.features["words"]) == sorted(names)
        zoom = float(view.model.scene.camera.zoom) * np.array(views.display.scale)
        at = np.asarray(layer.data) * zoom
        rows, columns = view.across
        for n in range(4):
            for m in range(n):
                wide = sum(text_size_px(layer.features["words"][k])[1] for k in (n, m))
                apart = np.abs(at[n] - at[m])
                assert apart[rows] >= 20.0 - 1e-6 or apart[columns] >= wide / 2 - 1e-6
        # A line leads from its point to a name that is not beside it.
        starts = np.asarray(lines.data)[:, 0]
        known = np.asarray(points.data)[:, list(view.across)]
        assert all((np.abs(known - s).sum(axis=1) < 1e-6).any() for s in starts[:, view.across])
    twin = next(one for one in side.model.layers if one.name == points.name)
    assert not twin.text.visible
    views.go_to_voxel((5, 5, 5))
    near = float(views.first.model.dims.thickness[-3]) / 2 >= 3 * views.display.scale[0]
    assert (len(shown.layers_of(views.first)[0].data) > 0) == near
    views.show_plane("3D")
    assert len(shown.layers_of(views.first)[0].data) == 4
    views.go_to_voxel((5, 5, 2))
    points.visible = False
    assert shown.layers_of(views.first) == ()
    points.visible = True
    before = np.array(shown.layers_of(side)[0].data)
    side.model.scene.camera.zoom = side.model.scene.camera.zoom * 2.0
    assert not np.allclose(before, shown.layers_of(side)[0].data)
    views.close(side)
    shown.detach()
    assert points.text.visible
    assert "Landmark names" not in views.first.model.layers


def test_names_and_marks_do_not_count_where_a_view_is_fitted(
    session: Session, views: Views
) -> None:
    side = views.open("Coronal")
    views.go_to_voxel((5, 5, 2))
    for view in views.all:
        view.fit()
    bare = [float(view.model.scene.camera.zoom) for view in views.all]
    centres = [view.model.scene.camera.center for view in views.all]
    shown = LandmarkNames(session, views)
    place(session, (0, 0, 2), (0.2, 0, 2), (0, 0.3, 2), (0.1, 0.2, 2))
    views.go_to_voxel((0, 0, 2))
    for _ in range(3):
        for view in views.all:
            assert len(shown.layers_of(view)[0].data)
            view.fit()
        assert [float(v.model.scene.camera.zoom) for v in views.all] == pytest.approx(bare)
    assert [v.model.scene.camera.center for v in views.all] == [
        pytest.approx(centre) for centre in centres
    ]
    views.close(side)
    shown.detach()


def test_a_mark_is_one_size_on_the_screen_however_near_one_looks(
    session: Session, views: Views
) -> None:
    shown = LandmarkNames(session, views)
    place(session, (5, 5, 2))
    side = views.open("Coronal")
    views.go_to_voxel((5, 5, 2))
    for view, zoom in ((views.first, 2.0), (side, 30.0), (views.first, 0.5)):
        view.model.scene.camera.zoom = zoom
        points = views.binding.points
        marks = points if view is views.first else side.twin_of(points)
        on_screen = np.asarray(marks.size) * views.display.scale[2] * zoom
        assert on_screen == pytest.approx([10.0])
        assert marks.canvas_size_limits[1] == 10.0
    place(session, (5, 5, 2), (6, 5, 2))
    views.go_to_voxel((6, 5, 2))
    marks = side.twin_of(views.binding.points)
    views.go_to_voxel((5, 5, 2))
    zoom = side.model.scene.camera.zoom
    assert np.asarray(marks.size) * views.display.scale[2] * zoom == pytest.approx(
        np.full(len(marks.data), 10.0)
    )
    shown.detach()


def test_names_and_values_are_laid_out_together(session: Session, views: Views) -> None:
    board = NameBoard(views.display)
    values = MeasurementLayers(session, views, board)
    shown = LandmarkNames(session, views, board)
    place(session, (8, 4, 2), (8.2, 4, 2))
    affine = session.volume.grid.affine
    found = []
    for n in range(3):
        ends = affine.apply(np.array([(3, 4 + 0.2 * n, 2), (8, 4 + 0.2 * n, 2)]))
        points = tuple(tuple(map(float, p)) for p in ends)
        found.append(Measurement(f"Line {n}", "line", points))
    session.set_measurements(MeasurementSet(tuple(found)))
    views.go_to_voxel((8, 4, 2))
    view = views.first
    pixels = float(view.model.scene.camera.zoom) * np.array(views.display.scale)
    boxes = []
    for layer in (shown.layers_of(view)[0], values.layers_of(view)[1]):
        for at, words in zip(layer.data, layer.features["words"], strict=True):
            boxes.append(((at * pixels)[list(view.across)], text_size_px(words)))
    assert len(boxes) == 5
    for n, (at, size) in enumerate(boxes):
        for other, its in boxes[:n]:
            assert (np.abs(at - other) >= (np.array(size) + its) / 2 - 1e-6).any()
    shown.detach()
    values.detach()
