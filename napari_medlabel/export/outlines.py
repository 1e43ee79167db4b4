"""Voxels -> closed contours along the edges of the voxels, exactly: nothing is smoothed.

A corner lies half a voxel from the centres, so a contour encloses the centres of exactly its
voxels and its area is theirs. Voxels that touch at a corner only are parted (4-connected).
Along a contour the voxels lie on the right hand where rows grow downwards: outer borders and
holes run in opposite directions, so that the even-odd and the winding rule fill the same.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Holes = Literal["keyhole", "separate"]
Corner = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Outline:
    """A closed contour on one plane.

    Parameters
    ----------
    plane : int
        Which plane, counted from 0.
    corners : ndarray of int, shape (n, 2)
        Corners (u, v) of voxels: corner (u, v) is the one of voxel (u, v) towards smaller
        indices, in voxel indices (u - 0.5, v - 0.5). Closed from the last to the first.
    is_hole : bool
        Whether it bounds a hole and not an area.
    """

    plane: int
    corners: npt.NDArray[np.int64]
    is_hole: bool


def outlines(
    mask: npt.NDArray[np.bool_], *, holes: Holes = "keyhole", first_plane: int = 0
) -> list[Outline]:
    """Outline the voxels of a stack of planes.

    Parameters
    ----------
    mask : ndarray of bool, shape (planes, rows, columns)
        Columns run along u, rows along v.
    holes : str
        ``"keyhole"``: a hole is joined to its outer contour by a channel of no width, drawn
        there and back along voxel edges; ``"separate"``: it is a contour of its own.
    first_plane : int
        Number of the first plane.

    Returns
    -------
    list of Outline
        Plane by plane.
    """
    if not mask.any():
        return []
    framed = np.pad(mask, ((0, 0), (1, 1), (1, 1)))
    points, following = _corners(framed)
    loops = _loops(following)
    found: list[Outline] = []
    by_plane: dict[int, list[list[int]]] = {}
    for loop in loops:
        by_plane.setdefault(int(points[loop[0], 0]), []).append(loop)
    for plane in sorted(by_plane):
        parts = [points[loop, 1:] for loop in by_plane[plane]]
        open_ = [_is_hole(part, mask[plane]) for part in parts]
        if holes == "keyhole" and any(open_):
            keyed = _Keyed(parts, open_, mask[plane]).contours()
            found += [Outline(first_plane + plane, one, False) for one in keyed]
        else:
            found += [
                Outline(first_plane + plane, part, is_hole)
                for part, is_hole in zip(parts, open_, strict=True)
            ]
    return found


def _corners(framed: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return all corners (plane, u, v) and for each the one that follows it.

    A corner where two voxels touch diagonally stands twice, once for each of them.
    """
    nw, ne = framed[:, :-1, :-1], framed[:, :-1, 1:]
    sw, se = framed[:, 1:, :-1], framed[:, 1:, 1:]
    # A border leaves the corner to the west where north-west and south-west differ, and so on.
    west, east, north, south = nw != sw, ne != se, nw != ne, sw != se
    cross = west & east & north & south
    bend = (west ^ east) & (north ^ south)
    plane, v, u = np.nonzero(bend | cross)
    is_cross = cross[plane, v, u]
    # At a cross the first copy has the border to the west, the second that to the east; the
    # voxel that lies between a copy's two borders decides which of them goes north.
    falling = nw[plane, v, u]
    first = np.flatnonzero(is_cross)
    has_west = west[plane, v, u].copy()
    has_north = north[plane, v, u].copy()
    has_west[first], has_north[first] = True, falling[first]
    points = np.stack([plane, u, v], axis=1)
    points = np.concatenate([points, points[first]])
    has_west = np.concatenate([has_west, np.zeros(len(first), bool)])
    has_north = np.concatenate([has_north, ~falling[first]])
    following = np.empty(len(points), np.int64)
    # Along a row a border ends at the copy that has it in the west, before the next begins.
    order = np.lexsort((~has_west, points[:, 1], points[:, 2], points[:, 0]))
    left, right = order[0::2], order[1::2]
    below = se[points[left, 0], points[left, 2], points[left, 1]]
    following[np.where(below, left, right)] = np.where(below, right, left)
    order = np.lexsort((~has_north, points[:, 2], points[:, 1], points[:, 0]))
    top, bottom = order[0::2], order[1::2]
    west_of = sw[points[top, 0], points[top, 2], points[top, 1]]
    following[np.where(west_of, top, bottom)] = np.where(west_of, bottom, top)
    return points, following


def _loops(following: npt.NDArray[np.int64]) -> list[list[int]]:
    after = following.tolist()
    seen = bytearray(len(after))
    loops = []
    for start in range(len(after)):
        if seen[start]:
            continue
        loop, at = [], start
        while not seen[at]:
            seen[at] = 1
            loop.append(at)
            at = after[at]
        loops.append(loop)
    return loops


def _first(corners: npt.NDArray[Any]) -> int:
    """Return the position of the topmost corner, of those in a row the leftmost."""
    return int(np.lexsort((corners[:, 0], corners[:, 1]))[0])


def _is_hole(corners: npt.NDArray[Any], plane: npt.NDArray[np.bool_]) -> bool:
    u, v = corners[_first(corners)]
    return not plane[v, u]


class _Keyed:
    """The contours of one plane, with a channel from each hole to what lies above it."""

    def __init__(
        self,
        parts: Sequence[npt.NDArray[Any]],
        holes: Sequence[bool],
        plane: npt.NDArray[np.bool_],
    ) -> None:
        self._plane = plane
        self._at: list[Corner] = []
        self._next: list[int] = []
        # For each row the borders along it: (first u, last u, node it starts from).
        self._rows: dict[int, list[tuple[int, int, int]]] = {}
        self._starts: list[int] = []
        keys = []
        for part, is_hole in zip(parts, holes, strict=True):
            start = len(self._at)
            self._at += [(int(u), int(v)) for u, v in part]
            self._next += [*range(start + 1, len(self._at)), start]
            if is_hole:
                keys.append(start + _first(part))
            else:
                self._starts.append(start)
        for node in range(len(self._at)):
            self._note(node)
        for row in self._rows.values():
            row.sort()
        for node in sorted(keys, key=lambda n: (self._at[n][1], self._at[n][0])):
            self._join(node)

    def contours(self) -> list[npt.NDArray[np.int64]]:
        """Return them, outer contours only."""
        out = []
        for start in self._starts:
            loop, at = [self._at[start]], self._next[start]
            while at != start:
                loop.append(self._at[at])
                at = self._next[at]
            out.append(np.array(loop, np.int64))
        return out

    def _note(self, node: int) -> None:
        (u, v), (u2, v2) = self._at[node], self._at[self._next[node]]
        if v == v2:
            self._rows.setdefault(v, []).append((min(u, u2), max(u, u2), node))

    def _join(self, node: int) -> None:
        """Cut a hole's first corner open and lead it up to the border above."""
        u, v = self._at[node]
        while v > 0 and self._plane[v - 1, u - 1] and self._plane[v - 1, u]:
            v -= 1
        border = self._on(u, v)
        back = self._add(self._at[border], self._next[border])
        self._next[border] = node
        end = self._add(self._at[node], back)
        at = node
        # The hole runs from its corner all the way round, back to the corner's second copy.
        while self._next[at] != node:
            at = self._next[at]
        self._next[at] = end
        self._moved(border, back)

    def _add(self, at: Corner, following: int) -> int:
        self._at.append(at)
        self._next.append(following)
        return len(self._at) - 1

    def _on(self, u: int, v: int) -> int:
        """Return a node at a place on a border, made where there is none."""
        row = self._rows[v]
        n = bisect_right(row, (u, 1 << 60, 0)) - 1
        low, high, start = row[n]
        if self._at[start] == (u, v):
            return start
        end = self._next[start]
        if self._at[end] == (u, v):
            return end
        middle = self._add((u, v), end)
        self._next[start] = middle
        first, last = (start, middle) if self._at[start][0] == low else (middle, start)
        row[n : n + 1] = [(low, u, first), (u, high, last)]
        return middle

    def _moved(self, border: int, back: int) -> None:
        """Let the border that left a node that was cut open leave its second copy."""
        u, v = self._at[border]
        row = self._rows[v]
        for n, (low, high, start) in enumerate(row):
            if start == border and low <= u <= high:
                row[n] = (low, high, back)
