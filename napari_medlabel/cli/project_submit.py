"""``medlabel project submit``: submit what is saved of a reading, or see what is amiss."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Final

from napari_medlabel.cli.study_seat import REASONS, add_slot, add_study, case_of, seated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_medlabel.project.work.rules import Complaint

_REFUSED: Final = 3


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``project submit`` to the command line.

    Parameters
    ----------
    commands : argparse subparsers
        Of ``medlabel project``.
    """
    text = "submit what is saved of a reading; exit 3 where something is amiss"
    parser = commands.add_parser(
        "submit",
        help=text,
        description="Check what is saved of your reading against the ontology's rules and "
        "submit it as a new version. What is right as it is goes with --reason; an empty "
        "label that is not said to be absent, and a question without an answer, do not go.",
    )
    add_study(parser)
    add_slot(parser)
    parser.add_argument(
        "--absent", nargs="+", default=[], metavar="LABEL", help="ids of labels not there"
    )
    parser.add_argument("--check", action="store_true", help="only show what is amiss")
    parser.add_argument("--reason", choices=REASONS, metavar="CODE", help=", ".join(REASONS))
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Submit a reading.

    Returns
    -------
    int
        0, or 3 where it is not as the study wants it.

    Raises
    ------
    RefusedError
        When it is another's, or its state does not allow it.
    InputError, GeometryError
        When nothing is saved, or it does not fit the scan.
    """
    from napari_medlabel.io.registry import read_volume
    from napari_medlabel.session.study.lettering import own_name
    from napari_medlabel.session.study.submitting import (
        ComplaintsError,
        look_before_submit,
        open_work,
        submit,
    )
    from napari_medlabel.session.study.working import slot_of

    with seated(arguments) as seat:
        case = case_of(arguments, seat.layout)
        slot = arguments.slot or slot_of(seat, case)
        name = own_name(seat, case, slot)
        scan = read_volume(seat.layout.scan(case))
        submission = open_work(seat.layout, seat.rater.code, case, scan, slot)
        for words in submission.words:
            print(f"note: {words}", file=sys.stderr)
        absent = submission.notes.absent | frozenset(arguments.absent)
        submission = replace(submission, notes=replace(submission.notes, absent=absent))
        if arguments.check:
            complaints = look_before_submit(seat, scan, submission)
            _tell(arguments, complaints)
            return _REFUSED if complaints else 0
        try:
            done = submit(seat, case, slot, scan, submission, reason=arguments.reason or "")
        except ComplaintsError as err:
            _tell(arguments, err.complaints)
            print(f"medlabel: {err.message}\nhint: {err.hint}", file=sys.stderr)
            return err.exit_code
    version = done.version
    if arguments.json:
        shown = {"case": str(case), "slot": slot, "version": version.number}
        told = {**shown, "content": version.content, "new": done.is_new}
        if done.gold is not None:
            told["gold"] = {"passed": done.gold.passed, "reasons": done.gold.reasons()}
        print(json.dumps(told))
    else:
        before = "" if done.is_new else " (it was submitted before)"
        print(f"{name}: version {version.number} is submitted{before}.")
        if done.gold is not None:
            print("It agrees with the truth." if done.gold.passed else "The truth differs:")
            for said in done.gold.reasons():
                print(f"  {said}")
    return 0


def _tell(arguments: argparse.Namespace, complaints: Sequence[Complaint]) -> None:
    if arguments.json:
        print(json.dumps({"complaints": [asdict(one) for one in complaints]}, indent=2))
        return
    for one in complaints:
        place = ""
        if one.place_ras is not None:
            r, a, s = one.place_ras
            place = f" (slice {one.slice}; R {r:.1f} A {a:.1f} S {s:.1f} mm)"
        print(f"{'must' if one.blocks else 'look':<5} {one.words}{place}")
    if not complaints:
        print("Nothing is amiss.")
