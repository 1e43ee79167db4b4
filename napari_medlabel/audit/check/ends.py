"""Compare every session with everyone who remembers it, and say whether its end is sure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from napari_medlabel.audit.anchors.memory import Remembered
from napari_medlabel.audit.check.columns import Anchor
from napari_medlabel.audit.check.outside import all_anchors, limb_of
from napari_medlabel.audit.check.plural import agreeing, counted
from napari_medlabel.audit.check.verdict import SessionReport
from napari_medlabel.audit.format.finding import Finding
from napari_medlabel.audit.format.layout import session_file
from napari_medlabel.audit.format.record import CLOCK_TOLERANCE_MS
from napari_medlabel.audit.format.seal import Head

_UNFINISHED: Final = ("TAIL", "STILLBORN")
_AHEAD_MS: Final = 600_000  # by which the clock of another computer may be ahead

Again = Callable[[str], SessionReport | None]


def _compare(report: SessionReport | None, anchor: Anchor, file: str) -> Finding | None:
    """Return what is wrong between a session and somebody who remembers it."""
    head = anchor.head
    if report is None:
        text = (
            f"A whole session is missing: {anchor.holder} remembers "
            f"{counted(head.size, 'event')} of it."
        )
        return Finding("red", "MISSING", text, file)
    if report.events < head.size:
        if report.has("BROKEN"):
            return None  # said already: nothing behind the change can be believed
        text = (
            f"The end is missing: {anchor.holder} remembers {counted(head.size, 'event')}, "
            f"and {report.events} {agreeing(report.events, 'are')} there."
        )
        return Finding("red", "TRUNCATED", text, file)
    if report.seals.root(head.size) != head.root:
        text = (
            f"This is not the log that {anchor.holder} remembers: the first "
            f"{counted(head.size, 'event')} of it {agreeing(head.size, 'were')} not the same."
        )
        return Finding("red", "FORK", text, file)
    return None


class Ends:
    """The sessions of a log beside what others hold of them.

    Parameters
    ----------
    reports : dict
        Every session, by file; a session that has grown is replaced by its newer report.
    again : callable
        Reads a file once more that may have grown, or come, since it was read.
    pruned : frozenset of Head
        Ends of sessions that the officer had deleted.
    now_ms : int
        Now, milliseconds since 1970: what claims to have been seen later tells no time.
    """

    def __init__(
        self,
        reports: dict[str, SessionReport],
        again: Again,
        pruned: frozenset[Head],
        now_ms: int,
    ) -> None:
        self._latest_ms = now_ms + _AHEAD_MS
        self.reports = reports
        self._again = again
        self._pruned = {session_file(head.origin): head for head in pruned}
        self._held: set[tuple[str, int]] = set()
        self.findings: list[Finding] = []
        self.limbs: set[str] = set()
        self.youngest_ms = 0
        self.first_outside: dict[str, int] = {}

    def compare(self, outside: Iterable[Anchor]) -> None:
        """Compare every session with everyone who remembers it."""
        said = set()
        for anchor in list(all_anchors(outside, list(self.reports.values()))):
            file = session_file(anchor.head.origin)
            finding = self._finding(file, anchor)
            if finding is None:
                self._confirm(file, anchor)
            elif (finding.code, file) not in said:
                said.add((finding.code, file))
                report = self.reports.get(file)
                (report.findings if report else self.findings).append(finding)

    def _finding(self, file: str, anchor: Anchor) -> Finding | None:
        finding = _compare(self.reports.get(file), anchor, file)
        if finding is None or finding.code not in {"TRUNCATED", "MISSING"}:
            return finding
        newer = self._again(file)
        if newer is not None:
            self.reports[file] = newer
        finding = _compare(self.reports.get(file), anchor, file)
        if finding is not None and finding.code == "MISSING" and self._is_pruned(file, anchor):
            text = "This session was deleted when its time was over, as the officer signed."
            return Finding("note", "PRUNED", text, file)
        return finding

    def _is_pruned(self, file: str, anchor: Anchor) -> bool:
        end = self._pruned.get(file)
        return end is not None and (anchor.head == end or anchor.head.size < end.size)

    def _confirm(self, file: str, anchor: Anchor) -> None:
        limb = limb_of(anchor)
        if not limb:
            return
        self.limbs.add(limb)
        self._held.add((anchor.head.origin, anchor.head.size))
        if anchor.is_outside and 0 < anchor.at_ms <= self._latest_ms:
            self.youngest_ms = max(self.youngest_ms, anchor.at_ms)
            first = self.first_outside.get(file, anchor.at_ms)
            self.first_outside[file] = min(first, anchor.at_ms)

    def judge(self, memories: Mapping[str, Remembered], window_ms: int = 0) -> None:
        """Say of every session whether its end is sure.

        Parameters
        ----------
        memories : mapping
            What this computer remembers, by file.
        window_ms : int
            How long the site lets an end wait until somebody outside has seen it; 0 where
            there is no site.
        """
        recovered = {
            (session_file(anchor.head.origin), anchor.head.size)
            for report in self.reports.values()
            for anchor in report.anchors
            if anchor.kind == "session.recover"
        }
        for file, report in self.reports.items():
            if report.has("BROKEN", "NAME"):
                continue
            if not report.closed:
                _judge_open(report, memories.get(file), (file, report.events) in recovered)
            elif (report.origin, report.events) in self._held:
                continue
            elif self._may_wait(report, window_ms):
                report.add(
                    "note",
                    "RECENT",
                    "This session ended after somebody outside last saw the log, within the "
                    "time that the site allows. Until the next look a missing end would not "
                    "show.",
                )
            else:
                report.add(
                    "amber",
                    "UNREMEMBERED",
                    "Nobody else remembers the end of this session, so a missing end would "
                    "not show. Verify on the computer that wrote it.",
                )

    def _may_wait(self, report: SessionReport, window_ms: int) -> bool:
        """Return whether an end is younger than a look from outside that is young enough."""
        now_ms = self._latest_ms - _AHEAD_MS
        fresh = self.youngest_ms > 0 and now_ms - self.youngest_ms <= window_ms
        return fresh and report.last_ms >= self.youngest_ms


def _judge_open(report: SessionReport, entry: Remembered | None, recovered: bool) -> None:
    if entry is not None and entry.live:
        report.findings = [f for f in report.findings if f.code not in _UNFINISHED]
        report.add(
            "amber",
            "RUNNING",
            "This session is still being written by a program that runs now. Close it "
            "and verify again for a final answer.",
        )
    elif recovered:
        report.findings = [
            Finding("note", f.code, f.text, f.file, f.line) if f.code in _UNFINISHED else f
            for f in report.findings
        ]
        report.add(
            "note",
            "RECOVERED",
            "The program ended here without closing the session. The next session "
            "compared it with this computer's memory: nothing acknowledged is missing.",
        )
    else:
        report.add(
            "amber",
            "OPEN",
            "The session was not closed: the program ended without a word, as by a "
            "crash. The next session on the same computer clears this.",
        )


def judge_order(reports: Mapping[str, SessionReport]) -> None:
    """Say where a writer starts anew, and where clocks went back between sessions."""
    begun = set()
    for report in reports.values():
        if not report.events:
            continue
        if report.previous is None:
            if report.writer in begun:
                report.add(
                    "amber",
                    "CHAIN",
                    "This session does not name the one before it: the computer had "
                    "lost its memory of the log.",
                    1,
                )
            begun.add(report.writer)
            continue
        before = reports.get(session_file(report.previous.origin))
        if (
            before is not None
            and report.previous.size == before.events
            and report.first_ms < before.last_ms - CLOCK_TOLERANCE_MS
        ):
            report.add(
                "amber",
                "CLOCK",
                "The clock of the computer was set back between the session before and "
                "this one.",
                1,
            )


def judge_batches(reports: Iterable[SessionReport]) -> None:
    """Say where the workers of a batch did not all end as they should."""
    for report in reports:
        started = 0
        for batch in report.batches:
            started += -1 if batch.closed else 1
            if batch.closed and set(batch.expected) != set(batch.actual):
                report.add(
                    "amber",
                    "BATCH",
                    "A worker of this batch did not end as it should: it reported another "
                    "end of its session than was found, or none.",
                    batch.line,
                )
        if started > 0:
            report.add(
                "amber",
                "BATCH",
                "A batch was begun here, and nothing says how its workers ended.",
                next(batch.line for batch in reversed(report.batches) if not batch.closed),
            )
