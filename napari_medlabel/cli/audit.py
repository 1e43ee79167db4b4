"""``medlabel audit``: verify the log, show it, and see a changed byte turn it red."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_medlabel.cli import (
    audit_code,
    audit_export,
    audit_key,
    audit_reason,
    audit_receipt,
    audit_report,
    audit_review,
    audit_site,
    audit_timestamp,
    audit_who,
    audit_witness,
)

if TYPE_CHECKING:
    from napari_medlabel.audit.check.verdict import LogReport

_LONGEST = 24  # characters of a value in a line
_LEVELS = {"red": "RED  ", "amber": "AMBER", "note": "note "}


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
    for name, run_it, text in (
        ("verify", run_verify, "check that nothing was changed; exit 0 green, 4 amber, 5 red"),
        ("show", run_show, "print the events as a table"),
        ("demo", run_demo, "change one byte in a copy and show that it is found"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("root", nargs="?", type=Path, metavar="ROOT")
        command.add_argument("--json", action="store_true", help="one JSON document")
        command.set_defaults(run=run_it)
    for module in (
        audit_code,
        audit_export,
        audit_key,
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


def _root(arguments: argparse.Namespace) -> Path:
    from napari_medlabel.audit.writer.place import default_root

    root: Path | None = arguments.root
    return default_root() if root is None else root


def _record(event: str, detail: Mapping[str, object], outcome: int = 0) -> None:
    """Note in this computer's own log that a log was used.

    Looking must stay possible where nothing can be written: a failure is said, not raised.
    """
    from napari_medlabel.audit.writer.place import open_log
    from napari_medlabel.errors import LogError

    try:
        with open_log(role="unknown") as log:
            log.append(event, detail=detail, outcome=outcome)
    except LogError as err:
        print(f"medlabel: not noted in the log: {err.message} {err.hint}", file=sys.stderr)


def _as_json(report: LogReport) -> dict[str, Any]:
    return {
        "verdict": report.verdict.value,
        "sentence": report.sentence,
        "events": report.events,
        "sessions": len(report.sessions),
        "findings": [finding.record() for finding in report.findings],
        "writers": report.writers(),
    }


def _print_report(report: LogReport) -> None:
    print(f"{report.verdict.upper()}. {report.sentence}")
    for finding in report.findings:
        where = f"{finding.file}:{finding.line}" if finding.line else finding.file
        print(f"\n{_LEVELS[finding.level]} {where}\n      {finding.text}")
    print(f"\n{'writer':<18}{'sessions':>10}{'events':>10}{'open':>7}{'red':>6}{'amber':>7}")
    for row in report.writers():
        print(
            f"{row['writer']:<18}{row['sessions']:>10}{row['events']:>10}{row['open']:>7}"
            f"{row['red']:>6}{row['amber']:>7}"
        )


def run_verify(arguments: argparse.Namespace) -> int:
    """Verify a log and note in one's own log that it was done.

    Returns
    -------
    int
        0 green, 4 amber, 5 red.

    Raises
    ------
    InputError
        When there is no log, or it cannot be read.
    """
    from napari_medlabel.audit.check.verify import verify_log
    from napari_medlabel.audit.writer.place import default_state

    report = verify_log(_root(arguments), state=default_state())
    if arguments.json:
        print(json.dumps(_as_json(report), indent=2))
    else:
        _print_report(report)
    levels = [finding.level for finding in report.findings]
    _record(
        "audit.verify",
        {
            "verdict": report.verdict.value,
            "events": report.events,
            "sessions": len(report.sessions),
            "red": levels.count("red"),
            "amber": levels.count("amber"),
        },
        {"green": 0, "amber": 4, "red": 12}[report.verdict.value],
    )
    return report.verdict.exit_code


def run_show(arguments: argparse.Namespace) -> int:
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

    report = verify_log(_root(arguments), state=default_state(), seen=seen)
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
    _record("audit.view", {"events": len(events), "sessions": len(report.sessions)})
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


def run_demo(arguments: argparse.Namespace) -> int:
    """Copy a log aside, change one byte of the copy, and show both verdicts.

    Returns
    -------
    int
        0 when the change was found, 1 otherwise.

    Raises
    ------
    InputError
        When there is no log, or it cannot be read.
    """
    from napari_medlabel.audit.check.verdict import Verdict
    from napari_medlabel.audit.check.verify import session_paths, verify_log
    from napari_medlabel.audit.writer.place import default_state
    from napari_medlabel.errors import InputError

    root = _root(arguments)
    before = verify_log(root, state=default_state())
    longest = max(before.sessions, key=lambda session: session.events, default=None)
    if longest is None or not longest.events:
        raise InputError(
            "A log with at least one event was expected, and this one has none.",
            hint="Open a scan first, or give another ROOT.",
        )
    with tempfile.TemporaryDirectory(prefix="medlabel-audit-") as folder:
        copy = Path(folder) / "copy"
        for path in session_paths(root):
            target = copy / path.relative_to(root)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        changed = copy / longest.file
        data = bytearray(changed.read_bytes())
        place = data.index(b'"outcome":') + len(b'"outcome":')
        data[place] ^= 1
        changed.write_bytes(data)
        after = verify_log(copy, state=default_state())
    if arguments.json:
        shown = {"before": _as_json(before), "after": _as_json(after), "byte": place}
        print(json.dumps(shown, indent=2))
    else:
        print("The log as it is:\n")
        _print_report(before)
        print(f"\n\nA copy of it, in which byte {place} of one file was changed:\n")
        _print_report(after)
        print("\nThe log itself was not touched.")
    return 0 if after.verdict is Verdict.RED else 1
