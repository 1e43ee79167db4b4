"""``medlabel audit report``: the officer's page, in one file that checks itself."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from napari_medlabel.cli.audit_trace import root_of, trace

if TYPE_CHECKING:
    from napari_medlabel.audit.report.facts import Facts
    from napari_medlabel.cli.audit_downloads import Collecting

_OWN: Final = 0o600  # a page with names is for who made it, until it is passed on
_MINUTE_MS: Final = 60_000
_DAY_MS: Final = 86_400_000
_FOREVER_MS: Final = 253_402_300_799_999  # the last millisecond of the year 9999


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``audit report`` to the command line.

    Parameters
    ----------
    commands : argparse subparsers
        Of ``medlabel audit``.
    """
    text = "write a page that says in words what happened, and checks itself in a browser"
    parser = commands.add_parser(
        "report", help=text, description=f"{text[0].upper()}{text[1:]}. Exit 0 green, 4 amber, "
        "5 red; the page is written in each case."
    )  # fmt: skip
    parser.add_argument("root", nargs="?", type=Path, metavar="ROOT")
    parser.add_argument(
        "-o", "--out", type=Path, required=True, metavar="FILE", help="an HTML file"
    )
    parser.add_argument(
        "--from", dest="first", type=_day, metavar="DATE", help="first day, as 2026-11-01"
    )
    parser.add_argument(
        "--to", dest="last", type=_day, metavar="DATE", help="last day, as 2026-11-30"
    )
    parser.add_argument(
        "--names",
        type=Path,
        metavar="FILE.csv",
        help="names for user tokens, for this page alone: token,name",
    )
    parser.add_argument(
        "--downloads",
        choices=("all", "none"),
        help="which files for saving the page holds beside the log itself; by default all, "
        "unless the log has more than 20,000 events: then the page names their commands",
    )
    parser.add_argument("--force", action="store_true", help="replace FILE where it exists")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.set_defaults(run=run)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as err:
        raise argparse.ArgumentTypeError("a day such as 2026-11-01 was expected") from err


def run(arguments: argparse.Namespace) -> int:
    """Write the page, keep the list behind its code, and note it in one's own log.

    Returns
    -------
    int
        0 green, 4 amber, 5 red.

    Raises
    ------
    InputError
        When there is no log, it cannot be read, FILE exists, or the days are in no order.
    SaveError
        When the page cannot be written.
    """
    from napari_medlabel.audit.disk import SystemClock
    from napari_medlabel.audit.report.gather import facts_of, log_bytes
    from napari_medlabel.audit.report.names import read_names
    from napari_medlabel.audit.report.page import page_of
    from napari_medlabel.audit.writer.place import default_state
    from napari_medlabel.io.files import write_bytes_aside

    root, out, now_ms = root_of(arguments), arguments.out, SystemClock().utc_ms()
    _require_new(out, force=arguments.force)
    files = _files(arguments, root)
    facts = facts_of(
        root,
        state=default_state(),
        now_ms=now_ms,
        period=_period(arguments, root),
        names=read_names(arguments.names) if arguments.names else None,
        seen=files.seen if files is not None else None,
    )
    downloads = files.downloads(root, facts.verdict, now_ms) if files is not None else ()
    page = page_of(facts, log_bytes(root, facts.verdict), downloads)
    write_bytes_aside(out, page, mode=_OWN if facts.names else None)
    digest = f"sha256:{sha256(page).hexdigest()}"
    _keep(root, facts)
    trace("audit.report", _detail(facts, digest))
    if arguments.json:
        print(json.dumps(_as_json(facts, digest), indent=2))
    else:
        _tell(facts)
    return facts.verdict.verdict.exit_code


def _require_new(path: Path, *, force: bool) -> None:
    from napari_medlabel.errors import InputError

    if path.is_dir() or (path.exists() and not force):
        raise InputError(
            "The file for the page exists already, and nothing is overwritten.",
            hint="Choose another name, or give --force.",
        )


def _files(arguments: argparse.Namespace, root: Path) -> Collecting | None:
    """Return what makes the files inside the page, or None where there shall be none."""
    from napari_medlabel.audit.report.gather import site_of
    from napari_medlabel.cli.audit_downloads import MOST_EVENTS, Collecting

    if arguments.downloads == "none":
        return None
    site = site_of(root)
    most = None if arguments.downloads == "all" else MOST_EVENTS
    return Collecting(site.policy if site is not None else None, most)


def _period(arguments: argparse.Namespace, root: Path) -> tuple[int, int] | None:
    """Return first and last millisecond of the days that were asked for, by local time."""
    from napari_medlabel.audit.report.gather import site_of
    from napari_medlabel.errors import InputError

    if arguments.first is None and arguments.last is None:
        return None
    site = site_of(root)
    offset = site.policy.utc_offset_minutes if site is not None else 0
    first, last = 0, _FOREVER_MS
    if arguments.first is not None:
        first = max(_midnight_ms(arguments.first, offset), 0)
    if arguments.last is not None:
        last = _midnight_ms(arguments.last, offset) + _DAY_MS - 1
    if first > last:
        raise InputError(
            "The first day must not come after the last one.",
            hint="Exchange --from and --to.",
        )
    return first, last


def _midnight_ms(day: date, offset_minutes: int) -> int:
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return int(midnight.timestamp()) * 1000 - offset_minutes * _MINUTE_MS


def _keep(root: Path, facts: Facts) -> None:
    """Keep what the code stands for beside the log; where that cannot be, say so."""
    from napari_medlabel.audit.anchors.code import keep_code
    from napari_medlabel.errors import SaveError

    if facts.code is None:
        return
    try:
        keep_code(root, facts.code)
    except SaveError as err:
        print(
            f"medlabel: the list behind the code could not be kept beside the log, so "
            f"'verify --expect' will not know it: {err.message} {err.hint}",
            file=sys.stderr,
        )


def _detail(facts: Facts, digest: str) -> dict[str, object]:
    detail: dict[str, object] = {
        "events": facts.verdict.events,
        "report": digest,
        "verdict": facts.verdict.verdict.value,
        "from_ms": facts.period[0],
        "to_ms": facts.period[1],
    }
    if facts.code is not None:
        detail["code"] = facts.code.digest
    return detail


def _as_json(facts: Facts, digest: str) -> dict[str, Any]:
    return {
        "verdict": facts.verdict.verdict.value,
        "sentence": facts.verdict.sentence,
        "code": facts.code.text if facts.code is not None else "",
        "report": digest,
        "events": facts.verdict.events,
        "exports": len(facts.exports),
        "accesses": len(facts.accesses),
        "unexplained": sum(not one.explained for one in facts.accesses),
        "late_changes": len(facts.late_changes),
        "failures": len(facts.failures),
        "review_overdue": facts.review_overdue,
    }


def _tell(facts: Facts) -> None:
    print(f"{facts.verdict.verdict.upper()}. {facts.verdict.sentence}")
    if facts.code is not None:
        print(f"Code for paper: {facts.code.text}")
    asked = sum(not one.explained for one in facts.accesses)
    print(
        f"{len(facts.exports)} left the program; {asked} of {len(facts.accesses)} accesses "
        f"are unexplained; {len(facts.late_changes)} changes after approval; "
        f"{len(facts.failures)} failures."
    )
    if facts.review_overdue:
        print("The review of the log is overdue.")
