"""The cross-hair stays in the scan and means the same voxel in every frame; words are right."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.dicom.pixels.suv import _QUANTITY
from napari_medlabel.io.dicom.pixels.values import _UNITS
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.plugin.display import Display
from napari_medlabel.plugin.sight.boxes import shown_box
from napari_medlabel.plugin.sight.crosshair import CrossHair
from napari_medlabel.plugin.sight.words import (
    label_words,
    mm_words,
    name_and_unit,
    slice_words,
    status_words,
    value_words,
)

CODES = ("LPS", "RAS", "PIR", "SLA", "IRP")


@settings(deadline=None, max_examples=40)
@given(codes=st.sampled_from(CODES), part=st.tuples(*[st.floats(-0.5, 1.5)] * 3))
def test_the_cross_hair_is_one_voxel_in_every_frame(
    make_grid: Callable[..., Grid], codes: str, part: tuple[float, float, float]
) -> None:
    display = Display(make_grid(codes))
    cross = CrossHair(display)
    cross.move({axis: part[axis] * display.shape[axis] for axis in range(3)})
    shown = np.arange(display.grid.size).reshape(display.grid.shape)
    assert display.show(shown)[cross.voxel_zyx] == shown[cross.voxel_ijk]
    assert np.allclose(display.grid.affine.apply(cross.voxel_ijk), cross.point_ras)
    for axis, world in enumerate(cross.world):
        assert cross.index_at(axis, world) == cross.voxel_zyx[axis]
    at = cross.voxel_zyx
    again = CrossHair(display)
    again.go_to_ras(cross.point_ras)
    assert again.voxel_zyx == at
    again.move({0: 0, 1: 0, 2: 0})
    again.go_to_voxel(cross.voxel_ijk)
    assert again.voxel_zyx == at


def test_the_cross_hair_tells_of_another_voxel_only(make_grid: Callable[..., Grid]) -> None:
    cross = CrossHair(Display(make_grid()))
    heard: list[int] = []
    cross.moved.connect(lambda: heard.append(1))
    assert not cross.move({0: cross.voxel_zyx[0] + 0.3})
    assert cross.move({0: 99})
    assert cross.voxel_zyx[0] == 5
    assert not cross.move({0: 200})
    assert heard == [1]


@settings(deadline=None, max_examples=40)
@given(codes=st.sampled_from(CODES), data=st.data())
def test_a_box_of_voxels_is_the_same_box_on_the_screen(
    make_grid: Callable[..., Grid], codes: str, data: st.DataObject
) -> None:
    grid = make_grid(codes)
    display = Display(grid)
    box = []
    for n in grid.shape:
        start = data.draw(st.integers(0, n - 1))
        box.append(slice(start, data.draw(st.integers(start + 1, n))))
    marked = np.zeros(grid.shape, bool)
    marked[tuple(box)] = True
    shown = np.zeros(display.shape, bool)
    shown[shown_box(display, (box[0], box[1], box[2]))] = True
    assert np.array_equal(display.show(marked), shown)


def test_millimetres_name_their_side() -> None:
    assert mm_words((1.04, -2.0, 30.25)) == "R 1.0  P 2.0  S 30.2 mm"
    assert mm_words((-0.01, 0.0, -3)) == "R 0.0  A 0.0  I 3.0 mm"


def test_a_slice_says_its_number_as_the_files_count_it(make_grid: Callable[..., Grid]) -> None:
    display = Display(make_grid("LPS"))
    assert slice_words(display, 0, (2, 4, 4)) == "Axial 3/6\nS 47.0 mm"
    against = Display(make_grid("LPI"))
    assert slice_words(against, 0, (2, 4, 4)).startswith("Axial 4/6\n")
    assert slice_words(display, 1, (2, 4, 4), oriented=False) == "Coronal 5/10"
    assert slice_words(Display(display.grid, pictures=True), 0, (1, 0, 0)) == "Picture 2/6"


def test_an_oblique_scan_says_so_and_gives_the_patients_millimetres() -> None:
    from napari_medlabel.geometry.affine import Affine

    turn = np.deg2rad(12)
    matrix = np.eye(4)
    matrix[:3, :3] = [
        [1, 0, 0],
        [0, np.cos(turn), -np.sin(turn)],
        [0, np.sin(turn), np.cos(turn)],
    ]
    display = Display(Grid((20, 20, 20), Affine(matrix)))
    cross = CrossHair(display)
    cross.go_to_voxel((0, 10, 0))
    words = slice_words(display, 0, cross.voxel_zyx)
    assert words == f"Axial 1/20\nS {10 * np.sin(turn):.1f} mm\noblique 12.0°"


@pytest.mark.parametrize(
    ("value", "quantity", "words"),
    [
        (np.int16(-43), "HU", "-43 HU"),
        (np.float32(1.8512), "SUVbw g/ml", "SUVbw 1.851 g/ml"),
        (np.float32(3), "", "3"),
        (np.float32(2.13), "SUVlbm g/ml (James)", "SUVlbm (James) 2.13 g/ml"),
        (np.float32(7.4), "effective atomic number", "effective atomic number 7.4"),
        (
            np.float32(1.02),
            "electron density relative to water",
            "electron density relative to water 1.02",
        ),
        (np.float32(0.3), "optical density / 1000", "optical density (1/1000) 0.3"),
        (np.float32(3.1), "electrons 1e23/ml", "electrons 3.1 x 1e23/ml"),
        (np.float32(0.98), "relative dose", "relative dose 0.98"),
        (np.int16(40), "HU (modified)", "40 HU (modified)"),
        (np.float32(23456.7), "Bq/ml", "23456.7 Bq/ml"),
        (np.float32(4e6), "Bq/ml", "4000000 Bq/ml"),
        (np.float32(4e7), "Bq/ml", "4e+07 Bq/ml"),
        (np.float32("nan"), "HU", "no value"),
        (np.array([9, 200, 30], np.uint8), "", "RGB 9 / 200 / 30"),
        (None, "HU", ""),
    ],
)
def test_a_value_is_said_with_its_unit(value: object, quantity: str, words: str) -> None:
    assert value_words(value, quantity) == words


def test_every_quantity_that_a_reader_names_is_told_from_a_unit_of_its_own() -> None:
    units = {"", "HU", "HU (modified)", "mg/ml", "%", "Bq/ml", "counts", "counts/s", "Gy"}
    units |= {"g/ml", "cm2/ml", "x 1e23/ml"}
    for quantity in (*_UNITS.values(), *_QUANTITY.values()):
        assert name_and_unit(quantity)[1] in units, quantity


def test_the_line_says_place_voxel_value_and_label(labels: LabelMap) -> None:
    display = Display(labels.grid)
    labels.array[3, 4, 2] = 1
    point = display.points_zyx((3, 4, 2))
    name = labels.scheme[1].name
    said = status_words(display, labels, point, np.uint16(7), quantity="HU")
    mm = mm_words(labels.grid.affine.apply((3, 4, 2)))
    assert said == f"{mm}   |   voxel 3, 4, 2   |   7 HU   |   1 {name}"
    blind = status_words(display, labels, point, None, oriented=False)
    assert blind == f"voxel 3, 4, 2   |   1 {name}"
    assert status_words(display, labels, point + 40, 7) == ""
    assert label_words(labels, (-1, 0, 0)) == ""
    labels.array[0, 0, 0] = 99
    assert label_words(labels, (0, 0, 0)) == "99"
