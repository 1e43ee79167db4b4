"""``medlabel project consensus``: readings of a case become one, by a rule or a person."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any, Final

from napari_medlabel.cli.study_seat import REASONS, add_study, case_of, seated
from napari_medlabel.errors import InputError

if TYPE_CHECKING:
    from napari_medlabel.project.agreement.adjudication import Adjudication
    from napari_medlabel.project.agreement.differences import Differences
    from napari_medlabel.project.layout import CaseId
    from napari_medlabel.session.study.agreeing import Reached
    from napari_medlabel.session.study.seat import Seat

WAYS: Final = ("adjudicate", "majority", "staple", "union", "intersection", "distance")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``project consensus`` to the command line.

    Parameters
    ----------
    commands : argparse subparsers
        Of ``medlabel project``.
    """
    text = "make one mask of the readings of a case; what is tied stays unresolved"
    parser = commands.add_parser(
        "consensus",
        help=text,
        description="Without --rule: list where the readings differ, the largest first, and "
        "take decisions, which are kept for this adjudicator. With --rule adjudicate the "
        "decisions become a version of the consensus; with another rule, what it says. Two "
        "readings are never voted on. Landmarks are the mean where all are near; answers those "
        "that all gave alike.",
    )
    add_study(parser)
    parser.add_argument("--rule", choices=WAYS, help="write the consensus by this rule")
    parser.add_argument(
        "--by", choices=("ml", "mm"), default="ml", help="order of the list (ml)"
    )
    parser.add_argument(
        "--decide",
        nargs="+",
        default=[],
        metavar="N=CHOICE",
        help="of difference N: a reading (A, B, ...), union, intersection, majority or staple",
    )
    parser.add_argument("--rest", metavar="CHOICE", help="decide all smaller than --below")
    parser.add_argument("--below", type=float, metavar="ML", help="what is the rest, in ml")
    parser.add_argument(
        "--layer",
        type=int,
        default=0,
        metavar="N",
        help="list and decide on this layer of the ontology (0); --rule takes all layers",
    )
    parser.add_argument(
        "--reason", choices=REASONS, default="", help="why another replaces a settled one"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """List differences, take decisions, or write a consensus.

    Returns
    -------
    int
        0.

    Raises
    ------
    RefusedError
        When the account is no adjudicator, a reading is missing, or two would be voted on.
    InputError
        When study, case or a decision are none.
    """
    from napari_medlabel.io.nifti.reading import load
    from napari_medlabel.session.study.agreeing import reach

    if (arguments.rest is None) != (arguments.below is None):
        raise InputError(
            "The rest is decided by a choice and a size.", hint="Give --rest and --below."
        )
    with seated(arguments, role="reviewer") as seat:
        case = case_of(arguments, seat.layout)
        scan = load(seat.layout.scan(case))
        if arguments.rule is None:
            _list(arguments, *_decide(arguments, seat, case, scan.grid))
            return 0
        if arguments.decide or arguments.rest:
            _decide(arguments, seat, case, scan.grid)
        _tell(arguments, case, reach(seat, case, arguments.rule, scan, reason=arguments.reason))
    return 0


def _decide(
    arguments: argparse.Namespace, seat: Seat, case: CaseId, grid: Any
) -> tuple[Adjudication, Differences]:
    from dataclasses import replace

    from napari_medlabel.project.agreement.adjudication import Decision, outcome
    from napari_medlabel.project.ontology.document import read_ontology
    from napari_medlabel.session.study.agreeing import open_adjudication, save_decisions
    from napari_medlabel.session.study.opening import require_layer
    from napari_medlabel.session.study.readings import ready_readings
    from napari_medlabel.session.study.seat import look

    row = look(seat, case, seat.settings.slots[0]).row
    require_layer(read_ontology(seat.layout.ontology), arguments.layer)
    readings = ready_readings(seat, row, grid)
    work, differences = open_adjudication(seat, case, readings, arguments.layer)
    before = work
    for word in arguments.decide:
        number, _, choice = word.partition("=")
        if not number.isdigit() or int(number) >= len(differences.found):
            raise InputError(
                "A decision is given as N=CHOICE, N being the number of a difference.",
                hint="See them with: medlabel project consensus STUDY CASE",
            )
        one = differences.found[int(number)]
        outcome(one, _as_rule(choice), differences.readers)
        work = work.decide(one.number, Decision(choice, seat.desk.time()))
    if arguments.rest is not None:
        for one in differences.found[:1]:
            outcome(one, _as_rule(arguments.rest), differences.readers)
        work = replace(work, rest=arguments.rest, rest_below_ml=arguments.below)
    if work != before:
        save_decisions(seat, case, work)
    return work, differences


def _as_rule(choice: str) -> str:
    """Return a choice to be checked: STAPLE votes, so it is asked for as the majority is."""
    return "majority" if choice == "staple" else choice


def _list(arguments: argparse.Namespace, work: Adjudication, differences: Differences) -> None:
    readers = differences.readers
    found = differences.ordered(arguments.by)
    left = len(work.open(differences))
    if arguments.json:
        rows = [
            {
                "difference": one.number,
                "kind": one.kind(readers),
                "says": dict(zip(readers, one.says, strict=True)),
                "voxels": one.voxels,
                "ml": one.ml,
                "mm": one.mm,
                "place_ras_mm": list(one.place_ras),
                "decided": work.choice(one) or None,
            }
            for one in found
        ]
        print(json.dumps({"differences": rows, "open": left}, indent=2))
        return
    for one in found:
        r, a, s = one.place_ras
        print(
            f"{one.number:>4}  {one.kind(readers):<22} {one.ml:8.3f} ml {one.mm:7.1f} mm"
            f"  R {r:.1f} A {a:.1f} S {s:.1f}  {work.choice(one) or '-'}"
        )
    print(f"{len(found)} differences, {left} not decided.")


def _tell(arguments: argparse.Namespace, case: CaseId, done: Reached) -> None:
    if arguments.json:
        shown = {
            "case": str(case),
            "rule": done.way,
            "version": done.version.number,
            "content": done.version.content,
            "readings": done.readings,
            "open": done.open,
            "unresolved_voxels": done.open_voxels,
            "words": list(done.words),
        }
        print(json.dumps(shown, indent=2))
        return
    print(f"{case}: consensus version {done.version.number} of {done.readings} readings.")
    for sentence in done.words:
        print(f"  {sentence}")
    if done.open or done.open_voxels:
        print(
            f"  Not resolved: {done.open_voxels} voxels; differences without a decision: "
            f"{done.open}."
        )
