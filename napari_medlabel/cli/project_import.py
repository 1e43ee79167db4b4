"""``medlabel project import``: labels and landmarks from elsewhere into one's open reading."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from napari_medlabel.cli.study_seat import add_slot, add_study, case_of, seated


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``project import`` to the command line.

    Parameters
    ----------
    commands : argparse subparsers
        Of ``medlabel project``.
    """
    text = "take labels or landmarks of a file into your open reading"
    parser = commands.add_parser(
        "import",
        help=text,
        description="Read DICOM SEG, RTSTRUCT or SR, .seg.nrrd, COCO, a mask or landmarks into "
        "a reading of yours that is in progress, exactly on the scan's grid, or refuse them. "
        "Labels are those of the ontology by name or by code; what is neither is listed and "
        "refused. What is saved can be looked at and changed before it is submitted.",
    )
    add_study(parser)
    parser.add_argument("file", type=Path, metavar="FILE")
    add_slot(parser)
    parser.add_argument(
        "--by-value",
        action="store_true",
        help="a mask without names: its numbers are the ontology's values",
    )
    parser.add_argument(
        "--replace", action="store_true", help="what is labelled already gives way"
    )
    parser.add_argument(
        "--layer", type=int, default=0, metavar="N", help="of the ontology, to import into (0)"
    )
    parser.add_argument(
        "--from-case",
        default="",
        metavar="NAME",
        help="a COCO file: what it calls the case, where that is not the study's name of it",
    )
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Import a file and say what came.

    Returns
    -------
    int
        0.

    Raises
    ------
    RefusedError, GeometryError, InputError
        When it must not be read, does not fit, or is not in the ontology's words.
    SaveError, LogError
        When it cannot be saved or logged.
    """
    from napari_medlabel.cli.progress import progress
    from napari_medlabel.session.study.importing import import_marks
    from napari_medlabel.session.study.working import slot_of

    with seated(arguments) as seat:
        case = case_of(arguments, seat.layout)
        done = import_marks(
            seat,
            case,
            arguments.slot or slot_of(seat, case),
            arguments.file,
            by_value=arguments.by_value,
            replaces=arguments.replace,
            layer=arguments.layer,
            from_case=arguments.from_case,
            progress=progress("reading"),
        )
    for words in done.warnings:
        print(f"medlabel: {words}", file=sys.stderr)
    if arguments.json:
        shown = {
            "kind": done.kind,
            "labels": list(done.labels),
            "voxels": done.voxels,
            "landmarks": done.landmarks,
        }
        print(json.dumps(shown, indent=2))
        return 0
    labels = ", ".join(done.labels) or "no labels"
    print(f"{done.kind}: {labels}; {done.voxels} voxels labelled, {done.landmarks} landmarks.")
    return 0
