"""``medlabel audit receipt FILE``: check the receipt that an exported data set carries."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from napari_medlabel.audit.anchors.receipt import Receipt
    from napari_medlabel.audit.format.finding import Finding
    from napari_medlabel.audit.format.seal import Head

_AMBER: Final = 4
_RED: Final = 5


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``audit receipt`` to the command line.

    Parameters
    ----------
    commands : argparse subparsers
        Of ``medlabel audit``.
    """
    text = "check the receipt of an exported data set, by itself or against a log"
    parser = commands.add_parser("receipt", help=text, description=text)
    parser.add_argument("file", type=Path, metavar="FILE", help="audit_receipt.json")
    parser.add_argument(
        "root", nargs="?", type=Path, metavar="ROOT", help="the log's folder, to check it too"
    )
    parser.add_argument(
        "--data",
        type=Path,
        nargs="+",
        default=[],
        metavar="PATH",
        help="the data set: its folder, or its files, to check that they are as they left",
    )
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check a receipt.

    Nothing is written: whoever received a data set needs no log of their own. Where a log is
    given, that it was looked at is noted in one's own.

    Returns
    -------
    int
        0 when everything fits, 4 without the log to say so, 5 when something does not.

    Raises
    ------
    InputError
        When the file is no receipt, or something cannot be read.
    """
    from napari_medlabel.audit.anchors.receipt import check_receipt, read_receipt
    from napari_medlabel.errors import InputError

    try:
        data = arguments.file.read_bytes()
    except OSError as err:
        raise InputError(
            f"A receipt was expected, and the file cannot be read ({type(err).__name__}).",
            hint="Give the file audit_receipt.json of an exported data set.",
        ) from err
    receipt = read_receipt(data)
    faults = check_receipt(receipt, arguments.root, arguments.data)
    if any(fault.code == "MISSING" for fault in faults):
        pruned = _pruned(arguments.root)
        faults = check_receipt(receipt, arguments.root, arguments.data, pruned=pruned)
    if arguments.json:
        print(json.dumps(_as_json(receipt, faults, arguments), indent=2))
    else:
        _tell(receipt, faults, arguments)
    if arguments.root is not None:
        _trace(receipt, faults)
    if faults:
        return _RED
    return _AMBER if arguments.root is None else 0


def _pruned(root: Path) -> frozenset[Head]:
    from napari_medlabel.audit.check.session_check import check_session
    from napari_medlabel.audit.check.verify import session_paths
    from napari_medlabel.cli.audit_pruned import pruned_in

    paths = session_paths(root)
    return pruned_in(
        root, [check_session(path, path.relative_to(root).as_posix()) for path in paths]
    )


def _verdict(faults: list[Finding], arguments: argparse.Namespace) -> str:
    """Return the colour: without the log nothing binds a receipt to a data set."""
    if faults:
        return "red"
    return "amber" if arguments.root is None else "green"


def _as_json(
    receipt: Receipt, faults: list[Finding], arguments: argparse.Namespace
) -> dict[str, object]:
    return {
        "verdict": _verdict(faults, arguments),
        "head": receipt.head.record(),
        "event": receipt.index,
        "manifest": receipt.manifest,
        "certified": bool(receipt.cert),
        "log_checked": arguments.root is not None,
        "data_checked": bool(arguments.data),
        "findings": [fault.record() for fault in faults],
    }


def _tell(receipt: Receipt, faults: list[Finding], arguments: argparse.Namespace) -> None:
    for fault in faults:
        print(f"RED   {fault.file or 'receipt'}\n      {fault.text}")
    if faults:
        return
    if arguments.root is None:
        print(
            "AMBER. The receipt holds together. Whether it is of this data set, and of a log "
            "that you trust, only the log can say: give its folder as ROOT, or ask whoever "
            "keeps it."
        )
    else:
        print("GREEN. The receipt is true: this export is in the log, signed when it was made.")
    print(f"session   {receipt.head.origin}")
    print(f"event     {receipt.index} of the first {receipt.head.size}")
    print(f"manifest  {receipt.manifest}")
    print(f"key       {'certified by its workstation' if receipt.cert else 'not certified'}")
    print(f"log       {'the event is in it' if arguments.root else 'not compared'}")
    print(f"data      {'as it left' if arguments.data else 'not compared (--data)'}")


def _trace(receipt: Receipt, faults: list[Finding]) -> None:
    from napari_medlabel.cli.audit_trace import trace

    verdict = "red" if faults else "green"
    detail = {"verdict": verdict, "events": receipt.head.size, "red": len(faults)}
    trace("audit.verify", detail, outcome=12 if faults else 0)
