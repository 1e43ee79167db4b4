"""How large a piece of surface lies in a 2 x 2 x 2 neighbourhood of voxels: 256 cases.

Derived here from marching cubes (Lorensen and Cline 1987): a vertex halfway along every edge of
the cube whose ends differ; on a face with four of them the corners of which there are fewer in
the cube are cut apart; of a bent polygon's triangulations the largest in a unit cube counts.
The areas are those of Nikolov et al. 2018 (DeepMind's surface-distance).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Corner = tuple[int, int, int]
Vertex = tuple[float, float, float]
Triangle = tuple[Vertex, Vertex, Vertex]

CORNERS: Final[tuple[Corner, ...]] = tuple(
    (a, b, c) for c, b, a in itertools.product((0, 1), repeat=3)
)
"""Corner n of the cube has bit n of the code: bit 0 is axis 0, bit 1 axis 1, bit 2 axis 2."""


def areas_mm2(spacing_mm: Sequence[float], skew_mm: FloatArray | None = None) -> FloatArray:
    """Return the surface area in each of the 256 neighbourhoods.

    Parameters
    ----------
    spacing_mm : sequence of float
        Distance of neighbouring voxels along axes 0, 1 and 2.
    skew_mm : ndarray, shape (3, 3), optional
        The steps along axes 0, 1 and 2, columns in mm, where they are not at right angles.

    Returns
    -------
    ndarray, shape (256,)
        In mm2, by the code whose bit n says that corner n of `CORNERS` is inside.
    """
    first, second, third = spacing_mm
    across = np.diag([second * third, first * third, first * second])
    if skew_mm is not None:  # an area vector turns as what is at right angles to its edges
        across = np.linalg.det(skew_mm) * np.linalg.inv(skew_mm)
    table = np.zeros(256)
    for code in range(1, 255):
        table[code] = np.linalg.norm(_normals(code) @ across, axis=1).sum()
    return table


def codes(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    """Return the code of every neighbourhood of a mask, with background all around it.

    Parameters
    ----------
    mask : ndarray of bool, shape (a, b, c)
        The region; what lies on its border is closed there.

    Returns
    -------
    ndarray of uint8, shape (a + 1, b + 1, c + 1)
        Neighbourhood (0, 0, 0) has voxel (0, 0, 0) as its last corner. 0: outside, 255: inside.
    """
    found = np.pad(mask, 1).view(np.uint8)
    for axis, shift in ((0, 1), (1, 2), (2, 4)):
        low = [slice(None)] * 3
        high = [slice(None)] * 3
        low[axis], high[axis] = slice(0, -1), slice(1, None)
        found = found[tuple(low)] | (found[tuple(high)] << np.uint8(shift))
    return found


@cache
def _normals(code: int) -> FloatArray:
    """Return each triangle's area vector in the unit cube, shape (triangles, 3)."""
    inside = {corner: bool(code >> bit & 1) for bit, corner in enumerate(CORNERS)}
    if sum(inside.values()) > 4:
        inside = {corner: not one for corner, one in inside.items()}
    vectors = [
        vector
        for loop in _loops(inside)
        for vector in max(map(_area_vectors, _triangulations(loop)), key=_total)
    ]
    return np.array(vectors, dtype=np.float64).reshape(-1, 3)


def _total(vectors: list[FloatArray]) -> float:
    # Rounded: of equally large ones the first is taken, on every machine.
    return round(sum(float(np.linalg.norm(one)) for one in vectors), 9)


def _area_vectors(triangles: tuple[Triangle, ...]) -> list[FloatArray]:
    return [np.cross(np.subtract(b, a), np.subtract(c, a)) / 2.0 for a, b, c in triangles]


def _rings() -> Iterator[tuple[Corner, ...]]:
    """Go through the six faces: four corners each, in turn."""
    for axis in range(3):
        for side in (0, 1):
            yield tuple(
                (*around[:axis], side, *around[axis:])  # type: ignore[misc]
                for around in ((0, 0), (1, 0), (1, 1), (0, 1))
            )


def _halfway(first: Corner, second: Corner) -> Vertex:
    x, y, z = ((a + b) / 2.0 for a, b in zip(first, second, strict=True))
    return x, y, z


def _segments(inside: dict[Corner, bool]) -> Iterator[tuple[Vertex, Vertex]]:
    """Go through the lines in which the surface meets the faces of the cube."""
    for ring in _rings():
        edges = [_halfway(ring[n], ring[(n + 1) % 4]) for n in range(4)]
        cut = [n for n in range(4) if inside[ring[n]] != inside[ring[(n + 1) % 4]]]
        if len(cut) == 2:
            yield edges[cut[0]], edges[cut[1]]
        elif len(cut) == 4:
            # Around each corner inside: the edges before and after it.
            yield from ((edges[n - 1], edges[n]) for n in range(4) if inside[ring[n]])


def _loops(inside: dict[Corner, bool]) -> Iterator[tuple[Vertex, ...]]:
    """Join the lines to closed polygons."""
    ends: dict[Vertex, list[Vertex]] = {}
    for first, second in _segments(inside):
        ends.setdefault(first, []).append(second)
        ends.setdefault(second, []).append(first)
    while ends:
        here = min(ends)
        loop: list[Vertex] = []
        while here in ends:
            loop.append(here)
            after = ends.pop(here)
            here = next((one for one in after if one in ends), here)
        yield tuple(loop)


def _triangulations(loop: tuple[Vertex, ...]) -> Iterator[tuple[Triangle, ...]]:
    """Go through all ways to cut a polygon into triangles."""
    if len(loop) < 3:
        yield ()
        return
    for n in range(1, len(loop) - 1):
        middle = (loop[0], loop[n], loop[-1])
        for before in _triangulations(loop[: n + 1]):
            for after in _triangulations(loop[n:]):
                yield (middle, *before, *after)
