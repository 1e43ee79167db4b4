"""``medlabel audit``: everything about the log, one module for each of its commands."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Final

from napari_medlabel.cli.of_many import add_named

COMMANDS: Final = (
    "verify",
    "show",
    "demo",
    "anew",
    "code",
    "export",
    "key",
    "prune",
    "reason",
    "receipt",
    "report",
    "review",
    "site",
    "timestamp",
    "who",
    "witness",
)
"""Each is a module ``audit_NAME`` with ``add_parser``; in the order of the help."""


def add_parser(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser], words: Sequence[str] = ()
) -> None:
    """Add ``audit`` and its own subcommands to the command line.

    Parameters
    ----------
    subparsers : argparse subparsers
        Of ``medlabel``.
    words : sequence of str, optional
        Arguments after ``audit``: where the first names a command, no other is added.
    """
    parser = subparsers.add_parser(
        "audit",
        help="verify or show the audit log",
        description="The audit log: who did what, and when. ROOT is the log's folder; by "
        "default $MEDLABEL_AUDIT_DIR, else the user's data folder.",
    )
    commands = parser.add_subparsers(dest="audit_command", metavar="COMMAND", required=True)
    add_named(commands, "audit", COMMANDS, words)
