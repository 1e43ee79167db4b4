"""A release held against the study it came from: each link against its line of the log."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from napari_medlabel.audit.anchors.pruned import is_pruned
from napari_medlabel.audit.anchors.session_lines import read_lines, record_of
from napari_medlabel.audit.check.verdict import Verdict
from napari_medlabel.audit.check.verify import session_paths, verify_log
from napari_medlabel.audit.format.layout import session_file
from napari_medlabel.audit.format.merkle import leaf_hash
from napari_medlabel.audit.format.seal import Head
from napari_medlabel.errors import GeometryError, InputError, RefusedError
from napari_medlabel.project.cases.record import read_record
from napari_medlabel.project.cases.version import LANDMARKS, MASK, read_version, sheet_kind
from napari_medlabel.project.checks.finding import Finding
from napari_medlabel.project.checks.signed import check_signed
from napari_medlabel.project.layout import CONSENSUS, Layout
from napari_medlabel.project.release.chain import EVENTS, TOLD, CaseChain, Chain, Link
from napari_medlabel.project.release.chain_check import column_of
from napari_medlabel.project.release.link_words import named
from napari_medlabel.project.release.manifest import MANIFEST, Manifest
from napari_medlabel.project.release.unresolved import told_of
from napari_medlabel.project.settings import read_settings
from napari_medlabel.project.work.accounts import Accounts, accounts_of
from napari_medlabel.project.work.steps import StepReader
from napari_medlabel.session.study.chaining import cleaning_of
from napari_medlabel.session.study.roles_then import check_roles


def check_against_study(
    layout: Layout, manifest: Manifest, chain: Chain, pruned: Collection[Head] = ()
) -> Iterator[Finding]:
    """Yield what of a release the study's log, records and reports do not bear out.

    Parameters
    ----------
    layout : Layout
        The study.
    manifest, chain
        Of the release.
    pruned : collection of Head
        Ends of sessions that an officer had deleted because their time was over.

    Raises
    ------
    InputError
        When the study cannot be read.
    """
    lines = _lines(layout.audit, manifest)
    reader = StepReader(layout.audit)
    accounts = accounts_of(layout, read_settings(layout.project), reader)
    gone = {one.head.origin for one in chain.sessions if is_pruned(one.head, pruned)}
    gone -= set(lines)
    for one in chain.cases:
        if any(link.origin in gone for link in one.links):
            words = (
                "Lines of it were deleted when their time was over: only the proofs are left."
            )
            yield Finding("warning", "read", str(one.case), words)
        for link in one.links:
            if link.origin in gone:
                continue
            yield from _line(one, link, lines.get(link.origin, []), accounts)
        yield from _record(layout, one)
        yield from _version(layout, manifest, one)
    yield from _untold(chain, lines)
    yield from check_roles(layout, manifest, chain)
    yield from check_signed(layout)
    kept = layout.releases / manifest.name / MANIFEST
    if not kept.is_file() or kept.read_bytes() != manifest.to_bytes():
        words = "The study keeps no manifest of this release, or another one."
        yield Finding("error", "kept", MANIFEST, words)
    if not is_published(layout.audit, manifest.digest):
        words = "The log does not tell that this release was published."
        yield Finding("error", "log", MANIFEST, words)
    if verify_log(layout.audit, state=None, quick=True).whole is Verdict.RED:
        words = "The log of the study is not sound: medlabel audit verify tells where."
        yield Finding("error", "log", "", words)


def _lines(root: Path, manifest: Manifest) -> dict[str, list[bytes]]:
    """Return the lines of each session, as far as the release knows it."""
    found = {}
    for head in manifest.heads:
        try:
            held = read_lines(root / session_file(head.origin))
        except (OSError, ValueError):
            continue  # the manifest's own check says that it is missing, or another
        found[head.origin] = held.lines[: head.size]
    return found


def _line(
    one: CaseChain, link: Link, lines: list[bytes], accounts: Accounts
) -> Iterator[Finding]:
    case, column = str(one.case), column_of(link)
    what = named(link.event, link.slot)
    if link.index >= len(lines) or leaf_hash(lines[link.index]) != link.leaf:
        words = f"{what}: the log has another line there."
        yield Finding("error", column, case, words)
        return
    try:
        record = record_of(lines[link.index])
        says = _said(record)
    except (ValueError, KeyError, TypeError):
        yield Finding("error", column, case, f"{what}: its line is no event.")
        return
    masks = (link.content, *link.sheets) if link.content else ()
    told = (link.event, link.slot, link.number, masks, link.time, dict(link.detail))
    if says != told or record["detail"].get("case") != one.content:
        words = f"{what}: the release tells it otherwise than the log."
        yield Finding("error", column, case, words)
    code = accounts.code_of(record["actor"]["user"])
    if code and code != link.by:
        yield Finding("error", column, case, f"{what}: somebody else did it.")


def _said(record: Mapping[str, Any]) -> tuple[object, ...]:
    detail = record["detail"]
    return (
        record["event"],
        str(detail.get("slot", "")),
        int(detail.get("step", 0)),
        tuple(ref["id"] for ref in record["object"] if ref["role"] == "new"),
        record["time"],
        {key: detail[key] for key in TOLD if key in detail},
    )


def _untold(chain: Chain, lines: Mapping[str, list[bytes]]) -> Iterator[Finding]:
    """Yield lines of the log about a case that the release keeps to itself."""
    by_content = {one.content: one for one in chain.cases}
    told = {(link.origin, link.index) for one in chain.cases for link in one.links}
    for origin, held in lines.items():
        for index, line in enumerate(held):
            is_study = b'"event":"study.' in line or b'"event":"review.' in line
            if not is_study or (origin, index) in told:
                continue
            record = record_of(line)
            one = by_content.get(record["detail"].get("case", ""))
            if one is None or record["event"] not in EVENTS:
                continue
            slot = str(record["detail"].get("slot", ""))
            link = Link(record["event"], "", "", origin, index, b"", (), slot)
            words = f"{named(link.event, slot)}: the release leaves it out."
            yield Finding("error", column_of(link), str(one.case), words)


def _record(layout: Layout, one: CaseChain) -> Iterator[Finding]:
    case = str(one.case)
    try:
        record = read_record(layout.case_file(one.case))
    except InputError:
        yield Finding("error", "raw", case, "The study has no record of it.")
        return
    if record.originals != one.originals:
        words = "The study knows other raw files of it."
        yield Finding("error", "raw", case, words)
    if (record.content, record.pixels) != (one.content, one.pixels):
        yield Finding("error", "scan", case, "The study has another scan of that name.")
    try:
        same = cleaning_of(layout, record) == one.cleaning
    except RefusedError:
        same = False
    if not same:
        words = "The study's report of its de-identification is another one, or missing."
        yield Finding("error", "cleaned", case, words)


def _version(layout: Layout, manifest: Manifest, one: CaseChain) -> Iterator[Finding]:
    """Hold the released files against those of the version that they are copies of."""
    maker = CONSENSUS if one.is_agreed else one.state(one.slot).maker
    try:
        version = read_version(layout, maker, one.case, one.version)
    except InputError:
        yield Finding("error", "file", str(one.case), "The study does not have this version.")
        return
    released = {file.path: file.digest for file in manifest.files}
    if version.sheets != one.sheets:
        words = "The study's version has other masks of further layers."
        yield Finding("error", "file", str(one.case), words)
    try:
        same = told_of(layout, version) == one.unresolved
    except (InputError, GeometryError, OSError):
        same = False
    if not same:
        words = "The study's version has other voxels without an answer."
        yield Finding("error", "agreed", str(one.case), words)
    further = [(f"mask{layer}", sheet_kind(layer)) for layer in sorted(version.sheets)]
    for kind, ending in (("mask", MASK), *further, ("landmarks", LANDMARKS)):
        source = version.path(layout, ending)
        wanted = version.files[layout.relative(source)] if source is not None else None
        found = released.get(one.files[kind]) if kind in one.files else None
        if found != wanted:
            words = f"Its {kind}: another file than the study's version has."
            yield Finding("error", "file", str(one.case), words)


def is_published(root: Path, digest: str) -> bool:
    """Tell whether a log has the event ``study.publish`` of a manifest, by its digest."""
    mark = digest.encode()
    for path in session_paths(root):
        for line in path.read_bytes().splitlines():
            if b'"study.publish"' in line and mark in line:
                return True
    return False
