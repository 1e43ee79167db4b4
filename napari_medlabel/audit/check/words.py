"""The verdict in one sentence, for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Final

from napari_medlabel.audit.check.outside import MEMORY
from napari_medlabel.audit.check.plural import agreeing, counted
from napari_medlabel.audit.check.verdict import TRUST, SessionReport, Verdict
from napari_medlabel.audit.format.finding import Finding
from napari_medlabel.audit.format.layout import SITE
from napari_medlabel.audit.format.record import time_text

_QUICK: Final = " Quick: of each session only the last signature was checked."
_STEPS: Final[Mapping[str, str]] = {
    "TOFU": "compare the workstation's letters and run `medlabel audit site trust`",
    "UNCERTIFIED": "run `medlabel audit key create` on the workstation",
    "STALE": "run `medlabel audit witness` on another computer",
    "UNSEEN": "run `medlabel audit witness` under the witness's account",
    "REVOKED": "ask the officer about the workstation whose key she revoked",
}


def _what(reports: Sequence[SessionReport]) -> str:
    """Return how much there is, and from when to when."""
    dated = [report for report in reports if report.events]
    events = sum(report.events for report in reports)
    writers = len({report.writer for report in reports})
    what = (
        f"{counted(events, 'event')} in {counted(len(reports), 'session')} of "
        f"{counted(writers, 'writer')}"
    )
    if not dated:
        return what
    first = time_text(min(report.first_ms for report in dated))[:16].replace("T", " ")
    last = time_text(max(report.last_ms for report in dated))[:16].replace("T", " ")
    return f"{what}, {first} to {last} UTC"


def _first_step(doubts: Sequence[Finding], *, has_site: bool) -> str:
    """Return what to do first about doubts who wrote a log, where nothing is altered."""
    if not has_site:
        return "set up a site: `medlabel audit site init NAME`"
    if any(doubt.code == "TOFU" and doubt.file == SITE for doubt in doubts):
        return "ask the officer for the letters of her key and give them with --officer"
    codes = {doubt.code for doubt in doubts}
    return next(step for code, step in _STEPS.items() if code in codes)


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
    has_site: bool,
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
    has_site : bool
        Whether the log has an officer's document.
    """
    worst = [finding for finding in findings if finding.level == verdict]
    is_trust = all(finding.code in TRUST for finding in worst)
    after = _QUICK if quick else ""
    if verdict is Verdict.RED:
        count = counted(len(worst), "finding")
        text = (
            f"Who wrote this log, or who answers for it, cannot be believed: {count}. Do not "
            "rely on it; call whoever is responsible."
            if is_trust
            else f"The log was altered, or parts of it are missing: {count}. Do not rely on "
            "it; keep it as it is and call whoever is responsible for it."
        )
        return text + after
    what = f"{_what(reports)}. Compared with {_against(limbs)}.{after}"
    if verdict is Verdict.GREEN:
        return f"The log is complete and unaltered: {what}"
    count, are = counted(len(worst), "thing"), agreeing(len(worst), "are")
    if not is_trust:
        return (
            f"Nothing shows that the log was altered, but {count} {are} not confirmed: {what}"
        )
    step = _first_step(worst, has_site=has_site)
    return (
        "Nothing is missing and nothing was altered, as far as it can be compared, but "
        f"{count} about who wrote it {are} not confirmed. First, {step}. {what}"
    )
