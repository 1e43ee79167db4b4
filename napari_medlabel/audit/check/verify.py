"""Verify a whole log: each file by itself, then against everyone who remembers its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from napari_medlabel.audit.check.ends import Ends, judge_batches, judge_order
from napari_medlabel.audit.check.kept import Files, judge_kept
from napari_medlabel.audit.check.outside import Outside, plain_name
from napari_medlabel.audit.check.plural import filled
from napari_medlabel.audit.check.session_check import check_session
from napari_medlabel.audit.check.trust import Trust
from napari_medlabel.audit.check.verdict import LogReport, SessionReport, worst
from napari_medlabel.audit.check.words import sentence_of
from napari_medlabel.audit.disk import SystemClock, place_key, share_kind
from napari_medlabel.audit.format.finding import Finding
from napari_medlabel.audit.format.layout import session_file
from napari_medlabel.audit.keys.site_history import read_history
from napari_medlabel.errors import InputError

_SPOOL: Final = "spool"
_ORDER: Final = {"red": 0, "amber": 1, "note": 2}

Seen = Callable[[str, int, Mapping[str, Any]], None]
Progress = Callable[[int, int], object]


def _name(path: Path, root: Path) -> str:
    """Return a file's name for people."""
    return plain_name(path.relative_to(root).as_posix())


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


@dataclass(frozen=True, slots=True)
class _Reading:
    """How the files of a log are read.

    Parameters
    ----------
    root : Path
        Folder of the log.
    seen : callable or None
        Gets file, line number and record of every sealed event.
    quick : bool
        Whether only the last signature of each file is checked.
    """

    root: Path
    seen: Seen | None
    quick: bool

    def check(
        self,
        path: Path,
        *,
        tell: bool = True,
        reached: Callable[[int], object] | None = None,
    ) -> SessionReport:
        """Return what one file says; again without telling what was told already."""
        file, seen = _name(path, self.root), self.seen if tell else None
        try:
            report = check_session(
                path,
                file,
                None if seen is None else lambda number, record: seen(file, number, record),
                quick=self.quick,
                reached=reached,
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
                "The file is not in its place: what it says of itself belongs to another "
                "name. It was copied, renamed or moved.",
            )
        return report

    def check_all(self, progress: Progress | None) -> dict[str, SessionReport]:
        """Return a report of every session, by file."""
        reports = {}
        paths = session_paths(self.root)
        total = sum(path.stat().st_size for path in paths) if progress is not None else 0
        done = 0

        def reached(length: int) -> None:
            if progress is not None:
                progress(min(done + length, total), total)

        for path in paths:
            report = self.check(path, reached=reached)
            reports[report.file] = report
            reached(report.length)
            done += report.length
        return reports

    def again(
        self, reports: Mapping[str, SessionReport]
    ) -> Callable[[str], SessionReport | None]:
        """Return what reads a file once more where it has grown, or come, since."""

        def read(file: str) -> SessionReport | None:
            path = self.root / file
            if not path.is_file():
                return None
            known = reports.get(file)
            if known is not None and path.stat().st_size == known.length:
                return None
            return self.check(path, tell=known is None)

        return read


def verify_log(  # noqa: PLR0913 - what a verification may be told, all of it optional
    root: Path,
    *,
    state: Path | None,
    seen: Seen | None = None,
    expect: str | None = None,
    receipts: Sequence[Path] = (),
    quick: bool = False,
    officer: str | None = None,
    now_ms: int | None = None,
    objects: bool = False,
    progress: Progress | None = None,
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
    expect : str, optional
        A code on paper that the log must still fit.
    receipts : sequence of Path
        Receipts of exported data sets that the log must still fit.
    quick : bool
        Check only the last signature of each session; said in the sentence.
    officer : str, optional
        The letters of the officer's key, from the officer herself.
    now_ms : int, optional
        Now, milliseconds since 1970; the machine's clock by default.
    objects : bool
        Read every kept version of a mask, too.
    progress : callable, optional
        Called with how many bytes were read, of how many.

    Returns
    -------
    LogReport
        Green only when every session is whole, closed (or its crash recovered) and
        certified by a workstation that a known officer trusts, and somebody outside saw the
        log lately.

    Raises
    ------
    InputError
        When there is no log, a file cannot be read, or a code was mistyped.
    """
    now_ms = SystemClock().utc_ms() if now_ms is None else now_ms
    files = Files()
    reading = _Reading(root, _both(seen, files) if objects else seen, quick)
    history = read_history(root)
    trust = Trust(history, state, officer)
    outside = Outside(root, state, trust.site.witnesses if trust.site else ())
    reports = reading.check_all(progress)
    outside.take_memory(reports.__contains__)
    outside.take_published(reports)
    outside.take_witnesses(reports, has_site=trust.site is not None)
    pruned = trust.pruned(reports.values())
    outside.take_receipts(receipts, pruned)
    outside.take_code(expect, list(reports.values()), pruned)
    ends = Ends(reports, reading.again(reports), pruned, now_ms)
    ends.compare(outside.found)
    if not (reports or ends.findings or outside.findings):
        raise InputError(
            "An audit log was expected, and the folder holds none.",
            hint="Give the folder that holds 'writers', or set MEDLABEL_AUDIT_DIR.",
        )
    ends.judge(outside.memories, trust.window_ms)
    judge_order(reports)
    judge_batches(reports.values())
    trust.judge_sessions(reports, ends.first_outside)
    trust.judge_age(ends.youngest_ms, now_ms)
    findings = [*trust.findings, *outside.findings, *ends.findings]
    findings += judge_kept(root, reports.values())
    findings += files.judge(root) if objects else []
    findings += [*_on_share(root), *_waiting(root, state)]
    by_file = sorted(reports.values(), key=lambda report: report.file)
    findings += [finding for report in by_file for finding in report.findings]
    findings.sort(key=lambda finding: _ORDER[finding.level])
    verdict, has_site = worst(findings), trust.site is not None
    sentence = sentence_of(
        verdict, by_file, ends.limbs, findings, quick=quick, has_site=has_site
    )
    return LogReport(verdict, sentence, tuple(findings), tuple(by_file), tuple(outside.found))


def _on_share(root: Path) -> list[Finding]:
    """Return a note where nobody can know when the log reached a disk."""
    with suppress(OSError):  # no table of mounts to be read: nothing is known either way
        kind = share_kind(root)
        if kind:
            text = (
                f"The log lies on a network share ({kind}), which may say 'on disk' before its "
                "server's disk has a line: after a power cut there the last lines can be gone."
            )
            return [Finding("note", "SHARE", text)]
    return []


def _waiting(root: Path, state: Path | None) -> list[Finding]:
    """Return a finding where sessions of this log still wait on this computer."""
    if state is None:
        return []
    spool = state / _SPOOL / place_key(root)
    count = sum(1 for _ in spool.glob("writers/**/*.jsonl"))
    if not count:
        return []
    text = (
        "On this computer {count} of this log {are} waiting, written while the log's folder "
        "could not be: {they} {are} not part of this answer. The next start takes all home."
    )
    return [Finding("note", "WAITING", filled(text, count, "session"))]


def _both(seen: Seen | None, files: Files) -> Seen:
    """Return what tells both of an event."""

    def tell(file: str, number: int, record: Mapping[str, Any]) -> None:
        files.take(record)
        if seen is not None:
            seen(file, number, record)

    return tell
