"""Automation bias of a study's raters: how much of what tools proposed they left as it was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from napari_medlabel.errors import InputError
from napari_medlabel.io.nifti.reading import load
from napari_medlabel.project.agreement.bootstrap import Interval, mean_interval
from napari_medlabel.project.cases.version import (
    read_labels,
    read_provenance,
    read_version,
)
from napari_medlabel.project.layout import CONSENSUS
from napari_medlabel.project.ontology.document import read_ontology
from napari_medlabel.project.reading.provenance import Counts, count_origins
from napari_medlabel.project.work.fold import CaseRow
from napari_medlabel.project.work.steps import Step
from napari_medlabel.session.study.seat import Seat, require_role, worklist

Tick = Callable[[int, int], object]


@dataclass(frozen=True)
class BiasRow:
    """What one rater left of proposals, over all that they submitted first.

    Parameters
    ----------
    rater : str
        Code; no name.
    masks : int
        Readings of which it is known where their voxels come from.
    unknown : int
        Readings of which it is not.
    proposed : int
        Readings in which tools had proposed something.
    untouched : int
        Of these: nothing was changed in them.
    kept, edited : int
        Voxels proposed and left, and proposed and changed or taken away.
    share : float or None
        Mean over readings of the share of proposed voxels that were left; None without any.
    interval : Interval or None
        Of that mean, by bootstrap over cases.
    """

    rater: str
    masks: int
    unknown: int
    proposed: int
    untouched: int
    kept: int
    edited: int
    share: float | None
    interval: Interval | None


@dataclass
class _Tally:
    masks: int = 0
    unknown: int = 0
    untouched: int = 0
    kept: int = 0
    edited: int = 0
    shares: list[float] = field(default_factory=list)

    def add(self, counts: Counts) -> None:
        """Add a mask in which tools had proposed something."""
        if counts.kept_share is not None:
            self.shares.append(counts.kept_share)
            self.untouched += counts.assisted_edited == 0
            self.kept += counts.assisted_kept
            self.edited += counts.assisted_edited


def bias_report(seat: Seat, *, tick: Tick = lambda _done, _total: None) -> tuple[BiasRow, ...]:
    """Report for each rater what became of proposals, from the provenance of first readings.

    Parameters
    ----------
    tick : callable
        Told how many cases are done, of how many; it raises to end the work.

    Raises
    ------
    RefusedError
        When who asks is no manager: it is about people.
    InputError
        When a version is not there as it was submitted.
    """
    require_role(seat, "manager")
    tallies: dict[str, _Tally] = {}
    rows, steps = worklist(seat).rows, seat.reader.read()
    for done, row in enumerate(rows):
        tick(done, len(rows))
        own = [step for step in steps if step.case == row.content and step.action == "submit"]
        _add_case(seat, row, own, tallies)
    tick(len(rows), len(rows))
    if not tallies:
        raise InputError(
            "Nothing was submitted in this study yet.",
            hint="See where it stands: medlabel project status STUDY",
        )
    return tuple(
        _row(rater, tally, seat.settings.seed) for rater, tally in sorted(tallies.items())
    )


def _add_case(
    seat: Seat, row: CaseRow, submits: Sequence[Step], tallies: dict[str, _Tally]
) -> None:
    """Add the first submission of each reading of a case to its reader's tally."""
    layout, grid = seat.layout, None
    scheme = read_ontology(layout.ontology).scheme()
    for slot, now in row.slots.items():
        own = [
            one
            for one in submits
            if one.slot == slot and seat.accounts.is_one(one.user, now.user)
        ]
        rater = seat.code_of(now.user)
        if slot == CONSENSUS or not own or not rater:
            continue
        grid = grid or load(layout.scan(row.case), hashes=False).grid
        first = min(own, key=lambda step: step.number)
        version = read_version(layout, rater, row.case, first.version)
        tally = tallies.setdefault(rater, _Tally())
        for layer in (0, *sorted(version.sheets)):
            origins = read_provenance(layout, version, grid, layer)
            if origins is None:
                tally.unknown += 1
                continue
            labels = read_labels(layout, version, grid, scheme, layer).array
            tally.masks += 1
            tally.add(count_origins(labels, origins))


def _row(rater: str, tally: _Tally, seed: int) -> BiasRow:
    shares = tally.shares
    return BiasRow(
        rater,
        tally.masks,
        tally.unknown,
        len(shares),
        tally.untouched,
        tally.kept,
        tally.edited,
        sum(shares) / len(shares) if shares else None,
        mean_interval(shares, seed=seed) if shares else None,
    )
