"""Automation bias: how much of what tools propose a rater keeps unseen, and wrong ones caught.

A trap is a proposal that is wrong on purpose at a seeded place. A rater who looks takes it
away; who keeps it trusted the machine. Traps never get into a release: their cases are drawn
for the test, and what became of them is told by shares alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from napari_medlabel.edit.patch import Box
from napari_medlabel.edit.scene import around
from napari_medlabel.errors import InputError
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.project.reading.provenance import Counts, Map, count_origins

TrapKind = Literal["extra", "missing"]
CAUGHT: Final = 0.5
"""A trap is caught when at least this share of it was put right."""


@dataclass(frozen=True)
class Kept:
    """What a rater left of proposals.

    Parameters
    ----------
    rater : str
        Code.
    value : int
        The label; 0 for all together.
    masks : int
        In how many masks tools had proposed something.
    untouched : int
        In how many of these nothing was changed.
    counts : Counts
        Voxels.
    """

    rater: str
    value: int
    masks: int
    untouched: int
    counts: Counts


@dataclass(frozen=True, eq=False)
class Trap:
    """A wrong proposal.

    Parameters
    ----------
    value : int
        The label that it is about.
    kind : str
        ``extra``: it was put where it is not. ``missing``: a piece of it was taken away.
    box : tuple of slice
        Around the voxels (i, j, k).
    voxels : ndarray of bool, shape of the box
        Where the proposal is wrong.
    """

    value: int
    kind: TrapKind
    box: Box
    voxels: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Sprung:
    """What became of a trap.

    Parameters
    ----------
    value : int
        The label.
    kind : str
        ``extra`` or ``missing``.
    share : float
        Of its voxels, put right.
    """

    value: int
    kind: TrapKind
    share: float

    @property
    def is_caught(self) -> bool:
        """Whether the rater saw it."""
        return self.share >= CAUGHT


def kept_by(rater: str, masks: Sequence[tuple[npt.NDArray[Any], Map]]) -> tuple[Kept, ...]:
    """Report what a rater left of proposals: all labels together, then each.

    Parameters
    ----------
    rater : str
        Code.
    masks : sequence of (ndarray, ndarray)
        Labels and provenance map of each submitted mask, both (i, j, k).
    """
    values: set[int] = set()
    for labels, _ in masks:
        values |= set(np.unique(labels).tolist())
    rows = []
    for value in (0, *sorted(values - {0})):
        found = [count_origins(labels, prov, value or None) for labels, prov in masks]
        touched = [one for one in found if one.kept_share is not None]
        rows.append(
            Kept(
                rater,
                value,
                len(touched),
                sum(one.assisted_edited == 0 for one in touched),
                _total(found),
            )
        )
    return tuple(rows)


def _total(counts: Sequence[Counts]) -> Counts:
    names = Counts.__dataclass_fields__
    return Counts(*(sum(getattr(one, name) for one in counts) for name in names))


def set_trap(
    proposal: LabelMap, value: int, kind: TrapKind, *, seed: int, size_mm: float = 12.0
) -> tuple[LabelMap, Trap]:
    """Spoil a proposal at a seeded place.

    Parameters
    ----------
    proposal : LabelMap
        A good one; it is not changed.
    value : int
        The label to spoil.
    kind : str
        ``extra`` puts a ball of the label beside its edge, over background alone; ``missing``
        takes a ball out of it.
    seed : int
        The same seed spoils the same place.
    size_mm : float
        Diameter of the ball.

    Raises
    ------
    InputError
        When the label is not there, or there is no room for the trap.
    """
    array = proposal.array
    box = around(array == value)
    if box is None:
        raise InputError(
            "A trap is set on a label that the proposal has.", hint="Choose another label."
        )
    part = array[box] == value
    inside = np.argwhere(part) + [one.start for one in box]
    rng = np.random.default_rng(seed)
    wanted = 0 if kind == "extra" else value
    # An extra ball is centred on the edge: half of it lies outside.
    places = inside if kind == "missing" else inside[_is_edge(part)[part]]
    for centre in rng.permutation(places)[:50]:
        ball, voxels = _ball(centre, size_mm / 2.0, proposal)
        wrong = voxels & (array[ball] == wanted)
        if wrong.sum() >= 8:
            spoiled = array.copy(order="K")
            spoiled[ball][wrong] = value if kind == "extra" else 0
            made = LabelMap(proposal.grid, spoiled, proposal.scheme)
            return made, Trap(value, kind, ball, wrong)
    raise InputError(
        "There is no room for a trap of this size.", hint="Choose a larger or smaller one."
    )


def spring(trap: Trap, submitted: npt.NDArray[Any]) -> Sprung:
    """Tell what became of a trap.

    Parameters
    ----------
    trap : Trap
        As it was set.
    submitted : ndarray, shape (i, j, k)
        What the rater made of the proposal.
    """
    now = submitted[trap.box][trap.voxels]
    right = now != trap.value if trap.kind == "extra" else now == trap.value
    return Sprung(trap.value, trap.kind, float(right.mean()))


def _is_edge(region: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    padded = np.pad(region, 1)
    core = region.copy()
    for axis in range(3):
        for step in (-1, 1):
            core &= np.roll(padded, step, axis=axis)[1:-1, 1:-1, 1:-1]
    return region & ~core


def _ball(
    centre: npt.NDArray[np.intp], radius_mm: float, labels: LabelMap
) -> tuple[Box, npt.NDArray[np.bool_]]:
    spacing, shape = labels.grid.affine.spacing_mm, labels.grid.shape
    parts = []
    away: npt.NDArray[Any] = np.zeros((1, 1, 1))
    for axis, (at, mm, n) in enumerate(zip(centre.tolist(), spacing, shape, strict=True)):
        reach = int(radius_mm / mm)
        part = slice(max(at - reach, 0), min(at + reach + 1, n))
        line = (np.arange(part.start, part.stop) - at) * mm
        form = [1, 1, 1]
        form[axis] = -1
        away = away + line.reshape(form) ** 2
        parts.append(part)
    return (parts[0], parts[1], parts[2]), away <= radius_mm**2
