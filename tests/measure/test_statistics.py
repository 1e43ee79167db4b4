from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from napari_medlabel.errors import GeometryError
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.measure.statistics import measure_labels, measure_shape
from napari_medlabel.model import presets
from napari_medlabel.model.labelmap import Code, Label, LabelMap, LabelScheme
from tests.tilted import steps

SCHEME = LabelScheme(
    "Two",
    (
        Label(1, "=Box", "#112233", Code("SCT", "10200004", "Liver")),
        Label(2, "Nothing", "#223344"),
    ),
)


@pytest.fixture
def labels(make_grid: Callable[..., Grid]) -> LabelMap:
    made = LabelMap.empty(make_grid("PIR", (12, 10, 6), (0.8, 0.9, 3.0)), SCHEME)
    made.array[2:8, 3:5, 1:4] = 1
    made.array[0, 0, 0] = 7
    return made


def test_a_box_has_the_size_and_the_place_of_a_box(labels: LabelMap) -> None:
    image = np.arange(720, dtype=np.int16).reshape(12, 10, 6)
    box, nothing, spot = measure_labels(labels, image)
    assert (box.voxels, box.slices) == (36, 3)
    assert box.shape.volume_ml == pytest.approx(36 * 0.8 * 0.9 * 3 / 1000)
    assert box.shape.extent_mm == pytest.approx((4.8, 1.8, 9.0))
    centre = labels.grid.affine.apply(np.argwhere(labels.array == 1)).mean(axis=0)
    assert box.shape.centroid_ras == pytest.approx(tuple(centre))
    assert box.intensity.mean == pytest.approx(image[labels.array == 1].mean())
    assert (nothing.voxels, nothing.slices, nothing.shape, nothing.intensity) == (
        0,
        0,
        None,
        None,
    )
    assert (spot.label.name, spot.voxels, spot.intensity.sd) == ("Label 7", 1, 0.0)


def test_without_an_image_or_a_place_nothing_is_claimed_of_them(labels: LabelMap) -> None:
    box = measure_labels(labels)[0]
    assert box.intensity is None
    assert measure_labels(labels, has_place=False)[0].shape is None
    with pytest.raises(GeometryError, match="one shape"):
        measure_labels(labels, np.zeros((2, 2, 2)))
    whole = (slice(0, 1), slice(0, 1), slice(0, 1))
    with pytest.raises(GeometryError, match="no shape"):
        measure_shape(np.zeros((1, 1, 1), bool), labels, whole)


def test_the_work_can_be_ended(labels: LabelMap) -> None:
    seen: list[tuple[int, int]] = []
    measure_labels(labels, tick=lambda done, total: seen.append((done, total)))
    assert seen == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]


def test_slices_that_no_file_holds_count_in_ml_and_not_in_intensities(
    labels: LabelMap,
) -> None:
    image = np.full((12, 10, 6), 50, np.int16)
    image[..., [0, 2, 5]] = 0
    box, nothing, spot = measure_labels(labels, image, missing=(0, 2, 5))
    assert (box.voxels, box.slices, box.left_out) == (36, 3, 1)
    assert box.shape.volume_ml == pytest.approx(36 * 0.8 * 0.9 * 3 / 1000)
    found = box.intensity
    assert (found.mean, found.sd, found.low, found.high, found.median) == (50, 0, 50, 50, 50)
    assert {value for _, value in found.percentiles} == {50.0}
    assert nothing.left_out == 0
    assert (spot.left_out, spot.intensity) == (1, None)
    assert measure_labels(labels, missing=(2,))[0].left_out == 0


def test_a_ball_on_a_tilted_scan_is_as_long_as_it_is() -> None:
    shape, spacing = (60, 60, 24), (1.0, 1.0, 3.0)
    matrix = np.eye(4)
    matrix[:3, :3] = steps(spacing, 20.0)
    away = (np.indices(shape).reshape(3, -1).T - (30, 30, 12)) @ matrix[:3, :3].T
    ball = (np.linalg.norm(away, axis=1) <= 20.0).reshape(shape).astype(np.uint8)
    labels = LabelMap(Grid(shape, Affine(matrix)), ball, presets.scheme("abdomen"))
    found = measure_labels(labels)[0].shape
    assert found is not None
    assert found.volume_ml == pytest.approx(4 / 3 * np.pi * 8.0, rel=0.01)
    for line in (found.longest, found.axes.long, found.axes.short):
        ends = labels.grid.affine.apply(np.array([line.start, line.end]))
        assert line.length_mm == pytest.approx(float(np.linalg.norm(ends[1] - ends[0])))
    # Half a voxel at each end; as if at right angles it would be 51 mm.
    assert found.longest.length_mm == pytest.approx(40.0, abs=3.0)
