"""``medlabel project ontology``: labels in and out of a study, checked and logged."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from napari_medlabel.cli.study_seat import add_study, seated
from napari_medlabel.errors import InputError, RefusedError

if TYPE_CHECKING:
    from napari_medlabel.project.layout import Layout
    from napari_medlabel.project.ontology.ontology import Ontology

FORMS: Final = ("ontology", "terminology", "itksnap", "dseg")
_ENDINGS: Final = {".term.json": "terminology", ".json": "ontology", ".tsv": "dseg"}


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``project ontology`` to the command line.

    Parameters
    ----------
    commands : argparse subparsers
        Of ``medlabel project``.
    """
    parser = commands.add_parser(
        "ontology",
        help="import, export and check what a study labels and asks",
        description="What a study labels and asks. The manager's changes are in the log, with "
        "the digests before and after. What was edited by hand, and what is outdated by it: "
        "medlabel project rules STUDY",
    )
    parts = parser.add_subparsers(dest="ontology_command", metavar="WHAT", required=True)
    taken = parts.add_parser(
        "import",
        help="take in an ontology, a Slicer terminology, or a table of labels",
        description="A whole ontology (JSON) takes the place of the study's. A Slicer "
        "terminology, label descriptions of ITK-SNAP, a colour table of 3D Slicer or a BIDS "
        "dseg.tsv add labels, or bring name, colour and code of those that are there; rules, "
        "landmarks and questions stay.",
    )
    add_study(taken, case=False)
    taken.add_argument("file", type=Path, metavar="FILE")
    given = parts.add_parser("export", help="write it for another program")
    add_study(given, case=False)
    given.add_argument("file", type=Path, metavar="FILE", help="a new file")
    given.add_argument(
        "--form",
        choices=FORMS,
        help="by default as the name ends: .term.json, .json, .tsv, .txt",
    )
    given.add_argument("--layer", type=int, default=0, help="of the labels; 0 by default")
    looked = parts.add_parser(
        "check",
        help="check ontology and guidelines; exit 0 in order, 2 errors",
        description="Check ontology and guidelines of a study; nothing is written.",
    )
    add_study(looked, case=False)
    for one in (taken, given, looked):
        one.add_argument("--json", action="store_true", help="one JSON document")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Do what is asked.

    Returns
    -------
    int
        0 in order, 2 where `check` finds errors.

    Raises
    ------
    InputError
        When a file cannot be read, or is none.
    RefusedError
        When who asks is no manager, a label would mean something else, or a file is there.
    SaveError, LogError
        When file or log cannot be written.
    """
    what = arguments.ontology_command
    if what == "check":
        return _check(arguments)
    found = _import(arguments) if what == "import" else _export(arguments)
    if arguments.json:
        print(json.dumps(found))
    else:
        print("\n".join((found["words"], *found["said"])))
    return 0


def _import(arguments: argparse.Namespace) -> dict[str, Any]:
    from napari_medlabel.project.ontology.document import read_ontology
    from napari_medlabel.session.study.ontologies import set_ontology, taken_in

    with seated(arguments, role="researcher") as seat:
        before = read_ontology(seat.layout.ontology)
        taken = taken_in(before, arguments.file)
        after = taken.ontology
        old, new = set_ontology(seat, after)
    count = f"{len(after.labels)} labels, {len(after.questions)} questions"
    words = f"Nothing changed: {count}." if old == new else f"The study has {count} now."
    said = list(taken.said)
    labels = len(after.labels)
    return {"old": old, "new": new, "labels": labels, "words": words, "said": said}


def _export(arguments: argparse.Namespace) -> dict[str, Any]:
    from napari_medlabel.io.files import write_bytes_aside
    from napari_medlabel.project.layout import find_study
    from napari_medlabel.project.ontology.document import read_ontology
    from napari_medlabel.project.ontology.left_out import left_out

    path: Path = arguments.file
    if path.exists():
        raise RefusedError(
            "There is a file of that name already.", hint="Choose another name, or remove it."
        )
    ontology = read_ontology(find_study(arguments.study).ontology)
    form = arguments.form or _form_of(path)
    text = _written(ontology, form, arguments.layer)
    write_bytes_aside(path, text.encode("utf-8"))
    said = list(left_out(ontology, form, arguments.layer))
    return {"form": form, "words": f"Written as {form}: {path}", "said": said}


def _form_of(path: Path) -> str:
    name = path.name.lower()
    return next((form for ending, form in _ENDINGS.items() if name.endswith(ending)), "itksnap")


def _written(ontology: Ontology, form: str, layer: int) -> str:
    from napari_medlabel.project.ontology import exchange
    from napari_medlabel.project.ontology.document import to_json

    if layer not in ontology.layers and form in ("itksnap", "dseg"):
        raise InputError(
            "The ontology has no labels on that layer.",
            hint=f"Its layers: {', '.join(str(n) for n in ontology.layers)}.",
        )
    if form == "terminology":
        return exchange.to_terminology(ontology)
    if form == "itksnap":
        return exchange.to_snap(ontology.scheme(layer))
    if form == "dseg":
        return exchange.to_dseg_tsv(ontology, layer)
    return json.dumps(to_json(ontology), indent=1, ensure_ascii=False) + "\n"


def _check(arguments: argparse.Namespace) -> int:
    from napari_medlabel.project.layout import find_study

    errors, warnings = _findings(find_study(arguments.study))
    if arguments.json:
        print(json.dumps({"errors": errors, "warnings": warnings}))
    else:
        for level, lines in (("ERROR", errors), ("WARNING", warnings)):
            for words in lines:
                print(f"{level:<7} {words}")
        print(f"{len(errors)} errors, {len(warnings)} warnings.")
    return 2 if errors else 0


def _findings(layout: Layout) -> tuple[list[str], list[str]]:
    from napari_medlabel.project.guidelines import read_guidelines
    from napari_medlabel.project.ontology.document import read_ontology

    errors: list[str] = []
    warnings: list[str] = []
    guidelines = None
    try:
        guidelines = read_guidelines(layout.guidelines)
        if guidelines.missing_pictures:
            count = len(guidelines.missing_pictures)
            errors.append(f"{count} pictures of the guidelines are not in their folder.")
    except InputError as err:
        errors.append(err.message)
    try:
        ontology = read_ontology(layout.ontology)
    except InputError as err:
        errors.append(err.message)
        return errors, warnings
    for label in ontology.labels:
        if guidelines is not None and not guidelines.heading_for(label.guide, label.name):
            warnings.append(f"The guidelines have no section for {label.guide or label.name}.")
        if label.coding is None:
            warnings.append(f"{label.name} has no code: DICOM and Slicer know codes only.")
    return errors, warnings
