"""What the officer's page says, as facts: tokens, counts and digests, no identity.

`napari_medlabel.audit.report.gather.facts_of` makes them in one pass over the log.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from napari_medlabel.audit.report.deeds import AccessFact, ExportFact, LateChange, Override

if TYPE_CHECKING:
    from napari_medlabel.audit.anchors.code import PaperCode
    from napari_medlabel.audit.check.verdict import LogReport

__all__ = [
    "AccessFact",
    "ConfigChange",
    "ExportFact",
    "Facts",
    "FailureFact",
    "Hours",
    "LateChange",
    "Override",
    "ReviewFact",
    "SoftwareFact",
    "Workstation",
]


@dataclass(frozen=True, slots=True)
class Hours:
    """When people work here, by the site's policy.

    Parameters
    ----------
    work_from, work_to : int
        Hours of the day; work is from the first up to the second.
    work_days : tuple of int
        0 is Monday.
    utc_offset_minutes : int
        What the site's clocks show beyond UTC.
    """

    work_from: int = 7
    work_to: int = 19
    work_days: tuple[int, ...] = (0, 1, 2, 3, 4)
    utc_offset_minutes: int = 0


@dataclass(frozen=True, slots=True)
class Workstation:
    """What one writer wrote and who else remembers it.

    Parameters
    ----------
    writer : str
        ``w`` and 16 hex digits.
    sessions, events : int
        Session files, and sealed events in them.
    unclosed : int
        Sessions without a good-bye that no later session recovered.
    clock_jumps : int
        Times the clock was set back.
    anchors : tuple of str
        Kinds of memory that hold heads of it: memory, peer, witness, receipt, paper, tsa.
    oldest_unanchored_min : int or None
        Minutes since its oldest event that nobody outside this writer remembers; None where
        every event is remembered elsewhere.
    trust : str
        trusted, revoked, unknown (its key is not in the site's list) or uncertified (it has
        no key).
    first_ms, last_ms : int
        Times of its first and last sealed event.
    vouched, bare : int
        Sessions without a certificate: those that a certified one vouches for, and others.
    """

    writer: str
    sessions: int
    events: int
    unclosed: int
    clock_jumps: int
    anchors: tuple[str, ...]
    oldest_unanchored_min: int | None
    trust: str
    first_ms: int = 0
    last_ms: int = 0
    vouched: int = 0
    bare: int = 0


@dataclass(frozen=True, slots=True)
class SoftwareFact:
    """One combination of program and surroundings that wrote sessions.

    Parameters
    ----------
    version, python, platform : str
        As ``session.open`` says; empty where it does not.
    sessions : int
        How many it wrote.
    validated : bool
        Whether the site's policy names this version as validated.
    wheel, lock : str
        Digests of the installed program and of its dependencies, or empty.
    first_ms, last_ms : int
        Begin of its first and last session.
    """

    version: str
    python: str
    platform: str
    sessions: int
    validated: bool
    wheel: str = ""
    lock: str = ""
    first_ms: int = 0
    last_ms: int = 0


@dataclass(frozen=True, slots=True)
class ConfigChange:
    """A setting or a key that was changed.

    Parameters
    ----------
    at_ms : int
        When.
    user : str
        Token.
    words : str
        A sentence.
    old, new : str
        Digests, or empty.
    file : str
        Session file.
    line : int
        Line.
    """

    at_ms: int
    user: str
    words: str
    old: str
    new: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class FailureFact:
    """Something that did not work, or was refused, or was recovered.

    Parameters
    ----------
    at_ms : int
        When.
    event : str
        Name from the closed list.
    cause : str
        One word of the log's lists, or empty.
    words : str
        A sentence.
    file : str
        Session file.
    line : int
        Line.
    user : str
        Token.
    """

    at_ms: int
    event: str
    cause: str
    words: str
    file: str
    line: int
    user: str = ""


@dataclass(frozen=True, slots=True)
class ReviewFact:
    """The officer looked through the log and signed off.

    Parameters
    ----------
    at_ms : int
        When.
    user : str
        Token.
    verdict : str
        green, amber, red, or empty.
    findings : int
        How many the officer counted.
    from_ms, to_ms : int
        The period that was reviewed; 0 where it is not said.
    next_days : int
        Days until the next one; 0 where it is not said.
    report : str
        Digest of the page.
    signed : bool
        Whether a person's own key signed it.
    file : str
        Session file.
    line : int
        Line.
    """

    at_ms: int
    user: str
    verdict: str
    findings: int
    from_ms: int
    to_ms: int
    next_days: int
    report: str
    signed: bool
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that the page says.

    Lists are in the order of time, as the computers' clocks tell it; `accesses` begins with
    the unexplained ones, then those off hours.

    Parameters
    ----------
    verdict : LogReport
        Of the whole log, whatever the period.
    site_name : str
        As ``site.json`` says; empty where there is none.
    made : str
        When the facts were gathered, ``2026-11-22T10:10:32.104Z``.
    code : PaperCode or None
        For paper; None where the log has no sealed event, or was altered.
    period : tuple of int
        First and last millisecond that the lists cover.
    hours : Hours
        By which off-hours are told.
    review_days : int
        Days between reviews by the policy.
    next_review_due : int or None
        Moment in milliseconds; None in a log without events.
    review_overdue : bool
        Whether that moment is past.
    counts : mapping of str to int
        Events in the period by name.
    names : mapping of str to str
        Names for user tokens, given for this page alone; never logged.
    """

    verdict: LogReport
    site_name: str
    made: str
    code: PaperCode | None
    period: tuple[int, int]
    workstations: tuple[Workstation, ...] = ()
    exports: tuple[ExportFact, ...] = ()
    accesses: tuple[AccessFact, ...] = ()
    late_changes: tuple[LateChange, ...] = ()
    software: tuple[SoftwareFact, ...] = ()
    config_changes: tuple[ConfigChange, ...] = ()
    failures: tuple[FailureFact, ...] = ()
    reviews: tuple[ReviewFact, ...] = ()
    hours: Hours = field(default_factory=Hours)
    review_days: int = 30
    next_review_due: int | None = None
    review_overdue: bool = False
    counts: Mapping[str, int] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
