"""Checks of a study against its log: what was told and is not there, and the reverse."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from napari_medlabel.audit.check.verdict import LogReport
from napari_medlabel.audit.check.verify import Progress, verify_log
from napari_medlabel.errors import InputError
from napari_medlabel.project.cases.record import CaseRecord
from napari_medlabel.project.cases.version import Version
from napari_medlabel.project.checks.finding import Finding, place
from napari_medlabel.project.layout import Layout
from napari_medlabel.project.work.made_of import MadeOf, made_of

_WRITTEN: Final = frozenset({"review.submit", "review.correct", "study.consensus"})


@dataclass(frozen=True, order=True)
class Agreed:
    """A consensus that the log tells of.

    Parameters
    ----------
    version : int
        Of the consensus.
    time, user, rule : str
        When, token of who settled it, and how readings became one.
    made_of : mapping of str to MadeOf
        Of which readings, by slot; empty for a line of before.
    """

    version: int
    time: str
    user: str
    rule: str
    made_of: Mapping[str, MadeOf] = field(default_factory=dict, compare=False)


@dataclass
class Told:
    """What the log tells of a study.

    Attributes
    ----------
    cases : set of str
        Content ids of scans that were added.
    masks : set of str
        Content ids of masks that any event made.
    submitted : set of str
        Those of them that a rater of a slot submitted.
    rules : dict of str to str
        Last digest of project, ontology and guideline of each writer's word, unordered.
    agreed : dict of str to Agreed
        The last consensus of each case, by content id of its scan.
    """

    cases: set[str] = field(default_factory=set)
    masks: set[str] = field(default_factory=set)
    submitted: set[str] = field(default_factory=set)
    rules: dict[str, set[str]] = field(default_factory=dict)
    agreed: dict[str, Agreed] = field(default_factory=dict)

    def take(self, _file: str, _line: int, record: Mapping[str, Any]) -> None:
        """Note what a sealed event says."""
        event, detail = record["event"], record["detail"]
        if event == "study.case":
            self.cases.add(detail["case"])
        elif event == "study.rules":
            self.rules.setdefault(detail["setting"], set()).add(detail["new"])
        elif event in _WRITTEN:
            new = {ref["id"] for ref in record["object"] if ref["role"] == "new"}
            self.masks |= new
            if event == "review.submit" and "slot" in detail:
                self.submitted |= new
            if event == "study.consensus":
                self._agree(record)

    def _agree(self, record: Mapping[str, Any]) -> None:
        detail, user = record["detail"], record["actor"]["user"]
        number, rule = int(detail.get("version", 0)), detail["rule"]
        one = Agreed(number, record["time"], user, rule, made_of(detail))
        before = self.agreed.get(detail["case"], one)
        self.agreed[detail["case"]] = max(before, one)


def read_log(
    layout: Layout, state: Path | None, progress: Progress | None = None
) -> tuple[LogReport | None, Told]:
    """Verify the study's log and gather what it tells; None where there is no log."""
    told = Told()
    try:
        report = verify_log(layout.audit, state=state, seen=told.take, progress=progress)
    except InputError:
        return None, told
    return report, told


def check_log(
    told: Told,
    records: Sequence[CaseRecord],
    versions: Mapping[str, Version],
    rules: Mapping[str, str],
) -> Iterator[Finding]:
    """Yield where study and log do not fit together.

    Parameters
    ----------
    told : Told
        What the log tells.
    records : sequence of CaseRecord
        What cases there are.
    versions : mapping of str to Version
        Versions that are there as a whole, by their sidecar.
    rules : mapping of str to str
        Digests of ontology and guideline as they are now.
    """
    for record in records:
        if record.content not in told.cases:
            words = "The log does not tell that this case was added."
            yield Finding("warning", "not in the log", str(record.case), words)
    lost = told.cases - {record.content for record in records}
    if lost:
        words = f"Cases that the log tells of and that are not there: {len(lost)}."
        yield Finding("error", "lost", "medlabel/cases", words)
    yield from _versions(told, versions)
    for setting, digest in rules.items():
        if digest not in told.rules.get(setting, ()):
            words = f"The log does not tell of the {setting} as it is now."
            yield Finding("warning", "rules", "medlabel", words)


def _versions(told: Told, versions: Mapping[str, Version]) -> Iterator[Finding]:
    there = _contents(versions.values())
    for sidecar, version in versions.items():
        if not {version.content, *version.sheets.values()} <= told.masks:
            words = "The log does not tell of this version."
            yield Finding("warning", "orphan", place(sidecar), words)
    lost = told.submitted - there
    if lost:
        words = f"Versions that the log tells of and that are not there: {len(lost)}."
        yield Finding("error", "lost", "derivatives", words)


def _contents(versions: Iterable[Version]) -> set[str]:
    return {one for version in versions for one in (version.content, *version.sheets.values())}
