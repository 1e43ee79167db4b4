"""A case in dispute: opened for its adjudicator, with its readings and where they differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy.typing as npt

from napari_medlabel.geometry.grid import Grid
from napari_medlabel.model.landmarks import LandmarkSet
from napari_medlabel.project.agreement.adjudication import Adjudication, settle
from napari_medlabel.project.agreement.consensus import agree_on
from napari_medlabel.project.agreement.differences import Differences
from napari_medlabel.project.cases.version import whole_versions
from napari_medlabel.project.layout import CONSENSUS, CaseId
from napari_medlabel.project.ontology.document import read_ontology
from napari_medlabel.project.work.fold import Worklist
from napari_medlabel.session.opening import Wishes
from napari_medlabel.session.study.agreeing import open_adjudication
from napari_medlabel.session.study.blind import ADJUDICATION
from napari_medlabel.session.study.folders import open_folder
from napari_medlabel.session.study.independence import (
    require_independent,
    why_not_independent,
)
from napari_medlabel.session.study.opening import Opening, require_layer, titled
from napari_medlabel.session.study.readings import READY, SlotReading, ready_readings
from napari_medlabel.session.study.seat import Seat, look, require_role, worklist
from napari_medlabel.session.study.serving import is_test
from napari_medlabel.session.study.sheets import sheet_folder

FOLDER: Final = ADJUDICATION
Tick = Callable[[int, int], object]


def open_to_adjudicate(seat: Seat, case: CaseId, _slot: str = "", sheet: int = 0) -> Opening:
    """Return how to open a case for its adjudicator; `prepare` then says what stands there.

    Parameters
    ----------
    sheet : int
        Which layer of the ontology: each is adjudicated by itself, the consensus takes all.

    Raises
    ------
    RefusedError
        When they are no adjudicator, or have read the case and may not settle it.
    InputError
        When the ontology has no labels on that layer.
    SaveError
        When the folder cannot be made.
    """
    require_role(seat, "adjudicator")
    at = look(seat, case, seat.settings.slots[0])
    require_independent(seat, at.steps)
    ontology = read_ontology(seat.layout.ontology)
    require_layer(ontology, sheet)
    place = sheet_folder(seat.layout.work(seat.rater.code, case) / FOLDER, sheet)
    marks = LandmarkSet() if sheet else ontology.landmarks
    wishes = Wishes(
        scheme=ontology.scheme(sheet),
        template=marks,
        folder=open_folder(place),
        modality=at.record.modality,
    )
    title = titled(f"{case} adjudication", sheet)
    return Opening((seat.layout.scan(case),), wishes, title)


@dataclass(frozen=True, eq=False)
class Prepared:
    """What an adjudication begins with.

    Parameters
    ----------
    readings : tuple of SlotReading
        As they count now.
    work : Adjudication
        The decisions so far.
    differences : Differences
        Of the masks.
    answer : ndarray, shape (i, j, k)
        Labels that the decisions come to.
    staple : ndarray, shape (i, j, k), or None
        The consensus by STAPLE, where a decision asks for it.
    """

    readings: tuple[SlotReading, ...]
    work: Adjudication
    differences: Differences
    answer: npt.NDArray[Any]
    staple: npt.NDArray[Any] | None


def prepare(
    seat: Seat,
    case: CaseId,
    grid: Grid,
    tick: Tick = lambda _done, _total: None,
    sheet: int = 0,
) -> Prepared:
    """Read the readings of a case, find where they differ, and what was decided.

    Parameters
    ----------
    grid : Grid
        Of the scan.
    tick : callable
        Told how many of three steps are done; it raises to end the work.
    sheet : int
        Which layer of the ontology; landmarks and answers go with the first.

    Raises
    ------
    RefusedError
        When a reading is missing or changed since, or it would end this rater's blindness.
    InputError, GeometryError
        When there are less than two, or a version is not there as it was submitted.
    """
    tick(0, 3)
    row = look(seat, case, seat.settings.slots[0]).row
    readings = tuple(one.on(sheet) for one in ready_readings(seat, row, grid))
    tick(1, 3)
    work, differences = open_adjudication(seat, case, readings, sheet)
    tick(2, 3)
    staple = None
    if "staple" in {work.choice(one) for one in differences.found}:
        staple = staple_of(readings)
    done = settle(work, differences, readings[0].labels.scheme, staple=staple)
    tick(3, 3)
    return Prepared(readings, work, differences, done.labels.array, staple)


def staple_of(readings: Sequence[SlotReading]) -> npt.NDArray[Any]:
    """Return the consensus of all readings by STAPLE, shape (i, j, k); it takes a while.

    Raises
    ------
    RefusedError
        When there are less than three.
    """
    return agree_on({one.slot: one.labels for one in readings}, "staple").labels.array


@dataclass(frozen=True)
class Ready:
    """A case that can be adjudicated.

    Parameters
    ----------
    case : CaseId
        Which.
    readings : int
        How many there are.
    versions : int
        How many versions of the consensus were written.
    why_not : str
        Why this person may not settle it: they have read it; empty where they may.
    """

    case: CaseId
    readings: int
    versions: int
    why_not: str = ""


def ready_cases(seat: Seat) -> tuple[Ready, ...]:
    """Return the cases whose readings are all there, two or more, by name.

    Raises
    ------
    InputError
        When a case's record cannot be read.
    """
    return ready_among(seat, worklist(seat))


def ready_among(seat: Seat, listed: Worklist) -> tuple[Ready, ...]:
    """Return what `ready_cases` does, of a worklist that was folded already."""
    out = []
    why_not = why_not_independent(seat)
    for row in listed.rows:
        slots = [
            now
            for slot, now in row.slots.items()
            if slot != CONSENSUS and not is_test(seat.settings, slot)
        ]
        held = [now for now in slots if now.state in READY]
        if len(held) < 2 or any(now.state not in (*READY, "skipped") for now in slots):
            continue
        versions = whole_versions(seat.layout, CONSENSUS, row.case)
        out.append(Ready(row.case, len(held), len(versions), why_not(row.content)))
    return tuple(out)
