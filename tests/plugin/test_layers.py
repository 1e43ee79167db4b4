"""Layers: views on our buffers, in the right place, for all 48 orientations."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.axes import ORIENTATIONS, flip_lps_ras
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.model import presets
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.model.landmarks import Landmark, LandmarkSet
from napari_medlabel.plugin.display import Display
from napari_medlabel.plugin.layers import (
    colours,
    labels_to_layer,
    landmarks_to_layer,
    side_letters,
)

orientations = st.sampled_from(ORIENTATIONS)
voxels = st.tuples(st.integers(0, 11), st.integers(0, 9), st.integers(0, 5))


@given(codes=orientations, index=voxels)
def test_painting_the_shown_voxel_paints_the_voxel(
    codes: str, index: tuple[int, int, int], make_grid: Callable[..., Grid]
) -> None:
    grid = make_grid(codes)
    display = Display(grid)
    array = np.zeros(grid.shape[::-1], np.uint8).T
    shown = display.show(array)
    assert np.shares_memory(shown, array)
    z, y, x = (int(v) for v in display.points_zyx(index))
    shown[z, y, x] = 1
    assert array[index] == 1
    assert array.sum() == 1
    assert np.array_equal(display.hide(shown), array)


@given(codes=orientations, index=voxels)
def test_napari_world_is_lps_where_axes_are_along_the_patients(
    codes: str, index: tuple[int, int, int], make_grid: Callable[..., Grid]
) -> None:
    grid = make_grid(codes)
    display = Display(grid)
    shown = display.points_zyx(index)
    world = np.array(display.translate) + shown * np.array(display.scale)
    assert np.all(np.array(display.scale) > 0)
    assert np.allclose(world[::-1], flip_lps_ras(grid.affine.apply(index)), atol=1e-9)
    assert np.allclose(display.to_ras(shown), grid.affine.apply(index), atol=1e-9)
    assert np.allclose(display.from_ras(display.to_ras(shown)), shown, atol=1e-9)


@given(codes=orientations)
def test_a_box_covers_the_same_voxels_in_both_orders(
    codes: str, make_grid: Callable[..., Grid]
) -> None:
    grid = make_grid(codes)
    display = Display(grid)
    array = np.zeros(grid.shape, np.uint8)
    shown_box = tuple(slice(1, n - 1) for n in display.shape)
    display.show(array)[shown_box] = 1
    voxel_box = display.box(shown_box)
    assert array[voxel_box].all()
    assert array.sum() == array[voxel_box].size


@pytest.mark.parametrize("tilt_deg", [5.0, 20.0, 40.0])
def test_patient_mm_of_an_oblique_scan_come_from_its_own_affine(tilt_deg: float) -> None:
    c, s = np.cos(np.radians(tilt_deg)), np.sin(np.radians(tilt_deg))
    matrix = np.diag([-1.0, -1.0, 2.0, 1.0])
    matrix[:3, :3] = np.array([[1, 0, 0], [0, c, -s], [0, s, c]]) @ matrix[:3, :3]
    grid = Grid((20, 20, 10), Affine(matrix))
    display = Display(grid)
    index = np.array([3.0, 17.0, 8.0])
    point = display.to_ras(display.points_zyx(index))
    assert np.allclose(point, grid.affine.apply(index), atol=1e-12)
    # The centre is where it is; a corner is not, which is why napari's world is not used.
    world = np.array(display.translate) + display.points_zyx(index) * np.array(display.scale)
    assert not np.allclose(world[::-1], flip_lps_ras(point), atol=0.1)
    middle = (np.array(grid.shape) - 1) / 2
    shown = np.array(display.translate) + display.points_zyx(middle) * np.array(display.scale)
    assert np.allclose(shown[::-1], flip_lps_ras(grid.affine.apply(middle)), atol=1e-9)


def test_layers_say_units_axes_and_case_and_nothing_else(
    make_grid: Callable[..., Grid],
) -> None:
    labels = LabelMap.empty(make_grid(), presets.scheme("abdomen"))
    _, keywords, kind = labels_to_layer(labels, "sha256:aa")
    assert kind == "labels"
    assert keywords["units"] == ("mm", "mm", "mm")
    assert keywords["axis_labels"] == ("S", "P", "L")
    assert set(keywords["metadata"]["medlabel"]) == {
        "role", "case", "shape_ijk", "affine_ras_mm", "axes",
    }  # fmt: skip
    assert "affine" not in keywords


def test_colours_are_those_of_the_scheme(make_grid: Callable[..., Grid]) -> None:
    labels = LabelMap.empty(make_grid(), presets.scheme("abdomen"))
    table = colours(labels)
    assert table[0] == (0, 0, 0, 0)
    for label in labels.scheme.labels:
        assert table[label.value] == (*label.rgb, 1.0)


def test_only_placed_landmarks_are_points(make_grid: Callable[..., Grid]) -> None:
    marks = LandmarkSet((Landmark("A"), Landmark("B", (1, 2, 3))))
    points, keywords, _ = landmarks_to_layer(marks, Display(make_grid()), "sha256:aa")
    assert len(points) == 1
    assert keywords["features"]["name"] == ["B"]
    assert landmarks_to_layer(LandmarkSet(), Display(make_grid()), "x")[0].shape == (0, 3)


def test_letters_follow_the_screen() -> None:
    radiological = {"top": "A", "bottom": "P", "left": "R", "right": "L"}
    assert side_letters((1, 2), "down", "right") == radiological
    assert side_letters((1, 2), "down", "left")["right"] == "R"
    assert side_letters((0, 2), "up", "right") == {
        "top": "S", "bottom": "I", "left": "R", "right": "L",
    }  # fmt: skip
    assert side_letters((0, 1), "up", "right")["left"] == "A"
