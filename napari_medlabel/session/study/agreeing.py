"""Readings of a case side by side: read for who may see them, and made into a consensus.

A consensus is a version of its own data set, written under the case's lock with its event
announced first: a crash in between is settled by whoever makes the next one of that case on the
same computer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from napari_medlabel.audit.format.event import Event, ObjectRef
from napari_medlabel.errors import RefusedError
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.model.landmarks import LandmarkSet
from napari_medlabel.model.volume import Volume
from napari_medlabel.project.agreement.adjudication import (
    Adjudication,
    origins_of,
    settle,
)
from napari_medlabel.project.agreement.consensus import agree_on
from napari_medlabel.project.agreement.decisions_document import (
    read_adjudication,
    write_adjudication,
)
from napari_medlabel.project.agreement.differences import Differences, find_differences
from napari_medlabel.project.agreement.landmarks import agreed_landmarks
from napari_medlabel.project.cases.record import CaseRecord
from napari_medlabel.project.cases.version import (
    Pins,
    Version,
    next_version,
    read_answers,
    read_labels,
    read_landmarks,
    read_provenance,
    read_version,
    whole_versions,
)
from napari_medlabel.project.cases.versions import Labelled, write_version
from napari_medlabel.project.layout import CONSENSUS, CaseId
from napari_medlabel.project.ontology.document import read_ontology
from napari_medlabel.project.work.fold import CaseRow
from napari_medlabel.project.work.states import State, named
from napari_medlabel.session.outbox import Outbox
from napari_medlabel.session.study.blind import require_may_see
from napari_medlabel.session.study.seat import Reading as At
from napari_medlabel.session.study.seat import Seat, at_reading, require_role
from napari_medlabel.session.study.serving import is_test
from napari_medlabel.session.study.working import rules_now

ADJUDICATE: Final = "adjudicate"
Way = Literal["adjudicate", "majority", "staple", "union", "intersection", "distance"]
_NOTHING_THERE: Final = "-"  # the outbox asks what is there; versions answer for themselves
READY: Final[frozenset[State]] = frozenset({"submitted", "in_review", "approved", "corrected"})
"""States of a reading that can enter a consensus."""


@dataclass(frozen=True, eq=False)
class SlotReading:
    """One reading of a case.

    Parameters
    ----------
    slot : str
        ``A`` to ``H``.
    rater : str
        Code of who read it.
    version : Version
        Whose mask it is: the reader's, or a reviewer's who corrected it.
    labels : LabelMap
        The mask.
    landmarks : LandmarkSet or None
        In RAS mm.
    answers : dict
        By question.
    provenance : ndarray of uint8 or None, shape (i, j, k)
        Where its voxels come from.
    """

    slot: str
    rater: str
    version: Version
    labels: LabelMap
    landmarks: LandmarkSet | None
    answers: dict[str, object]
    provenance: npt.NDArray[np.uint8] | None


@dataclass(frozen=True)
class Reached:
    """A consensus that was written.

    Parameters
    ----------
    version : Version
        In the data set of the consensus.
    way : str
        How.
    readings : int
        Of how many.
    open : int
        Differences without a decision, by adjudication.
    open_voxels : int
        Voxels without an answer.
    words : tuple of str
        Rule, box, and what to know.
    """

    version: Version
    way: Way
    readings: int
    open: int
    open_voxels: int
    words: tuple[str, ...]


def first_readings(seat: Seat, row: CaseRow, grid: Grid) -> tuple[SlotReading, ...]:
    """Return what each rater submitted first: before a review, or another's mask, was seen.

    Parameters
    ----------
    row : CaseRow
        The case.
    grid : Grid
        Of its scan.

    Raises
    ------
    RefusedError
        When it would end this rater's blindness.
    InputError, GeometryError
        When a version is not there as it was submitted.
    """
    found = []
    steps = [step for step in seat.reader.read() if step.case == row.content]
    for slot, now in row.slots.items():
        submits = [
            step
            for step in steps
            if step.slot == slot and step.action == "submit" and step.user == now.user
        ]
        if slot == CONSENSUS or not submits or is_test(seat.settings, slot):
            continue
        first = min(submits, key=lambda step: step.number)
        rater = seat.code_of(first.user)
        if rater:
            require_may_see(seat, row, rater)
            found.append(_read(seat, row.case, slot, (rater, rater, first.version), grid))
    return tuple(found)


def ready_readings(seat: Seat, row: CaseRow, grid: Grid) -> tuple[SlotReading, ...]:
    """Return the readings of a case as they count now, reviewers' corrections among them.

    Raises
    ------
    RefusedError
        When one of them is not submitted, or it would end this rater's blindness.
    InputError, GeometryError
        When a version is not there as it was submitted.
    """
    found = []
    for slot, now in row.slots.items():
        if slot == CONSENSUS or now.state == "skipped" or is_test(seat.settings, slot):
            continue
        if now.state not in READY:
            raise RefusedError(
                f"Reading {slot} of this case is {named(now.state)}: a consensus needs all.",
                hint="See where they stand: medlabel project status STUDY",
            )
        maker = seat.code_of(now.maker)
        require_may_see(seat, row, maker)
        key = (seat.code_of(now.user), maker, now.version)
        found.append(_read(seat, row.case, slot, key, grid))
    return tuple(found)


def _read(
    seat: Seat, case: CaseId, slot: str, key: tuple[str, str, int], grid: Grid
) -> SlotReading:
    (rater, maker, number), layout = key, seat.layout
    version = read_version(layout, maker, case, number)
    scheme = read_ontology(layout.ontology).scheme()
    return SlotReading(
        slot,
        rater,
        version,
        read_labels(layout, version, grid, scheme),
        read_landmarks(layout, version),
        read_answers(layout, version),
        read_provenance(layout, version, grid),
    )


def decisions_file(seat: Seat, case: CaseId) -> Path:
    """Return where this adjudicator's decisions on a case are kept."""
    return seat.layout.work(CONSENSUS, case) / f"adjudication-{seat.rater.code}.json"


def open_adjudication(
    seat: Seat, case: CaseId, readings: Sequence[SlotReading]
) -> tuple[Adjudication, Differences]:
    """Return this adjudicator's decisions on a case so far, and the differences.

    Raises
    ------
    RefusedError
        When they are no adjudicator, or a reading has changed since decisions were made.
    InputError
        When there are less than two readings.
    """
    require_role(seat, "adjudicator")
    differences = find_differences({one.slot: one.labels for one in readings})
    contents = {one.slot: one.version.content for one in readings}
    work = Adjudication(str(case), seat.rater.code, contents)
    path = decisions_file(seat, case)
    if path.is_file():
        work = read_adjudication(path, work)
    return work, differences


def save_decisions(seat: Seat, case: CaseId, work: Adjudication) -> None:
    """Keep decisions; they are this adjudicator's alone, and no event: nothing is settled yet.

    Raises
    ------
    SaveError
        When they cannot be written.
    """
    write_adjudication(decisions_file(seat, case), work)


def reach(seat: Seat, case: CaseId, way: Way, scan: Volume) -> Reached:
    """Make the consensus of a case and write it as a version, with its event.

    Parameters
    ----------
    way : str
        ``adjudicate``: by this adjudicator's decisions; else a rule of consensus.
    scan : Volume
        The study's scan, read with its hashes.

    Raises
    ------
    RefusedError
        When they are no adjudicator, a reading is missing, or two would be voted on.
    SaveError, LogError
        When files or log cannot be written.
    """
    require_role(seat, "adjudicator")
    ontology = read_ontology(seat.layout.ontology)
    pins = Pins(*rules_now(seat))
    with at_reading(seat, case, seat.settings.slots[0]) as at:
        outbox = _outbox(seat, at.record)
        _settle_left(seat, outbox, case)
        readings = ready_readings(seat, at.row, scan.grid)
        made, answer = _answer(seat, case, way, readings)
        number = next_version(seat.layout, CONSENSUS, case)
        event = _event(at, made, answer, number, way)
        key = f"{number} {made.labels.content_id()}"
        parcel = outbox.announce([event], old="", new=key)
        try:
            version = write_version(
                seat.layout,
                CONSENSUS,
                case,
                number,
                made,
                scan=scan,
                ontology=ontology,
                pins=pins,
                time=seat.desk.time(),
            )
        except BaseException:  # even an interrupt: what was announced did not happen
            parcel.remove()
            raise
        problem = outbox.deliver(parcel)
        outbox.close()
        if problem is not None:
            raise problem
    return Reached(version, way, len(readings), answer.open, answer.open_voxels, answer.words)


@dataclass(frozen=True)
class _Answer:
    components: int
    open: int
    open_voxels: int
    words: tuple[str, ...]


def _answer(
    seat: Seat, case: CaseId, way: Way, readings: Sequence[SlotReading]
) -> tuple[Labelled, _Answer]:
    """Return what the readings become, and what is to be said of it."""
    masks = {one.slot: one.labels for one in readings}
    origins = [one.provenance for one in readings]
    work = None
    if way == ADJUDICATE:
        work, differences = open_adjudication(seat, case, readings)
        chosen = {work.choice(one) for one in differences.found}
        staple = agree_on(masks, "staple").labels.array if "staple" in chosen else None
        scheme = read_ontology(seat.layout.ontology).scheme()
        done = settle(work, differences, scheme, provenances=origins, staple=staple)
        labels, unresolved, origin, still = (
            done.labels, done.unresolved, done.provenance, done.open,
        )  # fmt: skip
        words: tuple[str, ...] = ("Adjudication: a person decided each difference.",)
    else:
        made = agree_on(masks, way)
        differences, still, words = find_differences(masks), 0, made.words
        labels, unresolved = made.labels, made.unresolved
        origin = origins_of(differences, labels.array, unresolved, origins)
    landmarks, said = agreed_landmarks(
        [one.landmarks for one in readings],
        seat.settings.thresholds.landmark_mm,
        names=list(masks),
        decided={} if work is None else work.marks,
    )
    answers = agreed_answers(readings, {} if work is None else work.answers)
    labelled = Labelled(labels, landmarks, answers or None, origin)
    count = int(np.count_nonzero(unresolved))
    return labelled, _Answer(len(differences.found), still, count, (*words, *said))


def agreed_answers(
    readings: Sequence[SlotReading], decided: Mapping[str, str]
) -> dict[str, object]:
    """Return the answers that all gave alike, and those that a person took from a reading.

    Parameters
    ----------
    readings : sequence of SlotReading
        Of the case.
    decided : mapping of str to str
        Question -> name of the reading; others that differ are left open.
    """
    by_slot = {one.slot: one.answers for one in readings}
    first, *others = by_slot.values()
    agreed = {
        question: answer
        for question, answer in first.items()
        if all(question in one and one[question] == answer for one in others)
    }
    for question, slot in decided.items():
        given = by_slot.get(slot, {})
        if question in given:
            agreed[question] = given[question]
        else:
            agreed.pop(question, None)  # whose reading was taken did not answer it
    return agreed


def differing_answers(readings: Sequence[SlotReading]) -> tuple[str, ...]:
    """Return the questions that were not answered alike by all."""
    asked = dict.fromkeys(question for one in readings for question in one.answers)
    same = agreed_answers(readings, {})
    return tuple(question for question in asked if question not in same)


def _event(at: At, made: Labelled, answer: _Answer, number: int, way: Way) -> Event:
    readings = [slot for slot, now in at.row.slots.items() if now.state in READY]
    detail = {
        "case": at.record.content,
        "rule": way,
        "readings": len([slot for slot in readings if slot != CONSENSUS]),
        "components": answer.components,
        "open": answer.open,
        "version": number,
    }
    refs = (ObjectRef(made.labels.content_id(), "new", "mask"),)
    return Event("study.consensus", (at.record.subject,), refs, detail)


def _outbox(seat: Seat, record: CaseRecord) -> Outbox:
    place = hashlib.sha256(str(seat.layout.root.resolve()).encode()).hexdigest()[:16]
    folder = seat.desk.state / "study" / place / CONSENSUS
    return Outbox(folder, record.content, seat.desk.log)


def _settle_left(seat: Seat, outbox: Outbox, case: CaseId) -> None:
    """Tell the log of a consensus that was written when a crash came, and forget the others."""

    def is_written(key: str) -> bool:
        number, content = key.split(" ")
        if int(number) not in whole_versions(seat.layout, CONSENSUS, case):
            return False
        return read_version(seat.layout, CONSENSUS, case, int(number)).content == content

    outbox.settle(_NOTHING_THERE, is_written)
