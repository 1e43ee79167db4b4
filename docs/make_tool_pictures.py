"""Draw every editing tool before and after, on the sample CT, into docs/pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont
from tool_scenes import PAGES, Sample, Shot

from napari_medlabel.model import presets

PICTURES: Final = Path(__file__).parent / "pictures"
FILES: Final = {
    "draw": "tools-draw.png",
    "grow": "tools-grow.png",
    "slices": "tools-slices.png",
    "shape": "tools-shape.png",
    "move": "tools-move.png",
}
WIDTH, HEIGHT = 300, 210
GAP, TITLE = 6, 24
WINDOW_HU: Final = (-160.0, 240.0)
OPACITY: Final = 0.45

Array = npt.NDArray[Any]


def main() -> None:
    """Write all pages."""
    sample = Sample.load()
    for name, makers in PAGES.items():
        rows = [_row(sample, make(sample)) for make in makers]
        page = Image.fromarray(np.vstack(rows))
        page.quantize(256, dither=Image.Dither.NONE).save(PICTURES / FILES[name], optimize=True)
        print(name, page.size)


def _row(sample: Sample, shot: Shot) -> Array:
    """Return a tool's title above before and after."""
    crop = _crop(sample, shot)
    parts = [_picture(sample, labels, shot, crop) for labels in (shot.before, shot.after)]
    row = np.full((HEIGHT + TITLE + GAP, 2 * WIDTH + GAP, 3), 255, np.uint8)
    row[TITLE : TITLE + HEIGHT, :WIDTH] = parts[0]
    row[TITLE : TITLE + HEIGHT, WIDTH + GAP :] = parts[1]
    image = Image.fromarray(row)
    font = ImageFont.load_default(15)
    ImageDraw.Draw(image).text((2, 3), shot.title, fill=(20, 20, 20), font=font)
    return np.asarray(image)


def _plane(array: Array, shot: Shot) -> Array:
    """Return a slice as rows and columns of the screen, head up."""
    plane = np.take(array, shot.index, axis=shot.axis).T
    return plane if shot.axis == 2 else plane[::-1]


def _crop(sample: Sample, shot: Shot) -> tuple[float, float, float]:
    """Return the middle (row, column) of what changes, and its reach in mm."""
    touched = (_plane(shot.before, shot) > 0) | (_plane(shot.after, shot) > 0)
    rows, columns = np.nonzero(touched)
    row_mm, column_mm = _spacing(sample, shot)
    middle = (rows.min() + rows.max()) / 2, (columns.min() + columns.max()) / 2
    tall = (rows.max() - rows.min()) * row_mm
    wide = (columns.max() - columns.min()) * column_mm
    return middle[0], middle[1], max(tall * WIDTH / HEIGHT, wide, 90.0) * 0.62


def _spacing(sample: Sample, shot: Shot) -> tuple[float, float]:
    i, j, k = sample.spacing_mm
    return {0: (k, j), 1: (k, i), 2: (j, i)}[shot.axis]


def _picture(
    sample: Sample, labels: Array, shot: Shot, crop: tuple[float, float, float]
) -> Array:
    """Draw a slice with labels, in true proportions."""
    row_mm, column_mm = _spacing(sample, shot)
    row, column, reach_mm = crop
    step_mm = 2 * reach_mm / WIDTH
    rows = row + (np.arange(HEIGHT) - HEIGHT / 2) * step_mm / row_mm
    columns = column + (np.arange(WIDTH) - WIDTH / 2) * step_mm / column_mm
    image, mask = _plane(sample.image, shot), _plane(labels, shot)
    at_row = np.clip(np.rint(rows).astype(int), 0, image.shape[0] - 1)
    at_column = np.clip(np.rint(columns).astype(int), 0, image.shape[1] - 1)
    grey = image[np.ix_(at_row, at_column)].astype(float)
    low, high = WINDOW_HU
    out = np.repeat(np.clip((grey - low) / (high - low), 0, 1)[..., None], 3, axis=2)
    shown = mask[np.ix_(at_row, at_column)]
    for label in presets.scheme("abdomen").labels:
        where = shown == label.value
        out[where] = (1 - OPACITY) * out[where] + OPACITY * np.array(label.rgb)
        rim = where & ~_inside(where)
        out[rim] = label.rgb
    picture: Array = np.round(255 * out).astype(np.uint8)
    return picture


def _inside(where: Array) -> Array:
    inner = where.copy()
    inner[1:] &= where[:-1]
    inner[:-1] &= where[1:]
    inner[:, 1:] &= where[:, :-1]
    inner[:, :-1] &= where[:, 1:]
    return inner


if __name__ == "__main__":
    main()
