"""Run every campaign whole and write what came out: ``make audit-campaign``."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from tests.audit.campaign import changes, faults, kill, masks, power, states
from tests.audit.campaign.figure import Figure

PAGE = Path(__file__).parents[3] / "docs" / "reliability.md"
BEGIN, END = "<!-- figures -->\n", "<!-- end of figures -->\n"


def share(count: int) -> int:
    """Return a count, or the part of it that ``MEDLABEL_CAMPAIGN`` (per cent) asks for."""
    return max(1, count * int(os.environ.get("MEDLABEL_CAMPAIGN", "100")) // 100)


def campaigns(folder: Path) -> Iterator[tuple[str, Callable[[], Figure | list[Figure]]]]:
    """Yield every campaign, with the reason why it cannot run, or nothing."""
    no_power, no_faults = power.why_not(folder / "probe"), faults.why_not()
    yield "", lambda: kill.campaign(folder / "kill", share(10_000))
    yield (
        "",
        lambda: kill.campaign(
            folder / "kill-control", share(300), kill.write_buffered, control=True
        ),
    )
    yield no_power, lambda: power.campaign(folder / "power", share(600))
    yield no_power, lambda: power.campaign(folder / "power-control", share(200), control=True)
    yield "", lambda: states.campaign(folder / "states")
    yield no_faults, lambda: faults.campaign(folder / "faults")
    yield "", lambda: changes.campaign(folder / "changes")
    yield "", lambda: changes.control(folder / "changes-control")
    yield "", lambda: masks.kills(folder / "mask", share(150))
    yield (
        "",
        lambda: masks.kills(
            folder / "mask-control", share(150), masks.save_plain, control=True
        ),
    )
    yield no_power, lambda: masks.cuts(folder / "mask-cut", share(200))
    yield (
        no_power,
        lambda: masks.cuts(
            folder / "mask-cut-control", share(200), masks.save_plain, control=True
        ),
    )


def row(figure: Figure) -> str:
    """Return one line of the table."""
    promise = "must fail" if figure.is_control else "0 lost, 0 alarms"
    came = "as promised" if figure.holds else "**NOT as promised**"
    return (
        f"| {figure.what} | {figure.runs:,} | {figure.acknowledged:,} | {figure.lost:,} | "
        f"{figure.alarms:,} | {figure.uncleared:,} | {promise}: {came} | "
        f"{figure.seconds:.0f} s |\n"
    )


def written(rows: list[str], skipped: list[str]) -> str:
    """Return the part of the page that the campaigns write."""
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    machine = f"Python {platform.python_version()}, {platform.system()}, {os.cpu_count()} cores"
    return (
        f"Measured on {day} with `make audit-campaign` ({machine}).\n\n"
        "| what | runs | acknowledged | lost | alarms | not cleared | outcome | time |"
        "\n"
        "|---|---|---|---|---|---|---|---|\n"
        + "".join(rows)
        + "".join(f"\nNot run here: {reason}.\n" for reason in sorted(set(skipped)))
    )


def main() -> int:
    """Run all; return 1 when one did not come out as promised."""
    rows: list[str] = []
    skipped: list[str] = []
    whole = True
    folder = Path(tempfile.mkdtemp(prefix="medlabel-campaign-"))
    try:
        for why_not, run in campaigns(folder):
            if why_not:
                skipped.append(why_not)
                print(f"NOT RUN: {why_not}", flush=True)
                continue
            found = run()
            for figure in found if isinstance(found, list) else [found]:
                rows.append(row(figure))
                whole &= figure.holds
                print(rows[-1], end="", flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if PAGE.is_file() and "--keep" not in sys.argv:
        page = PAGE.read_text(encoding="utf-8")
        before, after = page.split(BEGIN)[0], page.split(END)[1]
        PAGE.write_text(before + BEGIN + written(rows, skipped) + END + after, encoding="utf-8")
    return 0 if whole else 1


if __name__ == "__main__":
    raise SystemExit(main())
