"""Validating a study: all checks at once, with the verdict on its log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, Final

from napari_medlabel.audit.check.verdict import LogReport
from napari_medlabel.audit.check.verify import Progress
from napari_medlabel.errors import InputError
from napari_medlabel.project.cases.record import CaseRecord
from napari_medlabel.project.checks.accounts import check_accounts
from napari_medlabel.project.checks.agreed import check_agreed
from napari_medlabel.project.checks.bids import check_bids
from napari_medlabel.project.checks.derivatives import Rules, check_derivatives
from napari_medlabel.project.checks.finding import Finding, in_order, is_of_study, place
from napari_medlabel.project.checks.logbook import Told, check_log, read_log
from napari_medlabel.project.checks.people import check_people
from napari_medlabel.project.checks.scans import check_reports, check_scans, read_records
from napari_medlabel.project.checks.settled import check_settled
from napari_medlabel.project.checks.signed import check_signed
from napari_medlabel.project.guidelines import read_guidelines
from napari_medlabel.project.layout import Layout
from napari_medlabel.project.ontology.document import ontology_digest, read_ontology
from napari_medlabel.project.settings import Settings, read_settings
from napari_medlabel.project.work.accounts import accounts_by
from napari_medlabel.project.work.copies import conflicted_copies, is_of_log
from napari_medlabel.project.work.rulings import against_rules, kept_rules, reigns
from napari_medlabel.project.work.steps import StepReader

_WRONG: Final = 2
_HIDDEN: Final = ".git"
_DECIDE: Final = "A person must decide which one counts."
_OF_LOG: Final = (
    "They are files of the log: its verdict counts them as strangers, or as altered. A person "
    "must see which one of each two is whole; keep the other one outside of the study."
)


@dataclass(frozen=True)
class StudyReport:
    """The result of a validation.

    Parameters
    ----------
    findings : tuple of Finding
        Errors first.
    log : LogReport or None
        The verdict on the log; None where there is none.
    cases, versions : int
        How many there are.
    """

    findings: tuple[Finding, ...]
    log: LogReport | None
    cases: int
    versions: int

    @property
    def errors(self) -> int:
        """How many of the findings are errors."""
        return sum(one.level == "error" for one in self.findings)

    @property
    def exit_code(self) -> int:
        """Return 5 for a red log, 2 for errors, 4 for an amber log, 0 for nothing."""
        log = _WRONG if self.log is None else self.log.verdict.exit_code
        if log == 5:
            return log
        return _WRONG if self.errors else log

    def to_json(self) -> dict[str, Any]:
        """Return it for ``--json``."""
        return {
            "cases": self.cases,
            "versions": self.versions,
            "log": None if self.log is None else self.log.verdict.value,
            "findings": [one.record() for one in self.findings],
        }


def validate(
    layout: Layout,
    *,
    state: Path | None = None,
    bids: bool = False,
    progress: Progress | None = None,
) -> StudyReport:
    """Check a study as a whole; nothing is written.

    Parameters
    ----------
    layout : Layout
        The study.
    state : Path, optional
        Folder of this computer's memory of logs.
    bids : bool
        Whether to ask the BIDS validator, too.
    progress : callable, optional
        Called with how many bytes of the log were read, of how many.

    Returns
    -------
    StudyReport

    Raises
    ------
    InputError
        When project or ontology cannot be read: then there is nothing to hold it against.
    MissingPackageError
        When the BIDS validator is asked for and not installed.
    """
    settings = read_settings(layout.project)
    ontology = read_ontology(layout.ontology)
    records, findings = read_records(layout)
    grids, found = check_scans(layout, records)
    findings += found
    findings += check_reports(layout)
    findings += check_people(layout, records)
    versions, found = check_derivatives(layout, Rules(settings, ontology, grids))
    findings += found
    findings += _names(layout)
    findings += _copies(layout)
    digests = {
        "ontology": ontology_digest(ontology),
    }
    try:
        guidelines = read_guidelines(layout.guidelines)
        digests["guideline"] = guidelines.digest
        missing = len(guidelines.missing_pictures)
    except InputError as err:
        where = layout.relative(layout.guidelines)
        findings.append(Finding("error", "guidelines", where, err.message))
    else:
        if missing:
            words = f"Pictures that the guidelines show and that are not there: {missing}."
            where = layout.relative(layout.guidelines)
            findings.append(Finding("warning", "guidelines", where, words))
    log, told = read_log(layout, state, progress)
    if log is None:
        words = "There is no audit log: nobody can tell how this study came about."
        findings.append(Finding("error", "log", "medlabel/audit", words))
    else:
        findings += _of_people(layout, settings, records, told)
        findings += check_signed(layout)
    findings += check_log(told, records, versions, digests)
    if bids:
        findings += check_bids(layout)
    return StudyReport(in_order(findings), log, len(records), len(versions))


def _of_people(
    layout: Layout, settings: Settings, records: Sequence[CaseRecord], told: Told
) -> Iterator[Finding]:
    """Yield what was done without a manager's word, by the wrong one, or by nobody."""
    reader = StepReader(layout.audit)
    ruled = reigns(reader.rulings(), partial(kept_rules, layout), reader.same_as)
    if words := against_rules(layout, ruled):
        yield Finding("error", "rules", layout.relative(layout.project), words)
    accounts = accounts_by(ruled, settings, reader.kin())
    yield from check_settled(told.agreed, records, reader, ruled, accounts)
    yield from check_accounts(accounts, records, reader.read(), ruled)
    yield from check_agreed(told.agreed, records, reader.read(), settings.slots, accounts)


def _names(layout: Layout) -> Iterator[Finding]:
    """Yield folders with files that are not called as those of a study."""
    above = [layout.root, *sorted(layout.root.glob("sub-*"))]
    above += [path for top in above[1:] for path in sorted(top.rglob("*")) if path.is_dir()]
    for folder in above:
        unknown = sum(
            not is_of_study(path.name)
            for path in folder.iterdir()
            if not path.name.startswith(_HIDDEN)
        )
        if unknown:
            words = (
                f"Files or folders that are not called as those of a study: {unknown}. What "
                "lies here may leave with it; a name may tell whose it is."
            )
            yield Finding("error", "name", place(layout.relative(folder)), words)


def _copies(layout: Layout) -> Iterator[Finding]:
    """Yield folders with copies that a synchronising client made."""
    found = conflicted_copies(layout)
    folders = [(str(PurePosixPath(one).parent), is_of_log(one)) for one in found]
    for folder, of_log in sorted(set(folders)):
        words = (
            "Copies of a synchronising client that met a conflict: "
            f"{folders.count((folder, of_log))}. {_OF_LOG if of_log else _DECIDE}"
        )
        yield Finding("error", "conflicted copy", place(folder), words)
