"""``medlabel project sample``: draw finished readings at random, and say what scores show."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from napari_medlabel.cli.study_seat import add_study, case_of, seated
from napari_medlabel.errors import InputError

if TYPE_CHECKING:
    from napari_medlabel.session.study.seat import Seat


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``project sample`` to the command line.

    Parameters
    ----------
    commands : argparse subparsers
        Of ``medlabel project``.
    """
    text = "draw finished readings for quick looks, and say what their scores support"
    parser = commands.add_parser(
        "sample",
        help=text,
        description="Draw finished readings that you may judge. The draw hangs on the seed and "
        "the cases alone, and stands in the log with its size. Scores below 4 are faults.",
    )
    add_study(parser, case=False)
    parser.add_argument(
        "-n", type=int, metavar="N", help="how many; 59 show, without a fault, that < 5 %% are"
    )
    parser.add_argument("--seed", type=int, help="of the draw; the study's by default")
    parser.add_argument(
        "--score",
        nargs=3,
        metavar=("CASE", "SLOT", "SCORE"),
        help="score one of it at a glance: 1 (unusable) to 5, 0 for an image nobody can judge; "
        "what waits for review is decided",
    )
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Draw a sample, and say what it supports.

    Returns
    -------
    int
        0.

    Raises
    ------
    RefusedError
        When the rater is no reviewer.
    InputError
        When nothing is finished, or a number is none.
    LogError
        When the log cannot be written: then nothing is drawn.
    """
    from napari_medlabel.session.study.drawing import draw_sample, tell_statement

    with seated(arguments, role="reviewer") as seat:
        if arguments.score is not None:
            _score(arguments, seat)
        sample = draw_sample(seat, arguments.n, seed=arguments.seed)
        if not sample.left:
            tell_statement(seat, sample)
    rows = [
        {"case": str(case), "slot": slot, "score": sample.scores.get((case, slot))}
        for case, slot in sample.readings
    ]
    if arguments.json:
        said = {**sample.detail(), "unjudged": sample.unjudged, **asdict(sample.statement())}
        print(json.dumps({"sample": rows, **said}, indent=2))
        return 0
    for row in rows:
        score = "-" if row["score"] is None else row["score"]
        print(f"{row['case']} {row['slot']}  {score}")
    print(sample.words())
    return 0


def _score(arguments: argparse.Namespace, seat: Seat) -> None:
    from napari_medlabel.session.study.glancing import score_at_a_glance

    arguments.case, slot, score = arguments.score
    if not score.isdigit():
        raise InputError("A score is a whole number from 0 to 5.", hint="Give another one.")
    score_at_a_glance(seat, case_of(arguments, seat.layout), slot, int(score))
