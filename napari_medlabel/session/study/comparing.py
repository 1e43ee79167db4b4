"""All readings of a study side by side, for who may see them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.io.nifti.reading import load
from napari_medlabel.measure.surface import Convention
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.model.landmarks import LandmarkSet
from napari_medlabel.project.agreement.consensus import Performance, agree_on
from napari_medlabel.project.agreement.staple import LEAST_RATERS
from napari_medlabel.project.agreement.table import (
    Reading,
    Table,
    compare_readings,
    joined,
)
from napari_medlabel.project.cases.version import (
    read_landmarks,
    read_version,
    whole_versions,
)
from napari_medlabel.project.layout import CONSENSUS
from napari_medlabel.project.reading.repeats import AGAIN
from napari_medlabel.project.work.fold import CaseRow
from napari_medlabel.session.study.readings import (
    SlotReading,
    first_readings,
    layers_of,
    masks_of,
    read_twice,
    ready_readings,
)
from napari_medlabel.session.study.seat import Seat, require_role, worklist
from napari_medlabel.session.study.serving import is_test

_NO_LAYER: Final = "with a reading from before the ontology had labels on one of its layers"
Tick = Callable[[int, int], object]
Answers = Mapping[str, Mapping[str, Mapping[str, object]]]


@dataclass(frozen=True)
class Compared:
    """What came of a study.

    Parameters
    ----------
    table : Table
        All pairs of all cases, and each reading against the consensus where there is one.
    answers : mapping
        Case -> rater -> question -> answer.
    cases : int
        In the study.
    left_out : mapping of str to int
        How many cases were not compared, by why.
    performances : tuple of (str, Performance)
        Case, and what STAPLE says of a rater there; of cases with three readings, where asked.
    repeats : int or None
        How many second readings of a case by the same rater the log has; None where it was not
        asked.
    """

    table: Table
    answers: Answers
    cases: int
    left_out: Mapping[str, int]
    performances: tuple[tuple[str, Performance], ...] = ()
    repeats: int | None = None


def compare_study(
    seat: Seat,
    *,
    is_first: bool = True,
    convention: Convention = "surfel",
    with_staple: bool = False,
    tick: Tick = lambda _done, _total: None,
) -> Compared:
    """Compare the readings of all cases that two raters or more have submitted.

    Parameters
    ----------
    is_first : bool
        What each submitted first, before any review; else what counts now.
    convention : str
        ``surfel`` or ``voxel``.
    with_staple : bool
        Whether raters are judged by STAPLE too, where a case has three readings or more.
    tick : callable
        Told how many cases are done, of how many; it raises to end the work.

    Raises
    ------
    RefusedError
        When the rater has no role that may see the readings of others.
    InputError
        When no case can be compared, or a version is not there as it was submitted.
    """
    require_role(seat, "reviewer", "adjudicator", "releaser", "manager")
    rows = worklist(seat).rows
    left: Counter[str] = Counter()
    tables: list[Table] = []
    answers: dict[str, dict[str, dict[str, object]]] = {}
    performances: list[tuple[str, Performance]] = []
    for done, row in enumerate(rows):
        tick(done, len(rows))
        try:
            found = _readings(seat, row, is_first=is_first)
        except RefusedError:
            left["with a reading that is open, or that you are blind to"] += 1
            continue
        if found is None:
            left["with less than two readings"] += 1
            continue
        answers[str(row.case)] = {one.rater: dict(one.answers) for one in found.readings}
        for layer in layers_of(found.readings):
            readings = found.on(layer)
            if readings is None:
                left[_NO_LAYER] += 1
                continue
            tables.append(
                compare_readings(
                    str(row.case),
                    readings,
                    consensus=found.consensus_on(layer),
                    tolerance_mm=seat.settings.thresholds.tolerance_mm,
                    convention=convention,
                )
            )
            if with_staple and len(readings) >= LEAST_RATERS:
                judged = agree_on({one.rater: one.labels for one in readings}, "staple")
                performances += [(str(row.case), one) for one in judged.performance]
    tick(len(rows), len(rows))
    if not tables:
        raise InputError(
            "No case of this study has two readings to compare yet.",
            hint="See in the list where they stand, or: medlabel project status STUDY",
        )
    again = sum(len(read_twice(seat, row)) for row in rows)
    return Compared(joined(tables), answers, len(rows), dict(left), tuple(performances), again)


def sees_codes(seat: Seat) -> bool:
    """Tell whether a rater may see whose reading is whose."""
    return bool(set(seat.rater.roles) & {"manager", "releaser"})


def for_eyes_of(seat: Seat, found: Compared) -> Compared:
    """Return a comparison as who sits there may see it: with codes, or `veiled`."""
    return found if sees_codes(seat) else veiled(found, seat.settings.seed)


def veiled(found: Compared, seed: int) -> Compared:
    """Return a comparison in which raters are R1, R2, ... in an order that says nothing.

    Parameters
    ----------
    found : Compared
        With codes.
    seed : int
        Of the order.
    """
    known = {*found.table.raters, *(r for held in found.answers.values() for r in held)}
    codes = sorted({code.removesuffix(AGAIN) for code in known})
    random.Random(f"{seed} veil").shuffle(codes)  # noqa: S311 - an order, no secret
    names = {code: f"R{at}" for at, code in enumerate(codes, start=1)}

    def name(code: str) -> str:
        first = code.removesuffix(AGAIN)
        return names.get(first, first) + code[len(first) :]

    rows = tuple(
        replace(row, first=name(row.first), second=name(row.second)) for row in found.table.rows
    )
    marks = tuple(
        replace(
            mark,
            first=name(mark.first),
            second=name(mark.second),
            missing=tuple(map(name, mark.missing)),
        )
        for mark in found.table.marks
    )
    answers = {
        case: dict(sorted((name(code), given) for code, given in held.items()))
        for case, held in found.answers.items()
    }
    judged = tuple(
        (case, replace(one, rater=name(one.rater))) for case, one in found.performances
    )
    table = replace(found.table, rows=rows, marks=marks)
    return replace(found, table=table, answers=answers, performances=judged)


@dataclass(frozen=True, eq=False)
class _Case:
    """What a case has: its readings, and the masks of its consensus by layer."""

    readings: tuple[SlotReading, ...]
    consensus: Mapping[int, LabelMap]
    marks: LandmarkSet | None

    def on(self, layer: int) -> list[Reading] | None:
        """Return the readings of a layer; None where one was made before it was there."""
        if any(layer and layer not in one.sheets for one in self.readings):
            return None
        own = [one.on(layer) for one in self.readings]
        return [Reading(one.rater, one.labels, one.landmarks, one.answers) for one in own]

    def consensus_on(self, layer: int) -> Reading | None:
        if layer not in self.consensus:
            return None
        return Reading(CONSENSUS, self.consensus[layer], None if layer else self.marks)


def _readings(seat: Seat, row: CaseRow, *, is_first: bool) -> _Case | None:
    """Return a case's readings and its consensus; None where there are less than two."""
    submitted = [
        slot
        for slot, now in row.slots.items()
        if now.rounds and slot != CONSENSUS and not is_test(seat.settings, slot)
    ]
    if len(submitted) < 2:
        return None
    grid = load(seat.layout.scan(row.case), hashes=False).grid
    found = (first_readings if is_first else ready_readings)(seat, row, grid)
    if len(found) < 2:
        return None
    numbers = whole_versions(seat.layout, CONSENSUS, row.case)
    if not numbers:
        return _Case(found, {}, None)
    version = read_version(seat.layout, CONSENSUS, row.case, numbers[-1])
    masks = masks_of(seat.layout, version, grid)
    return _Case(found, masks, read_landmarks(seat.layout, version))
