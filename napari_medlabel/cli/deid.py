"""``medlabel deid SRC DST``: a copy of a folder of scans that tells of nobody."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from napari_medlabel.cli import deid_key, deid_link, deid_review
from napari_medlabel.cli.project_key import add_key_options
from napari_medlabel.errors import InputError

if TYPE_CHECKING:
    from napari_medlabel.cli.project_key import OpenProject
    from napari_medlabel.deid.report.counts import BatchReport
    from napari_medlabel.session.deid_run import DeidJob

Subparsers = argparse._SubParsersAction  # noqa: SLF001 - argparse has no public name for it
UNDER: Final = ("key", "link", "review")
"""Words that make another command after ``deid``; for a folder of that name write ./link."""

_REFUSED = 3


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
    _add_rules(parser)
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


def _add_rules(parser: argparse.ArgumentParser) -> None:
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
    rules.add_argument("--profile", default="basic", choices=["basic"], help="of PS3.15")


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
        help="masks of brains (NIfTI, each on the grid of its scan) for clean-faces",
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
    from napari_medlabel.cli.project_key import open_project, project_files
    from napari_medlabel.deid.batch.folder import Settings
    from napari_medlabel.deid.batch.sources import source_files
    from napari_medlabel.deid.batch.target import check_apart, check_target
    from napari_medlabel.deid.rules.profile import load_profile
    from napari_medlabel.session.deid_run import DeidJob

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
    profile = load_profile(
        args.profile, edition=args.edition, options=args.option, site=args.site
    )
    source_files(args.source)  # a key is made only for a job that can begin
    project = open_project(args, keep=not args.dry_run)
    try:
        if project.made:
            where = "as --key asks" if args.key else "in the user's data folder"
            say(f"A project key was made {where}; keep it apart from the data.")
        settings = Settings(
            args.jobs,
            args.scheduler,
            args.resume,
            review=args.review,
            brain_masks=args.brain_masks,
            mappings=args.mappings,
            pictures=args.pictures,
        )
        job = DeidJob(args.source, args.target, profile, project.key.key, settings)
        report = _shown(job, project, args) if args.dry_run else _done(job, project, args)
    finally:
        project.codes.close()
    if args.show_paths:
        for line in paths_of(report, args.source):
            say(line)
    return _REFUSED if report.quarantined or report.review else 0


def _stated(args: argparse.Namespace) -> int:
    """Print the conformance statement of the rules that the options describe."""
    from napari_medlabel.deid.report.conformance import as_text
    from napari_medlabel.deid.rules.profile import load_profile

    profile = load_profile(
        args.profile, edition=args.edition, options=args.option, site=args.site
    )
    print(as_text(profile), end="")
    return 0


def _done(job: DeidJob, project: OpenProject, args: argparse.Namespace) -> BatchReport:
    """Do it, and say what was done."""
    from napari_medlabel.cli.deid_words import Progress, not_passed_on, say, told
    from napari_medlabel.cli.progress import progress
    from napari_medlabel.session.deid_run import deidentify_logged
    from napari_medlabel.session.desk import open_desk

    desk = open_desk(args.audit, role="researcher")
    try:
        report = deidentify_logged(
            job,
            project.codes,
            desk,
            progress=Progress(),
            planning=progress("looking for faces"),
            say=say,
        )
    finally:
        desk.log.close()
    print(json.dumps(report.to_json()) if args.json else told(report))
    for line in not_passed_on(report):
        say(line)
    return report


def _shown(job: DeidJob, project: OpenProject, args: argparse.Namespace) -> BatchReport:
    """Say what would be done, attribute by attribute and in sums."""
    from napari_medlabel.cli.deid_words import Progress, not_passed_on, say, told
    from napari_medlabel.deid.batch.sources import source_files
    from napari_medlabel.deid.keys.pseudonyms import Pseudonyms
    from napari_medlabel.deid.report.explain_folder import summed
    from napari_medlabel.session.deid_run import preview

    report = preview(job, project.codes, progress=Progress())
    files = source_files(job.source)
    paths = (files.root / file.relative for file in files if file.position)
    pseudonyms = Pseudonyms(job.key, patient_code_source=project.codes.code_for)
    summary = summed(paths, job.profile, pseudonyms)
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
