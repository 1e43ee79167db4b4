"""Distances in mm, against the slowest way there is."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.edit.distance import distance_mm, signed_distance_mm
from tests.tilted import STEPS


def slowly(region: np.ndarray, spacing_mm: tuple[float, float, float]) -> np.ndarray:
    """Compare every voxel inside with every voxel outside."""
    out = np.zeros(region.shape)
    others = np.argwhere(~region) * spacing_mm
    for voxel in np.argwhere(region):
        away = np.linalg.norm(others - voxel * spacing_mm, axis=1)
        out[tuple(voxel)] = away.min(initial=np.inf)
    return out


@pytest.fixture(params=["edt", "scipy"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "scipy":
        monkeypatch.setitem(sys.modules, "edt", None)
    return str(request.param)


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("spacing", [(0.7, 0.9, 3.0), (2.0, 1.0, 0.5)])
def test_distances_are_exact_in_mm_along_every_axis(
    order: str, spacing: tuple[float, float, float]
) -> None:
    region = np.array(np.random.default_rng(1).random((7, 6, 5)) < 0.8, order=order)  # type: ignore[call-overload]
    np.testing.assert_allclose(distance_mm(region, spacing), slowly(region, spacing), rtol=1e-6)


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("full", [True, False])
def test_a_region_without_an_other_side_is_infinitely_deep(full: bool) -> None:
    region = np.full((3, 4, 2), full)
    assert np.all(distance_mm(region, (1, 1, 1)) == (np.inf if full else 0))
    assert np.all(signed_distance_mm(region, (1, 1, 1)) == (np.inf if full else -np.inf))
    assert distance_mm(np.zeros((0, 2, 2), bool), (1, 1, 1)).shape == (0, 2, 2)


@settings(deadline=None, max_examples=25)
@given(
    shape=st.tuples(*[st.integers(1, 6)] * 3),
    spacing=st.tuples(*[st.sampled_from((0.4, 0.7, 1.0, 3.0))] * 3),
    seed=st.integers(0, 99),
)
def test_a_signed_distance_is_above_zero_inside_and_below_outside(
    shape: tuple[int, int, int], spacing: tuple[float, float, float], seed: int
) -> None:
    region = np.random.default_rng(seed).random(shape) < 0.5
    signed = signed_distance_mm(region, spacing)
    assert signed.dtype == np.float32
    assert np.array_equal(signed > 0, region)
    np.testing.assert_allclose(
        signed, slowly(region, spacing) - slowly(~region, spacing), rtol=1e-6
    )


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize(
    "shape", [(6, 5, 1), (6, 1, 5), (1, 6, 5), (7, 1, 1), (1, 7, 1), (1, 1, 7), (1, 1, 1)]
)
def test_axes_of_one_voxel_change_nothing(shape: tuple[int, int, int]) -> None:
    spacing = (0.7, 0.9, 3.0)
    region = np.random.default_rng(2).random(shape) < 0.7
    region[0, 0, 0] = False
    found = distance_mm(region, spacing)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, slowly(region, spacing), rtol=1e-6)
    np.testing.assert_allclose(
        signed_distance_mm(region, spacing),
        slowly(region, spacing) - slowly(~region, spacing),
        rtol=1e-6,
    )


@settings(deadline=None, max_examples=40)
@given(
    shape=st.tuples(*[st.integers(1, 7)] * 3),
    matrix=STEPS,
    seed=st.integers(0, 99),
    share=st.sampled_from((0.5, 0.95)),
)
def test_on_a_tilted_scan_distances_are_exact_in_the_patient(
    shape: tuple[int, int, int], matrix: np.ndarray, seed: int, share: float
) -> None:
    region = np.random.default_rng(seed).random(shape) < share
    spacing = tuple(np.linalg.norm(matrix, axis=0))
    wanted = np.zeros(shape)
    others = np.argwhere(~region) @ matrix.T
    for voxel in np.argwhere(region):
        away = np.linalg.norm(others - matrix @ voxel, axis=1)
        wanted[tuple(voxel)] = away.min(initial=np.inf)
    found = distance_mm(region, spacing, matrix)
    np.testing.assert_allclose(found, wanted, rtol=1e-6)
    near = distance_mm(region, spacing, matrix, up_to_mm=2.0051)
    np.testing.assert_allclose(near[wanted < 2.005], wanted[wanted < 2.005], rtol=1e-6)
    assert (near[wanted > 2.006] > 2.005).all()
    signed = signed_distance_mm(region, spacing, matrix)
    np.testing.assert_array_equal(signed[region], found[region])
