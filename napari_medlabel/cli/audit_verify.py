"""``medlabel audit verify``: whether the log is whole, unaltered, and by whom it says."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_medlabel.cli.audit_trace import root_of, trace
from napari_medlabel.cli.progress import progress

if TYPE_CHECKING:
    from napari_medlabel.audit.check.verdict import LogReport

_HINT = (
    "This checks every signature. With --quick only the last one of each session is checked."
)
_LEVELS = {"red": "RED  ", "amber": "AMBER", "note": "note "}


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``audit verify`` to the command line.

    Parameters
    ----------
    commands : argparse subparsers
        Of ``medlabel audit``.
    """
    text = "check that nothing was changed; exit 0 green, 4 amber, 5 red"
    parser = commands.add_parser("verify", help=text, description=text)
    parser.add_argument("root", nargs="?", type=Path, metavar="ROOT")
    parser.add_argument(
        "--expect", metavar="CODE", help="a code on paper that the log must still fit"
    )
    parser.add_argument(
        "--receipt",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a receipt of an exported data set that the log must still fit; may be repeated",
    )
    parser.add_argument(
        "--officer", metavar="CODE", help="the letters of the officer's key, from herself"
    )
    parser.add_argument(
        "--quick", action="store_true", help="check only the last signature of each session"
    )
    parser.add_argument(
        "--objects", action="store_true", help="read every kept version of a mask, too"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.set_defaults(run=run)


def as_json(report: LogReport) -> dict[str, Any]:
    """Return a report as ``--json`` prints it."""
    return {
        "verdict": report.verdict.value,
        "whole": report.whole.value,
        "sentence": report.sentence,
        "events": report.events,
        "sessions": len(report.sessions),
        "findings": [finding.record() for finding in report.findings],
        "writers": report.writers(),
    }


def print_report(report: LogReport) -> None:
    """Print a report for people: the sentence, each finding with its place, a table."""
    print(f"{report.verdict.upper()}. {report.sentence}")
    for finding in report.findings:
        where = f"{finding.file}:{finding.line}" if finding.line else finding.file
        print(f"\n{_LEVELS[finding.level]} {where}\n      {finding.text}")
    print(f"\n{'writer':<18}{'sessions':>10}{'events':>10}{'open':>7}{'red':>6}{'amber':>7}")
    for row in report.writers():
        print(
            f"{row['writer']:<18}{row['sessions']:>10}{row['events']:>10}{row['open']:>7}"
            f"{row['red']:>6}{row['amber']:>7}"
        )


def run(arguments: argparse.Namespace) -> int:
    """Verify a log and note in one's own log that it was done.

    Returns
    -------
    int
        0 green, 4 amber, 5 red.

    Raises
    ------
    InputError
        When there is no log, it cannot be read, or a code was mistyped.
    """
    from napari_medlabel.audit.check.verify import verify_log
    from napari_medlabel.audit.writer.place import default_state

    report = verify_log(
        root_of(arguments),
        state=default_state(),
        expect=arguments.expect,
        receipts=arguments.receipt,
        officer=arguments.officer,
        quick=arguments.quick,
        objects=arguments.objects,
        progress=progress("verifying", hint="" if arguments.quick else _HINT),
    )
    if arguments.json:
        print(json.dumps(as_json(report), indent=2))
    else:
        print_report(report)
    levels = [finding.level for finding in report.findings]
    trace(
        "audit.verify",
        {
            "verdict": report.verdict.value,
            "events": report.events,
            "sessions": len(report.sessions),
            "red": levels.count("red"),
            "amber": levels.count("amber"),
        },
        outcome={"green": 0, "amber": 4, "red": 12}[report.verdict.value],
    )
    return report.verdict.exit_code
