"""What ``medlabel deid`` says: progress, the report in words, what was not passed on."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
    from pathlib import Path

    from napari_medlabel.deid.report.counts import BatchReport

_BAR: Final = 24
_STEP: Final = 10  # per cent between two lines where there is no terminal
_FRAME_S: Final = 0.1
_SLOW_S: Final = 3.0  # before that a rate says little
_MINUTE_S: Final = 60
_HOUR_S: Final = 3600
_KINDS: Final = {"dicom": "DICOM", "nifti": "NIfTI", "nrrd": "NRRD", "metaimage": "MetaImage"}


class Progress:
    """Shows how far a batch is, how fast it goes, and how long it will take.

    Parameters
    ----------
    stream : TextIO
        A bar is drawn on a terminal; elsewhere each tenth gets a line.
    clock : callable
        Seconds that only grow.
    """

    def __init__(
        self, stream: TextIO | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._out = stream or sys.stderr
        self._clock = clock
        self._is_terminal = self._out.isatty()
        self._begun: tuple[float, int] | None = None
        self._shown_at = float("-inf")
        self._percent = 0

    def __call__(self, done: int, total: int) -> None:
        """Tell that so many files are done."""
        now = self._clock()
        if self._begun is None:  # a resumed run begins in the middle
            self._begun = now, done - 1
        if self._is_terminal:
            if done < total and now - self._shown_at < _FRAME_S:
                return
            self._shown_at = now
            filled = _BAR * done // total
            end = "\n" if done == total else ""
            bar = "#" * filled + "." * (_BAR - filled)
            words = self._rate(now, done, total)
            self._out.write(f"\r[{bar}] {done}/{total} files{words}\x1b[K{end}")
            self._out.flush()
            return
        percent = 100 * done // total
        if percent // _STEP > self._percent // _STEP:
            self._percent = percent
            self._out.write(
                f"{done} of {counted(total, 'file')}{self._rate(now, done, total)}\n"
            )
            self._out.flush()

    def _rate(self, now: float, done: int, total: int) -> str:
        """Return files per second and the time left, once they can be told."""
        since, before = self._begun or (now, done)
        seconds = now - since
        if seconds < _SLOW_S or done <= before:
            return ""
        rate = (done - before) / seconds
        shown = f"{rate:.0f}" if rate >= 10 else f"{rate:.1f}"
        left = f", {lasting((total - done) / rate)} left" if done < total else ""
        return f", {shown} per second{left}"


def lasting(seconds: float) -> str:
    """Return a time in words of one or two units."""
    if seconds < _MINUTE_S:
        return f"{seconds:.0f} s"
    if seconds < _HOUR_S:
        return f"{seconds // _MINUTE_S:.0f} min {seconds % _MINUTE_S:.0f} s"
    return f"{seconds // _HOUR_S:.0f} h {seconds % _HOUR_S // _MINUTE_S:.0f} min"


def told(report: BatchReport) -> str:
    """Return the report in words."""
    verb = "would be written" if report.dry_run else "written"
    lines = [
        f"{_by_kind(report)} {verb}",
        f"{counted(report.patients, 'patient')}, PS3.15 {report.edition} {report.profile}",
        f"key {report.key_id or 'none yet: the run makes one'}",
        f"attributes kept {report.kept}, "
        + ", ".join(f"{name} {count}" for name, count in report.actions.items()),
    ]
    if report.chosen:
        counts = {name: report.options.get(name, 0) for name in report.chosen}
        said = (f"{name} {count}" if count else name for name, count in counts.items())
        lines.append("options: " + ", ".join(said))
    lines += [f"pixels: {what} ({counted(n, 'file')})" for what, n in _pixels(report)]
    lines += [f"faces: {count} series ({what})" for what, count in report.faces.items()]
    lines += [f"left out: {count} ({what})" for what, count in report.skipped.items()]
    lines += [
        f"note: {what} ({counted(count, 'file')})" for what, count in report.notes.items()
    ]
    return "\n".join(lines)


def _by_kind(report: BatchReport) -> str:
    """Return how many files of each kind there are, in one phrase."""
    both = {"dicom": report.dicom, "nifti": report.nifti}
    kinds = report.written or {kind: count for kind, count in both.items() if count}
    shown = [f"{count} {_KINDS.get(kind, kind)}" for kind, count in kinds.items()]
    if not shown:
        return "no files"
    first = ", ".join(shown[:-1]) + " and " if shown[1:] else ""
    return f"{first}{shown[-1]} file{'' if sum(kinds.values()) == 1 else 's'}"


def _pixels(report: BatchReport) -> Iterable[tuple[str, int]]:
    regions = ", ".join(f"{name} {count}" for name, count in report.regions.items())
    for option, files in report.pixel_files.items():
        yield f"{option} done" + (f", regions blanked: {regions}" if regions else ""), files


def not_passed_on(report: BatchReport) -> list[str]:
    """Return lines about what was quarantined: positions and reasons, no names."""
    reasons: dict[str, list[int]] = {}
    for file in report.quarantined:
        reasons.setdefault(file.reason.value, []).append(file.position)
    lines = [
        f"quarantined: {len(positions)} ({reason}), file {_few(positions)}"
        for reason, positions in sorted(reasons.items())
    ]
    if lines:
        lines.append(
            f"{len(report.quarantined)} of {counted(report.files, 'file')} not passed on. "
            "File N is the N-th line of: find SRC -type f | LC_ALL=C sort"
        )
    lines += [
        f"fault in the program ({fault}): {counted(count, 'file')}; please report it"
        for fault, count in report.faults.items()
    ]
    if report.review:
        lines.append(
            f"{counted(len(report.review), 'cleaned image')} must be looked at and "
            "did not leave: open index.html in the review folder (DST-review, or --review), "
            "then run: medlabel deid review DIR --into DST"
        )
    return lines


def paths_of(report: BatchReport, source: Path) -> Iterable[str]:
    """Yield which source files were quarantined, for the eyes of who has them.

    Parameters
    ----------
    report : BatchReport
        Of a run on the source.
    source : Path
        The folder or file.
    """
    from napari_medlabel.deid.batch.sources import source_files

    reasons = {file.position: file.reason.value for file in report.quarantined}
    for file in source_files(source):
        if file.position in reasons and file.position:
            yield f"file {file.position} ({reasons[file.position]}): {file.relative}"
        elif file.result is not None and not file.position and 0 in reasons:
            yield f"not listed or linked: {file.relative}"


def _few(positions: list[int], most: int = 10) -> str:
    """Return the first positions, and how many more there are."""
    shown = ", ".join(str(position) for position in positions[:most])
    return shown if len(positions) <= most else f"{shown} and {len(positions) - most} more"


def say(text: str) -> None:
    """Tell whoever runs the command, not whoever reads its output."""
    print(text, file=sys.stderr)


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where it is one."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
