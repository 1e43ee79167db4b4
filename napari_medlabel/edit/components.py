"""The connected parts of labels, held as runs of equal voxels: a hundredth of the memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from napari_medlabel.edit.boxes import hull
from napari_medlabel.edit.patch import Box, LabelArray
from napari_medlabel.edit.scene import Shape, Tick, quiet

Connectivity = Literal[6, 18, 26]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.intp]

_CHUNK: Final = 1 << 20  # voxels looked at or written, or runs gone through, at once
_MANY: Final = 1 << 20  # runs; with fewer, numba takes longer to load than to work
# How the rows touch: (rows on, slices on, whether diagonal along the row too).
_TOUCH: Final[dict[int, tuple[tuple[int, int, bool], ...]]] = {
    6: ((1, 0, False), (0, 1, False)),
    18: ((1, 0, True), (0, 1, True), (1, 1, False), (-1, 1, False)),
    26: ((1, 0, True), (0, 1, True), (1, 1, True), (-1, 1, True)),
}


@dataclass(frozen=True, eq=False, repr=False)
class Parts:
    """Connected parts of labels; made by `connected_parts`.

    Parts are numbered from 0 in the order of their first voxel in memory (k, then j, then i).

    Parameters
    ----------
    shape : tuple of int
        Of the labels, (i, j, k).
    values : ndarray of int, shape (n,)
        The label of each part.
    voxels : ndarray of int, shape (n,)
        How many voxels each has.
    run_start : ndarray of int, shape (m,)
        Where each run begins, counted in memory order through an array padded at the far end
        of each axis; rising.
    run_length : ndarray of int, shape (m,)
        Its voxels, along i.
    run_part : ndarray of int, shape (m,)
        The part that it belongs to.
    """

    shape: Shape
    values: IntArray
    voxels: IntArray
    run_start: IntArray
    run_length: npt.NDArray[np.int32]
    run_part: npt.NDArray[np.int32]

    def __repr__(self) -> str:
        return f"Parts({len(self)} in {self.shape})"

    def __len__(self) -> int:
        return len(self.values)

    def at(self, voxel_ijk: Sequence[int]) -> int | None:
        """Return the part that holds a voxel (i, j, k), None where there is none."""
        i, j, k = voxel_ijk
        row, plane = _steps(self.shape)
        where = k * plane + j * row + i
        run = int(np.searchsorted(self.run_start, where, side="right")) - 1
        if run < 0 or where >= self.run_start[run] + self.run_length[run]:
            return None
        return int(self.run_part[run])

    def _first_ijk(self, runs: IntArray | slice) -> tuple[IntArray, IntArray, IntArray]:
        row, plane = _steps(self.shape)
        start = self.run_start[runs]
        return start % row, start % plane // row, start // plane

    def on_a_face(self, axes: Sequence[int] = (0, 1, 2)) -> BoolArray:
        """Tell which parts (n,) reach the first or last layer of the array along some axes."""
        out = np.zeros(len(self), dtype=bool)
        for some in self._batches():
            first = self._first_ijk(some)
            touch = np.zeros(first[0].shape, dtype=bool)
            for axis in axes:
                last = first[axis] + (self.run_length[some] - 1 if axis == 0 else 0)
                touch |= (first[axis] == 0) | (last == self.shape[axis] - 1)
            out[self.run_part[some][touch]] = True
        return out

    def only(self, chosen: BoolArray) -> Parts:
        """Return the same parts without the runs of those that are not chosen."""
        stays = np.concatenate(
            [np.zeros(0, np.intp), *(runs for runs in self._runs_of(chosen) if runs.size)]
        )
        return replace(
            self,
            run_start=self.run_start[stays],
            run_length=self.run_length[stays],
            run_part=self.run_part[stays],
        )

    def _batches(self) -> Iterator[slice]:
        """Walk the runs, a million at a time: in noise there are as many as voxels."""
        for first in range(0, self.run_part.size, _CHUNK):
            yield slice(first, min(first + _CHUNK, self.run_part.size))

    def _runs_of(self, chosen: BoolArray) -> Iterator[IntArray]:
        """Walk the numbers of the runs of chosen parts."""
        for some in self._batches():
            yield np.flatnonzero(chosen[self.run_part[some]]) + some.start

    def box(self, chosen: BoolArray) -> Box | None:
        """Return the tightest box around chosen parts (bool, shape (n,)), None around none."""
        found = [
            _around(*self._first_ijk(runs), self.run_length[runs])
            for runs in self._runs_of(chosen)
            if runs.size
        ]
        return hull(found) if found else None

    def voxels_of(self, chosen: BoolArray, box: Box) -> Iterator[tuple[IntArray, IntArray]]:
        """Walk the voxels of chosen parts, some millions at a time.

        Parameters
        ----------
        chosen : ndarray of bool, shape (n,)
            Which parts.
        box : tuple of slice
            A box (i, j, k) that holds them all.

        Yields
        ------
        where : ndarray of int
            Positions in the raveled transpose of an array of the box's shape.
        part : ndarray of int
            The part of each.
        """
        width, height = (box[axis].stop - box[axis].start for axis in (0, 1))
        batches = (_batches(runs, self.run_length[runs]) for runs in self._runs_of(chosen))
        for some in chain.from_iterable(batches):
            i, j, k = (
                at - part.start for at, part in zip(self._first_ijk(some), box, strict=True)
            )
            length = self.run_length[some].astype(np.intp)
            ahead = np.cumsum(length) - length
            first = (k * height + j) * width + i
            where = np.repeat(first - ahead, length) + np.arange(int(length.sum()))
            yield where, np.repeat(self.run_part[some], length)

    def paint(self, out: LabelArray, box: Box, chosen: BoolArray, becomes: IntArray) -> None:
        """Write a value for each chosen part into labels.

        Parameters
        ----------
        out : ndarray, shape of the box
            Changed in place; its transpose is C-contiguous.
        box : tuple of slice
            Where ``out`` lies in the array that the parts are of.
        chosen : ndarray of bool, shape (n,)
            Which parts.
        becomes : ndarray of int, shape (n,)
            What their voxels become.
        """
        flat = out.T.reshape(-1)
        for where, part in self.voxels_of(chosen, box):
            flat[where] = becomes[part]


def connected_parts(
    labels: LabelArray,
    values: Sequence[int] | None = None,
    *,
    connectivity: Connectivity = 26,
    but: int | None = None,
    tick: Tick = quiet,
) -> Parts:
    """Find the connected parts of every label at once.

    Parameters
    ----------
    labels : ndarray, shape (i, j, k)
        Integers or booleans; 0 is background.
    values : sequence of int, optional
        Look at these labels only.
    connectivity : {26, 18, 6}
        Whether voxels that share a corner, an edge or only a face are connected. Along a
        single slice 26 is the usual 8.
    but : int, optional
        Look at all that is not this label, background too, as one with the value 1.
    tick : callable
        Told how many slices are done, of how many.

    Returns
    -------
    Parts

    Notes
    -----
    Two-scan labelling of runs: He, Chao and Suzuki, IEEE TIP 17 (2008) 749-756. Memory goes
    with the number of runs, not of voxels.
    """
    start, stop, value = _runs(labels, values, but, tick)
    i, j, k = labels.shape
    row, plane = _steps((i, j, k))
    offsets = [
        (rows * row + slices * plane, int(wide)) for rows, slices, wide in _TOUCH[connectivity]
    ]
    part = _joined(start, stop, value, offsets)
    np.subtract(stop, start, out=stop)
    length = stop.astype(np.int32, copy=False)
    n = int(part.max()) + 1 if part.size else 0
    found = Parts((i, j, k), np.zeros(n, np.intp), np.zeros(n, np.intp), start, length, part)
    for some in found._batches():  # noqa: SLF001 - a class of this module
        of = part[some].astype(np.intp)
        np.add.at(found.voxels, of, length[some].astype(np.intp))
        found.values[of] = value[some]
    return found


def boxes_of(labels: LabelArray, values: Sequence[int]) -> dict[int, Box]:
    """Return the tightest box (i, j, k) around each of some labels that is there at all."""
    i, j, k = labels.shape
    row, plane = _steps((i, j, k))
    found: dict[int, list[Box]] = {value: [] for value in values}
    for start, stop, held in _some_runs(labels, None, quiet):
        for value, boxes in found.items():
            of_it = held == value
            first = start[of_it]
            if first.size:
                at = first % row, first % plane // row, first // plane
                boxes.append(_around(*at, stop[of_it] - first))
    return {value: hull(boxes) for value, boxes in found.items() if boxes}


def _around(i: IntArray, j: IntArray, k: IntArray, length: npt.NDArray[Any]) -> Box:
    """Return the tightest box around runs that begin there; there is one at least."""
    return (
        slice(int(i.min()), int((i + length).max())),
        slice(int(j.min()), int(j.max()) + 1),
        slice(int(k.min()), int(k.max()) + 1),
    )


def _steps(shape: Shape) -> tuple[int, int]:
    """Return how far rows, and slices, lie apart when each is padded by one at its end.

    The padding keeps the last voxel of a row from touching the first of the next.
    """
    return shape[0] + 1, (shape[0] + 1) * (shape[1] + 1)


def _runs(
    labels: LabelArray, values: Sequence[int] | None, but: int | None, tick: Tick
) -> tuple[IntArray, IntArray, LabelArray]:
    """Return starts, stops and values of runs that are not background, in memory order."""
    i, j, k = labels.shape
    small = k * _steps((i, j, k))[1] < np.iinfo(np.int32).max
    place = np.dtype(np.int32 if small else np.int64)
    kind = labels.dtype if but is None else np.dtype(np.uint8)
    begin, end, held = np.zeros(0, place), np.zeros(0, place), np.zeros(0, kind)
    for runs in _some_runs(labels, but, tick):
        wanted = slice(None) if values is None else np.isin(runs[2], list(values))
        for all_of_it, more in zip((begin, end, held), runs, strict=True):
            # In place, if there is room behind: pieces and their sum would be twice as much.
            known, some = all_of_it.size, more[wanted]
            all_of_it.resize(known + some.size, refcheck=False)
            all_of_it[known:] = some
    return begin, end, held


def _some_runs(
    labels: LabelArray, but: int | None, tick: Tick
) -> Iterator[tuple[IntArray, IntArray, LabelArray]]:
    """Walk the runs that are not background, or not a label, some slices at a time."""
    planes = labels.T
    n, height, width = planes.shape
    _, plane = _steps((width, height, n))
    at_once = max(_CHUNK // plane, 1)
    for k in range(0, n, at_once):
        chunk = planes[k : k + at_once]
        if but is not None:
            chunk = np.not_equal(chunk, but).view(np.uint8)
        # One zero ahead of all, and one more row and column of zeros behind.
        line = np.zeros(len(chunk) * plane + 1, dtype=chunk.dtype)
        line[1:].reshape(len(chunk), height + 1, width + 1)[:, :-1, :-1] = chunk
        edges = np.flatnonzero(line[1:] != line[:-1])
        value = line[1:][edges]
        edges += k * plane
        first = np.flatnonzero(value)
        yield edges[first], edges[first + 1], value[first]
        tick(min(k + at_once, n), n)


def _joined(
    start: IntArray, stop: IntArray, value: LabelArray, offsets: list[tuple[int, int]]
) -> npt.NDArray[np.int32]:
    """Return for each run the number of its part; parts are numbered by their first run."""
    if not start.size:
        return np.zeros(0, dtype=np.int32)
    if start.size > _MANY:
        try:
            from napari_medlabel.edit.joining import join
        except ImportError:
            return _joined_by_pairs(start, stop, value, offsets)
        joined: npt.NDArray[np.int32] = join(start, stop, value, np.array(offsets))
        return joined
    return _joined_by_pairs(start, stop, value, offsets)


def _joined_by_pairs(
    start: IntArray, stop: IntArray, value: LabelArray, offsets: list[tuple[int, int]]
) -> npt.NDArray[np.int32]:
    """Do it with all touching pairs at once: quick to begin, large when runs are many."""
    from scipy import sparse

    heads, tails = [], []
    for offset, wide in offsets:
        # Runs do not overlap, so starts and stops are both sorted.
        first = np.searchsorted(stop, start + (offset - wide), side="right")
        last = np.searchsorted(start, stop + (offset + wide), side="left")
        count = np.maximum(last - first, 0)
        head = np.repeat(np.arange(start.size), count)
        tail = np.arange(head.size) - np.repeat(np.cumsum(count) - count - first, count)
        same = value[head] == value[tail]
        heads.append(head[same])
        tails.append(tail[same])
    pairs = (np.concatenate(heads), np.concatenate(tails))
    touching = sparse.coo_array((np.ones(pairs[0].size, bool), pairs), shape=[start.size] * 2)
    _, part = sparse.csgraph.connected_components(touching.tocsr(), directed=False)
    numbered: npt.NDArray[np.int32] = part.astype(np.int32, copy=False)
    return numbered


def _batches(runs: IntArray, length: npt.NDArray[np.int32]) -> Iterator[IntArray]:
    """Split runs so that each batch holds about a chunk of voxels."""
    if runs.size:
        batch = np.cumsum(length, dtype=np.int64) // _CHUNK
        yield from np.split(runs, np.flatnonzero(np.diff(batch)) + 1)
