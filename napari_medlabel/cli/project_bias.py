"""``medlabel project bias``: how much of what tools proposed each rater left as it was."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from napari_medlabel.cli.study_seat import add_study, seated

if TYPE_CHECKING:
    from napari_medlabel.session.study.biasing import BiasRow


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``project bias`` to the command line.

    Parameters
    ----------
    commands : argparse subparsers
        Of ``medlabel project``.
    """
    text = "report the share of proposals that raters left untouched; only a manager may"
    parser = commands.add_parser(
        "bias",
        help=text,
        description=f"{text}. It counts the voxels of first submissions by where they come "
        "from. A rater who changes nothing may trust the machine too much, or have a good "
        "machine: gold cases tell the two apart. Raters are told by code.",
    )
    add_study(parser, case=False)
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the report.

    Returns
    -------
    int
        0.

    Raises
    ------
    RefusedError
        When who asks is no manager.
    InputError
        When nothing was submitted yet.
    """
    from napari_medlabel.cli.progress import progress
    from napari_medlabel.session.study.biasing import bias_report

    with seated(arguments, role="researcher") as seat:
        rows = bias_report(seat, tick=progress("counting"))
    if arguments.json:
        print(json.dumps({"raters": [asdict(one) for one in rows]}, indent=2))
        return 0
    for one in rows:
        print(_line(one))
    told = next((one.interval for one in rows if one.interval is not None), None)
    if told is not None:
        print(f"mean share of proposed voxels left as they were; {told.words()}")
    return 0


def _line(one: BiasRow) -> str:
    known = f"{one.masks} masks" + (f", {one.unknown} of unknown origin" if one.unknown else "")
    if one.share is None:
        return f"{one.rater}: {known}; nothing was proposed"
    ends = ""
    if one.interval is not None:
        ends = f" ({one.interval.low * 100:.0f} to {one.interval.high * 100:.0f} %)"
    return (
        f"{one.rater}: {known}; {one.proposed} with proposals, {one.untouched} of these "
        f"untouched; kept {one.share * 100:.0f} %{ends}"
    )
