"""``medlabel project add``: scans into a study, through de-identification."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_medlabel.cli.deid import add_rules, profile_of
from napari_medlabel.cli.project_key import add_key_options
from napari_medlabel.errors import LogError, MedlabelError

if TYPE_CHECKING:
    from napari_medlabel.session.study.adding import Added


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``project add`` to the command line.

    Parameters
    ----------
    commands : argparse subparsers
        Of ``medlabel project``.
    """
    from napari_medlabel.project.cases.naming import KINDS

    text = "add scans to a study, de-identified"
    parser = commands.add_parser(
        "add",
        help=text,
        description="De-identify scans, convert them to NIfTI in exactly their place, search "
        "what was written once more, and add each volume as a case. Of a source of which a "
        "part cannot be cleaned nothing is added, and the exit code is 3.",
    )
    parser.add_argument("study", type=Path, metavar="STUDY")
    parser.add_argument(
        "source",
        nargs="+",
        type=Path,
        metavar="SOURCE",
        help="a folder of DICOM files, or a DICOM or NIfTI file",
    )
    parser.add_argument(
        "--subject",
        default="",
        metavar="CODE",
        help="the patient's code in the study, such as 001, for scans that name nobody "
        "(default: the code that the patient has, else the next number)",
    )
    parser.add_argument(
        "--session", default="", metavar="CODE", help="of the visit, such as 01; no date"
    )
    parser.add_argument(
        "--kind",
        default="",
        metavar="KIND",
        help=f"of scan: {', '.join(KINDS)} (default: by modality)",
    )
    parser.add_argument(
        "--keep-original",
        action="store_true",
        help="copy the files as they came into sourcedata, which is never exported; they "
        "tell whose they are",
    )
    parser.add_argument(
        "--no-dicom",
        action="store_true",
        help="do not keep the de-identified DICOM images of a scan: it takes less room, and "
        "cannot be exported as DICOM SEG, RTSTRUCT or SR",
    )
    add_rules(parser)
    parser.add_argument(
        "--brain-masks", type=Path, metavar="DIR", help="as for medlabel deid clean-faces"
    )
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes")
    add_key_options(parser)
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Add sources one after another; one that is refused does not stop the others.

    Returns
    -------
    int
        0 when each source gave a case; else the exit code of the worst refusal.

    Raises
    ------
    MedlabelError
        When there is one source and it is refused, or the log or a key cannot be used.
    """
    from napari_medlabel.cli.project_key import open_project, project_files
    from napari_medlabel.deid.batch.folder import Settings, check_job
    from napari_medlabel.deid.batch.target import check_apart
    from napari_medlabel.project.layout import find_study
    from napari_medlabel.session.desk import open_desk
    from napari_medlabel.session.study.adding import Cleaning, Naming

    layout = find_study(arguments.study)
    naming = Naming(
        arguments.subject,
        arguments.session,
        arguments.kind,
        arguments.keep_original,
        not arguments.no_dicom,
    )
    profile = profile_of(arguments)
    batch = Settings(max(1, arguments.jobs), brain_masks=arguments.brain_masks)
    for source in arguments.source:
        for path in project_files(arguments):
            check_apart(path, source, layout.root)
    # Of several sources one that is none does not stop the others.
    if len(arguments.source) == 1:
        check_job(arguments.source[0], layout.adding / "new", profile, batch)
    desk = open_desk(layout.audit, role="researcher")
    with closing(desk.log):
        project = open_project(arguments, log=desk.log)
        with closing(project.codes):
            if project.made:
                _say("A project key was made; keep it apart from the study.")
            cleaning = Cleaning(profile, project.key.key, project.codes, batch)
            told, code = _add_all(arguments, (layout, desk, cleaning, naming))
    if arguments.json:
        print(json.dumps({"sources": told}))
    return code


def _add_all(
    arguments: argparse.Namespace, to: tuple[Any, Any, Any, Any]
) -> tuple[list[dict[str, Any]], int]:
    """Add each source; return what is told of each, and the exit code."""
    from napari_medlabel.cli.deid_words import Progress
    from napari_medlabel.session.study.adding import add_scans

    layout, desk, cleaning, naming = to
    told: list[dict[str, Any]] = []
    code = 0
    for number, source in enumerate(arguments.source, 1):
        try:
            added = add_scans(layout, source, desk, cleaning, naming, progress=Progress())
        except LogError:
            raise
        except MedlabelError as err:
            if len(arguments.source) == 1:
                raise
            _say(f"source {number}: {err.message}\nhint: {err.hint}")
            told.append({"cases": [], "refused": err.message})
            code = max(code, err.exit_code)
            continue
        _tell(added, arguments)
        told.append({"cases": [str(one) for one in added.cases], "left_out": added.left_out})
    return told, code


def _tell(added: Added, arguments: argparse.Namespace) -> None:
    """Say what was added, and what a person should know of it."""
    if not arguments.json:
        for case in added.cases:
            print(case)
    for line in added.left_out:
        _say(f"left out: {line}")
    if added.faces:
        _say(
            f"{added.faces} file(s) may show a face that can be recognised; with --option "
            "clean-faces it is removed."
        )
    if added.unlogged is not None:
        _say(f"{added.unlogged.message} The next adding tells the log.")


def _say(text: str) -> None:
    print(f"medlabel: {text}", file=sys.stderr)
