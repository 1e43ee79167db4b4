"""Readings of a case side by side: read for who may see them, and made into a consensus.

A consensus is a version of its own data set, written under the case's lock with its event
announced first: a crash in between is settled by whoever makes the next one of that case on the
same computer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

import numpy as np

from napari_medlabel.audit.format.event import Event, ObjectRef, Reason
from napari_medlabel.model.volume import Volume
from napari_medlabel.project.agreement.adjudication import Adjudication, origins_of, settle
from napari_medlabel.project.agreement.answers import is_alike
from napari_medlabel.project.agreement.boxes import agreed_boxes
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
    read_version,
    whole_digest,
    whole_versions,
)
from napari_medlabel.project.cases.versions import Labelled, Sheet, write_version
from napari_medlabel.project.layout import CONSENSUS, CaseId, require_there
from napari_medlabel.project.ontology.document import read_ontology
from napari_medlabel.project.work.made_of import FIELD, MadeOf
from napari_medlabel.project.work.wholes import require_as_told, told_of
from napari_medlabel.session.outbox import Outbox
from napari_medlabel.session.study.delivering import deliver_written
from napari_medlabel.session.study.independence import has_read, require_independent
from napari_medlabel.session.study.readings import (
    SlotReading,
    layers_of,
    ready_readings,
)
from napari_medlabel.session.study.seat import Reading as At
from napari_medlabel.session.study.seat import (
    Seat,
    at_reading,
    look,
    require_reason,
    require_role,
)
from napari_medlabel.session.study.settled_before import (
    is_same,
    require_reason_to_replace,
    settled_before,
)
from napari_medlabel.session.study.working import rules_now

ADJUDICATE: Final = "adjudicate"
Way = Literal["adjudicate", "majority", "staple", "union", "intersection", "distance"]
_NOTHING_THERE: Final = "-"  # the outbox asks what is there; versions answer for themselves


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


def decisions_file(seat: Seat, case: CaseId, layer: int = 0) -> Path:
    """Return where this adjudicator's decisions on a layer of a case are kept."""
    further = f"-l{layer}" if layer else ""
    name = f"adjudication-{seat.rater.code}{further}.json"
    return seat.layout.work(CONSENSUS, case) / name


def open_adjudication(
    seat: Seat, case: CaseId, readings: Sequence[SlotReading], layer: int = 0
) -> tuple[Adjudication, Differences]:
    """Return this adjudicator's decisions on a case so far, and the differences.

    Parameters
    ----------
    readings : sequence of SlotReading
        Of the case.
    layer : int
        Which layer of the ontology: each has differences, and decisions, of its own.

    Raises
    ------
    RefusedError
        When they are no adjudicator or have read the case and may not settle it, or a reading
        has changed since decisions were made.
    InputError
        When there are less than two readings, or one has no mask of the layer.
    """
    require_role(seat, "adjudicator")
    require_independent(seat, look(seat, case, seat.settings.slots[0]).steps)
    own = [one.on(layer) for one in readings]
    differences = find_differences({one.slot: one.labels for one in own})
    contents = {one.slot: one.content for one in own}
    work = Adjudication(str(case), seat.rater.code, contents, layer=layer)
    path = decisions_file(seat, case, layer)
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
    require_there(seat.layout)
    write_adjudication(decisions_file(seat, case, work.layer), work)


def reach(seat: Seat, case: CaseId, way: Way, scan: Volume, *, reason: str = "") -> Reached:
    """Make the consensus of a case and write it as a version, with its event.

    Labels of each layer of the ontology are agreed on by themselves: they may overlap others.

    Parameters
    ----------
    way : str
        ``adjudicate``: by this adjudicator's decisions; else a rule of consensus.
    scan : Volume
        The study's scan, read with its hashes.
    reason : str
        A code: why another takes the place of a settled one. What is the same, by the same
        rule, is no new version.

    Raises
    ------
    SettledError
        When a consensus is settled, and no reason came.
    RefusedError
        When they are no adjudicator or have read the case and may not settle it, a reading is
        missing, or two would be voted on.
    InputError
        When the reason is none, or a reading is not there as it was submitted and approved.
    SaveError, LogError
        When files or log cannot be written.
    """
    require_role(seat, "adjudicator")
    ontology = read_ontology(seat.layout.ontology)
    pins = Pins(*rules_now(seat))
    with at_reading(seat, case, seat.settings.slots[0]) as at:
        asked = require_independent(seat, at.steps, way)
        outbox = _outbox(seat, at.record)
        _settle_left(seat, outbox, case)
        readings = ready_readings(seat, at.row, scan.grid)
        for one in readings:
            told_before = told_of(at.steps, seat.code_of, one.version)
            require_as_told(seat.layout, one.version, told_before)
        made, answer = _answer(seat, case, way, readings)
        before = settled_before(seat, at.record)
        of = _made_of(seat, at, readings)
        # A line of before tells of no readings: whoever gives a reason has it told anew.
        stands = before is not None and before.is_made_of(of, asked_anew=bool(reason))
        if before is not None and stands and is_same(seat, before, way, made, pins, scan):
            outbox.close()
            return _reached(before.version, way, len(readings), answer)
        if before is not None:
            require_reason_to_replace(seat, before, way, reason)
        number = next_version(seat.layout, CONSENSUS, case)
        told: dict[str, object] = {"rule": way, "adjudicator": asked, "readings": len(readings)}
        told[FIELD] = [one.detail() for one in of]
        if has_read(seat, at.steps):
            told["has_read"] = True  # also by what was saved and never submitted
        event = _event(at, made, answer, number, told)
        if before is not None and reason:
            event = replace(event, reason=Reason(require_reason(reason)))
        key = f"{number} {made.labels.content_id()}"

        def write(announce: Callable[[str], object]) -> None:
            write_version(
                seat.layout,
                CONSENSUS,
                case,
                number,
                made,
                scan=scan,
                ontology=ontology,
                pins=pins,
                time=seat.desk.time(),
                announce=announce,
            )

        deliver_written(outbox, event, key, write)
        version = read_version(seat.layout, CONSENSUS, case, number)
    return _reached(version, way, len(readings), answer)


@dataclass(frozen=True)
class _Answer:
    components: int = 0
    open: int = 0
    open_voxels: int = 0
    words: tuple[str, ...] = ()

    def with_layer(self, layer: int, other: _Answer, names: str) -> _Answer:
        """Return it with what is to be said of a further layer."""
        words = tuple(f"{names}: {one}" if layer else one for one in other.words)
        return _Answer(
            self.components + other.components,
            self.open + other.open,
            self.open_voxels + other.open_voxels,
            (*self.words, *words),
        )


def _reached(version: Version, way: Way, readings: int, answer: _Answer) -> Reached:
    return Reached(version, way, readings, answer.open, answer.open_voxels, answer.words)


def _answer(
    seat: Seat, case: CaseId, way: Way, readings: Sequence[SlotReading]
) -> tuple[Labelled, _Answer]:
    """Return what the readings become, and what is to be said of it."""
    ontology = read_ontology(seat.layout.ontology)
    sheets: dict[int, Sheet] = {}
    answer, work = _Answer(), None
    for layer in layers_of(readings):
        own = [one.on(layer) for one in readings]
        sheets[layer], said, decided = _on_layer(seat, case, way, own)
        names = ", ".join(one.name for one in ontology.scheme(layer).labels)
        answer = answer.with_layer(layer, said, names)
        work = work or decided
    first = sheets.pop(0)
    landmarks, words = agreed_landmarks(
        [one.landmarks for one in readings],
        seat.settings.thresholds.landmark_mm,
        names=[one.slot for one in readings],
        decided={} if work is None else work.marks,
    )
    answers = agreed_answers(readings, {} if work is None else work.answers)
    boxes, of_boxes = agreed_boxes({one.slot: one.boxes for one in readings})
    labelled = Labelled(
        first.labels, landmarks, answers or None, first.provenance, boxes, sheets
    )
    return labelled, replace(answer, words=(*answer.words, *words, *of_boxes))


def _on_layer(
    seat: Seat, case: CaseId, way: Way, readings: Sequence[SlotReading]
) -> tuple[Sheet, _Answer, Adjudication | None]:
    """Return what the masks of one layer become, and by which decisions."""
    masks = {one.slot: one.labels for one in readings}
    origins = [one.provenance for one in readings]
    if way == ADJUDICATE:
        layer = readings[0].layer
        work, differences = open_adjudication(seat, case, readings, layer)
        chosen = {work.choice(one) for one in differences.found}
        staple = agree_on(masks, "staple").labels.array if "staple" in chosen else None
        scheme = read_ontology(seat.layout.ontology).scheme(layer)
        done = settle(work, differences, scheme, provenances=origins, staple=staple)
        count = int(np.count_nonzero(done.unresolved))
        words = ("Adjudication: a person decided each difference.",)
        answer = _Answer(len(differences.found), done.open, count, words)
        return Sheet(done.labels, done.provenance), answer, work
    made = agree_on(masks, way)
    differences = find_differences(masks)
    origin = origins_of(differences, made.labels.array, made.unresolved, origins)
    answer = _Answer(len(differences.found), 0, made.open_voxels, made.words)
    return Sheet(made.labels, origin), answer, None


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
        if all(question in one and is_alike(one[question], answer) for one in others)
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


def _event(
    at: At, made: Labelled, answer: _Answer, number: int, told: Mapping[str, object]
) -> Event:
    detail = {
        "case": at.record.content,
        **told,
        "components": answer.components,
        "open": answer.open,
        "version": number,
    }
    masks = (made.labels, *(one.labels for _, one in sorted(made.sheets.items())))
    refs = tuple(ObjectRef(one.content_id(), "new", "mask") for one in masks)
    return Event("study.consensus", (at.record.subject,), refs, detail)


def _made_of(seat: Seat, at: At, readings: Sequence[SlotReading]) -> tuple[MadeOf, ...]:
    """Return what a consensus is made of, as its line tells it: no clock is asked later."""
    return tuple(
        MadeOf(
            one.slot,
            at.row.slots[one.slot].steps,
            one.version.content,
            whole_digest(seat.layout, one.version),
        )
        for one in readings
    )


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
