"""Where a picture may hold text, by its strokes alone: what is ruled out needs no detector.

Writing is many thin strokes side by side. A stroke is what a small square does not fit into
(the difference from the picture's opening, or closing for dark text). Where strokes begin as
often as they do in a line of letters, lying or standing, the detector looks; elsewhere there is
nothing that it would take for a line. Anatomy with a fine grain passes as well: this rules out,
and never decides that something is text.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Place = tuple[slice, slice]

_STROKE: Final = 5  # pixels: a little wider than a stroke
_HEIGHTS: Final = (7, 12)  # of a line, in pixels of a level
_LONG: Final = 3  # times its height
_TALLEST: Final = 0.06  # of the shorter side
_CONTRAST: Final = (40, 80)  # grey levels, of 256, by which a stroke stands out at least
_GRAIN: Final = 97.0  # per cent of the strokes in a picture that are its grain
_STROKES: Final = 1.0  # that begin along a height of a line; letters have 1.4 and more
_AROUND: Final = 48  # pixels that the detector sees around
_MOST: Final = 0.5  # of a picture; more than that is looked at as a whole
WHOLE: Final[Place] = (slice(None), slice(None))
"""All of a picture."""


def places_with_strokes(picture: Picture) -> tuple[Place, ...]:
    """Return the parts of a picture that a text detector must look at.

    Parameters
    ----------
    picture : ndarray of uint8, shape (rows, columns) or (rows, columns, 3)
        Grey, or red, green and blue, as the detector is shown it.

    Returns
    -------
    tuple of (slice, slice)
        Rows and columns of rectangles that do not overlap; none where no line of text can be;
        the whole where they would be most of it.
    """
    return _rectangles(strokes(picture))


def strokes(picture: Picture) -> Mask:
    """Return where strokes are as close as in a line of text, shape (rows, columns)."""
    rows, columns = picture.shape[:2]
    grey = picture if picture.ndim == 2 else picture.max(axis=2)
    layers = [grey] if picture.ndim == 2 else [grey, picture.min(axis=2)]
    marked = np.zeros((rows, columns), bool)
    scale = 1
    while True:
        for layer in layers:
            found = _in_level(layer)
            marked |= np.kron(found, np.ones((scale, scale), bool))[:rows, :columns]
        scale *= 2
        if _HEIGHTS[0] * scale > max(_HEIGHTS[1] + 1, _TALLEST * min(rows, columns)):
            return marked
        layers = [_halved(layer) for layer in layers]


def _in_level(grey: Picture) -> Mask:
    from scipy import ndimage

    size = (_STROKE, _STROKE)
    marked = np.zeros(grey.shape, bool)
    opened = ndimage.grey_opening(grey, size=size)
    closed = ndimage.grey_closing(grey, size=size)
    for apart in (grey - opened, closed - grey):
        least = np.clip(np.percentile(apart, _GRAIN), *_CONTRAST)
        stroke = apart > least
        if stroke.any():
            marked |= _dense(stroke)
            marked |= _dense(stroke.T).T
    return marked


def _dense(stroke: Mask) -> Mask:
    """Where strokes begin often along lying lines of text."""
    from scipy import ndimage

    begins = np.zeros(stroke.shape, np.float32)
    begins[:, 1:] = stroke[:, 1:] & ~stroke[:, :-1]
    dense = np.zeros(stroke.shape, bool)
    for height in _HEIGHTS:
        box = (height, _LONG * height)
        often = ndimage.uniform_filter(begins, box, mode="constant") * height
        dense |= often > _STROKES
    return dense


def _halved(grey: Picture) -> Picture:
    """Shrink to half the size, an odd last row or column repeated."""
    padded = np.pad(grey, [(0, side % 2) for side in grey.shape], mode="edge")
    rows, columns = (side // 2 for side in padded.shape)
    small: npt.NDArray[Any] = padded.reshape(rows, 2, columns, 2).mean(axis=(1, 3))
    halved: Picture = np.rint(small).astype(np.uint8)
    return halved


def _rectangles(marked: Mask) -> tuple[Place, ...]:
    """Return what lies around marked pixels; the whole where that is most of a picture."""
    from scipy import ndimage

    rows, columns = marked.shape
    boxes = [_around(place, marked.shape) for place in ndimage.find_objects(_labelled(marked))]
    while True:
        union = np.zeros(marked.shape, bool)
        for box in boxes:
            union[box] = True
        merged = [tuple(place) for place in ndimage.find_objects(_labelled(union))]
        if sum(_area(box) for box in merged) > _MOST * rows * columns:
            return (WHOLE,)
        if len(merged) == len(boxes):
            return tuple((place[0], place[1]) for place in merged)
        boxes = [(place[0], place[1]) for place in merged]


def _labelled(mask: Mask) -> npt.NDArray[Any]:
    from scipy import ndimage

    labels: npt.NDArray[Any] = ndimage.label(mask, np.ones((3, 3)))[0]
    return labels


def _around(place: tuple[slice, ...], shape: tuple[int, ...]) -> Place:
    first, second = (
        slice(max(0, part.start - _AROUND), min(side, part.stop + _AROUND))
        for part, side in zip(place, shape, strict=True)
    )
    return first, second


def _area(place: tuple[slice, ...]) -> int:
    area = 1
    for part in place:
        area *= part.stop - part.start
    return area
