"""``medlabel scan PATH``: an independent search for identity left in files."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_medlabel.deid.scan.tree import ScanReport

_FOUND = 3


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``scan`` to the command line.

    Parameters
    ----------
    subparsers : argparse subparsers
        Of ``medlabel``.
    """
    from napari_medlabel.deid.rules.options import Option

    parser = subparsers.add_parser(
        "scan",
        help="search files for identity, independent of deid",
        description="Search the bytes of DICOM, NIfTI, NRRD and MetaImage files, sidecars and "
        "archives, and their names, for what tells whose they are. Exit code 3 when something "
        "is found. Words in pictures are not read.",
    )
    parser.add_argument("path", type=Path, metavar="PATH", help="a folder or a file")
    parser.add_argument(
        "--against",
        type=Path,
        metavar="SRC",
        help="the scans it was made of: every name, number, date and UID in them is searched",
    )
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        choices=[str(option) for option in Option],
        metavar="NAME",
        help="an option with which it was de-identified, whose attributes may stay",
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Search, and say what was found where; never a value or a path.

    Returns
    -------
    int
        0 when nothing was found, 3 otherwise.

    Raises
    ------
    MedlabelError
        When there is no file to search.
    """
    from napari_medlabel.cli.progress import progress
    from napari_medlabel.deid.rules.options import checked
    from napari_medlabel.deid.scan.finding import Allowance
    from napari_medlabel.deid.scan.tree import scan_path

    report = scan_path(
        args.path,
        against=args.against,
        allowance=Allowance(checked(args.option)),
        progress=progress("scanning"),
    )
    if args.json:
        print(json.dumps(report.to_json()))
    else:
        _tell(report)
    return _FOUND if report.findings else 0


def _tell(report: ScanReport) -> None:
    """Print a line for each kind of finding and place."""
    noun = "file" if report.files == 1 else "files"
    if not report.findings:
        print(f"{report.files} {noun} searched, nothing found")
        return
    found = {place for each in report.findings.values() for place in each}
    print(f"{report.files} {noun} searched, identity may be in {len(found)} of them")
    for sign in dict.fromkeys(finding.sign for finding in report.findings):
        told = {f.where: files for f, files in report.findings.items() if f.sign is sign}
        files = sorted({place for each in told.values() for place in each})
        print(f"{sign}: {_listed(list(told), 6)}; file {_listed(files, 10)}")
    print(
        "File N is the N-th line of: find PATH -type f | LC_ALL=C sort",
        file=sys.stderr,
    )


def _listed(things: Sequence[object], most: int) -> str:
    """Return the first things, and how many more there are."""
    shown = ", ".join(map(str, things[:most]))
    more = len(things) - most
    return shown if more <= 0 else f"{shown} and {more} more"
