"""Runs ours and the peer in turn; medians, and the peak memory in a process of its own."""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Row = dict[str, Any]


def nothing(*_: object) -> None:
    """Do nothing: the default where a side needs no preparation."""


@dataclass(frozen=True)
class Side:
    """One of the two things that are compared.

    Parameters
    ----------
    run : callable
        What is timed, called with the number of the run. It returns None, or the seconds
        where it measures by itself.
    before : callable
        Called with the same number before each run, not timed.
    done : callable
        Called after the last run.
    calls : int
        How many equal things one run does; seconds are given for one of them.
    """

    run: Callable[[int], float | None]
    before: Callable[[int], object] = nothing
    done: Callable[[], object] = nothing
    calls: int = 1

    def seconds(self, number: int) -> float:
        """Do one run and return the seconds for one call."""
        self.before(number)
        gc.collect()
        start = time.perf_counter()
        told = self.run(number)
        taken = time.perf_counter() - start
        return (taken if told is None else told) / self.calls


@dataclass(frozen=True)
class Work:
    """One row: a piece of work that both sides do.

    Parameters
    ----------
    name : str
        The work in words.
    ours, theirs : callable
        Make a side from the folder that `prepare` filled.
    peer : str
        The peer in words.
    goal : float or None
        Least ratio of the peer's time to ours; None where there is no goal.
    repeats : int
        Timed runs of each side, after one that warms up.
    inside : callable, optional
        What to do instead of ``ours`` to measure the peak, where ours starts a process.
    unit : str
        ``"s"``; another where both sides return not seconds but, say, megabytes.
    unable : str
        Why the row cannot be measured here; empty when it can.
    """

    name: str
    ours: Callable[[Path], Side]
    peer: str
    theirs: Callable[[Path], Side]
    goal: float | None
    repeats: int = 5
    inside: Callable[[Path], object] | None = None
    unit: str = "s"
    unable: str = ""


def compare(work: Work, folder: Path) -> tuple[float, float]:
    """Return the median seconds of ours and of the peer, run in turn."""
    ours, theirs = work.ours(folder), work.theirs(folder)
    times: tuple[list[float], list[float]] = [], []
    try:
        for number in range(work.repeats + 1):
            pair = ((ours, times[0]), (theirs, times[1]))
            # Who goes first alternates: neither side always finds the other's warm caches.
            for side, taken in pair if number % 2 else pair[::-1]:
                seconds = side.seconds(number)
                if number:  # the first run warms up
                    taken.append(seconds)
    finally:
        ours.done()
        theirs.done()
    return statistics.median(times[0]), statistics.median(times[1])


def peak_mb() -> float | None:
    """Return the most memory this process has held, in MB; None where nobody tells.

    Linux passes ``ru_maxrss`` on from the parent to a started process, so that a small child
    of a large parent looks large. ``VmHWM`` is the process's own.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    try:
        import resource
    except ImportError:  # Windows
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def own_peak(script: Path, number: int, folder: Path) -> float | None:
    """Let a fresh process do our side of a work once; return its peak in MB."""
    command = [sys.executable, str(script), "--peak", str(number), "--folder", str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    found = json.loads(done.stdout.splitlines()[-1])
    return None if found is None else float(found)


def row(work: Work, ours_s: float, peer_s: float, peak: float | None) -> Row:
    """Return a measured row."""
    ratio = peer_s / ours_s
    return {
        "work": work.name,
        "ours_s": ours_s,
        "peer": work.peer,
        "peer_s": peer_s,
        "ratio": ratio,
        "peak_mb": peak,
        "goal": work.goal,
        "met": None if work.goal is None else ratio >= work.goal,
        "unit": work.unit,
    }


def skipped(work: Work, reason: str) -> Row:
    """Return a row that was not measured, with the reason in place of the peer."""
    return {
        "work": work.name,
        "ours_s": None,
        "peer": f"skipped: {reason}",
        "peer_s": None,
        "ratio": None,
        "peak_mb": None,
        "goal": work.goal,
        "met": None,
    }


def cells(one: Row) -> list[str]:
    """Return a row as words: work, ours, peer, its time, ratio, peak, goal, met."""

    def seconds(value: float | None) -> str:
        if value is None:
            return "-"
        if one.get("unit", "s") != "s":
            return f"{value:.3g} {one['unit']}"
        return f"{value * 1e3:.3g} ms" if value < 1 else f"{value:.2f} s"

    ratio, peak, goal = one["ratio"], one["peak_mb"], one["goal"]
    met = {None: "-", True: "yes", False: "**no**"}[one["met"]]
    return [
        one["work"],
        seconds(one["ours_s"]),
        one["peer"],
        seconds(one["peer_s"]),
        "-" if ratio is None else f"{ratio:.2f}",
        "-" if peak is None else f"{peak:.0f} MB",
        "-" if goal is None else f">= {goal:g}",
        met,
    ]


HEADS = ("Work", "Ours", "Peer", "Peer's time", "Ratio", "Our peak", "Goal", "Met")


def table(rows: Sequence[Row]) -> str:
    """Return rows as a Markdown table."""
    lines = ["| " + " | ".join(HEADS) + " |", "|---|--:|---|--:|--:|--:|--:|:-:|"]
    lines += ["| " + " | ".join(cells(one)) + " |" for one in rows]
    return "\n".join(lines)


def main(
    script: str,
    works: Sequence[Work],
    prepare: Callable[[Path], object] = nothing,
    *,
    unable: str = "",
) -> None:
    """Run an area: ``--json`` prints its rows as JSON, otherwise as a table.

    Parameters
    ----------
    script : str
        The area's file.
    works : sequence of Work
        Its rows.
    prepare : callable
        Fills a temporary folder with what the works need.
    unable : str
        Why nothing can be measured here; empty when it can.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true", help="rows as JSON")
    parser.add_argument("--peak", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.peak is not None:
        _print_peak(works[arguments.peak], arguments.folder)
        return
    rows = [skipped(work, unable) for work in works] if unable else []
    if not unable:
        with tempfile.TemporaryDirectory(prefix="medlabel-bench-") as name:
            folder = Path(name)
            prepare(folder)
            peaks: dict[object, float | None] = {}
            for number, work in enumerate(works):
                if work.unable:
                    rows.append(skipped(work, work.unable))
                    continue
                act = work.inside or work.ours
                if act not in peaks:  # rows that differ only in the peer share our peak
                    peaks[act] = own_peak(Path(script), number, folder)
                rows.append(row(work, *compare(work, folder), peaks[act]))
    print(json.dumps(rows, indent=2) if arguments.json else table(rows))


def _print_peak(work: Work, folder: Path) -> None:
    if work.inside is not None:
        work.inside(folder)
    else:
        side = work.ours(folder)
        side.before(0)
        side.run(0)
        side.done()
    print(f"\n{json.dumps(peak_mb())}")
