"""Where several readings of a case differ: connected parts, each with place, size and depth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from napari_medlabel.edit.boxes import hull
from napari_medlabel.edit.components import Parts, connected_parts
from napari_medlabel.edit.distance import distance_mm
from napari_medlabel.edit.patch import Box
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.measure.boxes import boxes_of
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.project.agreement.cropping import require_one_grid, union_box

Order = Literal["ml", "mm"]
IntArray = npt.NDArray[np.intp]
_NOTHING: Final = (slice(0, 1),) * 3


@dataclass(frozen=True)
class Difference:
    """A connected part of voxels on which the readings say the same, each its own.

    Parameters
    ----------
    number : int
        From 0, in the order of first voxels in memory; the same readings give the same numbers.
    says : tuple of int
        The label that each reading has there, 0 for none, in the order of the readings.
    voxels : int
        How many.
    ml : float
        Volume.
    mm : float
        How far its furthest voxel lies from what all agree is one of its labels; where they
        agree on none of these, the length of its box from corner to corner.
    place_ras : tuple of float
        A voxel of it near its middle, in RAS mm: where to jump to.
    box : tuple of slice
        Around it, in the scan's (i, j, k).
    """

    number: int
    says: tuple[int, ...]
    voxels: int
    ml: float
    mm: float
    place_ras: tuple[float, float, float]
    box: Box

    @property
    def labels(self) -> tuple[int, ...]:
        """The labels that somebody gave, ascending."""
        return tuple(sorted(set(self.says) - {0}))

    def kind(self, readers: Sequence[str]) -> str:
        """Say who labelled it: ``"A only"``, ``"A, C"``, ``"both, differently"``.

        Parameters
        ----------
        readers : sequence of str
            Names of the readings, in their order.
        """
        gave = [reader for reader, value in zip(readers, self.says, strict=True) if value]
        if len(self.labels) > 1:
            everybody = len(gave) == len(readers)
            who = ("both" if len(readers) == 2 else "all") if everybody else ", ".join(gave)
            return f"{who}, differently"
        return f"{gave[0]} only" if len(gave) == 1 else ", ".join(gave)


@dataclass(frozen=True, eq=False)
class Differences:
    """All differences of the readings of a case.

    Parameters
    ----------
    grid : Grid
        The scan's.
    readers : tuple of str
        Names of the readings, in order.
    found : tuple of Difference
        By number.
    agreed : ndarray, shape (i, j, k)
        The label where all readings say the same; 0 elsewhere.
    box : tuple of slice
        Around everything that somebody labelled.
    parts : Parts
        Their voxels, in the box.
    """

    grid: Grid
    readers: tuple[str, ...]
    found: tuple[Difference, ...]
    agreed: npt.NDArray[Any]
    box: Box
    parts: Parts

    def ordered(self, by: Order = "ml") -> tuple[Difference, ...]:
        """Return them, the largest first, by volume or by how far they go."""
        return tuple(sorted(self.found, key=lambda one: (-getattr(one, by), one.number)))

    def mask(self, number: int) -> npt.NDArray[np.bool_]:
        """Return the voxels of a difference in its own box, (i, j, k)."""
        box = self.found[number].box
        chosen = np.arange(len(self.parts)) == number
        inner = _shifted(box, self.box, -1)
        out = np.zeros([part.stop - part.start for part in reversed(box)], dtype=bool).T
        self.parts.paint(out, inner, chosen, chosen.astype(np.intp))
        return out

    def touched(self, box: Box, changed: npt.NDArray[np.bool_]) -> list[int]:
        """Return the differences of which some voxel changed.

        Parameters
        ----------
        box : tuple of slice
            Where, in the scan's (i, j, k).
        changed : ndarray of bool, shape of the box
            Which of its voxels.
        """
        low = np.array([part.start for part in box])
        high = np.array([part.stop for part in box])
        ends = np.array([[(part.start, part.stop) for part in one.box] for one in self.found])
        if not len(ends):
            return []
        near = ((ends[:, :, 0] < high) & (ends[:, :, 1] > low)).all(axis=1)
        out = []
        for number in np.flatnonzero(near).tolist():
            theirs = self.found[number].box
            both = _common(theirs, box)
            part = self.mask(number)[_shifted(both, theirs, -1)]
            if (changed[_shifted(both, box, -1)] & part).any():
                out.append(number)
        return out

    def paint(self, out: npt.NDArray[Any], values: Mapping[int, int]) -> None:
        """Write a value into the voxels of each of some differences.

        Parameters
        ----------
        out : ndarray, shape (i, j, k)
            Of the whole scan; changed in place.
        values : mapping of int to int
            By number.
        """
        if not values:
            return
        chosen = np.isin(np.arange(len(self.parts)), list(values))
        becomes = np.zeros(len(self.parts), dtype=np.intp)
        becomes[list(values)] = list(values.values())
        inner = tuple(slice(0, part.stop - part.start) for part in self.box)
        crop = np.ascontiguousarray(out[self.box].T).T
        self.parts.paint(crop, (inner[0], inner[1], inner[2]), chosen, becomes)
        out[self.box] = crop

    def layer(self) -> npt.NDArray[np.uint8]:
        """Return what is to be shown, shape (i, j, k).

        0 where nobody labelled; 1 where all agree on a label; 2 for the first reading only, 3
        for the second only, and so on; 1 beyond the last reading where several gave a label
        that not all gave, or different ones.
        """
        out = np.zeros(self.grid.shape[::-1], dtype=np.uint8).T
        out[self.agreed != 0] = 1
        several = len(self.readers) + 2
        values = {}
        for one in self.found:
            gave = [at for at, value in enumerate(one.says) if value]
            values[one.number] = gave[0] + 2 if len(gave) == 1 else several
        self.paint(out, values)
        return out


def find_differences(readings: Mapping[str, LabelMap]) -> Differences:
    """Find where readings of a case differ.

    Parameters
    ----------
    readings : mapping of str to LabelMap
        Reading -> mask, two or more on one grid.

    Raises
    ------
    InputError
        When there are less than two.
    GeometryError
        When grids differ.
    """
    masks = list(readings.values())
    grid = require_one_grid(masks)
    spacing = grid.affine.spacing_mm
    box = union_box([mask.array for mask in masks], spacing) or _NOTHING
    crops = [np.ascontiguousarray(mask.array[box].T).T for mask in masks]
    patterns, says = _patterns(crops)
    parts = connected_parts(patterns)
    agreed = np.where(patterns == 0, crops[0], 0)
    everywhere = np.zeros(grid.shape[::-1], dtype=masks[0].array.dtype).T
    everywhere[box] = agreed
    depth = _depths(crops, agreed, patterns, says, grid)
    found = tuple(_each(parts, says, depth, grid, box))
    return Differences(grid, tuple(readings), found, everywhere, box, parts)


def _patterns(
    crops: Sequence[npt.NDArray[Any]],
) -> tuple[npt.NDArray[np.int32], list[tuple[int, ...]]]:
    """Return how the readings differ in each voxel, 0 for not, and what each way says."""
    flat = [crop.T.reshape(-1) for crop in crops]
    differ = np.zeros(flat[0].shape, dtype=bool)
    for one in flat[1:]:
        differ |= one != flat[0]
    where = np.flatnonzero(differ)
    table = np.stack([one[where] for one in flat], axis=1)
    ways, which = np.unique(table, axis=0, return_inverse=True)
    out = np.zeros(flat[0].shape, dtype=np.int32)
    out[where] = which.reshape(-1) + 1
    said = [(0,) * len(crops), *(tuple(int(v) for v in row) for row in ways)]
    return out.reshape(crops[0].shape[::-1]).T, said


def _depths(
    crops: Sequence[npt.NDArray[Any]],
    agreed: npt.NDArray[Any],
    patterns: npt.NDArray[np.int32],
    says: Sequence[tuple[int, ...]],
    grid: Grid,
) -> npt.NDArray[np.float32]:
    """Return how far each differing voxel lies from what all agree is one of its labels."""
    near = np.full(agreed.shape[::-1], np.inf, dtype=np.float32).T
    # All of a label, agreed or not, lies in its box: so does what is nearest.
    boxes = [boxes_of(crop) for crop in crops]
    for value in sorted({value for held in boxes for value in held}):
        box = hull([held[value] for held in boxes if value in held])
        holds = np.array([value in said for said in says])[patterns[box]]
        of_it = agreed[box] == value
        if holds.any() and of_it.any():
            away = distance_mm(~of_it, grid.affine.spacing_mm, grid.affine.skew_mm)
            part = near[box]
            np.minimum(part, away, out=part, where=holds)
    return near


def _each(
    parts: Parts,
    says: Sequence[tuple[int, ...]],
    depth: npt.NDArray[np.float32],
    grid: Grid,
    box: Box,
) -> list[Difference]:
    if not len(parts):
        return []
    whole: Any = tuple(slice(0, n) for n in parts.shape)
    ml = grid.affine.voxel_ml
    size = (len(parts), 3)
    low, high = np.full(size, np.iinfo(np.intp).max), np.full(size, -1)
    total, furthest = np.zeros(size), np.zeros(len(parts))
    flat = depth.T.reshape(-1)
    everything = np.ones(len(parts), dtype=bool)
    batches = []
    for where, part in parts.voxels_of(everything, whole):
        places = np.stack(np.unravel_index(where, parts.shape[::-1])[::-1], axis=1)
        np.minimum.at(low, part, places)
        np.maximum.at(high, part, places)
        np.add.at(total, part, places)
        np.maximum.at(furthest, part, flat[where])
        batches.append((places, part))
    middle = _middles(batches, total / parts.voxels[:, None], grid)
    corner = np.array([part.start for part in box])
    out = []
    for n in range(len(parts)):
        mm = float(furthest[n])
        if not np.isfinite(mm):
            mm = _diagonal_mm(high[n] - low[n] + 1, grid)
        r, a, s = (float(v) for v in grid.affine.apply(middle[n] + corner))
        i, j, k = (
            slice(int(start), int(stop) + 1)
            for start, stop in zip(low[n] + corner, high[n] + corner, strict=True)
        )
        voxels = int(parts.voxels[n])
        out.append(
            Difference(n, says[parts.values[n]], voxels, voxels * ml, mm, (r, a, s), (i, j, k))
        )
    return out


def _in_mm(steps: npt.NDArray[np.float64], grid: Grid) -> npt.NDArray[np.float64]:
    """Turn steps of voxels, shape (n, 3), into mm, for their lengths."""
    skew = grid.affine.skew_mm
    made = steps * np.array(grid.affine.spacing_mm) if skew is None else steps @ skew.T
    return np.asarray(made, dtype=np.float64)


def _diagonal_mm(size: IntArray, grid: Grid) -> float:
    """Return the length of a box of voxels from corner to corner, the longest on a tilt."""
    corners = _in_mm(size * np.array([[1, 1, 1], [-1, 1, 1], [1, -1, 1], [1, 1, -1]]), grid)
    return float(np.linalg.norm(corners, axis=1).max())


def _middles(
    batches: Sequence[tuple[IntArray, IntArray]],
    mean: npt.NDArray[np.float64],
    grid: Grid,
) -> npt.NDArray[np.float64]:
    """Return for each part its voxel nearest to its centre of mass, which may lie outside."""
    best = np.full(len(mean), np.inf)
    out = np.zeros(mean.shape)
    for places, part in batches:
        away = (_in_mm(places - mean[part], grid) ** 2).sum(axis=1)
        # The last one written wins: the nearest is written last.
        order = np.argsort(-away, kind="stable")
        nearest, where = np.full(len(mean), np.inf), np.zeros(mean.shape)
        nearest[part[order]], where[part[order]] = away[order], places[order]
        better = nearest < best
        best[better], out[better] = nearest[better], where[better]
    return out


def _common(first: Box, second: Box) -> Box:
    i, j, k = (
        slice(max(a.start, b.start), min(a.stop, b.stop))
        for a, b in zip(first, second, strict=True)
    )
    return i, j, k


def _shifted(box: Box, origin: Box, sign: int) -> Box:
    i, j, k = (
        slice(one.start + sign * o.start, one.stop + sign * o.start)
        for one, o in zip(box, origin, strict=True)
    )
    return i, j, k
