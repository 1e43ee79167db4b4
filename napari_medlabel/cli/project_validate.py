"""``medlabel project validate``: whether a study is what it says, with the log's verdict."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_medlabel.project.checks.validate import StudyReport


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``project validate`` to the command line.

    Parameters
    ----------
    commands : argparse subparsers
        Of ``medlabel project``.
    """
    text = "check a study and its log; exit 0 in order, 2 errors, 4 log amber, 5 log red"
    parser = commands.add_parser(
        "validate",
        help=text,
        description="Check scans, records, versions, geometry, labels, names, patients, "
        f"splits and the log of a study; nothing is written. {text}.",
    )
    parser.add_argument("study", type=Path, metavar="STUDY")
    parser.add_argument(
        "--bids", action="store_true", help="ask the BIDS validator, too (extra [bids])"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Validate a study.

    Returns
    -------
    int
        0 in order, 2 errors, 4 the log is amber, 5 the log is red.

    Raises
    ------
    InputError
        When it is no study, or the BIDS validator does not answer.
    MissingPackageError
        When the BIDS validator is not installed.
    """
    from napari_medlabel.audit.writer.place import default_state
    from napari_medlabel.cli.progress import progress
    from napari_medlabel.project.checks.validate import validate
    from napari_medlabel.project.layout import find_study

    report = validate(
        find_study(arguments.study),
        state=default_state(),
        bids=arguments.bids,
        progress=progress("verifying the log"),
    )
    if arguments.json:
        print(json.dumps(report.to_json()))
    else:
        _tell(report)
    return report.exit_code


def _tell(report: StudyReport) -> None:
    for one in report.findings:
        where = f" {one.where}" if one.where else ""
        print(f"{one.level.upper():<7} {one.rule}:{where}\n        {one.words}")
    warnings = len(report.findings) - report.errors
    print(
        f"{report.cases} cases, {report.versions} versions; {report.errors} errors, "
        f"{warnings} warnings."
    )
    if report.log is not None:
        print(f"Log: {report.log.verdict.upper()}. {report.log.sentence}")
