"""``medlabel project claim``: begin a reading, give it back, skip, take over, assign."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from napari_medlabel.cli.study_seat import REASONS, add_slot, add_study, case_of, seated
from napari_medlabel.errors import InputError

if TYPE_CHECKING:
    from napari_medlabel.project.layout import CaseId
    from napari_medlabel.project.work.fold import SlotState
    from napari_medlabel.session.study.seat import Seat

_STEPS: Final[Mapping[str, str]] = {
    "release": "give it back",
    "take-over": "take it from somebody without a sign of life",
    "skip": "skip it, with --reason",
    "problem": "raise a problem, with --reason",
    "resume": "put it back to what is to do",
    "withdraw": "take back your submission",
    "confirm": "say that it is right under the rules of today",
}
_WITH_REASON: Final = ("skip", "problem")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``project claim`` to the command line.

    Parameters
    ----------
    commands : argparse subparsers
        Of ``medlabel project``.
    """
    text = "begin a reading, give it back, skip it, take it over, assign it"
    parser = commands.add_parser(
        "claim",
        help=text,
        description=f"Without an option: begin a reading of CASE. {text.capitalize()}.",
    )
    add_study(parser)
    add_slot(parser, text="yours, or the first free one, by default")
    step = parser.add_mutually_exclusive_group()
    for name, words in _STEPS.items():
        step.add_argument(
            f"--{name}", dest="step", action="store_const", const=name, help=words
        )
    step.add_argument(
        "--assign", metavar="CODE", help="as a manager: who reads it; - for anybody"
    )
    parser.add_argument("--priority", type=int, metavar="N", help="as a manager: larger first")
    parser.add_argument("--reason", choices=REASONS, metavar="CODE", help=", ".join(REASONS))
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Take a step on a reading.

    Returns
    -------
    int
        0.

    Raises
    ------
    RefusedError
        When the step is not possible in its state, for this rater, or blind.
    InputError
        When study, case, slot or reason are none.
    """
    from napari_medlabel.session.study.lettering import own_name

    with seated(arguments) as seat:
        case = case_of(arguments, seat.layout)
        if arguments.assign is not None or arguments.priority is not None:
            return _assign(arguments, seat, case)
        slot = arguments.slot or _slot(seat, case)
        now = _step(arguments, seat, case, slot)
        name = own_name(seat, case, slot)
    if arguments.json:
        print(json.dumps({"case": str(case), "slot": slot, "state": now.state}))
    else:
        print(f"{name}: {now.state}")
    return 0


def _assign(arguments: argparse.Namespace, seat: Seat, case: CaseId) -> int:
    from napari_medlabel.session.study.assigning import assign

    if arguments.assign is not None and arguments.slot is None:
        raise InputError("Which reading is assigned was not said.", hint="Give --slot.")
    to = (arguments.assign or "").removeprefix("-")
    slot = arguments.slot if arguments.assign is not None else ""
    found = assign(seat, case, slot=slot, to=to, priority=arguments.priority)
    shown = {"case": str(case), "priority": found.priority(case)}
    if slot:
        shown |= {"slot": slot, "rater": found.rater(case, slot)}
    print(json.dumps(shown) if arguments.json else "Assigned.")
    return 0


def _step(arguments: argparse.Namespace, seat: Seat, case: CaseId, slot: str) -> SlotState:
    from napari_medlabel.session.study import working

    if arguments.step in _WITH_REASON:
        if arguments.reason is None:
            raise InputError("This step needs a reason.", hint="Give --reason CODE.")
        do = working.skip if arguments.step == "skip" else working.raise_problem
        return do(seat, case, slot, reason=arguments.reason)
    plain: dict[str | None, Callable[[Seat, CaseId, str], SlotState]] = {
        None: working.start,
        "release": working.release,
        "take-over": working.take_over,
        "resume": working.resume,
        "withdraw": working.withdraw,
        "confirm": working.confirm,
    }
    return plain[arguments.step](seat, case, slot)


def _slot(seat: Seat, case: CaseId) -> str:
    """Return this rater's reading of a case, else the first that nobody has."""
    from napari_medlabel.session.study.seat import look
    from napari_medlabel.session.study.working import slot_of

    try:
        return slot_of(seat, case)
    except InputError:
        row = look(seat, case, seat.settings.slots[0]).row
        free = [slot for slot, now in row.slots.items() if now.state == "todo"]
        if free:
            return free[0]
        raise
