"""Which part of a segment on one slice becomes which on another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

BoolArray = npt.NDArray[np.bool_]
Point = tuple[float, float]

_REACH: Final = 3.0  # radii of the smaller part: as far may a part have moved
_KIN: Final = 0.1  # of its area: a part that much smaller is not a branch


def partners(
    first: BoolArray, last: BoolArray, spacing_mm: Point
) -> Iterator[tuple[BoolArray, BoolArray]]:
    """Yield pairs of shapes that become each other; one of a pair may be empty."""
    from scipy import ndimage

    around = np.ones((3, 3), dtype=bool)
    parts, n = ndimage.label(first, around)
    others, m = ndimage.label(last, around)
    if n == m == 1 and np.any(first & last):
        yield first, last
        return
    links = _links(parts, n, others, m, spacing_mm)
    for ours, theirs in _groups(links, n, m):
        here, there = np.isin(parts, ours), np.isin(others, theirs)
        yield here, there
        if len(ours) == 1 and len(theirs) > 1:
            yield from _shares(here, others, theirs)
        elif len(theirs) == 1 and len(ours) > 1:
            for there_part, here_part in _shares(there, parts, ours):
                yield here_part, there_part


def _shares(
    trunk: BoolArray, parts: npt.NDArray[np.int32], branches: list[int]
) -> Iterator[tuple[BoolArray, BoolArray]]:
    """Yield for each branch the share of the trunk that is nearest to it, and the branch."""
    from scipy import ndimage

    away = ~np.isin(parts, branches)
    nearest = ndimage.distance_transform_edt(away, return_distances=False, return_indices=True)
    owner = parts[tuple(nearest)]
    for branch in branches:
        share = trunk & (owner == branch)
        if share.any():
            yield share, parts == branch


def _links(
    parts: npt.NDArray[np.int32],
    n: int,
    others: npt.NDArray[np.int32],
    m: int,
    spacing_mm: Point,
) -> set[tuple[int, int]]:
    """Return which part of one slice belongs to which of the other, both counted from 1."""
    both = (parts > 0) & (others > 0)
    codes = np.unique(parts[both].astype(np.int64) * (m + 1) + others[both])
    links = {(int(code) // (m + 1), int(code) % (m + 1)) for code in codes}
    ours, theirs = _Crowd.of(parts, n, spacing_mm), _Crowd.of(others, m, spacing_mm)
    for a in sorted(set(range(1, n + 1)) - {a for a, _ in links}):
        b = theirs.nearest(ours, a, {b for _, b in links})
        if b:
            links.add((a, b))
    for b in sorted(set(range(1, m + 1)) - {b for _, b in links}):
        a = ours.nearest(theirs, b, {a for a, _ in links})
        if a:
            links.add((a, b))
    return links


@dataclass(frozen=True, eq=False)
class _Crowd:
    """The parts on one slice: where the pixels of each lie, in mm, and how large each is."""

    pixels_mm: npt.NDArray[np.float64]
    owner: npt.NDArray[np.int32]
    area_mm2: npt.NDArray[np.float64]
    centre_mm: npt.NDArray[np.float64]

    @classmethod
    def of(cls, parts: npt.NDArray[np.int32], count: int, spacing_mm: Point) -> _Crowd:
        at = np.nonzero(parts)
        owner = parts[at]
        pixels = np.stack(at, axis=1) * np.asarray(spacing_mm)
        number = np.bincount(owner, minlength=count + 1)
        centre: npt.NDArray[np.float64] = np.stack(
            [
                np.bincount(owner, pixels[:, x], count + 1) / np.maximum(number, 1)
                for x in (0, 1)
            ],
            axis=1,
        )
        area = np.asarray(number * spacing_mm[0] * spacing_mm[1], dtype=np.float64)
        return cls(pixels, owner, area, centre)

    def nearest(self, crowd: _Crowd, lone: int, matched: set[int]) -> int:
        """Return which part a lone one of another slice became, rather a lone one; 0: none."""
        area, centre = crowd.area_mm2[lone], crowd.centre_mm[lone]
        gap = np.full(self.area_mm2.size, np.inf)
        np.minimum.at(gap, self.owner, np.hypot(*(self.pixels_mm - centre).T))
        smaller, larger = np.minimum(area, self.area_mm2), np.maximum(area, self.area_mm2)
        alike = (smaller >= _KIN * larger) & (gap <= _REACH * np.sqrt(smaller / np.pi))
        options = [(int(b) in matched, float(gap[b]), int(b)) for b in np.flatnonzero(alike)]
        return min(options)[2] if options else 0


def _groups(links: set[tuple[int, int]], n: int, m: int) -> list[tuple[list[int], list[int]]]:
    """Return what belongs together, directly or through others."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    rows = [a - 1 for a, _ in sorted(links)]
    columns = [n + b - 1 for _, b in sorted(links)]
    graph = coo_array((np.ones(len(rows)), (rows, columns)), shape=(n + m, n + m))
    count, group = connected_components(graph, directed=False)
    out: list[tuple[list[int], list[int]]] = [([], []) for _ in range(count)]
    for node, number in enumerate(group):
        out[number][node >= n].append(node + 1 if node < n else node - n + 1)
    return out
