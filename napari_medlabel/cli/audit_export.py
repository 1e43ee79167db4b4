"""``medlabel audit export``: the log for somebody else, in a format of theirs."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from napari_medlabel.cli.audit_trace import root_of

if TYPE_CHECKING:
    from napari_medlabel.audit.exports.bundle import Packing
    from napari_medlabel.audit.exports.export import Written
    from napari_medlabel.audit.exports.sinks import Wish

_FORMATS = ("bundle", "csv", "fhir", "dicom", "ocsf", "art30")
_DESCRIPTION = (
    "Export the log. 'bundle' is evidence that can be checked without this program: a folder, "
    "or one file where DST ends in .zip. 'csv' is for spreadsheets, 'fhir' and 'ocsf' lines "
    "of JSON, 'dicom' XML of PS3.15, 'art30' a sheet for the GDPR's record of processing (a "
    "table where DST ends in .csv). The export is noted in your own log first. Exit 0 green, 4 "
    "amber, 5 red: what the log is worth; the export is written in each case."
)


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``audit export`` to the command line.

    Parameters
    ----------
    commands : argparse subparsers
        Of ``medlabel audit``.
    """
    parser = commands.add_parser(
        "export", help="write the log for somebody else", description=_DESCRIPTION
    )
    parser.add_argument("root", nargs="?", type=Path, metavar="ROOT")
    parser.add_argument(
        "-o", "--out", type=Path, required=True, metavar="DST", help="must not exist"
    )
    parser.add_argument("--format", required=True, choices=_FORMATS, help="which format")
    parser.add_argument("--from", dest="first", metavar="DATE", help="first day, in UTC")
    parser.add_argument("--to", dest="last", metavar="DATE", help="last day, in UTC")
    parser.add_argument(
        "--names", type=Path, metavar="FILE.csv", help="names for user tokens: token,name"
    )
    parser.add_argument(
        "--patients",
        type=Path,
        metavar="FILE.csv",
        help="Patient IDs for subject tokens, DICOM only: token,id. The result names patients",
    )
    parser.add_argument(
        "--bom", action="store_true", help="begin a table with the mark that Excel looks for"
    )
    parser.add_argument(
        "--no-report", action="store_true", help="leave the report page out of a bundle"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Export the log, and note it in one's own log before the export takes its name.

    Returns
    -------
    int
        0 green, 4 amber, 5 red: what the log is worth.

    Raises
    ------
    InputError
        When there is no log, DST exists, or an option does not fit the format.
    LogError
        When the export cannot be noted; then there is none.
    SaveError
        When it cannot be written.
    """
    from napari_medlabel.audit.exports.export import Source, export_log, require_free
    from napari_medlabel.audit.writer.place import default_state

    require_free(arguments.out)  # before a long log is read for nothing
    source = Source(root_of(arguments), default_state())
    written = export_log(
        source,
        arguments.out,
        arguments.format,
        wish=_wish(arguments),
        packing=_packing(arguments, source.root),
        announce=lambda done: _announce(arguments.format, done),
    )
    if arguments.json:
        print(json.dumps(_as_json(arguments.format, written), indent=2))
    else:
        _tell(arguments.format, written, patients=arguments.patients is not None)
    return written.report.verdict.exit_code


def _wish(arguments: argparse.Namespace) -> Wish:
    from napari_medlabel.audit.exports.dicom_xml import Naming
    from napari_medlabel.audit.exports.entries import period_of
    from napari_medlabel.audit.exports.patients import read_patients
    from napari_medlabel.audit.exports.sinks import Wish, suffix_says_table
    from napari_medlabel.audit.report.names import read_names

    return Wish(
        period_of(arguments.first, arguments.last),
        Naming(
            read_patients(arguments.patients) if arguments.patients else {},
            read_names(arguments.names) if arguments.names else {},
        ),
        bom=arguments.bom,
        as_table=suffix_says_table(arguments.out),
    )


def _packing(arguments: argparse.Namespace, root: Path) -> Packing:
    """Return what a bundle holds beside the log: the report page, where it is wanted."""
    from napari_medlabel.audit.disk import SystemClock
    from napari_medlabel.audit.exports.bundle import Packing

    now_ms = SystemClock().utc_ms()
    if arguments.format != "bundle" or arguments.no_report:
        return Packing(now_ms)
    from napari_medlabel.audit.report.gather import facts_of, log_bytes
    from napari_medlabel.audit.report.page import page_of
    from napari_medlabel.audit.writer.place import default_state

    facts = facts_of(root, state=default_state(), now_ms=now_ms)
    return Packing(now_ms, page_of(facts, log_bytes(root, facts.verdict)))


def _announce(kind: str, written: Written) -> None:
    """Note the export in this computer's own log: no log, no export."""
    from napari_medlabel.audit.writer.place import open_log

    detail = {"format": kind, "events": written.events, "manifest": written.manifest}
    with open_log(role="unknown") as log:
        log.append("audit.export", detail=detail)


def _as_json(kind: str, written: Written) -> dict[str, object]:
    return {
        "events": written.events,
        "format": kind,
        "manifest": written.manifest,
        "sentence": written.report.sentence,
        "verdict": written.report.verdict.value,
    }


def _tell(kind: str, written: Written, *, patients: bool) -> None:
    report = written.report
    print(f"{report.verdict.upper()}. {report.sentence}")
    print(f"Exported as {kind}: {written.events} events, {written.manifest}.")
    if kind == "bundle":
        print("Whoever receives it can check it with the verify.py in it; README.txt says how.")
    if patients:
        print(
            "medlabel: the file holds Patient IDs: keep it where they may be.", file=sys.stderr
        )
