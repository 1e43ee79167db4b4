"""Two scans on one patient: beside each other, laid over each other, and their bodies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from napari.components import ViewerModel
from scipy.spatial.transform import Rotation

from napari_medlabel.errors import InputError
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.axes import orientation_matrix
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.model import presets
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.model.volume import Source, Volume
from napari_medlabel.plugin.binding import Binding
from napari_medlabel.plugin.display import Display
from napari_medlabel.plugin.sight.beside import relation_words, turned_deg
from napari_medlabel.plugin.sight.fusion import checkered, fuse, fused_name
from napari_medlabel.plugin.sight.solid import joined, make_bodies
from napari_medlabel.plugin.sight.views import Views
from napari_medlabel.plugin.workplace import WORKPLACE
from napari_medlabel.session.case import Session

Open = Callable[[Volume], Session]
FIRST = Source("dicom", (Path("a.dcm"),), ("ab" * 32,))
OTHER = Source("dicom", (Path("b.dcm"),), ("cd" * 32,))


def quiet(_done: int, _total: int) -> None:
    """Say nothing."""


def turned_grid(
    degrees: float, shape: tuple[int, int, int], mm: tuple[float, float, float]
) -> Grid:
    """Return a grid turned about an odd axis, its middle at RAS (3, -4, 5)."""
    matrix = np.eye(4)
    turn = Rotation.from_rotvec(np.radians(degrees) * np.array([0.6, 0.48, 0.64])).as_matrix()
    matrix[:3, :3] = turn @ orientation_matrix("LPS") @ np.diag(mm)
    matrix[:3, 3] = np.array([3, -4, 5]) - matrix[:3, :3] @ ((np.array(shape) - 1) / 2)
    return Grid(shape, Affine(matrix))


def ramp(grid: Grid) -> np.ndarray:
    """Return x + 2 y + 3 z of each voxel's place in the patient, RAS mm."""
    index = np.moveaxis(np.indices(grid.shape), 0, -1)
    return (grid.affine.apply(index) @ [1.0, 2.0, 3.0]).astype(np.float32)


@pytest.fixture
def views(open_volume: Open, viewer: ViewerModel) -> Views:
    grid = turned_grid(0, (14, 13, 12), (2.0, 2.0, 2.5))
    session = open_volume(Volume(grid, ramp(grid), FIRST, modality="MR"))
    bound = Binding(session, viewer)
    made = Views(session, bound)
    yield made
    made.detach()
    bound.detach()


def test_the_view_beside_shows_the_voxel_nearest_in_millimetres(views: Views) -> None:
    grid = turned_grid(17, (20, 22, 24), (1.2, 1.1, 1.3))
    volume = Volume(grid, ramp(grid), OTHER, modality="PT", quantity="SUVbw g/ml")
    beside = views.open_beside(volume, "case-b")
    assert views.beside is beside
    assert beside.plane == views.first.plane
    assert beside.image.colormap.name == "gray_r"
    for voxel in ((7, 6, 5), (9, 7, 6), (5, 5, 7)):
        views.go_to_voxel(voxel)
        wanted = np.rint(grid.affine.to_index(views.cross.point_ras))
        assert np.array_equal(beside.cross.voxel_ijk, wanted)
        shown = beside.image.get_value(beside.cross.world, world=True)
        assert shown == volume.array[tuple(int(n) for n in wanted)]
        # Half a voxel along each axis is what two grids can be apart.
        assert abs(shown - float(views.value_at_cross())) <= 0.5 * (1.2 + 2.2 + 3.9) + 0.01
        assert not beside.is_outside
    views.go_to_voxel((0, 0, 0))
    assert beside.is_outside
    assert "outside of it" in beside.words
    # A click and the wheel there lead the case, and its own slice is never lost in rounding.
    views.go_to_voxel((7, 6, 5))
    before = beside.cross.voxel_zyx
    for n in range(1, 5):
        views.scroll(beside, 1)
        assert beside.cross.voxel_zyx[beside.axis] == before[beside.axis] + n
        assert beside.place(views.cross)[beside.axis] == before[beside.axis] + n
    near = views.cross.point_ras
    assert np.abs(np.array(near) - beside.cross.point_ras).max() < 2.6
    views.point_at(beside, np.array([9.0, 9.0, 9.0]))
    assert np.abs(np.array(views.cross.point_ras) - beside.cross.point_ras).max() < 2.6
    views.show_plane("Coronal")
    assert beside.plane == "Coronal"
    assert WORKPLACE.beside == [beside.image]
    views.close(beside)
    assert views.beside is None
    assert WORKPLACE.beside == []


def test_the_line_says_both_values(views: Views) -> None:
    grid = turned_grid(0, (4, 4, 4), (2.0, 2.0, 2.5))
    volume = Volume(grid, ramp(grid), OTHER, modality="PT", quantity="SUVbw g/ml")
    beside = views.open_beside(volume, "case-b")
    said: list[str] = []
    views.pointed.connect(said.append)
    views.go_to_ras(tuple(grid.affine.apply((1, 2, 1))))
    views.say(views.first, views.cross.world)
    assert said[-1].split("   |   ")[-1].startswith("PT SUVbw ")
    views.say(beside, beside.cross.world)
    assert said[-1].split("   |   ")[-1] == f"PT SUVbw {volume.array[1, 2, 1]:.4g} g/ml"
    assert "voxel" in said[-1]
    views.say(views.first, (999.0, 0.0, 0.0))
    assert said[-1] == "PT: outside"
    views.compare(None)
    views.say(views.first, views.cross.world)
    assert "PT" not in said[-1]


def test_how_two_scans_lie_is_said(views: Views, make_grid: Callable[..., Grid]) -> None:
    grid = make_grid()
    assert "not known" in relation_words(grid, grid)[0]
    here, there = replace(grid, frame_of_reference="1.2"), turned_grid(12, (9, 9, 9), (1, 1, 1))
    assert relation_words(here, here)[0].startswith("One frame")
    assert relation_words(here, here)[1].startswith("One grid")
    said = relation_words(here, replace(there, frame_of_reference="1.3"))
    assert said[0].startswith("Two frames")
    assert 5 < turned_deg(grid, there) < 13
    assert "turned by" in said[1]
    pictures = Volume(grid, ramp(grid), OTHER, slices="pictures")
    with pytest.raises(InputError, match="pictures without a place"):
        views.open_beside(pictures, "case-b")


@settings(max_examples=12)
@given(st.floats(-40, 40), st.sampled_from([(9, 8, 7), (5, 11, 6)]), st.floats(0.7, 2.5))
def test_laid_over_is_the_value_at_the_same_millimetre(
    degrees: float, shape: tuple[int, int, int], mm: float
) -> None:
    target = turned_grid(0, shape, (mm, 1.0, 1.5))
    grid = turned_grid(degrees, (13, 12, 11), (1.1, 1.3, 0.9))
    made = fuse(Volume(grid, ramp(grid), OTHER), target, quiet)
    index = grid.affine.to_index(target.affine.apply(np.moveaxis(np.indices(shape), 0, -1)))
    last = np.array(grid.shape) - 1
    inside = np.all((index >= 0) & (index <= last), axis=-1)
    away = np.any((index < -0.51) | (index > last + 0.51), axis=-1)
    # A linear ramp is interpolated without an error.
    assert np.allclose(made[inside], ramp(target)[inside], atol=2e-3)
    assert np.isnan(made[away]).all()


def test_what_is_missing_or_of_colours_is_not_laid_over(colour_scan: Volume) -> None:
    grid = turned_grid(0, (5, 6, 7), (1, 1, 1))
    gappy = Volume(grid, ramp(grid), OTHER, modality="CT", missing=(3,))
    made = fuse(gappy, grid, quiet)
    assert np.isnan(made[..., 3]).all()
    assert np.array_equal(made[..., 2], gappy.array[..., 2])
    assert fused_name(gappy, grid) == "CT over, same grid"
    other = turned_grid(3, (5, 6, 7), (1, 1, 1))
    assert fused_name(gappy, other) == "CT over, resampled (linear)"
    with pytest.raises(InputError, match="has colours"):
        fuse(colour_scan, grid, quiet)
    fields = checkered(made, (1.0, 1.0, 1.0), 2.0)
    assert np.isnan(fields[2, 0, 0])
    assert fields[0, 0, 0] == made[0, 0, 0]
    assert not np.isnan(made[2, 0, 0])


@pytest.mark.parametrize("codes", ["LPS", "RAS", "SLA", "AIR"])
def test_a_body_lies_where_its_voxels_are_and_is_no_mirror_image(
    make_grid: Callable[..., Grid], codes: str
) -> None:
    grid = make_grid(codes, shape=(20, 22, 24), spacing=(1.0, 1.5, 2.0))
    labels = LabelMap.empty(grid, presets.scheme("abdomen"))
    display = Display(grid)
    shown = display.show(labels.array)
    z, _, x = shown.shape
    # A block, with one arm upwards and another to the left: no mirror image fits it.
    shown[z // 2 : z // 2 + 3, 4:7, 4:7] = 2
    shown[z // 2 : z - 2, 4:6, 4:6] = 2
    shown[z // 2 : z // 2 + 2, 4:6, 4 : x - 3] = 2
    bodies = make_bodies(labels, display, quiet)
    assert [body.value for body in bodies] == [2]
    corners = bodies[0].points_zyx
    filled = np.argwhere(shown == 2)
    assert np.allclose(corners.min(0), filled.min(0) - 0.5)
    assert np.allclose(corners.max(0), filled.max(0) + 0.5)
    # In the patient's own, right-handed frame the triangles hold the voxels' volume.
    ras = display.to_ras(corners)
    a, b, c = (ras[bodies[0].faces[:, n]] for n in range(3))
    volume = np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6
    voxels = len(filled) * grid.affine.voxel_ml * 1000
    assert 0.6 * voxels < abs(volume) < voxels
    assert volume > 0, "the triangles face outwards"
    # Lit from the front: what faces it is brighter than what does not.
    front, back = ras[:, 1] > ras[:, 1].max() - 0.1, ras[:, 1] < ras[:, 1].min() + 0.1
    assert bodies[0].light[front].mean() > bodies[0].light[back].mean() + 0.2
    arm = ras[:, 2].argmax()
    assert ras[arm, 0] > ras[:, 0].min() + 3, "the arm to the head is not the one to the left"


def test_large_bodies_are_thinned_and_hidden_ones_are_not_there() -> None:
    grid = turned_grid(0, (150, 140, 40), (1.0, 1.0, 3.0))
    labels = LabelMap.empty(grid, presets.scheme("abdomen"))
    labels.array[10:140, 10:130, 5:35] = 1
    labels.array[0:3, 0:3, 0:3] = 4
    told: list[tuple[int, int]] = []
    bodies = make_bodies(labels, Display(grid), lambda *at: told.append(at))
    assert told[-1] == (4, 4)
    assert len(bodies[0].faces) < 60_000
    assert np.abs(np.ptp(bodies[0].points_zyx, axis=0) - [30, 120, 130]).max() < 2.1
    colours: dict[int, Any] = {1: (1.0, 0.0, 0.0), 4: (0.0, 1.0, 0.0)}
    points, faces, tints = joined(bodies, colours, ())
    assert len(points) == len(tints) == faces.max() + 1
    only = joined(bodies, colours, {1})
    assert only is not None
    assert (only[2][:, [0, 2, 3]] == (0.0, 0.0, 1.0)).all()
    assert joined(bodies, colours, {1, 4}) is None
