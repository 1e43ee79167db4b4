"""``medlabel audit show``: the events of a log as a table."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_medlabel.cli.audit_trace import root_of, trace

_LONGEST = 24  # characters of a value in a line


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``audit show`` to the command line.

    Parameters
    ----------
    commands : argparse subparsers
        Of ``medlabel audit``.
    """
    text = "print the events as a table"
    parser = commands.add_parser("show", help=text, description=text)
    parser.add_argument("root", nargs="?", type=Path, metavar="ROOT")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the sealed events of a log, and note in one's own log that it was looked at.

    Returns
    -------
    int
        0 green, 4 amber, 5 red: what the shown lines are worth.

    Raises
    ------
    InputError
        When there is no log, or it cannot be read.
    """
    from napari_medlabel.audit.check.verify import verify_log
    from napari_medlabel.audit.writer.place import default_state

    events: list[dict[str, Any]] = []

    def seen(file: str, line: int, record: Mapping[str, Any]) -> None:
        events.append({"file": file, "line": line, **record})

    report = verify_log(root_of(arguments), state=default_state(), seen=seen)
    events.sort(key=lambda event: (event["time"], event["file"], event["line"]))
    if arguments.json:
        shown = {"verdict": report.verdict.value, "sentence": report.sentence, "events": events}
        print(json.dumps(shown, indent=2))
    else:
        print(f"{report.verdict.upper()}. {report.sentence}\n")
        print(
            f"{'time (UTC)':<25}{'event':<22}{'outcome':>7}  {'user':<10}{'subject':<13}detail"
        )
        for event in events:
            print(_row(event))
    trace(
        "audit.view", {"events": len(events), "sessions": len(report.sessions), "view": "show"}
    )
    return report.verdict.exit_code


def _short(key: str, value: object) -> str:
    """Return a value as it fits into a line; empty where it does not."""
    if key == "options" and isinstance(value, list):
        return "+".join(map(str, value))  # what was kept is the first thing an officer asks
    if isinstance(value, dict | list) or len(str(value)) > _LONGEST:
        return ""
    return str(value)


def _row(event: Mapping[str, Any]) -> str:
    subject = event["subject"][0][:11] if event["subject"] else ""
    plain = (
        f"{key}={value}"
        for key, value in ((k, _short(k, v)) for k, v in event["detail"].items())
        if value
    )
    return (
        f"{event['time']:<25}{event['event']:<22}{event['outcome']:>7}  "
        f"{event['actor']['user'][:9]:<10}{subject:<13}{' '.join(plain)}"
    )
