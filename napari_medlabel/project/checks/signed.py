"""Checks of what was handed in, approved, agreed on and signed: each version as it was then.

A submission, a correction, an approval and a consensus tell the log the digest of the version's
sidecar, which names every file of it. A signature is over that digest. Lines of before have no
such digest, and signatures of before are over the first layer's mask alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from napari_medlabel.audit.check.session_check import check_session
from napari_medlabel.audit.check.verify import session_paths
from napari_medlabel.audit.keys.people import parse_statement, statement_path
from napari_medlabel.errors import InputError
from napari_medlabel.io.files import sha256_file
from napari_medlabel.project.cases.version import (
    SIDECAR,
    Version,
    file_of,
    read_version,
    require_files,
)
from napari_medlabel.project.checks.finding import Finding
from napari_medlabel.project.layout import CaseId, Layout

_SAID: Final = {
    "review.approve": "approved",
    "study.consensus": "agreed on",
    "review.submit": "submitted",
    "review.correct": "submitted",
}
"""What each event that names a whole version says of it."""
_MARKS: Final = tuple(f'"{event}"'.encode() for event in ("sign.apply", *_SAID))
_WHERE: Final = "medlabel/audit"


@dataclass
class _Told:
    """What a log tells of whole versions, by what was said of them, and of signatures."""

    wholes: dict[str, set[str]] = field(
        default_factory=lambda: {
            one: set() for one in ("approved", "signed", "agreed on", "submitted")
        }
    )
    statements: list[tuple[dict[str, Any], frozenset[str]]] = field(default_factory=list)

    def take(self, _line: int, record: Mapping[str, Any]) -> None:
        """Note what a sealed record says."""
        event, detail = record["event"], record["detail"]
        if event in _SAID and "whole" in detail:
            self.wholes[_SAID[event]].add(detail["whole"])
        elif event == "sign.apply":
            objects = record["object"]
            ids = frozenset(ref["id"] for ref in objects)
            self.statements.append((dict(detail), ids))
            if any(ref["type"] == "mask" for ref in objects):
                wholes = {ref["id"] for ref in objects if ref["role"] == "manifest"}
                self.wholes["signed"] |= wholes


def check_signed(layout: Layout) -> Iterator[Finding]:
    """Yield versions that are not there as they were then, and broken statements.

    A version that was handed in and approved or signed is told of once, under the weightier.

    Parameters
    ----------
    layout : Layout
        The study.
    """
    told = _Told()
    for path in session_paths(layout.audit):
        data = path.read_bytes()
        if any(mark in data for mark in _MARKS):
            check_session(path, path.name, told.take, quick=True)
    if not (any(told.wholes.values()) or told.statements):
        return
    there = _sidecars(layout)
    told.wholes["submitted"] -= told.wholes["approved"] | told.wholes["signed"]
    for said, wholes in told.wholes.items():
        lost = wholes - set(there)
        changed = sum(not _is_as_it_was(layout, there[one]) for one in wholes & set(there))
        if lost or changed:
            words = (
                f"Versions that were {said} and are not there as they were then: "
                f"{len(lost) + changed}. A mask of some layer, landmarks, boxes, answers, a "
                "map of origins or the sidecar was changed."
            )
            yield Finding("error", said, "derivatives", words)
    standing = [_standing(layout, *one) for one in told.statements]
    if broken := standing.count("changed"):
        words = f"Statements under people's signatures that were changed: {broken}."
        yield Finding("error", "signed", _WHERE, words)
    if missing := standing.count("missing"):
        words = (
            f"Statements under people's signatures that are not there any more: {missing}. The "
            "log has who signed what, not the printed name."
        )
        yield Finding("warning", "signed", _WHERE, words)


def _sidecars(layout: Layout) -> dict[str, Version | None]:
    """Return the versions that are there, by the digest of their sidecar."""
    found: dict[str, Version | None] = {}
    for path in sorted((layout.root / "derivatives").glob(f"medlabel-*/**/*_{SIDECAR}")):
        named = file_of(path.name)
        if named is None:
            continue
        rater = path.relative_to(layout.root / "derivatives").parts[0]
        digest = f"sha256:{sha256_file(path)}"
        try:
            case = CaseId.parse(named[0])
            found[digest] = read_version(
                layout, rater.removeprefix("medlabel-"), case, named[1]
            )
        except InputError:
            found[digest] = None
    return found


def _is_as_it_was(layout: Layout, version: Version | None) -> bool:
    try:
        if version is not None:
            require_files(layout, version)
    except InputError:
        return False
    return version is not None


def _standing(
    layout: Layout, detail: Mapping[str, Any], ids: frozenset[str]
) -> Literal["good", "changed", "missing"]:
    """Return how the statement of a signature lies beside the log that names it."""
    try:
        data = statement_path(layout.audit, str(detail.get("statement", ""))).read_bytes()
    except OSError:
        return "missing"
    try:
        signed = parse_statement(data)
    except InputError:
        return "changed"
    same = {key: detail.get(key) for key in signed.detail()} == signed.detail()
    return "good" if same and signed.said.content in ids else "changed"
