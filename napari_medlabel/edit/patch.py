"""An invertible change of labels, held as its bounding box; and what changes together."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal, TypeVar

import numpy as np
import numpy.typing as npt

from napari_medlabel.edit.relabel import SchemeChange
from napari_medlabel.errors import InputError
from napari_medlabel.model.boxes import BoxSet
from napari_medlabel.model.landmarks import LandmarkSet
from napari_medlabel.model.measurements import MeasurementSet

LabelArray = npt.NDArray[Any]
Box = tuple[slice, slice, slice]
Origin = Literal["human", "assisted", "interpolated", "unattributed", "restored"]

_PACK_ABOVE: Final = 1 << 10  # bytes; smaller pieces are not worth the time
_PIECE: Final = 1 << 20  # bytes of labels packed at a time: what a core's own cache holds
_MANY: Final = 16  # pieces, from which on two threads pack them
_EACH: Final = 560  # bytes of the objects of a patch, beside what is packed
_LEVEL: Final = 1  # of Zstandard; labels shrink a hundredfold at several GB/s


_Told = TypeVar("_Told")


class Pieces:
    """Both states of a box, packed in pieces of some slices k; never changed once made.

    Pieces that are equal before and after are held once.

    Parameters
    ----------
    before, after : ndarray, one shape (i, j, k)
        The states; they are copied.
    """

    __slots__ = ("_dtype", "_packed", "_shape", "_slices", "nbytes")

    def __init__(self, before: LabelArray, after: LabelArray) -> None:
        old, new = before.T, after.T  # (k, j, i): memory order
        self._shape = old.shape
        self._dtype = old.dtype
        self._slices = max(1, _PIECE // max(old[:1].nbytes, 1))
        pairs = [(old[part], new[part]) for part in self._parts()]
        if len(pairs) < _MANY:
            packed = [_pack_both(pair) for pair in pairs]
        else:
            # Packing lets other threads run: a whole scan takes half the time on two cores.
            with ThreadPoolExecutor(2) as pool:
                packed = list(pool.map(_pack_both, pairs))
        self._packed = (
            tuple(first for first, _ in packed),
            tuple(second for _, second in packed),
        )
        held = {id(one): one for side in self._packed for one in side}
        self.nbytes = sum(map(sys.getsizeof, held.values())) + 16 * len(packed) + _EACH

    @property
    def shape(self) -> tuple[int, int, int]:
        """Size of the box, (i, j, k)."""
        k, j, i = self._shape
        return i, j, k

    def state(self, side: int) -> LabelArray:
        """Return a whole state, shape (i, j, k): 0 before, 1 after."""
        out = np.empty(self._shape, self._dtype)
        for number, part in enumerate(self._parts()):
            self._unpack(number, side, out[part])
        return out.T

    def is_at(self, box: LabelArray, side: int) -> bool:
        """Tell whether a box (i, j, k) holds a state."""
        walked = box.T

        def same(numbers: range) -> bool:
            room = self._room()
            return all(
                np.array_equal(walked[self._part(n)], self._unpack(n, side, room))
                for n in numbers
            )

        return all(self._halved(same))

    def write(self, box: LabelArray, side: int, twin: LabelArray | None = None) -> None:
        """Write what a state has different from the other into a box that holds the other.

        A twin, which holds the other as well, is written along.
        """
        targets = [array.T for array in (box, twin) if array is not None]

        def put(numbers: range) -> None:
            room = self._room()
            for n in filter(self._differs, numbers):
                piece = self._unpack(n, side, room)
                for target in targets:
                    target[self._part(n)] = piece

        self._halved(put)

    def count(self) -> int:
        """Return how many voxels differ between the states."""
        rooms = self._room(), self._room()
        return sum(
            int(
                np.count_nonzero(
                    np.not_equal(
                        *(self._unpack(number, side, room) for side, room in enumerate(rooms))
                    )
                )
            )
            for number in range(len(self._packed[0]))
            if self._differs(number)
        )

    def _parts(self) -> Iterator[slice]:
        return map(self._part, range(-(-self._shape[0] // self._slices)))

    def _part(self, number: int) -> slice:
        start = number * self._slices
        return slice(start, min(start + self._slices, self._shape[0]))

    def _halved(self, work: Callable[[range], _Told]) -> list[_Told]:
        """Do a work on the numbers of all pieces: of many, on two halves at once."""
        many = len(self._packed[0])
        if many < _MANY:
            return [work(range(many))]
        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(work, (range(many // 2), range(many // 2, many))))

    def _differs(self, number: int) -> bool:
        return self._packed[0][number] is not self._packed[1][number]

    def _room(self) -> LabelArray:
        """Return room for one piece, used again for the next: new memory is slow."""
        slices = min(self._slices, self._shape[0])
        return np.empty((slices, *self._shape[1:]), self._dtype)

    def _unpack(self, number: int, side: int, room: LabelArray) -> LabelArray:
        """Unpack a piece into contiguous room for it, and return the part it took."""
        piece = room[: self._shape[0] - number * self._slices]
        flat = piece.reshape(-1).view(np.uint8)
        data = self._packed[side][number]
        if flat.size > _PACK_ABOVE:
            from imagecodecs import zstd_decode

            zstd_decode(data, out=flat.data)
        else:
            flat[:] = np.frombuffer(data, np.uint8)
        return piece


def _pack_both(pair: tuple[LabelArray, LabelArray]) -> tuple[bytes, bytes]:
    """Return two states of a piece packed; one object when they are equal."""
    old, new = (np.ascontiguousarray(state) for state in pair)
    first = _pack(old)
    return first, first if np.array_equal(old, new) else _pack(new)


def _pack(piece: LabelArray) -> bytes:
    if piece.nbytes <= _PACK_ABOVE:
        return piece.tobytes()
    from imagecodecs import zstd_encode

    return bytes(zstd_encode(piece, _LEVEL))  # type: ignore[arg-type] # any buffer will do


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
    pieces : Pieces
        Both states of the box; a patch and its inverse share them.
    is_back : bool
        Whether the patch goes from the second state to the first.
    """

    start: tuple[int, int, int]
    name: str
    origin: Origin
    pieces: Pieces
    is_back: bool = False

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
            When the shapes or the types differ.
        """
        if before.shape != after.shape or before.dtype != after.dtype:
            raise InputError(
                f"Two states of one mask have one shape and one type; got {before.shape} "
                f"{before.dtype} and {after.shape} {after.dtype}.",
                hint="This is a fault in the program; please report it.",
            )
        box = _changed_box(before, after)
        if box is None:
            return None
        i, j, k = (s.start + o for s, o in zip(box, start, strict=True))
        return cls((i, j, k), name, origin, Pieces(before[box], after[box]))

    @property
    def shape(self) -> tuple[int, int, int]:
        """Size of the box."""
        return self.pieces.shape

    @property
    def box(self) -> Box:
        """The box as slices into an (i, j, k) array."""
        i, j, k = (slice(s, s + n) for s, n in zip(self.start, self.shape, strict=True))
        return i, j, k

    @property
    def before(self) -> LabelArray:
        """Labels in the box before the edit, shape `shape`."""
        return self.pieces.state(int(self.is_back))

    @property
    def after(self) -> LabelArray:
        """Labels in the box after the edit, shape `shape`."""
        return self.pieces.state(int(not self.is_back))

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes, with that of the objects themselves."""
        return self.pieces.nbytes

    @cached_property
    def voxels_changed(self) -> int:
        """How many voxels differ."""
        return self.pieces.count()

    def starts_from(self, array: LabelArray) -> bool:
        """Tell whether an (i, j, k) array holds the before state in the box."""
        return self.pieces.is_at(array[self.box], int(self.is_back))

    def apply(
        self, array: LabelArray, twin: LabelArray | None = None, *, starts: bool = False
    ) -> None:
        """Write the after state into an (i, j, k) array.

        Parameters
        ----------
        array : ndarray, shape (i, j, k)
            Of the whole scan.
        twin : ndarray, shape (i, j, k), optional
            One known to hold the same; it is written along and not looked at.
        starts : bool
            Whether the array is known to hold the before state, by `starts_from`.

        Raises
        ------
        InputError
            When the array does not hold the before state in the box.
        """
        if not (starts or self.starts_from(array)):
            raise InputError(
                "The mask is not in the state that this step starts from.",
                hint="This is a fault in the program; please report it. Nothing was changed.",
            )
        box = self.box
        along = None if twin is None else twin[box]
        self.pieces.write(array[box], int(not self.is_back), along)

    def follow(self, array: LabelArray) -> None:
        """Write the after state into a twin that is known to hold the before state.

        Parameters
        ----------
        array : ndarray, shape (i, j, k)
            Of the whole scan; it is not looked at, pieces without a change are left alone.
        """
        self.pieces.write(array[self.box], int(not self.is_back))

    def inverse(self) -> Patch:
        """Return the patch that takes this one back."""
        return Patch(self.start, self.name, self.origin, self.pieces, not self.is_back)


@dataclass(frozen=True)
class LandmarkChange:
    """What one edit did to the landmarks: the whole set before and after."""

    before: LandmarkSet
    after: LandmarkSet
    name: str = "Move landmark"

    def inverse(self) -> LandmarkChange:
        """Return the change that takes this one back."""
        return LandmarkChange(self.after, self.before, self.name)


@dataclass(frozen=True)
class MeasurementChange:
    """What one edit did to the measurements: the whole set before and after."""

    before: MeasurementSet
    after: MeasurementSet
    name: str = "Measure"

    def inverse(self) -> MeasurementChange:
        """Return the change that takes this one back."""
        return MeasurementChange(self.after, self.before, self.name)


@dataclass(frozen=True)
class BoxChange:
    """What one edit did to the bounding boxes: the whole set before and after."""

    before: BoxSet
    after: BoxSet
    name: str = "Box"

    def inverse(self) -> BoxChange:
        """Return the change that takes this one back."""
        return BoxChange(self.after, self.before, self.name)


Step = Patch | LandmarkChange | MeasurementChange | BoxChange | SchemeChange


def _changed_box(before: LabelArray, after: LabelArray) -> Box | None:
    """Return the tightest box around all differences, or None."""
    old, new = before.T, after.T  # (k, j, i): memory order
    if not old.size:
        return None
    slices = max(1, _PIECE // 4 // old[:1].nbytes)
    inner = np.zeros(old.shape[1:], dtype=bool)
    hits: list[int] = []
    for start in range(0, old.shape[0], slices):
        changed = np.not_equal(old[start : start + slices], new[start : start + slices])
        if changed.any():
            each = np.flatnonzero(changed.reshape(len(changed), -1).any(axis=1))
            hits += [int(each[0]) + start, int(each[-1]) + start]
            inner |= changed[0] if len(changed) == 1 else changed.any(axis=0)
    if not hits:
        return None
    j0, j1 = _ends(np.any(inner, axis=1))
    i0, i1 = _ends(np.any(inner, axis=0))
    return slice(i0, i1), slice(j0, j1), slice(hits[0], hits[-1] + 1)


def _ends(line: npt.NDArray[Any]) -> tuple[int, int]:
    hits = np.flatnonzero(line)
    return int(hits[0]), int(hits[-1]) + 1
