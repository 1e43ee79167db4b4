"""``medlabel project comment``: threads on a reading, pinned to places in the patient."""

from __future__ import annotations

import argparse
import json
import math
from typing import TYPE_CHECKING, Any

from napari_medlabel.cli.study_seat import add_slot, add_study, case_of, seated
from napari_medlabel.errors import InputError

if TYPE_CHECKING:
    from napari_medlabel.project.comments import Thread
    from napari_medlabel.project.layout import CaseId
    from napari_medlabel.session.study.commenting import Remark
    from napari_medlabel.session.study.seat import Seat


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``project comment`` to the command line.

    Parameters
    ----------
    commands : argparse subparsers
        Of ``medlabel project``.
    """
    text = "list the comments on a case, or say something about a reading"
    parser = commands.add_parser(
        "comment",
        help=text,
        description="Without --text and --resolve the comments that you may know are listed. "
        "Comments are text and stay in the study's folder: no names, no dates.",
    )
    add_study(parser)
    add_slot(
        parser,
        text="which reading is commented, that of the thread with --reply; or listed alone",
    )
    parser.add_argument("--text", help="what to say")
    parser.add_argument(
        "--at", metavar="R,A,S", help="pin it to a place in mm: --at=-12.5,30,40"
    )
    parser.add_argument("--label", metavar="ID", help="id of the label it is about")
    parser.add_argument("--tags", nargs="+", default=[], metavar="TAG", help="what is wrong")
    parser.add_argument("--reply", default="", metavar="THREAD", help="id of a thread")
    parser.add_argument("--resolve", action="store_true", help="close the thread of --reply")
    parser.add_argument("--open", action="store_true", help="list what is not resolved")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """List comments, or say something.

    Returns
    -------
    int
        0.

    Raises
    ------
    RefusedError
        When the rater is still blind to that reading.
    InputError
        When study, case, slot, place, label or thread are none, or the text holds what must
        not leave.
    LogError, SaveError
        When log or file cannot be written.
    """
    from napari_medlabel.session.study.commenting import comment, comments_for

    is_said = arguments.text is not None or arguments.resolve
    with seated(arguments) as seat:
        case = case_of(arguments, seat.layout)
        if is_said:
            remark = _remark(arguments, seat)
            found = [comment(seat, case, _slot(arguments, seat, case), remark)]
        else:
            threads = comments_for(seat, case).threads
            found = [one for one in threads if _is_wanted(arguments, one)]
        rows = [_row(seat, case, one) for one in found]
    if arguments.json:
        print(json.dumps({"threads": rows}, indent=2))
        return 0
    for row in rows:
        _print(row)
    if not rows:
        print("No comments.")
    return 0


def _is_wanted(arguments: argparse.Namespace, thread: Thread) -> bool:
    if arguments.open and thread.standing == "resolved":
        return False
    return arguments.slot is None or thread.first.slot in ("", arguments.slot)


def _slot(arguments: argparse.Namespace, seat: Seat, case: CaseId) -> str:
    """Return which reading is commented: as given, else that of the thread."""
    from napari_medlabel.session.study.commenting import slot_of_thread

    if arguments.slot is not None:
        return str(arguments.slot)
    if not arguments.reply:
        raise InputError(
            "Which reading is commented was not said.",
            hint="Give --slot, or --reply THREAD to answer.",
        )
    return slot_of_thread(seat, case, arguments.reply)


def _remark(arguments: argparse.Namespace, seat: Seat) -> Remark:
    from napari_medlabel.cli.study_seat import label_of
    from napari_medlabel.session.study.commenting import Remark

    if arguments.resolve and not arguments.reply:
        raise InputError(
            "Which thread is resolved was not said.", hint="Give --reply THREAD, as listed."
        )
    if arguments.reply and (arguments.at is not None or arguments.label or arguments.tags):
        raise InputError(
            "An answer is about the place, the label and the tags of its thread: it has none "
            "of its own.",
            hint="Leave out --at, --label and --tags, or begin a thread without --reply.",
        )
    return Remark(
        arguments.text or "",
        None if arguments.at is None else _place(arguments.at),
        label_of(seat.layout, arguments.label) if arguments.label else 0,
        arguments.reply,
        arguments.resolve,
        tuple(arguments.tags),
    )


def _place(given: str) -> tuple[float, float, float]:
    try:
        r, a, s = (float(part) for part in given.split(","))
    except ValueError as err:
        raise InputError(
            "A place is three numbers in mm, with commas between them.",
            hint="Such as --at=-12.5,30,40: to the right, front and top of the patient.",
        ) from err
    if not all(math.isfinite(x) for x in (r, a, s)):
        raise InputError("A place is three numbers in mm.", hint="Give numbers.")
    return r, a, s


def _row(seat: Seat, case: CaseId, thread: Thread) -> dict[str, Any]:
    """Return a thread for a person; nobody's code is in it."""
    from napari_medlabel.session.study.commenting import annotator_of, role_of

    first = thread.first
    annotator = annotator_of(seat, case, first.slot)
    return {
        "thread": first.id,
        "slot": first.slot,
        "state": thread.standing,
        "label": first.label,
        "at_ras": first.at_ras,
        "tags": first.tags,
        "comments": [
            {
                "who": role_of(one.rater, seat.rater.code, annotator),
                "time": one.time,
                "text": one.text,
                "resolves": one.resolves,
            }
            for one in thread.comments
        ],
    }


def _print(row: dict[str, Any]) -> None:
    from napari_medlabel.session.study.commenting import place_words

    about = [row["slot"], row["state"]]
    about += [f"label {row['label']}"] if row["label"] else []
    about += [place_words(row["at_ras"])] if row["at_ras"] else []
    about += [", ".join(row["tags"])] if row["tags"] else []
    print(f"{row['thread']}  {'  '.join(part for part in about if part)}")
    for one in row["comments"]:
        text = one["text"] + (" (resolved)" if one["resolves"] else "")
        print(f"    {one['who']}: {text.strip()}")
