"""The page that the campaign writes: what was done, how often, and what came out."""

from __future__ import annotations

import os
import platform
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

BEGIN, END = "<!-- figures -->\n", "<!-- end of figures -->\n"


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
    figures: dict[str, Any]

    @property
    def faults(self) -> list[str]: ...


def with_figures(text: str, figures: str) -> str:
    """Return the page with other figures in it."""
    return text.split(BEGIN, maxsplit=1)[0] + BEGIN + figures + END + text.split(END)[1]


def figures_of(
    rounds: Sequence[OneRound], *, seed: int, cases: int, real: Sequence[str]
) -> str:
    """Return the part of the page that the campaign writes."""
    named = f"Real scans: {', '.join(real)}." if real else "The real scans were not there."
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    machine = f"Python {platform.python_version()}, {platform.system()}, {os.cpu_count()} cores"
    total: Counter[str] = Counter()
    killed: Counter[str] = Counter()
    for one in rounds:
        total.update(one.judged.counts)
        for what, times in one.book.kills.items():
            killed[what.partition(" ")[2]] += times
    rows = "".join(_row(one) for one in rounds)
    sums = "".join(f"| {what} | {count:,} |\n" for what, count in total.items())
    deaths = ", ".join(f"{what} {times}" for what, times in killed.most_common())
    faults = [f"- round {one.number}: {words}\n" for one in rounds for words in one.faults]
    return (
        f"{len(rounds)} rounds of {cases} cases on {day} with `make study`, seed {seed} "
        f"({machine}). {named}\n\n"
        "| round | readings of a case | processes | killed | log | left of open work | faults "
        "| time | CPU |\n"
        "|---|---|---|---|---|---|---|---|---|\n"
        + rows
        + "\n| in all | |\n|---|---|\n"
        + sums
        + "\n"
        f"Killed over: {deaths or 'nothing'}.\n"
        + ("\nFaults:\n\n" + "".join(faults) if faults else "\nNo fault was found.\n")
    )


def _row(one: OneRound) -> str:
    return (
        f"| {one.number} | {one.readings} | {'forked' if one.is_forked else 'started'} | "
        f"{sum(one.book.kills.values())} | {one.verdict} | "
        f"{len(one.judged.left)} | {len(one.faults)} | {one.seconds:.0f} s | "
        f"{one.cpu_s:.0f} s |\n"
    )
