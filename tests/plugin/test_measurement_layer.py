"""Measurements in views: on their slice only, fainter near it, in every voxel order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_medlabel.geometry.grid import Grid
from napari_medlabel.measure.lines import Value
from napari_medlabel.model.measurements import Measurement, MeasurementSet
from napari_medlabel.model.volume import FurtherAxis
from napari_medlabel.plugin.binding import Binding
from napari_medlabel.plugin.display import Display
from napari_medlabel.plugin.measurement_drawing import chains_ras, cut, drawn_on, value_words
from napari_medlabel.plugin.measurement_layer import MeasurementLayers
from napari_medlabel.plugin.sight.views import Views
from napari_medlabel.session.case import Session
from napari_medlabel.session.volume_in_use import VolumeInUse


def ras_points(grid: Grid, *places: tuple[float, float, float]):
    return tuple(tuple(map(float, p)) for p in grid.affine.apply(np.array(places, float)))


def test_a_line_is_cut_to_what_lies_near_a_slice() -> None:
    line = np.array([[0.0, 1.0, 1.0], [10.0, 1.0, 11.0]])
    (part,) = cut(line, 0, 4.0, 0.5)
    assert part == pytest.approx(np.array([[3.5, 1, 4.5], [4.5, 1, 5.5]]))
    assert len(cut(line, 0, 20.0, 0.5)) == 0
    assert len(cut(line, 1, 1.0, 0.5)) == 1
    assert len(cut(line, 1, 2.0, 0.5)) == 0
    assert cut(line, -1, 0.0, 0.0)[0] == pytest.approx(line)
    assert len(cut(line[:1], 0, 0.0, 0.5)) == 0


@pytest.mark.parametrize("codes", ["LPS", "RAI", "SRA"])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_flat_line_shows_whole_on_its_slice_and_as_a_dot_across_it(
    make_grid: Callable[..., Grid], codes: str, axis: int
) -> None:
    grid = make_grid(codes, (12, 10, 9), (1.0, 1.0, 2.0))
    display = Display(grid)
    across = [a for a in range(3) if a != axis]
    ends = np.full((2, 3), 4.0)
    ends[1, across[0]] = 7.0
    ras = tuple(tuple(map(float, p)) for p in display.to_ras(ends))
    measured = MeasurementSet((Measurement("Line 1", "line", ras),))
    words = {"Line 1": "3.0 mm"}
    here = drawn_on(display, measured, words, axis, 4.0)
    assert here.words == ["Line 1\n3.0 mm"]
    bright = here.parts[-1][0]
    assert bright == pytest.approx(ends)
    near = drawn_on(display, measured, words, axis, 6.0)
    assert near.words == []
    assert len(near.parts) == 1
    assert near.colours[0][3] < here.colours[-1][3]
    assert near.parts[0][..., axis] == pytest.approx(6.0)
    assert not drawn_on(display, measured, words, axis, 7.0).parts
    dot = drawn_on(display, measured, words, across[0], 5.0)
    assert dot.words == ["Line 1"]
    length = np.linalg.norm(dot.parts[-1][0, 1] - dot.parts[-1][0, 0])
    assert length == pytest.approx(0.0)
    whole = drawn_on(display, measured, words, -1, 0.0)
    assert whole.parts[0][0] == pytest.approx(ends)


def test_every_kind_has_its_lines() -> None:
    flat = ((0.0, 0.0, 0.0), (2.0, 0.0, 0.0), (0.0, 3.0, 0.0))
    short = ((1.0, -1.0, 0.0), (1.0, 1.0, 0.0))
    assert len(chains_ras(Measurement("a", "bidirectional", (*flat[:2], *short)))) == 2
    (ring,) = chains_ras(Measurement("b", "ellipse", flat))
    assert ring[0] == pytest.approx(ring[-1])
    edges = chains_ras(Measurement("c", "cuboid", (*flat, (0.0, 0.0, 4.0))))
    assert len(edges) == 12
    assert sorted(np.linalg.norm(e[1] - e[0]) for e in edges) == [4] * 4 + [6] * 4 + [8] * 4
    assert len(chains_ras(Measurement("d", "angle", flat))[0]) == 3


def test_values_are_said_shortly() -> None:
    values = (
        Value("perimeter", 9.0, "mm"),
        Value("area", 94.25, "mm2"),
        Value("voxels", 12.0),
        Value("mean", 43.12, "HU"),
        Value("sd", 5.0, "HU"),
    )
    assert value_words(values) == "94.2 mm²  mean 43.1 HU  SD 5.0 HU"
    assert value_words((Value("area", 1234.5, "mm2"),)) == "1234 mm²"
    assert value_words((Value("angle", 90.0, "deg"),)) == "90.0°"
    box = Value("area", 94.2, "mm2"), Value("slices left out", 1.0), Value("mean", 50.0, "HU")
    assert value_words(box) == "94.2 mm²  without 1 missing slice  mean 50.0 HU"
    assert value_words((Value("slices left out", 2.0),)) == "without 2 missing slices"
    axes = (Value("long axis", 20.0, "mm"), Value("short axis", 10.0, "mm"))
    assert value_words(axes) == "long 20.0 mm  short 10.0 mm"


def test_means_of_small_numbers_keep_three_digits_and_name_what_they_measure() -> None:
    def said(mean: float, sd: float, unit: str) -> str:
        return value_words((Value("mean", mean, unit), Value("sd", sd, unit)))

    assert said(0.00083, 0.00012, "mm2/s") == "mean 0.00083 mm2/s  SD 0.00012 mm2/s"
    assert (
        said(2.134, 0.0, "SUVlbm g/ml (James)") == "mean SUVlbm (James) 2.13 g/ml  SD 0.0 g/ml"
    )
    assert said(7.4, 1e-9, "effective atomic number") == (
        "mean effective atomic number 7.4  SD 1e-09"
    )
    assert said(23456.71, -4e7, "Bq/ml") == "mean 23456.7 Bq/ml  SD -4e+07 Bq/ml"


@pytest.fixture
def views(session: Session, viewer: ViewerModel) -> Views:
    binding = Binding(session, viewer)
    made = Views(session, binding)
    yield made
    made.detach()
    binding.detach()


def test_all_views_follow_slices_undo_and_come_and_go(session: Session, views: Views) -> None:
    layers = MeasurementLayers(session, views)
    first = views.first
    assert layers.layers_of(first) == ()
    grid = session.volume.grid
    ends = ras_points(grid, (3, 4, 2), (8, 4, 2))
    one = Measurement("Line 1", "line", ends)
    session.set_measurements(MeasurementSet((one,)))
    views.go_to_voxel((3, 4, 2))
    lines, words, _ = layers.layers_of(first)
    assert list(words.features["words"]) == ["Line 1\n4.0 mm"]
    assert layers.words_of("Line 1") == "4.0 mm"
    shown = np.array(lines.data)[-1]
    assert shown[0] == pytest.approx(views.display.points_zyx((3, 4, 2)))
    assert shown[0] + shown[1] == pytest.approx(views.display.points_zyx((8, 4, 2)))
    side = views.open("Coronal")
    assert [layer.name for layer in side.model.layers][-3:] == [
        "Measurements",
        "Measured points",
        "Measured values",
    ]
    assert len(side.model.layers) == len(first.model.layers)
    side_lines, side_words, _ = layers.layers_of(side)
    assert len(side_words.data) == 1
    views.go_to_voxel((3, 7, 2))
    assert len(words.data) == 1
    assert len(side_words.data) == 0
    assert not len(side_lines.data)
    views.close(side)
    assert layers.layers_of(side) == ()
    session.undo()
    assert layers.layers_of(first) == ()
    session.redo()
    assert len(layers.layers_of(first)) == 3
    first.model.scene.camera.zoom = 3.0
    views.show_plane("3D")
    assert len(layers.layers_of(first)[0].data) == 1
    layers.detach()
    assert [type(layer).__name__ for layer in first.model.layers] == [
        "Image",
        "Labels",
        "Points",
    ]


def test_locked_measurements_say_so_on_the_canvas(session: Session, views: Views) -> None:
    layers = MeasurementLayers(session, views)
    ends = ras_points(session.volume.grid, (3, 4, 2), (8, 4, 2))
    session.set_measurements(MeasurementSet((Measurement("A", "line", ends, locked=True),)))
    views.go_to_voxel((3, 4, 2))
    assert list(layers.layers_of(views.first)[1].features["words"]) == ["A (locked)\n4.0 mm"]
    layers.detach()


def test_a_region_is_said_with_the_volume_it_is_of(session: Session, views: Views) -> None:
    shape = session.volume.grid.shape[::-1]
    array = np.stack([np.full(shape, 10 * t, np.uint16) for t in range(3)]).T
    further = FurtherAxis("time", "s", (0.0, 1.0, 2.0), array)
    session.bench.in_use = VolumeInUse(replace(session.volume, further=further))
    session.bench.use_volume(2)
    layers = MeasurementLayers(session, views)
    grid = session.volume.grid
    box = Measurement("Box", "box", ras_points(grid, (4, 4, 2), (6, 4, 2), (4, 6, 2)))
    line = Measurement("Line", "line", ras_points(grid, (3, 4, 2), (8, 4, 2)))
    session.set_measurements(MeasurementSet((box, line)))
    assert layers.words_of("Box").endswith("mean 20.0  SD 0.0  volume 3 of 3")
    assert layers.words_of("Line") == "4.0 mm"
    session.bench.use_volume(1)
    assert layers.words_of("Box").endswith("volume 3 of 3")  # until the slider rests
    layers.measure_anew()
    assert layers.words_of("Box").endswith("mean 10.0  SD 0.0  volume 2 of 3")
    layers.detach()
