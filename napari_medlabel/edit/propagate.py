"""Carry a slice's segments to the next slices, along the image's edges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.edit.border import UNKNOWN, cores, regrow
from napari_medlabel.edit.finite import averaged, only_numbers
from napari_medlabel.edit.patch import Box, LabelArray
from napari_medlabel.edit.scene import (
    Proposal,
    Scene,
    Shape,
    Tick,
    around,
    quiet,
    slab,
    whole,
    widen,
)
from napari_medlabel.edit.skew import approximately
from napari_medlabel.errors import InputError

BoolArray = npt.NDArray[np.bool_]
Three = tuple[float, float, float]

_BLUR_MM: Final = 1.0  # under which grey values are compared from slice to slice
_SPREAD: Final = 3.0  # standard deviations: as far may they be from the first slice's
_KEPT: Final = 0.5  # of the core, and of the whole, must look like the first slice
_GROWTH: Final = 2.0  # times its area on the first slice: larger is taken for a leak
_ENDED: Final = "its grey values stop"
_LEAKED: Final = "it would leak"
_DRAWN: Final = "the next slice has it already"


@dataclass(frozen=True)
class _Look:
    """How a segment looks on the slice it comes from: grey values and area in voxels."""

    mean: float
    spread: float
    area: int


def propagate(
    scene: Scene,
    axis: int,
    from_index: int,
    to_index: int,
    values: Sequence[int] = (),
    *,
    reach_mm: float | None = None,
    tick: Tick = quiet,
) -> Proposal | None:
    """Propose a slice's segments on the slices after it, one after another.

    The inner part of each segment is taken over, its outer part and what lies around it up to
    `reach_mm` are found anew by a watershed of the slice's gradient. So a border moves at most
    that far from slice to slice, and never runs across the image. A segment stops, and the
    proposal says so, before a slice on which its grey values are no longer those of the first
    slice, on which it would be twice as large, or which has it already. A voxel without a
    number is like none. Only background is filled.

    Parameters
    ----------
    scene : Scene
        Labels, image and rules.
    axis : int
        Voxel axis across the slices: 0 for i, 1 for j, 2 for k.
    from_index, to_index : int
        The slice to start from, not changed, and the last slice to fill; either way round.
    values : sequence of int
        The segments; all that are on the first slice and not locked when empty.
    reach_mm : float, optional
        How far a border may move from one slice to the next; by default twice the distance of
        the slices, and at least three voxels of the slice.
    tick : callable
        Told the progress; it raises to cancel.

    Raises
    ------
    InputError
        When a slice is not in the scan, the two are one, the first has none of the segments or
        only locked ones, or all segments stop at once.
    """
    _checked(scene.shape, axis, (from_index, to_index), reach_mm)
    chosen = _chosen(scene, axis, from_index, values)
    step = 1 if to_index > from_index else -1
    inplane = [mm for x, mm in enumerate(scene.spacing_mm) if x != axis]
    reach = reach_mm or max(2.0 * scene.spacing_mm[axis], 3.0 * max(inplane))
    run = _Run(scene, axis, reach)
    plane = run.only(from_index, chosen)
    looks = {v: run.look(from_index, plane == v) for v in chosen}
    stopped: dict[int, tuple[int, str]] = {}
    filled: list[tuple[int, LabelArray]] = []
    total = abs(to_index - from_index)
    for n in range(total):
        tick(n, total)
        index = from_index + step * (n + 1)
        plane = run.next(index, plane, looks, stopped, n)
        if not plane.any():
            break
        filled.append((index, plane))
    tick(total, total)
    words = _stops(stopped, total)
    if not filled:
        raise InputError(
            f"Nothing can be carried to the next slice. {words}",
            hint="Draw the segment there, or allow its border a longer reach.",
        )
    words += approximately(scene.skew_mm, reach)
    return _proposal(scene, axis, filled, (chosen, words.strip()))


@dataclass(frozen=True, eq=False)
class _Run:
    """One way through the slices. Planes are arrays (i, j, k), one voxel thick."""

    scene: Scene
    axis: int
    reach_mm: float

    def only(self, index: int, chosen: Sequence[int]) -> LabelArray:
        """Return a slice with nothing but the chosen segments."""
        plane = self.scene.labels[slab(self.scene.shape, self.axis, index)].T
        return np.where(np.isin(plane, chosen), plane, 0).astype(plane.dtype).T

    def look(self, index: int, region: BoolArray) -> _Look:
        """Measure a segment's grey values on a slice."""
        crop = self._window(region)
        grey = only_numbers(self._grey(index, crop)[region[crop]])
        if not grey.size:  # like nothing: it stops at once
            return _Look(np.nan, np.nan, int(np.count_nonzero(region)))
        low, middle, high = np.percentile(grey, (16, 50, 84))
        # Half the distance of the 16th and 84th is a deviation that outliers do not move.
        spread = max((float(high) - float(low)) / 2, 1e-3 * max(abs(float(middle)), 1.0))
        return _Look(float(middle), spread, int(np.count_nonzero(region)))

    def next(
        self,
        index: int,
        plane: LabelArray,
        looks: dict[int, _Look],
        stopped: dict[int, tuple[int, str]],
        done: int,
    ) -> LabelArray:
        """Return the next slice's segments; note which stop before it."""
        there = self.scene.labels[slab(self.scene.shape, self.axis, index)]
        before = np.where(np.isin(plane.T, there[there != 0]), 0, plane.T).T
        for value in set(np.unique(plane)) - set(np.unique(before)) - {0}:
            stopped[int(value)] = (done, _DRAWN)
        if not before.any():
            return before
        crop = self._window(before != 0)
        grey, free = self._grey(index, crop), there[crop] == 0
        carried = np.where(free.T, before[crop].T, 0).astype(plane.dtype).T
        spacing = self.scene.spacing_mm
        seeds = cores(carried, free, self.reach_mm, spacing)
        for value in [int(v) for v in np.unique(before) if v]:
            core = seeds == value
            alike = self._alike(grey, looks[value])
            if np.count_nonzero(core & alike) <= _KEPT * np.count_nonzero(core):
                stopped[value] = (done, _ENDED)
                carried = np.where(core.T | (carried == value).T, 0, carried.T).T
                seeds[core] = UNKNOWN
            else:
                seeds[core & ~alike] = UNKNOWN
        image = self.scene.image[slab(self.scene.shape, self.axis, index)][crop]
        grown = np.where(free.T, regrow(image, carried, seeds, spacing).T, 0).T
        out = np.zeros(plane.shape[::-1], dtype=plane.dtype).T
        out[crop] = self._sound(grown, grey, looks, stopped, done)
        return out

    def _sound(
        self,
        grown: LabelArray,
        grey: npt.NDArray[np.float32],
        looks: dict[int, _Look],
        stopped: dict[int, tuple[int, str]],
        done: int,
    ) -> LabelArray:
        """Take out what no longer looks like its segment, or is far too large."""
        for value in [int(v) for v in np.unique(grown) if v]:
            region = grown == value
            area = np.count_nonzero(region)
            if np.count_nonzero(region & self._alike(grey, looks[value])) <= _KEPT * area:
                stopped[value] = (done, _ENDED)
            elif area > _GROWTH * looks[value].area:
                stopped[value] = (done, _LEAKED)
            else:
                continue
            grown = np.where(region.T, 0, grown.T).T
        return grown

    def _alike(self, grey: npt.NDArray[np.float32], look: _Look) -> BoolArray:
        with np.errstate(invalid="ignore"):
            near: BoolArray = np.abs(grey - look.mean) <= _SPREAD * look.spread
        return near

    def _grey(self, index: int, crop: Box) -> npt.NDArray[np.float32]:
        """Return a slice's grey values, without their noise."""
        from scipy import ndimage

        plane = self.scene.image[slab(self.scene.shape, self.axis, index)][crop].T
        sigmas = [0.0 if x == self.axis else _BLUR_MM / mm for x, mm in enumerate(self._steps)]
        return averaged(
            plane, lambda part: ndimage.gaussian_filter(part, sigmas[::-1], mode="nearest")
        ).T

    @property
    def _steps(self) -> Three:
        return self.scene.spacing_mm

    def _window(self, region: BoolArray) -> Box:
        """Return where in a slice a segment can be on the next one, with room around."""
        found = around(region) or whole((1, 1, 1))
        across = [np.inf if x == self.axis else mm for x, mm in enumerate(self._steps)]
        i, j, k = region.shape
        return widen(found, 2.0 * self.reach_mm, across, (i, j, k))


def _checked(shape: Shape, axis: int, indices: tuple[int, int], reach_mm: float | None) -> None:
    if axis not in (0, 1, 2) or not all(0 <= index < shape[axis] for index in indices):
        raise InputError(
            f"Slices {indices[0]} to {indices[1]} of voxel axis {axis} are not in the scan.",
            hint="Choose slices of the scan.",
        )
    if indices[0] == indices[1]:
        raise InputError(
            "A slice is carried to others, not to itself.", hint="Choose a slice further on."
        )
    if reach_mm is not None and not 0 < reach_mm < np.inf:
        raise InputError(
            f"A border may move more than 0 mm; got {reach_mm:g}.",
            hint="Take the distance of two slices.",
        )


def _chosen(scene: Scene, axis: int, index: int, values: Sequence[int]) -> list[int]:
    """Return the segments of the first slice that may be carried on."""
    present = {int(v) for v in np.unique(scene.labels[slab(scene.shape, axis, index)]) if v}
    wanted = present.intersection(values) if values else present
    if not wanted:
        raise InputError(
            "The slice has none of the chosen segments.",
            hint="Draw the segment on this slice first, or go to one that has it.",
        )
    chosen = sorted(wanted - scene.masking.locked)
    if not chosen:
        raise InputError(
            "All segments of the slice are locked.",
            hint="Unlock one in the table of segments.",
        )
    return chosen


def _proposal(
    scene: Scene,
    axis: int,
    filled: Sequence[tuple[int, LabelArray]],
    about: tuple[Sequence[int], str],
) -> Proposal | None:
    """Put the slices into one box."""
    chosen, stops = about
    spans = []
    boxes = [around(plane != 0) for _, plane in filled]
    for x in (0, 1, 2):
        found = [box[x] for box in boxes if box is not None]
        spans.append(slice(min(p.start for p in found), max(p.stop for p in found)))
    indices = [index for index, _ in filled]
    spans[axis] = slice(min(indices), max(indices) + 1)
    where = (spans[0], spans[1], spans[2])
    after = scene.labels[where].T.copy().T
    for index, plane in filled:
        inner, target = list(where), list(whole(scene.shape))
        inner[axis] = slice(0, 1)
        target = [slice(None)] * 3
        target[axis] = slice(index - where[axis].start, index - where[axis].start + 1)
        part, spot = plane[tuple(inner)], after[tuple(target)]
        spot[part != 0] = part[part != 0]
    ml = np.count_nonzero(after.T != scene.labels[where].T) * scene.voxel_mm3 / 1000
    words = f"{len(filled)} slice{'s' * (len(filled) > 1)}, {ml:.1f} ml. {stops}".rstrip()
    return scene.propose(
        where,
        after,
        name="Propagate slice",
        values=chosen,
        provider="classical",
        origin="assisted",
        words=words,
    )


def _stops(stopped: dict[int, tuple[int, str]], total: int) -> str:
    return " ".join(
        f"Segment {value} stops after {done} of {total} slices: {why}."
        for value, (done, why) in sorted(stopped.items())
    )
