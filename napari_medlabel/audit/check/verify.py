"""Verify a whole log: each file by itself, then against everyone who remembers its end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from napari_medlabel.audit.anchors.memory import Remembered, recall
from napari_medlabel.audit.check.columns import Anchor
from napari_medlabel.audit.check.session_check import check_session
from napari_medlabel.audit.check.verdict import (
    Finding,
    LogReport,
    SessionReport,
    Verdict,
    worst,
)
from napari_medlabel.audit.disk import place_key
from napari_medlabel.audit.format.layout import session_file
from napari_medlabel.audit.format.record import CLOCK_TOLERANCE_MS, time_text
from napari_medlabel.errors import InputError

MEMORY: Final = "this computer's own memory"

_ORDER: Final = {"red": 0, "amber": 1, "note": 2}
_UNFINISHED: Final = ("TAIL", "STILLBORN")


def _name(path: Path, root: Path) -> str:
    """Return a file's name for people; nothing in it can steer a terminal."""
    text = path.relative_to(root).as_posix()
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def session_paths(root: Path) -> list[Path]:
    """Return every session file under a log's folder, by name.

    Raises
    ------
    InputError
        When the folder is not there.
    """
    if not root.is_dir():
        raise InputError(
            "The folder of an audit log was expected, and there is none.",
            hint="Give the folder that holds 'writers', or set MEDLABEL_AUDIT_DIR.",
        )
    return sorted(path for path in (root / "writers").rglob("*.jsonl") if path.is_file())


def _check(
    path: Path, root: Path, seen: Callable[[str, int, Mapping[str, Any]], None] | None
) -> SessionReport:
    file = _name(path, root)
    try:
        report = check_session(
            path,
            file,
            None if seen is None else lambda number, record: seen(file, number, record),
        )
    except OSError as err:
        raise InputError(
            f"A session file of the log cannot be read ({type(err).__name__}).",
            hint="Run it as the user who may read the log.",
        ) from err
    if report.origin and session_file(report.origin) != file:
        report.add(
            "red",
            "NAME",
            "The file is not in its place: what it says of itself belongs to another name. "
            "It was copied, renamed or moved.",
        )
    return report


def _compare(report: SessionReport | None, anchor: Anchor, file: str) -> Finding | None:
    """Return what is wrong between a session and somebody who remembers it."""
    head = anchor.head
    if report is None:
        text = (
            f"A whole session is missing: {anchor.holder} remembers {head.size} events of it."
        )
        return Finding("red", "MISSING", text, file)
    if report.events < head.size:
        if report.has("BROKEN"):
            return None  # said already: nothing behind the change can be believed
        text = (
            f"The end is missing: {anchor.holder} remembers {head.size} events, and "
            f"{report.events} are there."
        )
        return Finding("red", "TRUNCATED", text, file)
    if report.seals.root(head.size) != head.root:
        text = (
            f"This is not the log that {anchor.holder} remembers: its first {head.size} "
            "events were others."
        )
        return Finding("red", "FORK", text, file)
    return None


class _Verification:
    """What is known while a log is verified."""

    def __init__(
        self, root: Path, memories: Sequence[Remembered], reports: list[SessionReport]
    ) -> None:
        self._root = root
        self._place = place_key(root)
        self._memories = {session_file(entry.head.origin): entry for entry in memories}
        self.reports = {report.file: report for report in reports}
        self.findings: list[Finding] = []
        self.limbs: set[str] = set()

    def _anchors(self) -> Iterable[Anchor]:
        for file, entry in self._memories.items():
            if entry.head.size and (entry.place == self._place or file in self.reports):
                yield Anchor(entry.head, MEMORY, "memory")
        for report in self.reports.values():
            for anchor in report.anchors:
                if anchor.head.size and anchor.head.origin != report.origin:
                    yield anchor

    def compare_all(self) -> None:
        """Compare every session with everyone who remembers it."""
        said = set()
        for anchor in list(self._anchors()):
            file = session_file(anchor.head.origin)
            report = self.reports.get(file)
            finding = _compare(report, anchor, file)
            if finding is not None and finding.code == "TRUNCATED":
                report = self._read_again(file)
                finding = _compare(report, anchor, file)
            if finding is None:
                self.limbs.add(MEMORY if anchor.kind == "memory" else "later sessions")
            elif (finding.code, file) not in said:
                said.add((finding.code, file))
                (report.findings if report else self.findings).append(finding)

    def _read_again(self, file: str) -> SessionReport:
        """Return a report of a file that may have grown since it was read."""
        report = self.reports[file]
        path = self._root / file
        if path.stat().st_size == report.length:
            return report
        self.reports[file] = _check(path, self._root, None)
        return self.reports[file]

    def judge_ends(self) -> None:
        """Say of every session whether its end is sure."""
        held = {(anchor.head.origin, anchor.head.size) for anchor in self._anchors()}
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
                self._judge_open(report, (file, report.events) in recovered)
            elif (report.origin, report.events) not in held:
                report.add(
                    "amber",
                    "UNREMEMBERED",
                    "Nobody else remembers the end of this session, so a missing end would "
                    "not show. Verify on the computer that wrote it.",
                )

    def _judge_open(self, report: SessionReport, recovered: bool) -> None:
        entry = self._memories.get(report.file)
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

    def judge_order(self) -> None:
        """Say where a writer starts anew, and where clocks went back between sessions."""
        begun = set()
        for report in self.reports.values():
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
            before = self.reports.get(session_file(report.previous.origin))
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


def _sentence(
    verdict: Verdict,
    reports: Sequence[SessionReport],
    limbs: set[str],
    findings: Sequence[Finding],
) -> str:
    count = sum(1 for finding in findings if finding.level == verdict)
    if verdict is Verdict.RED:
        return (
            f"The log was altered, or parts of it are missing: {count} finding(s). Do not "
            "rely on it; keep it as it is and call whoever is responsible for it."
        )
    dated = [report for report in reports if report.events]
    first = time_text(min((report.first_ms for report in dated), default=0))[:16]
    last = time_text(max((report.last_ms for report in dated), default=0))[:16]
    what = (
        f"{sum(report.events for report in reports)} events in {len(reports)} session(s) of "
        f"{len({report.writer for report in reports})} writer(s)"
    )
    if dated:
        what += f", {first.replace('T', ' ')} to {last.replace('T', ' ')} UTC"
    against = " and ".join(sorted(limbs, reverse=True)) or "nothing: nobody else remembers it"
    if verdict is Verdict.GREEN:
        return f"The log is complete and unaltered: {what}. Compared with {against}."
    return (
        f"Nothing shows that the log was altered, but {count} thing(s) could not be "
        f"confirmed: {what}. Compared with {against}."
    )


def verify_log(
    root: Path,
    *,
    state: Path | None,
    seen: Callable[[str, int, Mapping[str, Any]], None] | None = None,
) -> LogReport:
    """Verify a log.

    Parameters
    ----------
    root : Path
        Folder of the log.
    state : Path or None
        Folder of this computer's own memory; None for a log of which it remembers nothing.
    seen : callable, optional
        Called with file, line number and record for each sealed event.

    Returns
    -------
    LogReport
        Green only when every session is whole, closed (or its crash recovered), and
        somebody else remembers its end: a later session, or this computer.

    Raises
    ------
    InputError
        When there is no log, or a file cannot be read.
    """
    try:
        memories = (
            recall(state) if state is not None else []
        )  # before the files: they only grow
    except OSError as err:
        raise InputError(
            f"This computer's memory of the log cannot be read ({type(err).__name__}).",
            hint="Run it as the user who wrote the log, or see MEDLABEL_STATE_DIR.",
        ) from err
    reports = [_check(path, root, seen) for path in session_paths(root)]
    work = _Verification(root, memories, reports)
    work.compare_all()
    work.judge_ends()
    work.judge_order()
    sessions = tuple(work.reports.values())
    if not sessions and not work.findings:
        raise InputError(
            "An audit log was expected, and the folder holds none.",
            hint="Give the folder that holds 'writers', or set MEDLABEL_AUDIT_DIR.",
        )
    findings = [*work.findings, *(f for report in sessions for f in report.findings)]
    findings.sort(key=lambda finding: _ORDER[finding.level])
    verdict = worst(findings)
    sentence = _sentence(verdict, sessions, work.limbs, findings)
    return LogReport(verdict, sentence, tuple(findings), sessions)
