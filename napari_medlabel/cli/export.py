"""``medlabel export``: a study's labels into formats of others, behind gates."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from napari_medlabel.cli.study_seat import REASONS, seated
from napari_medlabel.errors import InputError

if TYPE_CHECKING:
    from napari_medlabel.project.layout import CaseId
    from napari_medlabel.project.release.splits import Split
    from napari_medlabel.session.study.exporting.leaving import Exported
    from napari_medlabel.session.study.exporting.plan import ExportPlan
    from napari_medlabel.session.study.exporting.reasons import Grounds
    from napari_medlabel.session.study.exporting.wish import ExportWish
    from napari_medlabel.session.study.seat import Seat

_FORMATS: Final = (
    "nifti", "nnunet", "monai", "dicom-seg", "rtstruct", "sr", "seg-nrrd", "coco", "csv",
)  # fmt: skip
_STATES: Final = ("approved", "corrected", "submitted", "in_review")
_REFUSED: Final = 3
_HINT: Final = "Or give --passphrase-file FILE, whose first line it is."
_DESCRIPTION = (
    "Export the labels of a study. Each format becomes a folder in DST, which is new or empty "
    "and outside the study. Nothing leaves before every gate is open: each scan came through "
    "this study's de-identification, its files are as they were added and tell nobody's name, "
    "its reading is approved or corrected or has a consensus, each format can hold it, and the "
    "study's log is green. Who labelled what is told with --by-rater alone, and then by codes. "
    "Exit code 3 when a gate is shut."
)


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``export`` to the command line.

    Parameters
    ----------
    subparsers : argparse subparsers
        Of ``medlabel``.
    """
    text = "export the labels of a study, behind gates"
    parser = subparsers.add_parser("export", help=text, description=_DESCRIPTION)
    parser.add_argument("study", type=Path, metavar="STUDY")
    words = "the folder to write, before or after the options; none with --check"
    target = parser.add_argument("target", type=Path, metavar="[DST]", help=words)
    # What nargs="?" takes must stand beside STUDY; `run` says when it is missing.
    target.required = False
    parser.add_argument(
        "--format",
        required=True,
        type=_listed(_FORMATS),
        metavar="FORMAT[,FORMAT]",
        help=f"of {', '.join(_FORMATS)}",
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing: say what would go, and each gate"
    )
    _add_choice(parser)
    reason = parser.add_argument_group("where the log is not green")
    reason.add_argument("--reason", choices=REASONS, help="why it leaves all the same")
    reason.add_argument(
        "--name", default="", help="yours, to be printed beside the signature of your key"
    )
    reason.add_argument(
        "--passphrase-file",
        type=Path,
        metavar="FILE",
        help="a file of mode 600 whose first line is the passphrase of your signing key",
    )
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.set_defaults(run=run)


def _add_choice(parser: argparse.ArgumentParser) -> None:
    """Add what is to leave, and how it is called."""
    parser.add_argument(
        "--states",
        type=_listed(_STATES),
        default=("approved", "corrected"),
        metavar="STATE[,STATE]",
        help=f"readings that may leave, of {', '.join(_STATES)} (approved,corrected)",
    )
    parser.add_argument(
        "--case", action="append", default=[], metavar="CASE", help="only this; repeatable"
    )
    parser.add_argument(
        "--skip",
        action="store_true",
        help="leave out cases that are not ready or that a format cannot hold, and name them",
    )
    parser.add_argument(
        "--by-rater",
        action="store_true",
        help="each rater's labels under their code, too: in nifti with the share of raters for "
        "each label and where they disagree, in csv as rows, else in a folder for each rater",
    )
    parser.add_argument(
        "--typed",
        action="store_true",
        help="in csv: answers that somebody typed, too, whose every word is nobody's name",
    )
    parser.add_argument(
        "--scans", action="store_true", help="with nifti and DICOM: the scans too"
    )
    parser.add_argument(
        "--split",
        metavar="TRAIN,VAL,TEST",
        help="draw the patients into splits by these shares, such as 0.7,0.15,0.15, with the "
        "study's seed (default: column split of participants.tsv, else all for training)",
    )
    parser.add_argument(
        "--dataset-name", default="", metavar="NAME", help="letters and digits (the study's)"
    )
    parser.add_argument(
        "--dataset-number", type=int, default=1, metavar="N", help="for nnU-Net, 1 to 999 (1)"
    )
    parser.add_argument(
        "--layer",
        type=int,
        metavar="N",
        help="of the ontology, for nnunet and monai: they hold one label for each voxel",
    )


def _listed(known: tuple[str, ...]) -> type:
    """Return what turns words with commas between them into a tuple, each of it once."""

    def parse(text: str) -> tuple[str, ...]:
        words = tuple(dict.fromkeys(part.strip() for part in text.split(",")))
        if not set(words) <= set(known):
            raise argparse.ArgumentTypeError(f"words of {', '.join(known)} were expected")
        return words

    return parse  # type: ignore[return-value]


def run(arguments: argparse.Namespace) -> int:
    """Plan an export, and write it unless it is only to be checked.

    Returns
    -------
    int
        0; with ``--check`` 3 when a gate is shut.

    Raises
    ------
    GatesError
        When a gate is shut.
    RefusedError
        When the account is neither releaser nor manager.
    InputError
        When study, target or an option is none.
    SaveError, LogError
        When it cannot be written or logged: then nothing is there.
    """
    from napari_medlabel.cli.progress import progress
    from napari_medlabel.session.study.exporting.leaving import (
        check_destination,
        require_open,
        write_export,
    )
    from napari_medlabel.session.study.exporting.planning import plan_export

    target: Path | None = arguments.target
    if (target is None) != arguments.check:
        raise InputError(
            "An export goes into a folder; --check writes nothing and takes none.",
            hint="medlabel export STUDY DST --format nifti, or medlabel export STUDY --check",
        )
    with seated(arguments, role="researcher") as seat:
        if target is not None:
            check_destination(seat.layout, target)
        grounds = _grounds(arguments)
        plan = plan_export(seat, _wish(arguments, seat), progress=progress("checking"))
        if target is None:
            return _tell_plan(arguments, plan)
        require_open(plan, grounds)
        done = write_export(seat, plan, target, grounds=grounds, progress=progress("exporting"))
    _tell(arguments, done)
    return 0


def _wish(arguments: argparse.Namespace, seat: Seat) -> ExportWish:
    from napari_medlabel.project.layout import CaseId
    from napari_medlabel.session.study.exporting.wish import ExportWish

    return ExportWish(
        arguments.format,
        arguments.states,
        tuple(CaseId.parse(one) for one in arguments.case),
        arguments.skip,
        arguments.by_rater,
        arguments.scans,
        _splits(arguments, seat),
        arguments.dataset_name,
        arguments.dataset_number,
        arguments.layer,
        arguments.typed,
    )


def _splits(arguments: argparse.Namespace, seat: Seat) -> Mapping[CaseId, Split]:
    """Return the split of each case: drawn, or as participants.tsv has it."""
    import numpy as np

    from napari_medlabel.project.cases.participants import SPLIT, read_participants
    from napari_medlabel.project.cases.record import all_records
    from napari_medlabel.project.release.splits import SPLITS, Shares, divide

    records = all_records(seat.layout)
    if arguments.split is None:
        rows = read_participants(seat.layout.participants)
        told = {code: row.get(SPLIT, "") for code, row in rows.items()}
        known = {code: split for split in SPLITS for code in told if told[code] == split}
    else:
        try:
            train, val, test = map(float, arguments.split.split(","))
        except ValueError as err:
            raise InputError(
                "Three shares were expected, with commas between them.",
                hint="For example: --split 0.7,0.15,0.15",
            ) from err
        rng = np.random.default_rng(seat.settings.seed)
        known = dict(divide(records, Shares(train, val, test), rng).patients)
    return {
        record.case: known[record.case.subject]
        for record in records
        if record.case.subject in known
    }


def _grounds(arguments: argparse.Namespace) -> Grounds | None:
    from napari_medlabel.secret.asking import at_terminal, from_file
    from napari_medlabel.session.study.exporting.reasons import Grounds

    if arguments.reason is None:
        return None
    file = arguments.passphrase_file
    return Grounds(
        arguments.reason,
        arguments.name,
        lambda: from_file(file) if file else at_terminal("Your passphrase: ", _HINT),
    )


def _tell_plan(arguments: argparse.Namespace, plan: ExportPlan) -> int:
    """Say what would go and what every gate says; return 3 when one is shut."""
    from napari_medlabel.session.study.exporting.plan import GATES

    code = _REFUSED if plan.blocking else 0
    leaving = {
        kind: {one.record.case for one in plan.of_format(kind)} for kind in plan.wish.formats
    }
    blocking = set(plan.blocking)
    if arguments.json:
        shown = {
            "log": plan.verdict.value,
            "typed_answers": plan.typed._asdict(),
            "cases": {
                str(one.record.case): {
                    "state": one.state,
                    "mask": one.version.content,
                    "formats": [kind for kind in leaving if one.record.case in leaving[kind]],
                }
                for one in plan.chosen
            },
            "against": [
                {
                    "gate": one.gate,
                    "case": str(one.case) if one.case else None,
                    "format": one.format or None,
                    "words": one.words,
                    "stops": one in blocking,
                }
                for one in plan.findings
            ],
        }
        print(json.dumps(shown, indent=2))
        return code
    for kind in plan.wish.formats:
        print(f"{kind}: {len(leaving[kind])} cases")
    for chosen in plan.chosen:
        print(f"  {chosen.record.case}  {chosen.state}")
    if any(plan.typed):
        print(f"typed answers: {plan.typed.leaving} leave, {plan.typed.staying} stay")
    for gate in GATES:
        found = [one for one in plan.findings if one.gate == gate]
        shut = [one for one in found if one in blocking]
        print(f"gate {gate}: {'shut' if shut else 'open'}")
        for one in found:
            print(f"  {'' if one in shut else 'left out: '}{one.line()}")
    return code


def _tell(arguments: argparse.Namespace, done: Exported) -> None:
    if arguments.json:
        shown = {
            "cases": done.cases,
            "files": dict(done.files),
            "manifest": done.manifest,
            "signed": done.is_signed,
            "left_out": [one.line() for one in done.left_out],
        }
        print(json.dumps(shown, indent=2))
    else:
        print(f"{done.cases} cases left in {len(done.files)} files, {done.manifest}.")
    for one in done.left_out:
        _say(f"left out: {one.line()}")
    for name in done.leftovers:
        _say(f"a run that was broken off left the folder {name} beside it; it can be removed.")


def _say(text: str) -> None:
    print(f"medlabel: {text}", file=sys.stderr)
