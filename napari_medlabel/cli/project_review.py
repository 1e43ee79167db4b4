"""``medlabel project review``: take, approve, send back, correct, unlock, score, comment."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from napari_medlabel.cli.study_seat import (
    REASONS,
    add_layers,
    add_slot,
    add_study,
    case_of,
    label_of,
    layers_of,
    seated,
)
from napari_medlabel.errors import InputError

if TYPE_CHECKING:
    from napari_medlabel.project.layout import CaseId
    from napari_medlabel.session.study.reviewing import Verdict
    from napari_medlabel.session.study.seat import Seat


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``project review`` to the command line.

    Parameters
    ----------
    commands : argparse subparsers
        Of ``medlabel project``.
    """
    text = "take a reading into review, approve it, send it back, correct it, unlock it"
    parser = commands.add_parser(
        "review",
        help=text,
        description=f"{text[0].upper()}{text[1:]}. Who made or corrected a mask decides "
        "nothing about it; what a reviewer corrected waits for another one.",
    )
    add_study(parser)
    add_slot(parser, text="which reading")
    step = parser.add_mutually_exclusive_group(required=True)
    for name, words in (
        ("begin", "take it into your review"),
        ("leave", "give it back undecided"),
        ("approve", "approve it; with --reason although comments are unresolved"),
        ("reject", "send it back, with --reason"),
        ("unlock", "unlock an approved one, with --reason"),
    ):
        step.add_argument(
            f"--{name}", dest="step", action="store_const", const=name, help=words
        )
    step.add_argument(
        "--correct",
        nargs="?",
        const=False,
        type=Path,
        metavar="MASK",
        help="put this mask in its place; without one only those of --layer",
    )
    step.add_argument(
        "--score", type=int, choices=range(1, 6), help="decide by a score; 4 and 5 approve"
    )
    step.add_argument(
        "--label",
        nargs="+",
        metavar="ID=MARK",
        help="decide label by label: ID=approve or ID=reject:TAG,TAG; any reject sends it back",
    )
    step.add_argument(
        "--settle",
        metavar="CONTENT",
        help="of a conflict: which counts, by a mask of any layer, sha256:..., or by the code "
        "of who made it",
    )
    add_layers(parser, "with --correct: the mask of a further layer; may be repeated")
    parser.add_argument("--reason", choices=REASONS, metavar="CODE", help=", ".join(REASONS))
    parser.add_argument(
        "--labels", type=int, nargs="+", default=[], metavar="N", help="values it is about"
    )
    parser.add_argument("--tags", nargs="+", default=[], metavar="TAG", help="what is wrong")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Take a step of the review.

    Returns
    -------
    int
        0.

    Raises
    ------
    RefusedError
        When the step is not possible in its state, or not for this rater.
    InputError
        When study, case, slot, reason or tag are none.
    """
    from napari_medlabel.session.study.seat import look

    if arguments.slot is None:
        raise InputError("Which reading was not said.", hint="Give --slot.")
    if arguments.layer and arguments.correct is None:
        raise InputError("A mask of a layer goes with --correct.", hint="Give both.")
    with seated(arguments, role="reviewer") as seat:
        case = case_of(arguments, seat.layout)
        _step(arguments, seat, case)
        now = look(seat, case, arguments.slot).now
    if arguments.json:
        shown = {"case": str(case), "slot": arguments.slot, "state": now.state}
        print(json.dumps({**shown, "version": now.version}))
    else:
        print(f"{case} {arguments.slot}: {now.state}")
    return 0


def _step(arguments: argparse.Namespace, seat: Seat, case: CaseId) -> None:
    from napari_medlabel.session.study import reviewing
    from napari_medlabel.session.study.glancing import score
    from napari_medlabel.session.study.settling import settle

    slot, reason = arguments.slot, arguments.reason or ""
    if arguments.step in ("reject", "unlock") and not reason:
        raise InputError("This step needs a reason.", hint="Give --reason CODE.")
    verdict = reviewing.Verdict(tuple(arguments.labels), tuple(arguments.tags))
    if arguments.correct is not None:
        _correct(seat, case, slot, arguments)
    elif arguments.label is not None:
        _decide_labels(seat, case, slot, arguments)
    elif arguments.score is not None:
        score(seat, case, slot, arguments.score)
    elif arguments.settle is not None:
        settle(seat, case, slot, arguments.settle)
    elif arguments.step == "begin":
        reviewing.begin_review(seat, case, slot)
    elif arguments.step == "leave":
        reviewing.leave_review(seat, case, slot)
    elif arguments.step == "approve":
        reviewing.approve(seat, case, slot, verdict, reason=reason)
    elif arguments.step == "reject":
        reviewing.reject(seat, case, slot, verdict, reason=reason)
    else:
        reviewing.unlock(seat, case, slot, reason=reason)


def _decide_labels(seat: Seat, case: CaseId, slot: str, arguments: argparse.Namespace) -> None:
    from napari_medlabel.session.study.reviewing import decide_labels

    marks = dict(_mark(seat, one) for one in arguments.label)
    if any(marks.values()) and not arguments.reason:
        raise InputError("This step needs a reason.", hint="Give --reason CODE.")
    decide_labels(seat, case, slot, marks, reason=arguments.reason or "")


def _mark(seat: Seat, given: str) -> tuple[int, Verdict | None]:
    """Return what ``ID=approve`` or ``ID=reject:TAG,TAG`` says."""
    from napari_medlabel.session.study.reviewing import Verdict

    name, _, decision = given.partition("=")
    mark, _, tags = decision.partition(":")
    if mark not in ("approve", "reject") or (mark == "approve" and tags):
        raise InputError(
            "A label's mark is ID=approve or ID=reject:TAG,TAG.",
            hint="Such as --label liver=reject:boundary spleen=approve",
        )
    value = label_of(seat.layout, name)
    if mark == "approve":
        return value, None
    return value, Verdict(tags=tuple(tag for tag in tags.split(",") if tag))


def _correct(seat: Seat, case: CaseId, slot: str, arguments: argparse.Namespace) -> None:
    """Put masks in the place of the annotator's; all else stays as it was submitted."""
    from napari_medlabel.export.mask import load_mask
    from napari_medlabel.io.registry import read_volume
    from napari_medlabel.session.study.correcting import correct
    from napari_medlabel.session.study.submitted import labels_on, submitted_work, with_sheet

    masks: dict[int, Path] = layers_of(arguments)
    if arguments.correct:
        masks[0] = arguments.correct
        if not masks[0].is_file():
            raise InputError("The mask file does not exist.", hint="Check the path.")
    if not masks:
        raise InputError(
            "A correction needs a mask.", hint="Give --correct MASK, --layer N MASK, or both."
        )
    scan = read_volume(seat.layout.scan(case))
    work = submitted_work(seat, case, slot, scan.grid)
    for layer, path in masks.items():
        labels = load_mask(path, scan.grid, scheme=labels_on(work, layer).scheme)
        # Of a mask from elsewhere nobody knows where its voxels come from.
        work = with_sheet(work, layer, labels, None)
    correct(seat, case, slot, scan, work)
