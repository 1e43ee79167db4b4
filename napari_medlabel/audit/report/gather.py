"""Gather the facts of the officer's page in one pass over a log, verified on the way."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from napari_medlabel.audit.anchors.code import PaperCode, make_code
from napari_medlabel.audit.check.verdict import LogReport, Verdict
from napari_medlabel.audit.check.verify import Seen, verify_log
from napari_medlabel.audit.format.layout import SITE, SITE_HISTORY
from napari_medlabel.audit.format.record import time_ms, time_text
from napari_medlabel.audit.keys.site import Policy, Site, read_site
from napari_medlabel.audit.report.accesses import Accesses
from napari_medlabel.audit.report.exports_seen import Departures
from napari_medlabel.audit.report.facts import Facts, Hours, ReviewFact
from napari_medlabel.audit.report.late_changes import LateChanges
from napari_medlabel.audit.report.seen import Gatherer, Line
from napari_medlabel.audit.report.thumbnails import MOST_PICTURED, with_pictures
from napari_medlabel.audit.report.upkeep import Failures, Reviews, Settings, Software
from napari_medlabel.audit.report.workstations import Ends, workstations
from napari_medlabel.errors import InputError

if TYPE_CHECKING:
    from napari_medlabel.audit.report.deeds import LateChange

DAY_MS: Final = 86_400_000
_NO_SITE: Final = "local"
_OWN_WORD: Final = "published"  # a session's own head, beside the log
_LARGEST_SITE: Final = 4 << 20


class _Dated(Protocol):
    @property
    def at_ms(self) -> int:
        """When."""
        ...


_Fact = TypeVar("_Fact", bound=_Dated)


@dataclass(slots=True)
class _Pass:
    """Everybody who listens while the log goes by.

    Parameters
    ----------
    policy : Policy
        Of the site.
    period : tuple of int or None
        First and last millisecond that count.
    """

    policy: Policy
    period: tuple[int, int] | None
    departures: Departures = field(default_factory=Departures)
    accesses: Accesses = field(init=False)
    late: LateChanges = field(default_factory=LateChanges)
    failures: Failures = field(default_factory=Failures)
    settings: Settings = field(default_factory=Settings)
    reviews: Reviews = field(default_factory=Reviews)
    software: Software = field(init=False)
    ends: Ends = field(default_factory=Ends)
    counts: Counter[str] = field(default_factory=Counter)
    _by_event: dict[str, list[Gatherer]] = field(init=False)
    _file: str = ""

    def __post_init__(self) -> None:
        self.accesses = Accesses(hours_of(self.policy))
        self.software = Software(self.policy.validated)
        everybody: tuple[Gatherer, ...] = (
            self.departures,
            self.accesses,
            self.late,
            self.failures,
            self.settings,
            self.reviews,
            self.software,
            self.ends,
        )
        self._by_event = defaultdict(list)
        for one in everybody:
            for event in one.events:
                self._by_event[event].append(one)

    def seen(self, file: str, number: int, record: Mapping[str, Any]) -> None:
        """Take the next sealed event."""
        if file != self._file:
            self.departures.end_session()
            self._file = file
        event, at_ms = record["event"], time_ms(record["time"])
        self.ends.tick(file, at_ms)
        if event == "clock.jump":
            self.ends.jumps[file] += 1
        if self.period is None or self.period[0] <= at_ms <= self.period[1]:
            self.counts[event] += 1
        listeners = self._by_event.get(event)
        if listeners:
            line = Line(file, number, at_ms, record)
            for one in listeners:
                one.take(line)


def hours_of(policy: Policy) -> Hours:
    """Return when people work, by a site's policy."""
    return Hours(policy.work_from, policy.work_to, policy.work_days, policy.utc_offset_minutes)


def site_of(root: Path) -> Site | None:
    """Return what the site's document says, or None where there is none to be believed.

    That it is broken is a finding of the verification, not of this page.
    """
    try:
        signed = read_site(root)
    except InputError:
        return None
    return signed.site if signed is not None else None


def _site_name(site: Site | None, report: LogReport) -> str:
    if site is not None:
        return site.name
    origins = [session.origin for session in report.sessions if session.origin]
    return max(origins, default=f"/{_NO_SITE}").split("/")[1]


def _code(report: LogReport, site: str, time: str) -> PaperCode | None:
    """Return the code for paper; a log that was altered gets none that would lend it trust."""
    if report.verdict is Verdict.RED or not report.events:
        return None
    return make_code(report.sessions, site, time)


def _pictured(changes: list[LateChange], root: Path) -> tuple[LateChange, ...]:
    """Return changes with pictures for the latest of them."""
    plain = max(0, len(changes) - MOST_PICTURED)
    return (*changes[:plain], *(with_pictures(change, root) for change in changes[plain:]))


def _due(reviews: list[ReviewFact], report: LogReport, policy: Policy) -> int | None:
    """Return when the next review is due: counted from the last, or from the first event."""
    if reviews:
        last = reviews[-1]
        return last.at_ms + (last.next_days or policy.review_days) * DAY_MS
    begun = [session.first_ms for session in report.sessions if session.events]
    return min(begun) + policy.review_days * DAY_MS if begun else None


def _period(report: LogReport, asked: tuple[int, int] | None) -> tuple[int, int]:
    if asked is not None:
        return asked
    dated = [session for session in report.sessions if session.events]
    first = min((session.first_ms for session in dated), default=0)
    return first, max((session.last_ms for session in dated), default=0)


def _both(first: Seen, second: Seen | None) -> Seen:
    if second is None:
        return first

    def seen(file: str, number: int, record: Mapping[str, Any]) -> None:
        first(file, number, record)
        second(file, number, record)

    return seen


def facts_of(
    root: Path,
    *,
    state: Path | None,
    now_ms: int,
    period: tuple[int, int] | None = None,
    names: Mapping[str, str] | None = None,
    seen: Seen | None = None,
) -> Facts:
    """Verify a log and gather what the officer's page says of it.

    Parameters
    ----------
    root : Path
        Folder of the log.
    state : Path or None
        This computer's own memory; None where it remembers nothing of this log.
    now_ms : int
        Now, milliseconds since 1970.
    period : tuple of int, optional
        First and last millisecond that the lists shall cover; the whole log by default.
        The verdict, the workstations, the software and the next review are of the whole log.
    names : mapping of str to str, optional
        Names for user tokens, for the page alone.
    seen : callable, optional
        Called with file, line number and record of each sealed event, in the same pass.

    Returns
    -------
    Facts
        Without identity, but for `names`.

    Raises
    ------
    InputError
        When there is no log, or it cannot be read.
    """
    site = site_of(root)
    policy = site.policy if site is not None else Policy()
    work = _Pass(policy, period)
    report = verify_log(root, state=state, seen=_both(work.seen, seen), now_ms=now_ms)
    held = ((anchor.kind, anchor.head) for anchor in report.outside)
    work.departures.end_session()
    made, name = time_text(now_ms), _site_name(site, report)
    first, last = covered = _period(report, period)

    def within(facts: Iterable[_Fact]) -> tuple[_Fact, ...]:
        return tuple(fact for fact in facts if first <= fact.at_ms <= last)

    reviews = work.reviews.facts()
    due = _due(reviews, report, policy)
    return Facts(
        verdict=report,
        site_name=site.name if site is not None else "",
        made=made,
        code=_code(report, name, made),
        period=covered,
        workstations=workstations(
            report,
            work.ends,
            site=site,
            now_ms=now_ms,
            outside=(one for one in held if one[0] != _OWN_WORD),
        ),
        exports=tuple(
            fact for fact in work.departures.facts() if first <= fact.begin_ms <= last
        ),
        accesses=within(work.accesses.facts()),
        late_changes=_pictured(list(within(work.late.facts())), root),
        software=tuple(work.software.facts()),
        config_changes=within(work.settings.facts()),
        failures=within(work.failures.facts()),
        reviews=within(reviews),
        hours=hours_of(policy),
        review_days=policy.review_days,
        next_review_due=due,
        review_overdue=due is not None and due < now_ms,
        counts=dict(sorted(work.counts.items())),
        names=dict(names or {}),
    )


def log_bytes(root: Path, report: LogReport) -> list[tuple[str, bytes]]:
    """Return every session file as it was verified, and all versions of the site's document.

    Parameters
    ----------
    root : Path
        Folder of the log.
    report : LogReport
        Of its verification; what a running session has written since is cut off. A file
        whose name has to be shown changed is left out: it is no session of ours.

    Raises
    ------
    InputError
        When a file cannot be read any more.
    """
    found = []
    wanted = [(session.file, session.length) for session in report.sessions]
    kept = [path.relative_to(root).as_posix() for path in (root / SITE_HISTORY).glob("*.json")]
    for file, length in (*wanted, *((one, _LARGEST_SITE) for one in (*sorted(kept), SITE))):
        path = root / file
        if not path.is_file():
            continue
        try:
            with path.open("rb") as stream:
                found.append((file, stream.read(length)))
        except OSError as err:
            raise InputError(
                f"A session file of the log cannot be read ({type(err).__name__}).",
                hint="Run it as the user who may read the log.",
            ) from err
    return found
