"""``medlabel project``: a study in a folder, one module for each of its commands."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Final

from napari_medlabel.cli.of_many import add_named

COMMANDS: Final = (
    "init",
    "rater",
    "ontology",
    "add",
    "next",
    "claim",
    "import",
    "submit",
    "review",
    "comment",
    "sample",
    "status",
    "rules",
    "agree",
    "consensus",
    "gold",
    "calibrate",
    "bias",
    "release",
    "validate",
)
"""Each is a module ``project_NAME`` with ``add_parser``; in the order of the help."""


def add_parser(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser], words: Sequence[str] = ()
) -> None:
    """Add ``project`` and its own subcommands to the command line.

    Parameters
    ----------
    subparsers : argparse subparsers
        Of ``medlabel``.
    words : sequence of str, optional
        Arguments after ``project``: where the first names a command, no other is added.
    """
    parser = subparsers.add_parser(
        "project",
        help="a study in a folder: scans, raters, worklist, review; no server",
        description="A study in a folder that several people share. STUDY is that folder, or "
        "one in it. What is done stands in the study's own log, medlabel/audit.",
    )
    commands = parser.add_subparsers(dest="project_command", metavar="COMMAND", required=True)
    add_named(commands, "project", COMMANDS, words)
