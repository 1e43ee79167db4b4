"""``medlabel project gold``: cases with a known truth, for a manager."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_medlabel.cli.study_seat import add_layers, add_study, layers_of, seated

if TYPE_CHECKING:
    from napari_medlabel.session.study.seat import Seat


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``project gold`` to the command line.

    Parameters
    ----------
    commands : argparse subparsers
        Of ``medlabel project``.
    """
    text = "list, add or remove cases with a known truth, and score them; only a manager may"
    parser = commands.add_parser(
        "gold",
        help=text,
        description=f"{text}. They are mixed into each rater's list by gold_share and the "
        "seed, and scored at each submission. The truth lies in medlabel/gold: let nobody but "
        "managers read it; what cannot be scored at once waits for --score.",
    )
    add_study(parser, case=False)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--list", action="store_true", help="the gold cases (the default)")
    what.add_argument("--add", metavar="CASE", help="make a case a gold one, with --mask")
    what.add_argument("--remove", metavar="CASE", help="make it an ordinary one")
    what.add_argument("--score", action="store_true", help="score what waits")
    parser.add_argument("--mask", type=Path, metavar="FILE", help="the true mask")
    add_layers(parser, "the true mask of a further layer of the ontology; may be repeated")
    parser.add_argument("--landmarks", type=Path, metavar="FILE", help="the true landmarks")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """List, add, remove or score gold cases.

    Returns
    -------
    int
        0.

    Raises
    ------
    RefusedError
        When who asks is no manager.
    InputError, GeometryError
        When a file does not fit the case.
    """
    from napari_medlabel.errors import InputError

    beside = arguments.landmarks or arguments.layer
    if bool(arguments.add) != bool(arguments.mask) or (beside and not arguments.add):
        raise InputError(
            "A case becomes a gold one with its true mask.",
            hint="medlabel project gold STUDY --add CASE --mask FILE [--layer N FILE] "
            "[--landmarks FILE]",
        )
    with seated(arguments, role="researcher") as seat:
        rows, words = _done(arguments, seat)
    if arguments.json:
        print(json.dumps({"gold": rows}, indent=2))
        return 0
    for line in words:
        print(line)
    return 0


def _done(arguments: argparse.Namespace, seat: Seat) -> tuple[list[dict[str, Any]], list[str]]:
    from napari_medlabel.project.layout import CaseId
    from napari_medlabel.session.study.gold_keeping import add_gold, list_gold, remove_gold
    from napari_medlabel.session.study.scoring import score_waiting

    if arguments.score:
        scored = [
            {"case": str(case), "slot": slot, "passed": one.passed, "reasons": one.reasons()}
            for case, slot, one in score_waiting(seat)
        ]
        said = [
            f"{one['case']} {one['slot']}: {'passed' if one['passed'] else 'not passed'}"
            for one in scored
        ]
        return scored, said or ["Nothing waits to be scored."]
    if arguments.add:
        case, sheets = CaseId.parse(arguments.add), layers_of(arguments)
        add_gold(seat, case, arguments.mask, arguments.landmarks, sheets)
    elif arguments.remove:
        remove_gold(seat, CaseId.parse(arguments.remove))
    rows, words = [], []
    for one in list_gold(seat):
        rows.append(
            {
                "case": str(one.case),
                "sound": one.is_sound,
                "landmarks": one.has_landmarks,
                "passed": one.passed,
                "failed": one.failed,
            }
        )
        state = "" if one.is_sound else "; NOT as it was put there"
        words.append(f"{one.case}: passed {one.passed}, not passed {one.failed}{state}")
    return rows, words or ["No case has a known truth."]
