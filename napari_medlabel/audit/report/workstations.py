"""What each workstation wrote, who else remembers it, and whether its key is trusted."""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from napari_medlabel.audit.format.catalogue import EVENTS
from napari_medlabel.audit.format.layout import session_file, writer_of
from napari_medlabel.audit.format.seal import Head, from_base64
from napari_medlabel.audit.report.facts import Workstation
from napari_medlabel.audit.report.seen import Line

if TYPE_CHECKING:
    from napari_medlabel.audit.check.verdict import LogReport, SessionReport
    from napari_medlabel.audit.keys.site import Site

_MINUTE_MS: Final = 60_000
_TRUST: Final = ("revoked", "unknown", "trusted", "uncertified")


class Ends:
    """Collects what sessions of other workstations remember, and the time of every event."""

    events: Final = tuple(name for name, spec in EVENTS.items() if spec.anchors)

    def __init__(self) -> None:
        self.times: dict[str, array[int]] = {}
        self.jumps: dict[str, int] = defaultdict(int)
        self.installs: dict[str, bytes] = {}
        self.held: dict[str, int] = {}
        self.kinds: dict[str, set[str]] = defaultdict(set)

    def tick(self, file: str, at_ms: int) -> None:
        """Take the time of the next event, of whatever kind."""
        self.times.setdefault(file, array("q")).append(at_ms)

    def take(self, line: Line) -> None:
        """Take the next event that remembers other sessions."""
        if line.event == "session.open" and "install" in line.detail:
            self.installs[line.file] = from_base64(line.detail["install"], 32)
        writer = line.file.split("/")[1]
        for key in EVENTS[line.event].anchors:
            found = line.detail.get(key, [])
            for item in found if isinstance(found, list) else [found]:
                if writer_of(item["origin"]) != writer:
                    self.hold("peer", item["origin"], item["size"])

    def hold(self, kind: str, origin: str, size: int) -> None:
        """Take note that somebody outside remembers a session up to a size."""
        file = session_file(origin)
        self.held[file] = max(size, self.held.get(file, 0))
        self.kinds[writer_of(origin)].add(kind)


def _trust(report: SessionReport, ends: Ends, site: Site | None) -> str:
    public = ends.installs.get(report.file)
    if public is None:
        return "uncertified"
    if site is None:
        return "unknown"
    return site.trusts(report.writer, public, report.first_ms)


def _oldest_min(reports: list[SessionReport], ends: Ends, now_ms: int) -> int | None:
    """Return minutes since the first event that nobody outside remembers."""
    oldest = None
    for report in reports:
        held = ends.held.get(report.file, 0)
        times = ends.times.get(report.file, array("q"))
        if held < len(times):
            oldest = times[held] if oldest is None else min(oldest, times[held])
    return None if oldest is None else max(0, (now_ms - oldest) // _MINUTE_MS)


def _workstation(
    writer: str, reports: list[SessionReport], ends: Ends, site: Site | None, now_ms: int
) -> Workstation:
    dated = [report for report in reports if report.events]
    set_back = sum(finding.code == "CLOCK" for report in reports for finding in report.findings)
    trust = Counter(_trust(report, ends, site) for report in dated if not report.vouched)
    return Workstation(
        writer=writer,
        sessions=len(reports),
        events=sum(report.events for report in reports),
        unclosed=sum(not (report.closed or report.has("RECOVERED")) for report in reports),
        clock_jumps=max(set_back, sum(ends.jumps[report.file] for report in reports)),
        anchors=tuple(sorted(ends.kinds.get(writer, ()))),
        oldest_unanchored_min=_oldest_min(reports, ends, now_ms),
        trust=next((word for word in _TRUST if word in trust), "uncertified"),
        first_ms=min((report.first_ms for report in dated), default=0),
        last_ms=max((report.last_ms for report in dated), default=0),
        vouched=sum(report.vouched for report in dated),
        bare=trust["uncertified"],
    )


def workstations(
    report: LogReport,
    ends: Ends,
    *,
    site: Site | None,
    now_ms: int,
    outside: Iterable[tuple[str, Head]] = (),
) -> tuple[Workstation, ...]:
    """Return one row for each writer, by name.

    Parameters
    ----------
    report : LogReport
        Of the verification.
    ends : Ends
        What was seen in the same pass.
    site : Site or None
        Whose keys are trusted.
    now_ms : int
        Now.
    outside : iterable of (str, Head)
        Heads that others hold besides the sessions themselves, with the kind of each:
        memory, witness, receipt, paper, tsa. The memory lies on the same computer, so it
        is named and does not count as outside.
    """
    for kind, head in outside:
        ends.hold(kind, head.origin, 0 if kind == "memory" else head.size)
    by_writer: dict[str, list[SessionReport]] = defaultdict(list)
    for session in report.sessions:
        by_writer[session.writer].append(session)
    return tuple(
        _workstation(writer, by_writer[writer], ends, site, now_ms)
        for writer in sorted(by_writer)
    )
