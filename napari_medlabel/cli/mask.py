"""``medlabel mask``: versions of a saved mask, one of them put back, and what it measures."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from napari_medlabel.cli import mask_compare, mask_stats
from napari_medlabel.cli.given_reason import add_reason, add_text, given_text

if TYPE_CHECKING:
    from napari_medlabel.session.desk import Desk
    from napari_medlabel.session.mask_log import Version

_COLUMNS: Final = ("no", "", "id", "when (UTC)", "who", "by", "+ voxels", "- voxels", "kept")
_ID: Final = slice(7, 19)


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``mask`` and its own subcommands to the command line."""
    parser = subparsers.add_parser(
        "mask",
        help="list the versions of a saved mask, put one back, delete one; measure, compare",
        description="Every mask that was ever saved is kept beside the audit log. MASK is a "
        "saved mask (with its sidecar), or the folder in which it lies; to measure and to "
        "compare, any mask.",
    )
    commands = parser.add_subparsers(dest="mask_command", metavar="COMMAND", required=True)
    text = "list the versions: who wrote them when, what changed, which is on the disk"
    history = commands.add_parser("history", help=text, description=text)
    history.set_defaults(run=run_history)
    text = "put an earlier version in the place of the present mask, which is kept"
    back = commands.add_parser("restore", help=text, description=text)
    back.set_defaults(run=run_restore)
    text = "delete a mask; it is kept beside the log and can be restored"
    delete = commands.add_parser(
        "delete", help=text, description=f"{text}. Close its scan in napari first."
    )
    delete.set_defaults(run=run_delete)
    add_reason(delete)
    for command in (history, back, delete):
        command.add_argument("path", type=Path, metavar="MASK")
    back.add_argument(
        "--version",
        required=True,
        metavar="N|ID",
        help="a number of the history, or the first digits of an id",
    )
    add_reason(back)
    add_text(back)
    mask_stats.add_parser(commands)
    mask_compare.add_parser(commands)
    for command in (history, back, delete):
        command.add_argument("--json", action="store_true", help="one JSON document")
        command.add_argument("--audit", type=Path, metavar="DIR", help="the audit log's folder")


def run_history(arguments: argparse.Namespace) -> int:
    """Print the versions of a mask; that somebody looked is in the log.

    Returns
    -------
    int
        0.

    Raises
    ------
    InputError
        When there is no mask with its sidecar.
    LogError
        When the log cannot be read or written.
    """
    from napari_medlabel.session.desk import open_desk
    from napari_medlabel.session.restoring import history_of
    from napari_medlabel.session.saved_mask import find_mask

    mask = find_mask(arguments.path)
    desk = open_desk(arguments.audit, role="unknown")
    try:
        versions = history_of(mask, desk.audit_root, desk.objects, desk.state)
        _note_view(desk, versions)
    finally:
        desk.log.close()
    if arguments.json:
        document = {"case": mask.case, "versions": [one.record() for one in versions]}
        print(json.dumps(document, indent=2))
    else:
        _print_table(versions)
    return 0


def run_restore(arguments: argparse.Namespace) -> int:
    """Put a version back and say what was done.

    Returns
    -------
    int
        0.

    Raises
    ------
    InputError
        When there is no such mask or version, or it cannot be had back.
    GeometryError
        When the version lies on another grid.
    SaveError
        When the mask cannot be written.
    RefusedError
        When the text says who the patient is, or no officer could read it.
    LogError
        When the log cannot be read or written; then nothing was changed.
    """
    from napari_medlabel.session.desk import open_desk
    from napari_medlabel.session.mask_scan import values_under
    from napari_medlabel.session.restoring import choose_version, history_of, restore
    from napari_medlabel.session.saved_mask import find_mask

    mask = find_mask(arguments.path)
    text = given_text(arguments)
    values = values_under(mask, arguments.scan) if text else ()
    desk = open_desk(arguments.audit)
    try:
        versions = history_of(mask, desk.audit_root, desk.objects, desk.state)
        chosen = choose_version(versions, arguments.version)
        done = restore(desk, mask, chosen, reason=arguments.reason, text=text, values=values)
        if done.unlogged is not None:
            raise done.unlogged
    finally:
        desk.log.close()
    if arguments.json:
        document = {
            "version": chosen.number,
            "id": chosen.id,
            "replaced": done.replaced,
            "voxels_added": done.change.added,
            "voxels_removed": done.change.removed,
            "voxels_changed": done.change.changed,
        }
        print(json.dumps(document, indent=2))
        return 0
    print(
        f"Version {chosen.number} is the mask now, read back and compared: "
        f"{done.change.added} voxels came, {done.change.removed} went."
    )
    if done.replaced is not None:
        print(f"The mask before it is kept as {done.replaced[_ID]}.")
    return 0


def run_delete(arguments: argparse.Namespace) -> int:
    """Delete a mask and say where it is kept.

    Returns
    -------
    int
        0.

    Raises
    ------
    InputError
        When there is no mask.
    RefusedError
        When a running program has unsaved work on it.
    SaveError
        When it cannot be kept or removed.
    LogError
        When the log cannot be read or written; then nothing is deleted.
    """
    from napari_medlabel.session.deleting import delete_mask
    from napari_medlabel.session.desk import open_desk
    from napari_medlabel.session.restoring import history_of
    from napari_medlabel.session.saved_mask import find_mask

    mask = find_mask(arguments.path)
    desk = open_desk(arguments.audit)
    try:
        versions = history_of(mask, desk.audit_root, desk.objects, desk.state)
        deleted = delete_mask(desk, mask, versions, reason=arguments.reason)
    finally:
        desk.log.close()
    if arguments.json:
        print(json.dumps({"id": deleted}, indent=2))
        return 0
    print(
        f"The mask is deleted, and kept as {deleted[_ID]}. "
        "medlabel mask restore brings it back."
    )
    return 0


def _note_view(desk: Desk, versions: tuple[Version, ...]) -> None:
    subjects = sorted({one.subject for one in versions if one.subject})
    desk.log.append(
        "audit.view",
        subject=subjects,
        detail={"view": "history", "events": sum(bool(one.event) for one in versions)},
    )


def _print_table(versions: tuple[Version, ...]) -> None:
    rows = [_COLUMNS, *(_row(one) for one in versions)]
    widths = [max(len(row[n]) for row in rows) for n in range(len(_COLUMNS))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())
    lost = sum(one.kept != "kept" for one in versions)
    if lost:
        print(
            f"note: {lost} of these cannot be had back. "
            "'medlabel audit verify' says what the log thinks of it.",
            file=sys.stderr,
        )


def _row(one: Version) -> tuple[str, ...]:
    return (
        str(one.number),
        "now" if one.is_current else "",
        one.id[_ID],
        one.time[:19].replace("T", " ") or "-",
        one.user or "-",
        f"{one.event or 'before the log'}{f' ({one.reason})' if one.reason else ''}",
        "-" if one.added is None else str(one.added),
        "-" if one.removed is None else str(one.removed),
        one.kept,
    )
