"""An invertible change of labels, held as its bounding box; and what changes together."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import InputError
from napari_medlabel.model.landmarks import LandmarkSet

LabelArray = npt.NDArray[Any]
Box = tuple[slice, slice, slice]
Origin = Literal["human", "assisted", "interpolated", "unattributed", "restored"]

_PACK_ABOVE: Final = 1 << 16  # bytes; smaller boxes are not worth the time


@dataclass(frozen=True)
class _Packed:
    """An array, compressed when it is large. Label boxes shrink about a hundredfold."""

    shape: tuple[int, ...]
    dtype: str
    data: bytes
    compressed: bool

    @classmethod
    def of(cls, array: LabelArray) -> _Packed:
        # Walking the transposed view keeps the buffer's own order: no reshuffle.
        raw = np.ascontiguousarray(array.T).tobytes()
        small = len(raw) <= _PACK_ABOVE
        return cls(
            array.shape, array.dtype.str, raw if small else zlib.compress(raw, 1), not small
        )

    def array(self) -> LabelArray:
        raw = zlib.decompress(self.data) if self.compressed else self.data
        return np.frombuffer(raw, np.dtype(self.dtype)).reshape(self.shape[::-1]).T


@dataclass(frozen=True, eq=False, repr=False)
class Patch:
    """What one edit did to a label array.

    Parameters
    ----------
    start : tuple of int
        First voxel (i, j, k) of the bounding box of all that changed.
    name : str
        What the edit was, in the imperative, for the undo button: ``"Paint"``.
    origin : str
        Who made it: human, assisted, interpolated, unattributed or restored.
    """

    start: tuple[int, int, int]
    name: str
    origin: Origin
    _before: _Packed
    _after: _Packed

    def __repr__(self) -> str:
        return f"Patch({self.name!r}, {self.start}, {self.shape}, {self.origin})"

    @classmethod
    def between(
        cls,
        before: LabelArray,
        after: LabelArray,
        *,
        start: tuple[int, int, int] = (0, 0, 0),
        name: str = "Edit",
        origin: Origin = "human",
    ) -> Patch | None:
        """Compare two arrays of one shape (i, j, k) that lie at ``start``.

        Returns
        -------
        Patch or None
            The difference in its tightest box; None when there is none.

        Raises
        ------
        InputError
            When the shapes differ.
        """
        if before.shape != after.shape:
            raise InputError(
                f"Two states of one mask have one shape; got {before.shape} and {after.shape}.",
                hint="This is a fault in the program; please report it.",
            )
        box = _changed_box(before, after)
        if box is None:
            return None
        i, j, k = (s.start + o for s, o in zip(box, start, strict=True))
        return cls((i, j, k), name, origin, _Packed.of(before[box]), _Packed.of(after[box]))

    @property
    def shape(self) -> tuple[int, int, int]:
        """Size of the box."""
        i, j, k = self._before.shape
        return i, j, k

    @property
    def box(self) -> Box:
        """The box as slices into an (i, j, k) array."""
        i, j, k = (slice(s, s + n) for s, n in zip(self.start, self.shape, strict=True))
        return i, j, k

    @property
    def before(self) -> LabelArray:
        """Labels in the box before the edit, shape `shape`."""
        return self._before.array()

    @property
    def after(self) -> LabelArray:
        """Labels in the box after the edit, shape `shape`."""
        return self._after.array()

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        return len(self._before.data) + len(self._after.data)

    @cached_property
    def voxels_changed(self) -> int:
        """How many voxels differ."""
        return int(np.count_nonzero(self.before != self.after))

    def apply(self, array: LabelArray) -> None:
        """Write the after state into an (i, j, k) array.

        Raises
        ------
        InputError
            When the array does not hold the before state in the box.
        """
        if not np.array_equal(array[self.box], self.before):
            raise InputError(
                "The mask is not in the state that this step starts from.",
                hint="This is a fault in the program; please report it. Nothing was changed.",
            )
        array[self.box] = self.after

    def inverse(self) -> Patch:
        """Return the patch that takes this one back."""
        return Patch(self.start, self.name, self.origin, self._after, self._before)


@dataclass(frozen=True)
class LandmarkChange:
    """What one edit did to the landmarks: the whole set before and after."""

    before: LandmarkSet
    after: LandmarkSet
    name: str = "Move landmark"

    def inverse(self) -> LandmarkChange:
        """Return the change that takes this one back."""
        return LandmarkChange(self.after, self.before, self.name)


Step = Patch | LandmarkChange


def _changed_box(before: LabelArray, after: LabelArray) -> Box | None:
    """Return the tightest box around all differences, or None."""
    changed = np.not_equal(before.T, after.T)  # (k, j, i): memory order
    planes = np.any(changed, axis=(1, 2))
    if not np.any(planes):
        return None
    k0, k1 = _ends(planes)
    inner = np.any(changed[k0:k1], axis=0)
    j0, j1 = _ends(np.any(inner, axis=1))
    i0, i1 = _ends(np.any(inner, axis=0))
    return slice(i0, i1), slice(j0, j1), slice(k0, k1)


def _ends(line: npt.NDArray[Any]) -> tuple[int, int]:
    hits = np.flatnonzero(line)
    return int(hits[0]), int(hits[-1]) + 1
