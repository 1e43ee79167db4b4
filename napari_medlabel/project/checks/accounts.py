"""Checks of accounts: each reading is somebody's of the study, by the word of a manager."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from napari_medlabel.project.cases.record import CaseRecord
from napari_medlabel.project.checks.finding import Finding
from napari_medlabel.project.work.accounts import Accounts
from napari_medlabel.project.work.authors import authors
from napari_medlabel.project.work.rulings import Reign
from napari_medlabel.project.work.steps import Step


def check_accounts(
    accounts: Accounts,
    records: Sequence[CaseRecord],
    steps: Sequence[Step],
    ruled: Sequence[Reign],
) -> Iterator[Finding]:
    """Yield readings whose account belongs to nobody.

    Parameters
    ----------
    accounts : Accounts
        Whose each account is.
    records : sequence of CaseRecord
        The cases.
    steps : sequence of Step
        All of the log.
    ruled : sequence of Reign
        The rules that were in force; where the study has not kept some of them, an account that
        stands in ``project.json`` alone is somebody's.
    """
    names = {record.content: str(record.case) for record in records}
    kept = bool(ruled) and all(one.settings is not None for one in ruled)
    whose = accounts.given_code if kept else accounts.code_of
    made = (one for one in steps if one.case in names and authors((one,)))
    nobodys = {(names[one.case], one.slot) for one in made if not whose(one.user)}
    for case, slot in sorted(nobodys):
        words = (
            f"Reading {slot} has a mask of an account that belongs to nobody of the study: no "
            "manager gave it to a rater, by the log. A manager gives it to whose it is: "
            "medlabel project rater STUDY CODE --user TOKEN"
        )
        yield Finding("error", "account", case, words)
    double = len(accounts.double)
    if double:
        words = (
            f"Accounts that were given to one rater and later to another: {double}. They count "
            "as the first one's; what was made as the other is not found."
        )
        yield Finding("warning", "account", "project.json", words)
