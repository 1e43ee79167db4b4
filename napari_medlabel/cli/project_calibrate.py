"""``medlabel project calibrate``: raters read the same cases until they agree."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from napari_medlabel.cli.study_seat import add_study, seated

if TYPE_CHECKING:
    from napari_medlabel.session.study.seat import Seat


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``project calibrate`` to the command line.

    Parameters
    ----------
    commands : argparse subparsers
        Of ``medlabel project``.
    """
    text = "begin a round of calibration, end it, or see who passed; only a manager may"
    parser = commands.add_parser(
        "calibrate",
        help=text,
        description=f"{text}. All raters of a round read all its cases, which come first in "
        "their lists. Who reads a gold case is compared with the truth, else with the others.",
    )
    add_study(parser, case=False)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--begin", action="store_true", help="with --cases and --raters")
    what.add_argument("--end", type=int, metavar="N", help="the round of that number")
    parser.add_argument("--cases", nargs="+", default=[], metavar="CASE")
    parser.add_argument("--raters", nargs="+", default=[], metavar="CODE")
    parser.add_argument("--dice", type=float, metavar="X", help="least; the study's by default")
    parser.add_argument("--hd95", type=float, metavar="MM", help="most, as above")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Begin or end a round, and show all of them.

    Returns
    -------
    int
        0.

    Raises
    ------
    RefusedError
        When who asks is no manager.
    InputError
        When the study lacks a case, a rater or a round.
    """
    from napari_medlabel.project.layout import CaseId
    from napari_medlabel.session.study.calibrating import begin_round, end_round

    with seated(arguments, role="researcher") as seat:
        if arguments.begin:
            limits = seat.settings.thresholds
            given = {"dice": arguments.dice, "hd95_mm": arguments.hd95}
            limits = replace(limits, **{k: v for k, v in given.items() if v is not None})
            cases = [CaseId.parse(case) for case in arguments.cases]
            begin_round(seat, cases, arguments.raters, limits)
        elif arguments.end is not None:
            end_round(seat, arguments.end)
        rows = _rounds(seat)
    if arguments.json:
        print(json.dumps({"rounds": rows}, indent=2))
        return 0
    for row in rows:
        state = "open" if row["open"] else "ended"
        print(f"round {row['number']} ({state}): {', '.join(row['cases'])}")
        for one in row["raters"]:
            word = {True: "passed", False: "not passed", None: "not known yet"}[one["passed"]]
            print(f"  {one['rater']}: read {one['read']} of {one['of']}, {word}")
            for reason in one["reasons"]:
                print(f"    {reason}")
    if not rows:
        print("There is no round of calibration.")
    return 0


def _rounds(seat: Seat) -> list[dict[str, Any]]:
    from napari_medlabel.project.reading.rounds import read_rounds
    from napari_medlabel.session.study.calibrating import standings
    from napari_medlabel.session.study.seat import require_role

    require_role(seat, "manager")
    return [
        {
            "number": one.number,
            "open": one.is_open,
            "cases": [str(case) for case in one.cases],
            "raters": [asdict(standing) for standing in standings(seat, one.number)],
        }
        for one in read_rounds(seat.layout)
    ]
