"""``medlabel project status``: where each reading of a study stands; nothing is written."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Final

from napari_medlabel.cli.study_seat import add_study

if TYPE_CHECKING:
    from napari_medlabel.project.work.status import Status, StatusLine

_AMBER: Final = 4


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``project status`` to the command line.

    Parameters
    ----------
    commands : argparse subparsers
        Of ``medlabel project``.
    """
    text = "show where each reading stands; exit 4 where a person must look"
    parser = commands.add_parser(
        "status",
        help=text,
        description="Fold the study's log into its worklist and show it: states, raters by "
        "code, versions, conflicts with what there is to choose from, readings made under "
        "other rules, steps that have not come yet. Where a study may test its readers, one's "
        "own readings come without their letters and tests of others not at all, but for "
        "managers and in --json. Nothing is written.",
    )
    add_study(parser, case=False)
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Show a study.

    Returns
    -------
    int
        0, or 4 where a person must look: a conflict, a gap, a copy of a file.

    Raises
    ------
    InputError
        When it is no study, or a file of it cannot be read.
    """
    from napari_medlabel.audit.writer.place import default_state
    from napari_medlabel.project.layout import find_study
    from napari_medlabel.project.settings import read_settings
    from napari_medlabel.project.work.status import status_of
    from napari_medlabel.session.study.lettering import status_for
    from napari_medlabel.session.study.listed import asking_rater

    layout = find_study(arguments.study)
    settings = read_settings(layout.project)
    status = status_of(layout, settings)
    asking = asking_rater(layout, settings, default_state())
    if arguments.json:
        print(json.dumps(status.to_json(), indent=2))
    else:
        _tell(status if asking is None else status_for(status, layout, settings, asking))
    return _AMBER if status.needs_somebody else 0


def _tell(status: Status) -> None:
    for line in status.lines:
        print(_words(line))
        for rival in line.rivals:
            masks = ", ".join((rival.content, *rival.sheets))
            what = f"version {rival.version}, {masks}" if rival.content else ""
            print(
                f"    {rival.action} by {rival.rater or 'an unknown account'} {what}".rstrip()
            )
    counted = [f"{count} {state}" for state, count in sorted(status.counts.items())]
    print(f"{len(status.lines)} readings: {', '.join(counted) or 'none'}.")
    if status.strangers:
        print(f"{status.strangers} steps are about cases that the study does not have.")
    for copy in status.copies:
        print(f"A synchronising client made a copy: {copy}")


def _words(line: StatusLine) -> str:
    said = [f"{line.case} {line.slot}".rstrip(), f"{line.state:<11}"]
    said.append(line.rater or (f"({line.claimed})" if line.claimed else "-"))
    if line.version:
        said.append(f"version {line.version}")
    if line.reviewer:
        said.append(f"reviewer {line.reviewer}")
    if line.since:
        said.append(f"since {line.since}")
    said += ["OUTDATED"] if line.outdated else []
    said += [f"{len(line.gaps)} STEPS MISSING"] if line.gaps else []
    said += [f"{line.unheard} steps not possible"] if line.unheard else []
    return "  ".join(said)
