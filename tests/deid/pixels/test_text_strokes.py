"""Strokes like writing: where a detector must look, and what it need not see."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import gaussian_filter

from napari_medlabel.deid.pixels.text_strokes import WHOLE, places_with_strokes, strokes

SIDE = 256


def body(noise: float = 3.0, side: int = SIDE) -> np.ndarray:
    """An oval with a bright rim, as a slice of a CT has it."""
    y, x = np.mgrid[:side, :side]
    far = np.hypot((x - side / 2) * 1.0, (y - side / 2) * 1.3) / side
    grey = np.where(far < 0.4, 110.0, 4.0) + 120 * ((far > 0.36) & (far < 0.4))
    grey = gaussian_filter(grey, 1) + np.random.default_rng(3).normal(0, noise, grey.shape)
    return np.clip(grey, 0, 255).astype(np.uint8)


def written(
    picture: np.ndarray, size: int, at: tuple[int, int], angle: int = 0, ink: int = 255
):
    """The picture with a line of text, and where that is."""
    font = ImageFont.load_default(size=size)
    line = Image.new("L", (11 * size, 2 * size))
    ImageDraw.Draw(line).text((2, size // 3), "MUSTER ERIKA 1963", fill=255, font=font)
    dots = np.asarray(line.rotate(angle, expand=True)) > 100
    dots = dots[:, : picture.shape[1] - at[1]][: picture.shape[0] - at[0]]
    place = np.zeros(picture.shape[:2], bool)
    place[at[0] : at[0] + dots.shape[0], at[1] : at[1] + dots.shape[1]] = dots
    out = picture.copy()
    out[place] = ink
    return out, place


def test_anatomy_without_text_is_ruled_out():
    assert places_with_strokes(body()) == ()
    assert places_with_strokes(np.zeros((40, 30), np.uint8)) == ()


@pytest.mark.parametrize("size", [8, 10, 12, 16])
@pytest.mark.parametrize("angle", [0, 90])
@pytest.mark.parametrize("at", [(4, 4), (110, 60)])
def test_lines_of_text_are_seen_lying_and_standing(size, angle, at):
    picture, dots = written(body(side=512), size, at, angle)
    places = places_with_strokes(picture)
    seen = np.zeros(dots.shape, bool)
    for place in places:
        seen[place] = True
    assert seen[dots].all()
    assert seen.mean() < 0.5


def test_dark_text_and_faint_text_are_seen():
    bright = np.full((SIDE, SIDE), 210, np.uint8)
    assert places_with_strokes(written(bright, 12, (20, 20), ink=30)[0])
    faint = np.full((SIDE, SIDE), 60, np.uint8)
    assert places_with_strokes(written(faint, 12, (20, 20), ink=110)[0])


def test_grain_does_not_hide_text():
    picture, dots = written(body(noise=14), 12, (110, 60))
    assert strokes(picture)[dots].mean() > 0.5


def test_coloured_text_on_grey_is_seen():
    grey = body()
    colour = np.repeat(grey[..., None], 3, axis=2)
    assert places_with_strokes(colour) == ()
    _, dots = written(grey, 12, (4, 4))
    colour[dots] = (0, 255, 0)
    assert places_with_strokes(colour)


def test_two_lines_far_apart_are_two_places_and_near_ones_one():
    side = body(side=512)
    far, _ = written(written(side, 10, (4, 4))[0], 10, (480, 380))
    assert len(places_with_strokes(far)) == 2
    near, _ = written(written(side, 10, (4, 4))[0], 10, (70, 90))
    assert len(places_with_strokes(near)) == 1


def test_strokes_all_over_are_looked_at_as_a_whole():
    stripes = np.zeros((101, 99), np.uint8)
    stripes[:, ::6] = 255
    assert places_with_strokes(stripes) == (WHOLE,)
