"""Whether who settled a case had not read it, where the rules of that time asked for that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from napari_medlabel.project.cases.record import CaseRecord
from napari_medlabel.project.checks.finding import Finding
from napari_medlabel.project.checks.logbook import Agreed
from napari_medlabel.project.work.accounts import Accounts
from napari_medlabel.project.work.authors import authors
from napari_medlabel.project.work.rulings import Reign, in_force_at
from napari_medlabel.project.work.steps import Step, StepReader

_SETTLED = (
    "Who settled it has also read it, and the study's rules of that time asked for somebody "
    "who has not. An independent adjudicator can settle it anew."
)
_CONFLICT = (
    "Who said which mask of reading {} counts has also read the case, and the study's rules of "
    "that time asked for somebody who has not."
)


def check_settled(
    agreed: Mapping[str, Agreed],
    records: Sequence[CaseRecord],
    reader: StepReader,
    ruled: Sequence[Reign],
    accounts: Accounts,
) -> Iterator[Finding]:
    """Yield cases that a reader of theirs settled against the rules of then.

    Parameters
    ----------
    agreed : mapping of str to Agreed
        The last consensus of each case, by content id of its scan.
    records : sequence of CaseRecord
        The cases.
    reader : StepReader
        Of the log.
    ruled : sequence of Reign
        The rules that were in force, one after the other; without any nothing is found.
    accounts : Accounts
        Whose each account is.
    """
    names = {record.content: str(record.case) for record in records}
    steps = sorted((one for one in reader.read() if one.case in names), key=_place)
    saves = reader.saves()
    for content, group in groupby(steps, key=lambda one: one.case):
        of_case, name = tuple(group), names[content]
        one = agreed.get(content)
        judged = [(one.user, one.time, one.rule, _SETTLED)] if one is not None else []
        judged += [
            (step.user, step.time, "adjudicate", _CONFLICT.format(step.slot))
            for step in of_case
            if step.action == "settle"
        ]
        own = authors(of_case, saves)
        for user, time, way, words in judged:
            if accounts.same(user) & own and _asks(ruled, time, way):
                yield Finding("warning", "settled", name, words)


def _place(step: Step) -> tuple[str, str, int]:
    return step.case, step.slot, step.number


def _asks(ruled: Sequence[Reign], time: str, way: str) -> bool:
    """Tell whether all rules that may have been in force then asked for somebody else."""
    then = [one.settings for one in in_force_at(ruled, time)] if ruled else []
    return bool(then) and all(
        rules is not None and rules.asks_for(way) == "independent" for rules in then
    )
