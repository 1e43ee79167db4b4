"""``medlabel deid SRC DST``: a copy of a folder of scans that tells of nobody."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_medlabel.deid.report import BatchReport
    from napari_medlabel.session.desk import Desk

_REFUSED = 3
_BAR = 30
_STEP = 10  # per cent between two lines where there is no terminal


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``deid`` to the command line.

    Parameters
    ----------
    subparsers : argparse subparsers
        Of ``medlabel``.
    """
    parser = subparsers.add_parser(
        "deid",
        help="write a copy of DICOM and NIfTI files without identity",
        description="Write a de-identified copy of SRC to DST, a new folder. What cannot be "
        "cleaned is not passed on: it is listed, and the exit code is 3.",
    )
    parser.add_argument("source", type=_path, metavar="SRC", help="a folder or a file")
    parser.add_argument("target", type=_path, metavar="DST", help="a new or empty folder")
    parser.add_argument("--profile", default="basic", choices=["basic"], help="PS3.15 2026c")
    parser.add_argument(
        "--key",
        type=_path,
        metavar="FILE",
        help="the project's secret, made with mode 0600 where the file does not exist; "
        "by default in the user's data folder",
    )
    parser.add_argument("--jobs", type=_count, default=1, metavar="N", help="processes")
    parser.add_argument(
        "--dry-run", action="store_true", help="write nothing, count what would be"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("--audit", type=_path, metavar="DIR", help="the audit log's folder")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """De-identify, say what was done, and tell by the exit code whether all of it was.

    Returns
    -------
    int
        0 when every scan was cleaned, 3 when some were quarantined.

    Raises
    ------
    MedlabelError
        For bad input, a target that cannot be written, or a log that cannot.
    """
    from napari_medlabel.deid.batch import Listeners, Settings, preview_folder
    from napari_medlabel.deid.profile import basic_profile
    from napari_medlabel.deid.pseudonyms import Pseudonyms
    from napari_medlabel.deid.sources import source_files
    from napari_medlabel.deid.target import check_apart, check_target
    from napari_medlabel.session.desk import open_desk

    check_target(args.source, args.target)
    for path in filter(None, (args.key, args.audit)):
        check_apart(path, args.source, args.target)
    source_files(args.source)  # a key is made only for a job that can begin
    progress = _bar if sys.stderr.isatty() else _lines()
    if args.dry_run:
        report = preview_folder(
            args.source,
            basic_profile(),
            Pseudonyms(_key(args)),
            Settings(jobs=args.jobs),
            Listeners(progress=progress),
        )
    else:
        desk = open_desk(args.audit, role="researcher")
        try:
            report = deidentify_logged(args, desk, progress=progress)
        finally:
            desk.log.close()
    if args.json:
        print(json.dumps(report.to_json()))
    else:
        print(_told(report))
    for reason, positions in _by_reason(report).items():
        _say(f"quarantined: {len(positions)} ({reason}), file {_few(positions)}")
    if report.quarantined:
        _say(
            f"{len(report.quarantined)} of {_counted(report.files, 'file')} not passed on. "
            "File N is the N-th line of: find SRC -type f | LC_ALL=C sort"
        )
    return _REFUSED if report.quarantined else 0


def deidentify_logged(
    args: argparse.Namespace,
    desk: Desk,
    *,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> BatchReport:
    """De-identify with every event in the log: no log, no export.

    Parameters
    ----------
    args : Namespace
        ``source``, ``target``, ``key``, ``jobs`` and ``dry_run`` as on the command line.
    desk : Desk
        Its log takes the events, its tokens name the patients in them.
    progress : callable
        Called with (done, total).
    """
    from napari_medlabel.deid.batch import Listeners, Settings, deidentify_folder
    from napari_medlabel.deid.profile import basic_profile
    from napari_medlabel.deid.pseudonyms import Pseudonyms

    pseudonyms = Pseudonyms(_key(args), subject_token_source=desk.tokens.subject_token)
    return deidentify_folder(
        args.source,
        args.target,
        basic_profile(),
        pseudonyms,
        Settings(jobs=args.jobs),
        Listeners(desk.log, progress, _say),
    )


def _key(args: argparse.Namespace) -> bytes:
    """Return the project key, made where it does not exist; a dry run makes none."""
    import os
    import secrets

    from platformdirs import user_data_path

    from napari_medlabel.deid.keys import make_key, read_key
    from napari_medlabel.deid.pseudonyms import KEY_BYTES

    path = (
        args.key or user_data_path("napari-medlabel", appauthor=False) / "keys" / "project.key"
    )
    if os.path.lexists(path):
        return read_key(path)
    if args.dry_run:
        return secrets.token_bytes(KEY_BYTES)
    key = make_key(path, secrets.token_bytes)
    where = "as --key asks" if args.key else "in the user's data folder (keys/project.key)"
    _say(f"A project key was made {where}, with mode 0600; keep it apart from the data.")
    return key


def _told(report: BatchReport) -> str:
    """Return the report in words."""
    verb = "would be written" if report.dry_run else "written"
    lines = [
        f"{report.dicom} DICOM and {_counted(report.nifti, 'NIfTI file')} {verb}",
        f"{_counted(report.patients, 'patient')}, PS3.15 {report.edition} {report.profile}",
        f"key {report.key_id}",
        f"attributes kept {report.kept}, "
        + ", ".join(f"{name} {count}" for name, count in report.actions.items()),
    ]
    lines += [f"left out: {count} ({what})" for what, count in report.skipped.items()]
    lines += [
        f"note: {what} ({_counted(count, 'file')})" for what, count in report.notes.items()
    ]
    return "\n".join(lines)


def _by_reason(report: BatchReport) -> dict[str, list[int]]:
    """Positions of the quarantined files by reason."""
    result: dict[str, list[int]] = {}
    for file in report.quarantined:
        result.setdefault(file.reason.value, []).append(file.position)
    return dict(sorted(result.items()))


def _few(positions: list[int], most: int = 10) -> str:
    """Return the first positions, and how many more there are."""
    shown = ", ".join(str(position) for position in positions[:most])
    return shown if len(positions) <= most else f"{shown} and {len(positions) - most} more"


def _bar(done: int, total: int) -> None:
    """Draw a bar on a terminal."""
    filled = _BAR * done // total
    end = "\n" if done == total else ""
    sys.stderr.write(f"\r[{'#' * filled}{'.' * (_BAR - filled)}] {done}/{total}{end}")
    sys.stderr.flush()


def _lines() -> Callable[[int, int], None]:
    """One line for every tenth part of the work."""
    last = 0

    def show(done: int, total: int) -> None:
        nonlocal last
        percent = 100 * done // total
        if percent // _STEP > last // _STEP:
            last = percent
            _say(f"{done} of {_counted(total, 'file')}")

    return show


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where it is one."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _path(text: str) -> Path:
    """Parse a path; an empty one is most often a shell variable without a value."""
    if not text.strip():
        raise argparse.ArgumentTypeError("a path was expected and the text is empty")
    return Path(text)


def _count(text: str) -> int:
    """Parse a number of processes."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("a number of processes is 1 or more")
    return number
