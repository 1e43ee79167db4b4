"""What the officer's page says, as facts: tokens, counts and digests, no identity.

`napari_medlabel.audit.report.gather.facts_of` makes them in one pass over the log.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_medlabel.audit.anchors.code import PaperCode
    from napari_medlabel.audit.check.verdict import LogReport


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


@dataclass(frozen=True, slots=True)
class Override:
    """A rule of a de-identification that somebody set aside.

    Parameters
    ----------
    at_ms : int
        When.
    user : str
        Token.
    tag : str
        Keyword and tag, as ``PatientSex (0010,0040)``.
    reason : str
        Its code.
    """

    at_ms: int
    user: str
    tag: str
    reason: str


@dataclass(frozen=True, slots=True)
class ExportFact:
    """Something that left.

    Parameters
    ----------
    begin_ms : int
        When it began.
    end_ms : int or None
        When it ended; None where nothing says that it did.
    outcome : str
        done, failed, or unfinished (begun, and no end in the log).
    user : str
        Token.
    destination : str
        folder, removable, network, ..., or empty where it is not said.
    files : int
        How many.
    subjects : tuple of str
        Tokens of the patients, where the log names them.
    profile, profile_hash, edition : str
        Rules of the de-identification; empty where there was none.
    options : tuple of str
        What the profile was told to keep or clean.
    retained : int or None
        Identifiers that were kept; None where the log does not say, as when nothing was
        de-identified. None is not "0 retained".
    retained_tags : tuple of str
        Keyword and tag of each.
    overrides : tuple of Override
        Rules set aside for it.
    manifest, receipt : str
        Digests, or empty.
    file : str
        Session file.
    line : int
        Line where it began.
    what : str
        data set, screenshot, animation, clipboard, print, saved layer, identity table, or
        the log itself.
    format : str
        nifti, dicom, ..., or empty.
    cases : int
        Patients or cases that it has; 0 where the log does not say.
    deidentified : bool or None
        Whether identity was removed; None where the log does not say.
    cause : str
        Why it failed, or empty.
    """

    begin_ms: int
    end_ms: int | None
    outcome: str
    user: str
    destination: str
    files: int
    subjects: tuple[str, ...]
    profile: str
    profile_hash: str
    edition: str
    options: tuple[str, ...]
    retained: int | None
    retained_tags: tuple[str, ...]
    overrides: tuple[Override, ...]
    manifest: str
    receipt: str
    file: str
    line: int
    what: str = "data set"
    format: str = ""
    cases: int = 0
    deidentified: bool | None = None
    cause: str = ""


@dataclass(frozen=True, slots=True)
class AccessFact:
    """Somebody saw, or asked to see, what belongs to a patient.

    Parameters
    ----------
    at_ms : int
        When.
    user : str
        Token.
    event : str
        volume.open, volume.open.denied, header.view, deid.preview, import.convert,
        reid.lookup or reid.export.
    subject : str
        Token of the patient; empty where the log names none.
    outcome : int
        0 for success.
    explained : str
        Why it is no surprise, in words; empty: unexplained.
    off_hours : bool
        Whether it was outside the hours of the policy.
    file : str
        Session file.
    line : int
        Line.
    role : str
        annotator, reviewer, ...
    """

    at_ms: int
    user: str
    event: str
    subject: str
    outcome: int
    explained: str
    off_hours: bool
    file: str
    line: int
    role: str = "unknown"


@dataclass(frozen=True, slots=True)
class LateChange:
    """A mask or landmarks changed after they had been approved.

    Parameters
    ----------
    at_ms : int
        When.
    user, subject : str
        Tokens.
    case : str
        Digest of the case as the approval names it, or empty.
    before, after : int or None
        Labelled voxels; None where no version is kept to count them.
    voxels_added, voxels_removed : int
        As the event says.
    dice_milli : int or None
        Overlap of before and after, 1000 for none changed.
    reason : str
        Code, or empty.
    reapproved : bool
        Whether it was approved again afterwards.
    thumbnails : tuple of str
        Data URIs of PNG pictures: before and after, side by side, of the slices that
        changed most. Colours of the mask alone, no pixel of the scan.
    event : str
        mask.save, mask.restore, mask.delete, edit.unattributed or landmark.save.
    old, new : str
        Content ids, or empty.
    approved_ms : int
        When it had been approved.
    file : str
        Session file.
    line : int
        Line.
    """

    at_ms: int
    user: str
    subject: str
    case: str
    before: int | None
    after: int | None
    voxels_added: int
    voxels_removed: int
    dice_milli: int | None
    reason: str
    reapproved: bool
    thumbnails: tuple[str, ...] = ()
    event: str = "mask.save"
    old: str = ""
    new: str = ""
    approved_ms: int = 0
    file: str = ""
    line: int = 0


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
        For paper; None where the log has no sealed event.
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
