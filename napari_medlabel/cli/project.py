"""``medlabel project``: a study in a folder, one module for each of its commands."""

from __future__ import annotations

import argparse
from typing import Final

from napari_medlabel.cli import (
    project_add,
    project_agree,
    project_bias,
    project_calibrate,
    project_claim,
    project_comment,
    project_consensus,
    project_gold,
    project_import,
    project_init,
    project_next,
    project_ontology,
    project_rater,
    project_release,
    project_review,
    project_rules,
    project_sample,
    project_status,
    project_submit,
    project_validate,
)

MODULES: Final = (
    project_init,
    project_rater,
    project_ontology,
    project_add,
    project_next,
    project_claim,
    project_import,
    project_submit,
    project_review,
    project_comment,
    project_sample,
    project_status,
    project_rules,
    project_agree,
    project_consensus,
    project_gold,
    project_calibrate,
    project_bias,
    project_release,
    project_validate,
)
"""Each has ``add_parser``; in the order of the help."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``project`` and its own subcommands to the command line.

    Parameters
    ----------
    subparsers : argparse subparsers
        Of ``medlabel``.
    """
    parser = subparsers.add_parser(
        "project",
        help="a study in a folder: scans, raters, worklist, review; no server",
        description="A study in a folder that several people share. STUDY is that folder, or "
        "one in it. What is done stands in the study's own log, medlabel/audit.",
    )
    commands = parser.add_subparsers(dest="project_command", metavar="COMMAND", required=True)
    for module in MODULES:
        module.add_parser(commands)
