"""The relief: edges in mm, levels in units of the noise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_medlabel.edit.grow.relief import Scale, Steps, choose_scale, levels


def relief_of(image: np.ndarray, spacing: tuple[float, float, float], scale: Scale, **kw):
    out = np.zeros(image.shape[::-1], np.uint8)
    levels(image, spacing, scale, out=out, **kw)
    return out.T


def test_slabs_give_what_the_whole_gives() -> None:
    rng = np.random.default_rng(3)
    image = np.asfortranarray(rng.integers(0, 500, (14, 11, 37)).astype(np.int16))
    spacing = (0.7, 0.8, 1.5)
    smooth = ndimage.gaussian_filter(
        image.astype(np.float32), [1.0 / mm for mm in spacing], truncate=3.0, mode="nearest"
    )
    padded = np.pad(smooth, 1, mode="edge")
    steep = 0.0
    for axis, mm in enumerate(spacing):
        ahead = np.take(padded, range(2, padded.shape[axis]), axis)
        behind = np.take(padded, range(padded.shape[axis] - 2), axis)
        step = (ahead - behind) / (2 * mm)
        inner = tuple(slice(None) if a == axis else slice(1, -1) for a in range(3))
        steep = steep + step[inner] ** 2
    expected = np.clip(np.sqrt(steep) / 2.0, 0, 255)
    found = relief_of(image, spacing, Scale(1.0, 2.0))
    assert np.abs(found - expected).max() < 0.51


def test_a_slope_is_steep_per_millimetre_not_per_voxel() -> None:
    i = np.arange(30)
    fine = np.asfortranarray(np.broadcast_to((10 * i)[:, None, None], (30, 8, 8)))
    coarse = np.asfortranarray(np.broadcast_to((30 * i)[:, None, None], (30, 8, 8)))
    scale = Scale(1.0, 0.5)
    one = relief_of(fine, (1.0, 1.0, 1.0), scale)[15, 4, 4]
    three = relief_of(coarse, (3.0, 3.0, 3.0), scale)[15, 4, 4]
    assert one == three == 20


def test_more_noise_asks_for_a_wider_gradient() -> None:
    rng = np.random.default_rng(4)
    image = np.zeros((64, 64, 32), np.float32)
    image[32:] = 200.0
    found = [
        choose_scale(image + rng.normal(0, noise, image.shape), (0.7, 0.7, 1.5)).gradient_mm
        for noise in (2.0, 25.0, 120.0)
    ]
    assert found == sorted(found)
    assert found[0] == pytest.approx(0.7)
    assert found[-1] > 1.3


@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_an_image_without_noise_is_hardly_smoothed(noise: float) -> None:
    image = np.random.default_rng(3).normal(0, noise, (40, 40, 20)).astype(np.float32)
    image[20:] += 100
    scale = choose_scale(image, (1.0, 1.0, 2.0))
    assert scale.gradient_mm == 0.5
    assert scale.quantum > 0.05  # not of the little noise there is: edges would be clipped


def test_noise_around_which_all_is_masked_is_still_noise() -> None:
    image = np.zeros((48, 48, 32), np.float32)
    inside = (slice(8, 40), slice(8, 40), slice(8, 24))
    image[inside] = 100 + np.random.default_rng(3).normal(0, 10, (32, 32, 16))
    assert choose_scale(image, (1.0, 1.0, 1.0)).gradient_mm >= 1.0


def test_a_flat_image_has_levels_too() -> None:
    assert choose_scale(np.zeros((5, 5, 5)), (1.0, 1.0, 1.0)).quantum == 1.0
    additive = choose_scale(np.full((5, 5, 5), 7.0), (1.0, 1.0, 1.0), mode="additive")
    assert (additive.floor, additive.quantum) == (7.0, 1.0)


def test_additive_levels_follow_the_intensities() -> None:
    image = np.asfortranarray(np.linspace(-100, 300, 20 * 4 * 4).reshape(20, 4, 4))
    scale = choose_scale(image, (1.0, 1.0, 1.0), mode="additive", gradient_mm=0.3)
    found = relief_of(image, (1.0, 1.0, 1.0), scale, mode="additive")
    assert found[0].min() == 0
    assert found[-1].max() == 255
    assert (np.diff(found[:, 2, 2].astype(int)) >= 0).all()


@pytest.mark.parametrize(
    ("spacing", "along"),
    [((1.0, 1.0, 1.0), (1, 1, 1)), ((0.7, 0.7, 1.5), (2, 1, 1)), ((0.7, 0.7, 1.0), (3, 2, 2))],
)
def test_steps_cost_their_millimetres(spacing, along) -> None:
    assert Steps.of(spacing, "minimax").along == along


def test_a_single_slice_has_a_relief() -> None:
    image = np.zeros((20, 20, 1), np.int16)
    image[10:] = 100
    found = relief_of(image, (1.0, 1.0, 5.0), Scale(1.0, 1.0))
    assert found[10, 5, 0] > 10
    assert found[2, 5, 0] == 0
