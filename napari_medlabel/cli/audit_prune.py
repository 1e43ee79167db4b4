"""``medlabel audit prune``: the officer deletes sessions that were kept long enough."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from napari_medlabel.cli.site_desk import ROLE, in_force, now_ms, present_officer, root_of
from napari_medlabel.errors import RefusedError, SaveError

if TYPE_CHECKING:
    from napari_medlabel.audit.format.seal import Head
    from napari_medlabel.audit.keys.officer import OfficerKey
    from napari_medlabel.audit.keys.site import Site


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``audit prune`` to the command line.

    Parameters
    ----------
    commands : argparse subparsers
        Of ``medlabel audit``.
    """
    text = "delete sessions that were kept as long as the site asks; officer only"
    parser = commands.add_parser(
        "prune",
        help=text,
        description=f"{text[0].upper()}{text[1:]}. What is deleted is written down first and "
        "signed by the officer, so that nobody misses it: 'medlabel audit verify' says so in a "
        "note. How long sessions are kept: 'medlabel audit site policy retention_days=N'.",
    )
    parser.add_argument("--audit", type=Path, metavar="DIR", help="the audit log's folder")
    parser.add_argument(
        "--passphrase-file",
        type=Path,
        metavar="FILE",
        help="a file of mode 600 whose first line is the officer's passphrase",
    )
    parser.add_argument("--dry-run", action="store_true", help="only say what would be deleted")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Delete the sessions whose time is over, after a signed line about them is on the disk.

    Returns
    -------
    int
        0.

    Raises
    ------
    RefusedError
        When the log is red, or this is not the officer of the site.
    InputError, LogError, SaveError
        When there is no log or site, the line cannot be written, or a file not deleted.
    """
    from napari_medlabel.audit.check.retention import overdue
    from napari_medlabel.audit.check.verdict import Verdict
    from napari_medlabel.audit.check.verify import verify_log
    from napari_medlabel.audit.writer.place import default_state

    root = root_of(arguments)
    site = in_force(root).site
    report = verify_log(root, state=default_state())
    if report.verdict is Verdict.RED:
        raise RefusedError(
            "A log that is red is evidence, and nothing is deleted from it.",
            hint="Run `medlabel audit verify` and find out what happened.",
        )
    heads = overdue(report, site.policy.retention_days, now_ms())
    if heads and not arguments.dry_run:
        _delete(arguments, root, site, heads)
    events = sum(head.size for head in heads)
    if arguments.json:
        shown = {"sessions": len(heads), "events": events, "deleted": not arguments.dry_run}
        print(json.dumps(shown, indent=2))
    else:
        verb = "would be" if arguments.dry_run else "were"
        print(
            f"{len(heads)} session(s) with {events} events {verb} deleted: older than "
            f"{site.policy.retention_days} days."
        )
    return 0


def _delete(
    arguments: argparse.Namespace, root: Path, site: Site, heads: Sequence[Head]
) -> None:
    from napari_medlabel.audit.check.retention import in_lots
    from napari_medlabel.audit.format.schema import MAX_LIST
    from napari_medlabel.session.desk import open_desk

    with closing(open_desk(root, role=ROLE).log) as log:
        officer = present_officer(arguments, log)
        known = site.officer(officer.public)
        if known is None or known.revoked_ms is not None:
            raise RefusedError(
                "Only an officer whom the site names may delete sessions.",
                hint="`medlabel audit site show` names them.",
            )
        for lot in in_lots(heads, MAX_LIST):
            log.append("retention.prune", detail=_tombstone(site, officer, lot))
            for head in lot:
                _unlink(root, head)


def _tombstone(site: Site, officer: OfficerKey, heads: Sequence[Head]) -> dict[str, object]:
    """Return the detail of the event that stands for deleted sessions."""
    from napari_medlabel.audit.check.trust import pruning_text
    from napari_medlabel.audit.format.seal import to_base64
    from napari_medlabel.audit.keys.site import officer_name

    days = site.policy.retention_days
    signature = officer.signing.sign_as(officer_name(site.name), pruning_text(heads, days))
    return {
        "pruned": [head.record() for head in heads],
        "policy_days": days,
        "signature": to_base64(signature),
    }


def _unlink(root: Path, head: Head) -> None:
    """Delete a session and the head that it published."""
    from napari_medlabel.audit.format.layout import head_note, session_file

    try:
        (root / session_file(head.origin)).unlink()
        (root / head_note(head.origin)).unlink(missing_ok=True)
    except OSError as err:
        raise SaveError(
            f"A session whose time is over could not be deleted ({type(err).__name__}).",
            hint="That it may be is in the log already. Check the rights of the folder, then "
            "run it again.",
        ) from err
