"""``medlabel project release``: a data set that is never changed, with proof of its making."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from napari_medlabel.cli.study_seat import REASONS, add_study, seated
from napari_medlabel.errors import InputError

if TYPE_CHECKING:
    from napari_medlabel.session.study.release_papers import Telling
    from napari_medlabel.session.study.releasing import Released, ReleaseWish
    from napari_medlabel.session.study.seat import Seat

FORMATS: Final = ("nnunet", "monai", "dicom-seg", "rtstruct", "sr", "seg-nrrd", "coco", "csv")
STATES: Final = ("approved", "corrected", "submitted", "in_review")
_HINT: Final = "Give --passphrase-file FILE, --unsigned, or run it in a terminal."


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``project release`` to the command line.

    Parameters
    ----------
    commands : argparse subparsers
        Of ``medlabel project``.
    """
    text = "release what is approved: scans, masks, splits, documents, signed manifest"
    parser = commands.add_parser(
        "release",
        help=text,
        description="Make a release under a name that is used once: scans and masks that "
        "are approved or agreed on, as BIDS-style NIfTI, splits by patient, a datasheet and "
        "further documents from one file of facts, the chain of custody of each case, and a "
        "manifest under your signature. It is never changed; medlabel verify checks it.",
    )
    add_study(parser, case=False)
    parser.add_argument("name", metavar="NAME", help="of the release, such as 2026-11")
    parser.add_argument("--to", type=Path, metavar="DIR", help="STUDY/exports/NAME by default")
    parser.add_argument(
        "--format",
        dest="formats",
        nargs="+",
        choices=FORMATS,
        default=[],
        help="further formats, each under exports/",
    )
    parser.add_argument(
        "--layer", type=int, metavar="N", help="of the ontology, for nnunet and monai"
    )
    _add_splits(parser)
    _add_gates(parser)
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.set_defaults(run=run)


def _add_splits(parser: argparse.ArgumentParser) -> None:
    """Add how patients are split, and how few of them may be alike."""
    parser.add_argument(
        "--shares",
        nargs=3,
        type=float,
        metavar=("TRAIN", "VAL", "TEST"),
        help="of the patients (0.7 0.15 0.15)",
    )
    parser.add_argument(
        "--keep-splits", action="store_true", help="take splits from participants.tsv"
    )
    parser.add_argument("--seed", type=int, help="of the splits; the study's by default")
    parser.add_argument(
        "--strata",
        nargs="+",
        default=[],
        metavar="COLUMN",
        help="what is kept alike in all splits: columns of participants.tsv, or 'age band'",
    )
    parser.add_argument(
        "--smallest-cell",
        type=int,
        default=0,
        metavar="K",
        help="refuse where fewer than K patients share what participants.tsv tells of them, "
        "and DICOM images that tell more",
    )
    parser.add_argument(
        "--coarsen",
        action="store_true",
        help="with --smallest-cell: make ages bands and leave columns out instead",
    )


def _add_gates(parser: argparse.ArgumentParser) -> None:
    """Add what leaves, what is said of it, and under whose name."""
    parser.add_argument(
        "--state", nargs="+", choices=STATES, help="of readings that leave (approved corrected)"
    )
    parser.add_argument(
        "--skip", action="store_true", help="leave cases out that are not ready"
    )
    parser.add_argument(
        "--facts",
        type=Path,
        metavar="FILE.json",
        help="what people state for the documents, by item: purpose, licence, ethics, ...",
    )
    parser.add_argument(
        "--reason", choices=REASONS, help="why it is released although the log is amber"
    )
    parser.add_argument("--unsigned", action="store_true", help="without your signature: amber")
    parser.add_argument(
        "--passphrase-file",
        type=Path,
        metavar="FILE",
        help="a file of mode 600 whose first line is your passphrase; else it is asked for",
    )
    parser.add_argument(
        "--finish",
        action="store_true",
        help="finish a release of that name that was killed: log and receipt, after every file "
        "was compared with the manifest; all but --to does not count then",
    )


def run(arguments: argparse.Namespace) -> int:
    """Make a release.

    Returns
    -------
    int
        0.

    Raises
    ------
    RefusedError
        When the role is missing, the name is taken, a gate refuses, or a group is too small.
    InputError
        When it is no study, an option is none, or there is no signing key.
    SaveError, LogError
        When it cannot be written; nothing has left then.
    """
    from napari_medlabel.cli.progress import progress
    from napari_medlabel.session.study.releasing import make_release

    if arguments.coarsen and not arguments.smallest_cell:
        raise InputError(
            "Coarsening needs a smallest group of patients.", hint="Give --smallest-cell K."
        )
    if arguments.finish:
        return _finish(arguments)
    with seated(arguments, role="researcher") as seat:
        wish = _wish(arguments, seat)
        ask = None if arguments.unsigned else lambda: _passphrase(arguments)
        done = make_release(seat, wish, ask=ask, tick=progress("copying cases"))
    if arguments.json:
        print(json.dumps(_document(done), indent=2))
    else:
        _tell(arguments, done)
    return 0


def _finish(arguments: argparse.Namespace) -> int:
    from napari_medlabel.session.study.release_finish import finish_release

    with seated(arguments, role="researcher") as seat:
        target = arguments.to or seat.layout.exports / arguments.name
        manifest = finish_release(seat, arguments.name, target)
    if arguments.json:
        told = {"release": manifest.name, "manifest": manifest.digest, "finished": True}
        print(json.dumps(told, indent=2))
    else:
        print(f"Release {manifest.name} is finished: {len(manifest.files)} files.")
        print(f"manifest  {manifest.digest}")
    return 0


def _wish(arguments: argparse.Namespace, seat: Seat) -> ReleaseWish:
    from napari_medlabel.session.study.exporting.wish import ExportWish
    from napari_medlabel.session.study.releasing import ReleaseWish

    export = ExportWish(
        ("nifti", *arguments.formats), skip=arguments.skip, scans=True, layer=arguments.layer
    )
    if arguments.state:
        export = replace(export, states=tuple(arguments.state))
    target = arguments.to or seat.layout.exports / arguments.name
    telling = _telling(arguments, seat)
    return ReleaseWish(arguments.name, target, telling, export, arguments.reason or "")


def _telling(arguments: argparse.Namespace, seat: Seat) -> Telling:
    from napari_medlabel.project.release.splits import Shares
    from napari_medlabel.session.study.release_papers import Telling

    if arguments.keep_splits and arguments.shares:
        raise InputError(
            "Splits are kept or drawn, not both.", hint="Leave --shares or --keep-splits out."
        )
    shares = Shares(*arguments.shares) if arguments.shares else Shares()
    return Telling(
        None if arguments.keep_splits else shares,
        seat.settings.seed if arguments.seed is None else arguments.seed,
        tuple(arguments.strata),
        arguments.smallest_cell,
        arguments.coarsen,
        _stated(arguments.facts),
    )


def _stated(path: Path | None) -> dict[str, str]:
    from napari_medlabel.session.study.release_papers import stated_keys

    if path is None:
        return {}
    keys = stated_keys()
    try:
        found = json.loads(path.read_bytes())
        if not set(found) <= set(keys) or not all(
            isinstance(one, str) for one in found.values()
        ):
            raise TypeError  # noqa: TRY301 - joins what a wrong form raises by itself
    except (OSError, ValueError, TypeError, AttributeError) as err:
        raise InputError(
            "The facts for the documents are a JSON object of words by item.",
            hint=f"Items: {', '.join(keys)}.",
        ) from err
    return {str(key): str(words) for key, words in found.items()}


def _passphrase(arguments: argparse.Namespace) -> str:
    from napari_medlabel.secret.asking import at_terminal, from_file

    file: Path | None = arguments.passphrase_file
    return from_file(file) if file is not None else at_terminal("Your passphrase: ", _HINT)


def _document(done: Released) -> dict[str, Any]:
    return {
        "release": done.manifest.name,
        "cases": done.cases,
        "files": len(done.manifest.files),
        "manifest": done.manifest.digest,
        "signed": done.signed is not None,
        "key": _letters(done),
        "doubts": [{"case": case, "words": words} for case, words in done.doubts],
        "left_out": [
            {"case": str(one.case), "format": one.format, "because": one.words}
            for one in done.plan.left_out
        ],
    }


def _letters(done: Released) -> str:
    from napari_medlabel.audit.keys.signatures import fingerprint

    return fingerprint(done.signed.public) if done.signed else ""


def _tell(arguments: argparse.Namespace, done: Released) -> None:
    name, where = done.manifest.name, arguments.to or Path("exports") / done.manifest.name
    print(f"Release {name}: {done.cases} cases, {len(done.manifest.files)} files.")
    for one in done.plan.left_out:
        print(f"  left out: {one.line()}")
    for case, words in done.doubts:
        print(f"  amber for who checks it: {case}: {words}")
    if arguments.reason and done.plan.verdict.value == "amber":
        print(
            f"The study's log is amber: that it left all the same, for {arguments.reason}, "
            "stands in it."
        )
    print(f"manifest  {done.manifest.digest}")
    if done.signed is None:
        print("Nobody signed it: who checks it will see amber.")
        print(f"Check it with: medlabel verify {where}")
        return
    print(f"signed    {_letters(done)}   tell these letters to those who get the release")
    print(f"Check it with: medlabel verify {where} --trust {_letters(done)}")
