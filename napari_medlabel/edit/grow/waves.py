"""The same engine without numba: whole wave fronts of one distance at a time, in numpy."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.edit.scene import Tick, quiet

Flat = npt.NDArray[Any]
UNREACHED: Final = 2147483647


@dataclass(frozen=True, eq=False)
class Ground:
    """What is spread on: flat arrays, padded by walls.

    Parameters
    ----------
    distance, owner, relief : ndarray, flat
        int32, uint8 or uint16, and uint8; the first two are changed in place. A distance below
        0 is a wall.
    geometry : ndarray of int64, shape (7,)
        Flat offsets along k, j, i; costs of a step along each; units of one level.
    additive : bool
        Which sum is made.
    """

    distance: Flat
    owner: Flat
    relief: Flat
    geometry: Flat
    additive: bool

    def cost(self, axis: int, from_distance: Any, here: Flat, there: Flat) -> Flat:
        """Return the distance that voxels get from their neighbours along an axis (k, j, i)."""
        new: Flat = np.zeros(there.size, np.int64)
        new += from_distance + self.geometry[3 + axis]
        height = self.relief[there].astype(np.int64)
        if self.additive:
            new += np.abs(height - self.relief[here])
        else:
            np.maximum(new, height * self.geometry[6], out=new)
        return new

    def cheapest(self, there: Flat, current: int) -> Flat:
        """Return the owners that voxels reached at one distance from several sides have.

        That of the nearest of them; of equally near ones the latest stroke.
        """
        goal = self.distance[there]
        best = np.full(there.size, UNREACHED << 16, np.int64)
        for axis in range(3):
            for offset in (-self.geometry[axis], self.geometry[axis]):
                here = there + offset
                from_ = self.distance[here].astype(np.int64)
                fits = (from_ >= 0) & (from_ <= current)
                fits &= self.cost(axis, from_, here, there) == goal
                key = (from_ << 16) + (65535 - self.owner[here].astype(np.int64))
                best = np.where(fits, np.minimum(best, key), best)
        owners: Flat = (65535 - (best & 65535)).astype(np.uint16)
        return owners


@dataclass
class _Waiting:
    """Voxels by the distance at which they are to be looked at."""

    fronts: dict[int, list[Flat]] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)

    def put(self, voxels: Flat, at: Flat) -> None:
        by_distance = np.argsort(at, kind="stable")
        voxels, at = voxels[by_distance], at[by_distance]
        cuts = np.flatnonzero(at[1:] != at[:-1]) + 1
        for first, last in zip([0, *cuts], [*cuts, at.size], strict=True):
            key = int(at[first])
            if key not in self.fronts:
                self.fronts[key] = []
                heapq.heappush(self.order, key)
            self.fronts[key].append(voxels[first:last])

    def take(self) -> tuple[int, Flat]:
        current = heapq.heappop(self.order)
        return current, np.unique(np.concatenate(self.fronts.pop(current)))


def spread(starts: Flat, ground: Ground, tick: Tick = quiet) -> tuple[int, int]:
    """Spread from settled voxels until nothing changes: the compiled engine's result.

    Parameters
    ----------
    starts : ndarray of int32
        Flat indices of voxels whose distance and owner are right.
    ground : Ground
        What is spread on.
    tick : callable
        Told the voxels settled, of all.

    Returns
    -------
    lowest, highest : int
        The flat indices between which something changed; the first is larger when nothing did.
    """
    distance = ground.distance
    waiting = _Waiting()
    if starts.size:
        waiting.put(starts, distance[starts])
    lowest, highest, settled = distance.size, -1, 0
    while waiting.order:
        current, front = waiting.take()
        front = front[distance[front] == current]
        settled = min(settled + front.size, distance.size)
        tick(settled, distance.size)
        for axis in range(3):
            for offset in (-ground.geometry[axis], ground.geometry[axis]):
                won = _step(ground, axis, front, (front + offset).astype(np.int32), current)
                if won.size:
                    lowest = min(lowest, int(won.min()))
                    highest = max(highest, int(won.max()))
                    waiting.put(won, distance[won])
    return lowest, highest


def _step(ground: Ground, axis: int, here: Flat, there: Flat, current: int) -> Flat:
    """Reach a front's neighbours on one side; return those that changed."""
    distance, owner = ground.distance, ground.owner
    is_open = distance[there] > current
    here, there = here[is_open], there[is_open]
    new = ground.cost(axis, current, here, there)
    nearer = new < distance[there]
    tied = (new == distance[there]) & (owner[here] != owner[there])
    won = there[nearer]
    distance[won], owner[won] = new[nearer], owner[here[nearer]]
    tied_there = there[tied]
    best = ground.cheapest(tied_there, current)
    differs = best != owner[tied_there]
    owner[tied_there[differs]] = best[differs]
    return np.concatenate([won, tied_there[differs]])


def take_back(
    stroke: int, distance: Flat, owner: Flat, geometry: Flat
) -> tuple[Flat, tuple[int, int]]:
    """Clear all that a stroke reached.

    Parameters
    ----------
    stroke : int
        Its number.
    distance, owner, geometry : ndarray
        As in `Ground`.

    Returns
    -------
    rim : ndarray of int32
        The settled voxels around what was cleared.
    extent : tuple of int
        The flat indices between which something changed.
    """
    gone = np.flatnonzero(owner == stroke).astype(np.int32)
    if not gone.size:
        return gone, (distance.size, -1)
    owner[gone] = 0
    distance[gone] = UNREACHED
    sides = [gone + sign * geometry[axis] for axis in range(3) for sign in (-1, 1)]
    rim = np.unique(np.concatenate(sides)).astype(np.int32)
    return rim[owner[rim] != 0], (int(gone[0]), int(gone[-1]))
