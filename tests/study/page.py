"""The page that the campaign writes: what was done, how often, and what came out."""

from __future__ import annotations

import json
import os
import platform
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

BEGIN, END = "<!-- figures -->\n", "<!-- end of figures -->\n"


@dataclass(frozen=True)
class Told:
    """What is told of a round; kept as a line of JSON, so that a campaign can go on later.

    Parameters
    ----------
    number, readings, left : int
        Which; readings of each case; files left of open work.
    is_forked : bool
        Whether its processes came from a nursery.
    verdict : str
        Of the log.
    day, seed, cases, machine : str, int, int, str
        When, with which seed, of how many cases, and where.
    seconds, cpu_s : float
        How long it took, and what its processes used.
    killed, counts : dict of str to int
        Over which command how often; what was looked at.
    faults : list of str
        What was not as it must be.
    """

    number: int
    readings: int
    left: int
    is_forked: bool
    verdict: str
    day: str
    seed: int
    cases: int
    machine: str
    seconds: float
    cpu_s: float
    killed: dict[str, int]
    counts: dict[str, int]
    faults: list[str]


class OneRound(Protocol):
    """What the page needs of a round."""

    number: int
    book: Any
    judged: Any
    verdict: str
    seconds: float
    cpu_s: float
    readings: int
    is_forked: bool

    @property
    def faults(self) -> list[str]: ...


def told_of(done: OneRound, *, seed: int, cases: int) -> Told:
    """Return what is told of a round that was just played."""
    killed: Counter[str] = Counter()
    for what, times in done.book.kills.items():
        killed[what.partition(" ")[2]] += times
    return Told(
        done.number,
        done.readings,
        len(done.judged.left),
        done.is_forked,
        done.verdict,
        datetime.now(UTC).strftime("%Y-%m-%d"),
        seed,
        cases,
        f"Python {platform.python_version()}, {platform.system()}, {os.cpu_count()} cores",
        done.seconds,
        done.cpu_s,
        dict(killed),
        dict(done.judged.counts),
        list(done.faults),
    )


def keep(told: Told, path: Path) -> None:
    """Add a line to the file of rounds."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(told)) + "\n")


def kept_in(path: Path) -> list[Told]:
    """Return the rounds of a file, by number; the last of a number counts."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    found = {one.number: one for one in (Told(**json.loads(line)) for line in lines)}
    return [found[number] for number in sorted(found)]


def with_figures(text: str, figures: str) -> str:
    """Return the page with other figures in it."""
    return text.split(BEGIN, maxsplit=1)[0] + BEGIN + figures + END + text.split(END)[1]


def figures_of(rounds: Sequence[Told], *, real: Sequence[str]) -> str:
    """Return the part of the page that the campaign writes."""
    named = f"Real scans: {', '.join(real)}." if real else "The real scans were not there."
    total: Counter[str] = Counter()
    killed: Counter[str] = Counter()
    for one in rounds:
        total.update(one.counts)
        killed.update(one.killed)
    how = sorted(
        {f"{one.cases} cases on {one.day}, seed {one.seed} ({one.machine})" for one in rounds}
    )
    rows = "".join(map(_row, rounds))
    sums = "".join(f"| {what} | {count:,} |\n" for what, count in total.items())
    deaths = ", ".join(f"{what} {times}" for what, times in killed.most_common())
    faults = [f"- round {one.number}: {words}\n" for one in rounds for words in one.faults]
    return (
        f"Rounds with `make study`: {len(rounds)}, of {'; '.join(how)}. {named}\n\n"
        "| round | readings of a case | processes | killed | log | left of open work | faults "
        "| time | CPU |\n"
        "|---|---|---|---|---|---|---|---|---|\n"
        + rows
        + "\n| in all | |\n|---|---|\n"
        + sums
        + f"\nKilled over: {deaths or 'nothing'}.\n"
        + ("\nFaults:\n\n" + "".join(faults) if faults else "\nNo fault was found.\n")
    )


def _row(one: Told) -> str:
    return (
        f"| {one.number} | {one.readings} | {'forked' if one.is_forked else 'started'} | "
        f"{sum(one.killed.values())} | {one.verdict} | {one.left} | {len(one.faults)} | "
        f"{one.seconds:.0f} s | {one.cpu_s:.0f} s |\n"
    )
