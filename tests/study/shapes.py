"""What the script draws: masks for each case, rater and round, the same whenever one asks."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.uint8]
LIVER, SPLEEN, LESION = 1, 2, 7


def draw(shape: tuple[int, int, int], case: str, who: str, turn: int = 1) -> Mask:
    """Return a mask of two ellipsoids: their places hang on the case, their edges on the rest.

    Parameters
    ----------
    shape : tuple of int
        Of the scan, (i, j, k).
    case : str
        Its name.
    who : str
        Code of the rater; ``truth`` for what nobody drew.
    turn : int
        Which round: a second drawing differs from the first.

    Returns
    -------
    ndarray of uint8, shape (i, j, k)
        0 nothing, 1 liver, 2 spleen.
    """
    mask = np.zeros(shape, np.uint8)
    place, hand = _rng(case), _rng(f"{case} {who} {turn}")
    for value, side in ((LIVER, 0.3), (SPLEEN, 0.7)):
        _put(mask, value, np.array([side, *place.uniform(0.4, 0.6, 2)]), 0.16, hand)
    return mask


def draw_inside(shape: tuple[int, int, int], case: str, who: str, turn: int = 1) -> Mask:
    """Return what is drawn on the second layer: a lesion that overlaps the liver.

    Returns
    -------
    ndarray of uint8, shape (i, j, k)
        0 nothing, 7 lesion.
    """
    mask = np.zeros(shape, np.uint8)
    place, hand = _rng(case), _rng(f"{case} {who} {turn} lesion")
    _put(mask, LESION, np.array([0.3, *place.uniform(0.4, 0.6, 2)]), 0.09, hand)
    return mask


LAYERS = {0: draw, 1: draw_inside}
"""What draws each layer."""


def _put(
    mask: Mask,
    value: int,
    place: npt.NDArray[np.float64],
    size: float,
    hand: np.random.Generator,
) -> None:
    """Put an ellipsoid into a mask; place and size are shares of its shape."""
    shape = np.array(mask.shape, float)
    centre = shape * place + hand.uniform(-0.02, 0.02, 3) * shape
    radius = np.maximum(shape * size * hand.uniform(0.9, 1.1, 3), 1.2)
    i, j, k = np.ogrid[tuple(slice(0, n) for n in mask.shape)]
    inside = sum(
        ((at - c) / r) ** 2 for at, c, r in zip((i, j, k), centre, radius, strict=True)
    )
    mask[inside <= 1.0] = value


def _rng(words: str) -> np.random.Generator:
    digest = hashlib.sha256(words.encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))
