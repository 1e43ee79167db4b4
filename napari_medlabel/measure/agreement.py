"""How far two masks of one scan agree, label by label: stated conventions, explicit empties.

A label that both leave empty is excluded from every mean and counted. A label that one of them
leaves empty has Dice, Jaccard and surface Dice 0, and as distances the diagonal of the scan,
flagged: what was missed is never the best score, and never drops out. Background is no label.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from napari_medlabel.errors import InputError
from napari_medlabel.measure.boxes import around_both, boxes_of, diagonal_mm
from napari_medlabel.measure.overlap import Overlap, joint_counts
from napari_medlabel.measure.surface import (
    CONVENTIONS,
    Convention,
    Surface,
    distances,
    surface_of,
)
from napari_medlabel.model.labelmap import LabelMap

By = Literal["name", "value"]
Tick = Callable[[int, int], object]
Status = Literal["both", "first only", "second only", "neither"]

TINY_VOXELS: Final = 100
"""Below this, Dice says little: look at the surface Dice and the difference of volumes."""


@dataclass(frozen=True)
class Pair:
    """One label in two masks.

    Parameters
    ----------
    name : str
        What it is called.
    first, second : int or None
        Its value in each, None where the scheme has no such label.
    """

    name: str
    first: int | None
    second: int | None


@dataclass(frozen=True)
class LabelAgreement:
    """How far two masks agree on one label; all None where both leave it empty.

    Parameters
    ----------
    pair : Pair
        Which label.
    overlap : Overlap
        Voxels.
    voxel_ml : float
        Volume of a voxel.
    dice, jaccard : float or None
        0 to 1.
    nsd : float or None
        Share of both surfaces within the tolerance: normalised surface Dice.
    hd_mm, hd95_mm : float or None
        Hausdorff distance, and that of 95 percent of the surface.
    assd_mm : float or None
        Average symmetric surface distance, both surfaces pooled.
    """

    pair: Pair
    overlap: Overlap
    voxel_ml: float
    dice: float | None
    jaccard: float | None
    nsd: float | None
    hd_mm: float | None
    hd95_mm: float | None
    assd_mm: float | None

    @property
    def status(self) -> Status:
        """Which of the two masks have the label at all."""
        if self.overlap.is_empty:
            return "neither"
        if not self.overlap.second:
            return "first only"
        return "both" if self.overlap.first else "second only"

    @property
    def is_flagged(self) -> bool:
        """Whether the distances are the scan's diagonal because one mask is empty."""
        return self.status in ("first only", "second only")

    @property
    def is_tiny(self) -> bool:
        """Whether it has so few voxels in one of them that Dice says little."""
        return not self.overlap.is_empty and (
            min(self.overlap.first, self.overlap.second) < TINY_VOXELS
        )

    @property
    def volumes_ml(self) -> tuple[float, float]:
        """Volume in the first and in the second mask."""
        return self.overlap.first * self.voxel_ml, self.overlap.second * self.voxel_ml

    @property
    def difference_ml(self) -> float:
        """Volume in the second mask less that in the first."""
        return (self.overlap.second - self.overlap.first) * self.voxel_ml


@dataclass(frozen=True)
class Agreement:
    """How far two masks agree.

    Parameters
    ----------
    labels : tuple of LabelAgreement
        In the order of the first mask's scheme, then those of the second alone.
    convention : str
        ``surfel`` or ``voxel``, of all distances; see `napari_medlabel.measure.surface`.
    tolerance_mm : float
        Of the surface Dice.
    by : str
        Whether labels were matched by ``name`` or by ``value``.
    diagonal_mm : float
        The distance of what one mask leaves empty.
    """

    labels: tuple[LabelAgreement, ...]
    convention: Convention
    tolerance_mm: float
    by: By
    diagonal_mm: float

    @property
    def counted(self) -> tuple[LabelAgreement, ...]:
        """Labels that enter the means: at least one mask has them."""
        return tuple(one for one in self.labels if not one.overlap.is_empty)

    @property
    def excluded(self) -> int:
        """How many labels both leave empty."""
        return len(self.labels) - len(self.counted)

    @property
    def flagged(self) -> int:
        """How many labels one mask leaves empty."""
        return sum(one.is_flagged for one in self.labels)

    def mean(self, measure: str) -> float | None:
        """Return the unweighted mean over the counted labels; None when there is none.

        Parameters
        ----------
        measure : str
            ``dice``, ``jaccard``, ``nsd``, ``hd_mm``, ``hd95_mm`` or ``assd_mm``.
        """
        values = [float(getattr(one, measure)) for one in self.counted]
        return float(np.mean(values)) if values else None


def match_labels(first: LabelMap, second: LabelMap, by: By) -> tuple[Pair, ...]:
    """Return which label of one mask is which of the other.

    Parameters
    ----------
    first, second : LabelMap
        With their schemes.
    by : str
        ``name``: as they are called, whatever their numbers (case and blanks at the ends do
        not count); ``value``: as they are numbered, called as in the first.
    """

    def keys(labels: LabelMap) -> dict[object, tuple[str, int]]:
        return {
            label.name.strip().casefold() if by == "name" else label.value: (
                label.name,
                label.value,
            )
            for label in labels.scheme.labels
        }

    one, other = keys(first), keys(second)
    pairs = [
        Pair(name, value, other[key][1] if key in other else None)
        for key, (name, value) in one.items()
    ]
    pairs += [Pair(name, None, value) for key, (name, value) in other.items() if key not in one]
    return tuple(pairs)


def compare_masks(
    first: LabelMap,
    second: LabelMap,
    *,
    tolerance_mm: float = 2.0,
    convention: Convention = "surfel",
    by: By = "name",
    tick: Tick = lambda _done, _total: None,
) -> Agreement:
    """Compare two masks of one scan, label by label.

    Parameters
    ----------
    first, second : LabelMap
        On one grid.
    tolerance_mm : float
        Distance within which a surface counts as the same, for the surface Dice. A good one is
        the distance between two good readers.
    convention : str
        ``surfel`` or ``voxel``.
    by : str
        Match labels by ``name`` or by ``value``.
    tick : callable
        Told how many labels are done and how many there are; it raises to end the work.

    Raises
    ------
    GeometryError
        When the grids differ: nothing is resampled.
    InputError
        When the tolerance is below 0, or there is no such convention.
    """
    first.grid.require_same(second.grid, what="second mask")
    if convention not in CONVENTIONS or not 0 <= tolerance_mm < np.inf:
        raise InputError(
            "Masks are compared with a tolerance of 0 mm or more, by a known convention.",
            hint=f"Conventions: {', '.join(CONVENTIONS)}.",
        )
    work = _Comparison(first, second, tolerance_mm, convention)
    pairs = match_labels(*work.masks, by)
    rows = []
    for done, pair in enumerate(pairs):
        tick(done, len(pairs))
        rows.append(work.row(pair))
    tick(len(pairs), len(pairs))
    return Agreement(tuple(rows), convention, tolerance_mm, by, work.diagonal_mm)


class _Comparison:
    """What all labels of a comparison share."""

    def __init__(
        self, first: LabelMap, second: LabelMap, tolerance_mm: float, convention: Convention
    ) -> None:
        self._boxes = boxes_of(first.array), boxes_of(second.array)
        self.masks = _named(first, self._boxes[0]), _named(second, self._boxes[1])
        self._counts = joint_counts(first.array, second.array)
        self._tolerance_mm, self._convention = tolerance_mm, convention
        self.diagonal_mm = diagonal_mm(first.grid)

    def row(self, pair: Pair) -> LabelAgreement:
        # No label has the value -1: a region without a voxel.
        values = tuple(-1 if one is None else one for one in (pair.first, pair.second))
        overlap = self._counts.overlap(*values)
        ml = self.masks[0].grid.affine.voxel_ml
        if overlap.is_empty:
            return LabelAgreement(pair, overlap, ml, *(None,) * 6)
        dice, jaccard = overlap.dice, overlap.jaccard
        if not overlap.first or not overlap.second:
            far = self.diagonal_mm
            return LabelAgreement(pair, overlap, ml, dice, jaccard, 0.0, far, far, far)
        apart = distances(*self._surfaces(values))
        return LabelAgreement(
            pair,
            overlap,
            ml,
            dice,
            jaccard,
            apart.nsd(self._tolerance_mm),
            apart.hausdorff_mm(),
            apart.hausdorff_mm(95.0),
            apart.assd_mm,
        )

    def _surfaces(self, values: Sequence[int]) -> list[Surface]:
        """Return both surfaces of a label that both masks have, from the box around it."""
        box = around_both(*(b[v] for b, v in zip(self._boxes, values, strict=True)))
        affine = self.masks[0].grid.affine
        return [
            surface_of(
                mask.array[box] == value,
                affine.spacing_mm,
                self._convention,
                skew_mm=affine.skew_mm,
            )
            for mask, value in zip(self.masks, values, strict=True)
        ]


def _named(labels: LabelMap, values: Iterable[int]) -> LabelMap:
    """Return a mask with a name for every value that occurs."""
    return LabelMap(labels.grid, labels.array, labels.scheme.with_unnamed(values))
