"""How far labels of two masks cover each other: one pass over both for all labels at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import GeometryError

_DENSE: Final = 1 << 16
"""So many pairs of values are counted in a table; more are sorted."""


@dataclass(frozen=True)
class Overlap:
    """Voxels of two regions.

    Parameters
    ----------
    first, second : int
        How many voxels each has.
    both : int
        How many they share.
    """

    first: int
    second: int
    both: int

    @property
    def is_empty(self) -> bool:
        """Whether neither has a voxel: then there is nothing to agree on."""
        return self.first + self.second == 0

    @property
    def dice(self) -> float | None:
        """Twice the shared over the sum (Dice 1945); None when both are empty."""
        return None if self.is_empty else 2.0 * self.both / (self.first + self.second)

    @property
    def jaccard(self) -> float | None:
        """The shared over the joint (Jaccard 1912); None when both are empty."""
        joint = self.first + self.second - self.both
        return None if self.is_empty else self.both / joint


@dataclass(frozen=True)
class JointCounts:
    """How often each pair of values of two masks meets.

    Parameters
    ----------
    pairs : mapping of (int, int) to int
        Voxels by value in the first and in the second mask; only those that occur.
    """

    pairs: Mapping[tuple[int, int], int]

    @cached_property
    def first(self) -> Mapping[int, int]:
        """Voxels of each value of the first mask."""
        return self._sums(0)

    @cached_property
    def second(self) -> Mapping[int, int]:
        """Voxels of each value of the second mask."""
        return self._sums(1)

    def _sums(self, side: int) -> Mapping[int, int]:
        sums: Counter[int] = Counter()
        for pair, number in self.pairs.items():
            sums[pair[side]] += number
        return sums

    def overlap(self, first: int, second: int) -> Overlap:
        """Return the overlap of a label of the first mask with one of the second.

        Parameters
        ----------
        first, second : int
            Label values; a value that occurs nowhere is an empty region.
        """
        return Overlap(
            self.first.get(first, 0),
            self.second.get(second, 0),
            self.pairs.get((first, second), 0),
        )


def joint_counts(first: npt.NDArray[Any], second: npt.NDArray[Any]) -> JointCounts:
    """Count how often each pair of values meets.

    Parameters
    ----------
    first, second : ndarray, one shape (i, j, k)
        uint8 or uint16 labels.

    Raises
    ------
    GeometryError
        When the shapes differ.
    """
    if first.shape != second.shape:
        raise GeometryError(
            f"Two masks to compare have one shape; got {first.shape} and {second.shape}.",
            hint="Compare masks of the same scan.",
        )
    rows, columns = (int(one.max(initial=0)) + 1 for one in (first, second))
    found: Counter[int] = Counter()
    table = np.zeros(rows * columns if rows * columns <= _DENSE else 0, dtype=np.int64)
    # A slice at a time: the pairs are wider than the labels.
    for one, other in zip(first.T, second.T, strict=True):
        pairs = one.ravel().astype(np.int64)
        pairs *= columns
        pairs += other.ravel()
        if table.size:
            table += np.bincount(pairs, minlength=table.size)
        else:
            values, numbers = np.unique(pairs, return_counts=True)
            found.update(dict(zip(values.tolist(), numbers.tolist(), strict=True)))
    found.update({int(at): int(table[at]) for at in np.flatnonzero(table)})
    return JointCounts({divmod(pair, columns): number for pair, number in found.items()})
