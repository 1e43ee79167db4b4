"""``medlabel audit demo``: one byte is changed in a copy of the log, and it turns red."""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from napari_medlabel.cli.audit_trace import root_of
from napari_medlabel.cli.audit_verify import as_json, print_report

if TYPE_CHECKING:
    from napari_medlabel.audit.check.verdict import LogReport

_PLACE = b'"outcome":'
_EXAMPLE = "There is no log yet: this is an example log of three events, made for the demo."


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``audit demo`` to the command line.

    Parameters
    ----------
    commands : argparse subparsers
        Of ``medlabel audit``.
    """
    text = "change one byte in a copy and show that it is found"
    parser = commands.add_parser("demo", help=text, description=text)
    parser.add_argument("root", nargs="?", type=Path, metavar="ROOT")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Copy a log aside, change one byte of the copy, and show both verdicts.

    Where no log was named and there is none yet, a small one is made for the demo.

    Returns
    -------
    int
        0 when the change was found, 1 otherwise.

    Raises
    ------
    InputError
        When the log that was named is none, holds no event, or cannot be read.
    """
    from napari_medlabel.audit.writer.place import default_state

    root, state = root_of(arguments), default_state()
    with tempfile.TemporaryDirectory(prefix="medlabel-audit-") as folder:
        is_example = arguments.root is None and not any(root.glob("writers/**/*.jsonl"))
        if is_example:
            root, state = _example(Path(folder))
        before, after, place = _change(root, state, Path(folder) / "copy")
    if arguments.json:
        shown = {
            "before": as_json(before),
            "after": as_json(after),
            "byte": place,
            "example": is_example,
        }
        print(json.dumps(shown, indent=2))
    else:
        print(f"{_EXAMPLE}\n" if is_example else "The log as it is:\n")
        print_report(before)
        print(f"\n\nA copy of it, in which byte {place} of one file was changed:\n")
        print_report(after)
        print("\nThe log itself was not touched.")
    return 0 if after.verdict.value == "red" and after.whole.value == "red" else 1


def _example(folder: Path) -> tuple[Path, Path]:
    """Write a small log with a memory of its own, and return the folders of both."""
    from napari_medlabel.audit.writer.place import open_log

    root, state = folder / "example", folder / "state"
    with open_log(root, state=state) as log:
        log.append("volume.open", detail={"format": "dicom", "slices": 40})
    return root, state


def _change(root: Path, state: Path, copy: Path) -> tuple[LogReport, LogReport, int]:
    """Return the verdict on a log, that on a copy with one other byte, and which byte."""
    from napari_medlabel.audit.check.verify import verify_log
    from napari_medlabel.errors import InputError

    before = verify_log(root, state=state)
    longest = max(before.sessions, key=lambda session: session.events, default=None)
    if longest is None or not longest.events:
        raise InputError(
            "A log with at least one event was expected, and this one has none.",
            hint="Open a scan first, or give another ROOT.",
        )
    # Kept masks and texts are left where they are: they can be large, and are not shown.
    shutil.copytree(root, copy, ignore=shutil.ignore_patterns("objects", "reasons", ".*"))
    changed = copy / longest.file
    data = bytearray(changed.read_bytes())
    place = data.index(_PLACE) + len(_PLACE)
    data[place] ^= 1
    changed.write_bytes(data)
    return before, verify_log(copy, state=state), place
