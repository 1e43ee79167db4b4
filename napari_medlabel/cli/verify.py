"""``medlabel verify``: whether a release is what it says, link by link; offline, by anybody."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from napari_medlabel.audit.format.seal import Head
    from napari_medlabel.project.release.chain_check import Column
    from napari_medlabel.session.study.release_check import CaseLine, ReleaseReport

_SHOWN: Final = {"green": "ok", "amber": "AMBER", "red": "RED"}
_LEVELS: Final = {"error": "RED  ", "warning": "AMBER"}
_SENTENCES: Final = {
    "green": "Each file is what was released, by whom it says, and each case's chain is whole.",
    "amber": "Nothing speaks against it, and something cannot be told: see below.",
    "red": "This is not what was released, or its chain of custody is broken: see below.",
}
_THEN: Final = {
    "green": "",
    "amber": "Judge yourself, or ask who released it, whether you can do without.",
    "red": "Do not use it, and keep it as it is: ask who released it for the release anew.",
}


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``verify`` to the command line.

    Parameters
    ----------
    subparsers : argparse subparsers
        Of ``medlabel``.
    """
    parser = subparsers.add_parser(
        "verify",
        help="check a release of a study, offline; exit 0 green, 4 amber, 5 red",
        description="Check a release: manifest and signature, every file, documents against "
        "their facts, splits, each mask on its scan, and for each case the chain from the raw "
        "files over de-identification, readings and review to the mask. It needs neither the "
        "study nor a network. With --study each link is held against its line of the log.",
    )
    parser.add_argument("release", type=Path, metavar="RELEASE", help="folder of the release")
    parser.add_argument(
        "--trust",
        action="append",
        default=[],
        metavar="LETTERS",
        help="letters of a key that may release, from its owner; may be repeated",
    )
    parser.add_argument("--study", type=Path, metavar="STUDY", help="the study it came from")
    parser.add_argument(
        "--html", type=Path, metavar="FILE", help="write the result as a page, too"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Verify a release; nothing is written, and no log is needed.

    Returns
    -------
    int
        0 green, 4 amber, 5 red.

    Raises
    ------
    InputError
        When there is no such folder or study, or something cannot be read.
    SaveError
        When the page cannot be written.
    """
    from napari_medlabel.audit.writer.place import default_state
    from napari_medlabel.project.layout import find_study
    from napari_medlabel.session.study.release_check import check_release

    layout = None if arguments.study is None else find_study(arguments.study)
    report = check_release(
        arguments.release,
        trust=arguments.trust,
        layout=layout,
        state=default_state(),
        pruned=_pruned(layout.audit) if layout is not None else (),
    )
    if arguments.html is not None:
        from napari_medlabel.io.files import write_bytes_aside
        from napari_medlabel.session.study.release_page import page_of

        said = (_SENTENCES[report.verdict.value], _THEN[report.verdict.value])
        write_bytes_aside(arguments.html, page_of(report, " ".join(filter(None, said))))
    if arguments.json:
        print(json.dumps(_document(report), indent=2))
    else:
        _tell(report)
    return report.verdict.exit_code


def _pruned(root: Path) -> frozenset[Head]:
    from napari_medlabel.audit.check.session_check import check_session
    from napari_medlabel.audit.check.verify import session_paths
    from napari_medlabel.cli.audit_pruned import pruned_in

    paths = session_paths(root)
    return pruned_in(
        root,
        [check_session(path, path.relative_to(root).as_posix(), quick=True) for path in paths],
    )


def _document(report: ReleaseReport) -> dict[str, Any]:
    manifest, signed = report.manifest, report.signed
    return {
        "verdict": report.verdict.value,
        "release": manifest and manifest.name,
        "made": manifest and manifest.made,
        "manifest": manifest and manifest.digest,
        "ontology": manifest and manifest.pins.ontology,
        "guideline": manifest and manifest.pins.guideline,
        "files": manifest and len(manifest.files),
        "signed_by": signed and {"code": signed.said.name, "user": signed.said.user},
        "key": report.letters,
        "with_study": report.with_study,
        "cases": [_case(one) for one in report.cases],
        "findings": [one.record() for one in report.findings],
    }


def _case(one: CaseLine) -> dict[str, Any]:
    return {
        "case": one.case,
        "verdict": one.verdict.value,
        "originals": list(one.originals),
        "rules": one.rules,
        "readers": list(one.readers),
        "reviewers": list(one.reviewers),
        "from": one.slot,
        "when": one.when,
        "unresolved_voxels": one.unresolved,
        "settled_by": one.settled or None,
        "links": {column: mark.value for column, mark in one.marks.items()},
    }


def _tell(report: ReleaseReport) -> None:
    print(f"{report.verdict.upper()}. {_SENTENCES[report.verdict.value]}")
    if then := _THEN[report.verdict.value]:
        print(then)
    for one in report.findings:
        print(f"\n{_LEVELS[one.level]} {one.where}  ({one.rule})\n      {one.words}")
    manifest, signed = report.manifest, report.signed
    if manifest is not None:
        print(
            f"\nrelease     {manifest.name}, made {manifest.made}, {len(manifest.files)} files"
        )
        print(f"signed by   {_signer(report) if signed else 'nobody'}")
        print(f"rules       ontology   {manifest.pins.ontology}")
        print(f"            guidelines {manifest.pins.guideline}")
    compared = "each link was held against its line of the log"
    if not report.with_study:
        compared = "not asked: the release's own proofs alone (--study STUDY asks it)"
    print(f"study's log {compared}")
    if report.settled:
        print(f"settled     {report.settled}")
    if report.unresolved:
        print(f"unresolved  {report.unresolved}; masks beside those of the labels tell which")
    if report.cases:
        _table(report.cases)


def _signer(report: ReleaseReport) -> str:
    said = report.signed.said if report.signed else None
    return f"{said.name} ({said.user}), key {report.letters}, {said.time}" if said else ""


def _mark(one: CaseLine, column: Column) -> str:
    return _SHOWN[one.marks[column].value] if one.applies(column) else "-"


def _table(cases: tuple[CaseLine, ...]) -> None:
    from napari_medlabel.project.release.chain_check import COLUMNS

    width = max(len("case"), *(len(one.case) for one in cases)) + 2
    heads = "".join(f"{column:<9}" for column in COLUMNS)
    print(
        f"\n{'case':<{width}}{heads}{'raw files':<22}{'cleaned by':<16}{'read by':<12}decided"
    )
    for one in cases:
        marks = "".join(f"{_mark(one, column):<9}" for column in COLUMNS)
        raw = f"{len(one.originals)}: {one.originals[0][7:19]}..." if one.originals else "-"
        who = " ".join(one.readers) or "-"
        decided = f"{' '.join(one.reviewers) or '-'} {one.when[:16].replace('T', ' ')}"
        print(f"{one.case:<{width}}{marks}{raw:<22}{one.rules or '-':<16}{who:<12}{decided}")
