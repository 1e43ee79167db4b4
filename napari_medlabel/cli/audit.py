"""``medlabel audit``: everything about the log, one module for each of its commands."""

from __future__ import annotations

import argparse

from napari_medlabel.cli import (
    audit_anew,
    audit_code,
    audit_demo,
    audit_export,
    audit_key,
    audit_prune,
    audit_reason,
    audit_receipt,
    audit_report,
    audit_review,
    audit_show,
    audit_site,
    audit_timestamp,
    audit_verify,
    audit_who,
    audit_witness,
)


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``audit`` and its own subcommands to the command line.

    Parameters
    ----------
    subparsers : argparse subparsers
        Of ``medlabel``.
    """
    parser = subparsers.add_parser(
        "audit",
        help="verify or show the audit log",
        description="The audit log: who did what, and when. ROOT is the log's folder; by "
        "default $MEDLABEL_AUDIT_DIR, else the user's data folder.",
    )
    commands = parser.add_subparsers(dest="audit_command", metavar="COMMAND", required=True)
    for module in (
        audit_verify,
        audit_show,
        audit_demo,
        audit_anew,
        audit_code,
        audit_export,
        audit_key,
        audit_prune,
        audit_reason,
        audit_receipt,
        audit_report,
        audit_review,
        audit_site,
        audit_timestamp,
        audit_who,
        audit_witness,
    ):
        module.add_parser(commands)
