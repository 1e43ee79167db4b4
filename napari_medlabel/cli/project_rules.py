"""``medlabel project rules``: put changed rules in force, and mark what they make stale."""

from __future__ import annotations

import argparse
import json

from napari_medlabel.cli.study_seat import add_study, seated


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``project rules`` to the command line.

    Parameters
    ----------
    commands : argparse subparsers
        Of ``medlabel project``.
    """
    text = "put changed rules, guidelines or ontology in force; only a manager may"
    parser = commands.add_parser(
        "rules",
        help=text,
        description="After guidelines.md or ontology.json were changed: tell the log of them "
        "as they are now, and list finished readings that were made under others. With "
        "--outdate they are marked as stale: their annotators redo or confirm them. "
        "--adjudicator says who settles from now on; what was settled before is judged by the "
        "rules of that time.",
    )
    add_study(parser, case=False)
    parser.add_argument(
        "--adjudicator",
        choices=("independent", "reader"),
        help="who settles where readings differ: somebody who has not read the case, or one "
        "of its readers, too",
    )
    parser.add_argument("--outdate", action="store_true", help="mark them as stale")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Tell the log of the rules, and list or mark what is outdated.

    Returns
    -------
    int
        0.

    Raises
    ------
    RefusedError
        When the account is no manager.
    InputError
        When it is no study, or its rules cannot be read.
    LogError
        When the log cannot be written.
    """
    from napari_medlabel.session.study.ruling import set_adjudicator, tell_rules
    from napari_medlabel.session.study.seat import worklist
    from napari_medlabel.session.study.working import mark_outdated, rules_now

    with seated(arguments, role="researcher") as seat:
        told = tell_rules(seat)
        if arguments.adjudicator and set_adjudicator(seat, arguments.adjudicator):
            told = tuple(dict.fromkeys(("project", *told)))
        if arguments.outdate:
            found = mark_outdated(seat)
        else:
            ontology, guideline = rules_now(seat)
            found = worklist(seat).outdated(ontology=ontology, guideline=guideline)
    rows = [{"case": str(case), "slot": slot} for case, slot in found]
    if arguments.json:
        print(json.dumps({"new": list(told), "outdated": rows, "marked": arguments.outdate}))
        return 0
    for setting in told:
        print(f"The log knows the {setting} as it is now.")
    for row in rows:
        print(f"{row['case']} {row['slot']}")
    done = "marked as outdated" if arguments.outdate else "outdated; mark them with --outdate"
    print(f"{len(rows)} readings {done}.")
    return 0
