"""What the script draws: a mask for each case, rater and round, the same whenever one asks."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.uint8]
LIVER, SPLEEN = 1, 2


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
    size = np.array(shape, float)
    for value, side in ((LIVER, 0.3), (SPLEEN, 0.7)):
        centre = size * np.array([side, *place.uniform(0.4, 0.6, 2)])
        centre += hand.uniform(-0.02, 0.02, 3) * size
        radius = np.maximum(size * 0.16 * hand.uniform(0.9, 1.1, 3), 1.2)
        i, j, k = np.ogrid[tuple(slice(0, n) for n in shape)]
        inside = sum(
            ((at - c) / r) ** 2 for at, c, r in zip((i, j, k), centre, radius, strict=True)
        )
        mask[inside <= 1.0] = value
    return mask


def _rng(words: str) -> np.random.Generator:
    digest = hashlib.sha256(words.encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))
