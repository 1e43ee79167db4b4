"""Which version of each case leaves: the consensus, or the one reading that counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from napari_medlabel.errors import InputError
from napari_medlabel.project.cases.record import CaseRecord, all_records
from napari_medlabel.project.cases.version import (
    Version,
    read_version,
    whole_digest,
    whole_versions,
)
from napari_medlabel.project.layout import CONSENSUS, CaseId
from napari_medlabel.project.work.fold import CaseRow, SlotState
from napari_medlabel.project.work.made_of import changed_since
from napari_medlabel.project.work.rulings import CLOCKS
from napari_medlabel.project.work.states import Action, named
from napari_medlabel.project.work.steps import Step
from napari_medlabel.project.work.wholes import Said, against, sidecars_of, told_of
from napari_medlabel.session.study.exporting.logbook import Told
from napari_medlabel.session.study.exporting.plan import Chosen, GateFinding
from napari_medlabel.session.study.exporting.wish import ExportWish
from napari_medlabel.session.study.readings import READY
from napari_medlabel.session.study.seat import Seat, worklist
from napari_medlabel.session.study.working import rules_now

_OF_REVIEW: Final[frozenset[Action]] = frozenset(
    {"begin_review", "approve", "reject", "correct", "unlock", "settle"}
)
_MAKES: Final[frozenset[Action]] = frozenset({"submit", "correct", "settle"})
_ANEW: Final = (
    " Make it anew, with a reason: medlabel project consensus STUDY CASE --rule RULE "
    "--reason CODE"
)


class _NotReadyError(Exception):
    """A case has nothing that may leave; the text says why."""


@dataclass(frozen=True)
class _Case:
    """A case that somebody wants."""

    record: CaseRecord
    row: CaseRow
    steps: tuple[Step, ...]


def choose(
    seat: Seat, wish: ExportWish, told: Told
) -> tuple[tuple[Chosen, ...], tuple[GateFinding, ...]]:
    """Choose a version of each case that is wanted.

    Parameters
    ----------
    seat : Seat
        Whose study.
    wish : ExportWish
        What is wanted.
    told : Told
        What the log tells.

    Returns
    -------
    chosen : tuple of Chosen
        By case.
    findings : tuple of GateFinding
        Of each case that has none, why.

    Raises
    ------
    InputError
        When the study has no such case, or a record cannot be read.
    """
    chosen, findings = [], []
    rules = rules_now(seat)
    for one in _wanted(seat, wish.cases):
        try:
            chosen.append(_choose(seat, wish, told, one, rules))
        except _NotReadyError as err:
            findings.append(GateFinding("review", str(err), one.record.case))
        except InputError as err:
            findings.append(GateFinding("review", err.message, one.record.case))
    return tuple(chosen), tuple(findings)


def _wanted(seat: Seat, cases: tuple[CaseId, ...]) -> Iterable[_Case]:
    rows = {row.content: row for row in worklist(seat).rows}
    steps = seat.reader.read()
    records = all_records(seat.layout)
    strange = set(cases) - {record.case for record in records}
    if strange:
        raise InputError(
            f"The study has no case {min(map(str, strange))}.",
            hint="See the names with: medlabel project status STUDY",
        )
    for record in records:
        if not cases or record.case in cases:
            own = tuple(one for one in steps if one.case == record.content)
            yield _Case(record, rows[record.content], own)


def _choose(
    seat: Seat, wish: ExportWish, told: Told, one: _Case, rules: tuple[str, str]
) -> Chosen:
    case, content = one.record.case, one.record.content
    # A reading that tests its reader, of a gold case or once more, never leaves.
    slots = seat.settings.slots
    readings = {slot: now for slot, now in one.row.slots.items() if slot in slots}
    counted = {slot: now for slot, now in readings.items() if now.state != "skipped"}
    if not counted:
        raise _NotReadyError("Its readings were skipped, with a reason.")
    raters = _readings(seat, case, counted) if wish.by_rater else ()
    made = [
        number
        for number in whole_versions(seat.layout, CONSENSUS, case)
        if any(number == known for known, _ in told.consensus.get(content, ()))
    ]
    known = {number for number, _ in told.consensus.get(content, ())}
    if known and max(known) not in made:
        raise _NotReadyError("Its last consensus, of which the log tells, is not there.")
    if made:
        version = read_version(seat.layout, CONSENSUS, case, made[-1])
        _require_consensus_stands(one, counted, version, told, rules)
        read = (_version(seat, case, now) for now in counted.values())
        for reading in (version, *read):
            _require_as_told(seat, one, reading, told)
        _require_made_of_these(seat, one, counted, version, told)
        own = tuple(step for step in one.steps if step.slot in (*counted, CONSENSUS))
        return Chosen(one.record, version, "consensus", _of_review(own), raters)
    if len(counted) > 1:
        raise _NotReadyError(f"It has {len(counted)} readings and no consensus of them.")
    slot, now = next(iter(counted.items()))
    if now.state not in wish.states:
        raise _NotReadyError(f"Its reading is {named(now.state)}.")
    if (now.ontology, now.guideline) != rules:
        raise _NotReadyError("It was read under an earlier ontology, or earlier guidelines.")
    own = tuple(step for step in one.steps if step.slot == slot)
    version = _version(seat, case, now)
    _require_as_told(seat, one, version, told)
    return Chosen(one.record, version, now.state, _of_review(own), raters)


def _require_as_told(seat: Seat, one: _Case, version: Version, told: Told) -> None:
    """Refuse a version that is not what was handed in, approved, signed, or agreed on."""
    layout, content = seat.layout, one.record.content
    wholes: dict[Said, frozenset[str]] = {**told_of(one.steps, seat.code_of, version)}
    if version.rater == CONSENSUS:
        wholes["agreed on"] = frozenset(told.agreed.get((content, version.number), ()))
    signed = frozenset(told.signed.get(version.content, ()))
    # A log of before tells of submissions by the first mask, which several may have; one that
    # is signed and still there is another's.
    if signed and not wholes["submitted"] and not signed <= sidecars_of(layout, version.case):
        wholes["signed"] = signed
    if words := against(layout, version, wholes):
        raise _NotReadyError(words)


def _require_consensus_stands(
    one: _Case,
    counted: dict[str, SlotState],
    version: Version,
    told: Told,
    rules: tuple[str, str],
) -> None:
    """Refuse a consensus that is not the one the log tells of, or that time has passed by."""
    if (version.number, version.content) not in told.consensus[one.record.content]:
        raise _NotReadyError("Its consensus is not the one that the log tells of.")
    if (version.pins.ontology, version.pins.guideline) != rules:
        raise _NotReadyError(
            "Its consensus was made under an earlier ontology, or earlier guidelines."
        )
    for slot, now in counted.items():
        if now.state not in READY:
            raise _NotReadyError(
                f"It has a consensus, and its reading {slot} is {named(now.state)}."
            )


def _require_made_of_these(
    seat: Seat, one: _Case, counted: dict[str, SlotState], version: Version, told: Told
) -> None:
    """Refuse a consensus that was made of other versions than count now.

    By steps and digests, where its line tells them: clocks of two computers order nothing. A
    line of before has its time alone; what lies too near to it may be earlier or later.
    """
    layout = seat.layout
    if of := told.made_of.get(whole_digest(layout, version)):
        steps = (replace(s, user=seat.code_of(s.user) or s.user) for s in one.steps)
        changed = set(changed_since(of, steps, counted))
        for slot in counted.keys() & of.keys():
            if whole_digest(layout, _version(seat, one.record.case, counted[slot])) != (
                of[slot].whole
            ):
                changed.add(slot)
        if changed:
            words = f"Its consensus was not made of what counts now: {_named(changed)}."
            raise _NotReadyError(words + _ANEW)
        return
    saved = datetime.fromisoformat(version.saved)
    made = [
        datetime.fromisoformat(step.time) - saved
        for step in one.steps
        if step.action in _MAKES and step.slot in counted
    ]
    if any(after > CLOCKS for after in made):
        raise _NotReadyError("A reading was changed after the consensus was made." + _ANEW)
    if any(after >= -CLOCKS for after in made):
        raise _NotReadyError(
            "Whether a reading was changed after the consensus cannot be told: the log of then "
            "has their times alone, and the clocks of two computers differ." + _ANEW
        )


def _named(slots: Iterable[str]) -> str:
    found = sorted(slots)
    return f"reading{'s' if len(found) > 1 else ''} {', '.join(found)}"


def _version(seat: Seat, case: CaseId, now: SlotState) -> Version:
    """Return the version that counts, when its file is the one that the log names."""
    maker = seat.code_of(now.maker)
    if not maker or not now.version:
        raise _NotReadyError("It was read by nobody whom the study knows.")
    version = read_version(seat.layout, maker, case, now.version)
    if version.content != now.content:
        raise _NotReadyError("Its mask is not the one that the log tells of.")
    return version


def _readings(seat: Seat, case: CaseId, counted: dict[str, SlotState]) -> tuple[Version, ...]:
    return tuple(_version(seat, case, now) for now in counted.values() if now.state in READY)


def _of_review(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    found = (step for step in steps if step.action in _OF_REVIEW)
    return tuple(sorted(found, key=lambda step: (step.slot, step.number)))
