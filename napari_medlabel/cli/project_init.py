"""``medlabel project init``: make a study folder, with who makes it as its manager."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import closing
from pathlib import Path
from typing import Final

_THIRD: Final = (
    "  medlabel project rater STUDY r03 --roles adjudicator   (settles, and reads none of it)\n"
)


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``project init`` to the command line.

    Parameters
    ----------
    commands : argparse subparsers
        Of ``medlabel project``.
    """
    text = "make a study in a new folder; you become its manager"
    parser = commands.add_parser("init", help=text, description=text)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="a new or empty folder")
    parser.add_argument(
        "--name", required=True, metavar="TEXT", help="of the study; it stands in documents"
    )
    parser.add_argument(
        "--ontology",
        default="regions",
        metavar="NAME|FILE",
        help="what is labelled: abdomen, head or regions (the default), or a file: ontology, "
        "label scheme, Slicer terminology, ITK-SNAP or dseg.tsv table",
    )
    parser.add_argument(
        "--landmarks",
        action="append",
        default=[],
        metavar="NAME|FILE",
        help="a landmark template such as afids-32; may be given several times",
    )
    parser.add_argument(
        "--rater", default="r01", metavar="CODE", help="your code in the study (default r01)"
    )
    _add_rules(parser)
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.set_defaults(run=run)


def _add_rules(parser: argparse.ArgumentParser) -> None:
    rules = parser.add_argument_group("rules, which project.json holds")
    rules.add_argument(
        "--readings", type=int, default=1, metavar="N", help="raters for each case (default 1)"
    )
    rules.add_argument(
        "--rule",
        choices=("adjudicate", "majority", "staple"),
        default="adjudicate",
        help="how readings become one (default adjudicate)",
    )
    rules.add_argument(
        "--adjudicator",
        choices=("independent", "reader"),
        default="independent",
        help="who settles where readings differ: somebody who has not read the case (the "
        "default), or one of its readers, too",
    )
    rules.add_argument(
        "--gold-share",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="share of gold cases in each rater's list, 0 to 1 (default 0)",
    )
    rules.add_argument(
        "--review-share",
        type=float,
        default=1.0,
        metavar="SHARE",
        help="share of submissions that are reviewed, 0 to 1 (default 1)",
    )
    rules.add_argument(
        "--repeat-days",
        type=int,
        default=0,
        metavar="N",
        help="days after which a rater reads a case again (default 0: never)",
    )
    rules.add_argument(
        "--claim-hours",
        type=float,
        default=12.0,
        metavar="HOURS",
        help="without a sign of life a claim may be taken over then (default 12)",
    )
    rules.add_argument(
        "--idle-minutes",
        type=float,
        default=2.0,
        metavar="MIN",
        help="without a move the clock of a case stops then (default 2)",
    )
    rules.add_argument(
        "--seed", type=int, default=1, metavar="N", help="of every draw (default 1)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Make a study.

    Returns
    -------
    int
        0.

    Raises
    ------
    MedlabelError
        When the folder is not new, a rule is out of its range, or nothing can be written.
    """
    from napari_medlabel.project.settings import Rater, Settings
    from napari_medlabel.session.desk import open_desk
    from napari_medlabel.session.study.setting_up import init_study, prepare_study
    from napari_medlabel.session.study.templates import find_ontology

    settings = Settings(
        arguments.name,
        (Rater(arguments.rater, roles=("manager",)),),
        readings=arguments.readings,
        rule=arguments.rule,
        adjudicator=arguments.adjudicator,
        gold_share=arguments.gold_share,
        review_share=arguments.review_share,
        repeat_days=arguments.repeat_days,
        claim_hours=arguments.claim_hours,
        idle_minutes=arguments.idle_minutes,
        seed=arguments.seed,
    )
    ontology = find_ontology(arguments.ontology, arguments.landmarks)
    layout = prepare_study(arguments.folder)
    desk = open_desk(layout.audit, role="researcher")
    with closing(desk.log):
        settings = init_study(layout, settings, ontology, desk)
    if arguments.json:
        told = {"study": settings.to_json(), "labels": len(ontology.labels)}
        print(json.dumps(told, ensure_ascii=False))
        return 0
    print(
        f"A study was made: {len(ontology.labels)} labels, "
        f"{settings.readings} reading(s) of each case; you are {arguments.rater}, its manager."
    )
    print(
        "next: fill in medlabel/guidelines/guidelines.md, then\n"
        "  medlabel project rater STUDY r02 --roles annotator\n"
        f"{_THIRD if settings.readings > 1 and settings.adjudicator == 'independent' else ''}"
        "  medlabel project add STUDY DICOM-FOLDER",
        file=sys.stderr,
    )
    return 0
