"""A line of text that is put under each searched picture, so that the network finds only text.

Where a picture holds no text the network takes its largest shapes for some: what it answers for
one place depends on the whole. With a real line at its lower edge, what is not text no longer
looks like it. The line was drawn once with Pillow's own font at 12 pixels.
"""

from __future__ import annotations

import base64
from functools import cache

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
HEIGHT = 32
"""Rows that are added under a picture."""

_ROWS, _COLUMNS = 11, 112
_MARGIN = 4
_LINE = (
    "AAAAAAAAAAAAAAAAAAAcMMM+QPgMPDjgPBgMOCYwwyNAgDxmTTBkGDxMInjHIUCABEKEEEI4BEQw"
    "SKUjQIAEQrgwQigEBBxIpT5A+ARmzGBCSAQIBvylIECABDqEN0LLhBAChLkgQIAEQoYQQvwEICKE"
    "mSBAgARkzzBkCARgHYSZIHz4BDh54DwIBPwAAAAAAAAAAAAAAAAAAA=="
)


def with_line(picture: Picture) -> Picture:
    """Return a picture with the line below it.

    Parameters
    ----------
    picture : ndarray of uint8, shape (rows, columns) or (rows, columns, 3)
        What is searched.

    Returns
    -------
    ndarray of uint8, shape (rows + HEIGHT, columns) or (rows + HEIGHT, columns, 3)
    """
    strip = np.zeros((HEIGHT, *picture.shape[1:]), np.uint8)
    line = _line()[:, : max(0, picture.shape[1] - 2 * _MARGIN)]
    top = (HEIGHT - _ROWS) // 2
    place = strip[top : top + _ROWS, _MARGIN : _MARGIN + line.shape[1]]
    place[line] = 255
    return np.concatenate((picture, strip))


@cache
def _line() -> npt.NDArray[np.bool_]:
    packed = np.frombuffer(base64.b64decode(_LINE), np.uint8)
    return np.unpackbits(packed, count=_ROWS * _COLUMNS).reshape(_ROWS, _COLUMNS).astype(bool)
