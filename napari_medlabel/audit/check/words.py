"""The verdict in one sentence, for people."""

from __future__ import annotations

from collections.abc import Sequence, Set

from napari_medlabel.audit.check.outside import MEMORY
from napari_medlabel.audit.check.verdict import TRUST, Finding, SessionReport, Verdict
from napari_medlabel.audit.format.record import time_text

_QUICK = " Quick: of each session only the last signature was checked."


def _what(reports: Sequence[SessionReport]) -> str:
    """Return how much there is, and from when to when."""
    dated = [report for report in reports if report.events]
    what = (
        f"{sum(report.events for report in reports)} events in {len(reports)} session(s) of "
        f"{len({report.writer for report in reports})} writer(s)"
    )
    if not dated:
        return what
    first = time_text(min(report.first_ms for report in dated))[:16].replace("T", " ")
    last = time_text(max(report.last_ms for report in dated))[:16].replace("T", " ")
    return f"{what}, {first} to {last} UTC"


def _against(limbs: Set[str]) -> str:
    ordered = sorted(limbs, key=lambda limb: (limb != MEMORY, limb))
    if not ordered:
        return "nothing: nobody else remembers it"
    if len(ordered) == 1:
        return ordered[0]
    return f"{', '.join(ordered[:-1])} and {ordered[-1]}"


def sentence_of(
    verdict: Verdict,
    reports: Sequence[SessionReport],
    limbs: Set[str],
    findings: Sequence[Finding],
    *,
    quick: bool,
) -> str:
    """Return the result of a verification in a sentence or two.

    Parameters
    ----------
    verdict : Verdict
        The worst of the findings.
    reports : sequence of SessionReport
        Every session.
    limbs : set of str
        Who confirmed something, in words.
    findings : sequence of Finding
        All of them.
    quick : bool
        Whether only the last signature of each session was checked.
    """
    worst = [finding for finding in findings if finding.level == verdict]
    after = _QUICK if quick else ""
    if verdict is Verdict.RED:
        if all(finding.code in TRUST for finding in worst):
            text = (
                "Who wrote this log, or who answers for it, cannot be believed: "
                f"{len(worst)} finding(s). Do not rely on it; call whoever is responsible."
            )
        else:
            text = (
                f"The log was altered, or parts of it are missing: {len(worst)} finding(s). Do "
                "not rely on it; keep it as it is and call whoever is responsible for it."
            )
        return text + after
    what = f"{_what(reports)}. Compared with {_against(limbs)}."
    if verdict is Verdict.GREEN:
        return f"The log is complete and unaltered: {what}{after}"
    if all(finding.code in TRUST for finding in worst):
        return (
            f"Nothing is missing and nothing was altered, as far as it can be compared, but "
            f"{len(worst)} thing(s) about who wrote it are not confirmed: {what}{after}"
        )
    return (
        f"Nothing shows that the log was altered, but {len(worst)} thing(s) could not be "
        f"confirmed: {what}{after}"
    )
