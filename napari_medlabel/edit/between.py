"""Fill the slices between those that were drawn, all segments at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.edit.border import settle
from napari_medlabel.edit.morph import Morph, blank, fill, morphs, render
from napari_medlabel.edit.patch import Box, LabelArray
from napari_medlabel.edit.scene import Proposal, Scene, Tick, around, quiet, slab, widen
from napari_medlabel.edit.skew import approximately
from napari_medlabel.errors import InputError

_LATE: Final = 1.5  # of a segment's usual gap: a longer one may hold a slice drawn without it
_SOON: Final = 0.75

Window = tuple[slice, slice]


@dataclass(frozen=True)
class Gap:
    """Slices between two drawn ones, of one segment.

    Parameters
    ----------
    value : int
        The segment.
    first, last : int
        The drawn slices at its ends, not to be written.
    in_first, in_last : bool
        Whether the segment is on them; one of the two may be drawn without it.
    """

    value: int
    first: int
    last: int
    in_first: bool = True
    in_last: bool = True


def fill_between(
    scene: Scene,
    box: Box,
    axis: int,
    values: Sequence[int] = (),
    *,
    snap_mm: float = 0.0,
    close_ends: bool = False,
    tick: Tick = quiet,
) -> Proposal | None:
    """Propose what lies between the slices that were drawn.

    Every part of a segment becomes the part of the next drawn slice that it belongs to (see
    `napari_medlabel.edit.morph.morphs`); where two segments want a voxel the smaller one takes
    it, and where none is sure of it the one that is nearest to it. Only background is filled:
    slices that were drawn, and other segments, stay as they are.

    A slice counts as drawn for a segment when it holds it. One that holds other segments, and
    stands where this one's own rhythm has it missing, was drawn without it: the segment then
    ends half-way to it instead of running through.

    Parameters
    ----------
    scene : Scene
        Labels, image and rules.
    box : tuple of slice
        Where to look and to fill, in (i, j, k).
    axis : int
        Voxel axis across the drawn slices: 0 for i, 1 for j, 2 for k.
    values : sequence of int
        The segments; all that are in the box and not locked when empty.
    snap_mm : float
        How far the new borders may move, in their slice, to the image's edges; 0 for shape
        alone.
    close_ends : bool
        Whether a segment's outermost slice ends half-way to a neighbouring slice that was drawn
        without it. Nothing is ever added beyond the outermost drawn slice.
    tick : callable
        Told the progress; it raises to cancel.

    Raises
    ------
    InputError
        When there is no such axis, the distance is below 0 or without end, or no segment with
        a gap between two of its slices.
    """
    if axis not in (0, 1, 2):
        raise InputError(f"A voxel axis is 0, 1 or 2; got {axis}.", hint="Choose a plane.")
    if not 0 <= snap_mm < np.inf:
        raise InputError(
            f"Borders move 0 mm or more to an edge; got {snap_mm:g}.",
            hint="Take 0 for shape alone.",
        )
    planes = _across(scene.labels[box], axis)
    chosen = _chosen(scene, planes, values)
    windows = _windows(planes, chosen)
    gaps = gaps_of({v: sorted(at) for v, at in windows.items()}, close_ends=close_ends)
    if not gaps:
        raise InputError(
            "Filling needs a segment that is drawn on two slices with empty ones between them.",
            hint="Draw the segment on a further slice of this plane, some slices away.",
        )
    u, v = (mm for x, mm in enumerate(scene.spacing_mm[::-1]) if x != 2 - axis)
    margin = int(np.ceil(2 * snap_mm / u)), int(np.ceil(2 * snap_mm / v))
    work = _work(gaps, windows, planes.shape[1:], margin)
    where = _volume_box(box, axis, work)
    after = scene.labels[where].T.copy().T
    filling = _Filling(planes, windows, gaps, (u, v), work)
    filled = filling.into(_across(after, axis), tick)
    if snap_mm > 0:
        _snap(scene, where, axis, after, (snap_mm, tick))
    return scene.propose(
        where,
        after,
        name="Fill between slices",
        values=chosen,
        provider="interpolation",
        origin="interpolated",
        words=_words(scene, filled, after, where, gaps)
        + (approximately(scene.skew_mm, snap_mm) if snap_mm > 0 else ""),
    )


def gaps_of(drawn: Mapping[int, Sequence[int]], *, close_ends: bool = False) -> list[Gap]:
    """Return which slices are to be filled with which segment.

    Parameters
    ----------
    drawn : mapping of int to sequence of int
        For each segment the slices that hold it, ascending.
    close_ends : bool
        As in `fill_between`.
    """
    every = sorted({s for slices in drawn.values() for s in slices})
    out = []
    for value, slices in sorted(drawn.items()):
        steps = [b - a for a, b in pairwise(slices) if b - a > 1]
        if not steps:
            continue
        usual = float(np.median(steps))
        for first, last in pairwise(slices):
            if last - first > 1:
                out += _through(value, (first, last), usual, every)
        if close_ends:
            out += _ends(value, (slices[0], slices[-1]), usual, every)
    return [gap for gap in out if gap.last - gap.first > 1]


def _through(
    value: int, ends: tuple[int, int], usual: float, every: Sequence[int]
) -> list[Gap]:
    """Return one gap, or the two ends of a segment that is missing on slices between."""
    first, last = ends
    if last - first < _LATE * usual:
        return [Gap(value, first, last)]
    without = [s for s in every if s - first >= _SOON * usual and last - s >= _SOON * usual]
    if not without:
        return [Gap(value, first, last)]
    return [
        Gap(value, first, without[0], in_last=False),
        Gap(value, without[-1], last, in_first=False),
    ]


def _ends(value: int, ends: tuple[int, int], usual: float, every: Sequence[int]) -> list[Gap]:
    """Return the gaps from a segment's outermost slices to such as were drawn without it."""
    out = []
    below = [s for s in every if _SOON * usual <= ends[0] - s <= _LATE * usual]
    above = [s for s in every if _SOON * usual <= s - ends[1] <= _LATE * usual]
    if below:
        out.append(Gap(value, below[-1], ends[0], in_first=False))
    if above:
        out.append(Gap(value, ends[1], above[0], in_last=False))
    return out


def _across(labels: LabelArray, axis: int) -> LabelArray:
    """Return a view (slices, u, v): v runs fastest in memory."""
    return np.moveaxis(labels.T, 2 - axis, 0)


def _chosen(scene: Scene, planes: LabelArray, values: Sequence[int]) -> list[int]:
    """Return the segments to fill, and refuse those that may not change."""
    locked = scene.masking.locked
    if values:
        open_ones = [v for v in values if v not in locked and v > 0]
        if not open_ones:
            raise InputError(
                "All chosen segments are locked.", hint="Unlock one in the table of segments."
            )
        return sorted(set(open_ones))
    largest = int(planes.max(initial=0))
    return [v for v in range(1, largest + 1) if v not in locked]


def _windows(planes: LabelArray, values: Sequence[int]) -> dict[int, dict[int, Window]]:
    """Return for each segment the slices that hold it, and where in them it lies."""
    from scipy import ndimage

    out: dict[int, dict[int, Window]] = {}
    tops = planes.max(axis=(1, 2), initial=0)
    for s in np.flatnonzero(tops):
        found = ndimage.find_objects(planes[s])
        for value in values:
            window = found[value - 1] if value <= len(found) else None
            if window is not None:
                out.setdefault(value, {})[int(s)] = window
    return out


def _work(
    gaps: Sequence[Gap],
    windows: Mapping[int, Mapping[int, Window]],
    shape: Sequence[int],
    margin: tuple[int, int],
) -> tuple[slice, ...]:
    """Return the slices to fill, and the window of them that all fillings lie in."""
    ends = [
        windows[gap.value][s]
        for gap in gaps
        for s in (gap.first, gap.last)
        if s in windows[gap.value]
    ]
    low, high = min(gap.first for gap in gaps) + 1, max(gap.last for gap in gaps)
    spans = [
        slice(
            max(min(w[x].start for w in ends) - margin[x], 0),
            min(max(w[x].stop for w in ends) + margin[x], shape[x]),
        )
        for x in (0, 1)
    ]
    return slice(low, high), *spans


def _volume_box(box: Box, axis: int, work: tuple[slice, ...]) -> Box:
    """Return what was found in the slices of a box as a box of the volume."""
    spans = list(work[1:])
    spans.insert(2 - axis, work[0])
    starts = [0 if part.start is None else part.start for part in box]
    i, j, k = (
        slice(span.start + start, span.stop + start)
        for span, start in zip(spans[::-1], starts, strict=True)
    )
    return i, j, k


@dataclass(frozen=True, eq=False)
class _Filling:
    """What is to be filled where: slices as (slices, u, v), and the window to work in."""

    planes: LabelArray
    windows: Mapping[int, Mapping[int, Window]]
    gaps: Sequence[Gap]
    spacing_mm: tuple[float, float]
    work: tuple[slice, ...]
    kept: dict[tuple[Gap, ...], npt.NDArray[np.bool_]] = field(default_factory=dict)

    def into(self, out: LabelArray, tick: Tick) -> int:
        """Fill a copy of the window's slices; return how many slices changed."""
        low, high = self.work[0].start, self.work[0].stop
        started: dict[int, list[Gap]] = {}
        for gap in self.gaps:
            started.setdefault(gap.first + 1, []).append(gap)
        active: list[tuple[Gap, list[Morph]]] = []
        filled = 0
        for s in range(low, high):
            tick(s - low, high - low)
            active = [(gap, shapes) for gap, shapes in active if s < gap.last]
            if s in started:
                active += [(gap, self._shapes(gap)) for gap in started[s]]
                # Where two want a voxel the first takes it: the smaller one.
                active.sort(key=lambda one: self._area(one[0]))
            if active:
                filled += self._slice(out[s - low], s, active)
        tick(high - low, high - low)
        return filled

    def _slice(
        self, plane: LabelArray, s: int, active: Sequence[tuple[Gap, list[Morph]]]
    ) -> bool:
        new = np.ascontiguousarray(plane)
        claim, score = np.zeros_like(new), blank(new.shape)
        for gap, shapes in active:
            fraction = (s - gap.first) / (gap.last - gap.first)
            for shape in shapes:
                render(shape, fraction, gap.value, claim, score)
        # Where one segment hands over to another, no background comes between them.
        filled = fill(new, claim, score, self._handed_over(tuple(gap for gap, _ in active)))
        if filled and new is not plane:
            plane[...] = new
        return filled > 0

    def _handed_over(self, gaps: tuple[Gap, ...]) -> npt.NDArray[np.bool_]:
        """Return what is of a segment on both ends of gaps that have both ends in common."""
        if gaps not in self.kept:
            window = self.work[1], self.work[2]
            out = np.zeros([part.stop - part.start for part in window], dtype=bool)
            for ends in {(gap.first, gap.last) for gap in gaps}:
                table = np.zeros(int(np.iinfo(self.planes.dtype).max) + 1, dtype=bool)
                table[[gap.value for gap in gaps if (gap.first, gap.last) == ends]] = True
                out |= table[self.planes[ends[0]][window]] & table[self.planes[ends[1]][window]]
            self.kept.clear()
            self.kept[gaps] = out
        return self.kept[gaps]

    def _area(self, gap: Gap) -> tuple[int, int]:
        """Return the pixels of a segment on both ends of a gap, and its value to break ties."""
        known = self.windows[gap.value]
        ends = [(s, known[s]) for s in (gap.first, gap.last) if s in known]
        counts = [int(np.count_nonzero(self.planes[s][w] == gap.value)) for s, w in ends]
        return sum(counts), gap.value

    def _shapes(self, gap: Gap) -> list[Morph]:
        """Return the shapes of one gap, in the window's pixels."""
        known = self.windows[gap.value]
        ends = [known[s] for s in (gap.first, gap.last) if s in known]
        u, v = (
            slice(min(w[x].start for w in ends), max(w[x].stop for w in ends)) for x in (0, 1)
        )
        here, there = (
            (self.planes[s, u, v] == gap.value) & is_there
            for s, is_there in ((gap.first, gap.in_first), (gap.last, gap.in_last))
        )
        corner = (u.start - self.work[1].start, v.start - self.work[2].start)
        return morphs(here, there, self.spacing_mm, corner)


def _snap(
    scene: Scene, where: Box, axis: int, after: LabelArray, how: tuple[float, Tick]
) -> None:
    """Let what was filled settle on the image's edges, slice by slice, in place."""
    band_mm, tick = how
    before, image = scene.labels[where], scene.image[where]
    across = [np.inf if x == axis else mm for x, mm in enumerate(scene.spacing_mm)]
    shape = (after.shape[0], after.shape[1], after.shape[2])
    for s in range(shape[axis]):
        tick(s, shape[axis])
        one = slab(shape, axis, s)
        found = around(after[one] != before[one])
        if found is None:
            continue
        spot = list(found)
        spot[axis] = slice(s, s + 1)
        # In the window that the fillings lie in, and so not beyond the box.
        crop = widen((spot[0], spot[1], spot[2]), 2 * band_mm, across, shape)
        free = before[crop] == 0
        after[crop] = settle(image[crop], after[crop], free, band_mm, scene.spacing_mm)


def _words(
    scene: Scene, filled: int, after: LabelArray, where: Box, gaps: Sequence[Gap]
) -> str:
    """Say how many slices, how much, and for how many segments something was assumed."""
    grown = np.count_nonzero(after.T != scene.labels[where].T)
    ml = grown * scene.voxel_mm3 / 1000.0
    several = len({gap.value for gap in gaps})
    words = [f"{filled} slices, {ml:.1f} ml in {several} segment{'s' * (several != 1)}."]
    ended = {gap.value for gap in gaps if not (gap.in_first and gap.in_last)}
    if ended:
        words.append(
            f"{len(ended)} end half-way to a slice that was drawn without "
            f"{'it' if len(ended) == 1 else 'them'}."
        )
    if scene.masking.locked:
        words.append("Locked segments are left out.")
    return " ".join(words)
