"""Scoring a submitted reading of a gold case against the truth, once, with its event."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from napari_medlabel.audit.check.session_check import check_session
from napari_medlabel.audit.check.verify import session_paths
from napari_medlabel.audit.format.event import Event
from napari_medlabel.errors import InputError
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.nifti.reading import load
from napari_medlabel.project.cases.version import read_landmarks, read_version
from napari_medlabel.project.layout import CaseId
from napari_medlabel.project.ontology.document import read_ontology
from napari_medlabel.project.reading.gold import (
    GoldScore,
    gold_cases,
    read_truth,
    score_sheets,
    truth_files,
)
from napari_medlabel.project.reading.truths import require_unchanged
from napari_medlabel.project.work.steps import Step
from napari_medlabel.session.study.readings import masks_of
from napari_medlabel.session.study.seat import (
    Reading,
    Seat,
    at_reading,
    look,
    require_role,
    take_step,
    worklist,
)

_SCORED: Final = b'"study.gold"'


def is_gold(seat: Seat, case: CaseId) -> bool:
    """Tell whether the study has the truth of a case; nothing in a list shows it.

    A truth that this account has no right to read is none for it: a manager scores then.
    """
    try:
        path = truth_files(seat.layout, case)[0]
        with path.open("rb"):
            return True
    except OSError:
        return False


def score_at_once(
    seat: Seat, case: CaseId, slot: str, grid: Grid, at: Reading | None = None
) -> GoldScore | None:
    """Score what was just submitted where the case is a gold one, and tell who may know.

    What was scored before is not scored again. A truth that cannot be read hinders nobody from
    submitting: `score_waiting` finds the reading.

    Parameters
    ----------
    grid : Grid
        Of the case's scan.
    at : Reading, optional
        As it stands, where the caller holds the case's lock.

    Returns
    -------
    GoldScore or None
        None for any other case, and where the study does not tell its readers.

    Raises
    ------
    LogError
        When the log cannot be written; submitting the same again scores it then.
    """
    if not is_gold(seat, case):
        return None
    now = look(seat, case, slot) if at is None else at
    try:
        found = _found(seat, now, grid)
    except InputError:  # not the manager's file, or of another scan
        return None
    if _key(seat, now) not in set(_scored(seat)):
        take_step(seat, _event(seat, now, found))
    return found if seat.settings.gold_feedback else None


def score_submitted(seat: Seat, case: CaseId, slot: str, grid: Grid) -> GoldScore:
    """Score what was submitted, and tell the log whether it passed.

    It may be called for one's own reading alone where the study tells its readers, or by a
    manager: the score says much about the truth.

    Parameters
    ----------
    grid : Grid
        Of the case's scan.

    Raises
    ------
    InputError
        When there is no truth, or nothing submitted by this rater.
    GeometryError
        When the truth lies on another grid.
    LogError
        When the log cannot be written: then nobody is told the score.
    """
    with at_reading(seat, case, slot) as at:
        now = at.now
        is_own = now.user in seat.users and seat.settings.gold_feedback
        may = is_own or "manager" in seat.rater.roles
        if not now.rounds or not seat.code_of(now.user) or not may:
            raise InputError(
                "Only a reading that was submitted is scored, for its reader or a manager.",
                hint="Submit it first in the list, or: medlabel project submit STUDY CASE",
            )
        found = _found(seat, at, grid)
        take_step(seat, _event(seat, at, found))
    return found


def score_waiting(seat: Seat) -> tuple[tuple[CaseId, str, GoldScore], ...]:
    """Score all submitted readings of gold cases that the log has no score of.

    Raises
    ------
    RefusedError
        When who asks is no manager.
    InputError, GeometryError
        When a truth cannot be read.
    LogError
        When the log cannot be written.
    """
    require_role(seat, "manager")
    gold, known = set(gold_cases(seat.layout)), set(_scored(seat))
    out = []
    for row in worklist(seat).rows:
        grid = None
        for slot, now in row.slots.items():
            if row.case not in gold or not now.rounds or not seat.code_of(now.user):
                continue
            at = look(seat, row.case, slot)
            if _key(seat, at) in known:
                continue
            grid = grid or load(seat.layout.scan(row.case), hashes=False).grid
            found = _found(seat, at, grid)
            take_step(seat, _event(seat, at, found))
            out.append((row.case, slot, found))
    return tuple(out)


def scores_of(seat: Seat) -> tuple[dict[str, Any], ...]:
    """Return the details of all scores in the log, for a manager.

    Raises
    ------
    RefusedError
        When who asks is no manager.
    """
    require_role(seat, "manager")
    return tuple(_details(seat.layout.audit))


def _found(seat: Seat, at: Reading, grid: Grid) -> GoldScore:
    layout = seat.layout
    require_unchanged(layout, at.case)
    truth = read_truth(layout, at.case, grid, read_ontology(layout.ontology))
    version = read_version(layout, seat.code_of(at.now.user), at.case, _last(seat, at).version)
    return score_sheets(
        masks_of(layout, version, grid),
        truth,
        seat.settings.thresholds,
        marks=read_landmarks(layout, version),
    )


def _last(seat: Seat, at: Reading) -> Step:
    """Return the reader's last submission."""
    own = [
        step
        for step in at.steps
        if (step.slot, step.action) == (at.slot, "submit")
        and seat.accounts.is_one(step.user, at.now.user)
    ]
    return max(own, key=lambda step: step.number)


def _event(seat: Seat, at: Reading, found: GoldScore) -> Event:
    case, slot, step = _key(seat, at)
    work = {"case": case, "slot": slot, "step": step}
    detail = {**work, "passed": found.passed, **found.detail()}
    return Event("study.gold", (at.record.subject,), (), detail)


def _key(seat: Seat, at: Reading) -> tuple[str, str, int]:
    return at.record.content, at.slot, int(_last(seat, at).number)


def _scored(seat: Seat) -> Iterator[tuple[str, str, int]]:
    for detail in _details(seat.layout.audit):
        yield detail["case"], detail["slot"], int(detail["step"])


def _details(root: Path) -> Iterator[dict[str, Any]]:
    """Yield the details of scores in a log; files that tell of none are not gone through."""
    for path in session_paths(root):
        if _SCORED not in path.read_bytes():
            continue
        found: list[dict[str, Any]] = []

        def seen(_line: int, record: Any, found: list[dict[str, Any]] = found) -> None:
            if record["event"] == "study.gold":
                found.append(dict(record["detail"]))

        check_session(path, path.name, seen, quick=True)
        yield from found
