"""Distances and owners of all voxels, and the two things done to them: spread and take back."""

from __future__ import annotations

from types import ModuleType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel._optional import require
from napari_medlabel.edit.grow import waves
from napari_medlabel.edit.grow.relief import Steps
from napari_medlabel.edit.scene import Shape, Tick, quiet
from napari_medlabel.errors import InputError, MissingPackageError

Flat = npt.NDArray[Any]
UNREACHED: Final = waves.UNREACHED
WALL: Final = -1
_BUDGET: Final = 100_000
"""Voxels settled between two ticks, some 15 ms, or numbered at once."""


def compiled() -> ModuleType | None:
    """Return the compiled engine, None where numba is not installed."""
    try:
        require("numba", extra="tools")
    except MissingPackageError:
        return None
    from napari_medlabel.edit.grow import kernels

    return kernels


class Field:
    """For each voxel how far it is from which stroke: six bytes, seven from 256 strokes on.

    Arrays are (k, j, i), C-contiguous, padded by one voxel of wall on every side.

    Parameters
    ----------
    shape : tuple of int
        Voxels along i, j and k, without the padding.
    steps : Steps
        What a step costs.

    Raises
    ------
    InputError
        When there are more voxels than 32 bits number.
    """

    def __init__(self, shape: Shape, steps: Steps) -> None:
        padded = tuple(n + 2 for n in shape[::-1])
        if np.prod(padded, dtype=np.int64) >= UNREACHED:
            raise InputError(
                "Growing works on less than 2.1 thousand million voxels at once.",
                hint="Give it a smaller region.",
            )
        self.steps = steps
        self.distance = np.full(padded, WALL, np.int32)
        self.owner: npt.NDArray[Any] = np.zeros(padded, np.uint8)
        self.relief = np.zeros(padded, np.uint8)
        self.distance[INNER] = UNREACHED
        offsets = (padded[1] * padded[2], padded[2], 1)
        self._geometry = np.array([*offsets, *steps.along, steps.per_level], np.int64)

    @property
    def nbytes(self) -> int:
        """Memory of the three arrays."""
        return self.distance.nbytes + self.owner.nbytes + self.relief.nbytes

    def make_room(self, strokes: int) -> None:
        """See to it that numbers up to ``strokes`` fit."""
        if strokes > np.iinfo(self.owner.dtype).max:
            self.owner = self.owner.astype(np.uint16)

    def places(self, inner: Flat) -> Flat:
        """Turn flat indices of the crop, i fastest, into flat indices here."""
        _, height, width = self.relief.shape
        flat = np.empty(inner.size, np.int32)
        for at in range(0, inner.size, _BUDGET):
            some = inner[at : at + _BUDGET].astype(np.int64)
            row, i = np.divmod(some, width - 2)
            k, j = np.divmod(row, height - 2)
            flat[at : at + _BUDGET] = ((k + 1) * height + j + 1) * width + i + 1
        return flat

    def slices(self, extent: tuple[int, int]) -> slice | None:
        """Return the slices k of the crop that flat indices here span; None for none."""
        lowest, highest = extent
        if highest < lowest:
            return None
        plane, deep = int(self._geometry[0]), self.relief.shape[0] - 2
        # Around the crop is a rim of one voxel, which is no slice of it.
        return slice(max(lowest // plane - 1, 0), min(highest // plane, deep))

    def clear(self, wall: npt.NDArray[np.uint8] | None) -> None:
        """Forget every stroke and set the wall, shape (k, j, i), packed along i."""
        self.owner[...] = 0
        inner = self.distance[INNER]
        inner[...] = UNREACHED
        if wall is not None:
            for plane, packed in zip(inner, wall, strict=True):
                plane[np.unpackbits(packed, axis=1, count=plane.shape[1]).view(bool)] = WALL

    def plant(self, seeds: Flat, stroke: int) -> Flat:
        """Make voxels a stroke's own, but for walls; return those."""
        distance, owner = self.distance.reshape(-1), self.owner.reshape(-1)
        seeds = seeds[distance[seeds] >= 0]
        distance[seeds] = 0
        owner[seeds] = stroke
        return seeds

    def spread(self, starts: Flat, tick: Tick = quiet) -> tuple[int, int]:
        """Spread from voxels that are right until all are.

        Parameters
        ----------
        starts : ndarray of int32
            Flat indices here.
        tick : callable
            Told the voxels settled, of all; what it raises leaves the field unfinished.

        Returns
        -------
        lowest, highest : int
            The flat indices between which something changed.
        """
        kernels = compiled()
        additive = self.steps.mode == "additive"
        distance = self.distance.reshape(-1)
        if kernels is None:
            ground = waves.Ground(
                distance, self.owner.reshape(-1), self.relief.reshape(-1), self._geometry,
                additive,
            )  # fmt: skip
            return waves.spread(starts, ground, tick)
        if not starts.size:
            return distance.size, -1
        first = distance[starts]
        queue = _Queue(kernels, int(first.min()), int(first.max()) + self.steps.furthest)
        queue.load(starts, distance)
        state = queue.state
        state[kernels.LOWEST], state[kernels.HIGHEST] = distance.size, -1
        while True:
            status = kernels.spread(
                distance, self.owner.reshape(-1), self.relief.reshape(-1), self._geometry,
                additive, queue.pool, queue.links, queue.heads, queue.fills, state, _BUDGET,
            )  # fmt: skip
            if status == kernels.DONE:
                return int(state[kernels.LOWEST]), int(state[kernels.HIGHEST])
            if status == kernels.FULL:
                queue.enlarge()
            tick(min(int(state[kernels.SETTLED]), distance.size), distance.size)

    def take_back(self, stroke: int, seeds: Flat) -> tuple[Flat, tuple[int, int]]:
        """Clear what a stroke reached; return the rim around it and the extent."""
        kernels = compiled()
        distance, owner = self.distance.reshape(-1), self.owner.reshape(-1)
        if kernels is None:
            return waves.take_back(stroke, distance, owner, self._geometry)
        extent = np.array([distance.size, -1], np.int64)
        rim: Flat = kernels.take_back(stroke, seeds, distance, owner, self._geometry, extent)
        return rim, (int(extent[0]), int(extent[1]))


INNER: Final = (slice(1, -1), slice(1, -1), slice(1, -1))


class _Queue:
    """The buckets: chains of blocks in one pool, by distance modulo a power of two."""

    def __init__(self, kernels: ModuleType, lowest: int, highest: int) -> None:
        self._kernels = kernels
        buckets = 1 << max(int(highest - lowest + 1).bit_length(), 4)
        self.heads = np.full(buckets, -1, np.int32)
        self.fills = np.zeros(buckets, np.int32)
        self.links = np.empty(1024, np.int32)
        self.pool = np.empty(self.links.size * kernels.BLOCK, np.int32)
        self.state = np.zeros(kernels.STATE, np.int64)
        self.state[kernels.CURRENT] = lowest
        self.state[kernels.FREE] = -1

    def load(self, starts: Flat, distance: Flat) -> None:
        at = 0
        while at < starts.size:
            at = self._kernels.load(
                starts, at, distance, self.pool, self.links, self.heads, self.fills, self.state
            )
            if at < starts.size:
                self.enlarge()

    def enlarge(self) -> None:
        # Where they lie, if there is room behind: two copies at once would be the peak.
        blocks = self.links.size + self.links.size // 4
        self.links.resize(blocks, refcheck=False)
        self.pool.resize(blocks * self._kernels.BLOCK, refcheck=False)
