"""``medlabel audit timestamp CODE``: have a code stamped by another clock (RFC 3161)."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from napari_medlabel.cli.audit_trace import root_of, trace

if TYPE_CHECKING:
    from datetime import datetime


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``audit timestamp`` to the command line.

    Parameters
    ----------
    commands : argparse subparsers
        Of ``medlabel audit``.
    """
    text = "have a code stamped by a time-stamping authority, or check its stamp"
    parser = commands.add_parser(
        "timestamp",
        help=text,
        description=f"{text[0].upper()}{text[1:]} (RFC 3161). Only a digest goes there. Needs "
        "the extra [tsa].",
    )
    parser.add_argument("code", metavar="CODE", help="as 'medlabel audit code' printed it")
    parser.add_argument("root", nargs="?", type=Path, metavar="ROOT")
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--tsa", metavar="URL", help="ask this authority over the network")
    how.add_argument(
        "--request", type=Path, metavar="FILE.tsq", help="write the request to a file"
    )
    how.add_argument(
        "--attach", type=Path, metavar="FILE.tsr", help="keep the answer to a request"
    )
    how.add_argument("--check", action="store_true", help="check the kept stamp; needs --ca")
    parser.add_argument(
        "--ca",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE.pem",
        help="certificates of the authority; without them a new stamp is kept unchecked",
    )
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Ask for a stamp, keep one, or check one.

    Returns
    -------
    int
        0.

    Raises
    ------
    InputError
        For a mistyped or unknown code, an authority that does not answer, and a stamp that is
        not on this code or not by a trusted authority.
    SaveError
        When a file cannot be written.
    MissingPackageError
        Without the extra ``[tsa]``.
    """
    from napari_medlabel.audit.anchors.code import read_code
    from napari_medlabel.audit.anchors.timestamp import listing_of, request_for

    root, letters = root_of(arguments), read_code(arguments.code)
    listing = listing_of(root, letters)
    if arguments.request is not None:
        _write_request(arguments.request, request_for(listing))
        return 0
    moment = (
        _checked(root, letters, listing, arguments)
        if arguments.check
        else _kept(root, letters, listing, arguments)
    )
    shown = {"time": moment.isoformat(), "checked": bool(arguments.ca)}
    if arguments.json:
        print(json.dumps(shown, indent=2))
    else:
        print(f"stamped {shown['time']}")
        if not arguments.ca:
            print("The stamp's signature was not checked: give its certificates with --ca.")
    return 0


def _write_request(path: Path, request: bytes) -> None:
    from napari_medlabel.errors import InputError
    from napari_medlabel.io.files import write_bytes_aside

    if path.exists():
        raise InputError(
            "The file for the request exists already, and nothing is overwritten.",
            hint="Choose another name.",
        )
    write_bytes_aside(path, request)


def _checked(
    root: Path, letters: str, listing: bytes, arguments: argparse.Namespace
) -> datetime:
    from napari_medlabel.audit.anchors.timestamp import stamp_path, stamped_at
    from napari_medlabel.errors import InputError

    path = stamp_path(root, letters)
    if not path.exists():
        raise InputError(
            "This code has no stamp.", hint="Ask for one with --tsa, or with --request."
        )
    if not arguments.ca:
        raise InputError(
            "A stamp is checked by the certificates of its authority, and none was given.",
            hint="Give them with --ca.",
        )
    return stamped_at(_read(path), listing, arguments.ca)


def _kept(root: Path, letters: str, listing: bytes, arguments: argparse.Namespace) -> datetime:
    from napari_medlabel.audit.anchors.timestamp import ask, attach, request_for, stamped_at

    if arguments.tsa is not None:
        answer = ask(arguments.tsa, request_for(listing))
    else:
        answer = _read(arguments.attach)
    if arguments.ca:
        stamped_at(answer, listing, arguments.ca)
    moment = attach(root, letters, answer)
    trace("anchor.observe", {"heads": [], "source": "tsa"})
    return moment


def _read(path: Path) -> bytes:
    from napari_medlabel.errors import InputError

    try:
        return path.read_bytes()
    except OSError as err:
        raise InputError(
            f"A time-stamp response cannot be read ({type(err).__name__}).",
            hint="Give the .tsr file as the time-stamping authority sent it.",
        ) from err
