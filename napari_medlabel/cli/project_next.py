"""``medlabel project next``: what to read or to review next, and begin it."""

from __future__ import annotations

import argparse
import json
from typing import Final

from napari_medlabel.cli.study_seat import add_study, seated

_STRATEGIES: Final = ("order", "random", "finish", "spread")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``project next`` to the command line.

    Parameters
    ----------
    commands : argparse subparsers
        Of ``medlabel project``.
    """
    text = "show which case you read, or review, next"
    parser = commands.add_parser(
        "next",
        help=text,
        description="Show which case you read next: what you began, what was sent back, what "
        "is outdated, then what is to do, by priority and strategy. Nobody gets two readings "
        "of one case.",
    )
    add_study(parser, case=False)
    parser.add_argument("--review", action="store_true", help="what you review next")
    parser.add_argument(
        "--strategy",
        choices=_STRATEGIES,
        default="order",
        help="order of equal priority: by name, at random (seeded), first what others have "
        "read, first what nobody has read",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--begin", action="store_true", help="begin it, too")
    what.add_argument("--all", action="store_true", help="show the whole list")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Show the next reading, and begin it where that is asked for.

    Returns
    -------
    int
        0, also where nothing is left.

    Raises
    ------
    RefusedError
        When the account is no rater of the study, or has another role.
    """
    from napari_medlabel.session.study.lettering import own_name
    from napari_medlabel.session.study.reviewing import begin_review
    from napari_medlabel.session.study.working import all_to_read, all_to_review, begin_next

    role = "reviewer" if arguments.review else "annotator"
    with seated(arguments, role=role) as seat:
        if arguments.review:
            found = list(all_to_review(seat, arguments.strategy))
            if arguments.begin and found:
                begin_review(seat, *found[0])
        elif arguments.begin:
            begun = begin_next(seat, arguments.strategy)
            found = [] if begun is None else [begun]
        else:
            found = list(all_to_read(seat, arguments.strategy))
        names = [
            f"{case} {slot}" if arguments.review else own_name(seat, case, slot)
            for case, slot in found
        ]
    shown = found if arguments.all else found[:1]
    rows = [{"case": str(case), "slot": slot} for case, slot in shown]
    if arguments.json:
        print(json.dumps({"next": rows, "left": len(found)}))
    else:
        for name in names[: len(rows)]:
            print(name)
        if not rows:
            print("Nothing is left for you.")
    return 0
