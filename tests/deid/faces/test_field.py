"""The coarse copy of a scan."""

from __future__ import annotations

import numpy as np
import pytest

from napari_medlabel.deid.faces.doubt import Doubt, FaceUnsure
from napari_medlabel.deid.faces.field import STEP_MM, carried, coarse


def ramp(shape: tuple[int, int, int], matrix: np.ndarray) -> np.ndarray:
    at = np.moveaxis(np.indices(shape), 0, -1) @ matrix[:3, :3].T + matrix[:3, 3]
    return (at @ (1.0, 2.0, 3.0)).astype(np.float32)


@pytest.mark.parametrize("spacing", [(1.0, 0.6, 3.0), (2.5, 2.5, 2.5), (0.5, 5.0, 1.2)])
def test_values_lie_where_they_lay(spacing: tuple[float, float, float]) -> None:
    matrix = np.diag([*spacing, 1.0])
    matrix[:3, 3] = (-20, 7, 3)
    shape = tuple(int(60 / s) for s in spacing)
    field = coarse(ramp(shape, matrix), matrix)
    points = field.points(np.ones(field.values.shape, dtype=bool))
    inner = (slice(3, -3),) * 3
    wanted = (points @ (1.0, 2.0, 3.0)).reshape(field.values.shape)
    np.testing.assert_allclose(field.values[inner], wanted[inner], atol=0.01)
    assert field.inside[inner].all()


def test_a_mask_is_carried_to_the_coarse_grid() -> None:
    matrix = np.diag([1.0, 1.0, 1.0, 1.0])
    mask = np.zeros((50, 50, 50), dtype=bool)
    mask[20:, :, :] = True
    field = coarse(mask.astype(float), matrix)
    small = carried(mask, field)
    points = field.points(small)
    assert points[:, 0].min() == 20.0
    assert len(points) == len(field.points(field.inside & (field.values > 0.5)))


def test_the_nearest_voxel_stays_within_the_grid() -> None:
    field = coarse(np.zeros((10, 10, 10)), np.diag([2.5, 2.5, 2.5, 1.0]))
    assert field.index(5.0, 0) == 2
    assert field.index(-99, 1) == 0
    assert field.index(1e6, 2) == 9


def test_edges_count_but_for_the_one_towards_the_feet() -> None:
    field = coarse(np.zeros((20, 20, 20)), np.diag([2.5, 2.5, 2.5, 1.0]))
    mask = np.zeros(field.values.shape, dtype=bool)
    assert field.edge_mm2(mask) == 0
    mask[5:10, 5:10, 0] = True
    assert field.edge_mm2(mask) == 0
    mask[5:10, 5:10, 19] = True
    assert field.edge_mm2(mask) == 25 * STEP_MM**2
    assert field.edge_mm2(mask, front_only=True) == 0
    mask[3:9, 19, 3:9] = True
    assert field.edge_mm2(mask, front_only=True) == 36 * STEP_MM**2


def test_values_that_are_no_numbers_count_as_nothing() -> None:
    values = np.ones((8, 8, 8), dtype=np.float32)
    values[:4] = np.nan
    field = coarse(values, np.diag([2.5, 2.5, 2.5, 1.0]))
    assert np.isfinite(field.values).all()


def test_more_than_a_body_is_refused() -> None:
    with pytest.raises(FaceUnsure) as caught:
        coarse(np.zeros((4, 4, 4)), np.diag([500.0, 500.0, 500.0, 1.0]))
    assert caught.value.doubt == Doubt.TOO_LARGE
