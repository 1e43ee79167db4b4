"""``medlabel audit code``: 32 letters for paper that stand for the log as it is now."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from napari_medlabel.cli.audit_trace import root_of, trace

if TYPE_CHECKING:
    from napari_medlabel.audit.anchors.code import PaperCode
    from napari_medlabel.audit.check.verdict import LogReport


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``audit code`` to the command line.

    Parameters
    ----------
    commands : argparse subparsers
        Of ``medlabel audit``.
    """
    text = "verify the log, and print a code for paper that stands for all of it"
    parser = commands.add_parser(
        "code",
        help=text,
        description=f"{text[0].upper()}{text[1:]}. Write the code down, sign and file it; "
        "'medlabel audit verify --expect CODE' compares it with the log at any later time.",
    )
    parser.add_argument("root", nargs="?", type=Path, metavar="ROOT")
    parser.add_argument(
        "--qr", type=Path, metavar="FILE.svg", help="also write the code as a QR code"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the code of a log, and keep what it stands for beside the log.

    Returns
    -------
    int
        0; 5 when the log is red: a code would lend it trust, so none is made.

    Raises
    ------
    InputError
        When there is no log, it cannot be read, or the file for the QR code exists.
    SaveError
        When the list of heads cannot be kept.
    """
    from napari_medlabel.audit.anchors.code import keep_code
    from napari_medlabel.audit.check.verdict import Verdict
    from napari_medlabel.audit.check.verify import verify_log
    from napari_medlabel.audit.writer.place import default_state

    _require_new(arguments.qr)
    root = root_of(arguments)
    report = verify_log(root, state=default_state())
    if report.verdict is Verdict.RED:
        print(f"RED. {report.sentence} No code is made for it.", file=sys.stderr)
        return report.verdict.exit_code
    code = _code(root, report)
    keep_code(root, code)
    if arguments.qr is not None:
        from napari_medlabel.io.files import write_bytes_aside

        write_bytes_aside(arguments.qr, f"{code.svg()}\n".encode())
    if arguments.json:
        print(json.dumps(_as_json(code, report), indent=2))
    else:
        print(code.text)
        print(f"{report.verdict.upper()}. {report.sentence}")
    trace("audit.report", {"events": report.events, "code": code.digest})
    return 0


def _code(root: Path, report: LogReport) -> PaperCode:
    from napari_medlabel.audit.anchors.code import make_code
    from napari_medlabel.audit.disk import SystemClock
    from napari_medlabel.audit.format.record import time_text
    from napari_medlabel.audit.keys.site import read_site
    from napari_medlabel.audit.writer.place import SITE

    signed = read_site(root)
    site = signed.site.name if signed is not None else SITE
    return make_code(report.sessions, site, time_text(SystemClock().utc_ms()))


def _require_new(path: Path | None) -> None:
    from napari_medlabel.errors import InputError

    if path is not None and path.exists():
        raise InputError(
            "The file for the QR code exists already, and nothing is overwritten.",
            hint="Choose another name.",
        )


def _as_json(code: PaperCode, report: LogReport) -> dict[str, object]:
    return {
        "code": code.text,
        "listing": code.digest,
        "verdict": report.verdict.value,
        "sentence": report.sentence,
        "sessions": len(report.sessions),
        "events": report.events,
    }
