"""Names of landmarks in views: of what lies near the slice, and none over another."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_medlabel.plugin.binding import Binding
from napari_medlabel.plugin.landmark_names import LandmarkNames
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
