"""What commands of the work share: a study, a case, a slot, and a seat with a log."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from napari_medlabel.project.layout import CaseId, Layout
    from napari_medlabel.session.study.seat import Seat

REASONS: Final = (
    "CORRECTION",
    "PROTOCOL",
    "QA_FEEDBACK",
    "WRONG_PATIENT",
    "CONSENT_WITHDRAWN",
    "OTHER",
)
SLOTS: Final = (*"ABCDEFGH", "consensus")


def add_study(parser: argparse.ArgumentParser, *, case: bool = True) -> None:
    """Add ``STUDY`` and perhaps ``CASE`` to a command."""
    parser.add_argument("study", type=Path, metavar="STUDY")
    if case:
        parser.add_argument("case", metavar="CASE", help="such as sub-001_ct")


def add_slot(parser: argparse.ArgumentParser, *, text: str = "yours by default") -> None:
    """Add ``--slot`` to a command."""
    parser.add_argument(
        "--slot", choices=SLOTS, metavar="SLOT", help=f"A to H, or consensus; {text}"
    )


def add_layers(parser: argparse.ArgumentParser, text: str) -> None:
    """Add ``--layer N FILE`` to a command: a mask for each further layer of the ontology."""
    parser.add_argument(
        "--layer", nargs=2, action="append", default=[], metavar=("N", "FILE"), help=text
    )


def layers_of(arguments: argparse.Namespace) -> dict[int, Path]:
    """Return the files that ``--layer N FILE`` names, by layer.

    Raises
    ------
    InputError
        When a layer is no number above 0, stands twice, or its file does not exist.
    """
    from napari_medlabel.errors import InputError

    found: dict[int, Path] = {}
    for number, name in arguments.layer:
        layer, path = int(number) if number.isdecimal() else 0, Path(name)
        if layer < 1 or layer in found:
            raise InputError(
                "Each further layer is a number from 1, and stands once.",
                hint="Such as --layer 1 FILE; the first layer's mask goes without a number.",
            )
        if not path.is_file():
            raise InputError(
                f"The mask file of layer {layer} does not exist.", hint="Check the path."
            )
        found[layer] = path
    return found


@contextmanager
def seated(arguments: argparse.Namespace, *, role: str = "annotator") -> Iterator[Seat]:
    """Take a seat at the study that the arguments name, with its log open.

    Raises
    ------
    InputError
        When it is no study.
    RefusedError
        When the account is not on the list of its raters.
    LogError
        When the log cannot be written.
    """
    from napari_medlabel.audit.writer.place import default_state
    from napari_medlabel.project.layout import find_study
    from napari_medlabel.session.desk import open_desk
    from napari_medlabel.session.study.listed import require_listed
    from napari_medlabel.session.study.seat import sit_down

    layout = find_study(arguments.study)
    require_listed(layout, default_state())
    desk = open_desk(layout.audit, role=role)
    with closing(desk.log):
        yield sit_down(desk, layout)


def label_of(layout: Layout, name: str) -> int:
    """Return the value of the label of an id, or of a value written as one.

    Raises
    ------
    InputError
        When the study's ontology has no such label.
    """
    from napari_medlabel.errors import InputError
    from napari_medlabel.project.ontology.document import read_ontology

    labels = read_ontology(layout.ontology).labels
    for one in labels:
        if name in (one.id, str(one.value)):
            return one.value
    raise InputError(
        f"The study has no such label; it has: {', '.join(one.id for one in labels)}.",
        hint="Give the id of one of these.",
    )


def case_of(arguments: argparse.Namespace, layout: Layout) -> CaseId:
    """Return the case that the arguments name.

    Raises
    ------
    InputError
        When the study has none of that name.
    """
    from napari_medlabel.errors import InputError
    from napari_medlabel.project.layout import CaseId

    case = CaseId.parse(arguments.case)
    if not layout.case_file(case).is_file():
        raise InputError(
            "The study has no case of that name.",
            hint="See the names with: medlabel project status STUDY",
        )
    return case
