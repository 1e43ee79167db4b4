"""What a campaign found, as one line of the page of reliability."""

from __future__ import annotations

from dataclasses import dataclass

from napari_medlabel.audit.check.verdict import LogReport

UNCLEARED = {"OPEN", "TAIL", "STILLBORN", "RUNNING", "UNREMEMBERED"}
"""Findings that a crash leaves, and that the next session must clear."""


@dataclass
class Figure:
    """One campaign.

    Parameters
    ----------
    what : str
        What was done, in words.
    is_control : bool
        Whether it must fail: it shows that the campaign can see a loss.
    runs : int
        How often, or how many states.
    acknowledged : int
        Events (or saves) of which the program had said that they are on the disk.
    lost : int
        Of those, how many were not there, or how many runs lost what they had promised.
    alarms : int
        Verdicts of tampering where nobody had tampered; for changes: changes not detected.
    uncleared : int
        Runs after which the next session did not clear what the crash left.
    seconds : float
        How long it took.
    """

    what: str
    is_control: bool = False
    runs: int = 0
    acknowledged: int = 0
    lost: int = 0
    alarms: int = 0
    uncleared: int = 0
    seconds: float = 0.0

    @property
    def holds(self) -> bool:
        """Whether it came out as promised; a control holds when it fails."""
        bad = self.lost + self.alarms + self.uncleared
        return self.runs > 0 and ((bad > 0) if self.is_control else (bad == 0))


def reds(report: LogReport) -> int:
    """Return how many findings say that the log was changed."""
    return sum(1 for finding in report.findings if finding.level == "red")


def is_cleared(report: LogReport) -> bool:
    """Return whether nothing is left that a crash leaves."""
    return not any(
        finding.level != "note" and finding.code in UNCLEARED for finding in report.findings
    )
