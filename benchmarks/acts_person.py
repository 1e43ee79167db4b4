"""A simulated annotator: where it draws next, and how long a hand needs for that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Point = tuple[int, int, int]

# Keystroke-level model (Card, Moran, Newell 1980), with a drag along a path in centimetres.
_POINT_S: Final = 1.1
_PRESS_S: Final = 0.2
_DRAG_S: Final = 0.9
_DRAG_S_PER_CM: Final = 0.16
_SLICE_S: Final = 0.28
_LONGEST_PX: Final = 28


@dataclass
class Hand:
    """What the simulated hand has done.

    Parameters
    ----------
    spacing_mm : tuple of float
        Along z, y and x.
    wobble_px : int
        By how many pixels it misses at most; 0 is a hand that no person has.
    seed : int
        Of its wobble.
    """

    spacing_mm: tuple[float, float, float]
    wobble_px: int = 0
    seed: int = 0
    acts: int = 0
    seconds: float = 0.0
    at_slice: int | None = None

    def __post_init__(self) -> None:
        self._random = np.random.default_rng(self.seed)

    def go_to(self, z: int) -> None:
        """Leaf through to a slice."""
        if self.at_slice is not None:
            self.seconds += _SLICE_S * float(np.log2(1 + abs(z - self.at_slice)))
        self.at_slice = z

    def click(self) -> None:
        """Point and click: one act."""
        self.acts += 1
        self.seconds += _POINT_S + _PRESS_S

    def drag(self, length_px: float) -> None:
        """Draw a line of some length: one act."""
        self.acts += 1
        length_cm = length_px * self.spacing_mm[2] / 10.0
        self.seconds += _POINT_S + _PRESS_S + _DRAG_S + _DRAG_S_PER_CM * length_cm

    def missed(self, mask: Array) -> Array:
        """Return what the hand draws where it means to draw a mask (y, x)."""
        if not self.wobble_px:
            return mask
        dy, dx = self._random.integers(-self.wobble_px, self.wobble_px + 1, 2)
        return np.roll(mask, (int(dy), int(dx)), (0, 1))

    def outline(self, truth: Array, z: int) -> Array:
        """Draw round the object on a slice; return what lies inside."""
        from scipy import ndimage

        self.go_to(z)
        rim = truth[z] & ~ndimage.binary_erosion(truth[z])
        self.drag(float(np.count_nonzero(rim)))
        return self.missed(truth[z])

    def scribble(self, region: Array, z: int) -> Array:
        """Draw a straight line, 3 pixels wide, through the deepest place of a region (y, x)."""
        from scipy import ndimage

        self.go_to(z)
        depth = ndimage.distance_transform_edt(np.pad(region, 1))[1:-1, 1:-1]
        y, x = (int(v) for v in np.unravel_index(int(depth.argmax()), depth.shape))
        wide, tall = _run(region[y], x), _run(region[:, x], y)
        width = 1 if depth[y, x] >= 2.5 else 0
        line = np.zeros(region.shape, bool)
        if wide[1] - wide[0] >= tall[1] - tall[0]:
            line[max(0, y - width) : y + width + 1, wide[0] : wide[1] + 1] = True
            self.drag(wide[1] - wide[0] + 1)
        else:
            line[tall[0] : tall[1] + 1, max(0, x - width) : x + width + 1] = True
            self.drag(tall[1] - tall[0] + 1)
        return self.missed(line & region)


def _run(line: Array, at: int) -> tuple[int, int]:
    """Return the ends of the run of True around a place, a little inside."""
    first = last = at
    while first > 0 and line[first - 1] and at - first < _LONGEST_PX:
        first -= 1
    while last + 1 < line.size and line[last + 1] and last - at < _LONGEST_PX:
        last += 1
    return (first + 1, last - 1) if last - first > 4 else (first, last)


def worst_slice(wrong: Array) -> int:
    """Return the slice with the most wrong voxels of a region (z, y, x)."""
    return int(wrong.sum(axis=(1, 2)).argmax())


def largest_part(wrong: Array) -> Array:
    """Return the largest connected part of what is wrong."""
    from scipy import ndimage

    parts, count = ndimage.label(wrong)
    if count == 0:
        return wrong
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    return parts == int(sizes.argmax())


def dice(first: Array, second: Array) -> float:
    """Return the Dice coefficient of two regions."""
    total = int(np.count_nonzero(first)) + int(np.count_nonzero(second))
    return 2.0 * int(np.count_nonzero(first & second)) / total if total else 1.0
