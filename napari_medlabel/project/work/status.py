"""Where a study stands, line by line: codes, states and numbers, no name and no path."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from napari_medlabel.project.cases.record import all_records
from napari_medlabel.project.guidelines import read_guidelines
from napari_medlabel.project.layout import Layout
from napari_medlabel.project.ontology.document import ontology_digest, read_ontology
from napari_medlabel.project.settings import Settings
from napari_medlabel.project.work.accounts import Accounts, accounts_of
from napari_medlabel.project.work.choosing import needs_review
from napari_medlabel.project.work.claims import holder
from napari_medlabel.project.work.copies import conflicted_copies
from napari_medlabel.project.work.fold import CaseRow, SlotState, fold
from napari_medlabel.project.work.steps import Step, StepReader


@dataclass(frozen=True)
class Rival:
    """One of several steps of which only one can count.

    Parameters
    ----------
    action : str
        What was done.
    rater : str
        Code of who did it; empty where the study has no such account.
    content : str
        Content id of the mask; empty where there is none.
    version : int
        Its number in that rater's data set.
    sheets : tuple of str
        Content ids of the masks of further layers, by layer.
    """

    action: str
    rater: str
    content: str
    version: int
    sheets: tuple[str, ...] = ()


@dataclass(frozen=True)
class StatusLine:
    """One reading.

    Parameters
    ----------
    case, slot : str
        Which.
    state : str
        See `states.STATES`.
    rater, reviewer : str
        Codes; empty for nobody.
    claimed : str
        Code of who has a claim on it now; empty for nobody, ``?`` where it cannot be read.
    version : int
        Of the mask that counts; 0 for none.
    since : str
        Time of the last step, by the clock of who made it.
    rounds, active_s : int
        Submissions, and seconds of work that they tell.
    reason : str
        Code that was given with the last step.
    outdated : bool
        Whether it was made under another ontology or other guidelines.
    drawn : bool
        Whether its submission is drawn for review.
    gaps : tuple of int
        Numbers of steps that have not come yet.
    unheard : int
        Steps that changed nothing, for they were not possible.
    rivals : tuple of Rival
        In a conflict: what there is to choose from.
    """

    case: str
    slot: str
    state: str
    rater: str
    reviewer: str
    claimed: str
    version: int
    since: str
    rounds: int
    active_s: int
    reason: str
    outdated: bool
    drawn: bool
    gaps: tuple[int, ...]
    unheard: int
    rivals: tuple[Rival, ...]


@dataclass(frozen=True)
class Status:
    """A whole study.

    Parameters
    ----------
    name : str
        Of the study.
    ontology, guideline : str
        Digests of today's rules.
    lines : tuple of StatusLine
        A line for each reading.
    counts : dict of str to int
        How many readings are in each state that occurs.
    strangers : int
        Steps on cases that the study does not have.
    copies : tuple of str
        Copies that a synchronising client has made, from the study's root.
    """

    name: str
    ontology: str
    guideline: str
    lines: tuple[StatusLine, ...]
    counts: dict[str, int]
    strangers: int
    copies: tuple[str, ...]

    @property
    def needs_somebody(self) -> bool:
        """Whether a person must look: a conflict, a gap, a copy."""
        odd = any(one.rivals or one.gaps or one.state == "conflict" for one in self.lines)
        return odd or bool(self.copies or self.strangers)

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {"medlabel": "status", "v": 1, **asdict(self)}


def status_of(layout: Layout, settings: Settings) -> Status:
    """Return how a study stands now; nothing is written.

    Raises
    ------
    InputError
        When records, ontology or guidelines cannot be read.
    """
    cases = {record.content: record.case for record in all_records(layout)}
    reader = StepReader(layout.audit)
    worklist = fold(cases, reader.read(), settings.slots)
    ontology = ontology_digest(read_ontology(layout.ontology))
    guideline = read_guidelines(layout.guidelines).digest
    outdated = set(worklist.outdated(ontology=ontology, guideline=guideline))
    accounts = accounts_of(layout, settings, reader)
    lines = tuple(
        _line(layout, settings, (row, slot), accounts, is_outdated=(row.case, slot) in outdated)
        for row in worklist.rows
        for slot in row.slots
    )
    counts = {str(state): count for state, count in worklist.counts().items()}
    return Status(
        settings.name,
        ontology,
        guideline,
        lines,
        counts,
        len(worklist.strangers),
        conflicted_copies(layout),
    )


def _line(
    layout: Layout,
    settings: Settings,
    place: tuple[CaseRow, str],
    accounts: Accounts,
    *,
    is_outdated: bool,
) -> StatusLine:
    row, slot = place
    now: SlotState = row.slots[slot]
    held = holder(layout, row.case, slot)
    return StatusLine(
        case=str(row.case),
        slot=slot,
        state=now.state,
        rater=accounts.code_of(now.user),
        reviewer=accounts.code_of(now.reviewer),
        claimed="" if held is None else held.rater,
        version=now.version,
        since=now.since,
        rounds=now.rounds,
        active_s=now.active_s,
        reason=now.reason,
        outdated=is_outdated,
        drawn=now.state == "submitted"
        and needs_review(row, slot, seed=settings.seed, share=settings.review_share),
        gaps=now.gaps,
        unheard=len(now.unheard),
        rivals=tuple(_rival(step, accounts) for step in now.rivals),
    )


def _rival(step: Step, accounts: Accounts) -> Rival:
    code = accounts.code_of(step.user)
    return Rival(step.action, code, step.content, step.version, step.sheets)
