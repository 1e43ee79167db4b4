"""The table of a case's readings: every pair, and each against the consensus, by label."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Final

import numpy as np

from napari_medlabel.geometry.grid import Grid
from napari_medlabel.measure.agreement import LabelAgreement, Status, compare_masks
from napari_medlabel.measure.boxes import diagonal_mm
from napari_medlabel.measure.surface import Convention
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.model.landmarks import LandmarkSet
from napari_medlabel.project.agreement.cropping import cropped, require_one_grid, union_box

Tick = Callable[[int, int], object]
CONSENSUS: Final = "consensus"
MEASURES: Final = ("dice", "nsd", "hd95_mm", "assd_mm", "difference_ml")
"""What is summarised; ``difference_ml`` as it is, second less first by the raters' codes."""
_CONVENTIONS: Final[Mapping[Convention, str]] = {
    "surfel": "Surfaces by surfels (Nikolov et al. 2018): pieces of a marching-cubes surface "
    "weighed by their area, percentiles of area; as DeepMind's surface-distance.",
    "voxel": "Surfaces by voxels that touch the outside across a face, each weighs the same, "
    "percentiles interpolated.",
}
_DISTANCES: Final = (
    "HD95 is the larger of the two directed 95th percentiles; ASSD is the mean over both "
    "surfaces pooled; NSD is the surface Dice at {:g} mm."
)
_ONE_EMPTY: Final = (
    "A label that one of the two leaves empty has Dice 0 and NSD 0, and the scan's diagonal as "
    "distance; it stays in every mean; so many: {}."
)
_MATCHED: Final = (
    "Labels are matched by value, landmarks by name. The background is no label, and what a "
    "consensus leaves unresolved is background in it."
)
_NO_MARK: Final = (
    "A landmark that one of the two did not place has no distance and is left out; so many: {}."
)


@dataclass(frozen=True)
class Reading:
    """What one rater made of a case.

    Parameters
    ----------
    rater : str
        Code.
    labels : LabelMap
        The mask.
    landmarks : LandmarkSet or None
        In RAS mm.
    answers : mapping
        By question.
    """

    rater: str
    labels: LabelMap
    landmarks: LandmarkSet | None = None
    answers: Mapping[str, object] | None = None


@dataclass(frozen=True)
class Row:
    """One label in two readings of one case.

    Parameters
    ----------
    case, first, second : str
        Which case, and whose readings; ``consensus`` is always the second.
    value : int
        The label.
    name : str
        What it is called.
    status : str
        Which of the two have it: ``both``, ``first only``, ``second only``, ``neither``.
    first_ml, second_ml : float
        Volumes.
    dice, nsd, hd95_mm, assd_mm : float or None
        None where neither has it.
    is_tiny : bool
        Whether Dice says little, for so few voxels.
    """

    case: str
    first: str
    second: str
    value: int
    name: str
    status: Status
    first_ml: float
    second_ml: float
    dice: float | None
    nsd: float | None
    hd95_mm: float | None
    assd_mm: float | None
    is_tiny: bool

    @property
    def difference_ml(self) -> float:
        """Volume in the second reading less that in the first."""
        return self.second_ml - self.first_ml

    @property
    def is_counted(self) -> bool:
        """Whether somebody has the label at all."""
        return self.status != "neither"

    @property
    def is_flagged(self) -> bool:
        """Whether its distances are the scan's diagonal because one of the two missed it."""
        return self.status in ("first only", "second only")


@dataclass(frozen=True)
class MarkRow:
    """One landmark in two readings of one case.

    Parameters
    ----------
    case, first, second : str
        Which case, and whose readings.
    name : str
        The landmark.
    mm : float or None
        How far apart they placed it; None where one of the two did not.
    missing : tuple of str
        Who did not.
    """

    case: str
    first: str
    second: str
    name: str
    mm: float | None
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """Pairs of readings, of one case or of many.

    Parameters
    ----------
    rows : tuple of Row
        Labels.
    marks : tuple of MarkRow
        Landmarks.
    convention : str
        Of the distances.
    tolerance_mm : float
        Of the surface Dice.
    """

    rows: tuple[Row, ...]
    marks: tuple[MarkRow, ...]
    convention: Convention
    tolerance_mm: float

    @property
    def rules(self) -> tuple[str, ...]:
        """How it was measured and what was done with what is missing, a sentence each."""
        excluded = sum(not row.is_counted for row in self.rows)
        flagged = sum(row.is_flagged for row in self.rows)
        missing = sum(bool(mark.missing) for mark in self.marks)
        return (
            _CONVENTIONS[self.convention],
            _DISTANCES.format(self.tolerance_mm),
            f"A label that both leave empty is excluded from every mean; so many: {excluded}.",
            _ONE_EMPTY.format(flagged),
            _NO_MARK.format(missing),
            _MATCHED,
        )

    @property
    def cases(self) -> tuple[str, ...]:
        """Which cases are in it."""
        found = [row.case for row in self.rows] + [mark.case for mark in self.marks]
        return tuple(dict.fromkeys(found))

    @property
    def raters(self) -> tuple[str, ...]:
        """Whose readings are in it, the consensus left out."""
        names = {who for row in self.rows for who in (row.first, row.second)}
        names |= {who for mark in self.marks for who in (mark.first, mark.second)}
        return tuple(sorted(names - {CONSENSUS}))

    @property
    def names(self) -> dict[int, str]:
        """Values and names of all labels."""
        return {row.value: row.name for row in self.rows}

    def pairs(self) -> tuple[Row, ...]:
        """Return the rows between raters."""
        return tuple(row for row in self.rows if row.second != CONSENSUS)

    def against_consensus(self) -> tuple[Row, ...]:
        """Return the rows of raters against the consensus."""
        return tuple(row for row in self.rows if row.second == CONSENSUS)


def compare_readings(
    case: str,
    readings: Sequence[Reading],
    *,
    consensus: Reading | None = None,
    tolerance_mm: float = 2.0,
    convention: Convention = "surfel",
    tick: Tick = lambda _done, _total: None,
) -> Table:
    """Compare all readings of a case with one another, and with the consensus.

    Everything is measured in the box around what anybody labelled: the same numbers as of the
    whole scan, in a fraction of the time.

    Parameters
    ----------
    case : str
        Its name.
    readings : sequence of Reading
        Two or more on one grid; with a consensus one is enough.
    consensus : Reading, optional
        What each is compared with too.
    tolerance_mm : float
        Of the surface Dice.
    convention : str
        ``surfel`` or ``voxel``; see `napari_medlabel.measure.surface`.
    tick : callable
        Told how many pairs are done, of how many; it raises to end the work.

    Raises
    ------
    InputError
        When there is no pair.
    GeometryError
        When grids differ.
    """
    # By code: second less first is of the same two raters in every case.
    named = sorted(readings, key=lambda one: one.rater)
    if consensus is not None:
        named.append(replace(consensus, rater=CONSENSUS))
    grid = require_one_grid([one.labels for one in named])
    parts = _cropped(named, grid)
    pairs = list(combinations(range(len(named)), 2))
    rows: list[Row] = []
    marks: list[MarkRow] = []
    for done, (one, other) in enumerate(pairs):
        tick(done, len(pairs))
        who = (case, named[one].rater, named[other].rater)
        found = compare_masks(
            parts[one],
            parts[other],
            tolerance_mm=tolerance_mm,
            convention=convention,
            by="value",
        )
        rows += [_row(who, label, diagonal_mm(grid)) for label in found.labels]
        marks += _marks(who, named[one].landmarks, named[other].landmarks)
    tick(len(pairs), len(pairs))
    return Table(tuple(rows), tuple(marks), convention, tolerance_mm)


def joined(tables: Sequence[Table]) -> Table:
    """Return the tables of several cases as one; all by one convention."""
    return Table(
        tuple(row for table in tables for row in table.rows),
        tuple(mark for table in tables for mark in table.marks),
        tables[0].convention,
        tables[0].tolerance_mm,
    )


def per_case(rows: Sequence[Row], measure: str) -> dict[str, float]:
    """Return the mean of a measure in each case that counts: pairs of one case stay together.

    Parameters
    ----------
    rows : sequence of Row
        Of one label.
    measure : str
        Of `MEASURES`.
    """
    found: dict[str, list[float]] = {}
    for row in rows:
        if row.is_counted:
            found.setdefault(row.case, []).append(float(getattr(row, measure)))
    return {case: float(np.mean(values)) for case, values in found.items()}


def _cropped(readings: Sequence[Reading], grid: Grid) -> list[LabelMap]:
    masks = [one.labels for one in readings]
    box = union_box([mask.array for mask in masks], grid.affine.spacing_mm)
    if box is None:
        box = slice(0, 1), slice(0, 1), slice(0, 1)
    return [cropped(mask, box) for mask in masks]


def _row(who: tuple[str, str, str], one: LabelAgreement, far_mm: float) -> Row:
    value = one.pair.first if one.pair.first is not None else one.pair.second
    hd95, assd = one.hd95_mm, one.assd_mm
    if one.is_flagged:  # the crop's diagonal is not the scan's
        hd95 = assd = far_mm
    return Row(
        *who,
        int(value or 0),
        one.pair.name,
        one.status,
        *one.volumes_ml,
        one.dice,
        one.nsd,
        hd95,
        assd,
        one.is_tiny,
    )


def _marks(
    who: tuple[str, str, str], first: LandmarkSet | None, second: LandmarkSet | None
) -> list[MarkRow]:
    sets = {who[1]: first, who[2]: second}
    places = {
        rater: {mark.name: mark.point_ras for mark in (marks or ())}
        for rater, marks in sets.items()
    }
    names = list(dict.fromkeys(name for held in places.values() for name in held))
    rows = []
    for name in names:
        points = {rater: held.get(name) for rater, held in places.items()}
        missing = tuple(rater for rater, point in points.items() if point is None)
        if len(missing) == len(points):
            continue  # nobody placed it: there is nothing to compare
        mm = None
        if not missing:
            one, other = (np.array(point) for point in points.values())
            mm = float(np.linalg.norm(one - other))
        rows.append(MarkRow(*who, name, mm, missing))
    return rows
