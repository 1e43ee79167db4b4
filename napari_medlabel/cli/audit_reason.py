"""``medlabel audit reason``: read or erase the text that somebody gave as a reason."""

from __future__ import annotations

import argparse
import json
from contextlib import closing
from pathlib import Path

from napari_medlabel.cli.site_desk import ROLE, present_officer, root_of
from napari_medlabel.errors import InputError


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``reason`` and its own subcommands to ``medlabel audit``.

    Parameters
    ----------
    subparsers : argparse subparsers
        Of ``medlabel audit``.
    """
    parser = subparsers.add_parser(
        "reason",
        help="read or erase the text of a reason",
        description="Text that people give as a reason lies apart from the log, encrypted to "
        "the officer. The log holds a commitment to it, which stays when it is erased.",
    )
    commands = parser.add_subparsers(dest="reason_command", metavar="COMMAND", required=True)
    for name, run, text in (
        ("show", run_show, "print the text; needs the officer's key"),
        ("erase", run_erase, "erase the text; the log stays as it is and verifies"),
    ):
        command = commands.add_parser(name, help=text, description=f"{text.capitalize()}.")
        command.add_argument("ref", metavar="REF", help="sha256:..., as the log names it")
        command.add_argument("--audit", type=Path, metavar="DIR", help="the audit log's folder")
        command.set_defaults(run=run)
        if name == "show":
            command.add_argument(
                "--passphrase-file",
                type=Path,
                metavar="FILE",
                help="a file of mode 600 whose first line is the officer's passphrase",
            )
            command.add_argument("--json", action="store_true", help="one JSON document")


def run_show(args: argparse.Namespace) -> int:
    """Print a text, after the log has noted that it is looked at.

    Returns
    -------
    int
        0.

    Raises
    ------
    InputError, LogError
        When it is not there, was changed, is for another officer, or the log cannot be
        written.
    """
    from napari_medlabel.audit.keys.reasons import read_reason
    from napari_medlabel.session.desk import open_desk

    root = root_of(args)
    with closing(open_desk(root, role=ROLE).log) as log:
        text = read_reason(root, args.ref, present_officer(args, log))
        log.append("audit.view", detail={"view": "show"})
    print(json.dumps({"ref": args.ref, "text": text}) if args.json else text)
    return 0


def run_erase(args: argparse.Namespace) -> int:
    """Erase a text, after the log has noted it.

    Returns
    -------
    int
        0.

    Raises
    ------
    InputError, LogError
        When there is none, or the log cannot be written.
    """
    from napari_medlabel.audit.keys.reasons import erase_reason, reason_path
    from napari_medlabel.session.desk import open_desk

    root = root_of(args)
    if not reason_path(root, args.ref).is_file():
        raise InputError(
            "A text of this reference was expected, and there is none: it was erased, or never "
            "was in this log.",
            hint="Take the 'ref' of the reason from the log.",
        )
    with closing(open_desk(root, role=ROLE).log) as log:
        log.append("config.change", detail={"setting": "retention", "old": args.ref})
        erase_reason(root, args.ref)
    print("The text is erased. Its commitment stays in the log and says nothing.")
    return 0
