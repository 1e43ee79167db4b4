"""``medlabel deid SRC DST``: a copy of a folder of scans that tells of nobody."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from napari_medlabel.cli import deid_key, deid_link, deid_review
from napari_medlabel.cli.project_key import add_key_options
from napari_medlabel.errors import InputError

if TYPE_CHECKING:
    from napari_medlabel.deid.batch.folder import Settings
    from napari_medlabel.deid.report.counts import BatchReport
    from napari_medlabel.deid.rules.profile import Profile

Subparsers = argparse._SubParsersAction  # noqa: SLF001 - argparse has no public name for it
UNDER: Final = ("key", "link", "review")
"""Words that make another command after ``deid``; for a folder of that name write ./link."""

_REFUSED = 3
_BASIC = "basic"


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    """Add ``deid``, and what stands under it, to the command line.

    Parameters
    ----------
    subparsers : argparse subparsers
        Of ``medlabel``.
    """
    parser = subparsers.add_parser(
        "deid",
        help="write a copy of scans without identity",
        description="Write a de-identified copy of SRC to DST, a new folder. What cannot be "
        "cleaned is not passed on: it is listed, and the exit code is 3.",
    )
    parser.add_argument(
        "source", type=_path, nargs="?", metavar="SRC", help="a folder or a file"
    )
    parser.add_argument(
        "target", type=_path, nargs="?", metavar="DST", help="a new or empty folder"
    )
    add_rules(parser)
    add_key_options(parser)
    _add_running(parser)
    _add_telling(parser)
    parser.set_defaults(run=run)
    under = cast("Subparsers[argparse.ArgumentParser]", _Under(subparsers))
    for module in (deid_key, deid_link, deid_review):
        module.add_parser(under)


class _Under:
    """Subparsers whose names come after ``deid``.

    Parameters
    ----------
    subparsers : argparse subparsers
        Of ``medlabel``.
    """

    def __init__(self, subparsers: Subparsers[argparse.ArgumentParser]) -> None:
        self._subparsers = subparsers

    def add_parser(self, name: str, **words: Any) -> argparse.ArgumentParser:
        """Add ``deid NAME``."""
        return self._subparsers.add_parser(f"deid {name}", **words)


def add_rules(parser: argparse.ArgumentParser) -> None:
    """Add what says by which rules is de-identified."""
    rules = parser.add_argument_group("rules")
    rules.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="NAME",
        help="an option of PS3.15 Annex E, such as retain-device or clean-pixels; may be "
        "given several times; see docs/reference/profile.md",
    )
    rules.add_argument("--site", type=_path, metavar="FILE", help="a site's own rules (TOML)")
    rules.add_argument(
        "--edition", default="2026c", metavar="EDITION", help="of PS3.15 (default: 2026c)"
    )
    rules.add_argument(
        "--profile",
        default=_BASIC,
        metavar="NAME|FILE",
        help="basic (the default), or a file with a site's own rules on top of it, as --site",
    )


def _add_running(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--jobs", type=_count, default=1, metavar="N", help="processes")
    parser.add_argument(
        "--scheduler",
        default="",
        metavar="ADDRESS",
        help="let a Dask cluster do the work, such as tcp://HOST:8786; its workers must "
        "reach SRC and DST under the same paths",
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on with an unfinished run to DST, and leave what is done when this one is "
        "broken off",
    )
    parser.add_argument(
        "--review",
        type=_path,
        metavar="DIR",
        help="where cleaned images go that somebody must look at (default: DST-review)",
    )
    parser.add_argument(
        "--brain-masks",
        type=_path,
        metavar="DIR",
        help="masks of brains or of whole heads (NIfTI, each on the grid of its scan; more "
        "than 2100 ml is a head) for clean-faces",
    )


def _add_telling(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--dry-run", action="store_true", help="write nothing, show what would be done"
    )
    parser.add_argument(
        "--conformance",
        action="store_true",
        help="print the conformance statement of these rules (PS3.15 E.1.3), and do nothing "
        "else; SRC and DST are not needed",
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument(
        "--pictures",
        action="store_true",
        help="show some of the cleaned images in deid-report.html",
    )
    parser.add_argument(
        "--mappings",
        type=_path,
        metavar="DIR",
        help="write which UID and Patient ID became which, as MIDI-B reads it; logged as "
        "re-identification",
    )
    parser.add_argument(
        "--show-paths",
        action="store_true",
        help="name quarantined files by their paths, on a terminal only",
    )
    parser.add_argument("--audit", type=_path, metavar="DIR", help="the audit log's folder")


def run(args: argparse.Namespace) -> int:
    """De-identify, say what was done, and tell by the exit code whether all of it was.

    Returns
    -------
    int
        0 when every scan was passed on, 3 when some were not.

    Raises
    ------
    MedlabelError
        For bad input, a target that cannot be written, or a log that cannot.
    """
    from napari_medlabel.cli.deid_words import paths_of, say
    from napari_medlabel.cli.project_key import project_files
    from napari_medlabel.deid.batch.folder import Settings, check_job
    from napari_medlabel.deid.batch.target import check_apart, check_target

    if args.show_paths and not sys.stderr.isatty():
        raise InputError(
            "--show-paths names files, which may name patients: it needs a terminal.",
            hint="Leave it out where the output goes to a file or a pipe.",
        )
    if args.conformance:
        return _stated(args)
    if args.source is None or args.target is None:
        raise InputError(
            "A source and a target were expected.", hint="Run `medlabel deid SRC DST`."
        )
    check_target(args.source, args.target)
    for path in filter(None, (*project_files(args), args.audit, args.mappings)):
        check_apart(path, args.source, args.target)
    profile = profile_of(args)
    settings = Settings(
        args.jobs,
        args.scheduler,
        args.resume,
        review=args.review,
        brain_masks=args.brain_masks,
        mappings=args.mappings,
        pictures=args.pictures,
    )
    check_job(args.source, args.target, profile, settings)
    report = (_shown if args.dry_run else _done)(args, profile, settings)
    if args.show_paths:
        for line in paths_of(report, args.source):
            say(line)
    return _REFUSED if report.quarantined or report.review else 0


def _stated(args: argparse.Namespace) -> int:
    """Print the conformance statement of the rules that the options describe."""
    from napari_medlabel.deid.report.conformance import as_text

    text = as_text(profile_of(args))
    print(json.dumps({"conformance": text}) if args.json else text, end="")
    return 0


def profile_of(args: argparse.Namespace) -> Profile:
    """Return the rules that the options describe; ``--profile FILE`` is as ``--site FILE``."""
    from napari_medlabel.deid.rules.profile import load_profile

    name, site = args.profile, args.site
    if name != _BASIC:
        if site is not None:
            raise InputError(
                "--profile FILE and --site FILE are the same, and both were given.",
                hint="Leave one of them out.",
            )
        if not Path(name).is_file():
            raise InputError(
                "--profile was expected to be basic, or a file with a site's own rules.",
                hint="Leave it out for the Basic Profile; options come with --option.",
            )
        name, site = _BASIC, Path(name)
    return load_profile(name, edition=args.edition, options=args.option, site=site)


def _done(args: argparse.Namespace, profile: Profile, settings: Settings) -> BatchReport:
    """Do it, and say what was done; the log is there before the key."""
    from napari_medlabel.cli.deid_words import Progress, not_passed_on, say, told
    from napari_medlabel.cli.progress import progress
    from napari_medlabel.cli.project_key import open_project
    from napari_medlabel.session.deid_run import DeidJob, deidentify_logged
    from napari_medlabel.session.desk import open_desk

    desk = open_desk(args.audit, role="researcher")
    with _ended_as_interrupted(), closing(desk.log):
        project = open_project(args, log=desk.log)
        with closing(project.codes):
            if project.made:
                where = "as --key asks" if args.key else "in the user's data folder"
                say(f"A project key was made {where}; keep it apart from the data.")
            report = deidentify_logged(
                DeidJob(args.source, args.target, profile, project.key.key, settings),
                project.codes,
                desk,
                progress=Progress(),
                planning=progress("looking for faces"),
                say=say,
            )
    print(json.dumps(report.to_json()) if args.json else told(report))
    for line in not_passed_on(report):
        say(line)
    return report


@contextmanager
def _ended_as_interrupted() -> Iterator[None]:
    """Let SIGTERM, which batch systems send, end the run as Ctrl+C does."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _shown(args: argparse.Namespace, profile: Profile, settings: Settings) -> BatchReport:
    """Say what would be done, attribute by attribute and in sums."""
    from napari_medlabel.cli.deid_words import Progress, not_passed_on, say, told
    from napari_medlabel.cli.project_key import open_project
    from napari_medlabel.deid.batch.sources import source_files
    from napari_medlabel.deid.keys.pseudonyms import Pseudonyms
    from napari_medlabel.deid.report.explain_folder import summed
    from napari_medlabel.session.deid_run import DeidJob, preview

    project = open_project(args, keep=False)
    job = DeidJob(args.source, args.target, profile, project.key.key, settings)
    report = preview(job, project.codes, progress=Progress())
    if project.made:
        report = replace(report, key_id="")
    files = source_files(job.source)
    paths = (files.root / file.relative for file in files if file.position)
    pseudonyms = Pseudonyms(job.key, patient_code_source=project.codes.code_for)
    summary = summed(paths, profile, pseudonyms)
    if args.json:
        print(json.dumps({**report.to_json(), "preview": summary.to_json()}))
    else:
        print(f"{summary.as_text()}\n\n{told(report)}")
    for line in not_passed_on(report):
        say(line)
    return report


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
