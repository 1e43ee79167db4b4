"""Whether the last consensus of each case is made of the readings that count now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from napari_medlabel.project.cases.record import CaseRecord
from napari_medlabel.project.checks.finding import Finding
from napari_medlabel.project.checks.logbook import Agreed
from napari_medlabel.project.work.accounts import Accounts
from napari_medlabel.project.work.fold import fold_slot
from napari_medlabel.project.work.made_of import changed_since
from napari_medlabel.project.work.steps import Step


def check_agreed(
    agreed: Mapping[str, Agreed],
    records: Sequence[CaseRecord],
    steps: Sequence[Step],
    slots: Collection[str],
    accounts: Accounts,
) -> Iterator[Finding]:
    """Yield cases with a consensus of other versions than count now; clocks are not asked.

    Parameters
    ----------
    agreed : mapping of str to Agreed
        The last consensus of each case, by content id of its scan.
    records : sequence of CaseRecord
        The cases.
    steps : sequence of Step
        Of the log.
    slots : collection of str
        The readings that each case is to have.
    accounts : Accounts
        Whose each account is.
    """
    by_case: dict[str, list[Step]] = defaultdict(list)
    for step in steps:
        who = accounts.code_of(step.user) or step.user
        by_case[step.case].append(replace(step, user=who))
    for record in records:
        one = agreed.get(record.content)
        if one is None or not one.made_of:
            continue
        of_case = by_case[record.content]
        counted = [
            slot
            for slot in slots
            if fold_slot(step for step in of_case if step.slot == slot).state != "skipped"
        ]
        if changed := changed_since(one.made_of, of_case, counted):
            words = (
                "Its last consensus was not made of what counts now of its readings: "
                f"{', '.join(changed)}. It does not leave; an adjudicator makes it anew."
            )
            yield Finding("warning", "agreed", str(record.case), words)
