"""Rounds of calibration: a manager begins one, its raters read the same cases, some pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from napari_medlabel.audit.disk import one_at_a_time
from napari_medlabel.errors import InputError
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.nifti.reading import load
from napari_medlabel.measure.agreement import compare_masks
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.project.cases.version import read_version
from napari_medlabel.project.layout import CONSENSUS, CaseId
from napari_medlabel.project.ontology.document import read_ontology
from napari_medlabel.project.reading.gold import Truth, gold_cases, read_truth, score_sheets
from napari_medlabel.project.reading.rounds import (
    RoundPlan,
    digest_of,
    read_rounds,
    rounds_file,
    write_rounds,
)
from napari_medlabel.project.settings import Thresholds
from napari_medlabel.session.study.readings import masks_of
from napari_medlabel.session.study.seat import Seat, look, require_role
from napari_medlabel.session.study.working import rules_now

_MOST_LETTERS = 8
Sheets = Mapping[int, LabelMap]
"""The masks of a reading, by layer."""


@dataclass(frozen=True)
class Standing:
    """How a rater stands in a round.

    Parameters
    ----------
    rater : str
        Code.
    read, of : int
        Cases read, of how many.
    passed : bool or None
        None while cases are missing, or nobody can be compared with.
    reasons : tuple of str
        Why not, each with its case; labels and numbers, no names.
    """

    rater: str
    read: int
    of: int
    passed: bool | None
    reasons: tuple[str, ...] = ()


def begin_round(
    seat: Seat,
    cases: Sequence[CaseId],
    raters: Sequence[str],
    thresholds: Thresholds | None = None,
) -> RoundPlan:
    """Begin a round: its cases come first in the lists of its raters.

    Parameters
    ----------
    cases : sequence of CaseId
        None of an earlier round: a case that was talked about is known.
    raters : sequence of str
        Codes of annotators.
    thresholds : Thresholds, optional
        What is enough; the study's if None.

    Raises
    ------
    RefusedError
        When who asks is no manager.
    InputError
        When the study lacks a case or a rater, or a case was in a round before.
    LogError, SaveError
        When log or file cannot be written.
    """
    require_role(seat, "manager")
    for code in raters:
        if "annotator" not in seat.settings.rater(code).roles:
            raise InputError("A rater of a round is an annotator.", hint="Choose another.")
    for case in cases:
        row = look(seat, case, seat.settings.slots[0]).row
        if len(row.slots) + len(raters) - len(seat.settings.slots) > _MOST_LETTERS:
            raise InputError(
                f"{case} would be read more than {_MOST_LETTERS} times.",
                hint="Make rounds of fewer raters.",
            )
    with one_at_a_time(seat.layout.own / ".project.lock"):
        before = read_rounds(seat.layout)
        if {case for one in before for case in one.cases} & set(cases):
            raise InputError(
                "Rounds of calibration have cases of their own.",
                hint="Choose cases that were not discussed in an earlier round.",
            )
        plan = RoundPlan(
            len(before) + 1,
            tuple(dict.fromkeys(cases)),
            tuple(sorted(set(raters))),
            thresholds or seat.settings.thresholds,
            rules_now(seat)[1],
        )
        _write(seat, before, (*before, plan))
    return plan


def end_round(seat: Seat, number: int) -> RoundPlan:
    """End a round: its cases are like any others again.

    Raises
    ------
    RefusedError
        When who asks is no manager.
    InputError
        When there is none of that number.
    """
    require_role(seat, "manager")
    with one_at_a_time(seat.layout.own / ".project.lock"):
        before = read_rounds(seat.layout)
        plan = replace(_of(before, number), is_open=False)
        after = tuple(plan if one.number == number else one for one in before)
        if after != before:
            _write(seat, before, after)
    return plan


def standings(seat: Seat, number: int) -> tuple[Standing, ...]:
    """Return how each rater of a round stands: against the truth where there is one.

    Elsewhere they are compared with the other raters of the round: with most of them a rater
    has to agree on each label.

    Raises
    ------
    RefusedError
        When who asks is no manager.
    InputError, GeometryError
        When there is no such round, or a version is not there as it was submitted.
    """
    require_role(seat, "manager")
    plan = _of(read_rounds(seat.layout), number)
    truths = set(gold_cases(seat.layout))
    read = dict.fromkeys(plan.raters, 0)
    said: dict[str, list[str]] = {code: [] for code in plan.raters}
    judged: set[str] = set()
    for case in plan.cases:
        grid = load(seat.layout.scan(case), hashes=False).grid
        masks = _masks(seat, case, plan, grid)
        for code in masks:
            read[code] += 1
        if case in truths:
            truth = read_truth(seat.layout, case, grid, read_ontology(seat.layout.ontology))
            truth = Truth(truth.masks)  # landmarks are not compared in a round
            found = {
                code: score_sheets(sheets, truth, plan.thresholds).reasons()
                for code, sheets in masks.items()
            }
        else:
            found = _among(masks, plan.thresholds)
        for code, reasons in found.items():
            judged.add(code)
            said[code] += [f"{case} {one}" for one in reasons]
    return tuple(
        Standing(
            code,
            read[code],
            len(plan.cases),
            not said[code] if read[code] == len(plan.cases) and code in judged else None,
            tuple(said[code]),
        )
        for code in plan.raters
    )


def _masks(seat: Seat, case: CaseId, plan: RoundPlan, grid: Grid) -> dict[str, Sheets]:
    """Return what each rater of a round submitted first of a case: masks of all layers."""
    at = look(seat, case, seat.settings.slots[0])
    found: dict[str, Sheets] = {}
    for slot, now in at.row.slots.items():
        code = seat.code_of(now.user)
        submits = [
            step
            for step in at.steps
            if (step.slot, step.action) == (slot, "submit")
            and seat.accounts.is_one(step.user, now.user)
        ]
        if slot == CONSENSUS or code not in plan.raters or code in found or not submits:
            continue
        first = min(submits, key=lambda step: step.number)
        version = read_version(seat.layout, code, case, first.version)
        found[code] = masks_of(seat.layout, version, grid)
    return found


def _among(masks: dict[str, Sheets], thresholds: Thresholds) -> dict[str, tuple[str, ...]]:
    """Return what of each reading most others do not agree with; nobody without others."""
    out: dict[str, tuple[str, ...]] = {}
    for code, mask in masks.items():
        others = [other for name, other in masks.items() if name != code]
        if not others:
            continue
        against = Counter(name for other in others for name in _apart(mask, other, thresholds))
        out[code] = tuple(
            f"{name}: {count} of {len(others)} others differ by more than is allowed."
            for name, count in sorted(against.items())
            if 2 * count > len(others)
        )
    return out


def _apart(first: Sheets, second: Sheets, thresholds: Thresholds) -> Iterator[str]:
    """Yield the names of labels, of all layers that both have, that differ by too much."""
    for layer in sorted(set(first) & set(second)):
        for one in compare_masks(first[layer], second[layer], by="value").labels:
            if one.status != "both" and not one.is_flagged:
                continue
            far = one.hd95_mm is None or one.hd95_mm > thresholds.hd95_mm
            if one.is_flagged or one.dice is None or one.dice < thresholds.dice or far:
                yield one.pair.name


def _of(rounds: Sequence[RoundPlan], number: int) -> RoundPlan:
    found = next((one for one in rounds if one.number == number), None)
    if found is None:
        raise InputError(
            "The study has no round of calibration of that number.",
            hint="See them with: medlabel project calibrate STUDY",
        )
    return found


def _write(seat: Seat, before: Sequence[RoundPlan], after: Sequence[RoundPlan]) -> None:
    detail = {"setting": "calibration", "new": digest_of(after)}
    if rounds_file(seat.layout).exists():
        detail["old"] = digest_of(before)
    seat.desk.log.append("study.rules", detail=detail)
    write_rounds(seat.layout, after)
