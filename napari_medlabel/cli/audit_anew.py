"""``medlabel audit anew``: begin a log again where its folder is gone for good."""

from __future__ import annotations

import argparse
from pathlib import Path

from napari_medlabel.cli.audit_trace import root_of


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``audit anew`` to the command line.

    Parameters
    ----------
    commands : argparse subparsers
        Of ``medlabel audit``.
    """
    text = "begin the log again where its folder is gone for good"
    parser = commands.add_parser(
        "anew",
        help=text,
        description=f"{text[0].upper()}{text[1:]}. Nothing is forgotten: the first session "
        "notes that what this computer remembers is missing. Where the folder was moved or a "
        "drive is not mounted, bring it back instead.",
    )
    parser.add_argument("root", nargs="?", type=Path, metavar="ROOT")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Make this writer's folder, and begin a session there that says what is missing.

    Returns
    -------
    int
        0.

    Raises
    ------
    InputError
        When the log is in its place.
    LogError
        When it cannot be written.
    """
    from napari_medlabel.audit.disk import SHARED, SystemIo, make_folders
    from napari_medlabel.audit.faults import error_name, log_error
    from napari_medlabel.audit.format.layout import WRITERS
    from napari_medlabel.audit.writer.place import default_state, open_log, writer_id
    from napari_medlabel.errors import InputError

    root, state = root_of(arguments), default_state()
    folder = root / WRITERS / writer_id(state)
    if folder.is_dir():
        raise InputError(
            "A log that is gone was expected, and this computer's part of it is in its place.",
            hint="Nothing needs to be done. `medlabel audit verify` says how the log is.",
        )
    try:
        make_folders(SystemIo(), folder, SHARED)
    except OSError as err:
        raise log_error(
            "The folder of the audit log could not be made", error_name(err)
        ) from err
    with open_log(root, state=state):
        print("The log is begun again. What is missing stands in its first lines.")
    return 0
