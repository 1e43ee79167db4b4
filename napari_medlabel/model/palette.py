"""Colours for labels that colour-blind people can tell apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

PALETTE: Final = (
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#332288",
    "#882255", "#ddcc77", "#117733", "#88ccee", "#aa4499", "#999933",
)  # fmt: skip
"""Okabe and Ito 2008, then Tol's muted set: made for red-green blindness."""

# Viénot, Brettel and Mollon 1999: linear RGB as a deuteranope and a protanope see it.
_SEEN: Final = (
    np.eye(3),
    np.array([[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]]),
    np.array([[0.11238, 0.88762, 0.0], [0.11238, 0.88762, 0.0], [0.00401, -0.00401, 1.0]]),
)
# Linear sRGB (D65) to XYZ, IEC 61966-2-1, and its white.
_XYZ: Final = np.array(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
)
_WHITE: Final = _XYZ.sum(axis=1)


def difference(first: str, second: str) -> float:
    """Return how far two colours ``#rrggbb`` look apart to whom they look most alike.

    Returns
    -------
    float
        The smallest distance in CIELAB (1976) to normal eyes, a deuteranope and a protanope.
        Below about 5 they are hard to tell apart.
    """
    apart = _looks(first) - _looks(second)
    return float(np.linalg.norm(apart, axis=1).min())


def spare_colour(taken: Iterable[str]) -> str:
    """Return the colour of the palette that looks least like those already taken.

    Parameters
    ----------
    taken : iterable of str
        Colours ``#rrggbb`` in use.
    """
    used: Sequence[str] = tuple(taken)
    if not used:
        return PALETTE[0]
    candidates = [one for one in PALETTE if one not in used] or _mixed()
    return max(candidates, key=lambda one: min(difference(one, other) for other in used))


def _mixed() -> list[str]:
    """Return lighter and darker colours of the palette, for more labels than it has."""
    out = []
    for colour in PALETTE:
        rgb = _rgb(colour)
        out += [_text(rgb * 0.6), _text(rgb + (1.0 - rgb) * 0.5)]
    return out


def _rgb(colour: str) -> FloatArray:
    return np.array([int(colour[n : n + 2], 16) / 255.0 for n in (1, 3, 5)])


def _text(rgb: FloatArray) -> str:
    return "#" + "".join(f"{round(255 * float(c)):02x}" for c in rgb)


@cache
def _looks(colour: str) -> FloatArray:
    """Return a colour in CIELAB as each kind of eye sees it, shape (3, 3)."""
    rgb = _rgb(colour)
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip([matrix @ linear for matrix in _SEEN], 0.0, 1.0)
    share = seen @ _XYZ.T / _WHITE
    bent = np.where(share > 216 / 24389, np.cbrt(share), (24389 / 27 * share + 16) / 116)
    x, y, z = bent.T
    lab: FloatArray = np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)
    return lab
